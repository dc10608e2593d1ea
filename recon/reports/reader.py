"""A reader over the report methods that every live execution client has.

Rules of this file:

1. What a client raises is a failed read.  What it answers is taken as it is; but many
   clients answer a failure with nothing, so that *nothing* proves nothing here: an order
   that is not found is not known to be gone, and a leg that is not named not to be flat.
2. Trades are ordered by time; a cursor is a time.  A client that serves less than it is
   asked for cannot be found out.
3. Symbols are instrument ids as text: a client may trade instruments of other venues.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

from nautilus_trader.core.datetime import dt_to_unix_nanos, unix_nanos_to_dt
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    GenerateFillReports,
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
    GeneratePositionStatusReports,
)
from nautilus_trader.execution.reports import (
    FillReport,
    OrderStatusReport,
    PositionStatusReport,
)
from nautilus_trader.model.enums import (
    LiquiditySide,
    OrderSide,
    OrderStatus,
    PositionSide,
    order_type_to_str,
    position_side_to_str,
    time_in_force_to_str,
    trigger_type_to_str,
)
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, VenueOrderId

from recon.core.facts import (
    ZERO,
    Leg,
    OpenOrders,
    Positions,
    Trade,
    VenueOrder,
    VenuePosition,
    VenueStatus,
)
from recon.core.port import ReadError

TIMEOUT_SECS = 10.0

_STATUS: dict[OrderStatus, VenueStatus] = {
    OrderStatus.INITIALIZED: "NEW",
    OrderStatus.SUBMITTED: "NEW",
    OrderStatus.ACCEPTED: "NEW",
    OrderStatus.TRIGGERED: "NEW",
    OrderStatus.PENDING_UPDATE: "NEW",
    OrderStatus.PENDING_CANCEL: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELED: "CANCELED",
    OrderStatus.EXPIRED: "EXPIRED",
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.DENIED: "REJECTED",
}


class ReportsReader:
    """Reads one account through its client.

    Parameters
    ----------
    client
        A `LiveExecutionClient`.
    now_ns
        The node's clock.
    """

    def __init__(self, client: Any, now_ns: Callable[[], int]) -> None:
        self.hedged: set[str] = set()
        self._client = client
        self._now_ns = now_ns

    async def positions(self) -> Positions:
        asked_ns = self._now_ns()
        reports: list[PositionStatusReport] = await self._read(
            "positions",
            self._client.generate_position_status_reports,
            GeneratePositionStatusReports(
                instrument_id=None, start=None, end=None, **self._command()
            ),
        )
        legs: dict[Leg, VenuePosition] = {}
        for report in reports:
            symbol = report.instrument_id.value
            side = "BOTH"
            if report.venue_position_id is not None:
                self.hedged.add(symbol)
                side = position_side_to_str(report.position_side)
            leg = Leg(symbol, side)
            sign = -1 if report.position_side == PositionSide.SHORT else 1
            price = getattr(report, "avg_px_open", None)
            legs[leg] = VenuePosition(
                symbol,
                side,
                sign * report.quantity.as_decimal(),
                ZERO if price is None else Decimal(str(price)),
                # A client that does not know when a position changed says that it was just now.
                report.ts_last if report.ts_last < report.ts_init else 0,
            )
        return Positions(asked_ns, legs, is_complete=False)

    async def open_orders(self) -> OpenOrders:
        asked_ns = self._now_ns()
        reports = await self._order_reports(None, open_only=True)
        orders = [self._order(report, asked_ns) for report in reports]
        return OpenOrders(
            asked_ns, {(o.symbol, o.order_id): o for o in orders if o is not None and o.is_open}
        )

    async def order(
        self, symbol: str, *, order_id: str | None = None, client_order_id: str | None = None
    ) -> VenueOrder | None:
        asked_ns = self._now_ns()
        report: OrderStatusReport | None = await self._read(
            f"order {order_id or client_order_id} of {symbol}",
            self._client.generate_order_status_report,
            GenerateOrderStatusReport(
                instrument_id=InstrumentId.from_str(symbol),
                client_order_id=ClientOrderId(client_order_id) if client_order_id else None,
                venue_order_id=VenueOrderId(order_id) if order_id else None,
                **self._command(),
            ),
        )
        return None if report is None else self._order(report, asked_ns)

    async def orders_from(self, symbol: str, order_id: str) -> Sequence[VenueOrder]:
        asked_ns = self._now_ns()
        reports = await self._order_reports(InstrumentId.from_str(symbol), open_only=False)
        found = [self._order(report, asked_ns) for report in reports]
        return sorted((o for o in found if o is not None), key=lambda o: o.created_ns)

    async def trades_of(self, symbol: str, order_id: str) -> Sequence[Trade]:
        trades = await self._fills(InstrumentId.from_str(symbol), VenueOrderId(order_id), None)
        return [trade for trade in trades if trade.order_id == order_id]

    async def trades_from(self, symbol: str, sequence: int) -> AsyncGenerator[Sequence[Trade]]:
        async for page in self.trades_since(symbol, sequence):
            yield page

    async def trades_since(self, symbol: str, start_ns: int) -> AsyncGenerator[Sequence[Trade]]:
        page = await self._fills(InstrumentId.from_str(symbol), None, start_ns)
        if page:
            yield page

    async def last_traded_ns(self, start_ns: int, end_ns: int) -> dict[str, int]:
        # Oldest first: the last one of a symbol stays.
        return {trade.symbol: trade.time_ns for trade in await self._fills(None, None, start_ns)}

    async def aclose(self) -> None:
        """Nothing to close: the client is the node's."""

    # -- details ----------------------------------------------------------------------

    async def _order_reports(
        self, instrument_id: InstrumentId | None, *, open_only: bool
    ) -> list[OrderStatusReport]:
        reports: list[OrderStatusReport] = await self._read(
            "open orders" if open_only else f"orders of {instrument_id}",
            self._client.generate_order_status_reports,
            GenerateOrderStatusReports(
                instrument_id=instrument_id,
                start=None,
                end=None,
                open_only=open_only,
                **self._command(),
            ),
        )
        return reports

    async def _fills(
        self,
        instrument_id: InstrumentId | None,
        venue_order_id: VenueOrderId | None,
        start_ns: int | None,
    ) -> list[Trade]:
        reports: list[FillReport] = await self._read(
            f"fills of {instrument_id or 'all instruments'}",
            self._client.generate_fill_reports,
            GenerateFillReports(
                instrument_id=instrument_id,
                venue_order_id=venue_order_id,
                start=None if start_ns is None else unix_nanos_to_dt(start_ns),
                end=None,
                **self._command(),
            ),
        )
        trades = [
            _trade(report)
            for report in reports
            if instrument_id is None or report.instrument_id == instrument_id
        ]
        return sorted(trades, key=lambda t: (t.sequence, len(t.trade_id), t.trade_id))

    async def _read[T](self, what: str, ask: Callable[[Any], Awaitable[T]], command: Any) -> T:
        what = f"{self._client.id}: {what}"
        try:
            async with asyncio.timeout(TIMEOUT_SECS):
                return await ask(command)
        except TimeoutError:
            raise ReadError(what, f"no answer within {TIMEOUT_SECS:g} s") from None
        except Exception as e:
            raise ReadError(what, f"{type(e).__name__}: {e}") from e

    def _command(self) -> dict[str, Any]:
        return {"command_id": UUID4(), "ts_init": self._now_ns()}

    def _order(self, report: OrderStatusReport, asked_ns: int) -> VenueOrder | None:
        status = _STATUS.get(report.order_status)
        if status is None:
            return None
        filled = report.filled_qty.as_decimal()
        if status == "NEW" and filled:
            status = "PARTIALLY_FILLED"
        client_order_id = report.client_order_id
        trigger = report.trigger_price
        expires = report.expire_time
        return VenueOrder(
            symbol=report.instrument_id.value,
            order_id=report.venue_order_id.value,
            client_order_id="" if client_order_id is None else client_order_id.value,
            side="BUY" if report.order_side == OrderSide.BUY else "SELL",
            position_side="BOTH",
            type=order_type_to_str(report.order_type),
            time_in_force="GTX" if report.post_only else time_in_force_to_str(report.time_in_force),
            status=status,
            quantity=report.quantity.as_decimal(),
            filled=filled,
            price=None if report.price is None else report.price.as_decimal(),
            average_price=report.avg_px,
            reduce_only=report.reduce_only,
            created_ns=report.ts_accepted,
            updated_ns=report.ts_last,
            asked_ns=asked_ns,
            trigger_price=None if trigger is None else trigger.as_decimal() or None,
            trigger_by=trigger_type_to_str(report.trigger_type) if trigger is not None else None,
            good_till_ns=None if expires is None else dt_to_unix_nanos(expires),
        )


def _trade(report: FillReport) -> Trade:
    commission = report.commission
    return Trade(
        symbol=report.instrument_id.value,
        order_id=report.venue_order_id.value,
        trade_id=report.trade_id.value,
        sequence=report.ts_event,
        side="BUY" if report.order_side == OrderSide.BUY else "SELL",
        position_side="BOTH",
        quantity=report.last_qty.as_decimal(),
        price=report.last_px.as_decimal(),
        commission=ZERO if commission is None else commission.as_decimal(),
        commission_asset="USD" if commission is None else commission.currency.code,
        is_maker=report.liquidity_side == LiquiditySide.MAKER,
        time_ns=report.ts_event,
    )
