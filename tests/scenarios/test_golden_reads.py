"""Golden reactions of the released engine: reads that fail or lag, a stream that is set up anew."""

from __future__ import annotations

import pytest
from golden import FILLS, LEG, SENDS, answers, fills, life, logged, play, steps, streams, trade_ids
from recon_node import judged, orders, positions

EXPIRES = "{at: 10s, expire_listen_key: {}}"


def fails(method: str, path: str) -> str:
    error = "status: 503, code: -1000, message: Unknown error"
    return f"{{at: 9s, fail_request: {{method: {method}, path: {path}, {error}, for: 20s}}}}"


ASKED_IN_VAIN = (
    SENDS,
    fails("GET", "/fapi/v1/order"),
    "{at: 10s, query: {order: O-1}}",
    "{at: 15s, query: {order: O-1}}",
)


def test_n9_the_third_failed_question_rejects_an_order_that_is_live():
    done = play(*ASKED_IN_VAIN, "{at: 20s, query: {order: O-1}}")
    [process] = done.observation.incarnations

    assert answers(done, "GET /fapi/v1/order") == ["503 (fault)"] * 3
    assert [order.status for order in done.observation.orders] == ["NEW"]
    assert steps(process) == [("Accepted", "ACCEPTED"), ("Rejected", "REJECTED")]


def test_n9_two_failed_questions_do_not():
    assert steps(life(*ASKED_IN_VAIN)) == [("Accepted", "ACCEPTED")]


@pytest.mark.parametrize("path", ["/fapi/v1/openOrders", "/fapi/v3/positionRisk"])
def test_n10_a_failed_read_after_a_resubscription_is_not_tried_again(path: str):
    """What happened between the streams stays unknown, and what happens later is heard."""
    later = '{at: 40s, submit: {id: O-2, side: BUY, quantity: "0.020", price: "50000"}}'
    story = (SENDS, fails("GET", path), EXPIRES, FILLS, later)
    done = play(*story)
    [process] = done.observation.incarnations

    assert streams(done) == 2
    assert "503 (fault)" in answers(done, f"GET {path}")
    assert [order.status for order in done.observation.orders] == ["FILLED", "NEW"]
    assert orders(process.final) == {"O-1": ("ACCEPTED", "0"), "O-2": ("ACCEPTED", "0")}
    assert positions(process.final) == {}
    assert logged(*story).count("Cannot reconcile execution state") == 1


def test_n11_a_listen_key_that_fails_once_ends_the_stream_for_good():
    later = '{at: 40s, submit: {id: O-2, side: BUY, quantity: "0.020", price: "50000"}}'
    story = (SENDS, fails("POST", "/fapi/v1/listenKey"), EXPIRES, later, FILLS.replace("10s", "2h"))
    done = play(*story)
    [process] = done.observation.incarnations

    assert answers(done, "POST /fapi/v1/listenKey") == ["200", "503 (fault)"]
    assert streams(done) == 1
    assert (process.ended, process.ready_ns is not None) == ("running", True)
    assert [order.status for order in done.observation.orders] == ["FILLED", "NEW"]
    assert orders(process.final) == {"O-1": ("ACCEPTED", "0"), "O-2": ("SUBMITTED", "0")}
    assert logged(*story).count("user data stream is NOT active, disconnecting") == 1


def test_n12_orders_that_lagging_reads_lack_are_kept():
    lag = "{at: 9s, lag_reads: {reads: [openOrders, allOrders], by: 8s, for: 30s}}"
    done = play(SENDS, lag, EXPIRES)
    [process] = done.observation.incarnations

    assert streams(done) == 2
    assert answers(done, "GET /fapi/v1/openOrders")
    assert steps(process) == [("Accepted", "ACCEPTED")]
    assert orders(process.final) == {"O-1": ("ACCEPTED", "0")}


def test_n19_a_symbol_that_is_flat_at_a_start_is_not_asked_about():
    """Two trades by hand before the start, which came out even, are never known."""
    done = play(
        '{at: -1h, web_submit: {id: W-1, side: BUY, quantity: "1", type: MARKET}}',
        '{at: -30m, web_submit: {id: W-2, side: SELL, quantity: "1", type: MARKET}}',
    )
    [process] = done.observation.incarnations

    assert len(trade_ids(done)) == 2
    for path in ("/fapi/v1/allOrders", "/fapi/v1/userTrades"):
        assert answers(done, f"GET {path}") == []
    assert (fills(process), orders(process.final)) == ([], {})
    assert "fill-lost" in judged(done).violated


def test_n19_a_position_is_what_makes_it_ask():
    done = play('{at: -1h, web_submit: {id: W-1, side: BUY, quantity: "1", type: MARKET}}')

    assert answers(done, "GET /fapi/v1/allOrders")
    assert answers(done, "GET /fapi/v1/userTrades")
    assert positions(done.observation.incarnations[0].final)[LEG] == "1"
