"""One run: a venue, its faults, nodes and a timeline, on a virtual clock.

A run is a function of the scenario with its seed, the engine, and the versions of
NautilusTrader, Python and this package.  It yields an `Observation` to judge and a
trace to compare.

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
from itertools import chain
from typing import Any, NoReturn

import msgspec

from sim import patches
from sim.clock import NS_PER_MS, NS_PER_SEC, START_NS, VirtualLoop, VirtualTimeError
from sim.database import Backing
from sim.engines import MakeEngine
from sim.faults import Fault, Faults
from sim.node import NodeProcess, NodeUnderTest, SetupError
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
from sim.process import PROCESS, ProcessExited, refuse_the_dead
from sim.scenario import model as m
from sim.stopwatch import wall_secs
from sim.streams import Streams
from sim.timeline import Timeline
from sim.trace import Trace
from sim.transport.network import DEFAULT_LATENCY_NS, NETWORK, Network
from sim.venue import Venue
from sim.venue_setup import accesses_of, venue_config

SETTLE_SECS = 60
"""What a run waits after its last record, besides two reconciliation intervals."""

QUIET_LIMIT_NS = 5 * NS_PER_SEC
"""How long a run waits for a moment at which nothing is pending: what a check may take."""

ROUND_TRIPS = 10
"""How many more round trips a run waits for where the venue is far: those of a check."""

BUDGET_SLACK_NS = 3_600 * NS_PER_SEC


class HarnessError(RuntimeError):
    """The simulation itself failed; nothing follows for the engine under test."""


class Run(msgspec.Struct, frozen=True):
    """What one run left behind."""

    scenario: m.Scenario
    engine: str
    seed: int
    observation: Observation
    trace: Trace
    virtual_ns: int
    startups: tuple[tuple[str, int, float], ...]
    wall_secs: float
    healed_ns: int
    """When what was left of faults was disarmed."""
    effective: frozenset[str]
    """The words of which a record had an effect; a fault's, that it was armed."""


def run(
    scenario: m.Scenario,
    engine: MakeEngine,
    *,
    seed: int | None = None,
    left_out: str = "",
) -> Run:
    """Play a scenario to its end.

    `engine` makes the engine of each process.  `seed` takes the place of the
    scenario's own.  Of the records with the word `left_out` nothing is done; their time
    passes all the same.  Raises `HarnessError` when the simulation fails, `SetupError` when
    the node cannot be built as the scenario and the engine want it, and what
    `sim.patches` raises when NautilusTrader is not one that it knows.
    """
    return World(scenario, engine, scenario.seed if seed is None else seed, left_out).run()


