"""The oracle's own test: planted bugs are caught, each by the property that it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim import engines
from sim.report.result import result_of
from sim.scenario import load
from sim.selftest import PLANTED, Planted
from sim.world import run

CONTROL = Path("scenarios/control/orders-and-fills.yaml")


def test_the_control_passes_without_a_bug():
    result = result_of(run(load(CONTROL), engines.load("stock")))

    assert result.verdict == "pass"
    assert not result.violations


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_is_caught_by_its_property(planted: type[Planted]):
    result = result_of(run(load(CONTROL), planted))

    assert planted.breaks in result.violated
    assert set(result.violated) <= {planted.breaks} | planted.follows
    assert not result.expected


def test_each_planted_bug_breaks_another_property():
    assert len({planted.breaks for planted in PLANTED}) == len(PLANTED)
