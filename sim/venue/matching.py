"""What a new order meets: the market's depth, and orders of its own account.

Rules:

* An order that executes at once meets those of its account that rest on the other side at the
  last price or better, best price first, before it meets anybody else.  One that rests meets
  them only if it names a mode itself: without a book nobody knows whether it would.
* EXPIRE_TAKER lets the new order expire, EXPIRE_MAKER those that rest, EXPIRE_BOTH both, with
  status EXPIRED_IN_MATCH.  NONE lets them trade: one trade, one id, two sides.
* The reason is 1, that of a new IOC order 3.
* FOK orders are not prevented from it, as at Binance.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sim.venue.models import ZERO, Account, Expiry, Leg, Order, Ticket

if TYPE_CHECKING:
    from sim.venue.exchange import Exchange

MODES = frozenset({"NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"})


def taken(exchange: Exchange, ticket: Ticket, quantity: Decimal) -> Decimal:
    """Return how much of a new order executes at once."""
    name = ticket.symbol.name
    if ticket.type == "MARKET":
        return min(quantity, exchange.depth.get(name, quantity))
    last = exchange.prices[name]
    reaches = ticket.price >= last if ticket.side == "BUY" else ticket.price <= last
    if ticket.time_in_force not in ("IOC", "FOK") or not reaches:
        return ZERO
    return min(quantity, exchange.depth.get(name, ZERO))


def is_beyond_last(exchange: Exchange, ticket: Ticket, price: Decimal) -> bool:
    """Whether a limit would execute at once against anybody."""
    last = exchange.prices[ticket.symbol.name]
    return price > last if ticket.side == "BUY" else price < last


def meet_own(exchange: Exchange, order: Order, now_ns: int) -> None:
    """Let a new order meet those of its account that it crosses."""
    ticket = order.ticket
    takes = ticket.type == "MARKET" or ticket.time_in_force in ("IOC", "FOK")
    if not takes and not ticket.meets_own:
        return
    mode = "NONE" if ticket.time_in_force == "FOK" else ticket.self_trade_prevention
    for resting in _crossed(exchange, order, takes=takes):
        if not order.current.is_open:
            return
        if not resting.current.is_open:
            continue  # a trade before it left it nothing to close
        if mode == "NONE":
            _trade(exchange, order, resting, now_ns)
            continue
        if mode != "EXPIRE_TAKER":
            exchange.close(resting, "EXPIRED_IN_MATCH", now_ns, Expiry.SELF_TRADE)
        if mode != "EXPIRE_MAKER":
            is_ioc = ticket.time_in_force == "IOC"
            reason = Expiry.IOC_SELF_TRADE if is_ioc else Expiry.SELF_TRADE
            exchange.close(order, "EXPIRED_IN_MATCH", now_ns, reason)


def _crossed(exchange: Exchange, order: Order, *, takes: bool) -> list[Order]:
    """Return the resting orders that a new one meets, the best price first."""
    ticket, buys = order.ticket, order.ticket.side == "BUY"
    holding = exchange.holding(exchange.accounts[order.account], ticket.symbol.name)
    last = exchange.prices[ticket.symbol.name]
    limit = ticket.price if ticket.type == "LIMIT" else last
    if takes:
        limit = min(limit, last) if buys else max(limit, last)

    def reaches(price: Decimal) -> bool:
        return price <= limit if buys else price >= limit

    found = [
        other
        for other in holding.open.values()
        if other.ticket.side != ticket.side and reaches(other.current.price)
    ]
    return sorted(found, key=lambda other: other.current.price, reverse=not buys)


def _trade(exchange: Exchange, order: Order, resting: Order, now_ns: int) -> None:
    quantity, price = min(order.rest, resting.rest), resting.current.price
    trade_id = exchange.next_trade_id(order.ticket.symbol.name)
    exchange.fill(resting, quantity, price, maker=True, now_ns=now_ns, trade_id=trade_id)
    if order.current.is_open:
        exchange.fill(order, quantity, price, maker=False, now_ns=now_ns, trade_id=trade_id)


def expire_excess(exchange: Exchange, account: Account, leg: Leg, now_ns: int) -> None:
    """Let the orders expire that may only shrink a leg and are more than it holds."""
    name = leg.symbol.name
    closing = [
        order
        for order in exchange.holding(account, name).open.values()
        if order.ticket.closes and order.ticket.position_side == leg.position_side
    ]
    if not closing:
        return
    allowed = {
        side: exchange.closable(account, name, side, leg.position_side) for side in ("BUY", "SELL")
    }
    for order in closing:
        side = order.ticket.side
        if order.rest > allowed[side]:
            exchange.close(order, "EXPIRED", now_ns, Expiry.REDUCE_ONLY)
        else:
            allowed[side] -= order.rest


def expire_with_leg(exchange: Exchange, account: Account, leg: Leg, now_ns: int) -> None:
    """Let the open orders of GTE_GTC expire, which stand only while their leg is open."""
    for order in list(exchange.holding(account, leg.symbol.name).open.values()):
        ticket = order.ticket
        if (ticket.time_in_force, ticket.position_side) == ("GTE_GTC", leg.position_side):
            exchange.close(order, "EXPIRED", now_ns, Expiry.POSITION_CLOSED)