class World:
    """The state of one run.  It is the `sim.patches.Host` of the replacements."""

    def __init__(
        self, scenario: m.Scenario, engine: MakeEngine, seed: int, left_out: str = ""
    ) -> None:
        self._scenario = scenario
        made = engine()
        self._engine_name = made.name
        self._alerts_on = made.alerts is not None
        self._seed = seed
        first_ns = min((record.at_ns for record in scenario.timeline), default=0)
        last_ns = max((r.at_ns + r.action.lasts_ns for r in scenario.timeline), default=0)
        specs = scenario.each_node
        starts_ns = max(node.starts_ns for node in specs.values())
        interval_secs = max(node.reconciliation_interval_secs for node in specs.values())
        self._interval_ns = round(interval_secs * NS_PER_SEC)
        self._bound_ns = 2 * self._interval_ns + SETTLE_SECS * NS_PER_SEC
        # Each act of a fault that is counted may begin the bound anew, and each named point.
        acts = 1 + sum(getattr(r.action, "limit", None) or 0 for r in scenario.timeline)
        acts += sum(getattr(r.action, "point", None) is not None for r in scenario.timeline)
        budget_ns = (
            max(last_ns, starts_ns) - min(first_ns, 0) + acts * self._bound_ns + self._interval_ns
        )
        self.loop = VirtualLoop(START_NS + min(first_ns, 0), budget_ns=budget_ns + BUDGET_SLACK_NS)
        self.loop.set_exception_handler(self._on_exception)
        self.streams = Streams(seed)
        self.trace = Trace()
        self.points = Points(self.loop, self.trace)
        self.faults = Faults(lambda: self.loop.now_ns, self._on_fault)
        self._config = venue_config(scenario.venue)
        self.venue = Venue(self._config, self.streams["venue"])
        latency_ms = scenario.venue.latency_ms
        self._has_default_latency = latency_ms is None
        self._quiet_limit_ns = QUIET_LIMIT_NS
        if latency_ms is not None:
            self._quiet_limit_ns += ROUND_TRIPS * 2 * latency_ms[1] * NS_PER_MS
        self.network = Network(
            self.loop,
            self.venue,
            self.faults,
            self.trace,
            self.streams["network"],
            self.points,
            DEFAULT_LATENCY_NS
            if latency_ms is None
            else (latency_ms[0] * NS_PER_MS, latency_ms[1] * NS_PER_MS),
            names_nodes=len(specs) > 1,
        )
        self.nodes = [
            NodeUnderTest(
                name,
                spec,
                f"TRADER-{number:03}",
                engine,
                accesses_of(scenario, name, self.venue.exchange.accounts),
                self.loop,
                self.trace,
                self._on_crash,
                self.network.drop_process,
            )
            for number, (name, spec) in enumerate(specs.items(), 1)
        ]
        self.timeline = Timeline(
            scenario,
            self.loop,
            self.venue,
            self.network,
            self.faults,
            self.points,
            self.nodes,
            self.trace,
            left_out,
        )
        self._crashes: list[Crash] = []
        self._pending: str | None = None
        self._quiet_ns: int | None = None
        self._healed_ns: int | None = None
        self._truth: tuple[
            tuple[VenueTrade, ...], tuple[VenueOrder, ...], tuple[VenuePosition, ...]
        ]
        self._harness_errors: list[BaseException] = []

    # -- the run ------------------------------------------------------------------

    def run(self, *, without: frozenset[str] = frozenset()) -> Run:
        """Play the scenario; `without` leaves out patches, for tests of those."""
        started = wall_secs()
        here = NETWORK.set(self.network)
        try:
            with patches.installed(self, without=without):
                try:
                    self.loop.run_until_complete(self._play())
                    self.venue.check_invariants()
                    self.network.check_invariants()
                except VirtualTimeError as e:
                    about = "world" if e.process is None else e.process.name
                    self._crash(f"{type(e).__name__}: {e}", about)
                except asyncio.CancelledError:
                    self._crash("something cancelled the tasks of the simulation", "world")
                except SetupError:
                    raise
                except Exception as e:
                    raise HarnessError(f"{type(e).__name__}: {e}") from e
                observation = self._observe()
                startups = tuple(chain(*(node.startups() for node in self.nodes)))
                for node in self.nodes:
                    node.dispose()
        finally:
            NETWORK.reset(here)
            self.loop.close()
        if self._harness_errors:
            error = self._harness_errors[0]
            raise HarnessError(f"{type(error).__name__}: {error}") from error
        return Run(
            scenario=self._scenario,
            engine=self._engine_name,
            seed=self._seed,
            observation=observation,
            trace=self.trace,
            virtual_ns=self.loop.elapsed_ns,
            startups=startups,
            wall_secs=wall_secs() - started,
            healed_ns=self.loop.now_ns if self._healed_ns is None else self._healed_ns,
            effective=self.timeline.effective,
        )

    async def _play(self) -> None:
        await self.timeline.play(self._bound_ns)
        self.faults.heal()
        self._healed_ns = self.loop.now_ns
        self.network.release_all()
        limit_ns = self.loop.now_ns + self._quiet_limit_ns
        while (pending := self.timeline.pending()) is not None and self.loop.now_ns < limit_ns:
            await self.timeline.sleep_until(self.loop.now_ns + NS_PER_MS)
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
        self._quiet_ns = self.loop.now_ns
        self._truth = (self.venue.trades(), self.venue.orders(), self.venue.positions())

    def _on_fault(self, fault: Fault, what: str) -> None:
        mark = f"ledger {self.venue.ledger_position}"
        self.trace.add(self.loop.now_ns, "fault", fault.label, what, mark)

    # -- the host of the patches --------------------------------------------------

    def open_database(self, prefix: str) -> Backing:
        process = self._node_process()

        def after_write(key: str) -> None:
            self.points.happens("after write", process, key)
            refuse_the_dead(process)

        return Backing(
            process.node.log,
            prefix,
            lambda: self.loop.now_ns,
            before_write=lambda: refuse_the_dead(process),
            after_write=after_write,
        )

    def hash_seed(self) -> str:
        return f"{self._seed}/{self._process_name()}"

    def on_exit(self, code: int) -> NoReturn:
        process = self._node_process()
        refuse_the_dead(process)
        self._on_crash(process, f"the process called os._exit({code})")
        raise ProcessExited(code)

    @staticmethod
    def _node_process() -> NodeProcess:
        process = PROCESS.get()
        if not isinstance(process, NodeProcess):
            raise HarnessError("called from outside of a node's process")
        return process

    @staticmethod
    def _process_name() -> str:
        process = PROCESS.get()
        return "world" if process is None else process.name

    # -- what went wrong ----------------------------------------------------------

    def _on_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, ProcessExited):
            return
        source = context.get("task") or context.get("future") or context.get("handle")
        owner = PROCESS.get()
        if isinstance(source, asyncio.Task | asyncio.Handle):
            owner = source.get_context().get(PROCESS)
        if isinstance(error, asyncio.CancelledError):
            return  # `run` hears of it
        if owner is None:
            self._harness_errors.append(error or HarnessError(str(context.get("message"))))
            return
        if not owner.alive:
            return
        if isinstance(error, SystemExit) and isinstance(owner, NodeProcess):
            self._on_crash(owner, f"the process called sys.exit({error.code})")
        else:
            self._crash(f"{type(error).__name__}: {error}", owner.name)

    def _on_crash(self, process: NodeProcess, reason: str) -> None:
        """Take note of a crash that ends its process."""
        self._crash(reason, process.name)
        process.node.end("crashed")

    def _crash(self, reason: str, process: str, at_ns: int | None = None) -> None:
        at_ns = self.loop.now_ns if at_ns is None else at_ns
        node, _, number = process.partition("#")
        self.trace.add(at_ns, "crash", process, reason)
        self._crashes.append(Crash(at_ns, node, int(number or 0), reason))

    # -- what is judged -----------------------------------------------------------

    def _observe(self) -> Observation:
        scenario = self._scenario
        for at_ns, task in self.loop.unheard_failures():
            process = task.get_context().get(PROCESS)
            error = task.exception()
            if process is None:
                self._harness_errors.append(error or HarnessError("a task failed"))
            elif isinstance(process, NodeProcess) and process.was_killed:
                pass  # who waits for several tasks hears of one that failed when all have ended
            elif not isinstance(error, ProcessExited):
                self._crash(f"{type(error).__name__}: {error}", process.name, at_ns)
        if self.loop.foreign_calls:
            processes = [node.process for node in self.nodes]
            # Nobody knows of which process it was, unless there is only one node.
            name = processes[0].name if len(processes) == 1 and processes[0] else "world"
            self._crash("another thread called into the event loop", name)
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
            incarnations=self._incarnations(),
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

    def _incarnations(self) -> tuple[Incarnation, ...]:
        """Return the processes, each with the checks that it made of the venue.

        How long its calls take means nothing where a scenario has latencies of its own.
        """
        found = []
        for process, incarnation in chain(*(node.incarnations() for node in self.nodes)):
            spec = self._scenario.each_node[incarnation.node]
            calls = (*incarnation.calls, *checks_of(incarnation, process, spec, self.network.reads))
            shown = msgspec.structs.replace(
                incarnation, calls=calls if self._has_default_latency else ()
            )
            found.append(with_final_ids(shown, self._truth[1]))
        return tuple(found)
