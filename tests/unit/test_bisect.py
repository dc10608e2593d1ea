"""The search for the release on which a verdict changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.bisect import BisectError, first_change
from sim.releases import Run

RELEASES = tuple(f"1.{minor}.0" for minor in range(221, 232))


def judging(holds: dict[str, bool | None]) -> tuple[Callable[[str], Run], list[str]]:
    """A judge that knows, and the releases that it was asked about."""
    asked: list[str] = []

    def judge(release: str) -> Run:
        asked.append(release)
        return Run(release, holds[release], reason="it is inconclusive")

    return judge, asked


def known(text: str) -> dict[str, bool | None]:
    """Verdicts from letters: h holds, v violated, - unknown."""
    return dict(zip(RELEASES, ({"h": True, "v": False, "-": None}[c] for c in text), strict=True))


@pytest.mark.parametrize(
    ("verdicts", "before", "after", "at_most"),
    [
        ("vvhhhhhhhhh", "1.222.0", "1.223.0", 6),
        ("hvvvvvvvvvv", "1.221.0", "1.222.0", 6),
        ("hhhhhhhhhhv", "1.230.0", "1.231.0", 6),
        ("vv-hhhhhhhh", "1.222.0", "1.224.0", 6),
        ("v---------h", "1.221.0", "1.231.0", 11),
        ("hhvvvhhhhhh", "1.222.0", "1.223.0", 11),  # both ends hold
        ("-hhhhhvvvvv", "1.226.0", "1.227.0", 11),
    ],
)
def test_the_change_is_found(verdicts: str, before: str, after: str, at_most: int):
    judge, asked = judging(known(verdicts))
    change = first_change(RELEASES, judge)

    assert change is not None
    assert (change.before.release, change.after.release) == (before, after)
    assert len(asked) == len(set(asked)) <= at_most, "each is tried once, and few are"


@pytest.mark.parametrize("verdicts", ["hhhhhhhhhhh", "vvvvvvvvvvv", "-----------", "h----------"])
def test_nothing_changes(verdicts: str):
    assert first_change(RELEASES, judging(known(verdicts))[0]) is None


@given(
    st.lists(st.sampled_from((True, False, None)), min_size=len(RELEASES), max_size=len(RELEASES))
)
def test_what_is_found_is_a_change(verdicts: list[bool | None]):
    holds = dict(zip(RELEASES, verdicts, strict=True))
    change = first_change(RELEASES, judging(holds)[0])

    if change is None:
        assert len({each for each in verdicts if each is not None}) < 2
        return
    places = RELEASES.index(change.before.release), RELEASES.index(change.after.release)
    assert {holds[change.before.release], holds[change.after.release]} == {True, False}
    assert all(holds[RELEASES[n]] is None for n in range(places[0] + 1, places[1]))


def test_it_is_said_in_one_sentence():
    change = first_change(RELEASES, judging(known("vvhhhhhhhhh"))[0])
    assert str(change) == "1.223.0 is the first on which it holds; on 1.222.0 it is violated"
    change = first_change(RELEASES, judging(known("hvvvvvvvvvv"))[0])
    assert str(change) == "1.222.0 is the first on which it is violated; on 1.221.0 it holds"


def test_the_search_is_between_good_and_bad():
    judge, asked = judging(known("hhvvvhhhhvv"))
    change = first_change(RELEASES, judge, good="1.226.0", bad="1.231.0")

    assert change is not None
    assert change.after.release == "1.230.0"
    assert min(asked) == "1.226.0"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"good": "1.231.0"}, "1.231.0 was said to be good, and violates the property"),
        ({"bad": "1.221.0"}, "1.221.0 was said to be bad, and the property holds there"),
        ({"bad": "1.225.0"}, "1.225.0 was said to be bad, and says nothing: it is inconclusive"),
        ({"good": "1.2.0"}, "1.2.0 is not known; known are 1.221.0, "),
    ],
)
def test_what_is_not_so_is_refused(said: dict[str, str], message: str):
    judge, _ = judging(known("hhhh-vvvvvv"))
    with pytest.raises(BisectError, match=message):
        first_change(RELEASES, judge, **said)
