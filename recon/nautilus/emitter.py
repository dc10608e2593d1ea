"""Turns what follows into order events, and has the engine apply them at once.

Rules of this file:

1. Events are applied by ``ExecutionEngine.process``, the public method of the base class:
   the same state machine, positions, portfolio and messages as for an event from the
   queue, synchronously and with errors for the caller.  Whoever emits has drained the
   queue before (`recon.nautilus.node.drained`).
2. Each event carries the venue's own time, and a local time that is later than that of
   the event before, so that what is loaded after a crash can be put in order.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.engine import ExecutionEngine
from nautilus_trader.model.enums import ContingencyType, LiquiditySide, TriggerType
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderExpired,
    OrderFilled,
    OrderInitialized,
    OrderModifyRejected,
    OrderRejected,
    OrderSubmitted,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientId,
    ClientOrderId,
    StrategyId,
    TradeId,
    VenueOrderId,
)
from nautilus_trader.model.objects import Currency, Money, Quantity
from nautilus_trader.model.orders import Order
from nautilus_trader.model.orders.unpacker import OrderUnpacker
from nautilus_trader.model.position import Position

from recon.core.facts import Trade, VenueOrder
from recon.core.orders import End, Refuse, Update
from recon.nautilus.reducing import Reducing
from recon.nautilus.replay import part_of
from recon.nautilus.values import price_of, quantity_of
from recon.nautilus.venue import SIDES, Venue

_process = ExecutionEngine.process


class Emitter:
    """Makes the events of one account.

    Parameters
    ----------
    engine
        The node's execution engine.
    client_id
        The execution client that orders are routed to.
    account_id
        The account.
    reducing
        Finds the positions that fills reduce.
    now_ns
        The node's clock.
    """

    def __init__(
        self,
        engine: Any,
        cache: Any,
        venue: Venue,
        client_id: ClientId,
        account_id: AccountId,
        reducing: Reducing,
        now_ns: Callable[[], int],
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._venue = venue
        self._client_id = client_id
        self._account_id = account_id
        self._reducing = reducing
        self._trader_id = engine.trader_id
        self._now_ns = now_ns
        self._last_ns = 0
        self._currencies: dict[str, Currency] = {}
        self._applying: OrderFilled | None = None

    def stamp_ns(self) -> int:
        """Return the local time, later than the time before."""
        self._last_ns = max(self._now_ns(), self._last_ns + 1)
        return self._last_ns

    # -- orders ---------------------------------------------------------------------

    def adopt(
        self,
        order: VenueOrder,
        client_order_id: ClientOrderId,
        strategy_id: StrategyId,
        quantity: Decimal,
        tags: list[str] | None,
        position: Position | None = None,
    ) -> Order:
        """Put an order into the node that it has not submitted, or has lost.

        ``position`` is what its fills belong to where the node would decide otherwise.
        Raises `recon.nautilus.venue.Indescribable`.
        """
        description = self._venue.describe(order)
        initialized = OrderInitialized(
            trader_id=self._trader_id,
            strategy_id=strategy_id,
            instrument_id=self._venue.instrument_id(order.symbol),
            client_order_id=client_order_id,
            order_side=SIDES[order.side],
            order_type=description.type,
            quantity=quantity_of(quantity),
            time_in_force=description.time_in_force,
            post_only=description.post_only,
            reduce_only=order.reduce_only,
            quote_quantity=False,
            options=description.options,
            emulation_trigger=TriggerType.NO_TRIGGER,
            trigger_instrument_id=None,
            contingency_type=ContingencyType.NO_CONTINGENCY,
            order_list_id=None,
            linked_order_ids=None,
            parent_order_id=None,
            exec_algorithm_id=None,
            exec_algorithm_params=None,
            exec_spawn_id=None,
            tags=tags,
            event_id=UUID4(),
            ts_init=self.stamp_ns(),
            reconciliation=True,
        )
        made: Order = OrderUnpacker.from_init(initialized)
        # The cache may hold indexes of an order whose beginning never reached its database.
        self._cache.add_order(
            made, None if position is None else position.id, self._client_id, overwrite=True
        )
        if position is not None:
            # To index an order with a position says that its strategy owns the position.
            self._cache.add_position_id(
                position.id,
                position.instrument_id.venue,
                position.opening_order_id,
                position.strategy_id,
            )
        return made

    def accept(self, order: Order, venue_order_id: str, at_ns: int) -> None:
        """The venue has the order."""
        if order.status_string() == "RELEASED":
            # It was sent, and what told of that is lost; NautilusTrader wants to hear it.
            self._submit(order, at_ns)
        accepted = OrderAccepted(
            trader_id=self._trader_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            venue_order_id=VenueOrderId(venue_order_id),
            account_id=self._account_id,
            event_id=UUID4(),
            ts_event=at_ns,
            ts_init=self.stamp_ns(),
            reconciliation=True,
        )
        _process(self._engine, accepted)

    def _submit(self, order: Order, at_ns: int) -> None:
        submitted = OrderSubmitted(
            trader_id=order.trader_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            account_id=self._account_id,
            event_id=UUID4(),
            ts_event=at_ns,
            ts_init=self.stamp_ns(),
        )
        _process(self._engine, submitted)

    def update(self, order: Order, venue_order_id: str, update: Update, at_ns: int) -> None:
        """The order has other terms, or another id, at the venue."""
        self._emit(
            OrderUpdated,
            order,
            at_ns,
            venue_order_id=VenueOrderId(venue_order_id),
            quantity=self._quantity(order, update.quantity),
            price=None if update.price is None else price_of(update.price),
            trigger_price=None if update.trigger_price is None else price_of(update.trigger_price),
        )

    def fill(self, order: Order, trade: Trade) -> bool:
        """A trade of the order; return whether the engine has published it as applied."""
        currency = self._currency(trade.commission_asset)
        quote = self._cache.instrument(order.instrument_id).quote_currency
        filled = OrderFilled(
            trader_id=self._trader_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id or VenueOrderId(trade.order_id),
            account_id=self._account_id,
            trade_id=TradeId(trade.trade_id),
            position_id=self._venue.position_id(order.instrument_id, trade.position_side),
            order_side=SIDES[trade.side],
            order_type=order.order_type,
            last_qty=quantity_of(trade.quantity),
            last_px=price_of(trade.price),
            currency=quote,
            commission=Money(trade.commission, currency),
            liquidity_side=LiquiditySide.MAKER if trade.is_maker else LiquiditySide.TAKER,
            event_id=UUID4(),
            ts_event=trade.time_ns,
            ts_init=self.stamp_ns(),
            reconciliation=True,
        )
        if order.is_reduce_only or filled.position_id is None:
            # Few are reduce-only, and the rest of a history need not be looked at.
            self._reducing.assign(filled)
        self._applying = filled
        _process(self._engine, filled)
        is_applied, self._applying = self._applying is None, None
        return is_applied

    def is_applied(self, event: OrderFilled) -> bool:
        """Note that the engine has published a fill; return whether it was made here."""
        if event is not self._applying:
            return False
        self._applying = None
        return True

    def end(self, order: Order, end: End) -> None:
        """The order has ended."""
        match end.status:
            case "REJECTED":
                self._emit(
                    OrderRejected, order, end.at_ns, account_id=self._account_id, reason=end.reason
                )
            case "EXPIRED" if not self._venue.expired_is_canceled:
                self._emit(OrderExpired, order, end.at_ns, venue_order_id=order.venue_order_id)
            case _:
                self._emit(OrderCanceled, order, end.at_ns, venue_order_id=order.venue_order_id)

    def refuse(self, order: Order, venue_order_id: str, refuse: Refuse, at_ns: int) -> None:
        """The request that the order waits for was not carried out."""
        kind = OrderCancelRejected if order.is_pending_cancel else OrderModifyRejected
        self._emit(kind, order, at_ns, venue_order_id=order.venue_order_id, reason=refuse.reason)
        if order.is_pending_update or order.is_pending_cancel:
            # It was sent before the order was accepted, and NautilusTrader does not go back to
            # SUBMITTED, where it was then.
            self.accept(order, venue_order_id, at_ns)

    def repair(self, order: Order, fill: OrderFilled, quantity: Quantity) -> None:
        """Apply a fill, or the rest of one, to its position that a crash kept from it.

        The order has it already, so the engine would drop it as a duplicate.
        """
        oms_type = self._engine._determine_oms_type(fill)
        if quantity == fill.last_qty:
            self._engine._handle_order_fill(order, fill, oms_type)
            return
        instrument = self._cache.instrument(fill.instrument_id)
        self._engine._open_position(instrument, None, part_of(fill, quantity), oms_type)

    # -- details ----------------------------------------------------------------------

    def _emit(self, kind: Any, order: Order, at_ns: int, **details: Any) -> None:
        details.setdefault("account_id", self._account_id)
        event = kind(
            trader_id=order.trader_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            event_id=UUID4(),
            ts_event=at_ns,
            ts_init=self.stamp_ns(),
            reconciliation=True,
            **details,
        )
        _process(self._engine, event)

    def _quantity(self, order: Order, quantity: Decimal) -> Quantity:
        return Quantity(quantity, order.quantity.precision)

    def _currency(self, code: str) -> Currency:
        found = self._currencies.get(code)
        if found is None:
            found = self._currencies[code] = Currency.from_str(code)
        return found
