"""What the node holds of one account, as facts.

Orders of the node are found by the venue's id within their symbol, because NautilusTrader
indexes ids of the venue without regard to the symbol; else by their client order id.
Where an order cannot change any more, its continuation order stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

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
    StrategyId,
    TradeId,
    VenueOrderId,
)
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from recon.core.facts import ZERO, Leg, VenueOrder
from recon.core.opening import Holding
from recon.core.orders import BEYOND_CHANGE, UNSENT, LocalOrder
from recon.nautilus.replay import replay
from recon.nautilus.venue import Venue

EXTERNAL = StrategyId("EXTERNAL")
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


class Torn(NamedTuple):
    """A fill that its order has and its position lacks, or this much of it."""

    order: Order
    fill: OrderFilled
    quantity: Quantity

    @property
    def signed(self) -> Decimal:
        """The quantity, negative when sold."""
        quantity: Decimal = self.quantity.as_decimal()
        return quantity if self.fill.order_side == OrderSide.BUY else -quantity


class Book:
    """The orders and positions of one account in the node's cache.

    ``is_routed_here`` tells of an order that no account has accepted yet whether it goes, or
    went, to this one.
    """

    def __init__(
        self,
        cache: Any,
        venue: Venue,
        account_id: AccountId,
        is_routed_here: Callable[[Order], bool],
    ) -> None:
        self._cache = cache
        self._venue = venue
        self._account_id = account_id
        self._is_routed_here = is_routed_here
        # Orders whose id of the venue is another symbol's, too.
        self._shadowed: dict[tuple[InstrumentId, str], ClientOrderId] = {}

    # -- orders -----------------------------------------------------------------------

    def find(
        self, instrument_id: InstrumentId, order_id: str | None, client_order_id: str | None
    ) -> Order | None:
        """Return the order of the node that stands for one of the venue."""
        order = self._by_venue_id(instrument_id, order_id) if order_id else None
        if order is None and client_order_id:
            order = self._cache.order(ClientOrderId(client_order_id))
            if order is not None and not _may_be(order, instrument_id, order_id):
                order = None
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
        return ClientOrderId(base[: _ID_LENGTH - len(suffix)] + suffix)

    def free_id(self, client_order_id: str, order_id: str) -> ClientOrderId:
        """Return the id under which an order of the venue can be put into the node."""
        wanted = ClientOrderId(client_order_id or f"V-{order_id}")
        if self._cache.order(wanted) is None:
            return wanted
        suffix = f"-{order_id}"
        return ClientOrderId(client_order_id[: _ID_LENGTH - len(suffix)] + suffix)

    def holds(self, instrument_id: InstrumentId, order_id: str, trade_id: str) -> bool:
        """Whether the order of the node, or one that it continues, contains a trade."""
        order = self._by_venue_id(instrument_id, order_id)
        if order is None:
            return False
        wanted = TradeId(trade_id)
        if wanted in order.trade_ids:
            return True
        speaker = self.speaker(order)
        if wanted in speaker.trade_ids:
            return True
        while (continued := tagged(order, CONTINUES_TAG)) is not None:
            order = self._cache.order(ClientOrderId(continued))
            if order is None:
                return False
            if wanted in order.trade_ids:
                return True
        return False

    def unsettled(self, instrument_id: InstrumentId | None = None) -> list[Order]:
        """Return the orders of this account that the venue may have something to say about."""
        cache = self._cache
        mine = [
            order
            for order in (
                *cache.orders_open(instrument_id=instrument_id),
                *cache.orders_inflight(instrument_id=instrument_id),
            )
            if self._is_mine(order)
        ]
        return list({order.client_order_id: order for order in mine}.values())

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
        return [o for o in orders if o.status_string() in UNSENT and self._is_mine(o)]

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

    # -- positions --------------------------------------------------------------------

    def positions(self, leg: Leg) -> list[Position]:
        """Return the open positions of a leg."""
        instrument_id = self._venue.instrument_id(leg.symbol)
        return [
            position
            for position in self._cache.positions_open(instrument_id=instrument_id)
            if position.account_id == self._account_id
            and self._venue.position_side(position) == leg.position_side
        ]

    def all_positions(self, leg: Leg) -> list[Position]:
        """Return the positions of a leg, closed ones included."""
        instrument_id = self._venue.instrument_id(leg.symbol)
        return [
            position
            for position in self._cache.positions(instrument_id=instrument_id)
            if position.account_id == self._account_id
            and self._venue.position_side(position) == leg.position_side
        ]

    def fills_of_positions(self, leg: Leg, trade_ids: Collection[str]) -> set[tuple[str, str]]:
        """Return trade id and side of those trades that the positions of a leg have."""
        return {
            (fill.trade_id.value, "BUY" if fill.is_buy else "SELL")
            for position in self.all_positions(leg)
            for fill in position.events
            if fill.trade_id.value in trade_ids
        }

    def holding(self, leg: Leg) -> Holding:
        """Return what the positions of a leg add up to, with their average entry price."""
        quantity = cost = ZERO
        for position in self.positions(leg):
            signed = position.signed_decimal_qty()
            quantity += signed
            cost += signed * Decimal(repr(position.avg_px_open))
        return Holding(quantity, cost / quantity if quantity else ZERO)

    def legs(self) -> list[Leg]:
        """Return the legs that are not flat here."""
        found = {
            Leg(self._venue.symbol(position.instrument_id), self._venue.position_side(position))
            for position in self._cache.positions_open()
            if position.account_id == self._account_id
        }
        return sorted(found)

    def owner(self, leg: Leg, claim: StrategyId | None) -> StrategyId:
        """Return the strategy that a fill without an order of the node's belongs to."""
        if claim is not None:
            return claim
        for position in self.positions(leg):
            return position.strategy_id
        return EXTERNAL

    def position(self, leg: Leg) -> Position | None:
        """Return the position, open or closed, under whose id the stream books a leg."""
        position_id = self._venue.position_id(
            self._venue.instrument_id(leg.symbol), leg.position_side
        )
        return None if position_id is None else self._cache.position(position_id)

    def replay(self, leg: Leg, expected: Decimal | None = None) -> bool:
        """Make the position of a leg anew in the venue's order of its fills.

        False where it is left as it is: its fills are not all here, or do not come to the
        quantity that is expected, by default that which it has.
        """
        position = self.position(leg)
        if position is None:
            return False
        if expected is None:
            expected = position.signed_decimal_qty()
        fills = (fill for _, fill in self._fills(position.instrument_id))
        its = (fill for fill in fills if fill.position_id == position.id)
        return replay(self._cache, position, its, expected)

    def _fills(self, instrument_id: InstrumentId) -> Iterator[tuple[Order, OrderFilled]]:
        for order in self._cache.orders(instrument_id=instrument_id):
            if self._is_mine(order):
                for event in order.events:
                    if isinstance(event, OrderFilled):
                        yield order, event

    def torn_fills(self, leg: Leg) -> list[Torn]:
        """Return what of the fills of orders, in order, their positions lack.

        A crash keeps a suffix of all writes from the database: a fill can be missing in its
        position only if none that came after it is there.  Of a fill that turned a position
        around, which is written as two, the second half may be missing alone.
        """
        instrument_id = self._venue.instrument_id(leg.symbol)
        position_id = self._venue.position_id(instrument_id, leg.position_side)
        by_position: dict[Any, list[tuple[Order, OrderFilled]]] = {}
        for order, fill in self._fills(instrument_id):
            if position_id is None or fill.position_id == position_id:
                by_position.setdefault(fill.position_id, []).append((order, fill))
        torn: list[Torn] = []
        for own_id, pairs in by_position.items():
            pairs.sort(key=lambda pair: (pair[1].ts_init, pair[1].ts_event))
            position = self._cache.position(own_id)
            held = set() if position is None else set(position.trade_ids)
            last = max(
                (n for n, (_, fill) in enumerate(pairs) if fill.trade_id in held), default=-1
            )
            if position is not None and last < 0:
                continue
            if position is not None and position.is_closed and last == len(pairs) - 1:
                order, fill = pairs[last]
                rest = fill.last_qty - position.last_event.last_qty
                if fill.trade_id == position.last_trade_id and rest > 0:
                    torn.append(Torn(order, fill, rest))
            torn += [Torn(order, fill, fill.last_qty) for order, fill in pairs[last + 1 :]]
        return torn


def tagged(order: Order, tag: str) -> str | None:
    """Return what stands behind a tag of an order, None when it has none such."""
    for found in order.tags or ():
        if found.startswith(tag):
            return str(found[len(tag) :])
    return None


def is_adopted(order: Order) -> bool:
    """Whether an order was put into the node from the venue."""
    return any(tag.startswith("RECON_") for tag in order.tags or ())


def prior_of(order: Order) -> Decimal:
    """Return what was filled of an order before the first contact."""
    prior = tagged(order, PRIOR_TAG) if order.tags else None
    return Decimal(prior) if prior else ZERO


def _may_be(order: Order, instrument_id: InstrumentId, order_id: str | None) -> bool:
    """Whether an order of the node with the client id of a venue's order is that order."""
    if order.instrument_id != instrument_id:
        return False
    if order.venue_order_id is None or order_id is None:
        return True
    return bool(
        order.venue_order_id.value == order_id
        or (order.order_type in _CONDITIONAL and not order.is_closed)
    )
