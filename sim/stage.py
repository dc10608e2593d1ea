"""What every run has, be its time virtual or real: a venue, its faults, nodes and a timeline.

A run has four phases:

1. **faults**: the records of the timeline are played;
2. **heal**: two reconciliation intervals and 60 s pass after the last record is over and
   the last fault has acted, then what is left of faults is disarmed;
3. **quiet**: nothing may be pending any more, see `Timeline.pending`; what the nodes hold
   now is what is judged;
4. **final read**: each node is made to reconcile once more, and one more interval passes;
   what it publishes in that time is judged by `not-idempotent` alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Protocol

import msgspec

from sim.attendant import Player, sleep_until
from sim.clock import NS_PER_MS, NS_PER_SEC
from sim.faults import Fault, Faults
from sim.loops import Loop
from sim.observation import (
    Adjustment,
    Crash,
    Incarnation,
    Observation,
    VenueOrder,
    VenuePosition,
    VenueTrade,
)
from sim.observing import (
    checks_of,
    hedged_spans,
    limits_of,
    sights_of,
    unanswered_by_brokers,
    unexpected,
    with_final_ids,
)
from sim.points import Points
from sim.process import Process
from sim.scenario import model as m
from sim.streams import Streams
from sim.timeline import Timeline
from sim.trace import Trace
from sim.transport.network import DEFAULT_LATENCY_NS, Network
from sim.transport.streams import Latency
from sim.venue import Venue
from sim.venue_setup import venue_config

SETTLE_NS = 60 * NS_PER_SEC
"""What a run waits after its last record, besides two reconciliation intervals."""

QUIET_LIMIT_NS = 5 * NS_PER_SEC
"""How long a run waits for a moment at which nothing is pending: what a check may take."""

ROUND_TRIPS = 10
"""How many more round trips a run waits for where the venue is far: those of a check."""


def interval_ns_of(scenario: m.Scenario) -> int:
    """Return how often the nodes compare themselves with the venue, the slowest of them."""
    secs = max(node.reconciliation_interval_secs for node in scenario.each_node.values())
    return round(secs * NS_PER_SEC)


class Actor(Player, Protocol):
    """One node, as a whole run has it."""

    def come_to_rest(self) -> None:
        """Judge the state from here; what follows is the final read's."""

    async def final_read(self, interval_secs: float) -> bool:
        """Reconcile once more after it came to rest; False when that hangs."""

    def incarnations(self) -> Sequence[tuple[Process, Incarnation]]:
        """Return the processes so far, each with what is known of it."""

    def startups(self) -> tuple[tuple[str, int, float], ...]:
        """Return what the startup reconciliation of each process took: ns, CPU seconds."""


