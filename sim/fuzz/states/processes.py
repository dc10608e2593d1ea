"""Rare states of processes: when they ended, and what the next one came back to."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from sim.fuzz.evidence import Evidence, Published
from sim.fuzz.states.base import CHECK, simple, state
from sim.observation import Incarnation
from sim.recorder import STARTUP


def _lacked(seen: Evidence) -> Iterator[tuple[Incarnation, Published]]:
    """The fills that a process published and the next one did not load."""
    for before, after in seen.successions:
        loaded = {fill.trade_id for order in after.loaded.orders for fill in order.fills}
        for fills in seen.published.values():
            for fill in fills:
                if fill.life is before and fill.trade_id not in loaded:
                    yield after, fill


@state("a process had lost a fill that the one before had applied")
def _(seen: Evidence) -> bool:
    return any(after.loaded.orders for after, _ in _lacked(seen))


@state("a lost fill was applied again, in the next process")
def _(seen: Evidence) -> bool:
    return any(
        any(again.life is after for again in seen.published[fill.trade_id])
        for after, fill in _lacked(seen)
    )


@state("a process had lost an order that the one before had sent")
def _(seen: Evidence) -> bool:
    return any(
        event.client_order_id not in seen.loaded(after)
        for before, after in seen.successions
        if after.loaded.orders
        for event in before.events
        if event.kind == "OrderSubmitted"
    )


@state("the cache was lost while a position was held")
def _(seen: Evidence) -> bool:
    return any(
        after.lineage > before.lineage and before.final.positions
        for before, after in seen.successions
    )


@state("an order was known as open at a start, and had ended at the venue")
def _(seen: Evidence) -> bool:
    return any(
        order.is_open
        and (truth := seen.order_by_id.get(name)) is not None
        and truth.closed_ns is not None
        and truth.closed_ns < life.started_ns
        for life in seen.lives
        for name, order in seen.loaded(life).items()
    )


@state("an order was partly filled at a start, and filled further while the node was down")
def _(seen: Evidence) -> bool:
    return any(
        order.filled
        and any(
            before.ended_ns < trade.time_ns < after.started_ns
            for trade in seen.trades_of.get(name, ())
        )
        for before, after in seen.successions
        for name, order in seen.loaded(after).items()
    )


@state("a start failed, and the next one did not")
def _(seen: Evidence) -> bool:
    return any(
        before.ended in ("quit", "stalled") and after.ready_ns is not None
        for before, after in seen.successions
    )


@state("killed before the node was ready")
def _(seen: Evidence) -> bool:
    return any(life.ready_ns is None for life in seen.killed)


@state("killed during the reads of a start")
def _(seen: Evidence) -> bool:
    return any(
        call.kind == STARTUP and call.ended_ns is None
        for life in seen.killed
        for call in life.calls
    )


@state("killed during a check")
def _(seen: Evidence) -> bool:
    return any(
        call.kind == CHECK and call.began_ns <= life.ended_ns < (call.ended_ns or life.ended_ns + 1)
        for life in seen.killed
        for call in life.calls
    )


@state("killed while the stream was gone")
def _(seen: Evidence) -> bool:
    return any(low < life.ended_ns < high for life in seen.killed for low, high in seen.gaps)


@state("killed inside of a write")
def _(seen: Evidence) -> bool:
    return any(
        row.kind == "point" and "after write" in _point_of(seen, row.subject)
        for row in seen.run.trace.rows
    )


def _point_of(seen: Evidence, label: str) -> str:
    at = label.partition(" (")[0]
    return " ".join(
        r.action.point or ""
        for r in seen.run.scenario.timeline
        if r.action.point and at.startswith(r.action.word)
    )


simple("killed with an order unanswered", lambda seen: seen.is_killed_in("SUBMITTED"))
simple("killed with a cancel unanswered", lambda seen: seen.is_killed_in("PENDING_CANCEL"))
simple("killed with an amendment unanswered", lambda seen: seen.is_killed_in("PENDING_UPDATE"))


@state("killed twice within a minute")
def _(seen: Evidence) -> bool:
    ends = sorted(life.ended_ns for life in seen.killed)
    return any(b - a < 60 * 10**9 for a, b in itertools.pairwise(ends))
