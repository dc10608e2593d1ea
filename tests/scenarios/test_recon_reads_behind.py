"""Reads that are behind one another: what one of them lacks is no fact about the order."""

from __future__ import annotations

import pytest
from recon_node import judged, last, orders, play


def test_an_order_by_hand_whose_first_trade_is_served_late_has_all_of_its_trades():
    done = play(
        "{at: 5s, stop: {}}",
        '{at: 10s, web_submit: {id: W-1, side: BUY, quantity: "1", price: "50000"}}',
        "{at: 11s, hide_trades: {order: W-1, for: 10s}}",
        '{at: 12s, fill: {order: W-1, quantity: "0.6"}}',
        "{at: 19s, start: {}}",
        '{at: 20s, fill: {order: W-1, quantity: "0.1"}}',
        '{at: 22s, fill: {order: W-1, quantity: "0.3"}}',
    )

    assert not judged(done).violations
    assert orders(last(done).final) == {"web_W-1": ("FILLED", "1")}


def test_a_trade_whose_order_is_served_late_waits_for_it():
    # Made out of its trade alone it would be nobody's, beside the order that was sent.
    done = play(
        "{at: 4s, drop_event: {for: 5m}}",
        "{at: 4s, lag_reads: {reads: [order], by: 50s, for: 5m}}",
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "1", type: MARKET}}',
    )

    assert not judged(done).violations
    assert orders(last(done).final) == {"O-1": ("FILLED", "1")}


def test_a_fill_in_the_midst_of_the_first_contact_is_no_part_of_what_came_before():
    # The open orders are read before the fill and the trades after it.
    done = play(
        '{at: -20d, web_submit: {id: W-1, side: BUY, quantity: "1", price: "50000"}}',
        '{at: -19d, fill: {order: W-1, quantity: "0.8"}}',
        "{at: 0s, delay_reply: {path: /fapi/v1/openOrders, client: recon, by: 2s}}",
        '{at: 1s, fill: {order: W-1, quantity: "0.2"}}',
    )

    assert not judged(done).violations
    assert orders(last(done).final)["web_W-1"] == ("FILLED", "0.2")


@pytest.mark.parametrize("times", [1, 2, 3])
def test_fills_at_one_instant_complete_an_order_that_was_filled_before(times: int):
    quantities = {1: "0.6", 2: "0.3", 3: "0.2"}
    done = play(
        '{at: -20d, web_submit: {id: W-1, side: BUY, quantity: "1", price: "50000"}}',
        '{at: -19d, fill: {order: W-1, quantity: "0.4"}}',
        f'{{at: 10s, fill: {{order: W-1, quantity: "{quantities[times]}", times: {times}}}}}',
        venue="symbols: [BTCUSDT], latency_ms: [10, 10]",
    )

    assert not judged(done).violations
    assert orders(last(done).final)["web_W-1"] == ("FILLED", "0.6")


def test_an_order_known_in_part_whose_last_change_is_among_its_trades_is_not_waited_for():
    done = play(
        '{at: -8d, web_submit: {id: W-1, side: SELL, quantity: "2", price: "150"}}',
        '{at: -190h, fill: {order: W-1, quantity: "1"}}',
        '{at: 2700ms, web_submit: {id: W-2, side: SELL, quantity: "1", type: MARKET}}',
        '{at: 2750ms, fill: {order: W-1, quantity: "1"}}',
        "{at: 3s, restart: {cache: lost, down: 0s}}",
        "{at: 4700ms, lag_reads: {reads: [userTrades, openOrders], by: 10s, for: 10s}}",
        node="reconciliation_interval_secs: 20",
        venue="symbols: [SOLUSDT]",
    )

    assert not judged(done).violations
    [filled] = [event for event in last(done).events if event.client_order_id == "web_W-1"][-1:]
    assert filled.fill is not None
    # With the next comparison, and not only when no read can be behind any more.
    assert filled.at_ns - last(done).started_ns < 40 * 1_000_000_000
