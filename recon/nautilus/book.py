"""What the node holds of one account, as facts.

Orders of the node are found by the venue's id within their symbol, because NautilusTrader
indexes ids of the venue without regard to the symbol; else by their client order id.
Where an order cannot change any more, its continuation order stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any
from zlib import crc32

from nautilus_trader.model.enums import OrderSide, OrderType, order_status_to_str
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderPendingCancel,
    OrderPendingUpdate,
    OrderSubmitted,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    TradeId,
    VenueOrderId,
)
from nautilus_trader.model.orders import Order

from recon.core.facts import ZERO, FillKey, Side, VenueOrder
from recon.core.orders import BEYOND_CHANGE, UNSENT, LocalOrder
from recon.nautilus.holdings import Holdings
from recon.nautilus.venue import Venue

ADOPTED_TAG = "RECON_ADOPTED"
PRIOR_TAG = "RECON_PRIOR="
CONTINUES_TAG = "RECON_CONTINUES="
OPENING_TAG = "RECON_OPENING"
ADJUSTMENT_TAG = "RECON_ADJUSTMENT"

_TOLD = (OrderAccepted, OrderFilled, OrderCanceled, OrderExpired, OrderUpdated)
_ASKED = (OrderSubmitted, OrderPendingUpdate, OrderPendingCancel)
_CONDITIONAL = frozenset(
    {
        OrderType.STOP_MARKET,
        OrderType.STOP_LIMIT,
        OrderType.MARKET_IF_TOUCHED,
        OrderType.LIMIT_IF_TOUCHED,
        OrderType.TRAILING_STOP_MARKET,
        OrderType.TRAILING_STOP_LIMIT,
    }
)
_ID_LENGTH = 36
"""The longest client order id that Binance takes ("New Order": `^[\\.A-Z\\:/a-z0-9_-]{1,36}$`)."""


class Book:
    """The orders of one account in the node's cache; ``holdings`` are its positions.

    ``is_routed_here`` tells of an order that no account has accepted yet whether it goes, or
    went, to this one; ``is_blank`` says that the node has loaded no order.
    """

    def __init__(
        self,
        cache: Any,
        venue: Venue,
        account_id: AccountId,
        is_routed_here: Callable[[Order], bool],
        *,
        is_blank: bool,
    ) -> None:
        self._cache = cache
        self._venue = venue
        self._account_id = account_id
        self._is_routed_here = is_routed_here
        self.holdings = Holdings(cache, venue, account_id, self._is_mine)
        # While the first start of an empty node lasts: the symbols that it has been through.
        self._been: set[str] | None = set() if is_blank else None
        # Orders whose id of the venue is another symbol's, too.
        self._shadowed: dict[tuple[InstrumentId, str], ClientOrderId] = {}

    # -- orders -----------------------------------------------------------------------

    def is_blank(self, symbol: str) -> bool:
        """Whether the node can have no order of a symbol, so that none need be looked for.

        True only while the first start of a node lasts that has loaded no order.
        """
        return self._been is not None and symbol not in self._been

    def symbols(self) -> set[str]:
        """Return the symbols of all orders of this account, of any state."""
        one_of_each = {order.instrument_id: order for order in self._cache.orders()}
        return {
            self._venue.symbol(instrument_id)
            for instrument_id, order in one_of_each.items()
            if self._is_mine(order)
        }

    def fill_in(self, symbol: str) -> None:
        """Note that orders of a symbol have been put into the node."""
        if self._been is not None:
            self._been.add(symbol)

    def open_up(self) -> None:
        """Note that from here on anybody may put orders into the node."""
        self._been = None

    def find(
        self,
        instrument_id: InstrumentId,
        order_id: str | None,
        client_order_id: str | None,
        created_ns: int | None = None,
    ) -> Order | None:
        """Return the order of the node that stands for one of the venue."""
        order = self._by_venue_id(instrument_id, order_id) if order_id else None
        if order is None:
            named = map(self._cache.order, _ids(client_order_id or "", order_id))
            its = (each for each in named if each is not None)
            order = next((o for o in its if _may_be(o, instrument_id, order_id, created_ns)), None)
        return None if order is None else self.speaker(order)

    def _by_venue_id(self, instrument_id: InstrumentId, order_id: str) -> Order | None:
        client_order_id = self._cache.client_order_id(VenueOrderId(order_id))
        if client_order_id is None:
            return None
        order = self._cache.order(client_order_id)
        if order is not None and order.instrument_id == instrument_id:
            return order
        key = (instrument_id, order_id)
        if key not in self._shadowed:
            for other in self._cache.orders(instrument_id=instrument_id):
                if other.venue_order_id is not None and other.venue_order_id.value == order_id:
                    self._shadowed[key] = other.client_order_id
                    break
        client_order_id = self._shadowed.get(key)
        return None if client_order_id is None else self._cache.order(client_order_id)

    def is_gone(self, instrument_id: InstrumentId, order_id: str) -> bool:
        """Whether the node has no order with an id of the venue."""
        return self._by_venue_id(instrument_id, order_id) is None

    def fills(self) -> Iterator[tuple[FillKey, int, Order]]:
        """Yield the fills of all orders of this account, with where they stand in a symbol."""
        for order in self._cache.orders():
            symbol = self._venue.symbol(order.instrument_id)
            side: Side = "BUY" if order.side == OrderSide.BUY else "SELL"
            for event in order.events:
                if isinstance(event, OrderFilled) and event.account_id == self._account_id:
                    trade_id = event.trade_id.value
                    sequence = self._venue.sequence(trade_id, event.ts_event)
                    if sequence is not None:
                        order_id = event.venue_order_id.value
                        yield FillKey(symbol, order_id, trade_id, side), sequence, order

    def has_inferred(self, order: Order) -> bool:
        """Whether an order has fills under ids that are none of the venue's."""
        return any(
            isinstance(event, OrderFilled)
            and self._venue.sequence(event.trade_id.value, event.ts_event) is None
            for event in order.events
        )

    def agrees(self, order: Order, venue: VenueOrder) -> bool:
        """Whether an order that stands at the venue stands here with the same terms."""
        return bool(
            venue.is_open
            and order.status_string() in ("ACCEPTED", "PARTIALLY_FILLED", "TRIGGERED")
            and order.filled_qty == venue.filled
            and order.quantity == venue.quantity
            and (not order.has_price or order.price == venue.price)
            and not order.has_trigger_price
            and order.venue_order_id.value == venue.order_id
        )

    def speaker(self, order: Order) -> Order:
        """Return the order that goes on for one that cannot change any more, or itself."""
        while order_status_to_str(order.status) in BEYOND_CHANGE or order.is_closed:
            following = self._cache.order(self.continuation_id(order))
            if following is None:
                return order
            order = following
        return order

    def continuation_id(self, order: Order) -> ClientOrderId:
        """Return the client order id of the order that continues one."""
        base, _, number = order.client_order_id.value.rpartition("-C")
        if tagged(order, CONTINUES_TAG) is None or not number.isdigit():
            base, number = order.client_order_id.value, "0"
        suffix = f"-C{int(number) + 1}"
        wanted = ClientOrderId(base + suffix)
        if len(wanted.value) <= _ID_LENGTH:
            found = self._cache.order(wanted)
            if found is None or tagged(found, CONTINUES_TAG) == order.client_order_id.value:
                return wanted
        # Too long, or the name of another order: the sum keeps names apart that are cut.
        suffix = f"-{crc32(order.client_order_id.value.encode()):08x}{suffix}"
        return ClientOrderId(base[: _ID_LENGTH - len(suffix)] + suffix)

    def free_id(self, client_order_id: str, order_id: str) -> ClientOrderId:
        """Return the id under which an order of the venue can be put into the node."""
        ids = _ids(client_order_id, order_id)
        return next((each for each in ids if self._cache.order(each) is None), ids[-1])

    def holder(self, instrument_id: InstrumentId, order_id: str, trade_id: str) -> Order | None:
        """Return the order of the node that contains a trade, be it one that continues it."""
        order = self._by_venue_id(instrument_id, order_id)
        if order is None:
            return None
        wanted = TradeId(trade_id)
        if wanted in order.trade_ids:
            return order
        speaker = self.speaker(order)
        if wanted in speaker.trade_ids:
            return speaker
        while (continued := tagged(order, CONTINUES_TAG)) is not None:
            order = self._cache.order(ClientOrderId(continued))
            if order is None or wanted in order.trade_ids:
                return order
        return None

    def torn_bookings(self, unsent: Iterable[Order]) -> list[Order]:
        """Return the orders under which `recon` was booking a balance, and did not come to it.

        ``unsent`` are the orders that were loaded without a word about what became of them.
        """
        orders = (*unsent, *self._cache.orders_open())
        return [order for order in orders if _is_booking(order) and self._is_mine(order)]

    def unsettled(self, instrument_id: InstrumentId | None = None) -> list[Order]:
        """Return the orders of this account that the venue may have something to say about."""
        cache = self._cache
        mine = [
            order
            for order in (
                *cache.orders_open(instrument_id=instrument_id),
                *cache.orders_inflight(instrument_id=instrument_id),
            )
            if self._is_mine(order) and not _is_booking(order)
        ]
        return list({order.client_order_id: order for order in mine}.values())

    def told_ns(self) -> int | None:
        """Return when the venue told something of an order for the last time, if it ever did."""
        told = (
            order.last_event.ts_event
            for order in self._cache.orders()
            if self._is_mine(order) and order.venue_order_id is not None
        )
        return max(told, default=None)

    def inflight(self) -> list[Order]:
        """Return the orders of this account that wait for an answer, and continuations."""
        waiting = [order for order in self._cache.orders_inflight() if self._is_mine(order)]
        known = {order.client_order_id for order in waiting}
        for order in self._cache.orders_open():
            if (
                order.client_order_id not in known
                and self._is_mine(order)
                and tagged(order, CONTINUES_TAG) is not None
            ):
                waiting.append(order)
        return sorted(waiting, key=lambda order: order.client_order_id.value)

    def _is_mine(self, order: Order) -> bool:
        if order.account_id is None:
            return self._is_routed_here(order)
        return bool(order.account_id == self._account_id)

    def unsent(self, orders: Iterable[Order]) -> list[Order]:
        """Return those orders of this account of which it is not known if they were sent."""
        return [
            order
            for order in orders
            if order.status_string() in UNSENT and self._is_mine(order) and not _is_booking(order)
        ]

    def local(self, order: Order) -> LocalOrder:
        """Return an order as facts."""
        told_ns = requested_ns = 0
        for event in reversed(order.events):
            if not told_ns and isinstance(event, _TOLD):
                told_ns = event.ts_event
            if not requested_ns and isinstance(event, _ASKED):
                requested_ns = event.ts_init
            if told_ns and requested_ns:
                break
        venue_order_id = order.venue_order_id
        return LocalOrder(
            client_order_id=order.client_order_id.value,
            venue_order_id=None if venue_order_id is None else venue_order_id.value,
            symbol=self._venue.symbol(order.instrument_id),
            side="BUY" if order.side == OrderSide.BUY else "SELL",
            status=order_status_to_str(order.status),
            quantity=order.quantity.as_decimal(),
            filled=order.filled_qty.as_decimal(),
            price=order.price.as_decimal() if order.has_price else None,
            is_conditional=order.order_type in _CONDITIONAL,
            changed_ns=order.last_event.ts_init,
            told_ns=told_ns,
            requested_ns=requested_ns or order.ts_init,
            prior=prior_of(order),
            trigger_price=(order.trigger_price.as_decimal() if order.has_trigger_price else None),
        )


