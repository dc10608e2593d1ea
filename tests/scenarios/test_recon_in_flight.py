"""Requests without a clear answer: nothing is concluded without proof, and nothing is hidden."""

from __future__ import annotations

import itertools

import pytest
from recon_node import alerts, judged, kinds, last, orders, play, recon_with

from sim.clock import START_NS

SECOND_NS = 1_000_000_000
PROOF_SECS = 65
"""The receive window of a request and the bound of reads that are behind."""

SUBMIT = '{at: 5s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}'
STREAM_IS_DOWN = "{at: 1s, disconnect: {for: 4m}}"

AMBIGUOUS = {
    "-1006": "fail_request: {status: 503, code: -1006, message: Unexpected response",
    "-1007": "fail_request: {status: 408, code: -1007, message: Timeout",
    "-1000": "fail_request: {status: 500, code: -1000, message: Unknown error",
    "503 without a code": "fail_request: {status: 503",
    "502 without a code": "fail_request: {status: 502",
    "a lost reply": "lose_reply: {after: 2s",
}
APPLIED = ("never", "before", "after")


def ambiguous(answer: str, applied: str, method: str = "POST", at: str = "4s") -> str:
    return (
        f"{{at: {at}, {AMBIGUOUS[answer]}, method: {method}, path: /fapi/v1/order, "
        f"applied: {applied}}}}}"
    )


def ends(process: object, client_order_id: str) -> list[int]:
    """Return when an order was shown as rejected, in whole seconds since the start."""
    return [
        (event.at_ns - START_NS) // SECOND_NS
        for event in process.events
        if event.client_order_id == client_order_id and event.kind == "OrderRejected"
    ]


# -- an order ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "applied", "is_up"), list(itertools.product(AMBIGUOUS, APPLIED, (True, False)))
)
def test_an_order_with_an_unclear_answer_lives_as_it_does_at_the_venue(
    answer: str, applied: str, is_up: bool
):
    done = play(*[] if is_up else [STREAM_IS_DOWN], ambiguous(answer, applied), SUBMIT)
    process = last(done)

    assert not judged(done).violations
    if applied == "never":
        assert orders(process.final) == {"O-1": ("REJECTED", "0")}
        [at_secs] = ends(process, "O-1")
        assert 5 + PROOF_SECS <= at_secs <= 5 + PROOF_SECS + 30
        assert alerts(process) == ["unresolved-order", "order-state"]
    else:
        assert orders(process.final) == {"O-1": ("ACCEPTED", "0")}
        assert not ends(process, "O-1")


@pytest.mark.parametrize("is_up", [True, False])
def test_an_order_that_is_filled_behind_an_unclear_answer_has_its_fills(is_up: bool):
    done = play(
        *[] if is_up else [STREAM_IS_DOWN],
        ambiguous("-1007", "before"),
        SUBMIT,
        '{at: 6s, fill: {order: O-1, quantity: "0.4"}}',
        '{at: 40s, fill: {order: O-1, quantity: "0.6"}}',
    )

    assert not judged(done).violations
    assert orders(last(done).final) == {"O-1": ("FILLED", "1")}


@pytest.mark.parametrize("answer", ["-1007", "a lost reply", "503 without a code"])
def test_an_order_that_is_sent_twice_by_the_client_is_one_order(answer: str):
    # The first request was carried out, the second is refused: the id is taken (-4116).
    engine = recon_with(
        client={"max_retries": 2, "retry_delay_initial_ms": 100, "retry_delay_max_ms": 200}
    )
    done = play(ambiguous(answer, "before"), SUBMIT, engine=engine)

    assert not judged(done).violations
    assert orders(last(done).final) == {"O-1": ("ACCEPTED", "0")}


def test_a_refusal_of_the_venue_is_passed_on_at_once():
    refused = "fail_request: {status: 400, code: -2019, message: Margin is insufficient."
    record = f"{{at: 4s, {refused}, method: POST, path: /fapi/v1/order}}}}"
    done = play(record, SUBMIT)

    assert not judged(done).violations
    assert ends(last(done), "O-1") == [5]
    assert not alerts(last(done))


