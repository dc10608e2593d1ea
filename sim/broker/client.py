"""The broker's client; see the package for what it is."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.adapters.binance.http.error import BinanceClientError
from nautilus_trader.adapters.binance.websocket import client as wire
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.execution.messages import (
    BatchCancelOrders,
    CancelAllOrders,
    CancelOrder,
    GenerateFillReports,
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
    GeneratePositionStatusReports,
    ModifyOrder,
    SubmitOrder,
)
from nautilus_trader.execution.reports import (
    FillReport,
    OrderStatusReport,
    PositionStatusReport,
)
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.live.factories import LiveExecClientFactory
from nautilus_trader.model.enums import (
    AccountType,
    OmsType,
    order_side_to_str,
    order_type_to_str,
    time_in_force_to_str,
)
from nautilus_trader.model.identifiers import AccountId, ClientId, Venue
from nautilus_trader.model.objects import AccountBalance, Currency, Money
from nautilus_trader.model.orders import Order

from sim.broker import reports
from sim.broker.config import BrokerExecClientConfig
from sim.broker.requests import Requests
from sim.plain import VENUE, instrument_id_of, symbol_of

KEEP_ALIVE_SECS = 1800.0
UNKNOWN_ORDER = -2013


class PositionsUnavailable(RuntimeError):
    """The broker does not say what is held."""


class BrokerExecutionClient(LiveExecutionClient):  # type: ignore[misc]
    """The broker's client; ``name`` is its id, its venue and the issuer of its account."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: BrokerExecClientConfig,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> None:
        super().__init__(
            loop=loop,
            client_id=ClientId(name),
            venue=Venue(name),
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN,
            base_currency=None,
            # The instruments are the data client's, and are read from the cache.
            instrument_provider=InstrumentProvider(),
            msgbus=msgbus,
            cache=cache,
            clock=clock,
        )
        self._broker = config
        self._requests = Requests(clock, config.api_key, config.api_secret, config.base_url_http)
        self._listen_key = ""
        self._stream: Any = None
        self._keep_alive: asyncio.Task[None] | None = None
        self._set_account_id(AccountId(f"{name}-001"))

    def _instruments(self, instrument_id: Any = None) -> list[Any]:
        """Return the instruments that the node has loaded, or the one that is asked for."""
        loaded = sorted(self._cache.instruments(venue=VENUE), key=lambda each: str(each.id))
        return [each for each in loaded if instrument_id in (None, each.id)]

    # -- the connection -----------------------------------------------------------

    async def _connect(self) -> None:
        await self._report_account()
        await self._await_account_registered(log_registered=False)
        if hasattr(self._cache, "set_account_id_for_venue"):
            self._cache.set_account_id_for_venue(VENUE, self.account_id)
        else:  # before 1.223.0, where Interactive Brokers' client does this
            self._cache.set_specific_venue(self.venue)
        self._listen_key = (await self._requests.listen_key("POST"))["listenKey"]
        self._stream = await wire.WebSocketClient.connect(
            loop_=self._loop,
            config=wire.WebSocketConfig(
                url=f"{self._broker.base_url_ws}/ws?listenKey={self._listen_key}", headers=[]
            ),
            handler=self._on_message,
            post_reconnection=None,
        )
        self._keep_alive = self._loop.create_task(self._keep_listen_key())

    async def _report_account(self) -> None:
        balances = []
        for row in await self._requests.ask("GET", "v3/balance"):
            currency = Currency.from_str(row["asset"])
            total, nothing = Money(Decimal(row["balance"]), currency), Money(0, currency)
            balances.append(AccountBalance(total=total, locked=nothing, free=total))
        self.generate_account_state(balances, [], True, self._clock.timestamp_ns())

    async def _keep_listen_key(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE_SECS)
            try:
                await self._requests.listen_key("PUT")
            except Exception as e:
                self._log.error(f"The listen key could not be kept alive: {e}")

    async def _disconnect(self) -> None:
        if self._keep_alive is not None:
            self._keep_alive.cancel()
        if self._stream is not None:
            await self._stream.disconnect()

    # -- commands -----------------------------------------------------------------

    async def _submit_order(self, command: SubmitOrder) -> None:
        order: Order = command.order
        self.generate_order_submitted(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            self._clock.timestamp_ns(),
        )
        terms: dict[str, Any] = {}
        if order.has_price:
            tif = "GTX" if order.is_post_only else time_in_force_to_str(order.time_in_force)
            terms = {"price": order.price, "timeInForce": tif}
        try:
            await self._requests.ask(
                "POST",
                "v1/order",
                symbol=symbol_of(order.instrument_id),
                side=order_side_to_str(order.side),
                type=order_type_to_str(order.order_type),
                quantity=order.quantity,
                newClientOrderId=order.client_order_id.value,
                reduceOnly="true" if order.is_reduce_only else None,
                **terms,
            )
        except BinanceClientError as e:
            self.generate_order_rejected(
                order.strategy_id,
                order.instrument_id,
                order.client_order_id,
                str(e.message),
                self._clock.timestamp_ns(),
            )

    async def _modify_order(self, command: ModifyOrder) -> None:
        order = self._cache.order(command.client_order_id)
        try:
            await self._requests.ask(
                "PUT",
                "v1/order",
                symbol=symbol_of(command.instrument_id),
                origClientOrderId=command.client_order_id.value,
                side=order_side_to_str(order.side),
                quantity=command.quantity or order.quantity,
                price=command.price or order.price,
            )
        except BinanceClientError as e:
            self.generate_order_modify_rejected(*self._named(order), str(e.message), self._now_ns)

    async def _cancel_order(self, command: CancelOrder) -> None:
        order = self._cache.order(command.client_order_id)
        try:
            await self._requests.ask(
                "DELETE",
                "v1/order",
                symbol=symbol_of(command.instrument_id),
                origClientOrderId=command.client_order_id.value,
            )
        except BinanceClientError as e:
            self.generate_order_cancel_rejected(*self._named(order), str(e.message), self._now_ns)

    async def _batch_cancel_orders(self, command: BatchCancelOrders) -> None:
        for each in command.cancels:
            await self._cancel_order(each)

    async def _cancel_all_orders(self, command: CancelAllOrders) -> None:
        for order in self._cache.orders_open(
            instrument_id=command.instrument_id, strategy_id=command.strategy_id
        ):
            await self._cancel_order(order)

    @property
    def _now_ns(self) -> int:
        return int(self._clock.timestamp_ns())

    @staticmethod
    def _named(order: Order) -> tuple[Any, ...]:
        """Return an order's names, in the order in which events want them."""
        return (
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            order.venue_order_id,
        )

    # -- the stream ---------------------------------------------------------------

    def _on_message(self, raw: bytes) -> None:
        event = msgspec.json.decode(raw)
        if event.get("e") != "ORDER_TRADE_UPDATE":
            return
        told = event["o"]
        instrument = self._cache.instrument(instrument_id_of(told["s"]))
        if instrument is None:
            return
        update = reports.Update(told, self.account_id, instrument, self._now_ns)
        order = self._cache.order(update.client_order_id)
        if order is None:
            # Somebody else's: the engine decides what it is to the node.
            self._send_order_status_report(update.order_report())
            if update.is_trade:
                self._send_fill_report(update.fill_report())
        else:
            self._apply(update, order)

    def _apply(self, update: reports.Update, order: Order) -> None:
        names = (order.strategy_id, order.instrument_id, order.client_order_id)
        at_ns = update.at_ns
        match update.execution:
            case "NEW":
                self.generate_order_accepted(*names, update.venue_order_id, at_ns)
            case "CANCELED":
                self.generate_order_canceled(*names, update.venue_order_id, at_ns)
            case "EXPIRED":
                self.generate_order_expired(*names, update.venue_order_id, at_ns)
            case "AMENDMENT":
                self.generate_order_updated(
                    *names, update.venue_order_id, update.quantity, update.price, None, at_ns
                )
            case "TRADE":
                fill = update.fill_report()
                self.generate_order_filled(
                    *names,
                    update.venue_order_id,
                    None,
                    fill.trade_id,
                    fill.order_side,
                    order.order_type,
                    fill.last_qty,
                    fill.last_px,
                    update.instrument.quote_currency,
                    fill.commission,
                    fill.liquidity_side,
                    at_ns,
                )

    # -- reports ------------------------------------------------------------------

    async def generate_order_status_report(
        self, command: GenerateOrderStatusReport
    ) -> OrderStatusReport | None:
        [instrument] = self._instruments(command.instrument_id)
        named, known_as = command.client_order_id, command.venue_order_id
        try:
            row = await self._requests.ask(
                "GET",
                "v1/order",
                symbol=symbol_of(instrument.id),
                orderId=None if known_as is None else known_as.value,
                origClientOrderId=None if named is None or known_as is not None else named.value,
            )
        except BinanceClientError as e:
            if isinstance(e.message, dict) and e.message.get("code") == UNKNOWN_ORDER:
                return None
            raise
        return reports.order_report(row, self.account_id, instrument, self._now_ns)

    async def generate_order_status_reports(
        self, command: GenerateOrderStatusReports
    ) -> list[OrderStatusReport]:
        found: dict[str, OrderStatusReport] = {}
        for instrument in self._instruments(command.instrument_id):
            symbol = symbol_of(instrument.id)
            rows = await self._requests.ask("GET", "v1/openOrders", symbol=symbol)
            if not command.open_only:
                since_ns = _nanoseconds(command.start)
                rows += await self._requests.history("v1/allOrders", symbol, since_ns, "orderId")
            for row in rows:
                report = reports.order_report(row, self.account_id, instrument, self._now_ns)
                found[report.venue_order_id.value] = report
        return list(found.values())

    async def generate_fill_reports(self, command: GenerateFillReports) -> list[FillReport]:
        found = []
        for instrument in self._instruments(command.instrument_id):
            rows = await self._requests.history(
                "v1/userTrades", symbol_of(instrument.id), _nanoseconds(command.start), "fromId"
            )
            for row in rows:
                report = reports.fill_report(row, self.account_id, instrument, self._now_ns)
                if command.venue_order_id in (None, report.venue_order_id):
                    found.append(report)
        return found

    async def generate_position_status_reports(
        self, command: GeneratePositionStatusReports
    ) -> list[PositionStatusReport]:
        if self._broker.positions == "fails":
            raise PositionsUnavailable("the broker does not answer for positions")
        if self._broker.positions == "empty":
            return []
        rows = await self._requests.ask("GET", "v3/positionRisk")
        held = {row["symbol"]: row for row in rows if Decimal(row["positionAmt"])}
        found = []
        for instrument in self._instruments(command.instrument_id):
            row = held.get(symbol_of(instrument.id))
            if row is not None or command.instrument_id is not None:
                found.append(
                    reports.position_report(row, self.account_id, instrument, self._now_ns)
                )
        return found


def _nanoseconds(instant: Any) -> int | None:
    return None if instant is None else int(instant.value)


class BrokerExecClientFactory(LiveExecClientFactory):  # type: ignore[misc]
    """Makes the broker's client."""

    @staticmethod
    def create(
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: BrokerExecClientConfig,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> BrokerExecutionClient:
        return BrokerExecutionClient(loop, name, config, msgbus, cache, clock)
