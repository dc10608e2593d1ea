"""What an account may set: position mode, leverage, margin types, BNB fees."""

from __future__ import annotations

from decimal import Decimal

from sim.venue.errors import Rejection
from sim.venue.exchange import Exchange
from sim.venue.ledger import AccountEntry, ConfigEntry
from sim.venue.models import ZERO, Account, Leg

MAX_LEVERAGE = 125
CROSSED, ISOLATED = "CROSSED", "ISOLATED"


def set_hedge(exchange: Exchange, account: Account, hedge: bool) -> None:
    """Switch the position mode.  Raises Rejection -4059, -4067 or -4068.  No event tells of it."""
    if account.hedge == hedge:
        raise Rejection(-4059)
    if account.has_open_orders or exchange.algos.has_open(account.name):
        raise Rejection(-4067)
    if account.has_positions:
        raise Rejection(-4068)
    account.hedge = hedge
    exchange.revision += 1


def set_leverage(
    exchange: Exchange, account: Account, symbol: str, leverage: int, now_ns: int
) -> None:
    """Set the leverage of one symbol.  Raises Rejection -4028 or -4161."""
    if not 1 <= leverage <= MAX_LEVERAGE:
        raise Rejection(-4028, f"Leverage {leverage} is not valid")
    before = account.leverage.get(symbol, exchange.config.leverage)
    if leverage < before and _is_isolated(account, symbol) and _held(exchange, account, symbol):
        raise Rejection(-4161)
    account.leverage[symbol] = leverage
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
    legs = tuple(holding.legs.values())
    exchange.record(AccountEntry(now_ns, account.name, "MARGIN_TYPE_CHANGE", (), legs))


def add_margin(
    exchange: Exchange, account: Account, symbol: str, position_side: str, amount: Decimal,
    now_ns: int,
) -> None:  # fmt: skip
    """Move money to an isolated leg, or away from it.  Raises Rejection -4049 or -4051."""
    leg = exchange.leg(account, symbol, position_side)
    if not _is_isolated(account, symbol) or not leg.current.quantity:
        raise Rejection(-4049)
    key = (symbol, position_side)
    margin = account.isolated_margins.get(key, ZERO) + amount
    asset = exchange.symbols[symbol].quote_asset
    held = account.wallets.get(asset)
    if margin < 0 or held is None or amount > held.balance:
        raise Rejection(-4051)
    account.isolated_margins[key] = margin
    changes = ((asset, ZERO, held.balance),)
    exchange.record(AccountEntry(now_ns, account.name, "MARGIN_TRANSFER", changes, (leg,), amount))


def set_multi_assets(exchange: Exchange, account: Account, on: bool, now_ns: int) -> None:
    """Switch multi-assets mode.  Raises Rejection -4171 when it is so already, or -4167."""
    if account.multi_assets == on:
        raise Rejection(-4171)
    if any(_is_isolated(account, symbol) for symbol in exchange.symbols):
        raise Rejection(-4167)
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


def _is_isolated(account: Account, symbol: str) -> bool:
    return account.margin_types.get(symbol, CROSSED) == ISOLATED


def _held(exchange: Exchange, account: Account, symbol: str) -> list[Leg]:
    legs = exchange.holding(account, symbol).legs.values()
    return [leg for leg in legs if leg.current.quantity]
