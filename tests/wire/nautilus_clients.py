"""NautilusTrader's own client, configured by what ``recon serve`` prints, and an engine for it.

Nothing of it is replaced.  It runs in this process, so that a test takes no second to start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any

import msgspec
from nautilus_trader.adapters.binance import (
    BINANCE,
    BinanceAccountType,
    BinanceLiveExecClientFactory,
)
from nautilus_trader.adapters.binance.futures.http.wallet import BinanceFuturesWalletHttpAPI
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    CancelAllOrders,
    CancelOrder,
    ModifyOrder,
    SubmitOrder,
)
from nautilus_trader.live.execution_engine import LiveExecutionEngine
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderEvent,
    OrderInitialized,
    OrderPendingCancel,
    OrderPendingUpdate,
    OrderSubmitted,
)
from nautilus_trader.model.identifiers import InstrumentId, PositionId, StrategyId, TraderId
from nautilus_trader.model.orders import Order
from nautilus_trader.portfolio.portfolio import Portfolio

from tests.wire.over_sockets import OverSockets
from tests.wire.printed import printed

BTC = InstrumentId.from_str("BTCUSDT-PERP.BINANCE")
USDT_M = BinanceAccountType.USDT_FUTURES
KEYS = ("hmac", "ed25519")
ASKED = (OrderInitialized, OrderSubmitted, OrderPendingUpdate, OrderPendingCancel)
PATIENCE_SECS = 20
"""How long something is waited for; a client that was cut off waits seconds by itself."""

TRADER, STRATEGY = TraderId("TRADER-001"), StrategyId("S-001")


def config_of(served: OverSockets, words: str) -> Any:
    """Return the configuration of an execution client as it is printed."""
    names: dict[str, Any] = {}
    lines, _, _ = printed("NautilusTrader", served.at, words).partition("node = ")
    exec(lines, names)
    return names["config"].exec_clients[BINANCE]


def key_of(served: OverSockets, key_type: str) -> dict[str, str]:
    """Return the account's key of a type, as a configuration has it."""
    [account] = served.house.venue.config.accounts
    [key] = [key for key in account.keys if key.key_type == key_type]
    return {"api_key": key.api_key, "api_secret": key.api_secret}


class Trader:
    """One client with its engine and cache, and all that it says of orders."""

    def __init__(
        self, served: OverSockets, key_type: str = "hmac", *, words: str = "", **options: Any
    ) -> None:
        loop = asyncio.get_running_loop()
        self._clock = LiveClock()
        self._bus = MessageBus(TRADER, self._clock)
        self.cache = Cache()
        self.portfolio = Portfolio(self._bus, self.cache, self._clock)
        self._engine = LiveExecutionEngine(loop, self._bus, self.cache, self._clock)
        self.client: Any = BinanceLiveExecClientFactory.create(
            loop=loop,
            name=BINANCE,
            config=msgspec.structs.replace(
                config_of(served, words), **key_of(served, key_type) | options
            ),
            msgbus=self._bus,
            cache=self.cache,
            clock=self._clock,
        )
        self._engine.register_client(self.client)
        self.account_api: Any = self.client._futures_http_account
        self.market_api: Any = self.client._futures_http_market
        self.wallet_api = BinanceFuturesWalletHttpAPI(self.client._http_client, self._clock, USDT_M)
        self.events: list[OrderEvent] = []
        self._bus.subscribe(f"events.order.{STRATEGY}", self.events.append)
        self.orders = OrderFactory(TRADER, STRATEGY, self._clock, self.cache)

    async def __aenter__(self) -> Trader:
        self._engine.start()
        self.client.connect()
        await self.until(lambda: self.client.is_connected)
        for instrument in self.client._instrument_provider.get_all().values():
            self.cache.add_instrument(instrument)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.disconnect()
        await self.until(lambda: not self.client.is_connected)
        self._engine.stop()
        self._engine.dispose()

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds."""
        try:
            async with asyncio.timeout(PATIENCE_SECS):
                while not holds():
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"it never held; so far there was {self.events}") from None

    # -- what a strategy does

    def limit(self, side: Any, quantity: str, price: str, **options: Any) -> Order:
        instrument = self.cache.instrument(BTC)
        return self.orders.limit(
            BTC, side, instrument.make_qty(quantity), instrument.make_price(price), **options
        )

    def market(self, side: Any, quantity: str, **options: Any) -> Order:
        return self.orders.market(
            BTC, side, self.cache.instrument(BTC).make_qty(quantity), **options
        )

    def stop(self, side: Any, quantity: str, trigger: str) -> Order:
        instrument = self.cache.instrument(BTC)
        return self.orders.stop_market(
            BTC, side, instrument.make_qty(quantity), instrument.make_price(trigger)
        )

    def submit(self, order: Order, leg: str | None = None) -> Order:
        position = None if leg is None else PositionId(f"{BTC}-{leg}")
        command = SubmitOrder(TRADER, STRATEGY, order, UUID4(), self._now_ns, position_id=position)
        self._engine.execute(command)
        return order

    def modify(self, order: Order, quantity: str, price: str) -> None:
        instrument = self.cache.instrument(BTC)
        self._engine.execute(
            ModifyOrder(
                TRADER,
                STRATEGY,
                BTC,
                order.client_order_id,
                order.venue_order_id,
                instrument.make_qty(quantity),
                instrument.make_price(price),
                None,
                UUID4(),
                self._now_ns,
            )
        )

    def cancel(self, order: Order) -> None:
        self._engine.execute(
            CancelOrder(
                TRADER,
                STRATEGY,
                BTC,
                order.client_order_id,
                order.venue_order_id,
                UUID4(),
                self._now_ns,
            )
        )

    def cancel_all(self) -> None:
        self._engine.execute(
            CancelAllOrders(TRADER, STRATEGY, BTC, OrderSide.NO_ORDER_SIDE, UUID4(), self._now_ns)
        )

    @property
    def account(self) -> Any:
        """The account as it is known here."""
        return self.portfolio.account(BTC.venue)

    @property
    def _now_ns(self) -> int:
        return self._clock.timestamp_ns()

    # -- what comes of it

    def happened(self, order: Order) -> list[OrderEvent]:
        """Return what has become of an order so far, without what was only asked for."""
        events = [
            event
            for event in self.events
            if event.client_order_id == order.client_order_id and not isinstance(event, ASKED)
        ]
        # An order that is new while a client comes back is accepted twice: by its event, and
        # by the reports that are read then.
        is_told_twice = [type(event) for event in events[:2]] == [OrderAccepted, OrderAccepted]
        return events[is_told_twice:]

    def story(self, order: Order) -> list[str]:
        """Return the same as names of events."""
        return [type(event).__name__.removeprefix("Order") for event in self.happened(order)]

    async def hears(self, order: Order, *story: str) -> Any:
        """Wait until that has become of an order, and return the last of its events."""
        await self.until(lambda: self.story(order) == list(story))
        return self.happened(order)[-1]
