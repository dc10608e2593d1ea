"""The strategy of a simulated node: it does what the timeline says and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import OrderSide, TimeInForce, TrailingOffsetType, TriggerType
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, PositionId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.strategy import Strategy

from sim.plain import Access, instrument_id_of
from sim.scenario.actions import CancelAll, Modify, Submit

_FACTORIES = {
    "LIMIT": "limit",
    "MARKET": "market",
    "STOP": "stop_limit",
    "STOP_MARKET": "stop_market",
    "TAKE_PROFIT": "limit_if_touched",
    "TAKE_PROFIT_MARKET": "market_if_touched",
    "TRAILING_STOP_MARKET": "trailing_stop_market",
}
_TRIGGERS = {"CONTRACT_PRICE": TriggerType.LAST_PRICE, "MARK_PRICE": TriggerType.MARK_PRICE}


class TimelineStrategy(Strategy):  # type: ignore[misc]
    """Sends the orders of the timeline's records."""

    def lie_in_wait(self, submits: list[Submit], accesses: Sequence[Access]) -> None:
        """Send this strategy's orders among ``submits`` when it starts; take them off the list.

        It trades on the accounts of ``accesses``, on the first where a record names none.
        """
        self._waiting = submits
        self._accesses = {access.account: access for access in reversed(accesses)}
        self._accesses[""] = accesses[0]

    def on_start(self) -> None:
        for action in [each for each in self._waiting if each.strategy == self.id.value]:
            try:
                self.check_submit(action)
            except LookupError:
                continue  # what is left in the list was never sent, and the run says so
            self._waiting.remove(action)
            self.submit(action)

    def check_submit(self, action: Submit) -> None:
        """Raise `LookupError` when the order of a record cannot even be made."""
        instrument_id = self._instrument_id(action)
        if self.cache.instrument(instrument_id) is None:
            raise LookupError(f"{instrument_id} is not loaded")

    def _instrument_id(self, action: Submit | CancelAll) -> InstrumentId:
        return instrument_id_of(action.symbol, self._accesses[action.account or ""].venue)

    def submit(self, action: Submit) -> None:
        """Send the order of a record."""
        instrument_id = self._instrument_id(action)
        instrument = self.cache.instrument(instrument_id)
        order = self._order(action, instrument)
        side = action.position_side
        position_id = None if side == "BOTH" else PositionId(f"{instrument_id}-{side}")
        params: dict[str, Any] = {}
        if action.close_position:
            params["close_position"] = True
        if action.price_match is not None:
            params["price_match"] = action.price_match
        self.submit_order(order, position_id=position_id, params=params or None)

    def _order(self, action: Submit, instrument: Instrument) -> Order:
        """Return the order of a record, as NautilusTrader names its type."""

        def price(value: Decimal) -> Price:
            return Price.from_str(exact(value, instrument.price_precision))

        terms: dict[str, Any] = {
            "instrument_id": instrument.id,
            "order_side": OrderSide[action.side],
            "quantity": Quantity.from_str(exact(action.quantity, instrument.size_precision)),
            "client_order_id": ClientOrderId(action.id),
        }
        if action.reduce_only:
            terms["reduce_only"] = True
        if action.type != "MARKET":
            terms["time_in_force"] = TimeInForce[action.time_in_force]
        if action.good_till_ns is not None:
            terms["expire_time"] = self.clock.utc_now() + timedelta(
                microseconds=action.good_till_ns // 1000
            )
        if action.is_limited:
            # With a price match the venue finds the price, and this one is never sent.
            limit = action.price or action.trigger
            terms["price"] = price(limit) if limit else self._placeholder(action, instrument)
            terms["post_only"] = action.post_only
        if action.is_conditional:
            terms["trigger_type"] = _TRIGGERS[action.working_type]
        if action.trigger is not None:
            terms["trigger_price"] = price(action.trigger)
        if action.callback_rate is not None:
            terms |= {
                "trailing_offset": action.callback_rate * 100,
                "trailing_offset_type": TrailingOffsetType.BASIS_POINTS,
                "activation_price": None if action.activate is None else price(action.activate),
            }
        make: Callable[..., Order] = getattr(self.order_factory, _FACTORIES[action.type])
        return make(**terms)

    @staticmethod
    def _placeholder(action: Submit, instrument: Instrument) -> Price:
        """Return a price that the risk engine lets pass: the least that the symbol has."""
        return instrument.min_price or instrument.make_price(1)

    def modify(self, action: Modify, order: Order) -> None:
        """Change an order as a record says."""
        instrument = self.cache.instrument(order.instrument_id)
        quantity = price = None
        if action.quantity is not None:
            quantity = Quantity.from_str(exact(action.quantity, instrument.size_precision))
        if action.price is not None:
            price = Price.from_str(exact(action.price, instrument.price_precision))
        self.modify_order(order, quantity=quantity, price=price)

    def cancel_batch(self, orders: list[Order]) -> None:
        """Cancel several orders of one symbol in one request."""
        self.cancel_orders(orders)

    def cancel_all(self, action: CancelAll) -> None:
        """Cancel all open orders of this strategy on a symbol."""
        self.cancel_all_orders(self._instrument_id(action))


def exact(value: Decimal, precision: int) -> str:
    """Return a number with the instrument's digits, or with more when it has more.

    Nothing is rounded: what the venue or the risk engine refuses must reach them.
    """
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return f"{value:.{max(precision, -exponent)}f}"
