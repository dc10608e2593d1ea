"""What can be wrong with what the venue's answers show."""

from __future__ import annotations

from typing import ClassVar

from sim.scenario.actions.base import Fault, Layer
from sim.scenario.values import (
    READS,
    TRADE_READS,
    OrderId,
    Period,
    Read,
    Symbol,
    TradeRead,
)


class ReadFault(Fault, frozen=True, kw_only=True):
    """A fault of what the venue's answers show."""

    layer: ClassVar[Layer] = "read"


class LagReads(ReadFault, frozen=True, kw_only=True):
    """Answers of the venue's read endpoints show an older state."""

    word: ClassVar[str] = "lag_reads"

    reads: tuple[Read, ...] = READS
    """Which endpoints lag, by the last part of their path; all when left out."""
    by_ns: Period
    """How old the state is that they show."""
    for_ns: Period
    """How long they lag."""


class HideTrades(ReadFault, frozen=True, kw_only=True):
    """Trades become visible late, after later ones: the reads of trades lack their rows."""

    word: ClassVar[str] = "hide_trades"

    order: OrderId | None = None
    """The order whose trades are hidden; give this or ``symbol``."""
    symbol: Symbol | None = None
    """The symbol whose trades are hidden."""
    for_ns: Period
    """How long; those made in that time are hidden until its end."""
    reads: tuple[TradeRead, ...] = TRADE_READS
    """Which endpoints lack them, by the last part of their path; both when left out."""
