"""The broker: a client whose venue is not that of its instruments, over the venue's truth."""

from __future__ import annotations

from typing import Any

import pytest

from sim import engines
from sim.observation import Incarnation
from sim.report.result import result_of
from sim.scenario import loads
from sim.world import Run, run

HEAD = """
format: 1
title: A test
shows: fill-lost
venue: {symbols: [BTCUSDT, ETHUSDT]}
node: {broker: {}, reconciliation_interval_secs: 600}
timeline:
"""
RESTS = '{at: 2s, submit: {id: O-1, side: BUY, quantity: "7", price: "50000"}}'
FILLS = '{at: 5s, fill: {order: O-1, quantity: "1"}}'


def play(*records: str, broker: str = "{}", engine: Any = engines.Stock) -> Run:
    head = HEAD.replace("broker: {}", f"broker: {broker}")
    return run(loads(head + "".join(f"  - {record}\n" for record in records), "test.yaml"), engine)


def first(done: Run) -> Incarnation:
    return done.observation.incarnations[0]


def events(done: Run, order: str = "O-1") -> list[str]:
    return [
        e.kind.removeprefix("Order")
        for life in done.observation.incarnations
        for e in life.events
        if e.client_order_id == order
    ]


def test_a_fill_has_all_that_the_venue_says_of_it():
    done = play(RESTS, FILLS)
    [trade] = done.observation.trades
    [fill] = [event.fill for event in first(done).events if event.fill]

    assert fill.trade_id == str(trade.trade_id)
    assert (fill.quantity, fill.price, fill.commission) == (
        trade.quantity,
        trade.price,
        trade.commission,
    )
    assert fill.commission_asset == trade.commission_asset
    assert fill.liquidity == "MAKER"
    assert fill.time_ns // 1_000_000 == trade.time_ns // 1_000_000
    assert fill.position_id == "BTCUSDT-PERP.BINANCE-S-001"


def test_an_order_lives_as_the_venue_says():
    done = play(
        RESTS,
        FILLS,
        '{at: 6s, modify: {order: O-1, quantity: "3", price: "49000"}}',
        "{at: 7s, cancel: {order: O-1}}",
        '{at: 8s, submit: {id: O-2, side: SELL, quantity: "1", type: MARKET}}',
        '{at: 9s, submit: {id: O-3, side: BUY, quantity: "1", price: "50000", time_in_force: IOC}}',
        '{at: 10s, submit: {id: O-4, side: BUY, quantity: "1", price: "50000.05"}}',
        '{at: 11s, submit: {id: O-5, side: BUY, quantity: "1", price: "3000", symbol: ETHUSDT}}',
        "{at: 12s, cancel_all: {symbol: ETHUSDT}}",
    )

    assert result_of(done).verdict == "pass", result_of(done).reasons
    expected = "Initialized Submitted Accepted Filled PendingUpdate Updated PendingCancel Canceled"
    assert events(done) == expected.split()
    assert events(done, "O-2")[2:] == ["Accepted", "Filled"]
    assert events(done, "O-3")[2:] == ["Accepted", "Expired"]
    assert events(done, "O-4")[2:] == ["Rejected"]
    assert events(done, "O-5")[2:] == ["Accepted", "Canceled"]


def test_an_order_of_a_user_by_hand_is_told_with_its_fill():
    done = play('{at: 5s, web_submit: {id: W-1, side: BUY, quantity: "2", type: MARKET}}')

    assert events(done, "web_W-1") == ["Accepted", "Filled"]


def test_orders_are_cancelled_together():
    done = play(
        RESTS,
        RESTS.replace("O-1", "O-2"),
        "{at: 6s, cancel_batch: {orders: [O-1, O-2]}}",
    )

    assert [events(done, order)[-1] for order in ("O-1", "O-2")] == ["Canceled", "Canceled"]


def test_what_the_venue_does_by_force_is_told():
    done = play(RESTS, FILLS, '{at: 6s, deleverage: {quantity: "0.4", price: "40000"}}')

    assert events(done, "adl_autoclose") == ["Accepted", "Filled"]
    assert not done.observation.crashes


def test_what_the_venue_refuses_to_cancel_is_told():
    done = play(
        RESTS,
        "{at: 4s, drop_event: {order: O-1, for: 10s}}",
        "{at: 5s, web_cancel: {order: O-1}}",
        "{at: 6s, cancel: {order: O-1}}",
    )

    assert "CancelRejected" in events(done)


def test_history_is_read_to_its_last_page():
    done = play(
        RESTS,
        "{at: 10s, stop: {}}",
        '{at: 20s, fill: {order: O-1, quantity: "0.003", times: 1001}}',
        "{at: 30s, start: {}}",
    )

    assert events(done).count("Filled") == 1001
    assert result_of(done).verdict == "pass"


@pytest.mark.parametrize("broker", ["{}", "{default: true}", "{venue: ROUTER}"])
def test_orders_reach_it_by_either_route(broker: str):
    done = play(RESTS, FILLS, "{at: 10s, restart: {}}", broker=broker)

    assert events(done)[:4] == ["Initialized", "Submitted", "Accepted", "Filled"]
    assert len(done.observation.incarnations) == 2


def test_a_broker_without_an_answer_keeps_the_released_engine_from_starting():
    done = play('{at: 5s, price: {price: "50001"}}', broker="{positions: fails}")

    assert first(done).ready_ns is None
    assert first(done).ended == "stalled"


def test_an_empty_answer_names_no_position():
    closes = '{at: 20s, web_submit: {id: W-1, side: SELL, quantity: "1", type: MARKET}}'
    rows = (RESTS, FILLS, "{at: 10s, stop: {}}", closes, "{at: 30s, start: {}}")
    asked = [
        [r.subject for r in play(*rows, broker=b).trace.rows if r.subject.endswith("/positionRisk")]
        for b in ("{}", "{positions: empty}")
    ]

    assert len(asked[0]) > 0
    assert asked[1] == []


def test_a_read_that_fails_is_no_report():
    fails = "{at: 10s, fail_request: {path: /fapi/v1/userTrades, status: 503, for: 20s}}"
    done = play(RESTS, FILLS, fails, "{at: 11s, restart: {}}")

    assert [life.ready_ns is None for life in done.observation.incarnations][:2] == [False, True]
