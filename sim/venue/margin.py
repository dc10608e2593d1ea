"""What an account may still risk: margins of positions and of open orders.

Rules:

* A position needs its notional at the mark price over its leverage, and so does what the open
  orders of one side would make of it, if that is more.
* What an account can use is its balance plus the profit of open positions less these.
* There is no maintenance margin and no liquidation by price: the world decides when.
"""

from __future__ import annotations

from decimal import Decimal

from sim.venue.exchange import Exchange
from sim.venue.models import ZERO, Account

MAX_NOTIONAL = Decimal(40_000_000)
"""The largest position on a symbol, at any leverage."""


def leverage_of(exchange: Exchange, account: Account, symbol: str) -> int:
    """Return the leverage of a symbol."""
    return account.leverage.get(symbol, exchange.config.leverage)


def available(exchange: Exchange, account: Account, asset: str) -> Decimal:
    """Return what an account can use of an asset; negative when it is over its means."""
    found = account.wallets.get(asset)
    total = ZERO if found is None else found.balance
    for name, symbol in exchange.symbols.items():
        if symbol.quote_asset == asset and name in account.holdings:
            profit, margin = _needs(exchange, account, name)
            total += profit - margin
    return total


def exposure(exchange: Exchange, account: Account, symbol: str) -> Decimal:
    """Return the largest quantity that position and open orders of a symbol can come to."""
    holding = exchange.holding(account, symbol)
    sizes = [ZERO]
    for side, leg in holding.legs.items():
        opening = {"BUY": ZERO, "SELL": ZERO}
        for order in holding.open.values():
            if order.ticket.position_side == side and not order.ticket.closes:
                opening[order.ticket.side] += order.rest
        held = leg.current.quantity
        sizes += [abs(held), held + opening["BUY"], opening["SELL"] - held]
    return max(sizes)


def _needs(exchange: Exchange, account: Account, symbol: str) -> tuple[Decimal, Decimal]:
    """Return the open profit of a symbol and the margin that it needs."""
    mark = exchange.price_of(symbol, "MARK_PRICE")
    legs = account.holdings[symbol].legs.values()
    profit = sum(((mark - leg.current.entry_price) * leg.current.quantity for leg in legs), ZERO)
    size = exposure(exchange, account, symbol)
    return profit, size * mark / leverage_of(exchange, account, symbol)
