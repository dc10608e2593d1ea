"""How a node's processes end and begin."""

from __future__ import annotations

from typing import ClassVar, Literal

from sim.scenario.actions.base import NodeAction
from sim.scenario.values import (
    Cache,
    Count,
    Duration,
    InstrumentId,
    OrderId,
    Period,
    StrategyId,
)


class Stop(NodeAction, frozen=True, kw_only=True):
    """The node is stopped in good order."""

    word: ClassVar[str] = "stop"


class Kill(NodeAction, frozen=True, kw_only=True):
    """The process of the node ends between two instructions; nothing is written any more."""

    word: ClassVar[str] = "kill"


class StopDatabase(NodeAction, frozen=True, kw_only=True):
    """The database of the node's cache goes down, with all connections to it, and comes back.

    What the node writes first is lost, as NautilusTrader finds out by that; what it writes then
    waits for the database, and is lost if the process ends before it is back.
    """

    word: ClassVar[str] = "stop_database"

    for_ns: Period
    """How long it is down."""
    lose_ns: Period | None = None
    """Of how long before it went down it has nothing when it is back; it has all when left out."""


class LoseWrites(NodeAction, frozen=True, kw_only=True):
    """What the node writes to the database of its cache is lost, and nobody is told.

    So it goes where the connection of NautilusTrader's writer breaks: what was under way is gone,
    a whole buffer where there is one.  A database that goes down may take that along, too.
    """

    word: ClassVar[str] = "lose_writes"

    for_ns: Period
    """How long, or until the process ends."""


class Comeback(NodeAction, frozen=True, kw_only=True):
    """A new process of the node begins."""

    cache: Cache = "kept"
    """What it loads: all writes (kept), none (lost), all but the last (stale, torn)."""
    lose_ns: Period | None = None
    """Of a stale cache: how long before the end of the last process its writes are lost."""
    order: OrderId | None = None
    """Of a torn cache: the order in whose last fill the writes break off."""
    keep: Count | None = None
    """Of a torn cache: how many writes of that fill survive."""
    claims: dict[StrategyId, tuple[InstrumentId, ...]] | None = None
    """The claims from now on, in place of those before; unchanged when left out."""


class Start(Comeback, frozen=True, kw_only=True):
    """A node that is down starts again."""

    word: ClassVar[str] = "start"


class Restart(Comeback, frozen=True, kw_only=True):
    """The node goes down and comes back."""

    word: ClassVar[str] = "restart"

    by: Literal["stop", "kill"] = "stop"
    """How the old process ends."""
    down_ns: Duration = 1_000_000_000
    """How long the node is down."""
