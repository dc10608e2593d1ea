"""What the matching engine refuses at the instant at which an order reaches it.

Rules:

* A client's order meets this when it is sent, a conditional one when it has triggered.
* The venue's own orders, of a liquidation for instance, never do.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sim.venue.errors import TEXTS, Rejection
from sim.venue.formats import plain
from sim.venue.margin import check_margin
from sim.venue.models import Account, Ticket

if TYPE_CHECKING:
    from sim.venue.exchange import Exchange

_CLOSED = frozenset(
    {"PRE_SETTLE", "SETTLING", "CLOSE", "PRE_DELIVERING", "DELIVERING", "DELIVERED"}
)
_STATES = {
    "inactive": -4109,
    "unauthorized": -1002,
    "reduce-only": -4400,
    "large-position": -4401,
    "liquidation": -2023,
    "cooling-off": -4192,
}
"""What an account in a state other than normal is told when it wants to open."""

_SHUT = frozenset({"inactive", "unauthorized", "liquidation"})
"""The states in which an account cannot even close."""


def check_may_trade(exchange: Exchange, account: Account, symbol: str, *, closes: bool) -> None:
    """Raise the Rejection of a symbol or an account that takes no such order now."""
    status = exchange.statuses.get(symbol, exchange.symbols[symbol].status)
    if status in _CLOSED:
        raise Rejection(-4141)
    if status == "PENDING_TRADING":
        raise Rejection(-1122)
    if status != "TRADING" and not closes:
        raise Rejection(-4140)
    state = account.state
    if state in _SHUT or (state in _STATES and not closes):
        raise Rejection(_STATES[state])


def check_band(exchange: Exchange, symbol: str, side: str, price: Decimal) -> None:
    """Raise Rejection -4016 or -4024 for a limit too far beyond the mark price."""
    code, bound = _bound(exchange, symbol, side)
    if price > bound if side == "BUY" else price < bound:
        raise Rejection(code, TEXTS[code] % plain(bound))


def check_market_band(exchange: Exchange, symbol: str, side: str) -> None:
    """Raise Rejection -4131 when the market is too far from the mark price."""
    _, bound = _bound(exchange, symbol, side)
    last = exchange.prices[symbol]
    if last > bound if side == "BUY" else last < bound:
        raise Rejection(-4131)


def _bound(exchange: Exchange, symbol: str, side: str) -> tuple[int, Decimal]:
    mark, config = exchange.price_of(symbol, "MARK_PRICE"), exchange.symbols[symbol]
    if side == "BUY":
        return -4016, mark * config.multiplier_up
    return -4024, mark * config.multiplier_down


def admit(exchange: Exchange, account: Account, ticket: Ticket) -> None:
    """Raise the Rejection of an order that the matching engine does not take now."""
    name, side = ticket.symbol.name, ticket.side
    check_may_trade(exchange, account, name, closes=ticket.closes)
    if ticket.type == "LIMIT":
        check_band(exchange, name, side, ticket.price)
    else:
        check_market_band(exchange, name, side)
    price = ticket.price or exchange.prices[name]
    check_margin(exchange, account, ticket, ticket.quantity, price)
