"""Reading and printing are inverse, and nothing but a `ScenarioError` comes of a bad text."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sim.scenario import Scenario, ScenarioError, dump, loads
from tests.properties.scenario_strategies import TRICKY, scenarios

# The first example imports NautilusTrader to check the names of its options.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(scenarios())
def test_reading_a_print_gives_the_scenario_back(scenario: Scenario) -> None:
    assert loads(dump(scenario)) == scenario


@unhurried
@given(scenarios())
def test_the_print_is_canonical(scenario: Scenario) -> None:
    """The scenario read back prints the same: no information hides in how it was made."""
    text = dump(scenario)

    assert dump(loads(text)) == text


@unhurried
@given(scenarios())
def test_each_record_has_one_line_and_is_found_there(scenario: Scenario) -> None:
    text = dump(scenario)
    lines = text.splitlines()

    read = loads(text)

    assert [
        lines[read.line(index) - 1].startswith("  - {at: ") for index in range(len(read.timeline))
    ] == [True] * len(scenario.timeline)
    assert text.count("\n  - {at: ") == len(scenario.timeline)


@unhurried
@given(scenarios(max_records=4), st.data())
def test_a_damaged_file_is_read_or_refused(scenario: Scenario, data: st.DataObject) -> None:
    text = dump(scenario)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    scrap = st.sampled_from((*TRICKY, "", " ", "\n", "{", "}", "[", ":", ",", '"', "\t"))
    damaged = text[:start] + data.draw(scrap) + text[end:]

    _read_or_refuse(damaged)


@unhurried
@given(st.text(max_size=60))
@example("format: 1\n? [a]\n: b")
@example("!!python/object:os.system {}")
@example("[" * 2000)
@example("{" * 2000)
@example("- " * 2000)
@example("a: *a")
@example('"a\\nb":')
@example("%YAML 9.9\n---\na: 1")
@example("%TAG ! tag:x,2000:\n---\n!a b")
@example("\x85\u2028\u2029")
@example("a: " + "9" * 5000)
def test_any_text_is_read_or_refused(text: str) -> None:
    _read_or_refuse(text)


def _read_or_refuse(text: str) -> None:
    with suppress(ScenarioError):
        loads(text, "x.yaml")
        return
    with pytest.raises(ScenarioError) as refused:
        loads(text, "x.yaml")
    error = refused.value
    assert len(str(error).splitlines()) == 1
    assert str(error).startswith(f"x.yaml:{error.line}:{error.column}: ")
    assert error.line >= 1
    assert error.column >= 1
