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
    realized: Decimal = Decimal(0)
    """What it has earned or lost of the position."""


class Terms(msgspec.Struct, frozen=True):
    """What an order asks for from an instant on; a MARKET order has no price.

    ``order_id`` is the id that a conditional order has from then on, 0 for others; ``trigger`` is
    the price that it waits for, and ``callback_rate`` how far it trails, in percent.
    """

    at_ns: int
    quantity: Decimal
    price: Decimal | None
    order_id: int = 0
    trigger: Decimal | None = None
    callback_rate: Decimal | None = None


class VenueOrder(msgspec.Struct, frozen=True):
    """One order as it stands at the venue when the run ends.

    ``status`` is Binance's: NEW, PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED, EXPIRED_IN_MATCH,
    REJECTED (a conditional order that the matching engine refused).  ``average_price`` is None
    while nothing is filled, ``closed_ns`` while the order is open.  ``terms`` are those at first
    and after each amendment.

    A conditional order and the order in the matching engine that it becomes are one: it was
    created when it was placed, and it has the id of the latter as soon as that exists.
    ``algo_id`` is the id that it had before, 0 for others.
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
    closed_ns: int | None = None
    terms: tuple[Terms, ...] = ()
    algo_id: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in ("NEW", "PARTIALLY_FILLED")

    def is_live_at(self, at_ns: int) -> bool:
        """Whether the order stood at the venue, open, at an instant."""
        return self.created_ns <= at_ns and (self.closed_ns is None or at_ns < self.closed_ns)


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
    """One order in a node's cache.  ``status`` is NautilusTrader's name for it.

    ``venue_order_id`` is the last that the venue gave it; ``held_id`` the one that the node has
    for an order that was conditional, 0 for others.
    """

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
    price: Decimal | None = None
    trigger: Decimal | None = None
    callback_rate: Decimal | None = None
    held_id: int = 0
    reduce_only: bool = False

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
    ``OrderFilled`` and only there.  ``status`` and ``filled`` are those of the order in
    the cache at that moment, which is after the event was applied, and so are ``quantity``,
    ``price`` and ``venue_order_id``; the status is empty for an order that the cache does not
    have, and the id is the event's then.
    ``reconciliation`` is the event's own flag; ``held_id`` is as in `NodeOrder`.
    """

    at_ns: int
    kind: str
    account: str
    symbol: str
    client_order_id: str
    venue_order_id: str
    fill: NodeFill | None = None
    status: str = ""
    filled: Decimal = Decimal(0)
    reconciliation: bool = False
    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None
    callback_rate: Decimal | None = None
    held_id: int = 0


class PositionChange(msgspec.Struct, frozen=True):
    """A position in the cache changed; ``quantity`` is what it is afterwards, signed."""

    at_ns: int
    account: str
    symbol: str
    position_id: str
    position_side: str
    quantity: Decimal


class Alert(msgspec.Struct, frozen=True):
    """One message of an engine on its topic of discrepancies.

    It names a fill when ``trade_id`` is set, else an order when one of the order ids is,
    else a leg when ``position_side`` is, else everything on the symbol of the account.
    """

    at_ns: int
    kind: str
    account: str
    symbol: str
    position_side: str = ""
    client_order_id: str = ""
    venue_order_id: str = ""
    trade_id: str = ""


class Call(msgspec.Struct, frozen=True):
    """One reconciliation of a process: its startup, or a burst of reads, a ``check``.

    ``ended_ns`` is None when it had not ended with its process.
    """

    kind: str
    began_ns: int
    ended_ns: int | None


class Impairment(msgspec.Struct, frozen=True):
    """A time in which a fault was at work.

    ``kind`` is what it keeps from a node: ``read`` (answers fail or are lost), ``lag``
    (answers show the past), ``command`` (orders are refused or their answers lost),
    ``stream`` (events or their connections).  A fault that hits single requests is at
    work at the instants of these.  ``node`` and ``account`` are whom it hits, empty for all.
    """

    kind: str
    from_ns: int
    until_ns: int
    node: str = ""
    account: str = ""


