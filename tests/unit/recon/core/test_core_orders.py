"""What follows for one order, a case for each rule and for what it must not do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from recon.core.facts import Trade, VenueOrder
from recon.core.orders import (
    FILLED_SERVED_NS,
    NOTHING,
    PATIENCE_NS,
    UNFILLED_SERVED_NS,
    Accept,
    Continue,
    End,
    Fill,
    LocalOrder,
    Refuse,
    Settlement,
    Update,
    is_another,
    settle,
    settle_absent,
)
from tests.properties.recon_strategies import BOUNDS, LAG_NS, SECOND_NS, START_NS, trade

NOW_NS = START_NS + 1_000 * SECOND_NS
PROOF_NS = BOUNDS.receive_window_ns + LAG_NS
D = Decimal


def at(secs: float) -> int:
    return START_NS + int(secs * SECOND_NS)


LOCAL = LocalOrder(
    client_order_id="O-1",
    venue_order_id="1",
    symbol="BTCUSDT",
    side="BUY",
    status="ACCEPTED",
    quantity=D(5),
    filled=D(0),
    price=D(50_000),
    is_conditional=False,
    changed_ns=at(10),
    told_ns=at(10),
    requested_ns=at(10),
)
VENUE = VenueOrder(
    symbol="BTCUSDT",
    order_id="1",
    client_order_id="O-1",
    side="BUY",
    position_side="BOTH",
    type="LIMIT",
    time_in_force="GTC",
    status="NEW",
    quantity=D(5),
    filled=D(0),
    price=D(50_000),
    average_price=None,
    reduce_only=False,
    created_ns=at(10),
    updated_ns=at(20),
    asked_ns=at(30),
)
UNSENT = {"status": "SUBMITTED", "venue_order_id": None, "told_ns": 0}


def local(status: str = "ACCEPTED", **changes: Any) -> LocalOrder:
    return replace(LOCAL, status=status, **changes)


def venue(status: str = "NEW", filled: int = 0, **changes: Any) -> VenueOrder:
    return replace(VENUE, status=status, filled=D(filled), **changes)


def settled(order: LocalOrder, shown: VenueOrder, *trades: Trade) -> Settlement:
    return settle(order, shown, trades, BOUNDS)


ONE, TWO = trade(100, quantity=1), trade(101, quantity=2)


# -- what stands, is accepted or has other terms ------------------------------------------


@pytest.mark.parametrize("status", ["ACCEPTED", "TRIGGERED"])
def test_where_both_show_the_same_nothing_follows(status: str):
    assert settled(local(status), venue()) == NOTHING


@pytest.mark.parametrize("status", ["SUBMITTED", "INITIALIZED"])
def test_an_order_that_has_no_answer_is_accepted_where_the_venue_has_it(status: str):
    order = replace(local(**UNSENT), status=status)

    assert settled(order, venue()) == Settlement((Accept(),), None, True)


@pytest.mark.parametrize("status", ["PENDING_CANCEL", "PENDING_UPDATE"])
def test_an_order_that_was_to_change_before_it_was_accepted_is_accepted_first(status: str):
    order = local(status, venue_order_id=None, told_ns=0)

    found = settled(order, venue(asked_ns=at(10) + PROOF_NS))
    assert found == Settlement((Accept(),), None, True)
    found = settled(order, venue("CANCELED"))
    assert found.steps == (Accept(), End("CANCELED", at(20)))


def test_other_terms_are_taken_over():
    found = settled(local(), venue(quantity=D(4), price=D(49_000)))

    assert found == Settlement((Update(D(4), D(49_000), None),), None, True)


def test_another_id_of_the_venue_is_taken_over_before_the_fills():
    found = settled(local(venue_order_id="algo-7"), venue("PARTIALLY_FILLED", 1), ONE)

    assert found.steps == (Update(D(5), D(50_000), None), Fill(ONE))


@pytest.mark.parametrize(
    ("order", "shown"),
    [
        pytest.param(local(changed_ns=at(31)), venue(), id="it-changed-after-the-question"),
        pytest.param(local(told_ns=at(21)), venue(), id="the-venue-had-told-something-newer"),
    ],
)
def test_an_older_answer_brings_no_terms_back(order: LocalOrder, shown: VenueOrder):
    shown = replace(shown, quantity=D(4), price=D(49_000))

    assert settled(order, shown) == NOTHING
    assert settled(order, shown, ONE).steps == (Fill(ONE),)


def test_what_a_market_order_has_no_price_for_stays_without():
    assert settled(local(price=None), venue(price=D(50_000))) == NOTHING


def test_an_order_that_closes_a_position_of_any_size_keeps_its_quantity():
    assert settled(local(), venue(quantity=D(0))) == NOTHING


def test_a_trigger_price_is_taken_over_where_both_have_one():
    order = local(trigger_price=D(48_000))

    assert settled(order, venue()) == NOTHING
    found = settled(order, venue(trigger_price=D(47_000)))
    assert found.steps == (Update(D(5), D(50_000), D(47_000)),)


# -- 1. executed quantity is a check -------------------------------------------------------


def test_what_is_known_is_applied_and_what_is_not_is_asked_for():
    found = settled(local(), venue("FILLED", 5), ONE)

    assert found.steps == (Fill(ONE),)
    assert found.open_question == "4 of it was executed in trades that are not served yet"
    assert found.is_difference


@pytest.mark.parametrize("status", ["CANCELED", "EXPIRED", "FILLED"])
def test_an_order_does_not_end_while_trades_are_missing(status: str):
    found = settled(local(), venue(status, 1))

    assert found.steps == ()
    assert found.open_question is not None


@pytest.mark.parametrize("status", ["REJECTED", "EXPIRED", "DENIED", "FILLED"])
def test_that_trades_are_missing_is_asked_of_an_order_too_that_cannot_change(status: str):
    filled = D(5) if status == "FILLED" else D(0)
    found = settled(local(status, filled=filled), venue("CANCELED", 6))

    assert found.steps == ()
    assert found.open_question is not None
    assert found.is_difference


def test_an_old_answer_that_has_executed_more_than_is_known_is_believed():
    found = settled(local(changed_ns=at(31)), venue("PARTIALLY_FILLED", 1))

    assert found.open_question is not None


def test_what_was_filled_before_the_first_contact_counts():
    found = settled(local(prior=D(2)), venue("PARTIALLY_FILLED", 2))

    assert found == NOTHING


# -- 3. no end without the venue's word ----------------------------------------------------


@pytest.mark.parametrize("status", ["CANCELED", "EXPIRED", "REJECTED"])
def test_an_order_ends_as_the_venue_says(status: str):
    found = settled(local(), venue(status))

    assert found == Settlement((End(status, at(20)),), None, True)


def test_an_end_is_a_fact_however_much_changed_here_since():
    order = local(changed_ns=at(31), told_ns=at(31))

    assert settled(order, venue("CANCELED")).steps == (End("CANCELED", at(20)),)


def test_an_end_that_is_known_is_none_again():
    assert settled(local("CANCELED"), venue("EXPIRED")) == NOTHING


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("SUBMITTED", "REJECTED"),
        ("INITIALIZED", "REJECTED"),
        ("PENDING_CANCEL", "REJECTED"),
        ("RELEASED", "CANCELED"),
    ],
)
def test_that_an_order_does_not_exist_is_proof_only_when_no_request_can_be_under_way(
    status: str, ended: str
):
    order = replace(local(**UNSENT), status=status)

    def asked(ns: int) -> Settlement:
        return settle_absent(order, ns, BOUNDS, NOW_NS, at(10))

    early = asked(at(10) + PROOF_NS - 1)
    assert early.steps == ()
    assert early.open_question == "the venue does not know it, which proves nothing yet"
    proof = asked(at(10) + PROOF_NS)
    assert proof.steps == (End(ended, NOW_NS, "it never reached the venue"),)
    assert proof.open_question is None


def test_an_order_that_was_raised_is_not_filled_while_trades_of_it_are_missing():
    """However old the answer is: what was executed never becomes less."""
    order = local("PARTIALLY_FILLED", quantity=D(2), filled=D(1), changed_ns=at(40))
    shown = replace(VENUE, status="PARTIALLY_FILLED", quantity=D(4), filled=D(3))

    found = settle(order, shown, [trade(7)], BOUNDS)

    assert found.steps == (Update(D(4), D(50_000), None), Fill(trade(7)))
    assert found.open_question is not None


@pytest.mark.parametrize("later", ["changed_ns", "requested_ns"])
def test_the_proof_time_counts_from_the_last_thing_that_happened(later: str):
    order = replace(local(**UNSENT), **{later: at(50)})

    found = settle_absent(order, at(10) + PROOF_NS, BOUNDS, NOW_NS, at(10))
    assert found.steps == ()
    found = settle_absent(order, at(50) + PROOF_NS, BOUNDS, NOW_NS, at(10))
    assert len(found.steps) == 1


@pytest.mark.parametrize(
    ("changes", "served_ns"),
    [
        ({}, UNFILLED_SERVED_NS),
        ({"filled": D(1), "status": "PARTIALLY_FILLED"}, FILLED_SERVED_NS),
        ({"prior": D(1)}, FILLED_SERVED_NS),
    ],
)
def test_an_order_that_the_venue_had_is_gone_when_it_serves_such_orders_no_longer(
    changes: dict[str, Any], served_ns: int
):
    order = replace(LOCAL, **changes)
    asked_ns = at(10) + served_ns

    served = settle_absent(order, asked_ns, BOUNDS, NOW_NS, at(10))
    assert served.steps == ()
    assert served.open_question == "the venue had it and now says that it does not exist"
    gone = settle_absent(order, asked_ns + 1, BOUNDS, NOW_NS, at(10))
    assert gone.steps == (End("CANCELED", NOW_NS, "the venue no longer serves it"),)


@pytest.mark.parametrize("status", ["REJECTED", "EXPIRED", "DENIED", "FILLED", "CANCELED"])
def test_of_an_order_that_has_ended_absence_says_nothing(status: str):
    assert settle_absent(local(status), NOW_NS, BOUNDS, NOW_NS, at(10)) == NOTHING


def test_an_order_that_is_emulated_need_not_exist():
    order = replace(local(**UNSENT), status="EMULATED")

    assert settle_absent(order, NOW_NS, BOUNDS, NOW_NS, at(10)) == NOTHING


# -- requests that are pending -------------------------------------------------------------


@pytest.mark.parametrize("status", ["PENDING_CANCEL", "PENDING_UPDATE"])
def test_a_request_is_refused_only_when_it_cannot_be_carried_out_any_more(status: str):
    early = settled(local(status), venue(asked_ns=at(10) + PROOF_NS - 1))
    assert early == Settlement((), "the request may still be carried out", False)

    late = settled(local(status), venue(asked_ns=at(10) + PROOF_NS))
    assert late == Settlement((Refuse("the venue has not carried it out"),), None, False)


@pytest.mark.parametrize("status", ["PENDING_CANCEL", "PENDING_UPDATE"])
def test_a_request_that_may_be_carried_out_at_any_time_is_not_waited_for_for_ever(status: str):
    """At a broker: what comes of it after all is told then."""
    patient = replace(BOUNDS, receive_window_ns=10**19)
    until_ns = at(10) + PATIENCE_NS + BOUNDS.read_lag_ns

    early = settle(local(status), venue(asked_ns=until_ns - 1), (), patient)
    assert early.steps == ()
    late = settle(local(status), venue(asked_ns=until_ns), (), patient)
    assert late.steps == (Refuse("the venue has not carried it out"),)


def test_an_answer_from_before_the_request_refuses_nothing():
    order = local("PENDING_CANCEL", changed_ns=at(10) + PROOF_NS + 1)

    found = settled(order, venue(asked_ns=at(10) + PROOF_NS))
    assert found.steps == ()
    assert found.open_question is not None


def test_new_terms_answer_a_request_for_them_and_no_other():
    shown = venue(price=D(49_000), asked_ns=at(10) + PROOF_NS)

    assert settled(local("PENDING_UPDATE"), shown).steps == (Update(D(5), D(49_000), None),)
    steps = settled(local("PENDING_CANCEL"), shown).steps
    assert [type(step) for step in steps] == [Update, Refuse]


def test_a_fill_has_ended_the_waiting_so_that_there_is_nothing_to_refuse():
    shown = venue("PARTIALLY_FILLED", 1, asked_ns=at(10) + PROOF_NS)

    assert settled(local("PENDING_CANCEL"), shown, ONE).steps == (Fill(ONE),)


def test_a_cancellation_that_was_carried_out_is_an_end():
    assert settled(local("PENDING_CANCEL"), venue("CANCELED")).steps == (End("CANCELED", at(20)),)


# -- 4. fills before the end, and orders that go on ----------------------------------------


def test_fills_come_before_the_end():
    found = settled(local(), venue("CANCELED", 3), ONE, TWO)

    assert found.steps == (Fill(ONE), Fill(TWO), End("CANCELED", at(20)))


def test_the_last_fill_is_the_end():
    shown = venue("FILLED", 3, quantity=D(3))

    assert settled(local(quantity=D(3)), shown, ONE, TWO).steps == (Fill(ONE), Fill(TWO))


@pytest.mark.parametrize("quantity", [2, 4])
def test_an_order_that_is_filled_fits_its_fills(quantity: int):
    """The venue made it smaller or larger and the node has not heard of it."""
    shown = venue("FILLED", 3, quantity=D(3))

    steps = settled(local(quantity=D(quantity)), shown, ONE, TWO).steps
    assert steps == (Update(D(3), D(50_000), None), Fill(ONE), Fill(TWO))


@pytest.mark.parametrize("status", ["PARTIALLY_FILLED", "CANCELED"])
def test_an_order_that_the_venue_made_larger_is_not_filled_by_its_old_quantity(status: str):
    steps = settled(local(quantity=D(1)), venue(status, 1), ONE).steps

    assert steps[:2] == (Update(D(5), D(50_000), None), Fill(ONE))
    assert steps[2:] == (() if status == "PARTIALLY_FILLED" else (End("CANCELED", at(20)),))


def test_what_was_filled_before_the_first_contact_is_no_part_of_what_fills_the_order():
    steps = settled(local(prior=D(2)), venue("FILLED", 5), ONE, TWO).steps

    assert steps == (Update(D(3), D(50_000), None), Fill(ONE), Fill(TWO))


def test_an_order_that_was_all_filled_before_the_first_contact_ends():
    found = settled(local(prior=D(5)), venue("FILLED", 5))

    assert found.steps == (End("CANCELED", at(20), "it was filled before the first contact"),)


def test_a_cancelled_order_takes_no_other_terms():
    assert settled(local("CANCELED"), venue(price=D(49_000))) == NOTHING


def test_a_fill_opens_a_cancelled_order_which_ends_again_as_it_had():
    found = settled(local("CANCELED"), venue("EXPIRED", 1), ONE)

    assert found.steps == (Fill(ONE), End("CANCELED", at(20)))


def test_a_cancelled_order_that_a_fill_has_opened_is_asked_for_where_the_venue_shows_it_open():
    found = settled(local("CANCELED"), venue("PARTIALLY_FILLED", 1), ONE)

    assert found.steps == (Fill(ONE),)
    assert found.open_question == (
        "it had ended here, a fill has opened it again, and the venue shows it open"
    )


@pytest.mark.parametrize("status", ["REJECTED", "EXPIRED", "DENIED", "FILLED"])
def test_an_order_that_cannot_change_goes_on_with_the_rest(status: str):
    order = local(status, filled=D(1))

    assert settled(order, venue("CANCELED", 3), TWO).steps == (Continue(D(4)),)
    assert settled(order, venue("CANCELED", 1)) == NOTHING


def test_what_was_filled_before_the_first_contact_is_no_part_of_the_rest():
    order = local("EXPIRED", filled=D(1), prior=D(1))

    assert settled(order, venue("PARTIALLY_FILLED", 4), TWO).steps == (Continue(D(3)),)


def test_an_order_that_is_filled_more_than_it_asked_for_goes_on_with_its_trades():
    order = local("FILLED", filled=D(5))

    assert settled(order, venue("FILLED", 7), TWO).steps == (Continue(D(2)),)


def test_an_order_that_stands_though_it_was_rejected_goes_on():
    assert settled(local("REJECTED"), venue()).steps == (Continue(D(5)),)


def test_there_is_no_order_of_no_quantity_to_go_on_with():
    found = settled(local("EXPIRED", filled=D(5), told_ns=0), venue())

    assert found.steps == ()
    assert found.open_question == "the venue shows it open, and all of it is executed"


@pytest.mark.parametrize(
    ("order", "goes_on"),
    [
        pytest.param(local("FILLED", filled=D(5)), False, id="filled-is-filled"),
        pytest.param(local("EXPIRED", told_ns=at(21)), False, id="expired-by-the-venues-word"),
        pytest.param(local("EXPIRED", told_ns=at(20)), True, id="expired-before-that"),
    ],
)
def test_an_answer_that_is_behind_makes_no_order_go_on(order: LocalOrder, goes_on: bool):
    found = settled(order, venue())

    assert bool(found.steps) is goes_on
    assert (found == NOTHING) is not goes_on


def test_a_cancelled_order_that_stands_goes_on_once_no_read_can_be_behind():
    order = local("CANCELED", filled=D(1))
    behind = venue("PARTIALLY_FILLED", 1, asked_ns=at(10) + LAG_NS)
    sure = venue("PARTIALLY_FILLED", 1, asked_ns=at(10) + LAG_NS + 1)

    assert settled(order, behind) == NOTHING
    assert settled(order, sure).steps == (Continue(D(4)),)


# -- whose an order is -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "created_ns", "expected"),
    [
        pytest.param({}, at(5) - 1, True, id="made-before-the-node-could-have-asked"),
        pytest.param({}, at(5), False, id="made-within-the-receive-window"),
        pytest.param({"venue_order_id": "1"}, at(0), False, id="known-by-its-id"),
        pytest.param({"status": "PENDING_CANCEL"}, at(0), False, id="asked-to-be-cancelled-since"),
        pytest.param({"status": "INITIALIZED"}, at(0), True, id="not-known-to-be-sent"),
    ],
)
def test_an_order_that_is_older_than_the_request_only_shares_its_id(
    changes: dict[str, Any], created_ns: int, expected: bool
):
    order = replace(local(**UNSENT), **changes)

    assert is_another(order, venue(created_ns=created_ns), BOUNDS) is expected


# -- what orders say of themselves -----------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_open", "is_closed"),
    [
        ("INITIALIZED", False, False),
        ("SUBMITTED", False, False),
        ("ACCEPTED", True, False),
        ("PENDING_CANCEL", True, False),
        ("PARTIALLY_FILLED", True, False),
        ("CANCELED", False, True),
        ("REJECTED", False, True),
        ("FILLED", False, True),
    ],
)
def test_an_order_is_open_closed_or_not_there_yet(status: str, is_open: bool, is_closed: bool):
    assert (local(status).is_open, local(status).is_closed) == (is_open, is_closed)
