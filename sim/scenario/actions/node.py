"""How a node's processes end and begin."""

from __future__ import annotations

from typing import ClassVar, Literal

from sim.scenario.actions.base import NodeAction
from sim.scenario.values import (
    Cache,
    ClientName,
    Count,
    Duration,
    InstrumentId,
    OrderId,
    Period,
    PointName,
    StrategyId,
)


class Stop(NodeAction, frozen=True, kw_only=True):
    """The node is stopped in good order."""

    word: ClassVar[str] = "stop"


class Kill(NodeAction, frozen=True, kw_only=True):
    """The process of the node ends between two instructions; nothing is written any more."""

    word: ClassVar[str] = "kill"

    point: PointName | None = None
    """Where it ends, counted from ``at``: ``before reply 2 of GET /fapi/v1/userTrades``,
    ``after reply ...``, ``after request ...`` (the venue has acted, the reply is on its way) or
    ``after write 3`` (to the cache's database; also ``after write 1 of orders:O-1``, or ``of
    positions``); at the instant ``at`` when left out."""
    client: ClientName | None = None
    """Whose requests count for the point: ``nt`` is NautilusTrader's; all when left out."""


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
    point: PointName | None = None
    """Where a kill ends the old process, as in ``kill``; at the instant ``at`` when left out."""
    client: ClientName | None = None
    """Whose requests count for the point; all when left out."""
