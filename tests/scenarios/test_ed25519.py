"""Every story is the same when its nodes have Ed25519 keys and log on to the WebSocket API."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from sim import engines
from sim.report.result import result_of
from sim.scenario import Scenario, dump, load, loads
from sim.scenario.model import Limits
from sim.world import run

SUITE = Path("scenarios")

# The whole suite takes a minute; each folder has some of every fourth, the streams all.
PATHS = [*sorted(SUITE.glob("**/*.yaml"))[1::4], *sorted(SUITE.glob("stream/*.yaml"))]


def told(scenario: Scenario) -> Scenario:
    """The story with other keys, as a file would say it."""
    nodes = {name: replace(node, key_type="ed25519") for name, node in scenario.nodes.items()}
    node = scenario.node if nodes else replace(scenario.node, key_type="ed25519")
    return loads(dump(replace(scenario, node=node, nodes=nodes)), "ed25519.yaml")


def can_be_told(path: Path) -> bool:
    """Whether no node is a broker's, and the story is not of listen keys by REST.

    A story of little weight is none either: what is asked at a start weighs otherwise.
    """
    scenario = load(path)
    brokers = any(node.broker for node in scenario.each_node.values())
    is_limited = scenario.venue.limits != Limits()
    return not (brokers or is_limited or "/listenKey" in path.read_text())


STORIES = [path for path in dict.fromkeys(PATHS) if can_be_told(path)]


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.relative_to(SUITE).as_posix())
def test_recon_passes_with_an_ed25519_key(path: Path):
    result = result_of(run(told(load(path)), engines.load("recon")))

    assert result.verdict == "pass", (result.violations, result.reasons)


def test_the_released_engine_fails_in_the_same_way_with_an_ed25519_key():
    path = SUITE / "restart" / "warm-after-a-fill.yaml"
    scenario = told(load(path))
    result = result_of(run(scenario, engines.load("stock")))

    assert result.violated
    assert tuple(result.violated) == scenario.known["stock"][0].fails
