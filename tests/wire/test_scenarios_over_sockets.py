"""Scenarios over real sockets: the released node in its own process, real Redis, real time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.config import LiveExecEngineConfig

from recon import ReconExecEngineConfig
from sim.scenario import load, loads
from sim.suite import scenario_files
from sim.wire.pace import factor, hurried, hurried_config, misfit
from sim.wire.world import WireTimeline

ROOT = Path(__file__).parents[2]

SHORT = (
    "control/orders-and-fills",
    "disconnect/fill-while-disconnected",
    "hedge/legs-collapse",
    "inflight/lost-acknowledgement",
    "issues/3046-fills-replayed-from-the-cache",
    "issues/3081-flip-then-restart",
    "manual/order-while-up",
    "restart/database-restarted-before-an-order",
    "restart/killed-while-the-database-is-gone",
    "restart/warm-after-a-fill",
)
"""One for each way in which a node and a venue, or a node and its database, can part."""

BROKEN = (
    "hedge/legs-collapse",
    "restart/database-restarted-before-an-order",
    "restart/killed-while-the-database-is-gone",
    "restart/warm-after-a-fill",
)
"""What the released engine gets wrong of that, whatever the clock."""


pytestmark = pytest.mark.usefixtures("needs_redis")


def begun(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def suite(engine: str, names: tuple[str, ...]) -> subprocess.Popen[str]:
    files = [f"scenarios/{name}.yaml" for name in names]
    words = ["--transport", "wire", "--engine", engine, "-q", "-j", "6"]
    return begun("sim", "run", *words, "--ndjson", "-", *files)


@pytest.fixture(scope="module")
def done() -> dict[str, tuple[int, str, str]]:
    """Run all at once, as it waits most of the time; return exit codes, output and errors."""
    processes = {
        "recon": suite("recon", SHORT),
        "stock": suite("stock", BROKEN),
        "kills": begun("sim.wire.kills", "--kills", "20", "--jobs", "2"),
    }
    ended: dict[str, tuple[int, str, str]] = {}
    for name, process in processes.items():
        out, errors = process.communicate()
        ended[name] = process.returncode, out, errors
    return ended


@pytest.fixture(scope="module")
def results(done: dict[str, tuple[int, str, str]]) -> dict[tuple[str, str], Any]:
    """Return the results of the short suite by scenario and engine.

    A story that did not happen, because the machine was busy, is told once more.
    """
    found = [
        json.loads(line) for engine in ("recon", "stock") for line in done[engine][1].splitlines()
    ]
    assert len(found) == len(SHORT) + len(BROKEN), done
    results = {(each["scenario"].removesuffix(".yaml"), each["engine"]): each for each in found}
    for (name, engine), result in results.items():
        if result["verdict"] == "inconclusive":
            out, _ = suite(engine, (name.removeprefix("scenarios/"),)).communicate()
            results[name, engine] = json.loads(out)
    return results


@pytest.mark.parametrize("name", SHORT)
def test_recon_loses_nothing_over_sockets(results: dict[tuple[str, str], Any], name: str):
    result = results[f"scenarios/{name}", "recon"]

    assert (result["verdict"], result["violations"], result["reasons"]) == ("pass", [], [])


@pytest.mark.parametrize("name", BROKEN)
def test_the_released_engine_fails_over_sockets_where_it_fails_in_virtual_time(
    results: dict[tuple[str, str], Any], name: str
):
    result = results[f"scenarios/{name}", "stock"]
    violated = {violation["property"] for violation in result["violations"]}

    assert result["shows"] in violated
    assert result["reasons"] == []


def test_a_node_that_is_killed_over_and_over_loses_nothing(done: dict[str, tuple[int, str, str]]):
    code, out, errors = done["kills"]

    assert code == 0, out + errors
    assert int(out.partition(" kills, ")[0]) > 10, "a machine that is busy may be late for some"
    assert ": 0 lost, 0 duplicated, 0 phantom; 0 violations" in out


# -- which make sense, and how fast they are ----------------------------------------------


def test_most_scenarios_make_sense_in_real_time():
    fit = [path for path in scenario_files(()) if misfit(load(path)) is None]

    assert len(fit) > 200
    assert {ROOT / f"scenarios/{name}.yaml" for name in SHORT} <= {path.absolute() for path in fit}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("venue_mismatch/default-route", "a client of the harness's own"),
        ("attack/closed-just-before-a-first-contact", "its past lies before the start"),
        ("restart/torn-order-of-a-free-round-trip", "damaged by hand"),
        ("disconnect/purged-order-comes-back", "by the minute"),
    ],
)
def test_what_makes_none_says_why(name: str, why: str):
    assert why in str(misfit(load(f"scenarios/{name}.yaml")))


def test_a_hurried_story_is_the_same_in_less_time():
    scenario = loads(
        "format: 1\ntitle: A story\nshows: fill-lost\nvenue: {symbols: [BTCUSDT]}\n"
        "node: {reconciliation_interval_secs: 60}\ntimeline:\n"
        '  - {at: 12s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}\n'
        "  - {at: 24s, drop_event: {event: ORDER_TRADE_UPDATE, for: 36s}}\n"
        "  - {at: 25s, skew_clock: {by: -10s, for: 12s}}\n"
    )
    by = factor(scenario)
    quick = hurried(scenario)

    assert by == 12
    assert quick.node.reconciliation_interval_secs == 5
    assert [record.at_ns for record in quick.timeline[:2]] == [1_000_000_000, 2_000_000_000]
    assert quick.venue.limits.weight_1m == 12 * 2400, "what it asks in a minute of its story"
    assert hurried(quick).venue.limits == quick.venue.limits
    drop, skew = (record.action for record in quick.timeline[1:])
    assert (drop.for_ns, skew.for_ns, skew.by_ns) == (3_000_000_000, 1_000_000_000, -10_000_000_000)


def test_the_times_of_an_engine_are_hurried_once():
    config = LiveExecEngineConfig(inflight_check_threshold_ms=6_000, open_check_interval_secs=5.0)
    quick = hurried_config(config, 10)

    assert quick.inflight_check_threshold_ms == 600
    assert quick.inflight_check_interval_ms == 200
    assert quick.reconciliation_startup_delay_secs == 1, "its checks would begin after the story"
    assert quick.open_check_interval_secs == 5, "which is the scenario's, and hurried with it"


def test_how_long_a_connection_may_take_is_not_hurried():
    quick = hurried_config(ReconExecEngineConfig(), 10)

    assert (quick.read_lag_secs, quick.inflight_timeout_ms) == (6, 500)
    assert quick.reconciliation_startup_delay_secs == 10


class Looks:
    """A loop that is looked at at given instants."""

    origin_ns = 0

    def __init__(self, looks_ms: list[int]) -> None:
        self.looks_ms = looks_ms

    @property
    def now_ns(self) -> int:
        return self.looks_ms.pop(0) * 1_000_000


class Late(WireTimeline):
    """A timeline whose looks come at given instants, at some of which the story is held."""

    def __init__(self, looks_ms: list[int], held_ms: range) -> None:
        self.held_ms = held_ms
        self._loop: Any = Looks(looks_ms)

    def _is_held(self) -> bool:
        return self._seen_ns is not None and self._seen_ns // 1_000_000 in self.held_ms


@pytest.mark.parametrize(
    ("looks_ms", "held_ms", "left"),
    [
        ([0, 5, 10, 15, 20, 25], range(0), 2),
        ([0, 5, 10, 15, 20, 25, 30], range(4, 12), 1),
        ([0, 1_000, 1_005, 1_010], range(0), 2),
        ([1_000, 1_005, 1_010, 1_015, 1_020], range(0), 1),
    ],
    ids=["in time", "held", "late", "late at first"],
)
async def test_a_story_goes_on_by_one_look_at_a_time(
    real_time: None, looks_ms: list[int], held_ms: range, left: int
):
    timeline = Late(looks_ms, held_ms)

    await timeline.sleep_until(15_000_000)

    assert len(looks_ms) == left
    looks_ms.insert(0, 2_000)
    assert timeline.now_ns <= 2_000_000_000, "what was late is not of the story"
