"""What of all that is corrected is told, and how.

While a start lasts nothing is told one by one: it ends with one summary for each
instrument.  Later, what is younger than a second is no discrepancy but the stream on its
way: a read that was faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    TradeId,
    VenueOrderId,
)
from nautilus_trader.model.orders import Order

from recon.alerts import Alerts, Comparison, Discrepancy
from recon.core.facts import Leg, Trade, VenueOrder
from recon.nautilus.venue import Venue

STREAM_NS = 1_000_000_000
"""What an event of the stream may take, as a rule."""

LATE_NS = 5_000_000_000
"""From when on an event of the stream is told as late."""


class Teller:
    """Tells the discrepancies of one account."""

    def __init__(
        self, alerts: Alerts, venue: Venue, account_id: AccountId, now_ns: Callable[[], int]
    ) -> None:
        self._alerts = alerts
        self._venue = venue
        self._account_id = account_id
        self._now_ns = now_ns
        self._start: dict[InstrumentId, Counter[str]] | None = None
        self._unresolved: set[str] = set()
        self._not_loaded: set[str] = set()
        self._unrepresentable: set[tuple[str, str]] = set()
        self._told: set[tuple[Any, ...]] = set()
        self.is_correcting = True

    # -- a start ----------------------------------------------------------------------

    @property
    def is_starting(self) -> bool:
        """Whether a start lasts."""
        return self._start is not None

    def begin_start(self) -> None:
        """Count from here on instead of telling."""
        self._start = {}

    def end_start(self) -> None:
        """Tell what was counted, one summary for each instrument, and no longer count."""
        counted, self._start = self._start or {}, None
        for instrument_id, counts in counted.items():
            if not counts:
                continue
            found = ", ".join(f"{number} {kind}" for kind, number in counts.items())
            self._tell("startup", instrument_id, f"the start found on {instrument_id}: {found}")

    def count(self, instrument_id: InstrumentId, found: Mapping[str, int]) -> None:
        """Count what a start has found, by kind."""
        assert self._start is not None
        counts = self._start.setdefault(instrument_id, Counter())
        counts.update({kind: number for kind, number in found.items() if number})

    def _counts(self, instrument_id: InstrumentId, kind: str) -> bool:
        if self._start is None:
            return False
        self.count(instrument_id, {kind: 1})
        return True

    # -- fills and orders ---------------------------------------------------------------

    def missing_fill(self, order: Order, trade: Trade, now_ns: int) -> bool:
        """A trade is applied that the stream did not tell, or not yet; whether it was told."""
        if self._counts(order.instrument_id, "missing-fill") or _is_fresh(trade.time_ns, now_ns):
            return False
        self._tell(
            "missing-fill",
            order.instrument_id,
            f"{trade.side} {trade.quantity} {trade.symbol} at {trade.price}, trade "
            f"{trade.trade_id} of order {order.client_order_id} was not heard of",
            position_side=trade.position_side,
            client_order_id=order.client_order_id,
            venue_order_id=VenueOrderId(trade.order_id),
            trade_id=TradeId(trade.trade_id),
        )
        return True

    def unknown_order(self, venue: VenueOrder, since_ns: int, now_ns: int) -> None:
        """An order of the venue was not known to the node."""
        instrument_id = self._venue.instrument_id(venue.symbol)
        if self._counts(instrument_id, "unknown-order") or _is_fresh(since_ns, now_ns):
            return
        self._tell(
            "unknown-order",
            instrument_id,
            f"order {venue.order_id} ({venue.client_order_id}) of {venue.symbol}, {venue.side} "
            f"{venue.quantity}, is {venue.status} at the venue and was not known",
            venue_order_id=VenueOrderId(venue.order_id),
            client_order_id=_client_order_id(venue),
        )

    def order_state(self, order: Order, venue: VenueOrder, since_ns: int, now_ns: int) -> None:
        """An order is brought to the venue's state."""
        self.resolved(order.client_order_id.value)
        if self._counts(order.instrument_id, "order-state") or _is_fresh(since_ns, now_ns):
            return
        self._tell(
            "order-state",
            order.instrument_id,
            f"order {order.client_order_id} ({venue.order_id}) was {order.status_string()} here "
            f"and is {venue.status} at the venue",
            client_order_id=order.client_order_id,
            venue_order_id=VenueOrderId(venue.order_id),
        )

    def ended(self, order: Order, reason: str) -> None:
        """An order is ended that the venue does not have."""
        self.resolved(order.client_order_id.value)
        if self._counts(order.instrument_id, "order-state"):
            return
        self._tell(
            "order-state",
            order.instrument_id,
            f"order {order.client_order_id} was {order.status_string()} here: {reason}",
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
        )

    def unresolved(self, order: Order, why: str) -> None:
        """Nothing can be concluded about an order yet; told once until it is resolved."""
        name = order.client_order_id.value
        if name in self._unresolved:
            return
        self._unresolved.add(name)
        self._tell(
            "unresolved-order",
            order.instrument_id,
            f"order {name} is {order.status_string()} here and not settled: {why}",
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            is_corrected=False,
        )

    def resolved(self, client_order_id: str) -> None:
        """An order is resolved; when it is open again it is told again."""
        self._unresolved.discard(client_order_id)

    def late(
        self, event: Any, since_ns: int, trade_id: TradeId | None, position_side: str | None
    ) -> None:
        """The stream told something long after it happened, or first told of an order."""
        self._tell(
            "late-event",
            event.instrument_id,
            f"{type(event).__name__} of {event.client_order_id} came "
            f"{(self._now_ns() - since_ns) / 1e9:.1f} s late",
            client_order_id=event.client_order_id,
            venue_order_id=event.venue_order_id,
            trade_id=trade_id,
            position_side=position_side,
        )

    def compared(self, why_not: str = "") -> None:
        """The account was compared with the venue, or could not be."""
        self._alerts.compared(
            Comparison(
                account=self._account_id,
                is_complete=not why_not,
                text=why_not,
                ts_event=self._now_ns(),
            )
        )

    # -- legs and instruments -----------------------------------------------------------

    def leg(self, kind: str, leg: Leg, text: str, *, is_corrected: bool) -> None:
        """Something about a leg."""
        instrument_id = self._venue.instrument_id(leg.symbol)
        if kind in ("opening-balance", "torn-position") and self._counts(instrument_id, kind):
            return
        self._tell(
            kind,
            instrument_id,
            f"{leg}: {text}",
            position_side=leg.position_side,
            is_corrected=is_corrected,
        )

    def not_loaded(self, symbol: str) -> None:
        """The account trades what the node has no instrument of; told once."""
        if symbol not in self._not_loaded:
            self._not_loaded.add(symbol)
            self._tell(
                "not-loaded",
                self._venue.instrument_id(symbol),
                f"the account trades {symbol}, which the node has not loaded: add it to the "
                "instrument provider to have it reconciled",
                is_corrected=False,
            )

    def unrepresentable(self, venue: VenueOrder, why: str) -> None:
        """An order of the venue that the node cannot hold; told once."""
        if (venue.symbol, venue.order_id) in self._unrepresentable:
            return
        self._unrepresentable.add((venue.symbol, venue.order_id))
        self._tell(
            "unrepresentable-order",
            self._venue.instrument_id(venue.symbol),
            f"order {venue.order_id} ({venue.client_order_id}): {why}",
            venue_order_id=VenueOrderId(venue.order_id),
            client_order_id=_client_order_id(venue),
            is_corrected=False,
        )

    def _tell(
        self,
        kind: str,
        instrument_id: InstrumentId,
        text: str,
        *,
        is_corrected: bool = True,
        **names: Any,
    ) -> None:
        if not self.is_correcting:
            # It stays as it is, and would be told again at every comparison.
            told = (kind, instrument_id, *names.values())
            if told in self._told:
                return
            self._told.add(told)
        self._alerts.tell(
            Discrepancy(
                kind=kind,
                account=self._account_id,
                instrument_id=instrument_id,
                text=text,
                is_corrected=is_corrected and self.is_correcting,
                ts_event=self._now_ns(),
                **names,
            )
        )


def _is_fresh(at_ns: int, now_ns: int) -> bool:
    return now_ns - at_ns < STREAM_NS


def _client_order_id(venue: VenueOrder) -> ClientOrderId | None:
    return ClientOrderId(venue.client_order_id) if venue.client_order_id else None