class Incarnation(msgspec.Struct, frozen=True):
    """One process of one node, from its start to its end.

    ``lineage`` counts the states that the node has started from nothing: it goes
    up by one when a restart loses the cache.  ``ended`` is how the process ended:
    ``running`` (still alive when the run was judged), ``stopped`` (by the scenario),
    ``quit`` (by itself), ``stalled`` (its trader did not run 90 s after the start, and
    the world ended it), ``killed`` or ``crashed``.

    ``ready_ns`` is when its trader ran for the first time, None when it never did.
    ``claims`` is symbol to claiming strategy, ``claims_of`` the same for each account of a node
    that trades on several.  ``purged`` are the client order ids that
    the node itself had deleted by then, from its database or from memory alone.  ``final``
    is judged when the run is quiet; ``final_read`` holds what the process published when it
    was made to reconcile once more after that, None when it was not asked.
    """

    node: str
    number: int
    lineage: int
    started_ns: int
    ended_ns: int
    ended: str
    loaded: State
    events: tuple[NodeEvent, ...]
    final: State
    ready_ns: int | None = None
    claims: dict[str, str] = {}
    claims_of: dict[str, dict[str, str]] = {}
    position_changes: tuple[PositionChange, ...] = ()
    alerts: tuple[Alert, ...] = ()
    calls: tuple[Call, ...] = ()
    purged: tuple[str, ...] = ()
    final_read: tuple[NodeEvent, ...] | None = None


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


class Sight(msgspec.Struct, frozen=True):
    """What one of several nodes may see, and how it is set, in the words of `Observation`.

    ``accounts`` are those that it trades on.
    """

    accounts: tuple[str, ...]
    symbols: tuple[str, ...]
    unloaded: tuple[str, ...]
    lookback_ns: int | None
    interval_ns: int
    filters_unclaimed: bool
    filtered: frozenset[str]
    nets: bool = False


class HedgeSpan(msgspec.Struct, frozen=True):
    """A time in which an account is in hedge mode, from the start or to the end by default."""

    account: str
    from_ns: int = 0
    until_ns: int | None = None


class Observation(msgspec.Struct, frozen=True):
    """Everything that is judged of one run.

    ``hedged`` says when which accounts held long and short of a symbol apart.
    ``sights`` are those of the nodes by name where there are several; the words that a
    sight has, too, are those of the only node.

    ``symbols`` are those that the node may see, ``unloaded`` those that the venue lists
    and the node has no instrument of.  ``lookback_ns`` is None when the node asks for
    all that the venue serves.  ``interval_ns`` is how often the node compares itself
    with the venue.  ``filters_unclaimed`` says that orders which nobody submitted here
    or claims are none of the node's business, and neither are those whose client order ids
    are ``filtered``.  ``nets`` says that its client names no positions, so that NautilusTrader
    has one for each strategy.  ``alerts_on`` says whether the engine
    has a topic for discrepancies.

    ``pending`` says what had not come to rest when the run had to be quiet, None when
    everything had; ``inert`` lists the records and faults that never took effect, in
    words: a run with any is inconclusive.
    """

    symbols: tuple[str, ...]
    lookback_ns: int | None
    ended_ns: int
    trades: tuple[VenueTrade, ...]
    orders: tuple[VenueOrder, ...]
    positions: tuple[VenuePosition, ...]
    incarnations: tuple[Incarnation, ...]
    hedged: tuple[HedgeSpan, ...] = ()
    sights: dict[str, Sight] = {}
    interval_ns: int = 300_000_000_000
    unloaded: tuple[str, ...] = ()
    filters_unclaimed: bool = False
    filtered: frozenset[str] = frozenset()
    nets: bool = False
    alerts_on: bool = False
    impairments: tuple[Impairment, ...] = ()
    pending: str | None = None
    crashes: tuple[Crash, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    inert: tuple[str, ...] = ()

    def is_hedged(self, account: str, at_ns: int) -> bool:
        """Whether an account held long and short of a symbol apart at an instant."""
        return any(
            span.account == account
            and span.from_ns <= at_ns
            and (span.until_ns is None or at_ns < span.until_ns)
            for span in self.hedged
        )