def _ids(client_order_id: str, order_id: str | None) -> list[ClientOrderId]:
    """Return the ids under which the node may have an order of the venue, its own first.

    The others are those that it is put into the node by; a crash may have come before it was
    known there by the venue's id.
    """
    ids = [client_order_id] if client_order_id else []
    if order_id is not None:
        suffix = f"-{order_id}"
        ids += [] if client_order_id else [f"V{suffix}"]
        ids.append(client_order_id[: _ID_LENGTH - len(suffix)] + suffix)
    return [ClientOrderId(each) for each in ids]


def tagged(order: Order, tag: str) -> str | None:
    """Return what stands behind a tag of an order, None when it has none such."""
    for found in order.tags or ():
        if found.startswith(tag):
            return str(found[len(tag) :])
    return None


def _is_booking(order: Order) -> bool:
    """Whether the venue knows nothing of an order, because `recon` has made it up."""
    return bool(order.tags) and (OPENING_TAG in order.tags or ADJUSTMENT_TAG in order.tags)


def is_adopted(order: Order) -> bool:
    """Whether an order was put into the node from the venue."""
    return any(tag.startswith("RECON_") for tag in order.tags or ())


def prior_of(order: Order) -> Decimal:
    """Return what was filled of an order before the first contact."""
    prior = tagged(order, PRIOR_TAG) if order.tags else None
    return Decimal(prior) if prior else ZERO


def _may_be(
    order: Order, instrument_id: InstrumentId, order_id: str | None, created_ns: int | None
) -> bool:
    """Whether an order of the node with the client id of a venue's order is that order."""
    if order.instrument_id != instrument_id:
        return False
    if order.venue_order_id is None or order_id is None:
        return True
    if order.venue_order_id.value == order_id:
        return True
    # What it has become has an id of its own, and a read that is behind shows the first one,
    # which may not have been heard.  An order that is there takes its name for itself alone.
    return order.order_type in _CONDITIONAL and (
        not order.is_closed
        or _had(order, order_id)
        or (created_ns is not None and created_ns < order.ts_last)
    )


def _had(order: Order, order_id: str) -> bool:
    """Whether an order was known to the venue by an id, once."""
    ids = (event.venue_order_id for event in order.events)
    return any(each is not None and each.value == order_id for each in ids)
