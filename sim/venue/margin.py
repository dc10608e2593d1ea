"""What an account may still risk: margins of positions and of open orders.

Rules:

* A leg needs its notional at the mark price over its leverage.  Its open orders need what they
  could add to that, bids and asks on their own; orders that may only shrink it add nothing.
* An isolated leg has its margin in a wallet of its own: what it was opened with, less what went
  back as it shrank, plus what was added by hand or paid as funding.
* What an account can use of an asset is what is in no isolated leg, plus the open profit of the
  crossed legs, less what those and all open orders need.
* There is no liquidation by price: the world decides when.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from sim.venue.errors import Rejection
from sim.venue.models import FLAT, ZERO, Account, Holding, LegVersion, Order, OrderVersion, Ticket

if TYPE_CHECKING:
    from sim.venue.exchange import Exchange


MAINTENANCE_RATE = Decimal("0.004")
"""The part of its notional that a position needs to live."""

OPEN_ORDERS_AT_MOST = 200
"""Open orders per account and symbol."""

type Opening = dict[str, tuple[Decimal, Decimal]]
"""Notional of the bids and of the asks that could open more, by position side."""

NOTHING = (ZERO, ZERO)


class Needs(NamedTuple):
    """What one leg and its open orders need, and what the leg has won or lost."""

    profit: Decimal
    position: Decimal
    orders: Decimal
    notional: Decimal
    """The largest notional that the leg can come to, unsigned."""


def leverage_of(exchange: Exchange, account: Account, symbol: str) -> int:
    """Return the leverage of a symbol."""
    return account.leverage.get(symbol, exchange.config.leverage)


def profit_of(leg: LegVersion, mark: Decimal) -> Decimal:
    """Return the open profit of a leg."""
    return (mark - leg.entry_price) * leg.quantity if leg.quantity else ZERO


def opening(orders: Iterable[tuple[Order, OrderVersion]]) -> Opening:
    """Return what open orders could open, as they stood."""
    found: Opening = {}
    for order, version in orders:
        ticket = order.ticket
        if not ticket.closes:
            bids, asks = found.get(ticket.position_side, NOTHING)
            notional = (version.quantity - version.filled) * version.price
            found[ticket.position_side] = (
                (bids + notional, asks) if ticket.side == "BUY" else (bids, asks + notional)
            )
    return found


def keep_opening(holding: Holding, order: Order) -> None:
    """Take note, in what is kept of a holding, that one of its orders has a new version."""
    ticket = order.ticket
    if ticket.closes:
        return
    added = ZERO
    for version, sign in zip(order.versions[:-3:-1], (1, -1), strict=False):
        if version.is_open:
            added += sign * (version.quantity - version.filled) * version.price
    if added:
        bids, asks = holding.opening.get(ticket.position_side, NOTHING)
        holding.opening[ticket.position_side] = (
            (bids + added, asks) if ticket.side == "BUY" else (bids, asks + added)
        )


def needs(leg: LegVersion, orders: tuple[Decimal, Decimal], mark: Decimal, leverage: int) -> Needs:
    """Return what a leg needs with open orders of that notional (bids, asks)."""
    held, (bids, asks) = leg.quantity * mark, orders
    most = max(abs(held), abs(held + bids), abs(held - asks))
    return Needs(profit_of(leg, mark), abs(held) / leverage, (most - abs(held)) / leverage, most)


def available(exchange: Exchange, account: Account, asset: str) -> Decimal:
    """Return what an account can use of an asset; negative when it is over its means."""
    found = account.wallets.get(asset)
    total = ZERO if found is None else found.balance
    for name, holding in account.holdings.items():
        if holding.symbol.quote_asset != asset:
            continue
        orders = holding.opening
        mark = exchange.price_of(name, "MARK_PRICE")
        leverage = leverage_of(exchange, account, name)
        for side in {**holding.legs, **orders}:
            leg = holding.legs[side].current if side in holding.legs else FLAT
            each = needs(leg, orders.get(side, NOTHING), mark, leverage)
            total -= each.orders
            total += -leg.isolated_margin if account.isolates(name) else each.profit - each.position
    return total


def check_margin(
    exchange: Exchange,
    account: Account,
    ticket: Ticket,
    quantity: Decimal,
    price: Decimal,
    amended: Order | None = None,
) -> None:
    """Raise the Rejection of an order whose rest of `quantity` the account cannot afford.

    That is -2025 for one order too many, -2027 for a position too large, -2019 for too little
    margin, and -4118 for an order that may only close, but whose leg other orders would have
    turned by then, with too little margin for that.  `amended` is the order that it replaces.
    """
    name, side = ticket.symbol.name, ticket.position_side
    holding = exchange.holding(account, name)
    if amended is None and len(holding.open) >= OPEN_ORDERS_AT_MOST:
        raise Rejection(-2025)
    leg = exchange.leg(account, name, side).current
    if ticket.closes:
        quantity = min(quantity, exchange.closable(account, name, ticket.side, side))
        if _left_to_close(holding, ticket, leg) >= quantity:
            return
    bids, asks = holding.opening.get(side, NOTHING)
    before = bids, asks
    added = quantity * price
    if amended is not None and not ticket.closes:
        added -= amended.rest * amended.current.price
    after = (bids + added, asks) if ticket.side == "BUY" else (bids, asks + added)
    mark, leverage = exchange.price_of(name, "MARK_PRICE"), leverage_of(exchange, account, name)
    was, becomes = needs(leg, before, mark, leverage), needs(leg, after, mark, leverage)
    needed = becomes.orders - was.orders
    if needed <= 0:
        return
    if becomes.notional > exchange.config.max_notional and not ticket.closes:
        raise Rejection(-2027)
    if needed > available(exchange, account, ticket.symbol.quote_asset):
        raise Rejection(-4118 if ticket.closes else -2019)


def _left_to_close(holding: Holding, ticket: Ticket, leg: LegVersion) -> Decimal:
    """Return what the open orders of a side that may open would leave of a leg."""
    return abs(leg.quantity) - sum(
        (
            order.rest
            for order in holding.open.values()
            if (order.ticket.side, order.ticket.position_side)
            == (ticket.side, ticket.position_side)
            and not order.ticket.closes
        ),
        ZERO,
    )
