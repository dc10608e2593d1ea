"""The model as the one description of the format."""

from __future__ import annotations

import msgspec
import pytest

from sim.scenario import actions as a
from sim.scenario import model as m
from sim.scenario.words import words

STRUCTS = [m.Scenario, m.Venue, m.Account, m.Node, m.Record, m.Expect, m.Adjustment, m.Known]


def test_the_properties_stand_in_the_order_of_the_design() -> None:
    assert m.PROPERTIES[0] == "fill-lost"
    assert m.PROPERTIES[-1] == "crash"
    assert len(set(m.PROPERTIES)) == 14


def test_every_action_has_a_word_of_its_own() -> None:
    said = [kind for kind in a.ACTIONS.values() if "word" in vars(kind)]
    assert len({kind.word for kind in said}) == len(said) == len(a.ACTIONS)
    assert all(kind.word == word for word, kind in a.ACTIONS.items())


@pytest.mark.parametrize("kind", a.ACTIONS.values(), ids=a.ACTIONS)
def test_every_action_says_who_acts(kind: type[a.Action]) -> None:
    bases = (a.StrategyAction, a.VenueAction, a.NodeAction, a.Fault)

    assert sum(issubclass(kind, base) for base in bases) == 1


@pytest.mark.parametrize("struct", [*STRUCTS, *a.ACTIONS.values()], ids=lambda s: s.__name__)
def test_every_word_is_explained(struct: type[msgspec.Struct]) -> None:
    assert struct.__doc__
    for word in words(struct):
        assert word.doc.endswith("."), word.name


def test_where_a_scenario_was_read_is_no_part_of_it() -> None:
    scenario = m.Scenario(
        title="t", shows="crash", venue=m.Venue(symbols=("BTCUSDT",)), timeline=()
    )
    elsewhere = msgspec.structs.replace(scenario, source=m.Source("a.yaml", (7,)))

    assert elsewhere == scenario
    assert elsewhere.name == "a.yaml"
    assert elsewhere.line(0) == 7
    assert elsewhere.line(1) == 0
    assert scenario.line(0) == 0


@pytest.mark.parametrize(
    ("versions", "covered"),
    [
        ("", True),
        (">=1.222,<=1.231", True),
        ("<1.231", False),
        ("==1.231.*", True),
        (">1.231", False),
    ],
)
def test_known_covers_versions(versions: str, covered: bool) -> None:
    assert m.Known(fails=("crash",), versions=versions).covers("1.231.0") is covered


def test_a_request_fails_once_unless_a_count_or_a_time_is_given() -> None:
    def limit(**given: int) -> int | None:
        return a.FailRequest(path="/", status=503, **given).limit

    assert limit() == 1
    assert limit(count=3) == 3
    assert limit(for_ns=1) is None
