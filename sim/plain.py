"""NautilusTrader's objects as plain data: what the oracle is shown of a node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.model.enums import (
    LiquiditySide,
    OrderSide,
    OrderType,
    liquidity_side_to_str,
    order_side_to_str,
    order_status_to_str,
)
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from sim.observation import NodeFill, NodeOrder, NodePosition, State
from sim.scenario.model import BINANCE
from sim.venue.keys import ApiKey

_LIQUIDITY = {
    side: liquidity_side_to_str(side) for side in (LiquiditySide.MAKER, LiquiditySide.TAKER)
}


class Access(msgspec.Struct, frozen=True):
    """One account of a node: the key that opens it, and the venue of its instruments there.

    ``is_hedged`` says whether the account holds long and short of a symbol apart now.
    """

    account: str
    key: ApiKey
    venue: str = BINANCE
    is_hedged: Callable[[], bool] = lambda: False


class Reader:
    """Reads the objects of one node, which trades on these accounts."""

    def __init__(self, accesses: Sequence[Access]) -> None:
        self.accounts = tuple(access.account for access in accesses)
        self._first = accesses[0]
        self._by_venue = {access.venue: access for access in accesses}

    def account_at(self, venue: str) -> str:
        """Return the account whose instruments are at a venue."""
        return self._at(venue).account

    def account_of(self, instrument_id: InstrumentId) -> str:
        """Return the account that an instrument is traded on."""
        return self._at(instrument_id.venue.value).account

    def _at(self, venue: str) -> Access:
        return self._by_venue.get(venue, self._first)

    def fill(self, event: OrderFilled) -> NodeFill:
        """Return a fill event as plain data."""
        commission = event.commission
        return NodeFill(
            account=self.account_of(event.instrument_id),
            symbol=symbol_of(event.instrument_id),
            client_order_id=event.client_order_id.value,
            venue_order_id=event.venue_order_id.value,
            trade_id=event.trade_id.value,
            side=order_side_to_str(event.order_side),
            quantity=event.last_qty.as_decimal(),
            price=event.last_px.as_decimal(),
            commission=commission.as_decimal() if commission else Decimal(0),
            commission_asset=commission.currency.code if commission else "",
            liquidity=_LIQUIDITY.get(event.liquidity_side, "NONE"),
            position_id=event.position_id.value if event.position_id else "",
            time_ns=event.ts_event,
        )

    def order(self, order: Order) -> NodeOrder:
        """Return an order as plain data."""
        average = order.avg_px
        return NodeOrder(
            account=self.account_of(order.instrument_id),
            symbol=symbol_of(order.instrument_id),
            client_order_id=order.client_order_id.value,
            venue_order_id=order.venue_order_id.value if order.venue_order_id else "",
            strategy_id=order.strategy_id.value,
            side=order_side_to_str(order.side),
            status=order_status_to_str(order.status),
            quantity=order.quantity.as_decimal(),
            filled=order.filled_qty.as_decimal(),
            average_price=Decimal(repr(average)) if average else None,
            fills=tuple(self.fill(e) for e in order.events if isinstance(e, OrderFilled)),
            reduce_only=bool(order.is_reduce_only),
            **_terms(order),
        )

    @staticmethod
    def standing(order: Order) -> dict[str, Any]:
        """Return what an event shows of its order, in the words of `NodeEvent`."""
        return {
            "status": order_status_to_str(order.status),
            "filled": order.filled_qty.as_decimal(),
            "quantity": order.quantity.as_decimal(),
            **_terms(order),
        }

    def position(self, position: Position) -> NodePosition:
        """Return a position as plain data.

        In hedge mode the leg is the suffix of the position's id, as the adapter
        builds it, and by the sign for ids that the engine invented.
        """
        quantity = position.signed_decimal_qty()
        side = "BOTH"
        if self._at(position.instrument_id.venue.value).is_hedged():
            suffix = position.id.value.rpartition("-")[2]
            is_long = quantity > 0 if quantity else position.entry == OrderSide.BUY
            by_sign = "LONG" if is_long else "SHORT"
            side = suffix if suffix in ("LONG", "SHORT") else by_sign
        return NodePosition(
            account=self.account_of(position.instrument_id),
            symbol=symbol_of(position.instrument_id),
            position_id=position.id.value,
            position_side=side,
            strategy_id=position.strategy_id.value,
            quantity=quantity,
            entry_price=Decimal(repr(position.avg_px_open)),
        )

    def state(self, cache: CacheFacade) -> State:
        """Return what a cache holds now."""
        return State(
            orders=tuple(self.order(order) for order in cache.orders()),
            positions=tuple(self.position(position) for position in cache.positions_open()),
        )


def _terms(order: Order) -> dict[str, Any]:
    """Return the prices of an order, in the words of `NodeOrder` and `NodeEvent`."""
    trails = order.order_type == OrderType.TRAILING_STOP_MARKET
    # Basis points, the only offset that the adapter sends and reads.
    rate = Decimal(order.trailing_offset) / 100 if trails else None
    trigger = order.trigger_price if order.has_trigger_price and not trails else None
    return {
        "price": order.price.as_decimal() if order.has_price else None,
        "trigger": None if trigger is None else trigger.as_decimal(),
        "callback_rate": rate,
    }


VENUE = Venue(BINANCE)
"""The venue of the instruments, whatever that of the execution client is."""


def instrument_id_of(symbol: str, venue: str = BINANCE) -> InstrumentId:
    """Return NautilusTrader's id of a Binance USD-M perpetual."""
    return InstrumentId.from_str(f"{symbol}-PERP.{venue}")


def symbol_of(instrument_id: InstrumentId) -> str:
    """Return Binance's symbol of an instrument."""
    return str(instrument_id.symbol.value).removesuffix("-PERP")
