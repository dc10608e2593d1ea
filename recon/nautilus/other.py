"""Any other client of the node, as far as its report methods go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from nautilus_trader.model.enums import OrderType, order_type_from_str, time_in_force_from_str
from nautilus_trader.model.events import OrderExpired, OrderRejected
from nautilus_trader.model.identifiers import InstrumentId, PositionId
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from recon.core.facts import VenueOrder
from recon.core.orders import Bounds
from recon.nautilus.venue import Description, Indescribable
from recon.reports import ReportsReader

NEVER_NS = 10**19
"""So long that an absence never proves anything."""

_WITH_PRICE = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED})
_WITH_TRIGGER = frozenset(
    {
        OrderType.STOP_MARKET,
        OrderType.STOP_LIMIT,
        OrderType.MARKET_IF_TOUCHED,
        OrderType.LIMIT_IF_TOUCHED,
    }
)


class OtherVenue:
    """One account of a client that `recon` reads through its reports."""

    limits = (
        "it is read through the reports of its client, which may answer a failure with "
        "nothing and serve less than was asked for: fills that it serves are applied exactly "
        "once, but none are promised to be complete, and nothing is concluded from an absence"
    )
    fills_are_complete = True
    expired_is_canceled = False

    def __init__(self, client: Any, now_ns: Callable[[], int], read_lag_ns: int) -> None:
        self.reader = ReportsReader(client, now_ns)
        self.bounds = Bounds(NEVER_NS, read_lag_ns)

    def is_final(self, event: OrderRejected | OrderExpired, order: Order) -> bool:
        return True

    def deadline(self, at_ns: int) -> AbstractContextManager[None]:
        return nullcontext()

    def instrument_id(self, symbol: str) -> InstrumentId:
        return InstrumentId.from_str(symbol)

    def symbol(self, instrument_id: InstrumentId) -> str:
        return str(instrument_id.value)

    def sequence(self, trade_id: str, time_ns: int) -> int | None:
        return time_ns

    def position_id(self, instrument_id: InstrumentId, position_side: str) -> PositionId | None:
        return None

    def position_side(self, position: Position) -> str:
        if position.instrument_id.value not in self.reader.hedged:
            return "BOTH"
        return "LONG" if position.signed_qty > 0 else "SHORT"

    def describe(self, order: VenueOrder) -> Description:
        kind = order_type_from_str(order.type)
        options: dict[str, Any] = {}
        if kind not in (OrderType.MARKET, *_WITH_PRICE, *_WITH_TRIGGER):
            raise Indescribable(f"orders of the type {order.type} are not adopted")
        if kind in _WITH_PRICE:
            if order.price is None:
                raise Indescribable(f"it is of the type {order.type} and has no price")
            options["price"] = f"{order.price:f}"
        if kind in _WITH_TRIGGER:
            if order.trigger_price is None:
                raise Indescribable(f"it is of the type {order.type} and has no trigger price")
            options["trigger_price"] = f"{order.trigger_price:f}"
            options["trigger_type"] = order.trigger_by or "DEFAULT"
        if kind != OrderType.MARKET:
            options["expire_time_ns"] = order.good_till_ns or 0
        is_post_only = order.time_in_force == "GTX"
        time_in_force = time_in_force_from_str("GTC" if is_post_only else order.time_in_force)
        return Description(kind, time_in_force, is_post_only and kind == OrderType.LIMIT, options)
