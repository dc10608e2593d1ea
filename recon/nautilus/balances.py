"""Books what no trade explains, and repairs what a crash has torn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from nautilus_trader.model.orders import Order

from recon.core.facts import ZERO, Leg, Side, Trade, VenueOrder
from recon.core.opening import Holding
from recon.core.orders import End
from recon.nautilus.book import OPENING_TAG, Book
from recon.nautilus.emitter import Emitter
from recon.nautilus.holdings import Torn
from recon.nautilus.ownership import Ownership
from recon.nautilus.venue import Venue


class Balances:
    """Changes the positions of one account other than by trades of the venue."""

    def __init__(
        self,
        venue: Venue,
        cache: Any,
        book: Book,
        emitter: Emitter,
        ownership: Ownership,
        *,
        dry_run: bool,
    ) -> None:
        self._venue = venue
        self._cache = cache
        self._book = book
        self._emitter = emitter
        self._ownership = ownership
        self._dry_run = dry_run

    def book_unexplained(
        self, leg: Leg, balance: Holding, at_ns: int, tag: str = OPENING_TAG
    ) -> None:
        """Book a quantity that no trade explains, under a tag that tells it apart."""
        if self._dry_run:
            return
        instrument_id = self._venue.instrument_id(leg.symbol)
        instrument = self._cache.instrument(instrument_id)
        stamp_ns = self._emitter.stamp_ns()
        name = f"{tag.replace('_', '-')}-{leg.symbol}-{leg.position_side}"
        side: Side = "BUY" if balance.quantity > 0 else "SELL"
        venue = VenueOrder(
            symbol=leg.symbol,
            order_id=f"{name}-{stamp_ns}",
            client_order_id=name[:36],
            side=side,
            position_side=leg.position_side,
            type="MARKET",
            time_in_force="GTC",
            status="FILLED",
            quantity=abs(balance.quantity),
            filled=abs(balance.quantity),
            price=None,
            average_price=balance.entry_price,
            reduce_only=False,
            created_ns=at_ns,
            updated_ns=at_ns,
            asked_ns=at_ns,
        )
        owner = self._book.holdings.owner(leg, self._ownership.claim(instrument_id))
        order = self._emitter.adopt(
            venue, self._book.free_id(name[:36], str(stamp_ns)), owner, venue.quantity, [tag]
        )
        self._emitter.accept(order, venue.order_id, at_ns)
        self._emitter.fill(
            order,
            Trade(
                symbol=leg.symbol,
                order_id=venue.order_id,
                trade_id=f"{tag.removeprefix('RECON_')}-{stamp_ns}",
                sequence=0,
                side=venue.side,
                position_side=leg.position_side,
                quantity=venue.quantity,
                price=round(balance.entry_price, 9),
                commission=ZERO,
                commission_asset=instrument.quote_currency.code,
                is_maker=False,
                time_ns=at_ns,
            ),
        )

    def end_torn(self, unsent: Iterable[Order], now_ns: int) -> None:
        """End what was being booked when a crash broke it off; it is booked anew."""
        for order in self._book.torn_bookings(unsent):
            if not self._dry_run:
                self._emitter.end(order, End("CANCELED", now_ns, "a crash broke it off"))

    def repair(self, torn: Sequence[Torn], *, is_last: bool) -> None:
        """Give positions the fills that a crash kept from them.

        Where later ones stand there a position is made anew, if all of its fills are here.
        """
        if self._dry_run:
            return
        lacking: defaultdict[Any, list[Torn]] = defaultdict(list)
        for each in torn:
            lacking[each.fill.position_id].append(each)
        for position_id, its in lacking.items():
            gained = sum((each.signed for each in its), ZERO)
            if is_last or not self._book.holdings.replay_with(position_id, gained):
                for order, fill, part in its:
                    self._emitter.repair(order, fill, part)
