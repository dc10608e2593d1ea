"""Golden reactions of the released engine: how orders are sent, and what is heard of them."""

from __future__ import annotations

import pytest
from golden import (
    FILLS,
    LEG,
    SENDS,
    UNCHECKED,
    answers,
    fills,
    life,
    play,
    steps,
    trade_ids,
)
from recon_node import orders, positions

RETRIES = (
    f"{UNCHECKED}, exec_client: {{max_retries: 2, retry_delay_initial_ms: 500, "
    "retry_delay_max_ms: 1000}"
)


def fails(status: int, code: int, *, more: str) -> str:
    what = f"method: POST, path: /fapi/v1/order, status: {status}, code: {code}, message: Unknown"
    return f"{{at: 1s, fail_request: {{{what}, {more}}}}}"


@pytest.mark.parametrize(("status", "code"), [(408, -1007), (503, -1000)])
@pytest.mark.parametrize("more", ["applied: before", "applied: after, after: 1s"])
def test_n1_an_order_with_an_unclear_answer_is_rejected(status: int, code: int, more: str):
    """It is at the venue: its NEW is dropped, and its fill reaches the position alone."""
    process = life(fails(status, code, more=more), SENDS, FILLS)

    assert steps(process) == [
        ("Rejected", "REJECTED"),
        ("Accepted", "REJECTED"),  # told to strategies; the order does not take it
        ("Filled", "REJECTED"),
    ]
    assert orders(process.final) == {"O-1": ("REJECTED", "0")}
    assert positions(process.final) == {LEG: "0.01"}


def test_n2_a_retry_finds_its_own_order_and_rejects_it():
    """-1000 is none of the codes for which the adapter tries again, -1007 is."""
    fault = fails(408, -1007, more="applied: before, count: 1")
    done = play(fault, SENDS, node=RETRIES)
    [process] = done.observation.incarnations

    assert answers(done, "POST /fapi/v1/order") == ["408 (fault)", "400"]
    assert [row.details for row in done.trace.rows if "-4116" in row.details]
    assert steps(process) == [("Accepted", "ACCEPTED"), ("Rejected", "REJECTED")]
    assert orders(process.final) == {"O-1": ("REJECTED", "0")}
    assert [order.status for order in done.observation.orders] == ["NEW"]


def test_n2_an_unknown_error_is_not_retried():
    done = play(fails(503, -1000, more="applied: before"), SENDS, node=RETRIES)

    assert answers(done, "POST /fapi/v1/order") == ["503 (fault)"]


def test_n3_an_answer_that_never_comes_rejects_a_filled_order_at_the_stop():
    hangs = "{method: POST, path: /fapi/v1/order, applied: before, after: 1h}"
    done = play(f"{{at: 1s, lose_reply: {hangs}}}", SENDS, FILLS, "{at: 20s, stop: {}}")
    [process] = done.observation.incarnations

    assert steps(process) == [
        ("Accepted", "ACCEPTED"),
        ("Filled", "FILLED"),
        ("Rejected", "FILLED"),
    ]
    assert [row.details for row in done.trace.rows if "Canceled retry" in row.details]
    assert orders(process.final) == {"O-1": ("FILLED", "0.01")}
    assert positions(process.final) == {LEG: "0.01"}


def test_n4_a_trade_that_comes_twice_counts_once():
    twice = "{at: 9s, duplicate_event: {event: ORDER_TRADE_UPDATE, execution: TRADE}}"
    process = life(SENDS, twice, FILLS)

    assert steps(process) == [("Accepted", "ACCEPTED"), ("Filled", "FILLED")]
    assert positions(process.final) == {LEG: "0.01"}


def test_n5_a_trade_that_overtakes_the_acceptance_fills_the_order():
    late = "{at: 1s, delay_event: {event: ORDER_TRADE_UPDATE, execution: NEW, by: 10s}}"
    process = life(late, SENDS, FILLS)

    assert steps(process) == [("Filled", "FILLED"), ("Accepted", "FILLED")]
    assert orders(process.final) == {"O-1": ("FILLED", "0.01")}
    assert positions(process.final) == {LEG: "0.01"}


IN_PARTS = (
    '{at: 10s, fill: {order: O-1, quantity: "0.004"}}',
    '{at: 11s, fill: {order: O-1, quantity: "0.006"}}',
)


def test_n6_trades_that_change_places_add_up():
    late = "{at: 9s, delay_event: {event: ORDER_TRADE_UPDATE, execution: TRADE, by: 5s, count: 1}}"
    done = play(SENDS, late, *IN_PARTS)
    [process] = done.observation.incarnations

    assert [fill.trade_id for fill in fills(process)] == trade_ids(done)[::-1]
    assert orders(process.final) == {"O-1": ("FILLED", "0.01")}
    assert positions(process.final) == {LEG: "0.01"}


def test_n7_the_totals_of_the_last_trade_do_not_tell_of_a_lost_one():
    lost = "{at: 9s, drop_event: {event: ORDER_TRADE_UPDATE, execution: TRADE, count: 1}}"
    done = play(SENDS, lost, *IN_PARTS)
    [process] = done.observation.incarnations

    assert [order.status for order in done.observation.orders] == ["FILLED"]
    assert orders(process.final) == {"O-1": ("PARTIALLY_FILLED", "0.006")}
    assert positions(process.final) == {LEG: "0.006"}
