"""User stream events, field by field, from ledger entries.

Rules:

* A fill is told as TRADE_LITE (if the venue sends it), ACCOUNT_UPDATE, then
  ORDER_TRADE_UPDATE, all with the same ``T`` and ``E``.  Everything else that happens
  to an order is one ORDER_TRADE_UPDATE.
* A refused order makes no event.
* ``E`` equals ``T``: the venue sends in the millisecond in which it acts.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sim.venue.formats import average, fixed, plain, to_ms
from sim.venue.models import (
    ZERO,
    BalanceEntry,
    Holding,
    LedgerEntry,
    LeverageEntry,
    OrderEntry,
)

type Event = dict[str, Any]


def open_notional(holding: Holding, side: str) -> Decimal:
    """Return the sum of price times rest over the open orders of one side."""
    return sum(
        (
            order.current.price * order.rest
            for order in holding.open.values()
            if order.ticket.side == side
        ),
        ZERO,
    )


def order_trade_update(entry: OrderEntry, bids: Decimal, asks: Decimal) -> Event:
    """Return ORDER_TRADE_UPDATE for one change of one order."""
    order, version = entry.order, entry.version
    ticket, trade = order.ticket, version.trade
    symbol = ticket.symbol
    mean = version.average_price
    now_ms = to_ms(entry.time_ns)
    return {
        "e": "ORDER_TRADE_UPDATE",
        "E": now_ms,
        "T": now_ms,
        "o": {
            "s": symbol.name,
            "c": ticket.client_order_id,
            "S": ticket.side,
            "o": ticket.type,
            "f": ticket.time_in_force,
            "q": plain(version.quantity),
            "p": plain(version.price),
            "ap": "0" if mean is None else average(mean, symbol.price_precision),
            "sp": "0",
            "x": version.execution,
            "X": version.status,
            "i": order.order_id,
            "l": "0" if trade is None else plain(trade.record.quantity),
            "z": plain(version.filled),
            "L": "0" if trade is None else plain(trade.record.price),
            "n": "0" if trade is None else plain(trade.record.commission),
            "N": symbol.quote_asset,
            "T": now_ms,
            "t": 0 if trade is None else trade.record.trade_id,
            "b": plain(bids),
            "a": plain(asks),
            "m": trade is not None and trade.record.maker,
            "R": ticket.reduce_only,
            "wt": "CONTRACT_PRICE",
            "ot": ticket.type,
            "ps": ticket.position_side,
            "cp": False,
            "rp": "0" if trade is None else plain(trade.realized_pnl),
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": "EXPIRE_MAKER",
            "pm": "NONE",
            "gtd": ticket.good_till_ms,
            "er": str(version.expiry_reason),
        },
    }


def trade_account_update(entry: OrderEntry, price: Decimal, margin_type: str) -> Event:
    """Return the ACCOUNT_UPDATE of a fill; ``price`` is the mark price."""
    assert entry.leg is not None
    symbol, leg = entry.leg.symbol, entry.leg_version
    now_ms = to_ms(entry.time_ns)
    entry_price = plain(leg.entry_price.quantize(Decimal("0.00000001")))
    return {
        "e": "ACCOUNT_UPDATE",
        "E": now_ms,
        "T": now_ms,
        "a": {
            "m": "ORDER",
            "B": [
                {
                    "a": entry.asset,
                    "wb": fixed(entry.balance, 8),
                    "cw": fixed(entry.balance, 8),
                    "bc": "0",
                }
            ],
            "P": [
                {
                    "s": symbol.name,
                    "pa": plain(leg.quantity),
                    "ep": entry_price,
                    "bep": entry_price,
                    "cr": plain(leg.realized_pnl),
                    "up": plain((price - leg.entry_price) * leg.quantity if leg.quantity else ZERO),
                    "mt": "isolated" if margin_type == "ISOLATED" else "cross",
                    "iw": "0",
                    "ps": entry.leg.position_side,
                    "ma": symbol.quote_asset,
                }
            ],
        },
    }


def trade_lite(entry: OrderEntry) -> Event:
    """Return the TRADE_LITE of a fill; unlike the others it pads its numbers."""
    trade = entry.version.trade
    assert trade is not None
    ticket = entry.order.ticket
    symbol, now_ms = ticket.symbol, to_ms(entry.time_ns)
    return {
        "e": "TRADE_LITE",
        "E": now_ms,
        "T": now_ms,
        "s": symbol.name,
        "q": fixed(entry.version.quantity, symbol.quantity_precision),
        "p": fixed(entry.version.price, symbol.price_precision),
        "m": trade.record.maker,
        "c": ticket.client_order_id,
        "S": ticket.side,
        "L": fixed(trade.record.price, symbol.price_precision),
        "l": fixed(trade.record.quantity, symbol.quantity_precision),
        "t": trade.record.trade_id,
        "i": entry.order.order_id,
    }


def balance_update(entry: BalanceEntry) -> Event:
    """Return the ACCOUNT_UPDATE of money that moved without a trade."""
    now_ms = to_ms(entry.time_ns)
    balance = fixed(entry.balance, 8)
    return {
        "e": "ACCOUNT_UPDATE",
        "E": now_ms,
        "T": now_ms,
        "a": {
            "m": entry.reason,
            "B": [{"a": entry.asset, "wb": balance, "cw": balance, "bc": plain(entry.change)}],
            "P": [],
        },
    }


def config_update(entry: LeverageEntry) -> Event:
    """Return the ACCOUNT_CONFIG_UPDATE of a new leverage."""
    now_ms = to_ms(entry.time_ns)
    return {
        "e": "ACCOUNT_CONFIG_UPDATE",
        "E": now_ms,
        "T": now_ms,
        "ac": {"s": entry.symbol, "l": entry.leverage},
    }


def listen_key_expired(key: str, time_ns: int) -> Event:
    """Return the event that ends a listen key."""
    return {"e": "listenKeyExpired", "E": to_ms(time_ns), "listenKey": key}


def account_of(entry: LedgerEntry) -> str:
    """Return the account that a ledger entry belongs to."""
    return entry.order.account if isinstance(entry, OrderEntry) else entry.account
