"""The gate: whatever may change an order or add a fill passes here, once.

NautilusTrader's clients send order events and reports to three endpoints of its message
bus.  The gate stands in their place.

Rules of this file:

1. A fill that the ledger has is dropped.  A fill that the order can take, and that comes
   in its turn, is passed on.  Any other becomes a question about its order, and is applied
   from the venue's answer.
2. What cannot be taken back needs the venue's word: an expiry is asked for first, and so
   is a rejection that does not quote a refusal of the venue (`Venue.is_final`), and any end
   of an order that a question is open about.
3. Reports are no facts but hints: a report of an order is a question about it, a mass
   status says that the stream was interrupted.
4. Nothing is raised into the engine or its clients.  An event that the gate itself fails
   on is passed on if it is not a fill, and becomes a question if it is.
5. What concerns an instrument that is not reconciled is passed on untouched.
6. While a start lasts events are held, and passed in their order when it has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nautilus_trader.common.component import Logger
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import ExecutionMassStatus, PositionStatusReport
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import AccountId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.orders import Order

from recon.core.behind import Behind
from recon.core.facts import FillKey, Leg
from recon.core.ledger import SymbolBook
from recon.core.orders import BEYOND_CHANGE, ROUNDING_NS
from recon.nautilus.account import Account
from recon.nautilus.book import is_adopted, prior_of
from recon.nautilus.replay import is_late, rank_of
from recon.nautilus.teller import LATE_NS

_TOLD_BY_VENUE = (OrderAccepted, OrderFilled, OrderCanceled, OrderExpired, OrderUpdated)


class Gate:
    """Stands before the engine's event queue.

    Parameters
    ----------
    forward
        Puts an event into the engine's queue.
    on_question
        Called when something has to be asked soon.
    on_interruption
        Called when the stream of an account was interrupted.
    on_news
        Called when a ledger has to be written.
    """

    def __init__(
        self,
        accounts: dict[AccountId, Account],
        cache: Any,
        log: Logger,
        now_ns: Callable[[], int],
        forward: Callable[[OrderEvent], None],
        on_question: Callable[[], None],
        on_interruption: Callable[[], None],
        on_news: Callable[[], None],
    ) -> None:
        self._behind = Behind()
        self._accounts = accounts
        self._cache = cache
        self._log = log
        self._now_ns = now_ns
        self._forward = forward
        self._on_question = on_question
        self._on_interruption = on_interruption
        self._on_news = on_news
        self._held: list[OrderEvent] | None = []

    # -- a start --------------------------------------------------------------------------

    def release(self) -> None:
        """Pass what was held, in order, and hold no longer."""
        held, self._held = self._held or [], None
        for event in held:
            self.on_event(event)

    # -- the endpoints --------------------------------------------------------------------

    def on_event(self, event: OrderEvent) -> None:
        """Take an order event of a client, or of NautilusTrader itself."""
        account = None
        try:
            account_id = getattr(event, "account_id", None)
            account = self._account_of(account_id, event.instrument_id)
            if self._held is not None and account_id is not None:
                self._held.append(event)
            elif account is None:
                self._forward(event)
            else:
                self._pass(account, event)
        except Exception as e:
            self._log.exception(f"the gate failed on {event!r}", e)
            self._on_failure(account, event)

    def _account_of(self, account_id: AccountId | None, instrument_id: Any) -> Account | None:
        """Return the account that reconciles an instrument, None where none does."""
        account = None if account_id is None else self._accounts.get(account_id)
        return account if account is not None and account.reconciles(instrument_id) else None

    def _on_failure(self, account: Account | None, event: OrderEvent) -> None:
        try:
            if account is not None and isinstance(event, OrderFilled):
                self._ask(account, event)
            else:
                self._forward(event)
        except Exception as e:
            # A fill that is lost here is found by the next comparison.
            self._log.exception(f"the gate failed again on {event!r}", e)
            self._on_interruption()

    def on_report(self, report: Any) -> None:
        """Take a report of a client as a hint."""
        try:
            account = self._account_of(report.account_id, report.instrument_id)
            if account is None:
                return  # before the start, which asks for everything, or not reconciled
            symbol = account.venue.symbol(report.instrument_id)
            account.touch(symbol)
            if isinstance(report, PositionStatusReport):
                return
            account.questions.add(
                symbol,
                report.venue_order_id.value if report.venue_order_id else None,
                report.client_order_id.value if report.client_order_id else None,
                self._now_ns(),
            )
            self._on_question()
        except Exception as e:
            self._log.exception(f"the gate failed on {report!r}", e)

    def on_mass_status(self, mass_status: ExecutionMassStatus) -> None:
        """Take what a client sends after its stream was interrupted."""
        self._on_interruption()

    def on_turn(self, event: OrderEvent) -> None:
        """See to it that a fill which the engine is about to apply reaches its position."""
        if not isinstance(event, OrderFilled):
            return
        try:
            account = self._account_of(event.account_id, event.instrument_id)
            if account is not None:
                account.reducing.assign(event)
        except Exception as e:
            self._log.exception(f"the position of {event!r} was not found", e)

    def on_applied(self, event: OrderFilled) -> None:
        """Note a fill that the engine has applied."""
        account = self._accounts.get(event.account_id)
        if account is None:
            return
        try:
            is_made_here = account.emitter.is_applied(event)
            if is_made_here or account.reconciles(event.instrument_id):
                account.reducing.complete(event)
            if is_made_here:
                self._on_news()  # who has made it notes it
            elif account.reconciles(event.instrument_id):
                key, sequence = _key_of(account, event)
                if sequence is not None and account.ledger.book(key.symbol).record(key, sequence):
                    self._on_news()
        except Exception as e:
            self._log.exception(f"the ledger did not take {event!r}", e)

    # -- what passes ----------------------------------------------------------------------

    def _pass(self, account: Account, event: OrderEvent) -> None:
        order = self._cache.order(event.client_order_id)
        if isinstance(event, OrderFilled):
            self._pass_fill(account, event, order)
            return
        if order is not None and not self._may_pass(account, event, order):
            return
        symbol = account.venue.symbol(event.instrument_id)
        if not account.ledger.knows(symbol):
            account.touch(symbol)  # a past of it that has moved no money is found by nothing else
        self._tell_if_late(account, event, order)
        self._forward(event)

    def _pass_fill(self, account: Account, event: OrderFilled, order: Order | None) -> None:
        key, sequence = _key_of(account, event)
        book = account.ledger.book(key.symbol)
        account.touch(key.symbol)
        if sequence is not None and (book.has(key, sequence) or key in book.queued):
            return
        if (
            sequence is None
            or order is None
            or not account.venue.fills_are_complete
            or not _takes(order, event)
            or (prior_of(order) and any(other.order_id == key.order_id for other in book.queued))
            or self._is_out_of_turn(account, book, event)
        ):
            self._ask(account, event)
            return
        position_side = _position_side(event)
        self._tell_if_late(account, event, order, event.trade_id, position_side)
        self._complete(order, event)
        book.queued[key] = position_side, rank_of(event)
        self._forward(event)

    def _is_out_of_turn(self, account: Account, book: SymbolBook, event: OrderFilled) -> bool:
        """Whether a later fill of the same leg is applied already, or is about to be."""
        its = rank_of(event)
        position_side = _position_side(event)
        if position_side is not None:
            positions = [self._cache.position(event.position_id)]
        else:  # its client names no positions: it is booked under its strategy's
            held = account.book.holdings.positions(
                Leg(account.venue.symbol(event.instrument_id), "BOTH")
            )
            positions = [each for each in held if each.strategy_id == event.strategy_id]
        is_late_here = any(is_late(position, its) for position in positions)
        return is_late_here or book.is_overtaken(position_side, its)

    def _complete(self, order: Order, event: OrderFilled) -> None:
        """Let an order end with its last fill whose first ones came before the first contact."""
        prior = prior_of(order)
        filled = order.filled_qty.as_decimal() + event.last_qty.as_decimal()
        if prior and filled + prior == order.quantity.as_decimal():
            self._forward(_shrunk(order, event))

    def _may_pass(self, account: Account, event: OrderEvent, order: Order) -> bool:
        """Whether an event may change an order; what may not has become a question."""
        match event:
            case OrderRejected():
                if not account.venue.is_final(event, order):
                    account.refusals[order.client_order_id.value] = event.reason
                    self._ask(account, event)
                    return False
            case OrderExpired():
                is_final = account.venue.is_final(event, order) and not order.is_closed
                if not is_final or account.is_in_doubt(order):
                    self._ask(account, event)
                    return False
            case OrderAccepted():
                if order.is_closed:
                    self._ask(account, event)
                    return False
                return not order.is_open or order.venue_order_id is None
            case OrderCanceled() if _is_of_what_it_became(order, event):
                self._ask(account, event)  # the engine refuses what has another id than the order
                return False
            case OrderCanceled() | OrderUpdated():
                # An end must not come before fills that are still to be asked for.
                is_early = isinstance(event, OrderCanceled) and account.is_in_doubt(order)
                if order.is_closed or is_early or _is_overtaken(order, event):
                    self._ask(account, event)
                    return False
            case OrderCancelRejected() | OrderModifyRejected():
                # The venue did not carry a request out: perhaps because the order is gone.
                self._ask(account, event)
        return True

    def _ask(self, account: Account, event: OrderEvent) -> None:
        order_id = event.venue_order_id
        symbol = account.venue.symbol(event.instrument_id)
        account.questions.add(
            symbol,
            None if order_id is None else order_id.value,
            event.client_order_id.value,
            self._now_ns(),
        )
        self._on_question()

    def _tell_if_late(
        self,
        account: Account,
        event: OrderEvent,
        order: Order | None,
        trade_id: Any = None,
        position_side: str | None = None,
    ) -> None:
        """Tell of what changes an order so long after it happened, or after it was sent."""
        now_ns, since_ns = self._now_ns(), event.ts_event
        is_news = order is None or _changes(order, event)
        if isinstance(event, _TOLD_BY_VENUE) and is_news:
            since_ns = self._behind.since(event.client_order_id.value, event.ts_event, now_ns)
        if isinstance(event, _TOLD_BY_VENUE) and now_ns - since_ns > LATE_NS:
            if is_news:
                account.teller.late(event, since_ns, trade_id, position_side)
        elif (
            isinstance(event, (*_TOLD_BY_VENUE, OrderRejected))
            and order is not None
            and order.is_inflight
            and order.venue_order_id is None
            and now_ns - order.ts_submitted > LATE_NS
        ):
            account.teller.late(event, order.ts_submitted, trade_id, position_side)


def _key_of(account: Account, event: OrderFilled) -> tuple[FillKey, int | None]:
    trade_id = event.trade_id.value
    key = FillKey._make(
        (
            account.venue.symbol(event.instrument_id),
            event.venue_order_id.value,
            trade_id,
            "BUY" if event.order_side == OrderSide.BUY else "SELL",
        )
    )
    return key, account.venue.sequence(trade_id, event.ts_event)


def _position_side(event: OrderFilled) -> str | None:
    """Return the position side that a fill tells, None where it tells no position."""
    return None if event.position_id is None else event.position_id.value.rpartition("-")[2]


def _takes(order: Order, event: OrderFilled) -> bool:
    """Whether the engine would apply a fill to the order as it is, and change it by it."""
    if order.status_string() in (*BEYOND_CHANGE, "CANCELED", "INITIALIZED"):
        return False
    if order.venue_order_id is not None and order.venue_order_id != event.venue_order_id:
        return False
    return bool(
        order.filled_qty.as_decimal() + event.last_qty.as_decimal() <= order.quantity.as_decimal()
    )


def _is_of_what_it_became(order: Order, event: OrderCanceled) -> bool:
    """Whether an end has the id of the order that a conditional one has become, unheard."""
    ids = order.venue_order_id, event.venue_order_id
    return None not in ids and ids[0] != ids[1]


def _is_overtaken(order: Order, event: OrderEvent) -> bool:
    """Whether an event gives an order terms that a later one of the venue has changed since.

    NautilusTrader's client makes such an event of a fill that comes late.
    """
    if not isinstance(event, OrderUpdated):
        return False
    if is_adopted(order) and event.ts_event <= order.ts_accepted + ROUNDING_NS:
        return True  # with what it was accepted as it was taken in, or with what it had since
    return any(
        isinstance(other, OrderUpdated) and event.ts_event < other.ts_event - ROUNDING_NS
        for other in order.events
    )


def _changes(order: Order, event: OrderEvent) -> bool:
    """Whether an event tells more of an order than is known."""
    match event:
        case OrderAccepted():
            return not order.is_open
        case OrderUpdated():
            price = order.price if order.has_price else None
            return bool(event.quantity != order.quantity or event.price not in (None, price))
    return True


def _shrunk(order: Order, event: OrderFilled) -> OrderUpdated:
    filled = order.filled_qty.as_decimal() + event.last_qty.as_decimal()
    return OrderUpdated(
        trader_id=order.trader_id,
        strategy_id=order.strategy_id,
        instrument_id=order.instrument_id,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        account_id=event.account_id,
        quantity=Quantity(filled, order.quantity.precision),
        price=order.price if order.has_price else None,
        trigger_price=order.trigger_price if order.has_trigger_price else None,
        event_id=UUID4(),
        ts_event=event.ts_event,
        ts_init=event.ts_init,
    )
