"""The gate: what passes, what becomes a question, and that nothing is ever raised."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import PositionStatusReport
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.enums import (
    LiquiditySide,
    OrderSide,
    OrderType,
    PositionSide,
    TimeInForce,
)
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    PositionId,
    StrategyId,
    TradeId,
    TraderId,
    VenueOrderId,
)
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.model.orders import LimitOrder

from recon.core.facts import FillKey
from recon.core.ledger import Ledger
from recon.nautilus.binance import AMBIGUOUS, BinanceVenue
from recon.nautilus.gate import Gate
from recon.nautilus.questions import Questions

TRADER = TraderId("T-001")
STRATEGY = StrategyId("S-001")
ACCOUNT = AccountId("BINANCE-1")
INSTRUMENT = InstrumentId.from_str("BTCUSDT-PERP.BINANCE")
NAME = ClientOrderId("O-1")
VENUE_ID = VenueOrderId("77")
SECOND = 1_000_000_000
NOW = 1_000 * SECOND


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def exception(self, text: str, error: BaseException) -> None:
        self.lines.append(text)


class Desk:
    """A gate with one account, and what came out of it."""

    def __init__(self, status: str = "ACCEPTED") -> None:
        self.passed: list[Any] = []
        self.asked = 0
        self.interruptions = 0
        self.news = 0
        self.touched: list[str] = []
        self.late: list[str] = []
        self.is_reconciled = True
        self.is_in_doubt = False
        self.made_here: list[Any] = []
        self.assigned: list[Any] = []
        self.completed: list[Any] = []
        self.held: list[Any] = []
        self.log = Log()
        self.order = an_order(status)
        self.account: Any = SimpleNamespace(
            venue=SimpleNamespace(
                symbol=lambda instrument_id: "BTCUSDT",
                sequence=lambda trade_id, ns: int(trade_id) if trade_id.isdecimal() else None,
                fills_are_complete=True,
                is_final=lambda event, order: BinanceVenue.is_final(cast(Any, None), event, order),
            ),
            book=SimpleNamespace(holdings=SimpleNamespace(positions=lambda leg: self.held)),
            reconciles=lambda instrument_id: self.is_reconciled,
            is_in_doubt=lambda order: self.is_in_doubt,
            emitter=SimpleNamespace(is_applied=lambda event: event in self.made_here),
            reducing=SimpleNamespace(assign=self.assigned.append, complete=self.completed.append),
            ledger=Ledger(),
            questions=Questions(),
            refusals={},
            touch=self.touched.append,
            teller=SimpleNamespace(late=lambda event, *_: self.late.append(type(event).__name__)),
        )
        self.cache: Any = SimpleNamespace(
            order=lambda name: self.order if name == NAME else None,
            position=lambda position_id: None,
        )
        self.gate = Gate(
            {ACCOUNT: self.account},
            SimpleNamespace(
                order=lambda name: self.cache.order(name),
                position=lambda position_id: self.cache.position(position_id),
            ),
            self.log,
            lambda: NOW,
            self.forward,
            lambda: self.count("asked"),
            lambda: self.count("interruptions"),
            lambda: self.count("news"),
        )
        self.gate.release()

    def count(self, name: str) -> None:
        setattr(self, name, getattr(self, name) + 1)

    def forward(self, event: Any) -> None:
        self.passed.append(event)

    def send(self, *events: Any) -> None:
        for event in events:
            self.gate.on_event(event)

    def applied(self, event: Any) -> None:
        """The engine has applied an event."""
        self.order.apply(event)
        self.gate.on_applied(event)

    @property
    def questions(self) -> list[tuple[str | None, str | None]]:
        return [(q.order_id, q.client_order_id) for q in self.account.questions.due(NOW)]


def an_order(status: str) -> LimitOrder:
    order = LimitOrder(
        trader_id=TRADER,
        strategy_id=STRATEGY,
        instrument_id=INSTRUMENT,
        client_order_id=NAME,
        order_side=OrderSide.BUY,
        quantity=Quantity.from_str("3.000"),
        price=Price.from_str("50000.00"),
        init_id=UUID4(),
        ts_init=NOW,
        time_in_force=TimeInForce.GTC,
    )
    ends = {
        "REJECTED": lambda: rejected("no"),
        "CANCELED": canceled,
        "EXPIRED": expired,
        "FILLED": lambda: fill("1", "3.000"),
    }
    steps: list[Callable[[], Any]] = []
    if status != "INITIALIZED":
        steps.append(submitted)
    if status not in ("INITIALIZED", "SUBMITTED", "REJECTED"):
        steps.append(accepted)
    if status in ends:
        steps.append(ends[status])
    for step in steps:
        order.apply(step())
    assert order.status_string() == status
    return order


def details(at_ns: int = NOW, **more: Any) -> dict[str, Any]:
    return {
        "trader_id": TRADER,
        "strategy_id": STRATEGY,
        "instrument_id": INSTRUMENT,
        "client_order_id": NAME,
        "account_id": ACCOUNT,
        "event_id": UUID4(),
        "ts_event": at_ns,
        "ts_init": NOW,
        **more,
    }


def submitted() -> OrderSubmitted:
    return OrderSubmitted(**details())


def accepted() -> OrderAccepted:
    return OrderAccepted(**details(venue_order_id=VENUE_ID))


def canceled(at_ns: int = NOW, venue_order_id: VenueOrderId = VENUE_ID) -> OrderCanceled:
    return OrderCanceled(**details(at_ns, venue_order_id=venue_order_id))


def expired() -> OrderExpired:
    return OrderExpired(**details(venue_order_id=VENUE_ID))


def rejected(reason: str, *, due_post_only: bool = False) -> OrderRejected:
    return OrderRejected(**details(reason=reason, due_post_only=due_post_only))


def updated(quantity: str, at_ns: int = NOW) -> OrderUpdated:
    return OrderUpdated(
        **details(
            at_ns,
            venue_order_id=VENUE_ID,
            quantity=Quantity.from_str(quantity),
            price=Price.from_str("50000.00"),
            trigger_price=None,
        )
    )


def fill(
    trade_id: str,
    quantity: str = "1.000",
    *,
    order_id: str = "77",
    at_ns: int = NOW,
    position_id: PositionId | None = None,
    **more: Any,
) -> OrderFilled:
    return OrderFilled(
        **details(
            at_ns,
            venue_order_id=VenueOrderId(order_id),
            trade_id=TradeId(trade_id),
            position_id=position_id,
            order_side=OrderSide.BUY,
            order_type=OrderType.LIMIT,
            last_qty=Quantity.from_str(quantity),
            last_px=Price.from_str("50000.00"),
            currency=USDT,
            commission=Money(0, USDT),
            liquidity_side=LiquiditySide.MAKER,
            **more,
        )
    )


# -- fills ------------------------------------------------------------------------------


def test_a_fill_passes_once_however_often_it_comes():
    desk = Desk()
    first = fill("5")
    desk.send(first, fill("5"))
    assert desk.passed == [first]

    desk.applied(first)
    desk.send(fill("5"))

    assert desk.passed == [first]
    assert desk.news == 1
    assert not desk.questions


def test_a_fill_before_the_cursor_is_dropped():
    desk = Desk()
    desk.account.ledger.book("BTCUSDT").advance(6)
    desk.send(fill("5"), fill("6"))

    assert [event.trade_id.value for event in desk.passed] == ["6"]


def test_both_sides_of_a_self_trade_are_two_fills():
    desk = Desk()
    desk.account.ledger.book("BTCUSDT").record(FillKey("BTCUSDT", "77", "5", "SELL"), 5)
    desk.send(fill("5"))

    assert len(desk.passed) == 1


def test_fills_out_of_order_pass():
    desk = Desk()
    for trade_id in ("7", "5", "6"):
        event = fill(trade_id)
        desk.send(event)
        desk.applied(event)

    assert [event.trade_id.value for event in desk.passed] == ["7", "5", "6"]
    assert desk.order.status_string() == "FILLED"


@pytest.mark.parametrize("status", ["INITIALIZED", "REJECTED", "CANCELED", "EXPIRED", "FILLED"])
def test_a_fill_that_the_order_cannot_take_becomes_a_question(status: str):
    desk = Desk(status)
    desk.send(fill("9"))

    assert not desk.passed
    assert desk.questions == [("77", "O-1")]
    assert desk.asked == 1
    assert desk.touched == ["BTCUSDT"]


@pytest.mark.parametrize(
    "event",
    [fill("9", "3.001"), fill("9", order_id="78"), fill("ALGO-900")],
    ids=["too large", "another order", "no trade"],
)
def test_a_fill_that_is_none_of_the_order_becomes_a_question(event: OrderFilled):
    desk = Desk()
    desk.send(event)

    assert not desk.passed
    assert desk.questions == [(event.venue_order_id.value, "O-1")]


def test_a_fill_of_an_unknown_order_becomes_a_question():
    desk = Desk()
    desk.cache.order = lambda name: None
    desk.send(fill("9"))

    assert not desk.passed
    assert desk.questions == [("77", "O-1")]


def test_a_fill_without_price_or_commission_becomes_a_question():
    desk = Desk()
    desk.account.venue.fills_are_complete = False
    desk.send(fill("9"))

    assert not desk.passed
    assert desk.questions == [("77", "O-1")]


# -- what cannot be taken back ----------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    [
        *[f"{{'code': {code}, 'msg': 'x'}}" for code in sorted(AMBIGUOUS)],
        "",
        "None",
        "UNKNOWN",
        "a connection broke",
        "{'code': None}",
    ],
)
def test_a_rejection_that_quotes_no_refusal_becomes_a_question(reason: str):
    desk = Desk("SUBMITTED")
    desk.send(rejected(reason))

    assert not desk.passed
    assert desk.questions == [(None, "O-1")]
    assert desk.account.refusals == {"O-1": reason or "None"} or reason == ""


@pytest.mark.parametrize("code", [-2010, -2019, -1013, -4164, -1021])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_refusal_of_the_venue_passes(code: int, quote: str):
    desk = Desk("SUBMITTED")
    desk.send(rejected(f"{{{quote}code{quote}: {code}}}"))

    assert len(desk.passed) == 1
    assert not desk.questions


def test_a_rejection_of_what_would_have_taken_passes():
    desk = Desk("SUBMITTED")
    desk.send(rejected("", due_post_only=True))

    assert len(desk.passed) == 1


def test_a_rejection_of_an_order_that_the_venue_had_becomes_a_question():
    desk = Desk("ACCEPTED")
    desk.send(rejected("{'code': -2010}"))

    assert not desk.passed
    assert desk.questions == [(None, "O-1")]


def test_an_expiry_becomes_a_question():
    desk = Desk()
    desk.send(expired())

    assert not desk.passed
    assert desk.questions == [("77", "O-1")]


def test_what_was_refused_of_an_order_passes_and_is_a_question_too():
    desk = Desk()
    event = OrderCancelRejected(**details(venue_order_id=VENUE_ID, reason="Unknown order"))
    desk.send(event)

    assert desk.passed == [event]
    assert desk.questions == [("77", "O-1")]


@pytest.mark.parametrize("status", ["CANCELED", "FILLED", "REJECTED", "EXPIRED"])
@pytest.mark.parametrize("make", [accepted, canceled, lambda: updated("2.000")])
def test_what_is_told_of_a_closed_order_becomes_a_question(status: str, make: Any):
    desk = Desk(status)
    desk.send(make())

    assert not desk.passed
    assert desk.questions == [("77", "O-1")]


def test_an_acceptance_passes_once():
    desk = Desk("SUBMITTED")
    event = accepted()
    desk.send(event)
    desk.applied(event)
    desk.send(accepted())

    assert desk.passed == [event]
    assert not desk.questions


def test_terms_that_were_changed_since_become_a_question():
    desk = Desk()
    newer, older = updated("5.000", NOW), updated("3.000", NOW - SECOND)
    desk.send(newer)
    desk.applied(newer)
    desk.send(older)

    assert desk.passed == [newer]
    assert desk.questions == [("77", "O-1")]


# -- what is late -----------------------------------------------------------------------


@pytest.mark.parametrize(("age_secs", "is_told"), [(4.9, False), (5.1, True)])
def test_what_comes_long_after_it_happened_is_told(age_secs: float, is_told: bool):
    desk = Desk()
    at_ns = NOW - int(age_secs * SECOND)
    desk.send(fill("5", at_ns=at_ns), canceled(at_ns))

    assert desk.late == (["OrderFilled", "OrderCanceled"] if is_told else [])
    assert len(desk.passed) == 2


def test_a_late_acceptance_of_an_order_that_is_known_to_stand_is_not_told():
    desk = Desk()
    desk.send(updated("3.000", NOW - 9 * SECOND))

    assert not desk.late


# -- a start ----------------------------------------------------------------------------


def test_events_of_accounts_are_held_while_a_start_lasts_and_pass_in_their_order():
    desk = Desk("SUBMITTED")
    desk.gate._held = []
    first, second = accepted(), fill("5")
    desk.send(first, second)
    assert not desk.passed

    desk.gate.release()

    assert desk.passed == [first, second]


def test_events_of_no_account_are_never_held():
    desk = Desk()
    desk.gate._held = []
    denied = SimpleNamespace(account_id=None, client_order_id=NAME)
    desk.send(denied)

    assert desk.passed == [denied]


def test_events_of_an_account_that_is_not_reconciled_pass():
    desk = Desk()
    event = OrderCanceled(**details(venue_order_id=VENUE_ID, account_id=AccountId("OTHER-1")))
    desk.send(event)

    assert desk.passed == [event]


# -- failures ---------------------------------------------------------------------------


def fails(*_: Any, **__: Any) -> Any:
    raise RuntimeError("planted")


PARTS = {
    "the cache": lambda desk: setattr(desk.cache, "order", fails),
    "the positions": lambda desk: setattr(desk.cache, "position", fails),
    "the symbols": lambda desk: setattr(desk.account.venue, "symbol", fails),
    "the sequences": lambda desk: setattr(desk.account.venue, "sequence", fails),
    "the ledger": lambda desk: setattr(desk.account, "ledger", SimpleNamespace(book=fails)),
    "the questions": lambda desk: setattr(desk.account, "questions", SimpleNamespace(add=fails)),
    "the alerts": lambda desk: setattr(desk.account, "teller", SimpleNamespace(late=fails)),
    "the account": lambda desk: setattr(desk.account, "touch", fails),
    "the engine": lambda desk: setattr(desk.gate, "_forward", fails),
    "the loop": lambda desk: setattr(desk.gate, "_on_question", fails),
    "the store": lambda desk: setattr(desk.gate, "_on_news", fails),
    "what is reduced": lambda desk: setattr(
        desk.account, "reducing", SimpleNamespace(assign=fails, complete=fails)
    ),
}
EVENTS: dict[str, Callable[[], Any]] = {
    "a fill": lambda: fill("9", at_ns=NOW - 9 * SECOND),
    "a fill that does not fit": lambda: fill("9", "4.000"),
    "an end": lambda: canceled(NOW - 9 * SECOND),
    "an expiry": expired,
    "an acceptance": accepted,
    "a rejection": lambda: rejected(""),
    "an update": lambda: updated("4.000"),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("what", EVENTS)
def test_nothing_is_raised_whatever_fails(part: str, what: str):
    desk = Desk()
    PARTS[part](desk)
    event = EVENTS[what]()

    desk.gate.on_event(event)
    desk.gate.on_turn(event)
    desk.gate.on_applied(event)
    desk.gate.on_report(event)
    desk.gate.on_mass_status(event)


@pytest.mark.parametrize(("side", "is_asked"), [("BOTH", True), ("LONG", False)])
def test_a_fill_that_comes_before_one_that_is_queued_on_its_leg_is_asked_for(
    side: str, is_asked: bool
):
    desk = Desk()
    later = fill("6", position_id=PositionId(f"{INSTRUMENT}-BOTH"))
    earlier = fill("5", position_id=PositionId(f"{INSTRUMENT}-{side}"))

    desk.send(later, earlier)

    assert desk.passed == ([later] if is_asked else [later, earlier])
    assert desk.questions == ([("77", "O-1")] if is_asked else [])


@pytest.mark.parametrize(("strategy", "is_asked"), [(STRATEGY, True), ("S-002", False)])
def test_where_no_position_is_named_the_turn_is_that_of_the_strategys(
    strategy: Any, is_asked: bool
):
    desk = Desk()
    later = SimpleNamespace(last_event=fill("6"), strategy_id=StrategyId(str(strategy)))
    desk.held = [later]
    desk.send(earlier := fill("5"))

    assert desk.passed == ([] if is_asked else [earlier])
    assert bool(desk.questions) == is_asked


def test_an_end_with_the_id_of_what_the_order_became_is_asked_for():
    desk = Desk()
    desk.send(canceled(venue_order_id=VenueOrderId("78")))

    assert desk.passed == []
    assert desk.questions == [("78", "O-1")]


def test_a_fill_that_comes_after_one_that_is_queued_on_its_leg_passes():
    desk = Desk()
    fills = [fill(trade_id, position_id=PositionId(f"{INSTRUMENT}-BOTH")) for trade_id in "567"]

    desk.send(*fills)

    assert desk.passed == fills


def test_a_fill_finds_its_position_when_it_is_its_turn_and_is_completed_when_it_is_applied():
    desk = Desk()
    event = fill("5")

    desk.send(event)
    assert not desk.assigned
    desk.gate.on_turn(canceled())
    desk.gate.on_turn(event)
    assert desk.assigned == [event]

    desk.applied(event)
    assert desk.completed == [event]


def test_a_fill_of_an_instrument_that_is_not_reconciled_is_left_to_the_engine():
    desk = Desk()
    desk.is_reconciled = False
    event = fill("5")

    desk.gate.on_turn(event)
    desk.applied(event)

    assert desk.assigned == desk.completed == []


def test_a_fill_that_was_made_here_is_news_and_left_to_its_maker():
    desk = Desk()
    event = fill("5")
    desk.made_here.append(event)

    desk.applied(event)

    assert desk.news == 1
    assert not desk.account.ledger.symbols


def test_a_fill_that_the_gate_fails_on_becomes_a_question():
    desk = Desk()
    desk.account.teller = SimpleNamespace(late=fails)
    desk.send(fill("9", at_ns=NOW - 9 * SECOND))

    assert not desk.passed
    assert desk.questions == [("77", "O-1")]
    assert len(desk.log.lines) == 1


def test_a_fill_that_cannot_even_be_asked_for_is_looked_for_in_a_comparison():
    desk = Desk()
    desk.account.venue.symbol = fails
    desk.send(fill("9"))

    assert not desk.passed
    assert desk.interruptions == 1


def test_an_event_that_is_no_fill_and_that_the_gate_fails_on_passes():
    desk = Desk()
    desk.cache.order = fails
    event = canceled()
    desk.send(event)

    assert desk.passed == [event]
    assert len(desk.log.lines) == 1


# -- reports ----------------------------------------------------------------------------


def test_a_report_of_an_order_is_a_question_about_it_and_nothing_else():
    desk = Desk()
    desk.gate.on_report(fill("9"))

    assert not desk.passed
    assert desk.questions == [("77", "O-1")]


def test_a_report_of_a_position_has_the_symbol_read():
    desk = Desk()
    desk.gate.on_report(
        PositionStatusReport(
            account_id=ACCOUNT,
            instrument_id=INSTRUMENT,
            position_side=PositionSide.LONG,
            quantity=Quantity.from_str("1.000"),
            report_id=UUID4(),
            ts_last=NOW,
            ts_init=NOW,
        )
    )

    assert desk.touched == ["BTCUSDT"]
    assert not desk.questions


def test_a_mass_status_says_that_the_stream_was_interrupted():
    desk = Desk()
    desk.gate.on_mass_status(object())

    assert desk.interruptions == 1
    assert not desk.passed


def test_a_cancellation_of_an_order_in_doubt_becomes_a_question():
    desk = Desk("ACCEPTED")
    desk.is_in_doubt = True
    desk.gate.on_event(canceled())
    assert desk.passed == []
    assert len(desk.account.questions) == 1


@pytest.mark.parametrize("make", [lambda: fill("1"), expired, canceled])
def test_what_concerns_an_instrument_that_is_not_reconciled_passes_untouched(make: Any):
    desk = Desk("ACCEPTED")
    desk.is_reconciled = False
    event = make()
    desk.gate.on_event(event)
    desk.gate.on_event(event)
    assert desk.passed == [event, event]
    assert len(desk.account.questions) == 0
    assert desk.touched == []
