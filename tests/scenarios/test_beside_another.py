"""Every story is the same when it is told of one of two nodes, on one of two accounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim import engines
from sim.report.result import Result, result_of
from sim.scenario import Scenario, dump, load, loads
from sim.scenario.model import Limits
from sim.selftest.oracle import PLANTED, Planted
from sim.world import run
from tests.scenarios.beside_another import beside_another

SUITE = Path("scenarios")


def is_of_one(scenario: Scenario) -> bool:
    """Whether a story has one node, which does not need all the weight of its address."""
    venue = scenario.venue
    return not (scenario.nodes or venue.accounts) and venue.limits == Limits()


# The whole suite takes a quarter of a minute; each folder has some of every fourth.
STORIES = [path for path in sorted(SUITE.glob("**/*.yaml"))[::4] if is_of_one(load(path))]


def told(scenario: Scenario) -> Scenario:
    """The story of node B, as a file would say it."""
    return loads(dump(beside_another(scenario)), "beside.yaml")


def names_b(result: Result) -> bool:
    return all("ode B" in v.message or "(second)" in v.message for v in result.violations)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.relative_to(SUITE).as_posix())
def test_recon_passes_beside_another_node(path: Path):
    result = result_of(run(told(load(path)), engines.load("recon")))

    assert result.verdict == "pass", (result.violations, result.reasons)


def test_the_released_engine_fails_in_the_same_way_beside_another_node():
    path = SUITE / "restart" / "warm-after-a-fill.yaml"
    result = result_of(run(told(load(path)), engines.load("stock")))

    assert set(result.violated) == {"phantom-fill", "position-mismatch"}
    assert names_b(result)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_is_caught_in_the_second_node_too(planted: type[Planted]):
    scenario = told(load(planted.scenario))

    class InB(planted):  # type: ignore[misc, valid-type]
        """The bug in node B; node A, which has another account, is sound."""

        def configure(self, config, spec):  # type: ignore[no-untyped-def]
            self.is_in_b = spec.account == "second"
            return super().configure(config, spec)

        def attach(self, node):  # type: ignore[no-untyped-def]
            if self.is_in_b:
                super().attach(node)

    result = result_of(run(scenario, InB))

    assert planted.breaks in result.violated
    assert set(result.violated) <= {planted.breaks} | planted.follows
    assert names_b(result)