class Stage:
    """Where a scenario is played.

    Parameters
    ----------
    loop
        Whose time it is.
    make_nodes
        Makes the nodes, once everything else is there.
    latency_ns
        How long each way takes, unless the scenario says it.
    settle_ns
        What a run waits after its last record, besides two reconciliation intervals.
    look_ns
        How often it is looked whether anything is pending.
    """

    def __init__(
        self,
        scenario: m.Scenario,
        loop: Loop,
        make_nodes: Callable[[], Sequence[Actor]],
        *,
        seed: int,
        alerts_on: bool,
        left_out: str = "",
        latency_ns: Latency = DEFAULT_LATENCY_NS,
        settle_ns: int = SETTLE_NS,
        look_ns: int = NS_PER_MS,
        make_timeline: type[Timeline] = Timeline,
    ) -> None:
        self.scenario = scenario
        self.streams = Streams(seed)
        self.trace = Trace()
        self._loop = loop
        self.points = Points(loop, self.trace)
        self.faults = Faults(lambda: loop.now_ns, self._on_fault)
        self.venue = Venue(venue_config(scenario.venue), self.streams["venue"])
        self._alerts_on = alerts_on
        self._look_ns = look_ns
        self._interval_ns = interval_ns_of(scenario)
        self._bound_ns = 2 * self._interval_ns + settle_ns
        latency_ms = scenario.venue.latency_ms
        self._quiet_limit_ns = QUIET_LIMIT_NS
        if latency_ms is not None:
            latency_ns = latency_ms[0] * NS_PER_MS, latency_ms[1] * NS_PER_MS
            self._quiet_limit_ns += ROUND_TRIPS * 2 * latency_ns[1]
        self._tells_times = latency_ms is None
        self.network = Network(
            loop,
            self.venue,
            self.faults,
            self.trace,
            self.streams["network"],
            self.points,
            latency_ns,
            names_nodes=len(scenario.each_node) > 1,
        )
        self._make_timeline = make_timeline
        self._left_out = left_out
        self.set_nodes(make_nodes())
        self._crashes: list[Crash] = []
        self._pending: str | None = None
        self._quiet_ns: int | None = None
        self.healed_ns: int | None = None
        """When what was left of faults was disarmed."""
        self._truth: tuple[
            tuple[VenueTrade, ...], tuple[VenueOrder, ...], tuple[VenuePosition, ...]
        ]

    def set_nodes(self, nodes: Sequence[Actor]) -> None:
        """Say whom the timeline is about."""
        self.nodes = nodes
        self.timeline = self._make_timeline(
            self.scenario,
            self._loop,
            self.venue,
            self.network,
            self.faults,
            self.points,
            nodes,
            self.trace,
            self._left_out,
        )

    async def play(self) -> None:
        """Play the scenario to its end, and have each node reconcile once more."""
        await self.timeline.play(self._bound_ns)
        self.faults.heal()
        self.healed_ns = self._loop.now_ns
        self.network.release_all()
        limit_ns = self._loop.now_ns + self._quiet_limit_ns
        while (pending := self.timeline.pending()) is not None and self._loop.now_ns < limit_ns:
            await sleep_until(self._loop, self._loop.now_ns + self._look_ns)
        self._pending = pending
        self._take_truth()
        for node in self.nodes:
            node.come_to_rest()
        interval_secs = self._interval_ns / NS_PER_SEC
        reads = await asyncio.gather(*(node.final_read(interval_secs) for node in self.nodes))
        hanging = [node.name for node, ended in zip(self.nodes, reads, strict=True) if not ended]
        if hanging:
            names = " and ".join(hanging)
            self._pending = self._pending or f"the last reconciliation of {names} has not ended"

    def _take_truth(self) -> None:
        """Take the venue's books as they stand when the run is quiet."""
        self._quiet_ns = self._loop.now_ns
        self._truth = (self.venue.trades(), self.venue.orders(), self.venue.positions())

    def _on_fault(self, fault: Fault, what: str) -> None:
        mark = f"ledger {self.venue.ledger_position}"
        self.trace.add(self._loop.now_ns, "fault", fault.label, what, mark)

    def crash(self, reason: str, process: str, at_ns: int | None = None) -> None:
        """Take note of a crash."""
        at_ns = self._loop.now_ns if at_ns is None else at_ns
        node, _, number = process.partition("#")
        self.trace.add(at_ns, "crash", process, reason)
        self._crashes.append(Crash(at_ns, node, int(number or 0), reason))

    # -- what is judged -----------------------------------------------------------

    def observation(self) -> Observation:
        """Return everything that is judged."""
        scenario = self.scenario
        if self._quiet_ns is None:  # the run ended early: a process hangs
            self._take_truth()
        assert self._quiet_ns is not None
        trades, orders, positions = self._truth
        return Observation(
            hedged=hedged_spans(self.venue.exchange.accounts),
            ended_ns=self._quiet_ns,
            trades=trades,
            orders=orders,
            positions=positions,
            incarnations=tuple(self._incarnations()),
            **sights_of(scenario),
            alerts_on=self._alerts_on,
            impairments=(
                *self.faults.impairments(),
                *limits_of(self.network.reads),
                *unanswered_by_brokers(scenario, self._quiet_ns),
            ),
            pending=self._pending,
            crashes=tuple(self._crashes),
            adjustments=tuple(
                Adjustment(a.symbol, a.quantity, a.position_side, a.account)
                for a in scenario.expect.adjustments
            ),
            inert=(
                *self.timeline.inert,
                *(f"{label} never acted" for label in self.faults.inert()),
                *unexpected(scenario, positions),
            ),
        )

    def _incarnations(self) -> Iterable[Incarnation]:
        """Yield the processes, each with the checks that it made of the venue.

        How long its calls take means nothing where a scenario has latencies of its own.
        """
        for process, incarnation in chain(*(node.incarnations() for node in self.nodes)):
            spec = self.scenario.each_node[incarnation.node]
            calls = (*incarnation.calls, *checks_of(incarnation, process, spec, self.network.reads))
            shown = msgspec.structs.replace(incarnation, calls=calls if self._tells_times else ())
            yield with_final_ids(shown, self._truth[1])
