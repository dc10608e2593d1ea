"""User stream events, field by field, from ledger entries.

Rules:

* A fill is told as TRADE_LITE (if the venue sends it), ACCOUNT_UPDATE, then
  ORDER_TRADE_UPDATE, all with the same ``T`` and ``E``.  Everything else that happens
  to an order is one ORDER_TRADE_UPDATE, to a conditional order one ALGO_UPDATE.
* A refused order makes no event, and neither does a new position mode.
* ``E`` equals ``T``: the venue sends in the millisecond in which it acts.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from sim.venue.account_events import (
    Event,
    account_update,
    algo_update,
    config_update,
    margin_call,
    trade_account_update,
)
from sim.venue.exchange import Exchange
from sim.venue.formats import average, padded, plain, to_ms
from sim.venue.ledger import (
    AccountEntry,
    AlgoEntry,
    ConfigEntry,
    LedgerEntry,
    MarginCallEntry,
    OrderEntry,
)
from sim.venue.models import ZERO, Holding


class About(msgspec.Struct, frozen=True):
    """What an event is about, as `Frame` says it."""

    symbol: str = ""
    execution: str = ""
    client_order_id: str = ""
    order_id: int = 0
    trade_id: int = 0


class Telling(msgspec.Struct, frozen=True):
    """One event and what it is about."""

    event: Event
    about: About = About()

    @property
    def name(self) -> str:
        return str(self.event["e"])


def count_of(exchange: Exchange, entry: LedgerEntry) -> int:
    """Return how many events tell of a ledger entry, without making them."""
    if not isinstance(entry, OrderEntry):
        return 1
    if not entry.is_told:
        return 0
    return 1 if entry.version.trade is None else 2 + exchange.config.trade_lite


def tellings_of(exchange: Exchange, entry: LedgerEntry) -> list[Telling]:
    """Return the events that tell of a ledger entry, in the order in which they are sent."""
    found = _tellings(exchange, entry)
    # What tells of an instant is sent up to so much later: the sender goes its round when it
    # is over.  So no event is ever sent before one that tells of something earlier.
    round_ms = exchange.config.event_lead_ms + 1
    for telling in found:
        telling.event["E"] += round_ms - 1 - telling.event["E"] % round_ms
    return found


def _tellings(exchange: Exchange, entry: LedgerEntry) -> list[Telling]:
    match entry:
        case OrderEntry():
            return _order_tellings(exchange, entry) if entry.is_told else []
        case AlgoEntry():
            ticket = entry.order.ticket
            about = About(
                ticket.symbol.name,
                entry.version.status,
                ticket.client_algo_id,
                entry.order.algo_id,
            )
            return [Telling(algo_update(entry), about)]
        case AccountEntry():
            return [Telling(account_update(exchange, entry))]
        case ConfigEntry():
            return [Telling(config_update(entry), About(entry.symbol))]
        case MarginCallEntry():
            return [Telling(margin_call(exchange, entry), About(entry.legs[0].symbol.name))]


def _order_tellings(exchange: Exchange, entry: OrderEntry) -> list[Telling]:
    trade = entry.version.trade
    ticket = entry.order.ticket
    symbol = ticket.symbol.name
    account = exchange.accounts[entry.order.account]
    about = About(
        symbol,
        "",
        ticket.client_order_id,
        entry.order.order_id,
        0 if trade is None else trade.record.trade_id,
    )
    found = []
    if trade is not None:
        if exchange.config.trade_lite:
            found.append(Telling(trade_lite(entry), about))
        found.append(Telling(trade_account_update(exchange, account, entry), about))
    holding = exchange.holding(account, symbol)
    event = order_trade_update(entry, open_notional(holding, "BUY"), open_notional(holding, "SELL"))
    execution = entry.version.execution
    found.append(Telling(event, msgspec.structs.replace(about, execution=execution)))
    return found


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
            "o": ticket.shown_type or ticket.type,
            "f": ticket.time_in_force,
            "q": plain(version.quantity),
            "p": plain(version.price),
            "ap": "0" if mean is None else average(mean, symbol.price_precision),
            "sp": plain(ticket.stop_price),
            "x": version.execution,
            "X": version.told_status or version.status,
            "i": order.order_id,
            "l": "0" if trade is None else plain(trade.record.quantity),
            "z": plain(version.filled),
            "L": "0" if trade is None else plain(trade.record.price),
            "n": "0" if trade is None else plain(trade.record.commission),
            "N": symbol.quote_asset if trade is None else trade.record.commission_asset,
            "T": now_ms,
            "t": 0 if trade is None else trade.record.trade_id,
            "b": plain(bids),
            "a": plain(asks),
            "m": trade is not None and trade.record.maker,
            "R": ticket.reduce_only,
            "wt": ticket.working_type,
            "ot": ticket.original_type or ticket.shown_type or ticket.type,
            "ps": ticket.position_side,
            "cp": ticket.close_position,
            "rp": "0" if trade is None else plain(trade.realized_pnl),
            "pP": ticket.price_protect,
            "si": 0,
            "ss": 0,
            "V": ticket.self_trade_prevention,
            "pm": ticket.price_match,
            "gtd": ticket.good_till_ms,
            "er": str(version.expiry_reason),
            **({"M": version.amendment_id} if version.amendment_id else {}),
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
        "q": padded(entry.version.quantity, symbol.quantity_precision),
        "p": padded(entry.version.price, symbol.price_precision),
        "m": trade.record.maker,
        "c": ticket.client_order_id,
        "S": ticket.side,
        "L": padded(trade.record.price, symbol.price_precision),
        "l": padded(trade.record.quantity, symbol.quantity_precision),
        "t": trade.record.trade_id,
        "i": entry.order.order_id,
    }


def listen_key_expired(key: str, time_ns: int) -> Event:
    """Return the event that ends a listen key."""
    return {"e": "listenKeyExpired", "E": to_ms(time_ns), "listenKey": key}


def server_shutdown(time_ns: int) -> Event:
    """Return the event that announces that the venue will close the connection."""
    return {"e": "serverShutdown", "E": to_ms(time_ns)}
