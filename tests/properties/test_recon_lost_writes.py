"""A list that has lost some of its events is whole again, and nothing else about it changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recon.core.lost import merged


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[int], list[int], set[int], set[int]]:
    """Return all that has happened, what is held, what of it the node knows, and what is noted."""
    happened = list(range(draw(st.integers(0, 12))))
    known = [each for each in happened if draw(st.booleans())]
    # The node may have purged what the list still has; what it has noted it knows.
    noted = set(known[: draw(st.integers(0, len(known)))])
    held = [each for each in happened if draw(st.booleans())]
    return happened, held, set(known), noted


@given(lists())
def test_what_is_missing_of_the_noted_is_put_in_its_place(
    drawn: tuple[list[int], list[int], set[int], set[int]],
):
    happened, held, known, noted = drawn

    found = merged(
        [(str(each), -each) for each in held],  # what they stand for says nothing of their order
        [(str(each), -each) for each in happened if each in known],
        {str(each) for each in noted},
    )
    whole = [-each for each in found]

    assert {*whole} == {*held} | noted
    assert len(whole) == len({*whole})
    assert [each for each in whole if each in held] == held
    in_order = [each for each in whole if each in known]
    assert in_order == sorted(in_order)
