"""One run: a venue, its faults, nodes and a timeline, on a virtual clock.

A run is a function of the scenario with its seed, the engine, and the versions of
NautilusTrader, Python and this package.  It yields an `Observation` to judge and a
trace to compare.  Its phases are those of every `sim.stage.Stage`.
"""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import Any, NoReturn

import msgspec

from sim import patches
from sim.clock import NS_PER_SEC, START_NS, VirtualLoop, VirtualTimeError
from sim.database import Backing
from sim.engines import MakeEngine
from sim.node import NodeProcess, NodeUnderTest, SetupError
from sim.observation import Observation
from sim.process import PROCESS, ProcessExited, refuse_the_dead
from sim.scenario import model as m
from sim.stage import SETTLE_NS, Stage, interval_ns_of
from sim.stopwatch import wall_secs
from sim.trace import Trace
from sim.transport.network import NETWORK
from sim.venue_setup import accesses_of

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
    origin_ns: int = START_NS
    """The instant that the scenario writes as ``0s``."""
    is_repeatable: bool = True
    """Whether the same run would leave the same behind."""


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


class World(Stage):
    """The state of one run.  It is the `sim.patches.Host` of the replacements."""

    nodes: list[NodeUnderTest]

    def __init__(
        self, scenario: m.Scenario, engine: MakeEngine, seed: int, left_out: str = ""
    ) -> None:
        made = engine()
        self._engine_name = made.name
        self._engine = engine
        self._seed = seed
        first_ns = min((record.at_ns for record in scenario.timeline), default=0)
        self.loop = VirtualLoop(
            START_NS + min(first_ns, 0), budget_ns=_budget_ns(scenario) - min(first_ns, 0)
        )
        self.loop.set_exception_handler(self._on_exception)
        self._harness_errors: list[BaseException] = []
        super().__init__(
            scenario,
            self.loop,
            self._make_nodes,
            seed=seed,
            alerts_on=made.alerts is not None,
            left_out=left_out,
        )

    def _make_nodes(self) -> list[NodeUnderTest]:
        return [
            NodeUnderTest(
                name,
                spec,
                f"TRADER-{number:03}",
                self._engine,
                accesses_of(self.scenario, name, self.venue.exchange.accounts),
                self.loop,
                self.trace,
                self._on_crash,
                self.network.drop_process,
            )
            for number, (name, spec) in enumerate(self.scenario.each_node.items(), 1)
        ]

    # -- the run ------------------------------------------------------------------

    def run(self, *, without: frozenset[str] = frozenset()) -> Run:
        """Play the scenario; `without` leaves out patches, for tests of those."""
        started = wall_secs()
        here = NETWORK.set(self.network)
        try:
            with patches.installed(self, without=without):
                try:
                    self.loop.run_until_complete(self.play())
                    self.venue.check_invariants()
                    self.network.check_invariants()
                except VirtualTimeError as e:
                    about = "world" if e.process is None else e.process.name
                    self.crash(f"{type(e).__name__}: {e}", about)
                except asyncio.CancelledError:
                    self.crash("something cancelled the tasks of the simulation", "world")
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
            scenario=self.scenario,
            engine=self._engine_name,
            seed=self._seed,
            observation=observation,
            trace=self.trace,
            virtual_ns=self.loop.elapsed_ns,
            startups=startups,
            wall_secs=wall_secs() - started,
            healed_ns=self.loop.now_ns if self.healed_ns is None else self.healed_ns,
            effective=self.timeline.effective,
        )

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
            self.crash(f"{type(error).__name__}: {error}", owner.name)

    def _on_crash(self, process: NodeProcess, reason: str) -> None:
        """Take note of a crash that ends its process."""
        self.crash(reason, process.name)
        process.node.end("crashed")

    def _observe(self) -> Observation:
        for at_ns, task in self.loop.unheard_failures():
            process = task.get_context().get(PROCESS)
            error = task.exception()
            if process is None:
                self._harness_errors.append(error or HarnessError("a task failed"))
            elif isinstance(process, NodeProcess) and process.was_killed:
                pass  # who waits for several tasks hears of one that failed when all have ended
            elif not isinstance(error, ProcessExited):
                self.crash(f"{type(error).__name__}: {error}", process.name, at_ns)
        if self.loop.foreign_calls:
            processes = [node.process for node in self.nodes]
            # Nobody knows of which process it was, unless there is only one node.
            name = processes[0].name if len(processes) == 1 and processes[0] else "world"
            self.crash("another thread called into the event loop", name)
        return self.observation()


def _budget_ns(scenario: m.Scenario) -> int:
    """Return how much virtual time a run may take from the first start on."""
    last_ns = max((r.at_ns + r.action.lasts_ns for r in scenario.timeline), default=0)
    starts_ns = max(node.starts_ns for node in scenario.each_node.values())
    # Each act of a fault that is counted may begin the bound anew, and each named point.
    acts = 1 + sum(getattr(r.action, "limit", None) or 0 for r in scenario.timeline)
    acts += sum(getattr(r.action, "point", None) is not None for r in scenario.timeline)
    interval_ns = interval_ns_of(scenario)
    bound_ns = 2 * interval_ns + SETTLE_NS
    return max(last_ns, starts_ns) + acts * bound_ns + interval_ns + BUDGET_SLACK_NS
