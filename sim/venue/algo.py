"""Conditional orders: kept apart from the matching engine until their price is seen.

Rules:

* An order waits (NEW) until a price triggers it.  Then it goes TRIGGERING, TRIGGERED with an
  order in the matching engine that carries its client id, and FINISHED when that is closed.
* What the matching engine refuses then makes it REJECTED, with the refusal as the reason: no
  margin is set aside for it, nor is a leg that it may only shrink asked for, before it triggers.
* One that a price would trigger at once is refused (-2021).
* A trailing stop is told of again, as NEW, when it begins to trail.
* One with ``priceProtect`` does not trigger while last and mark price are too far apart.
* A price triggers the orders of its symbol in the order in which they were placed.
* An order with ``closePosition`` closes whatever its leg holds when it triggers.  One of
  GTE_GTC expires when its leg is flat, and so does the order that it has become.
"""

from __future__ import annotations

from bisect import insort
from decimal import Decimal
from typing import TYPE_CHECKING

from sim.venue.admission import admit
from sim.venue.algo_models import LIMITED, TRAILING, AlgoOrder, AlgoTicket, AlgoVersion
from sim.venue.errors import TEXTS, Rejection
from sim.venue.ledger import AlgoEntry
from sim.venue.models import Account, Leg, Order, Ticket
from sim.venue.quotes import matched_price

if TYPE_CHECKING:
    from sim.venue.exchange import Exchange

ORDERS_AT_MOST = 200
"""Open conditional orders per account, on all symbols."""

_FIRST_ID = 1_000_000_000_000_000


class AlgoHolding:
    """The conditional orders of one account on one symbol."""

    __slots__ = ("by_client_id", "by_id", "open", "orders")

    def __init__(self) -> None:
        self.orders: list[AlgoOrder] = []  # ascending by id, hence by creation
        self.open: dict[int, AlgoOrder] = {}
        self.by_id: dict[int, AlgoOrder] = {}
        self.by_client_id: dict[str, AlgoOrder] = {}


