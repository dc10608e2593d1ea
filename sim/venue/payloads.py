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
    return {
        "orderId": order.order_id,
        "symbol": symbol.name,
        "status": version.status,
        "clientOrderId": ticket.client_order_id,
        "price": padded(version.price, symbol.price_precision),
        "origQty": padded(version.quantity, symbol.quantity_precision),
        "executedQty": padded(version.filled, symbol.quantity_precision),
        "timeInForce": ticket.time_in_force,
        "type": ticket.type,
        "reduceOnly": ticket.reduce_only,
        "closePosition": False,
        "side": ticket.side,
        "positionSide": ticket.position_side,
        "stopPrice": fixed(Decimal(0), symbol.price_precision),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": ticket.type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
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
    if legacy:
        fields.update(_fills(order, version))
    return encode(fields)


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
                "marginAsset": record.commission_asset,
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
