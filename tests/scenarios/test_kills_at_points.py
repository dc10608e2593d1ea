"""Kills at named points of a real node: it ends there, and nothing of it comes after."""

from __future__ import annotations

from typing import Any

import pytest

from sim import engines
from sim.scenario import loads
from sim.world import Run, run

HEAD = """
format: 1
title: A test
shows: fill-lost
venue: {symbols: [BTCUSDT]}
node: {reconciliation_interval_secs: 60}
timeline:
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
"""
FILL = '{at: 12s, fill: {order: O-1, quantity: "0.5"}}'


def play(*records: str, engine: Any = engines.Stock) -> Run:
    text = HEAD + "".join(f"  - {record}\n" for record in records)
    return run(loads(text, "test.yaml"), engine)


def rows(done: Run, kind: str) -> list[tuple[int, str, str]]:
    return [(r.at_ns, r.subject, r.details) for r in done.trace.rows if r.kind == kind]


def orders(state: Any) -> dict[str, tuple[str, str]]:
    return {o.client_order_id: (o.status, str(o.filled)) for o in state.orders}


@pytest.mark.parametrize("writes", range(1, 13))
def test_a_process_ends_inside_any_write_of_a_fill(writes: int):
    point = f"{{at: 11s, restart: {{by: kill, point: after write {writes}, down: 5s}}}}"
    done = play(point, FILL)
    first, second = done.observation.incarnations

    assert done.observation.inert == ()
    assert not done.observation.crashes
    assert first.ended == "killed"
    assert second.started_ns - first.ended_ns == 5_000_000_000
    assert [at for at, *_ in rows(done, "point")] == [first.ended_ns]
    assert [at for at, *_ in rows(done, "order-event") if at == first.ended_ns] == []


def test_the_write_of_a_point_is_the_last():
    def loaded(writes: int) -> tuple[dict[str, tuple[str, str]], int]:
        done = play(f"{{at: 11s, restart: {{by: kill, point: after write {writes}}}}}", FILL)
        state = done.observation.incarnations[1].loaded
        return orders(state), len(state.positions)

    found = [loaded(writes) for writes in range(1, 13)]
    filled, not_yet = ("PARTIALLY_FILLED", "0.5"), ("ACCEPTED", "0")

    # First the fill is in the order, then the position is there, and neither goes away again.
    assert found == sorted(found, key=lambda each: (each[0]["O-1"] == filled, each[1]))
    assert ({"O-1": filled}, 0) in found
    assert ({"O-1": filled}, 1) in found
    assert {each[0]["O-1"] for each in found} <= {filled, not_yet}


@pytest.mark.parametrize("moment", ["after request", "before reply", "after reply"])
def test_a_process_ends_at_a_request_that_it_makes(moment: str):
    point = f"{{at: 10s, kill: {{point: {moment} 1 of POST /fapi/v1/order}}}}"
    submit = '{at: 11s, submit: {id: O-2, side: BUY, quantity: "2", price: "49000"}}'
    done = play(point, submit, "{at: 20s, start: {}}")
    first, second = done.observation.incarnations

    assert done.observation.inert == ()
    assert {o.client_order_id for o in done.observation.orders} == {"O-1", "O-2"}
    assert 11_000_000_000 < first.ended_ns - first.started_ns < 11_100_000_000
    assert orders(second.loaded) == orders(first.final)
    between = [at for at, *_ in rows(done, "request") if first.ended_ns < at < second.started_ns]
    assert between == []


def test_a_point_may_be_armed_while_the_node_is_down():
    done = play(
        "{at: 10s, stop: {}}",
        "{at: 20s, restart: {by: kill, point: before reply 1 of GET /fapi/v1/openOrders}}",
        "{at: 30s, start: {}}",
    )
    _, second, third = done.observation.incarnations

    assert (second.ended, third.ended) == ("killed", "running")
    assert second.ready_ns is None


def test_a_process_may_end_while_its_engine_is_attached():
    class Writes(engines.StockDefaults):
        name = "writes"

        def attach(self, node: Any) -> None:
            node.cache.add("mine", b"1")

    restart = "{at: 10s, restart: {}}"
    point = "{at: 10s, restart: {by: kill, point: after write 1}}"
    done = play(restart, point, engine=Writes)

    assert not done.observation.crashes
    assert done.observation.inert == ()
    assert [i.ended for i in done.observation.incarnations] == ["stopped", "killed", "running"]


def test_a_point_that_is_never_reached_makes_the_run_inconclusive():
    done = play("{at: 10s, kill: {point: after reply 99 of GET /fapi/v1/userTrades}}")

    assert done.observation.inert == (
        "kill at 10s (line 9) had no effect: the point was not reached",
    )


def test_the_bound_begins_anew_after_a_point():
    point = "before reply 2 of GET /fapi/v1/openOrders"
    done = play(f"{{at: 10s, restart: {{by: kill, point: {point}, down: 40s}}}}")
    first, second = done.observation.incarnations
    up_ns = first.ended_ns + 40_000_000_000

    # The check at a minute asks a second time; all was quiet after the record itself is over.
    assert second.started_ns == up_ns
    assert 0 <= done.observation.ended_ns - up_ns - 180_000_000_000 < 1_000_000_000


def test_a_kill_at_a_point_ends_a_stop():
    done = play(
        "{at: 10s, stop: {}}",
        "{at: 10s, kill: {point: after request 1 of DELETE /fapi/v1/listenKey}}",
    )
    [only] = done.observation.incarnations

    assert only.ended == "killed"
