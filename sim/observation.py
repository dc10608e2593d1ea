"""What the oracle is allowed to see of a run.

An `Observation` is plain data: the venue's truth, and for each process of each
node what it loaded, what it published and what it held at the end.  Nothing in
it refers to a live object, so a verdict can be computed from a stored run and
the oracle can be tested with observations written by hand.

Times are integer nanoseconds since the Unix epoch, quantities and prices
`Decimal`.  Position sides are Binance's: ``BOTH`` in one-way mode, ``LONG`` or
``SHORT`` in hedge mode.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class VenueTrade(msgspec.Struct, frozen=True):
    """One execution at the venue, from the account's side."""

    account: str
    symbol: str
    order_id: int
    trade_id: int
    client_order_id: str
    side: str
    position_side: str
    quantity: Decimal
    price: Decimal
    commission: Decimal
    commission_asset: str
    maker: bool
    time_ns: int


class VenueOrder(msgspec.Struct, frozen=True):
    """One order as it stands at the venue when the run ends.

    ``status`` is Binance's: NEW, PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED,
    EXPIRED_IN_MATCH.  ``average_price`` is None while nothing is filled.
    """

    account: str
    symbol: str
    order_id: int
    client_order_id: str
    side: str
    position_side: str
    status: str
    quantity: Decimal
    filled: Decimal
    average_price: Decimal | None
    created_ns: int
    updated_ns: int

    @property
    def is_open(self) -> bool:
        return self.status in ("NEW", "PARTIALLY_FILLED")


class VenuePosition(msgspec.Struct, frozen=True):
    """One leg that is not flat at the venue; ``quantity`` is signed."""

    account: str
    symbol: str
    position_side: str
    quantity: Decimal
    entry_price: Decimal


class NodeFill(msgspec.Struct, frozen=True):
    """A fill as the node knows it: from an event, or from a loaded order."""

    account: str
    symbol: str
    client_order_id: str
    venue_order_id: str
    trade_id: str
    side: str
    quantity: Decimal
    price: Decimal
    commission: Decimal
    commission_asset: str
    liquidity: str
    position_id: str
    time_ns: int


class NodeOrder(msgspec.Struct, frozen=True):
    """One order in a node's cache.  ``status`` is NautilusTrader's name for it."""

    account: str
    symbol: str
    client_order_id: str
    venue_order_id: str
    strategy_id: str
    side: str
    status: str
    quantity: Decimal
    filled: Decimal
    average_price: Decimal | None
    fills: tuple[NodeFill, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.status in (
            "ACCEPTED",
            "TRIGGERED",
            "PENDING_UPDATE",
            "PENDING_CANCEL",
            "PARTIALLY_FILLED",
        )

    @property
    def is_closed(self) -> bool:
        return self.status in ("FILLED", "CANCELED", "EXPIRED", "REJECTED", "DENIED")


class NodePosition(msgspec.Struct, frozen=True):
    """One open position in a node's cache; ``quantity`` is signed."""

    account: str
    symbol: str
    position_id: str
    position_side: str
    strategy_id: str
    quantity: Decimal
    entry_price: Decimal


class State(msgspec.Struct, frozen=True):
    """The orders and open positions in a cache at one instant."""

    orders: tuple[NodeOrder, ...] = ()
    positions: tuple[NodePosition, ...] = ()


class NodeEvent(msgspec.Struct, frozen=True):
    """One message published on ``events.order.*``, in the order of publication.

    ``at_ns`` is the virtual time of publication.  ``fill`` is set on
    ``OrderFilled`` and only there.
    """

    at_ns: int
    kind: str
    account: str
    symbol: str
    client_order_id: str
    venue_order_id: str
    fill: NodeFill | None = None


class Incarnation(msgspec.Struct, frozen=True):
    """One process of one node, from its start to its end.

    ``lineage`` counts the states that the node has started from nothing: it goes
    up by one when a restart loses the cache.  ``ended`` is how the process ended:
    ``running`` (still alive when the run was judged), ``stopped``, ``killed`` or
    ``crashed``.
    """

    node: str
    number: int
    lineage: int
    started_ns: int
    ended_ns: int
    ended: str
    trader_ran: bool
    loaded: State
    events: tuple[NodeEvent, ...]
    final: State


class Crash(msgspec.Struct, frozen=True):
    """An exception, exit, deadlock or livelock that nobody asked for."""

    at_ns: int
    node: str
    incarnation: int
    reason: str


class Adjustment(msgspec.Struct, frozen=True):
    """A fill without a trade that the scenario declares to be right."""

    symbol: str
    quantity: Decimal
    position_side: str = "BOTH"
    account: str = "main"


class Observation(msgspec.Struct, frozen=True):
    """Everything that is judged of one run.

    ``inert`` lists the records and faults that never took effect, in words; a
    run with any is inconclusive.  ``lookback_ns`` is None when the node asks for
    all that the venue serves.  ``symbols`` are those that the node may see.
    """

    position_mode: str
    symbols: tuple[str, ...]
    lookback_ns: int | None
    claims: dict[str, str]
    ended_ns: int
    trades: tuple[VenueTrade, ...]
    orders: tuple[VenueOrder, ...]
    positions: tuple[VenuePosition, ...]
    incarnations: tuple[Incarnation, ...]
    crashes: tuple[Crash, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    inert: tuple[str, ...] = ()
