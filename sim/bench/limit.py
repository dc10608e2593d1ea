"""The limit: what NautilusTrader itself needs to make and apply the same orders and fills.

No reconciliation can be faster that makes every order and every fill known to all who listen:
the order from its first event, `cache.add_order`, then acceptance and fill through
``ExecutionEngine.process``, synchronously.  What is applied is known beforehand, as text.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from nautilus_trader.config import TradingNodeConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.engine import ExecutionEngine
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import (
    ContingencyType,
    LiquiditySide,
    OrderSide,
    OrderType,
    TimeInForce,
    TriggerType,
)
from nautilus_trader.model.events import OrderAccepted, OrderFilled, OrderInitialized
from nautilus_trader.model.identifiers import (
    ClientId,
    ClientOrderId,
    PositionId,
    StrategyId,
    TradeId,
    VenueOrderId,
)
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.model.orders.unpacker import OrderUnpacker

from sim.plain import instrument_id_of
from sim.scenario.model import Node as NodeSpec
from sim.venue import Venue


class _Known(NamedTuple):
    """An order and its only fill."""

    symbol: str
    client_order_id: str
    order_id: str
    trade_id: str
    side: OrderSide
    quantity: str
    price: str
    commission: Decimal
    commission_asset: str
    is_maker: bool
    time_ns: int


class Limit:
    """An engine that knows what was traded and does nothing but apply it."""

    name = "limit"
    alerts: str | None = None

    def __init__(self, venue: Venue) -> None:
        self._known = [
            _Known(
                trade.symbol,
                trade.client_order_id,
                str(trade.order_id),
                str(trade.trade_id),
                OrderSide.BUY if trade.side == "BUY" else OrderSide.SELL,
                f"{trade.quantity:f}",
                f"{trade.price:.2f}",
                trade.commission,
                trade.commission_asset,
                trade.maker,
                trade.time_ns,
            )
            for trade in venue.trades()
        ]

    def configure(self, config: TradingNodeConfig, spec: NodeSpec) -> TradingNodeConfig:
        return config

    def attach(self, node: TradingNode) -> None:
        engine: Any = node.kernel.exec_engine

        async def apply_all(timeout_secs: float = 30.0) -> bool:
            self._apply(node)
            return True

        engine.reconcile_execution_state = apply_all

    def _apply(self, node: TradingNode) -> None:
        engine: Any = node.kernel.exec_engine
        cache: Any = node.kernel.cache
        process = ExecutionEngine.process
        [client] = engine._clients.values()
        trader_id, account_id, client_id = engine.trader_id, client.account_id, ClientId("BINANCE")
        strategy_id = StrategyId("EXTERNAL")
        ids = {
            symbol: instrument_id_of(symbol)
            for symbol in dict.fromkeys(k.symbol for k in self._known)
        }
        position_ids = {symbol: PositionId(f"{each}-BOTH") for symbol, each in ids.items()}
        quotes = {symbol: cache.instrument(each).quote_currency for symbol, each in ids.items()}
        currencies: dict[str, Any] = {}
        stamp_ns = node.kernel.clock.timestamp_ns()
        for known in self._known:
            stamp_ns += 3
            instrument_id = ids[known.symbol]
            client_order_id = ClientOrderId(known.client_order_id)
            initialized = OrderInitialized(
                trader_id=trader_id,
                strategy_id=strategy_id,
                instrument_id=instrument_id,
                client_order_id=client_order_id,
                order_side=known.side,
                order_type=OrderType.LIMIT,
                quantity=Quantity.from_str(known.quantity),
                time_in_force=TimeInForce.GTC,
                post_only=False,
                reduce_only=False,
                quote_quantity=False,
                options={"expire_time_ns": 0, "price": known.price},
                emulation_trigger=TriggerType.NO_TRIGGER,
                trigger_instrument_id=None,
                contingency_type=ContingencyType.NO_CONTINGENCY,
                order_list_id=None,
                linked_order_ids=None,
                parent_order_id=None,
                exec_algorithm_id=None,
                exec_algorithm_params=None,
                exec_spawn_id=None,
                tags=["VENUE", "RECON_ADOPTED"],
                event_id=UUID4(),
                ts_init=stamp_ns,
                reconciliation=True,
            )
            order = OrderUnpacker.from_init(initialized)
            cache.add_order(order, None, client_id)
            venue_order_id = VenueOrderId(known.order_id)
            accepted = OrderAccepted(
                trader_id=trader_id,
                strategy_id=strategy_id,
                instrument_id=instrument_id,
                client_order_id=client_order_id,
                venue_order_id=venue_order_id,
                account_id=account_id,
                event_id=UUID4(),
                ts_event=known.time_ns,
                ts_init=stamp_ns + 1,
                reconciliation=True,
            )
            process(engine, accepted)
            currency = currencies.get(known.commission_asset)
            if currency is None:
                currency = Currency.from_str(known.commission_asset)
                currencies[known.commission_asset] = currency
            filled = OrderFilled(
                trader_id=trader_id,
                strategy_id=strategy_id,
                instrument_id=instrument_id,
                client_order_id=client_order_id,
                venue_order_id=venue_order_id,
                account_id=account_id,
                trade_id=TradeId(known.trade_id),
                position_id=position_ids[known.symbol],
                order_side=known.side,
                order_type=OrderType.LIMIT,
                last_qty=Quantity.from_str(known.quantity),
                last_px=Price.from_str(known.price),
                currency=quotes[known.symbol],
                commission=Money(known.commission, currency),
                liquidity_side=LiquiditySide.MAKER if known.is_maker else LiquiditySide.TAKER,
                event_id=UUID4(),
                ts_event=known.time_ns,
                ts_init=stamp_ns + 2,
                reconciliation=True,
            )
            process(engine, filled)
