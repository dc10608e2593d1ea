"""What an account may set: position mode, leverage, margin types, BNB fees."""

from __future__ import annotations

from decimal import Decimal

from sim.venue.errors import TEXTS, Rejection
from sim.venue.exchange import Exchange
from sim.venue.ledger import AccountEntry, ConfigEntry
from sim.venue.margin import available
from sim.venue.models import ZERO, Account, Leg
from sim.venue.money import wallet

MAX_LEVERAGE = 125
CROSSED, ISOLATED = "CROSSED", "ISOLATED"


def set_hedge(exchange: Exchange, account: Account, hedge: bool, now_ns: int) -> None:
    """Switch the position mode.  Raises Rejection -4059, -4067 or -4068.  No event tells of it."""
    if account.hedge == hedge:
        raise Rejection(-4059)
    if account.has_open_orders or exchange.algos.has_open(account.name):
        raise Rejection(-4067)
    if account.has_positions:
        raise Rejection(-4068)
    account.hedge = hedge
    account.switches_ns.append(now_ns)
    exchange.revision += 1


def set_leverage(
    exchange: Exchange, account: Account, symbol: str, leverage: int, now_ns: int
) -> None:
    """Set the leverage of one symbol.  Raises Rejection -4028, -4161 or -2028.

    What isolated legs hold stays with them.
    """
    if not 1 <= leverage <= MAX_LEVERAGE:
        raise Rejection(-4028, TEXTS[-4028] % leverage)
    before = account.leverage.get(symbol, exchange.config.leverage)
    if leverage < before and account.isolates(symbol) and _held(exchange, account, symbol):
        raise Rejection(-4161)
    account.leverage[symbol] = leverage
    asset = exchange.symbols[symbol].quote_asset
    if leverage < before and available(exchange, account, asset) < 0:
        account.leverage[symbol] = before
        raise Rejection(-2028)
    exchange.record(ConfigEntry(now_ns, account.name, symbol, leverage))


def set_margin_type(
    exchange: Exchange, account: Account, symbol: str, margin_type: str, now_ns: int
) -> None:
    """Set CROSSED or ISOLATED.  Raises Rejection -4046, -4047, -4048 or -4168."""
    if account.margin_types.get(symbol, CROSSED) == margin_type:
        raise Rejection(-4046)
    if account.multi_assets and margin_type == ISOLATED:
        raise Rejection(-4168)
    holding = exchange.holding(account, symbol)
    if holding.open or exchange.algos.holding(account.name, symbol).open:
        raise Rejection(-4047)
    if _held(exchange, account, symbol):
        raise Rejection(-4048)
    account.margin_types[symbol] = margin_type
    legs = tuple(
        (leg, leg.current)
        for side in account.position_sides
        for leg in [exchange.leg(account, symbol, side)]
    )
    exchange.record(AccountEntry(now_ns, account.name, "MARGIN_TYPE_CHANGE", (), legs))


def add_margin(
    exchange: Exchange, account: Account, symbol: str, position_side: str, amount: Decimal,
    now_ns: int,
) -> None:  # fmt: skip
    """Move money to an isolated leg, or away from it.

    Raises Rejection -4060 or -4061 for a position side that the account has not, -4049 when the
    symbol is crossed, -4054 when the leg is flat, -4050 when the account cannot spare what it
    adds, and -4051 when the leg has not what is taken.
    """
    if position_side not in ("BOTH", "LONG", "SHORT"):
        raise Rejection(-4060)
    if position_side not in account.position_sides:
        raise Rejection(-4061)
    if not account.isolates(symbol):
        raise Rejection(-4049)
    leg = exchange.leg(account, symbol, position_side)
    if not leg.current.quantity:
        raise Rejection(-4054)
    asset = exchange.symbols[symbol].quote_asset
    if amount > 0 and amount > available(exchange, account, asset):
        raise Rejection(-4050)
    margin = leg.current.isolated_margin + amount
    if margin < 0:
        raise Rejection(-4051)
    leg.set_margin(margin, now_ns)
    balance = wallet(account, asset).balance
    changes = ((asset, ZERO, balance, balance - account.isolated(asset)),)
    legs = ((leg, leg.current),)
    exchange.record(AccountEntry(now_ns, account.name, "MARGIN_TRANSFER", changes, legs, amount))


def set_multi_assets(exchange: Exchange, account: Account, on: bool, now_ns: int) -> None:
    """Switch multi-assets mode.

    Raises Rejection -4171 when it is so already, -4167 with a symbol that is isolated and -4170
    with open orders.
    """
    if account.multi_assets == on:
        raise Rejection(-4171)
    if any(account.isolates(symbol) for symbol in exchange.symbols):
        raise Rejection(-4167)
    if account.has_open_orders or exchange.algos.has_open(account.name):
        raise Rejection(-4170)
    account.multi_assets = on
    exchange.record(ConfigEntry(now_ns, account.name, multi_assets=on))


def set_fee_burn(exchange: Exchange, account: Account, on: bool) -> None:
    """Pay commissions in BNB, or in the quote asset.  No event tells of it."""
    account.burns_bnb = on
    exchange.revision += 1


def restrict(exchange: Exchange, account: Account, state: str) -> None:
    """Hold an account back, or let it trade again, see `validation.check_may_trade`."""
    account.state = state
    exchange.revision += 1


def _held(exchange: Exchange, account: Account, symbol: str) -> list[Leg]:
    legs = exchange.holding(account, symbol).legs.values()
    return [leg for leg in legs if leg.current.quantity]
