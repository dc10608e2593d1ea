"""Brings the node to what was read of one symbol.

Rules of this file:

1. Everything here is synchronous: between looking at the node and changing it nothing
   else can happen.  Whoever calls has drained the engine's queue.
2. Trades are applied in the venue's order over all orders of a symbol, so that positions
   go through the states that they went through.  What has to come before the first fill
   of an order (acceptance, other terms) comes right before it, its end right after its
   last one.
3. Each step looks at the ledger and at the order again.  Applying the same facts twice
   changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order

from recon.core.facts import ZERO, Leg, Trade, VenueOrder
from recon.core.ledger import Ledger
from recon.core.orders import (
    ROUNDING_NS,
    Accept,
    Continue,
    End,
    Fill,
    Refuse,
    Settlement,
    Step,
    Update,
    is_another,
    settle,
)
from recon.core.rank import Rank, rank
from recon.nautilus.adopter import Adopter, made_up, total
from recon.nautilus.book import (
    Book,
    is_adopted,
    prior_of,
)
from recon.nautilus.emitter import Emitter
from recon.nautilus.replay import is_late
from recon.nautilus.teller import Teller
from recon.nautilus.venue import Venue


class _Slot(msgspec.Struct, gc=False):
    """One order of the venue while its trades are applied.

    ``order`` is the node's, None where the order is none of the node's business, and
    ``since_ns`` from when on the two have differed.
    """

    venue: VenueOrder
    order: Order | None
    left: int
    after: Sequence[Step] = ()
    since_ns: int = 0
    is_new: bool = False
    is_told: bool = False


class Unfinished(msgspec.Struct, frozen=True):
    """An order that something is still not known of.

    ``is_difference`` says that the node shows it otherwise than the venue.
    """

    order: VenueOrder
    why: str
    is_difference: bool


class Applier:
    """Applies facts of one account."""

    def __init__(
        self,
        venue: Venue,
        book: Book,
        ledger: Ledger,
        emitter: Emitter,
        adopter: Adopter,
        teller: Teller,
        *,
        dry_run: bool,
    ) -> None:
        self._venue = venue
        self._book = book
        self._ledger = ledger
        self.emitter = emitter
        self._adopter = adopter
        self._teller = teller
        self._dry_run = dry_run

    # -- a symbol ---------------------------------------------------------------------

    def apply(
        self,
        symbol: str,
        trades: Sequence[Trade],
        orders: Mapping[str, VenueOrder],
        now_ns: int,
    ) -> tuple[list[Unfinished], list[Trade]]:
        """Apply trades, oldest first, and the states of orders, keyed by order id.

        Returns the orders that are not settled, and the trades that could not be applied.
        """
        instrument_id = self._venue.instrument_id(symbol)
        book = self._ledger.book(symbol)
        by_order: dict[str, list[Trade]] = {}
        for trade in trades:
            by_order.setdefault(trade.order_id, []).append(trade)
        late = self._late_legs(symbol, trades)
        slots: dict[str, _Slot] = {}
        unfinished: list[Unfinished] = []
        failed: list[Trade] = []
        filled = 0
        calm_ns = now_ns - self._venue.bounds.read_lag_ns
        for trade in trades:
            slot = slots.get(trade.order_id)
            if slot is None:
                mine = by_order[trade.order_id]
                venue = orders.get(trade.order_id)
                if self._is_early(instrument_id, venue, mine, calm_ns):
                    failed.append(trade)
                    continue
                venue = venue or made_up(mine)
                slot = slots[trade.order_id] = self._begin(
                    instrument_id, venue, mine, now_ns, unfinished
                )
            slot.left -= 1
            if slot.order is None:
                book.record(trade.key, trade.sequence)
                book.mark_purged(trade.key)  # the node has no order of it, and rightly so
                if not self._dry_run:
                    book.filter_out(trade.position_side, trade.signed)
            elif self._fill(slot, slot.order, trade, now_ns):
                filled += 1
            else:
                failed.append(trade)
            if not slot.left:
                self._finish(slot, now_ns)
        if self._teller.is_starting:
            orders_of = [slot for slot in slots.values() if slot.order is not None]
            new = sum(slot.is_new for slot in orders_of)
            counts = {"missing-fill": filled, "unknown-order": new}
            self._teller.count(instrument_id, {**counts, "order-state": len(orders_of) - new})
        for leg in late:
            self._book.holdings.replay(leg)
        for order_id, venue in orders.items():
            if order_id not in slots:
                self._state(instrument_id, venue, now_ns, unfinished)
        self._book.fill_in(symbol)
        return unfinished, failed

    def _is_early(
        self,
        instrument_id: InstrumentId,
        venue: VenueOrder | None,
        trades: Sequence[Trade],
        calm_ns: int,
    ) -> bool:
        """Whether an order is served late, or trades of it: what it is will be seen.

        ``calm_ns`` is the time before which no read is behind.
        """
        if venue is None:
            return trades[-1].time_ns > calm_ns
        if venue.updated_ns <= calm_ns or self._adopter.prior(venue, trades) <= 0:
            return False
        if trades and trades[-1].time_ns >= venue.updated_ns - ROUNDING_NS:
            return False  # its last change is among them
        return self._book.is_blank(venue.symbol) or self.find(instrument_id, venue) is None

    def without_inferred(
        self, symbol: str, trades: Sequence[Trade], orders: Mapping[str, VenueOrder]
    ) -> Sequence[Trade]:
        """Leave out trades that an order has already, as fills that somebody inferred.

        The stock engine books what it has not seen under ids of its own.  Where an order
        with such fills would be filled with more than the venue has executed, its oldest
        trades are those that it has.
        """
        if self._book.is_blank(symbol):
            return trades
        instrument_id = self._venue.instrument_id(symbol)
        excess: dict[str, Decimal] = {}
        for order_id in dict.fromkeys(trade.order_id for trade in trades):
            venue = orders.get(order_id)
            order = None if venue is None else self.find(instrument_id, venue)
            if venue is not None and order is not None and self._book.has_inferred(order):
                mine = total([trade for trade in trades if trade.order_id == order_id])
                filled = order.filled_qty.as_decimal() + prior_of(order)
                excess[order_id] = filled + mine - venue.filled
        left: list[Trade] = []
        for trade in trades:
            if trade.quantity <= excess.get(trade.order_id, ZERO):
                excess[trade.order_id] -= trade.quantity
                self._ledger.book(symbol).record(trade.key, trade.sequence)
            else:
                left.append(trade)
        return left

    def _late_legs(self, symbol: str, trades: Sequence[Trade]) -> list[Leg]:
        """Return the legs on which the node has booked later trades already."""
        if self._dry_run:
            return []
        first: dict[str, Rank] = {}
        for trade in trades:
            its = rank(trade.time_ns, trade.trade_id, is_maker=trade.is_maker)
            first[trade.position_side] = min(its, first.get(trade.position_side, its))
        holdings = self._book.holdings
        legs = ((Leg(symbol, side), its) for side, its in first.items())
        late = [leg for leg, its in legs if any(is_late(p, its) for p in holdings.booked(leg))]
        if self._teller.is_starting:
            late += [leg for leg in holdings.half_made(symbol) if leg not in late]
        return late

    def _begin(
        self,
        instrument_id: InstrumentId,
        venue: VenueOrder,
        trades: list[Trade],
        now_ns: int,
        unfinished: list[Unfinished],
    ) -> _Slot:
        is_blank = self._book.is_blank(venue.symbol)
        order = None if is_blank else self.find(instrument_id, venue)
        is_new = order is None
        if order is None:
            order = self._adopter.adopt(instrument_id, venue, trades, now_ns)
            if order is None:
                return _Slot(venue, None, len(trades))
            if venue.status == "FILLED" and venue.filled == venue.quantity == total(trades):
                # Most orders of a history: accepted and filled, and nothing else.
                self.emitter.accept(order, venue.order_id, venue.created_ns)
                return _Slot(venue, order, len(trades), (), venue.created_ns, is_new)
        since_ns = _unheard_ns(order, venue, trades[0].time_ns)
        settlement = self._settled(order, venue, trades)
        if any(isinstance(step, Continue) for step in settlement.steps):
            order = self._adopter.go_on(order, venue, settlement, trades)
            settlement = self._settled(order, venue, trades)
        if settlement.open_question is not None:
            unfinished.append(Unfinished(venue, settlement.open_question, settlement.is_difference))
        number = next(
            (n for n, step in enumerate(settlement.steps) if isinstance(step, Fill)),
            len(settlement.steps),
        )
        for step in settlement.steps[:number]:
            self._do(order, venue, step)
        after: list[Step] = [
            step for step in settlement.steps[number:] if not isinstance(step, Fill)
        ]
        return _Slot(venue, order, len(trades), after, since_ns, is_new)

    def _finish(self, slot: _Slot, now_ns: int) -> None:
        if slot.order is None:
            return
        if not (self._teller.is_starting or slot.is_told):
            if slot.is_new:
                self._teller.unknown_order(slot.venue, slot.since_ns, now_ns)
            else:
                self._teller.order_state(slot.order, slot.venue, slot.since_ns, now_ns)
        for step in slot.after:
            self._do(slot.order, slot.venue, step)

    def _state(
        self,
        instrument_id: InstrumentId,
        venue: VenueOrder,
        now_ns: int,
        unfinished: list[Unfinished],
    ) -> None:
        """Bring an order to the venue's state, of which there are no trades to apply."""
        calm_ns = now_ns - self._venue.bounds.read_lag_ns
        if venue.is_open and self._is_early(instrument_id, venue, (), calm_ns):
            why = "it is not known how much of it was filled before the first contact"
            unfinished.append(Unfinished(venue, why, is_difference=True))
            return
        order = self.find(instrument_id, venue)
        is_new = order is None
        if order is None:
            if venue.is_open:
                order = self._adopter.adopt(instrument_id, venue, [], now_ns)
            if order is None:
                return
            self._teller.unknown_order(venue, venue.created_ns, now_ns)
        elif self._book.agrees(order, venue):
            return
        settlement = self._settled(order, venue, [])
        if any(isinstance(step, Continue) for step in settlement.steps):
            order = self._adopter.go_on(order, venue, settlement, [])
            settlement = self._settled(order, venue, [])
        if settlement.open_question is not None:
            unfinished.append(Unfinished(venue, settlement.open_question, settlement.is_difference))
        # A question that stays open is told when it has been for long, what is changed now is now.
        changes = settlement.open_question is None or bool(settlement.steps)
        if settlement.is_difference and changes and not is_new:
            since_ns = _unheard_ns(order, venue, venue.updated_ns)
            self._teller.order_state(order, venue, since_ns, now_ns)
        for step in settlement.steps:
            self._do(order, venue, step)

    def find(self, instrument_id: InstrumentId, venue: VenueOrder) -> Order | None:
        """Return the order of the node that stands for one of the venue."""
        order = self._book.find(
            instrument_id, venue.order_id, venue.client_order_id, venue.created_ns
        )
        if order is None or order.venue_order_id is not None or is_adopted(order):
            return order
        local = self._book.local(order)
        return None if is_another(local, venue, self._venue.bounds) else order

    def end(self, order: Order, end: End) -> None:
        """End an order that the venue does not have."""
        if not self._dry_run and not order.is_closed:
            self.emitter.end(order, end)

    def _settled(self, order: Order, venue: VenueOrder, trades: Sequence[Trade]) -> Settlement:
        return settle(self._book.local(order), venue, trades, self._venue.bounds)

    def _do(self, order: Order, venue: VenueOrder, step: Step) -> None:
        if self._dry_run:
            return
        match step:
            case Accept():
                self.emitter.accept(order, venue.order_id, venue.created_ns)
            case Update():
                self.emitter.update(order, venue.order_id, step, venue.updated_ns)
            case End() if not order.is_closed:
                self.emitter.end(order, step)
            case Refuse():
                self.emitter.refuse(order, venue.order_id, step, venue.asked_ns)

    def _fill(self, slot: _Slot, order: Order, trade: Trade, now_ns: int) -> bool:
        """Apply one trade; False when the engine has not taken it."""
        if not self._teller.is_starting and self._teller.missing_fill(order, trade, now_ns):
            slot.is_told = True
        if self._dry_run:
            self._ledger.book(trade.symbol).record(trade.key, trade.sequence)
            return True
        if slot.venue.is_open:
            self._complete(order, trade)
        if not self.emitter.fill(order, trade):
            return False
        self._ledger.book(trade.symbol).record(trade.key, trade.sequence)
        return True

    def _complete(self, order: Order, trade: Trade) -> None:
        """Let an order end with its last fill whose first ones came before the first contact.

        What was read of it is older than the trade, and shows it open; where it does not,
        its quantity is what is filled here already.
        """
        prior = prior_of(order)
        if not prior:
            return
        filled = order.filled_qty.as_decimal() + trade.quantity
        if filled + prior == order.quantity.as_decimal():
            price = order.price.as_decimal() if order.has_price else None
            trigger = order.trigger_price.as_decimal() if order.has_trigger_price else None
            self.emitter.update(
                order, trade.order_id, Update(filled, price, trigger), trade.time_ns
            )


def _unheard_ns(order: Order, venue: VenueOrder, changed_ns: int) -> int:
    """Return since when nothing has been heard of an order: for one that is open, its change.

    One on its way to the venue has differed since then: what it has become may be younger.  It
    counts as open for NautilusTrader when a strategy has asked to change it.
    """
    if order.is_open and order.venue_order_id is not None:
        return changed_ns
    return min(venue.created_ns, int(order.ts_last))
