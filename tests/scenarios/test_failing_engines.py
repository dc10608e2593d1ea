"""What an engine or a strategy may do wrong is a finding about it, never the end of the run."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from functools import partial
from typing import Any

import pytest
from msgspec import structs

from sim import engines
from sim.node import SetupError
from sim.report.result import result_of
from sim.scenario import load, loads
from sim.world import run

SCENARIO = loads(
    """
format: 1
title: An order is sent and filled
shows: fill-lost
venue: {symbols: [BTCUSDT]}
node: {reconciliation_interval_secs: 30}
timeline:
  - {at: 5s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 6s, fill: {order: O-1, quantity: "1"}}
""",
    "s.yaml",
)


def raises_in_a_handler(node: Any) -> None:
    node.kernel.msgbus.subscribe("events.order.*", lambda event: 1 / 0)


def raises_in_a_timer(node: Any) -> None:
    node.kernel.loop.call_later(3, lambda: 1 / 0)


def raises_in_a_task(node: Any) -> None:
    async def fails() -> None:
        raise KeyError("planted")

    node.kernel.loop.create_task(fails())


def raises_at_startup(node: Any) -> None:
    async def startup(timeout_secs: float | None = None) -> bool:
        raise RuntimeError("planted")

    node.kernel.exec_engine.reconcile_execution_state = startup


def exits_in_a_timer(node: Any) -> None:
    node.kernel.loop.call_later(3, sys.exit, 7)


def exits_hard_in_a_handler(node: Any) -> None:
    node.kernel.msgbus.subscribe("events.order.*", lambda event: os._exit(0))


def raises_in_a_task_that_is_kept(node: Any) -> None:
    async def fails() -> None:
        await asyncio.sleep(3)
        raise KeyError("planted")

    node.kept = node.kernel.loop.create_task(fails())


def spins(node: Any) -> None:
    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    node.kernel.loop.create_task(spin())


def calls_from_a_thread(node: Any) -> None:
    def call() -> None:
        with pytest.raises(RuntimeError):
            node.kernel.loop.call_soon_threadsafe(print)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    ("attach", "at_secs", "reason"),
    [
        (raises_in_a_handler, 5, "ZeroDivisionError: division by zero"),
        (raises_in_a_timer, 3, "ZeroDivisionError: division by zero"),
        (raises_in_a_task, 0, "KeyError: 'planted'"),
        (raises_at_startup, 0, "RuntimeError: planted"),
        (exits_in_a_timer, 3, "the process called sys.exit(7)"),
        (exits_hard_in_a_handler, 5, "the process called os._exit(0)"),
        (raises_in_a_task_that_is_kept, 3, "KeyError: 'planted'"),
        (spins, 0, "Livelock: 1000001 callbacks ran within a second, the last at 0.000 s"),
        (calls_from_a_thread, 156, "another thread called into the event loop"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_failure_is_a_crash(attach: Any, at_secs: int, reason: str):
    done = run(SCENARIO, partial(engines.Attached, "failing", attach))
    start_ns = done.observation.incarnations[0].started_ns
    (crash,) = done.observation.crashes

    assert crash.reason.startswith(reason)
    assert (crash.at_ns - start_ns) // 1_000_000_000 == at_secs


def test_an_engine_that_waits_for_ever_leaves_the_node_without_its_trader():
    def waits(node: Any) -> None:
        async def startup(timeout_secs: float | None = None) -> bool:
            return bool(await node.kernel.loop.create_future())

        node.kernel.exec_engine.reconcile_execution_state = startup

    observation = run(SCENARIO, partial(engines.Attached, "waits", waits)).observation

    assert observation.incarnations[0].ready_ns is None
    assert "the node's strategies are not running" in observation.inert[0]
    assert observation.pending in (
        "the node is starting",
        "the node has ended by itself, and is about to be started again",
    )


def stops(node: Any) -> None:
    node.kernel.loop.call_later(3, node.kernel.exec_engine.shutdown_system, "planted")


def test_a_node_that_stops_itself_is_started_again_and_again():
    node = structs.replace(SCENARIO.node, reconciliation_interval_secs=300)
    long = structs.replace(SCENARIO, node=node)
    result = result_of(done := run(long, partial(engines.Attached, "stops", stops)))
    lives = done.observation.incarnations

    assert len(lives) > 11
    assert {life.ended for life in lives[:-1]} == {"quit"}
    assert 3 <= (lives[0].ended_ns - lives[0].started_ns) / 1e9 < 5
    assert lives[1].started_ns - lives[0].ended_ns == 30 * 1_000_000_000
    assert "stopped" in result.violated


def test_a_node_whose_strategies_never_run_is_started_again():
    def hangs_once(node: Any) -> None:
        async def wait(timeout_secs: float | None = None) -> bool:
            return bool(await node.kernel.loop.create_future())

        if not made:
            node.kernel.exec_engine.reconcile_execution_state = wait
        made.append(node)

    made: list[Any] = []
    result = result_of(done := run(SCENARIO, partial(engines.Attached, "hangs", hangs_once)))
    first, second = done.observation.incarnations

    assert (first.ended, second.ended) == ("stalled", "running")
    assert first.ended_ns - first.started_ns == 90 * 1_000_000_000
    assert second.started_ns - first.ended_ns == 30 * 1_000_000_000
    assert second.ready_ns is not None
    assert {"stopped", "too-slow"} <= set(result.violated)


def test_an_attach_that_fails_in_a_later_process_is_a_crash():
    def fails_later(node: Any) -> None:
        made.append(node)
        if len(made) > 1:
            raise KeyError("planted")

    made: list[Any] = []
    scenario = load("scenarios/restart/warm-after-a-fill.yaml")
    result = result_of(done := run(scenario, partial(engines.Attached, "fails", fails_later)))
    (crash,) = done.observation.crashes

    assert crash.incarnation == 1
    assert crash.reason == "engine 'fails' failed in attach: KeyError: 'planted'"
    assert "crash" in result.violated


class ReturnsNothing(engines.StockDefaults):
    def configure(self, config: Any, spec: Any) -> Any:
        return None


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        (ReturnsNothing, "failed in configure: TypeError: it returned None"),
        (partial(engines.Attached, "exits", lambda node: sys.exit(3)), "attach: SystemExit: 3"),
        (partial(engines.Attached, "raises", lambda node: 1 / 0), "attach: ZeroDivisionError"),
    ],
    ids=["configure returns nothing", "attach exits", "attach raises"],
)
def test_an_engine_that_cannot_be_set_up_is_named(engine: Any, message: str):
    with pytest.raises(SetupError, match=message):
        run(SCENARIO, engine)
