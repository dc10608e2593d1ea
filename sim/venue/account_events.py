"""User stream events about the account and about conditional orders, field by field."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sim.venue.algo_models import TRAILING
from sim.venue.exchange import Exchange
from sim.venue.formats import average, fixed, money, plain, to_ms
from sim.venue.ledger import AccountEntry, AlgoEntry, ConfigEntry, MarginCallEntry, OrderEntry
from sim.venue.margin import MAINTENANCE_RATE, profit_of
from sim.venue.models import ZERO, Account, Leg, LegVersion

type Event = dict[str, Any]


def _event(name: str, time_ns: int, **fields: Any) -> Event:
    now_ms = to_ms(time_ns)
    return {"e": name, "E": now_ms, "T": now_ms, **fields}


def _account_event(
    reason: str, time_ns: int, balances: Iterable[Event], positions: Iterable[Event]
) -> Event:
    a = {"m": reason, "B": list(balances), "P": list(positions)}
    return _event("ACCOUNT_UPDATE", time_ns, a=a)


def _balance(asset: str, balance: Decimal, crossed: Decimal, change: str = "0") -> Event:
    return {"a": asset, "wb": fixed(balance, 8), "cw": fixed(crossed, 8), "bc": change}


def _position(exchange: Exchange, account: Account, leg: Leg, version: LegVersion) -> Event:
    symbol = leg.symbol
    mark = exchange.price_of(symbol.name, "MARK_PRICE")
    entry_price = money(version.entry_price)
    return {
        "s": symbol.name,
        "pa": plain(version.quantity),
        "ep": entry_price,
        "bep": entry_price,
        "cr": plain(version.realized_pnl),
        "up": money(profit_of(version, mark)),
        "mt": "isolated" if account.isolates(symbol.name) else "cross",
        "iw": plain(version.isolated_margin),
        "ps": leg.position_side,
        "ma": symbol.quote_asset,
    }


def trade_account_update(exchange: Exchange, account: Account, entry: OrderEntry) -> Event:
    """Return the ACCOUNT_UPDATE of a fill: the leg that it moved, and what was paid."""
    assert entry.leg is not None
    told = _told_legs(exchange, account, entry)
    positions = [_position(exchange, account, leg, version) for leg, version in told]
    balances = (_balance(*each) for each in entry.balances)
    return _account_event(entry.reason, entry.time_ns, balances, positions)


def _told_legs(
    exchange: Exchange, account: Account, entry: OrderEntry
) -> list[tuple[Leg, LegVersion]]:
    """Return the legs that the ACCOUNT_UPDATE of a fill tells of, see ``hedge_positions``."""
    moved = entry.leg
    assert moved is not None
    if not account.hedge or exchange.config.hedge_positions == "changed":
        return [(moved, entry.leg_version)]
    return [
        (leg, entry.leg_version if leg is moved else leg.as_of(entry.time_ns))
        for side in account.position_sides
        for leg in [exchange.leg(account, moved.symbol.name, side)]
    ]


def account_update(exchange: Exchange, entry: AccountEntry) -> Event:
    """Return the ACCOUNT_UPDATE of money or margin that moved without a trade."""
    account = exchange.accounts[entry.account]
    event = _account_event(
        entry.reason,
        entry.time_ns,
        (
            _balance(asset, balance, crossed, plain(change))
            for asset, change, balance, crossed in entry.changes
        ),
        (_position(exchange, account, *each) for each in entry.legs),
    )
    if entry.symbol:
        event["a"]["S"] = entry.symbol
    return event


def config_update(entry: ConfigEntry) -> Event:
    """Return the ACCOUNT_CONFIG_UPDATE of a new leverage, or of multi-assets mode."""
    if entry.symbol:
        changed = {"ac": {"s": entry.symbol, "l": entry.leverage}}
    else:
        changed = {"ai": {"j": entry.multi_assets}}
    return _event("ACCOUNT_CONFIG_UPDATE", entry.time_ns, **changed)


def margin_call(exchange: Exchange, entry: MarginCallEntry) -> Event:
    """Return the MARGIN_CALL about legs of an account."""
    account = exchange.accounts[entry.account]
    rows = []
    for leg in entry.legs:
        mark = exchange.price_of(leg.symbol.name, "MARK_PRICE")
        held = leg.current
        rows.append(
            {
                "s": leg.symbol.name,
                "ps": leg.position_side,
                "pa": plain(held.quantity),
                "mt": "ISOLATED" if account.isolates(leg.symbol.name) else "CROSSED",
                "iw": plain(held.isolated_margin),
                "mp": plain(mark),
                "up": money(profit_of(held, mark)),
                "mm": money(abs(held.quantity) * mark * MAINTENANCE_RATE),
            }
        )
    asset = entry.legs[0].symbol.quote_asset
    balance = account.wallets[asset].balance if asset in account.wallets else ZERO
    return {
        "e": "MARGIN_CALL",
        "E": to_ms(entry.time_ns),
        "cw": plain(balance - account.isolated(asset)),
        "p": rows,
    }


def algo_update(entry: AlgoEntry) -> Event:
    """Return the ALGO_UPDATE of one change of a conditional order."""
    order, version = entry.order, entry.version
    ticket, child = order.ticket, version.order
    precision = ticket.symbol.price_precision
    o = {
        "caid": ticket.client_algo_id,
        "aid": order.algo_id,
        "at": "CONDITIONAL",
        "o": ticket.type,
        "s": ticket.symbol.name,
        "S": ticket.side,
        "ps": ticket.position_side,
        "f": ticket.time_in_force,
        "q": plain(ticket.quantity),
        "X": version.status,
        "ai": "" if child is None else str(child.order_id),
        "ap": "0" if version.average_price is None else average(version.average_price, precision),
        "aq": plain(version.executed),
        "act": "" if child is None else child.ticket.type,
        "tp": plain(ticket.trigger_price),
        "p": plain(ticket.price),
        "V": ticket.self_trade_prevention,
        "wt": ticket.working_type,
        "pm": ticket.price_match,
        "cp": ticket.close_position,
        "pP": ticket.price_protect,
        "R": ticket.reduce_only,
        "tt": to_ms(order.triggered_ns),
        "gtd": ticket.good_till_ms,
        "rm": version.reason,
    }
    if ticket.type == TRAILING:
        o |= {"cr": plain(ticket.callback_rate), "ia": version.is_active}
    return _event("ALGO_UPDATE", entry.time_ns, o=o)
