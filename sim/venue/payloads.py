"""REST bodies of orders, trades and income, field by field.

Rules:

* A body is encoded once per version of its record and kept there; a 24 h run asks for
  the same rows thousands of times.
* Order replies (POST, PUT, DELETE) differ from order reads (GET): no ``time``, and
  ``cumQty`` in place of ``avgPrice`` and ``cumQuote`` unless the legacy form is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from sim.venue.algo_models import TRAILING, AlgoOrder, AlgoVersion
from sim.venue.config import SymbolConfig
from sim.venue.formats import average, fixed, padded, plain, to_ms
from sim.venue.models import Income, Order, OrderVersion, Trade

encode = msgspec.json.Encoder().encode


def array(bodies: Iterable[bytes]) -> bytes:
    """Return a JSON array of encoded values."""
    return b"[" + b",".join(bodies) + b"]"


def order_fields(order: Order, version: OrderVersion) -> dict[str, Any]:
    """Return the fields that reads and replies have in common."""
    ticket = order.ticket
    symbol = ticket.symbol
    shown = ticket.listed_type or ticket.shown_type or ticket.type
    return {
        "orderId": order.order_id,
        "symbol": symbol.name,
        "status": version.status,
        "clientOrderId": ticket.client_order_id,
        "price": padded(version.price, symbol.price_precision),
        "origQty": padded(version.quantity, symbol.quantity_precision),
        "executedQty": padded(version.filled, symbol.quantity_precision),
        "timeInForce": ticket.time_in_force,
        "type": shown,
        "reduceOnly": ticket.reduce_only,
        "closePosition": ticket.close_position,
        "side": ticket.side,
        "positionSide": ticket.position_side,
        "stopPrice": padded(ticket.stop_price, symbol.price_precision),
        "workingType": ticket.working_type,
        "priceProtect": ticket.price_protect,
        "origType": ticket.original_type or shown,
        "priceMatch": ticket.price_match,
        "selfTradePreventionMode": ticket.self_trade_prevention,
        "goodTillDate": ticket.good_till_ms,
        "updateTime": to_ms(version.time_ns),
    }


def _fills(order: Order, version: OrderVersion) -> dict[str, Any]:
    symbol = order.ticket.symbol
    return {
        "avgPrice": average(version.average_price, symbol.price_precision),
        "cumQuote": padded(version.quote, symbol.price_precision + symbol.quantity_precision),
    }


def order_body(order: Order, version: OrderVersion) -> bytes:
    """Return a row of openOrders and allOrders, or the answer of GET order."""
    if not version.body:
        fields = order_fields(order, version)
        fields.update(_fills(order, version))
        fields["time"] = to_ms(order.created_ns)
        version.body = encode(fields)
    return version.body


def order_reply(order: Order, version: OrderVersion, *, legacy: bool) -> bytes:
    """Return the reply to a command that left the order in that version."""
    fields = order_fields(order, version)
    fields["cumQty"] = fields["executedQty"]
    if version.amendment_id:
        fields["modifyId"] = version.amendment_id
    if legacy:
        fields.update(_fills(order, version))
    return encode(fields)


def amendment_rows(order: Order) -> list[dict[str, Any]]:
    """Return the rows of orderAmendment, the newest first."""
    ticket = order.ticket
    rows: list[dict[str, Any]] = []
    precisions = ticket.symbol.price_precision, ticket.symbol.quantity_precision
    for before, after in zip(order.versions, order.versions[1:], strict=False):
        if after.execution == "AMENDMENT":
            price, quantity = (
                {"before": padded(was, digits), "after": padded(now, digits)}
                for was, now, digits in zip(
                    (before.price, before.quantity),
                    (after.price, after.quantity),
                    precisions,
                    strict=True,
                )
            )
            rows.append(
                {
                    "amendmentId": after.amendment_id,
                    "symbol": ticket.symbol.name,
                    "pair": ticket.symbol.name,
                    "orderId": order.order_id,
                    "clientOrderId": ticket.client_order_id,
                    "time": to_ms(after.time_ns),
                    "amendment": {"price": price, "origQty": quantity, "count": len(rows) + 1},
                }
            )
    return rows[::-1]


def trade_body(trade: Trade, symbol: SymbolConfig) -> bytes:
    """Return a row of userTrades."""
    if not trade.body:
        record = trade.record
        trade.body = encode(
            {
                "symbol": record.symbol,
                "id": record.trade_id,
                "orderId": record.order_id,
                "side": record.side,
                "price": padded(record.price, symbol.price_precision),
                "qty": padded(record.quantity, symbol.quantity_precision),
                "realizedPnl": plain(trade.realized_pnl),
                "quoteQty": plain(record.price * record.quantity),
                "commission": plain(record.commission),
                "commissionAsset": record.commission_asset,
                "marginAsset": symbol.quote_asset,
                "time": to_ms(record.time_ns),
                "positionSide": record.position_side,
                "buyer": record.side == "BUY",
                "maker": record.maker,
            }
        )
    return trade.body


def income_body(row: Income) -> bytes:
    """Return a row of the income history."""
    return encode(
        {
            "symbol": row.symbol,
            "incomeType": row.kind,
            "income": fixed(row.amount, 8),
            "asset": row.asset,
            "info": str(row.trade_id) if row.trade_id else row.kind,
            "time": to_ms(row.time_ns),
            "tranId": row.transaction_id,
            "tradeId": str(row.trade_id) if row.trade_id else "",
        }
    )


def algo_fields(order: AlgoOrder, version: AlgoVersion) -> dict[str, Any]:
    """Return the fields of a conditional order, those of a trailing stop apart."""
    ticket, child = order.ticket, version.order
    symbol = ticket.symbol
    price, quantity = symbol.price_precision, symbol.quantity_precision
    return {
        "algoId": order.algo_id,
        "clientAlgoId": ticket.client_algo_id,
        "algoType": "CONDITIONAL",
        "orderType": ticket.type,
        "symbol": symbol.name,
        "side": ticket.side,
        "positionSide": ticket.position_side,
        "timeInForce": ticket.time_in_force,
        "quantity": padded(ticket.quantity, quantity),
        "algoStatus": version.status,
        "actualOrderId": "" if child is None else str(child.order_id),
        "actualPrice": average(version.average_price, price),
        "actualQty": padded(version.executed, quantity),
        "actualType": "" if child is None else child.ticket.type,
        "triggerPrice": padded(ticket.trigger_price, price),
        "price": padded(ticket.price, price),
        "icebergQuantity": None,
        "tpTriggerPrice": fixed(Decimal(0), price),
        "tpPrice": fixed(Decimal(0), price),
        "slTriggerPrice": fixed(Decimal(0), price),
        "slPrice": fixed(Decimal(0), price),
        "tpOrderType": "",
        "selfTradePreventionMode": ticket.self_trade_prevention,
        "workingType": ticket.working_type,
        "priceMatch": ticket.price_match,
        "closePosition": ticket.close_position,
        "priceProtect": ticket.price_protect,
        "reduceOnly": ticket.reduce_only,
        "createTime": to_ms(order.created_ns),
        "updateTime": to_ms(version.time_ns),
        "triggerTime": to_ms(order.triggered_ns) if child is not None else 0,
        "goodTillDate": ticket.good_till_ms,
    }


def _trailing(order: AlgoOrder) -> dict[str, Any]:
    ticket = order.ticket
    activate = ticket.activate_price
    return {
        "activatePrice": padded(activate, ticket.symbol.price_precision),
        "callbackRate": plain(ticket.callback_rate),
    }


def algo_body(order: AlgoOrder, version: AlgoVersion) -> bytes:
    """Return a row of the lists of conditional orders, or the answer of GET algoOrder."""
    if not version.body:
        fields = algo_fields(order, version)
        if order.ticket.type == TRAILING:
            fields |= _trailing(order)
        version.body = encode(fields)
    return version.body


def algo_reply(order: AlgoOrder) -> bytes:
    """Return the answer of POST algoOrder; what only a trailing stop has is empty text."""
    fields = algo_fields(order, order.current)
    fields |= {"activatePrice": "", "callbackRate": ""}
    if order.ticket.type == TRAILING:
        fields |= _trailing(order)
    return encode(fields)
