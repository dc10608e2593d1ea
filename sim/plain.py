"""NautilusTrader's objects as plain data: what the oracle is shown of a node."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.model.enums import (
    LiquiditySide,
    OrderSide,
    liquidity_side_to_str,
    order_side_to_str,
    order_status_to_str,
)
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from sim.observation import NodeFill, NodeOrder, NodePosition, State

_LIQUIDITY = {
    side: liquidity_side_to_str(side) for side in (LiquiditySide.MAKER, LiquiditySide.TAKER)
}


class Reader:
    """Reads the objects of one node.

    Parameters
    ----------
    account
        The venue's name for the account that the node trades.
    hedged
        Whether the account holds long and short of a symbol apart.
    """

    def __init__(self, account: str, *, hedged: bool) -> None:
        self.account = account
        self._hedged = hedged

    def fill(self, event: OrderFilled) -> NodeFill:
        """Return a fill event as plain data."""
        commission = event.commission
        return NodeFill(
            account=self.account,
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
            account=self.account,
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
            price=_price(order),
        )

    @staticmethod
    def standing(order: Order) -> dict[str, Any]:
        """Return what an event shows of its order, in the words of `NodeEvent`."""
        return {
            "status": order_status_to_str(order.status),
            "filled": order.filled_qty.as_decimal(),
            "quantity": order.quantity.as_decimal(),
            "price": _price(order),
        }

    def position(self, position: Position) -> NodePosition:
        """Return a position as plain data.

        In hedge mode the leg is the suffix of the position's id, as the adapter
        builds it, and by the sign for ids that the engine invented.
        """
        quantity = position.signed_decimal_qty()
        side = "BOTH"
        if self._hedged:
            suffix = position.id.value.rpartition("-")[2]
            is_long = quantity > 0 if quantity else position.entry == OrderSide.BUY
            by_sign = "LONG" if is_long else "SHORT"
            side = suffix if suffix in ("LONG", "SHORT") else by_sign
        return NodePosition(
            account=self.account,
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


def _price(order: Order) -> Decimal | None:
    return order.price.as_decimal() if order.has_price else None


VENUE = Venue("BINANCE")
"""The venue of the instruments, whatever that of the execution client is."""


def instrument_id_of(symbol: str) -> InstrumentId:
    """Return NautilusTrader's id of a Binance USD-M perpetual."""
    return InstrumentId.from_str(f"{symbol}-PERP.{VENUE}")


def symbol_of(instrument_id: InstrumentId) -> str:
    """Return Binance's symbol of an instrument."""
    return str(instrument_id.symbol.value).removesuffix("-PERP")
