"""order-mismatch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from sim.observation import NodeOrder, Observation, State, Terms, VenueOrder, VenueTrade
from sim.oracle import judge
from tests.unit.oracle.observations import (
    END,
    HOUR,
    NODE_STATUS,
    START,
    failed,
    fill_of,
    judged,
    known,
    observe,
    outcome,
    process,
    published,
    state_of,
    subjects,
    trade,
    venue_order,
)

THREE_DAYS = 72 * HOUR
MISMATCH = {"order-mismatch"}
OPEN = ["ACCEPTED", "TRIGGERED", "PENDING_UPDATE", "PENDING_CANCEL", "PARTIALLY_FILLED"]
UNREACHED = ["INITIALIZED", "SUBMITTED", "RELEASED"]
CLOSED = ["FILLED", "CANCELED", "EXPIRED", "REJECTED", "DENIED"]


def seen(
    venue: list[VenueOrder], node: list[NodeOrder], trades: tuple[VenueTrade, ...] = ()
) -> Observation:
    """A run without a mistake in fills, that ends with these orders."""
    final = State(tuple(node), state_of(trades).positions)
    events = [published(fill_of(t)) for t in trades if t.time_ns >= START - HOUR]
    return observe(trades, process(final, events), orders=tuple(venue))


def verdict(observation: Observation) -> set[str]:
    """What failed, of a run in which orders were judged at all."""
    judgement = judge(observation, "order-mismatch")
    assert judgement.verdict != "inconclusive"
    return failed(judgement)


def half_filled(
    status: str, terms: tuple[Terms, ...] = (), **changes: Any
) -> tuple[VenueOrder, tuple[VenueTrade, ...]]:
    order = venue_order(5, status, filled="0.4", average_price="50000", **changes)
    return replace(order, terms=terms), (trade(70, quantity="0.4", order_id=5),)


@pytest.mark.parametrize("status", NODE_STATUS)
def test_the_same_order_on_both_sides_is_no_mismatch(status: str) -> None:
    order, trades = half_filled(status)
    if status == "NEW":
        order, trades = venue_order(), ()
    assert verdict(seen([order], [known(order)], trades)) == set()


def test_a_mismatch_is_told_in_one_sentence() -> None:
    order, trades = half_filled("CANCELED")
    shown = known(order, status="ACCEPTED", filled=Decimal(0), average_price=None)
    (violation,) = judged(seen([order], [shown], trades)).violations
    assert violation.at_ns == END
    assert violation.message == (
        "BTCUSDT (main): order 5 (O-5), BUY 1, is CANCELED at the venue with 0.4 filled at 50000, "
        "and ACCEPTED with 0 filled as O-5 at node n1."
    )


@pytest.mark.parametrize("status", UNREACHED + CLOSED)
def test_an_open_order_must_be_shown_open(status: str) -> None:
    order = venue_order()
    assert verdict(seen([order], [known(order, status=status)])) == MISMATCH


@pytest.mark.parametrize("status", OPEN)
def test_nothing_is_pending_when_a_run_is_judged(status: str) -> None:
    order = venue_order()
    expected = MISMATCH if status.startswith("PENDING_") else set()
    assert verdict(seen([order], [known(order, status=status)])) == expected


ASKED = Terms(START, Decimal(1), Decimal(40000))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": Decimal(40000)}, set()),
        ({"price": Decimal("40000.0")}, set()),
        ({"price": Decimal(50000)}, MISMATCH),
        ({"price": None}, MISMATCH),
        ({"price": Decimal(40000), "quantity": Decimal(2)}, MISMATCH),
        ({"price": Decimal(40000), "side": "SELL"}, MISMATCH),
    ],
)
def test_an_open_order_asks_for_the_same(changes: dict[str, Any], expected: set[str]) -> None:
    order = replace(venue_order(), terms=(replace(ASKED, price=Decimal(1)), ASKED))
    assert verdict(seen([order], [known(order, **changes)])) == expected


def test_other_terms_are_told() -> None:
    order = replace(venue_order(), terms=(ASKED,))
    shown = known(order, price=Decimal(50000), quantity=Decimal(2))
    [violation] = judged(seen([order], [shown])).violations
    assert violation.message == (
        "BTCUSDT (main): order 5 (O-5), BUY 1 at 40000, is NEW at the venue with 0 filled, "
        "and BUY 2 at 50000, ACCEPTED with 0 filled as O-5 at node n1."
    )


WAITS = replace(ASKED, order_id=900, trigger=Decimal(39000), callback_rate=Decimal(1))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"held_id": 0}, "BUY 1 at 40000 under the id 0"),
        ({"trigger": Decimal(1)}, "BUY 1 at 40000 triggered at 1"),
        ({"trigger": None}, "BUY 1 at 40000 triggered at -"),
        ({"callback_rate": Decimal(100)}, "BUY 1 at 40000 trailing by 100 %"),
    ],
)
def test_a_conditional_order_waits_for_the_same(changes: dict[str, Any], words: str) -> None:
    order = replace(venue_order(), terms=(WAITS,), algo_id=900)
    right = {"held_id": 900, "trigger": Decimal(39000), "callback_rate": Decimal(1)}
    shown = known(order, price=Decimal(40000), **(right | changes))
    violations = judged(seen([order], [shown])).violations
    assert [words in violation.message for violation in violations] == [True] * bool(words)


def test_what_triggered_an_order_does_not_matter_but_its_new_id() -> None:
    became = replace(ASKED, at_ns=START + 1, order_id=5)
    order = replace(venue_order(), terms=(WAITS, became), algo_id=900)
    shown = known(order, price=Decimal(40000), trigger=Decimal(39000), held_id=5)
    assert verdict(seen([order], [shown])) == set()
    assert verdict(seen([order], [replace(shown, held_id=900)])) == MISMATCH


def test_what_a_closed_order_asked_for_does_not_matter() -> None:
    order, trades = half_filled("CANCELED", terms=(ASKED,))
    assert verdict(seen([order], [known(order, quantity=Decimal(9))], trades)) == set()


def test_a_continuation_order_asks_for_the_rest() -> None:
    order = replace(venue_order(filled="0.4", average_price="50000"), terms=(ASKED,))
    trades = (trade(70, quantity="0.4", order_id=5),)
    order = replace(order, status="PARTIALLY_FILLED")
    original = known(order, status="REJECTED", filled=Decimal(0), average_price=None)
    rest = known(order, client_order_id="O-5-C", quantity=Decimal("0.6"), price=Decimal(40000))
    assert verdict(seen([order], [original, rest], trades)) == set()


@pytest.mark.parametrize("status", ["FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"])
@pytest.mark.parametrize("shown", UNREACHED + OPEN + CLOSED)
def test_a_closed_order_must_have_the_same_terminal_state(status: str, shown: str) -> None:
    order, trades = half_filled(status)
    right = {NODE_STATUS[status]}
    if status == "EXPIRED_IN_MATCH":
        right |= {"EXPIRED"}  # which NautilusTrader makes of it when the stream tells it
    expected = set() if shown in right else MISMATCH
    assert verdict(seen([order], [known(order, status=shown)], trades)) == expected


@pytest.mark.parametrize("filled", ["0", "0.39999999", "0.5"])
def test_the_filled_quantity_must_be_the_same(filled: str) -> None:
    order, trades = half_filled("PARTIALLY_FILLED")
    assert verdict(seen([order], [known(order, filled=Decimal(filled))], trades)) == MISMATCH


@pytest.mark.parametrize(
    ("average_price", "same"),
    [
        ("50000.00005", True),
        ("49999.99995", True),
        ("50000.00006", False),
        ("49999.9", False),
        (None, False),
    ],
)
def test_the_average_price_may_differ_by_the_error_of_a_double(
    average_price: str | None, same: bool
) -> None:
    order, trades = half_filled("PARTIALLY_FILLED")
    shown = known(order, average_price=None if average_price is None else Decimal(average_price))
    assert verdict(seen([order], [shown], trades)) == (set() if same else MISMATCH)


def test_an_average_price_that_the_node_does_not_know_is_told() -> None:
    order, trades = half_filled("PARTIALLY_FILLED")
    (violation,) = judged(seen([order], [known(order, average_price=None)], trades)).violations
    assert "with 0.4 filled at an unknown price as O-5" in violation.message


def test_the_average_price_may_differ_by_half_a_unit_of_what_is_printed() -> None:
    order = venue_order(5, "FILLED", filled="1", average_price="0.12346")
    trades = (trade(70, price="0.123456", order_id=5),)
    for shown, expected in (("0.1234551", set()), ("0.1234549", MISMATCH)):
        observation = seen([order], [known(order, average_price=Decimal(shown))], trades)
        assert failed(judged(observation)) - {"position-mismatch"} == expected


def test_an_open_order_unknown_to_the_node_is_a_mismatch() -> None:
    (violation,) = judged(seen([venue_order()], [])).violations
    assert violation.message.endswith("and unknown to node n1.")


def test_a_closed_order_with_fills_unknown_to_the_node_is_a_mismatch() -> None:
    order, trades = half_filled("CANCELED")
    assert verdict(seen([order], [], trades)) == MISMATCH


@pytest.mark.parametrize("status", ["CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"])
def test_an_order_closed_and_unfilled_need_not_be_known(status: str) -> None:
    judgement = judge(seen([venue_order(5, status)], []), "order-mismatch")
    assert judgement.verdict == "inconclusive"
    assert outcome(judgement, "order-mismatch") == "unexercised"


@pytest.mark.parametrize("shown", UNREACHED + OPEN + CLOSED)
@pytest.mark.parametrize("age_ns", [THREE_DAYS - 1, THREE_DAYS + 1])
def test_an_unfilled_order_no_longer_served_may_end_in_any_way_without_fills(
    shown: str, age_ns: int
) -> None:
    order = venue_order(5, "CANCELED", created=END - age_ns, updated=START)
    right = {"CANCELED"}
    if age_ns > THREE_DAYS:
        right |= {"EXPIRED", "REJECTED"}
    expected = set() if shown in right else MISMATCH
    assert verdict(seen([order], [known(order, status=shown)])) == expected


def test_an_order_with_fills_is_served_for_longer() -> None:
    order, trades = half_filled("CANCELED", created=END - THREE_DAYS - 1, updated=START)
    assert verdict(seen([order], [known(order)], trades)) == set()
    assert verdict(seen([order], [known(order, status="EXPIRED")], trades)) == MISMATCH


def test_an_order_of_long_ago_is_judged_only_where_the_node_shows_it() -> None:
    order = venue_order(5, "CANCELED", created=START - 2 * HOUR)
    assert outcome(judged(seen([order], [])), "order-mismatch") == "unexercised"
    assert verdict(seen([order], [known(order)])) == set()
    assert verdict(seen([order], [known(order, status="ACCEPTED")])) == MISMATCH


def test_an_order_of_long_ago_that_is_still_open_must_be_known() -> None:
    order = venue_order(5, "NEW", created=START - 1000 * HOUR)
    assert verdict(seen([order], [])) == MISMATCH


def test_orders_on_symbols_that_the_node_may_not_see_are_not_judged() -> None:
    judgement = judged(seen([venue_order(symbol="SOLUSDT")], []))
    assert outcome(judgement, "order-mismatch") == "unexercised"


@pytest.mark.parametrize("filled", ["1", "0.6"])
def test_fills_from_before_the_scope_may_be_left_to_the_opening_balance(filled: str) -> None:
    old = trade(70, quantity="0.4", price="40000", order_id=5, at=START - 2 * HOUR)
    new = trade(71, quantity="0.6", price="50000", order_id=5)
    order = venue_order(5, "FILLED", filled="1", average_price="46000", updated=new.time_ns)
    average = Decimal("46000" if filled == "1" else "50000")
    shown = known(order, filled=Decimal(filled), average_price=average)
    assert verdict(seen([order], [shown], (old, new))) == set()
    mixed = known(order, filled=Decimal(filled), average_price=Decimal(45000))
    assert verdict(seen([order], [mixed], (old, new))) == MISMATCH


def test_an_order_filled_only_before_the_scope_need_not_be_known() -> None:
    old = trade(70, quantity="0.4", order_id=5, at=START - 2 * HOUR)
    order = venue_order(5, "CANCELED", filled="0.4", average_price="50000", updated=START)
    assert failed(judged(seen([order], [], (old,)))) == set()


# Orders without an id of the venue


@pytest.mark.parametrize("status", UNREACHED + OPEN + CLOSED)
def test_an_order_that_never_reached_the_venue_must_be_closed(status: str) -> None:
    shown = known(venue_order(), venue_order_id="", status=status)
    judgement = judged(seen([], [shown]))
    assert failed(judgement) == (set() if status in CLOSED else MISMATCH)
    assert subjects(judgement, "order-mismatch") == 1


def test_an_emulated_order_waits_in_the_node() -> None:
    shown = known(venue_order(), venue_order_id="", status="EMULATED")
    assert verdict(seen([], [shown])) == set()


@pytest.mark.parametrize("status", ["SUBMITTED", "REJECTED", "CANCELED"])
def test_an_order_whose_reply_was_lost_is_found_by_its_client_order_id(status: str) -> None:
    order = venue_order()
    shown = known(order, venue_order_id="", status=status)
    judgement = judged(seen([order], [shown]))
    assert failed(judgement) == MISMATCH
    assert "order 5 (O-5)" in judgement.violations[0].message
    assert subjects(judgement, "order-mismatch") == 1


def test_a_client_order_id_used_again_does_not_confuse_two_orders() -> None:
    first = venue_order(5, "CANCELED", client_order_id="O-1")
    again = venue_order(6, "NEW", client_order_id="O-1", created=START + HOUR // 2)
    right = [known(first), known(again, client_order_id="EXT-1", strategy_id="EXTERNAL")]
    assert verdict(seen([first, again], right)) == set()
    assert verdict(seen([first, again], right[:1])) == MISMATCH


def test_an_order_without_id_stands_for_the_newest_that_nothing_else_stands_for() -> None:
    old = venue_order(5, "CANCELED", client_order_id="O-1")
    new = venue_order(6, "NEW", client_order_id="O-1", created=START + HOUR // 2)
    unsent = known(new, venue_order_id="", status="ACCEPTED")
    assert verdict(seen([old, new], [unsent])) == set()
    elsewhere = known(new, client_order_id="EXT-1", strategy_id="EXTERNAL")
    assert verdict(seen([old, new], [elsewhere, unsent])) == MISMATCH
    assert verdict(seen([old, new], [elsewhere, replace(unsent, status="CANCELED")])) == set()


def test_an_order_without_id_does_not_stand_for_one_from_before_the_scope() -> None:
    old = venue_order(5, "CANCELED", client_order_id="O-1", created=START - 2 * HOUR)
    assert verdict(seen([old], [known(old, venue_order_id="", status="REJECTED")])) == set()


def test_a_client_order_id_of_another_account_or_symbol_is_another_order() -> None:
    order = venue_order(5, "CANCELED")
    shown = known(order, venue_order_id="", status="REJECTED")
    for elsewhere in (replace(shown, symbol="ETHUSDT"), replace(shown, account="other")):
        assert verdict(seen([order], [elsewhere])) == set()


# Orders that the venue never had


@pytest.mark.parametrize("status", OPEN + CLOSED)
def test_an_order_under_a_synthetic_id_is_not_judged_here(status: str) -> None:
    shown = known(venue_order(), venue_order_id="S-3f2a", client_order_id="x", status=status)
    judgement = judged(seen([], [shown]))
    assert outcome(judgement, "order-mismatch") == "unexercised"


@pytest.mark.parametrize("status", OPEN + CLOSED)
def test_an_order_under_an_id_that_the_venue_does_not_have_must_be_closed(status: str) -> None:
    shown = known(venue_order(99), status=status)
    assert verdict(seen([], [shown])) == (set() if status in CLOSED else MISMATCH)


# Several orders of the node for one of the venue


@pytest.mark.parametrize("original", ["REJECTED", "EXPIRED"])
@pytest.mark.parametrize("venue_order_id", ["5", ""])
def test_a_continuation_order_speaks_for_its_original(original: str, venue_order_id: str) -> None:
    trades = (
        trade(70, quantity="0.4", price="40000", order_id=5),
        trade(71, quantity="0.6", order_id=5),
    )
    order = venue_order(5, "FILLED", filled="1", average_price="46000")
    shown = known(
        order,
        status=original,
        venue_order_id=venue_order_id,
        filled=Decimal("0.4"),
        average_price=Decimal(40000),
    )
    rest = known(
        order, client_order_id="O-5-C", filled=Decimal("0.6"), average_price=Decimal(50000)
    )
    assert verdict(seen([order], [shown, rest], trades)) == set()
    assert verdict(seen([order], [rest, shown], trades)) == set()
    assert verdict(seen([order], [shown], trades)) == MISMATCH
    assert verdict(seen([order], [rest], trades)) == MISMATCH


@pytest.mark.parametrize("original", ["REJECTED", "EXPIRED"])
def test_a_continuation_of_a_living_order_must_be_open(original: str) -> None:
    order, trades = half_filled("PARTIALLY_FILLED")
    shown = known(order, status=original, filled=Decimal(0), average_price=None)
    rest = known(order, client_order_id="O-5-C")
    for orders in ([shown, rest], [rest, shown]):
        assert verdict(seen([order], orders, trades)) == set()
    closed = replace(rest, status="CANCELED")
    assert verdict(seen([order], [shown, closed], trades)) == MISMATCH


def test_a_continuation_that_is_filled_completes_an_order_that_expired() -> None:
    order, trades = half_filled("EXPIRED")
    original = known(order, filled=Decimal(0), average_price=None)
    rest = known(order, client_order_id="O-5-C", status="FILLED", quantity=Decimal("0.4"))
    assert verdict(seen([order], [original, rest], trades)) == set()
    still_open = known(order, client_order_id="O-5-C", status="PARTIALLY_FILLED")
    assert verdict(seen([order], [original, still_open], trades)) == MISMATCH


def test_a_continuation_of_another_strategy_speaks_for_nothing() -> None:
    order, trades = half_filled("CANCELED")
    original = known(
        order, status="REJECTED", venue_order_id="", filled=Decimal(0), average_price=None
    )
    foreign = known(order, client_order_id="EXT-1", strategy_id="EXTERNAL")
    judgement = judged(seen([order], [original, foreign], trades))
    assert failed(judgement) == MISMATCH
    assert "stands more than once" in judgement.violations[0].message


def test_two_living_orders_for_one_of_the_venue_are_a_mismatch() -> None:
    order = venue_order()
    assert verdict(seen([order], [known(order), known(order, client_order_id="O-6")])) == MISMATCH


def test_an_order_without_a_quantity_need_not_be_known() -> None:
    order = replace(venue_order(), quantity=Decimal(0), algo_id=5)
    unknown = judged(seen([order], []))
    assert subjects(unknown, "order-mismatch") == 0
    assert verdict(seen([order], [known(venue_order(), status="CANCELED")])) == MISMATCH


@pytest.mark.parametrize("status", ["CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"])
@pytest.mark.parametrize("shown", CLOSED)
def test_how_a_conditional_order_ended_is_not_said(status: str, shown: str) -> None:
    order = replace(venue_order(status=status), algo_id=900)
    same = {NODE_STATUS.get(status, status)}
    right = same if status == "REJECTED" else {"CANCELED", "EXPIRED"}
    found = seen([order], [known(order, status=shown)])
    assert verdict(found) == (set() if shown in right else MISMATCH)
