"""What the broker hears, as NautilusTrader's reports."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import (
    FillReport,
    OrderStatusReport,
    PositionStatusReport,
)
from nautilus_trader.model.enums import (
    LiquiditySide,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, TradeId, VenueOrderId
from nautilus_trader.model.objects import Currency, Money, Price, Quantity

MS_NS = 1_000_000

_STATUS = {
    "NEW": OrderStatus.ACCEPTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
    # What the venue does to an account by force it tells of when it is done.
    "NEW_INSURANCE": OrderStatus.FILLED,
    "NEW_ADL": OrderStatus.FILLED,
}


def order_report(
    row: dict[str, Any], account_id: AccountId, instrument: Any, now_ns: int
) -> OrderStatusReport:
    """Return the report of a row of openOrders or allOrders, or of the answer of GET order."""
    is_limit = row["type"] == "LIMIT"
    filled = Decimal(row["executedQty"])
    post_only = row["timeInForce"] == "GTX"
    return OrderStatusReport(
        account_id=account_id,
        instrument_id=instrument.id,
        client_order_id=ClientOrderId(row["clientOrderId"]),
        venue_order_id=VenueOrderId(str(row["orderId"])),
        order_side=OrderSide[row["side"]],
        order_type=OrderType.MARKET if row["type"] == "LIQUIDATION" else OrderType[row["type"]],
        time_in_force=TimeInForce.GTC if post_only else TimeInForce[row["timeInForce"]],
        order_status=_STATUS[row["status"]],
        quantity=_quantity(row["origQty"], instrument),
        filled_qty=_quantity(row["executedQty"], instrument),
        price=_price(row["price"], instrument) if is_limit else None,
        avg_px=Decimal(row["avgPrice"]) if filled else None,
        post_only=post_only,
        reduce_only=row["reduceOnly"],
        report_id=UUID4(),
        ts_accepted=row["time"] * MS_NS,
        ts_last=row["updateTime"] * MS_NS,
        ts_init=now_ns,
    )


def fill_report(
    row: dict[str, Any], account_id: AccountId, instrument: Any, now_ns: int
) -> FillReport:
    """Return the report of a row of userTrades."""
    return FillReport(
        account_id=account_id,
        instrument_id=instrument.id,
        venue_order_id=VenueOrderId(str(row["orderId"])),
        trade_id=TradeId(str(row["id"])),
        order_side=OrderSide[row["side"]],
        last_qty=_quantity(row["qty"], instrument),
        last_px=_price(row["price"], instrument),
        commission=Money(Decimal(row["commission"]), Currency.from_str(row["commissionAsset"])),
        liquidity_side=LiquiditySide.MAKER if row["maker"] else LiquiditySide.TAKER,
        report_id=UUID4(),
        ts_event=row["time"] * MS_NS,
        ts_init=now_ns,
    )


def position_report(
    row: dict[str, Any] | None, account_id: AccountId, instrument: Any, now_ns: int
) -> PositionStatusReport:
    """Return the report of a row of positionRisk; without one the position is flat."""
    if row is None:
        return PositionStatusReport.create_flat(
            account_id, instrument.id, instrument.size_precision, now_ns, UUID4()
        )
    signed = Decimal(row["positionAmt"])
    return PositionStatusReport(
        account_id=account_id,
        instrument_id=instrument.id,
        position_side=PositionSide.LONG if signed > 0 else PositionSide.SHORT,
        quantity=_quantity(str(abs(signed)), instrument),
        avg_px_open=Decimal(row["entryPrice"]),
        report_id=UUID4(),
        ts_last=row["updateTime"] * MS_NS,
        ts_init=now_ns,
    )


class Update:
    """One ORDER_TRADE_UPDATE: ``told`` is its ``o``."""

    def __init__(
        self, told: dict[str, Any], account_id: AccountId, instrument: Any, now_ns: int
    ) -> None:
        self.instrument = instrument
        self.execution: str = told["x"]
        self.is_trade = self.execution == "TRADE"
        self.client_order_id = ClientOrderId(told["c"])
        self.venue_order_id = VenueOrderId(str(told["i"]))
        self.at_ns: int = told["T"] * MS_NS
        self._told = told
        self._account_id = account_id
        self._now_ns = now_ns

    @property
    def quantity(self) -> Quantity:
        return _quantity(self._told["q"], self.instrument)

    @property
    def price(self) -> Price:
        return _price(self._told["p"], self.instrument)

    def order_report(self) -> OrderStatusReport:
        """Return the order as the event leaves it."""
        told = self._told
        row = {
            "clientOrderId": told["c"],
            "orderId": told["i"],
            "side": told["S"],
            "type": told["o"],
            "timeInForce": told["f"],
            "status": told["X"],
            "origQty": told["q"],
            "executedQty": told["z"],
            "price": told["p"],
            "avgPrice": told["ap"],
            "reduceOnly": told["R"],
            "time": told["T"],
            "updateTime": told["T"],
        }
        return order_report(row, self._account_id, self.instrument, self._now_ns)

    def fill_report(self) -> FillReport:
        """Return the trade that the event tells of."""
        told = self._told
        row = {
            "orderId": told["i"],
            "id": told["t"],
            "side": told["S"],
            "qty": told["l"],
            "price": told["L"],
            "commission": told["n"],
            "commissionAsset": told["N"],
            "maker": told["m"],
            "time": told["T"],
        }
        return fill_report(row, self._account_id, self.instrument, self._now_ns)


def _quantity(text: str, instrument: Any) -> Quantity:
    return Quantity(Decimal(text), instrument.size_precision)


def _price(text: str, instrument: Any) -> Price:
    return Price(Decimal(text), instrument.price_precision)
