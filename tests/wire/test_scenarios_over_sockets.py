"""Scenarios over real sockets: the released node in its own process, real Redis, real time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.scenario import load, loads
from sim.suite import scenario_files
from sim.wire.pace import factor, hurried, misfit
from sim.wire.redis import available

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


@pytest.fixture(scope="module", autouse=True)
def redis() -> None:
    """See that there is a `redis-server`: in CI there has to be one."""
    why = available()
    if why is not None and "CI" in os.environ:
        pytest.fail(why)
    if why is not None:
        pytest.skip(why)


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
    drop, skew = (record.action for record in quick.timeline[1:])
    assert (drop.for_ns, skew.for_ns, skew.by_ns) == (3_000_000_000, 1_000_000_000, -10_000_000_000)
