"""What can be wrong with what the venue's answers show."""

from __future__ import annotations

from typing import ClassVar

from sim.scenario.actions.base import Fault, Layer
from sim.scenario.values import (
    READS,
    TRADE_READS,
    AccountName,
    Asset,
    Instant,
    OrderId,
    PagedRead,
    PageRows,
    Period,
    PositionSide,
    Probability,
    Read,
    Seed,
    Symbol,
    TradeRead,
)


class ReadFault(Fault, frozen=True, kw_only=True):
    """A fault of what the venue's answers show."""

    layer: ClassVar[Layer] = "read"

    account: AccountName | None = None
    """The account whose answers it hits; all accounts' when left out."""


class LagReads(ReadFault, frozen=True, kw_only=True):
    """Answers of the venue's read endpoints show an older state."""

    word: ClassVar[str] = "lag_reads"

    reads: tuple[Read, ...] = READS
    """Which endpoints lag, by the last part of their path; all when left out."""
    symbol: Symbol | None = None
    """The only symbol whose reads lag; those of every symbol when left out."""
    by_ns: Period
    """How old the state is that they show."""
    for_ns: Period
    """How long they lag."""


class FlapReads(ReadFault, frozen=True, kw_only=True):
    """Answers come now from a replica that is up to date, now from one that is behind."""

    word: ClassVar[str] = "flap_reads"

    reads: tuple[Read, ...] = READS
    """Which endpoints flap, by the last part of their path; all when left out."""
    symbol: Symbol | None = None
    """The only symbol whose reads flap; those of every symbol when left out."""
    by_ns: Period
    """How far the other replica is behind."""
    for_ns: Period
    """How long they flap."""
    probability: Probability = 0.5
    """The chance with which an answer is of the one that is behind."""
    seed: Seed = 0
    """Where that chance comes from, apart from the scenario's seed."""


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


class OmitRows(ReadFault, frozen=True, kw_only=True):
    """Answers lack rows, also of what they have shown before: those that are all of what is
    given here."""

    word: ClassVar[str] = "omit_rows"

    reads: tuple[Read, ...]
    """Which endpoints lack them, by the last part of their path."""
    order: OrderId | None = None
    """The order that is missing, and its trades."""
    symbol: Symbol | None = None
    """The symbol whose orders, positions, trades or income are missing."""
    position_side: PositionSide | None = None
    """The leg whose position is missing, and what is of it."""
    asset: Asset | None = None
    """The asset whose balance is missing."""
    since_ns: Instant | None = None
    """The earliest time of orders, trades and income that are missing, as ``at``."""
    until_ns: Instant | None = None
    """The time from which on they are there again."""
    for_ns: Period
    """How long they are missing."""


class ShortenPages(ReadFault, frozen=True, kw_only=True):
    """Pages have fewer rows than their limit although there are more."""

    word: ClassVar[str] = "shorten_pages"

    reads: tuple[PagedRead, ...]
    """Which endpoints, by the last part of their path."""
    symbol: Symbol | None = None
    """The only symbol whose pages are short."""
    rows: PageRows
    """The most rows that a page has; a page of trades begins with the one that ended the page
    before, so that one row would tell nothing new for ever."""
    for_ns: Period
    """How long."""


class RepeatBoundaryRow(ReadFault, frozen=True, kw_only=True):
    """A page that begins somewhere begins with the last row before, as if it were the last of
    the page before."""

    word: ClassVar[str] = "repeat_boundary_row"

    reads: tuple[TradeRead, ...] = TRADE_READS
    """Which endpoints, by the last part of their path; both when left out."""
    symbol: Symbol | None = None
    """The only symbol whose pages do."""
    for_ns: Period
    """How long."""