class AlgoBook:
    """All conditional orders of a venue."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._last_id = _FIRST_ID
        self._holdings: dict[tuple[str, str], AlgoHolding] = {}
        self._by_child: dict[tuple[str, int], AlgoOrder] = {}
        self._good_till: list[tuple[int, int, AlgoOrder]] = []
        self.orders: list[AlgoOrder] = []  # in the order of acceptance

    def holding(self, account: str, symbol: str) -> AlgoHolding:
        """Return what an account has on a symbol, made on first use."""
        return self._holdings.setdefault((account, symbol), AlgoHolding())

    def find(self, account: str, algo_id: int | None, client_id: str | None) -> AlgoOrder | None:
        """Return the order of that id; the venue's id prevails.  A reused id names the newest."""
        for name in self._exchange.symbols:
            holding = self._holdings.get((account, name))
            if holding is None:
                continue
            found = (
                holding.by_id.get(algo_id)
                if algo_id is not None
                else holding.by_client_id.get(client_id or "")
            )
            if found is not None:
                return found
        return None

    def waiting(self, account: str, algo_id: int | None, client_id: str | None) -> AlgoOrder | None:
        """Return the order of that id that waits, None when none does."""
        for (name, _), holding in self._holdings.items():
            for order in holding.open.values() if name == account else ():
                named = order.algo_id if algo_id is not None else order.ticket.client_algo_id
                if named == (algo_id if algo_id is not None else client_id):
                    return order
        return None

    def parent(self, order: Order) -> AlgoOrder | None:
        """Return the conditional order that an order in the matching engine came from."""
        return self._by_child.get((order.ticket.symbol.name, order.order_id))

    def has_open(self, account: str) -> bool:
        """Whether an account has orders that wait."""
        return self._count_open(account) > 0

    def _count_open(self, account: str) -> int:
        return sum(len(held.open) for (name, _), held in self._holdings.items() if name == account)

    # -- what happens to them

    def place(self, account: Account, ticket: AlgoTicket, now_ns: int) -> AlgoOrder:
        """Accept an order.  Raises Rejection -4116 (or as configured), -4045 or -2021."""
        holding = self.holding(account.name, ticket.symbol.name)
        standing = holding.by_client_id.get(ticket.client_algo_id)
        if any(
            ticket.client_algo_id == other.ticket.client_algo_id for other in holding.open.values()
        ):
            code = self._exchange.config.duplicate_algo_code
            raise Rejection(code, TEXTS.get(code, TEXTS[-4116]))
        if self._count_open(account.name) >= ORDERS_AT_MOST:
            raise Rejection(-4045)
        self._last_id += 1
        order = AlgoOrder(account.name, self._last_id, ticket, now_ns)
        if order.sees(self._exchange.price_of(ticket.symbol.name, ticket.working_type)):
            raise Rejection(-2021)
        order.current.is_active = order.extreme is not None
        self.orders.append(order)
        holding.orders.append(order)
        holding.open[order.algo_id] = order
        holding.by_id[order.algo_id] = order
        if standing is None or self._exchange.config.reused_client_id == "newest":
            holding.by_client_id[ticket.client_algo_id] = order
        if ticket.good_till_ms:
            insort(self._good_till, (ticket.good_till_ms * 1_000_000, order.algo_id, order))
        self._exchange.record(AlgoEntry(now_ns, order, order.current))
        return order

    def cancel(self, order: AlgoOrder, now_ns: int) -> None:
        """Cancel an order that waits."""
        self._close(order, AlgoVersion(now_ns, "CANCELED"))

    def trigger(self, order: AlgoOrder, now_ns: int) -> None:
        """Trigger an order that waits, whatever the price is."""
        exchange, ticket = self._exchange, order.ticket
        account = exchange.accounts[order.account]
        self._append(order, AlgoVersion(now_ns, "TRIGGERING"))
        child = self._child(account, ticket)
        try:
            admit(exchange, account, child)
            exchange.submit(account, child, now_ns, algo=order)
        except Rejection as refused:
            self._close(order, AlgoVersion(now_ns, "REJECTED", reason=refused.text))

    def triggered(self, order: AlgoOrder, child: Order, now_ns: int) -> None:
        """Take note that the matching engine has accepted the order's child."""
        self._by_child[child.ticket.symbol.name, child.order_id] = order
        self._close(order, AlgoVersion(now_ns, "TRIGGERED", child))

    def on_price(self, symbol: str, working_type: str, price: Decimal, now_ns: int) -> None:
        """Show a price to the orders that wait for one of its type."""
        waiting = [
            order
            for (_, name), holding in self._holdings.items()
            if name == symbol
            for order in holding.open.values()
            if order.ticket.working_type == working_type
        ]
        is_torn = self._is_torn(symbol)
        for order in sorted(waiting, key=lambda each: each.algo_id):
            if not order.current.is_open:
                continue  # an order before it had it closed
            trails = order.extreme is not None
            reached = order.sees(price)
            if order.extreme is not None and not trails:
                self._append(order, AlgoVersion(now_ns, "NEW"))
            if reached and not (is_torn and order.ticket.price_protect):
                self.trigger(order, now_ns)

    def _is_torn(self, symbol: str) -> bool:
        exchange = self._exchange
        last, mark = exchange.prices[symbol], exchange.price_of(symbol, "MARK_PRICE")
        return abs(last - mark) > mark * exchange.symbols[symbol].trigger_protect

    def on_closed(self, child: Order, now_ns: int) -> None:
        """Take note that an order is closed: its conditional order is finished."""
        order = self.parent(child)
        if order is not None:
            done = child.current
            self._append(
                order,
                AlgoVersion(now_ns, "FINISHED", child, done.filled, done.average_price),
            )

    def on_flat(self, account: Account, leg: Leg, now_ns: int) -> None:
        """Let expire what stands only while its leg is open."""
        holding = self._holdings.get((account.name, leg.symbol.name))
        for order in list(holding.open.values()) if holding is not None else ():
            if (order.ticket.time_in_force, order.ticket.position_side) == (
                "GTE_GTC",
                leg.position_side,
            ):
                self.expire(order, now_ns)

    def expire(self, order: AlgoOrder, now_ns: int) -> None:
        """Let an order that waits expire."""
        self._close(order, AlgoVersion(now_ns, "EXPIRED"))

    def expire_due(self, now_ns: int) -> None:
        """Expire the GTD orders whose time has come."""
        while self._good_till and self._good_till[0][0] <= now_ns:
            due_ns, _, order = self._good_till.pop(0)
            if order.current.is_open:
                self.expire(order, due_ns)

    @property
    def next_expiry_ns(self) -> int | None:
        """Return when the next GTD order expires, None when there is none."""
        while self._good_till and not self._good_till[0][2].current.is_open:
            self._good_till.pop(0)
        return self._good_till[0][0] if self._good_till else None

    # -- inside

    def _child(self, account: Account, ticket: AlgoTicket) -> Ticket:
        exchange, name = self._exchange, ticket.symbol.name
        quantity = ticket.quantity
        if ticket.close_position:
            quantity = exchange.closable(account, name, ticket.side, ticket.position_side)
        is_limited = ticket.type in LIMITED
        price = ticket.price
        if is_limited and ticket.price_match != "NONE":
            price = matched_price(exchange, ticket.symbol, ticket.side, ticket.price_match)
        shows_origin = exchange.config.triggered_order_shows == "conditional"
        return Ticket(
            symbol=ticket.symbol,
            side=ticket.side,
            type="LIMIT" if is_limited else "MARKET",
            time_in_force=ticket.time_in_force if is_limited else "GTC",
            quantity=quantity,
            price=price,
            position_side=ticket.position_side,
            reduce_only=ticket.reduce_only,
            closes=ticket.closes,
            client_order_id=ticket.client_algo_id,
            good_till_ms=ticket.good_till_ms if is_limited else 0,
            original_type=ticket.type if shows_origin else "",
            stop_price=ticket.trigger_price if shows_origin else Decimal(0),
            close_position=ticket.close_position,
            working_type=ticket.working_type,
            price_protect=ticket.price_protect,
            price_match=ticket.price_match,
            self_trade_prevention=ticket.self_trade_prevention,
        )

    def _append(self, order: AlgoOrder, version: AlgoVersion) -> None:
        version.is_active = order.extreme is not None
        order.append(version)
        self._exchange.record(AlgoEntry(version.time_ns, order, version))

    def _close(self, order: AlgoOrder, version: AlgoVersion) -> None:
        """Record a change after which the order waits no longer."""
        del self.holding(order.account, order.ticket.symbol.name).open[order.algo_id]
        self._append(order, version)


def is_trailing(ticket: AlgoTicket) -> bool:
    """Whether the trigger follows the price."""
    return ticket.type == TRAILING
