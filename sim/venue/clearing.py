"""What the venue does to accounts unasked: liquidation, deleveraging, settlement, funding.

Rules:

* Each closes (part of) a leg by an order that nobody sent, with a client order id by which
  Binance says so ("Special order type", user data streams).
* Before a liquidation all open orders of the account expire (those of the symbol, when it is
  isolated), before a settlement those of the symbol.
* Shape ``trade`` tells an execution as any other, shape ``calculated`` as ``x: CALCULATED`` with
  no event before it.  Both have been seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from sim.venue.errors import VenueError
from sim.venue.exchange import Exchange, Told
from sim.venue.formats import plain, to_ms
from sim.venue.ledger import AccountEntry, MarginCallEntry, OrderEntry
from sim.venue.models import MONEY_UNIT, ZERO, Account, Expiry, Leg, LegVersion, Order, Ticket

type Shape = Literal["trade", "calculated"]


def liquidate(
    exchange: Exchange,
    leg: Leg,
    slices: Sequence[Decimal],
    now_ns: int,
    *,
    price: Decimal,
    shape: Shape,
    insured: Decimal = ZERO,
    fee: Decimal = ZERO,
) -> None:
    """Close a leg by force, in trades of the sizes of `slices`.

    The insurance fund takes `insured` of it at the same price, and `fee` goes to it.  Raises
    VenueError when that is more than the leg holds.
    """
    account = exchange.accounts[leg.account]
    quantity = sum(slices, insured)
    _check(leg, quantity)
    is_isolated = account.isolates(leg.symbol.name)
    for name in (leg.symbol.name,) if is_isolated else tuple(exchange.symbols):
        _expire_all(exchange, account, name, Expiry.LIQUIDATION, now_ns)
    ticket = _ticket(
        leg,
        quantity,
        f"autoclose-{to_ms(now_ns)}",
        price=price,
        shown_type="LIQUIDATION",
        listed_type=exchange.config.liquidation_rows,
    )
    order = _accept(exchange, account, ticket, now_ns, is_told=shape == "trade")
    told = Told() if shape == "trade" else Told("CALCULATED")
    for size in slices:
        exchange.fill(order, size, price, maker=False, now_ns=now_ns, told=told)
    if insured:
        told = Told("CALCULATED", "NEW_INSURANCE", is_free=True)
        exchange.fill(order, insured, price, maker=False, now_ns=now_ns, told=told)
    if fee:
        _pay(exchange, account, leg, "INSURANCE_CLEAR", -fee, now_ns)


def deleverage(
    exchange: Exchange,
    leg: Leg,
    quantity: Decimal,
    now_ns: int,
    *,
    price: Decimal,
    shape: Shape,
) -> None:
    """Take a part of a leg away for the other side's bankruptcy.

    Raises VenueError when the leg holds less.
    """
    _check(leg, quantity)
    account = exchange.accounts[leg.account]
    ticket = _ticket(leg, quantity, exchange.config.adl_client_id, shown_type="MARKET")
    order = _accept(exchange, account, ticket, now_ns, is_told=shape == "trade")
    told = (
        Told(is_free=True)
        if shape == "trade"
        else Told("CALCULATED", "NEW_ADL", reason="ADL", is_free=True)
    )
    exchange.fill(order, quantity, price, maker=False, now_ns=now_ns, told=told)


def settle(exchange: Exchange, symbol: str, price: Decimal, now_ns: int) -> None:
    """Take a symbol off the list: close every leg of it at that price."""
    for account in exchange.accounts.values():
        _expire_all(exchange, account, symbol, Expiry.DELISTING, now_ns)
        for leg in list(exchange.holding(account, symbol).legs.values()):
            if not leg.current.quantity:
                continue
            quantity = abs(leg.current.quantity)
            ticket = _ticket(leg, quantity, f"settlement_autoclose-{to_ms(now_ns)}")
            order = _accept(exchange, account, ticket, now_ns, is_told=False)
            told = Told("CALCULATED", is_free=True)
            exchange.fill(order, quantity, price, maker=False, now_ns=now_ns, told=told)
    set_status(exchange, symbol, "SETTLING")


def set_status(exchange: Exchange, symbol: str, status: str) -> None:
    """Set a symbol's status; one that is not TRADING takes no orders that open."""
    exchange.statuses[symbol] = status
    exchange.revision += 1


