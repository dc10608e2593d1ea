"""Orders that the node does not have, and those that go on for one it has."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from recon.core.facts import ZERO, Leg, Trade, VenueOrder
from recon.core.ledger import Ledger
from recon.core.orders import ROUNDING_NS, Continue, Settlement
from recon.nautilus.book import ADOPTED_TAG, CONTINUES_TAG, PRIOR_TAG, Book
from recon.nautilus.emitter import Emitter
from recon.nautilus.holdings import EXTERNAL
from recon.nautilus.ownership import Ownership
from recon.nautilus.teller import Teller
from recon.nautilus.venue import Indescribable, Venue


class Adopter:
    """Puts orders of one account into the node."""

    def __init__(
        self,
        venue: Venue,
        book: Book,
        ledger: Ledger,
        emitter: Emitter,
        ownership: Ownership,
        teller: Teller,
        *,
        dry_run: bool,
    ) -> None:
        self._venue = venue
        self._book = book
        self._ledger = ledger
        self._emitter = emitter
        self._ownership = ownership
        self._teller = teller
        self._dry_run = dry_run

    def adopt(
        self,
        instrument_id: InstrumentId,
        venue: VenueOrder,
        trades: Sequence[Trade],
        now_ns: int,
    ) -> Order | None:
        """Put an order of the venue into the node, None where it is none of its business."""
        strategy_id = self._ownership.of(venue, instrument_id)
        if self._ownership.is_filtered(venue, strategy_id):
            return None
        tags = ["VENUE", ADOPTED_TAG] if strategy_id == EXTERNAL else [ADOPTED_TAG]
        prior = self.prior(venue, trades)
        if prior > 0:
            tags.append(f"{PRIOR_TAG}{prior:f}")
        if self._dry_run:
            self._teller.unknown_order(venue, venue.created_ns, now_ns)
            return None
        held: list[Position] = []
        if strategy_id == EXTERNAL and self._venue.position_id(instrument_id, "BOTH") is None:
            # The account has one position, whoever trades it: where one strategy holds it
            # here, a fill by hand belongs to what it holds.
            held = self._book.holdings.positions(Leg(venue.symbol, venue.position_side))
        position = held[0] if len(held) == 1 else None
        client_order_id = self._book.free_id(venue.client_order_id, venue.order_id)
        try:
            return self._emitter.adopt(
                venue, client_order_id, strategy_id, venue.quantity, tags, position
            )
        except Indescribable as e:
            if not trades:
                self._teller.unrepresentable(venue, str(e))
                return None
        # Its fills count, whatever it was: it is held as what has filled it.
        filled = made_up(trades, venue.client_order_id)
        return self._emitter.adopt(
            filled, client_order_id, strategy_id, filled.quantity, tags, position
        )

    def prior(self, venue: VenueOrder, trades: Sequence[Trade]) -> Decimal:
        """Return what of an order was filled before the trades that count.

        Trades that are younger than what was read of the order are in neither.
        """
        since_ns = self._ledger.book(venue.symbol).origin_ns
        if self._ledger.first_contact_ns:
            since_ns = min(since_ns, self._ledger.first_contact_ns)
        if venue.created_ns >= since_ns:
            return ZERO
        known_ns = venue.updated_ns + ROUNDING_NS
        return venue.filled - total([trade for trade in trades if trade.time_ns <= known_ns])

    def go_on(
        self, order: Order, venue: VenueOrder, settlement: Settlement, trades: Sequence[Trade]
    ) -> Order:
        """Make the order that goes on for one that cannot change any more.

        Returns the same order where none can be made.
        """
        [step] = [step for step in settlement.steps if isinstance(step, Continue)]
        if self._dry_run:
            return order
        client_order_id = self._book.continuation_id(order)
        tags = [
            f"{CONTINUES_TAG}{order.client_order_id.value}",
            f"{PRIOR_TAG}{venue.quantity - step.quantity:f}",
        ]
        try:
            return self._emitter.adopt(
                venue, client_order_id, order.strategy_id, venue.quantity, tags
            )
        except Indescribable as e:
            if not trades:
                self._teller.unrepresentable(venue, str(e))
                return order
        filled = made_up(trades, venue.client_order_id)
        return self._emitter.adopt(
            filled, client_order_id, order.strategy_id, filled.quantity, tags[:1]
        )


def total(trades: Sequence[Trade]) -> Decimal:
    if len(trades) == 1:
        return trades[0].quantity
    return sum((trade.quantity for trade in trades), ZERO)


def made_up(trades: Sequence[Trade], client_order_id: str = "") -> VenueOrder:
    """Return an order that cannot be had, as far as its trades tell of it."""
    first, last = trades[0], trades[-1]
    quantity = total(trades)
    return VenueOrder(
        symbol=first.symbol,
        order_id=first.order_id,
        client_order_id=client_order_id,
        side=first.side,
        position_side=first.position_side,
        type="MARKET",
        time_in_force="GTC",
        status="FILLED",
        quantity=quantity,
        filled=quantity,
        price=None,
        average_price=None,
        reduce_only=False,
        created_ns=first.time_ns,
        updated_ns=last.time_ns,
        asked_ns=last.time_ns,
    )
