"""The oracle's own test: planted bugs are caught, each by the property that it breaks."""

from __future__ import annotations

import pytest

from sim import engines
from sim.report.result import result_of
from sim.scenario import PROPERTIES, load
from sim.selftest.oracle import CONTROL, PLANTED, Planted
from sim.world import run


def test_the_control_passes_without_a_bug():
    result = result_of(run(load(CONTROL), engines.load("stock")))

    assert result.verdict == "pass"
    assert not result.violations


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_is_caught_by_its_property(planted: type[Planted]):
    scenario = load(planted.scenario)
    sound = result_of(run(scenario, engines.load("stock")))
    result = result_of(run(scenario, planted))

    assert planted.breaks not in sound.violated
    assert planted.breaks in result.violated
    assert set(result.violated) <= {planted.breaks} | planted.follows
    assert not result.expected


def test_every_property_has_a_planted_bug_that_breaks_it():
    assert {planted.breaks for planted in PLANTED} == set(PROPERTIES)
