"""The strategy of a simulated node: it does what the timeline says and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.identifiers import ClientOrderId, PositionId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.strategy import Strategy

from sim.plain import instrument_id_of
from sim.scenario.actions import CancelAll, Modify, Submit


class TimelineStrategy(Strategy):  # type: ignore[misc]
    """Sends the orders of the timeline's records."""

    def lie_in_wait(self, submits: list[Submit], *, hedged: bool) -> None:
        """Send this strategy's orders among ``submits`` when it starts; take them off the list."""
        self._waiting = submits
        self._hedged = hedged

    def on_start(self) -> None:
        for action in [each for each in self._waiting if each.strategy == self.id.value]:
            try:
                self.check_submit(action)
            except LookupError:
                continue  # what is left in the list was never sent, and the run says so
            self._waiting.remove(action)
            self.submit(action, hedged=self._hedged)

    def check_submit(self, action: Submit) -> None:
        """Raise `LookupError` when the order of a record cannot even be made."""
        instrument_id = instrument_id_of(action.symbol)
        if self.cache.instrument(instrument_id) is None:
            raise LookupError(f"{instrument_id} is not loaded")

    def submit(self, action: Submit, *, hedged: bool) -> None:
        """Send the order of a record."""
        instrument_id = instrument_id_of(action.symbol)
        instrument = self.cache.instrument(instrument_id)
        terms: dict[str, Any] = {
            "instrument_id": instrument_id,
            "order_side": OrderSide[action.side],
            "quantity": Quantity.from_str(exact(action.quantity, instrument.size_precision)),
            "client_order_id": ClientOrderId(action.id),
        }
        if action.reduce_only:
            terms["reduce_only"] = True
        if action.price is None:
            order = self.order_factory.market(**terms)
        else:
            order = self.order_factory.limit(
                price=Price.from_str(exact(action.price, instrument.price_precision)),
                time_in_force=TimeInForce[action.time_in_force],
                post_only=action.post_only,
                **terms,
            )
        position_id = PositionId(f"{instrument_id}-{action.position_side}") if hedged else None
        self.submit_order(order, position_id=position_id)

    def modify(self, action: Modify, order: Order) -> None:
        """Change an order as a record says."""
        instrument = self.cache.instrument(order.instrument_id)
        quantity = price = None
        if action.quantity is not None:
            quantity = Quantity.from_str(exact(action.quantity, instrument.size_precision))
        if action.price is not None:
            price = Price.from_str(exact(action.price, instrument.price_precision))
        self.modify_order(order, quantity=quantity, price=price)

    def cancel_all(self, action: CancelAll) -> None:
        """Cancel all open orders of this strategy on a symbol."""
        self.cancel_all_orders(instrument_id_of(action.symbol))


def exact(value: Decimal, precision: int) -> str:
    """Return a number with the instrument's digits, or with more when it has more.

    Nothing is rounded: what the venue or the risk engine refuses must reach them.
    """
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return f"{value:.{max(precision, -exponent)}f}"
