"""Faults of reads: what the venue's answers show, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.faults import Fault, ReadLag
from sim.hand.base import Reach
from sim.scenario import actions as a
from sim.venue.history import Hiding


def _lag_reads(reach: Reach, action: a.LagReads, label: str) -> None:
    until_ns = reach.now_ns + action.for_ns
    reach.faults.arm(ReadLag(label, reads=action.reads, until_ns=until_ns))
    reads = reach.venue.reads
    for read in action.reads:
        reads.begin_lag(read, action.by_ns)

    def heal() -> None:
        for read in action.reads:
            reads.end_lag(read, action.by_ns)

    reach.loop.call_at_ns(until_ns, heal)


def _hide_trades(reach: Reach, action: a.HideTrades, label: str) -> None:
    until_ns = reach.now_ns + action.for_ns
    fault = Fault(label, until_ns=until_ns)
    reach.faults.arm(fault)
    hiding = Hiding(
        action.reads,
        reach.now_ns,
        lambda read: reach.faults.act(fault, f"{read} lack trades", "lag"),
        symbol=action.symbol,
        client_order_id=reach.client_id(action.order),
    )
    reach.venue.reads.hide(hiding)
    reach.loop.call_at_ns(until_ns, reach.venue.reads.show, hiding)


DO: dict[type[a.Action], Callable[[Reach, Any, str], None]] = {
    a.LagReads: _lag_reads,
    a.HideTrades: _hide_trades,
}
