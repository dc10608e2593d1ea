"""One digest for each scenario: in any process, order and repetition, at any wall time.

And the negation: without the patch of hash order the digests differ, so that the
claim is about something.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time

from sim import engines
from sim.patches import HASH_ORDER
from sim.scenario import load, loads
from sim.suite import scenario_files
from sim.world import World, run

ROOT = Path(__file__).parents[2]

SEVERAL_SYMBOLS = """
format: 1
title: Several symbols are asked about after a restart
shows: fill-lost
venue: {symbols: [BTCUSDT, ETHUSDT, SOLUSDT, XRPUSDT]}
node: {reconciliation_interval_secs: 60}
timeline:
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", type: MARKET}}
  - {at: 3s, submit: {id: O-2, side: BUY, quantity: "1", type: MARKET, symbol: ETHUSDT}}
  - {at: 4s, submit: {id: O-3, side: BUY, quantity: "10", type: MARKET, symbol: SOLUSDT}}
  - {at: 5s, submit: {id: O-4, side: BUY, quantity: "100", type: MARKET, symbol: XRPUSDT}}
  - {at: 20s, restart: {cache: kept}}
"""


def digest(path: Path) -> str:
    return run(load(path), engines.load("stock")).trace.digest()


@pytest.fixture(scope="module")
def digests() -> dict[Path, str]:
    return {path: digest(path) for path in scenario_files(())}


def python(code: str, hash_seed: int, *args: str) -> str:
    """Run code in a fresh interpreter with a hash seed and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def in_processes(code: str, hash_seeds: range, *args: str) -> list[str]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda seed: python(code, seed, *args), hash_seeds))


PART_OF_THE_SUITE = """
import json, os
from sim import engines
from sim.scenario import load
from sim.suite import scenario_files
from sim.world import run
stock = engines.load("stock")
part = scenario_files(())[int(os.environ["PYTHONHASHSEED"]) % 10 :: 10]
print(json.dumps({str(p): run(load(p), stock).trace.digest() for p in part}))
"""


def test_twenty_processes_with_twenty_hash_seeds_agree(digests: dict[Path, str]):
    """Each process runs a tenth of the suite: each file is run by two, and by this one."""
    seen = dict.fromkeys(map(str, digests), 0)
    for printed in in_processes(PART_OF_THE_SUITE, range(20)):
        for path, value in json.loads(printed).items():
            assert value == digests[Path(path)], path
            seen[path] += 1
    assert set(seen.values()) == {2}


def test_a_second_time_and_another_order_change_nothing(digests: dict[Path, str]):
    assert {path: digest(path) for path in reversed(digests)} == digests


def test_another_date_on_the_wall_changes_nothing(digests: dict[Path, str]):
    with freeze_time("2031-05-05 12:34:56"):
        frozen = {path: digest(path) for path in digests}

    assert frozen == digests


def looks_at_the_wall(node: Any) -> None:
    """An engine that behaves otherwise from the year 2030 on."""

    def on_event(event: Any) -> None:
        if type(event).__name__ == "OrderAccepted" and time.time() > 1_893_456_000:
            strategy = node.trader.strategies()[0]
            strategy.cancel_order(node.cache.order(event.client_order_id))

    node.kernel.msgbus.subscribe("events.order.*", on_event)


def test_an_engine_that_looks_at_the_wall_trips_over_it():
    scenario = load(ROOT / "scenarios/control/orders-and-fills.yaml")
    engine = partial(engines.Attached, "looks-at-the-wall", looks_at_the_wall)
    now = run(scenario, engine).trace.digest()
    with freeze_time("2031-05-05 12:34:56"):
        later = run(scenario, engine).trace.digest()

    assert now != later


def test_another_seed_changes_the_digest(digests: dict[Path, str]):
    path = next(iter(digests))
    scenario = load(path)
    other = run(scenario, engines.load("stock"), seed=scenario.seed + 1)

    assert other.trace.digest() != digests[path]


ONE = """
import sys
from sim import engines
from sim.patches import HASH_ORDER
from sim.scenario import loads
from sim.world import World
scenario = loads(sys.argv[1], "s.yaml")
world = World(scenario, engines.load("stock"), 1)
without = HASH_ORDER if sys.argv[2] == "unpatched" else frozenset()
print(world.run(without=without).trace.digest())
"""


def distinct(mode: str) -> set[str]:
    return set(in_processes(ONE, range(6), SEVERAL_SYMBOLS, mode))


def test_with_the_hash_order_patch_all_hash_seeds_agree():
    assert len(distinct("patched")) == 1


def test_without_the_hash_order_patch_hash_seeds_differ():
    assert len(distinct("unpatched")) > 1


def test_the_patch_permutes_what_is_asked_and_nothing_else():
    def asked(**how: Any) -> list[str]:
        world = World(loads(SEVERAL_SYMBOLS, "s.yaml"), engines.load("stock"), 1)
        rows = world.run(**how).trace.rows
        return [r.details.partition("&")[0] for r in rows if "userTrades" in r.subject]

    patched, unpatched = asked(), asked(without=HASH_ORDER)
    assert len(patched) > len(set(patched)) == 4
    assert sorted(patched) == sorted(unpatched)