# -- a cancel and an amendment ----------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "applied", "is_up"), list(itertools.product(AMBIGUOUS, APPLIED, (True, False)))
)
@pytest.mark.parametrize(
    ("method", "request_"),
    [("DELETE", "cancel: {order: O-1}"), ("PUT", 'modify: {order: O-1, price: "49000"}')],
)
def test_a_request_about_an_order_with_an_unclear_answer_ends_as_it_did_at_the_venue(
    answer: str, applied: str, is_up: bool, method: str, request_: str
):
    done = play(
        SUBMIT,
        *[] if is_up else ["{at: 8s, disconnect: {for: 4m}}"],
        ambiguous(answer, applied, method, at="9s"),
        f"{{at: 10s, {request_}}}",
    )
    process = last(done)

    assert not judged(done).violations
    assert not ends(process, "O-1")
    status = "CANCELED" if method == "DELETE" and applied != "never" else "ACCEPTED"
    assert orders(process.final) == {"O-1": (status, "0")}


@pytest.mark.parametrize("applied", ["never", "before"])
@pytest.mark.parametrize(
    "request_", ["cancel: {order: O-1}", 'modify: {order: O-1, price: "49000"}']
)
def test_a_request_that_overtakes_the_acceptance_leaves_no_order_pending(
    applied: str, request_: str
):
    # NautilusTrader goes back to SUBMITTED from a request that is refused: it cannot.
    done = play(
        ambiguous("a lost reply", applied),
        SUBMIT,
        f"{{at: 5010ms, {request_}}}",
    )
    process = last(done)

    assert not judged(done).violations
    [order] = process.final.orders
    assert order.status in {"never": ("REJECTED",), "before": ("ACCEPTED", "CANCELED")}[applied]
    assert kinds(process).count("OrderModifyRejected") <= 2
    assert kinds(process).count("OrderCancelRejected") <= 2


def test_terms_that_a_late_fill_carries_are_not_brought_back():
    done = play(
        SUBMIT,
        "{at: 9s, delay_event: {event: ORDER_TRADE_UPDATE, execution: TRADE, by: 4s}}",
        '{at: 10s, fill: {order: O-1, quantity: "0.4"}}',
        '{at: 11s, modify: {order: O-1, price: "49000"}}',
        node="reconciliation_interval_secs: 3600",
    )
    updates = [
        (event.at_ns - START_NS) // SECOND_NS
        for event in last(done).events
        if event.kind == "OrderUpdated"
    ]

    assert not judged(done).violations
    assert updates == [11]
    assert [f"{order.price:f}" for order in last(done).final.orders] == ["49000"]


# -- what is told -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    ['fill: {order: O-1, quantity: "1"}', "cancel: {order: O-1}", "web_cancel: {order: O-1}"],
)
def test_an_order_that_is_first_heard_of_after_long_is_told(first: str):
    done = play(
        "{at: 4s, drop_event: {event: ORDER_TRADE_UPDATE, execution: NEW}}",
        SUBMIT,
        f"{{at: 10s, {first}}}",
        node="reconciliation_interval_secs: 300",
        engine=recon_with(inflight_check_interval_secs=1000.0),
    )

    assert not judged(done).violations
    assert alerts(last(done)) == ["late-event"]


def test_a_late_event_that_tells_nothing_new_is_not_told():
    done = play(
        "{at: 4s, delay_event: {event: ORDER_TRADE_UPDATE, by: 20s}}",
        SUBMIT,
        node="reconciliation_interval_secs: 300",
    )

    assert not judged(done).violations
    assert alerts(last(done)) == ["order-state"]


@pytest.mark.parametrize(("cancelled_at", "told"), [("13500ms", ["late-event"]), ("14500ms", [])])
def test_an_order_that_is_behind_without_a_break_is_told(cancelled_at: str, told: list[str]):
    # Each of the two events is four seconds late; in the first case the second happened
    # before the first arrived, and the order is as at the venue at no time in between.
    done = play(
        SUBMIT,
        "{at: 9s, delay_event: {event: ORDER_TRADE_UPDATE, by: 4s, count: 2}}",
        '{at: 10s, fill: {order: O-1, quantity: "0.4"}}',
        f"{{at: {cancelled_at}, web_cancel: {{order: O-1}}}}",
        node="reconciliation_interval_secs: 300",
    )

    assert not judged(done).violations
    assert alerts(last(done)) == told


def test_an_order_that_the_venue_no_longer_serves_is_told_before_it_is_ended():
    # Cancelled unfilled and older than three days: asked for, it does not exist.
    done = play(
        '{at: -6d, web_submit: {id: W-1, side: BUY, quantity: "1", price: "50000"}}',
        "{at: 10s, web_cancel: {order: W-1}}",
        "{at: 10s, disconnect: {for: 5s}}",
    )

    assert not judged(done).violations
    assert alerts(last(done)) == ["startup", "unresolved-order", "order-state"]
