"""Faults of reads: what the venue's answers show, and for how long."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sim.faults import Fault
from sim.hand.base import Reach
from sim.scenario import actions as a
from sim.venue.reads import Acted, Distorted, Lag, Omission, RepeatedRows, ShortPages


def _begin(
    reach: Reach, action: Any, label: str, does: str, make: Callable[[Acted], Distorted]
) -> None:
    """Put between the truth and the answers what ``make`` makes, for the time of a record."""
    until_ns = reach.now_ns + action.for_ns
    fault = Fault(label, until_ns=until_ns, account=action.account)
    reach.faults.arm(fault)
    distorted = make(lambda read: reach.faults.act(fault, f"{read} {does}", "lag"))
    reach.venue.reads.begin(distorted)
    reach.loop.call_at_ns(until_ns, reach.venue.reads.end, distorted)


def _lag_reads(reach: Reach, action: a.LagReads, label: str) -> None:
    def make(acted: Acted) -> Lag:
        return Lag(
            models=action.reads,
            acted=acted,
            symbol=action.symbol,
            account=action.account,
            by_ns=action.by_ns,
        )

    _begin(reach, action, label, "lags", make)


def _flap_reads(reach: Reach, action: a.FlapReads, label: str) -> None:
    rng = random.Random(action.seed)  # noqa: S311 - reproducible by design

    def make(acted: Acted) -> Lag:
        return Lag(
            models=action.reads,
            acted=acted,
            symbol=action.symbol,
            account=action.account,
            by_ns=action.by_ns,
            is_stale=lambda: rng.random() < action.probability,
        )

    _begin(reach, action, label, "is of the replica that is behind", make)


def _hide_trades(reach: Reach, action: a.HideTrades, label: str) -> None:
    def make(acted: Acted) -> Omission:
        return Omission(
            models=action.reads,
            acted=acted,
            symbol=action.symbol,
            account=action.account,
            client_order_id=reach.client_id(action.order),
            from_ns=reach.now_ns,
        )

    _begin(reach, action, label, "lack trades", make)


def _omit_rows(reach: Reach, action: a.OmitRows, label: str) -> None:
    def instant(at_ns: int | None) -> int | None:
        return None if at_ns is None else reach.loop.origin_ns + at_ns

    def make(acted: Acted) -> Omission:
        return Omission(
            models=action.reads,
            acted=acted,
            symbol=action.symbol,
            account=action.account,
            client_order_id=reach.client_id(action.order),
            position_side=action.position_side,
            asset=action.asset,
            from_ns=instant(action.since_ns),
            to_ns=instant(action.until_ns),
        )

    _begin(reach, action, label, "lacks rows", make)


def _shorten_pages(reach: Reach, action: a.ShortenPages, label: str) -> None:
    def make(acted: Acted) -> ShortPages:
        return ShortPages(
            models=action.reads,
            acted=acted,
            symbol=action.symbol,
            account=action.account,
            rows=action.rows,
        )

    _begin(reach, action, label, "has a short page", make)


def _repeat_boundary_row(reach: Reach, action: a.RepeatBoundaryRow, label: str) -> None:
    def make(acted: Acted) -> RepeatedRows:
        return RepeatedRows(
            models=action.reads, acted=acted, symbol=action.symbol, account=action.account
        )

    _begin(reach, action, label, "begins with the row before", make)


DO: dict[type[a.Action], Callable[[Reach, Any, str], None]] = {
    a.LagReads: _lag_reads,
    a.FlapReads: _flap_reads,
    a.HideTrades: _hide_trades,
    a.OmitRows: _omit_rows,
    a.ShortenPages: _shorten_pages,
    a.RepeatBoundaryRow: _repeat_boundary_row,
}
