"""Conditional ("algo") orders: what was asked for, and how each stood after each change."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal

import msgspec

from sim.observation import Terms, VenueOrder
from sim.venue.config import SymbolConfig
from sim.venue.models import ZERO, Order

TRAILING = "TRAILING_STOP_MARKET"
LIMITED = frozenset({"STOP", "TAKE_PROFIT"})
"""The types whose order in the matching engine is a LIMIT order; that of others is MARKET."""

TAKES_PROFIT = frozenset({"TAKE_PROFIT", "TAKE_PROFIT_MARKET"})


class AlgoTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A conditional order that passed validation.

    ``quantity`` is zero with ``close_position``, ``trigger_price`` for a trailing stop,
    ``price`` where the order in the matching engine is a MARKET order.  ``callback_rate`` is
    in percent; ``activate_price`` of zero is at once.
    """

    symbol: SymbolConfig
    side: str
    type: str
    time_in_force: str
    quantity: Decimal
    price: Decimal
    trigger_price: Decimal
    position_side: str
    reduce_only: bool
    closes: bool
    close_position: bool
    client_algo_id: str
    working_type: str
    price_match: str
    price_protect: bool
    self_trade_prevention: str
    activate_price: Decimal = ZERO
    callback_rate: Decimal = ZERO
    good_till_ms: int = 0


class AlgoVersion(msgspec.Struct):
    """A conditional order after one change.

    ``order`` is its order in the matching engine, from TRIGGERED on.  ``reason`` says why it
    was rejected.  A trailing stop ``is_active`` once it trails.
    """

    time_ns: int
    status: str
    order: Order | None = None
    executed: Decimal = ZERO
    average_price: Decimal | None = None
    reason: str = ""
    is_active: bool = False
    body: bytes = b""

    @property
    def is_open(self) -> bool:
        return self.status in ("NEW", "TRIGGERING")


class AlgoOrder:
    """One conditional order; ``extreme`` is the best price that a trailing stop has seen."""

    __slots__ = (
        "account", "algo_id", "created_ns", "current", "extreme", "ticket", "version_times",
        "versions",
    )  # fmt: skip

    def __init__(self, account: str, algo_id: int, ticket: AlgoTicket, now_ns: int) -> None:
        self.account = account
        self.algo_id = algo_id
        self.ticket = ticket
        self.created_ns = now_ns
        self.extreme: Decimal | None = None
        self.current = AlgoVersion(now_ns, "NEW")
        self.versions = [self.current]
        self.version_times = [now_ns]

    def append(self, version: AlgoVersion) -> None:
        """Record a change; the caller guarantees that its time is not earlier."""
        self.current = version
        self.versions.append(version)
        self.version_times.append(version.time_ns)

    def as_of(self, at_ns: int) -> AlgoVersion | None:
        """Return the version that stood at that time, None before the order existed."""
        index = bisect_right(self.version_times, at_ns)
        return self.versions[index - 1] if index else None

    @property
    def triggered_ns(self) -> int:
        """When it triggered, 0 while it has not."""
        return next((v.time_ns for v in self.versions if v.status == "TRIGGERED"), 0)

    def sees(self, price: Decimal) -> bool:
        """Take note of a price; return whether it triggers the order."""
        ticket, buys = self.ticket, self.ticket.side == "BUY"
        if ticket.type != TRAILING:
            waits_for_rise = buys != (ticket.type in TAKES_PROFIT)
            return (
                price >= ticket.trigger_price if waits_for_rise else price <= ticket.trigger_price
            )
        if self.extreme is None:
            start = ticket.activate_price
            if start and (price > start if buys else price < start):
                return False
            self.extreme = price
            return False
        self.extreme = min(self.extreme, price) if buys else max(self.extreme, price)
        step = self.extreme * ticket.callback_rate / 100
        return price >= self.extreme + step if buys else price <= self.extreme - step

    def truth(self) -> VenueOrder:
        """Return the order, or what it has become, as the oracle sees it.

        One that closes its position asks for no quantity of its own.
        """
        ticket, now = self.ticket, self.current
        asked: tuple[Terms, ...] = ()
        if not ticket.close_position:
            asked = (
                Terms(
                    self.created_ns,
                    ticket.quantity,
                    ticket.price or None,
                    self.algo_id,
                    ticket.trigger_price or None,
                    ticket.callback_rate or None,
                ),
            )
        if now.order is not None:
            child = now.order.truth()
            became = (
                msgspec.structs.replace(terms, order_id=child.order_id) for terms in child.terms
            )
            return msgspec.structs.replace(
                child,
                created_ns=self.created_ns,
                terms=(*asked, *became),
                algo_id=self.algo_id,
            )
        return VenueOrder(
            account=self.account,
            symbol=ticket.symbol.name,
            order_id=self.algo_id,
            client_order_id=ticket.client_algo_id,
            side=ticket.side,
            position_side=ticket.position_side,
            status="NEW" if now.is_open else now.status,
            quantity=ticket.quantity,
            filled=ZERO,
            average_price=None,
            created_ns=self.created_ns,
            updated_ns=now.time_ns,
            closed_ns=None if now.is_open else now.time_ns,
            terms=asked,
            algo_id=self.algo_id,
        )