def fund(exchange: Exchange, symbol: str, rate: Decimal, now_ns: int) -> None:
    """Let longs pay `rate` of their notional at the mark price to shorts, or the reverse."""
    mark = exchange.price_of(symbol, "MARK_PRICE")
    for account in exchange.accounts.values():
        holding = account.holdings.get(symbol)
        for leg in list(holding.legs.values()) if holding is not None else ():
            if leg.current.quantity:
                amount = (-leg.current.quantity * mark * rate).quantize(MONEY_UNIT)
                _pay(exchange, account, leg, "FUNDING_FEE", amount, now_ns)


def transfer(
    exchange: Exchange, account: Account, asset: str, amount: Decimal, now_ns: int
) -> None:
    """Move money into the futures wallet (positive) or out of it."""
    balance = exchange.books.book(account, "TRANSFER", amount, asset, now_ns)
    reason = "DEPOSIT" if amount > 0 else "WITHDRAW"
    changes = ((asset, amount, balance, balance - account.isolated(asset)),)
    exchange.record(AccountEntry(now_ns, account.name, reason, changes))


def warn(exchange: Exchange, legs: Sequence[Leg], now_ns: int) -> None:
    """Send a margin call about legs of one account."""
    exchange.record(MarginCallEntry(now_ns, legs[0].account, tuple(legs)))


def expire(exchange: Exchange, order: Order, reason: int, now_ns: int) -> None:
    """Let an order expire for a reason of the venue's own."""
    exchange.close(order, "EXPIRED", now_ns, reason)


def _check(leg: Leg, quantity: Decimal) -> None:
    held = abs(leg.current.quantity)
    if not 0 < quantity <= held:
        raise VenueError(
            f"cannot close {plain(quantity)} of {leg.symbol.name} {leg.position_side}: "
            f"it holds {plain(held)}"
        )


def _pay(
    exchange: Exchange, account: Account, leg: Leg, kind: str, amount: Decimal, now_ns: int
) -> None:
    """Book what has the same name in the income history and in the stream.

    An isolated leg pays it out of its own margin, as far as that goes.
    """
    symbol = leg.symbol
    asset = symbol.quote_asset
    balance = exchange.books.book(account, kind, amount, asset, now_ns, symbol=symbol.name)
    legs: tuple[tuple[Leg, LegVersion], ...] = ()
    if account.isolates(symbol.name):
        if leg.current.quantity:
            leg.set_margin(max(ZERO, leg.current.isolated_margin + amount), now_ns)
        legs = ((leg, leg.current),)
    changes = ((asset, amount, balance, balance - account.isolated(asset)),)
    about = symbol.name if kind == "FUNDING_FEE" else ""
    exchange.record(AccountEntry(now_ns, account.name, kind, changes, legs, symbol=about))


def _expire_all(
    exchange: Exchange, account: Account, symbol: str, reason: int, now_ns: int
) -> None:
    for order in list(exchange.holding(account, symbol).open.values()):
        expire(exchange, order, reason, now_ns)
    for algo in list(exchange.algos.holding(account.name, symbol).open.values()):
        exchange.algos.expire(algo, now_ns)


def _ticket(
    leg: Leg,
    quantity: Decimal,
    client_order_id: str,
    *,
    price: Decimal = ZERO,
    shown_type: str = "MARKET",
    listed_type: str = "",
) -> Ticket:
    return Ticket(
        symbol=leg.symbol,
        side="SELL" if leg.current.quantity > 0 else "BUY",
        type="LIMIT" if price else "MARKET",
        time_in_force="IOC" if price else "GTC",
        quantity=quantity,
        price=price,
        position_side=leg.position_side,
        reduce_only=False,
        closes=True,
        client_order_id=client_order_id,
        shown_type=shown_type,
        listed_type=listed_type,
    )


def _accept(
    exchange: Exchange, account: Account, ticket: Ticket, now_ns: int, *, is_told: bool
) -> Order:
    """Make an order that nobody sent and that meets no market."""
    order = exchange.new_order(account, ticket, ticket.quantity, now_ns)
    exchange.record(OrderEntry(now_ns, order, order.current, is_told=is_told))
    return order
