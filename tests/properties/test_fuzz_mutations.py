"""Given scenarios that are changed: each is valid, is its print, and is set where the file is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from sim.fuzz import mutations
from sim.fuzz.mutations import is_valid
from sim.scenario import Scenario, dump, load, loads
from sim.suite import scenario_files

FOLDERS = [Path("scenarios") / name for name in ("control", "hedge", "several", "venue_mismatch")]
GIVEN = [load(path) for path in scenario_files(FOLDERS)]
BY_NAME = {scenario.name: scenario for scenario in GIVEN}
ANY = settings(
    max_examples=2000,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def original(scenario: Scenario) -> Scenario:
    return BY_NAME[scenario.title.removeprefix("Found by fuzzing ")]


@settings(max_examples=80, deadline=None)
@given(mutations(GIVEN))
def test_each_is_valid_and_is_its_print(scenario: Scenario):
    assert loads(dump(scenario), "drawn.yaml") == scenario


@settings(max_examples=80, deadline=None)
@given(mutations(GIVEN))
def test_nothing_is_claimed_of_what_has_changed(scenario: Scenario):
    assert scenario.known == {}
    assert scenario.expect.venue_position == {}
    assert scenario.expect.venue_positions == {}
    assert scenario.venue == original(scenario).venue
    assert scenario.each_node == original(scenario).each_node


@pytest.mark.parametrize("by", [-1, 1])
def test_records_come_and_go(by: int):
    def is_so(scenario: Scenario) -> bool:
        return len(scenario.timeline) - len(original(scenario).timeline) == by

    find(mutations(GIVEN), is_so, settings=ANY)


def test_records_move():
    def is_so(scenario: Scenario) -> bool:
        before = original(scenario).timeline
        return [r.at_ns for r in before] != [r.at_ns for r in scenario.timeline] and {
            r.action.word for r in before
        } == {r.action.word for r in scenario.timeline}

    find(mutations(GIVEN), is_so, settings=ANY)


def test_without_a_scenario_there_is_nothing_to_change():
    with pytest.raises(ValueError, match="no scenario"):
        find(mutations([]), lambda s: True, settings=ANY)


def test_what_the_loader_refuses_is_not_valid():
    [first, *_] = GIVEN
    twice = Scenario(**{f: getattr(first, f) for f in first.__struct_fields__})
    assert is_valid(twice)
    records = (*first.timeline, first.timeline[0])
    assert not is_valid(Scenario(**{**_fields(first), "timeline": records}))


def _fields(scenario: Scenario) -> dict[str, object]:
    return {name: getattr(scenario, name) for name in scenario.__struct_fields__}
