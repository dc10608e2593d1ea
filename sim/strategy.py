"""The strategy of a simulated node: it does what the timeline says and nothing else."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import ClientOrderId, PositionId
from nautilus_trader.trading.strategy import Strategy

from sim.plain import instrument_id_of
from sim.scenario.model import Cancel, Submit


class TimelineStrategy(Strategy):  # type: ignore[misc]
    """Sends and cancels the orders of the timeline's records."""

    def submit(self, action: Submit, *, hedged: bool) -> None:
        """Send the order of a record."""
        instrument_id = instrument_id_of(action.symbol)
        instrument = self.cache.instrument(instrument_id)
        if instrument is None:
            raise LookupError(f"{instrument_id} is not loaded")
        terms: dict[str, Any] = {
            "instrument_id": instrument_id,
            "order_side": OrderSide[action.side],
            "quantity": instrument.make_qty(action.quantity),
            "client_order_id": ClientOrderId(action.id),
        }
        if action.price is None:
            order = self.order_factory.market(**terms)
        else:
            price = instrument.make_price(action.price)
            order = self.order_factory.limit(price=price, **terms)
        position_id = PositionId(f"{instrument_id}-{action.position_side}") if hedged else None
        self.submit_order(order, position_id=position_id)

    def cancel(self, action: Cancel) -> None:
        """Cancel the order of a record."""
        order = self.cache.order(ClientOrderId(action.order))
        if order is None:
            raise LookupError(f"order {action.order} is not in the cache")
        if order.is_closed:
            raise LookupError(f"order {action.order} is closed in the cache")
        self.cancel_order(order)
