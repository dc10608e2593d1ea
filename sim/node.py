"""The node under test: a real `TradingNode`, built, started, stopped and killed.

A node outlives its processes.  Each process is a `Life`: it has a state that it
loaded, the events that it published, and an end.  The database is the node's, not
the process's.

A node is supervised, as one in production is: when it stops itself, or when its
strategies do not run in time, it is started again with its cache kept.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context

from nautilus_trader.config import TradingNodeConfig
from nautilus_trader.live.node import TradingNode

from sim import patches
from sim.assembly import assemble, node_config
from sim.clock import NS_PER_SEC, VirtualLoop
from sim.database import DATABASE, WriteLog
from sim.engines import Engine, MakeEngine
from sim.life import Ended, Life
from sim.observation import Incarnation
from sim.plain import Access, Reader
from sim.process import PROCESS, Process
from sim.recorder import Recorder
from sim.scenario.actions import Comeback, Start, StrategyAction, Submit
from sim.scenario.model import Node as NodeSpec
from sim.trace import Trace

READY_LIMIT_NS = 90 * NS_PER_SEC
"""When the strategies of a process must run, counted from its start."""

LOOK_NS = NS_PER_SEC // 100
"""How often the supervisor looks whether the strategies run."""

REVIVE_NS = 30 * NS_PER_SEC
"""How long the supervisor waits before it starts a node again that has ended by itself."""


class SetupError(ValueError):
    """A node that cannot be built as the scenario and the engine want it."""


class NodeProcess(Process):
    """One process of a node."""

    def __init__(self, node: NodeUnderTest, number: int) -> None:
        super().__init__(f"{node.name}#{number}")
        self.node = node
        self.was_killed = False
        """Whether it was ended in the midst of everything."""


class NodeUnderTest:
    """One node of a scenario, over all its processes.

    Parameters
    ----------
    name
        How trace rows and results call it.
    trader_id
        Its own id, under which its cache is kept.
    accesses
        The accounts that it trades on, the one that is meant by default first.
    on_crash
        Called when a process fails; it has to `end` the process.
    on_end
        Called when a process has ended, however it did.
    """

    def __init__(
        self,
        name: str,
        spec: NodeSpec,
        trader_id: str,
        engine: MakeEngine,
        accesses: Sequence[Access],
        loop: VirtualLoop,
        trace: Trace,
        on_crash: Callable[[NodeProcess, str], None],
        on_end: Callable[[NodeProcess], None],
    ) -> None:
        self.name = name
        self.starts_ns = spec.starts_ns
        self.log = WriteLog()
        self.process: NodeProcess | None = None
        self.waiting: list[Submit] = []
        """The orders that strategies send when they start the next time."""
        self._spec = spec
        self._claims = spec.claims
        self._accesses = tuple(accesses)
        self._trader_id = trader_id
        self._reader = Reader(self._accesses)
        self._make_engine = engine
        self._loop = loop
        self._trace = trace
        self._on_crash = on_crash
        self._on_end = on_end
        self._lineage = 0
        self._lives: list[Life] = []
        self._revival: asyncio.TimerHandle | None = None
        self.database_is_due_ns: int | None = None
        """When the database is there again, None when it is there."""

    # -- the life of a process ----------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether a process of the node exists."""
        return self.process is not None and self.process.alive

    def start(self, comeback: Comeback | None = None) -> None:
        """Start a process with what the last one wrote, as far as the comeback leaves it.

        Raises `LookupError` when the cache cannot be damaged as the comeback says, and
        `SetupError` when the node's first process cannot be built.
        """
        self._forget_revival()
        if comeback is not None:
            self._damage(comeback)
            if comeback.claims is not None:
                self._claims = comeback.claims
        # The adapter keeps its HTTP clients for the whole process, which is a new one.
        patches.forget_shared_clients()
        number = len(self._lives)
        process = self.process = NodeProcess(self, number)
        life = Life(
            process,
            self.name,
            number,
            self._lineage,
            self._claims_by_account(),
            self._reader,
            Recorder(process.name, self._reader, self._loop, self._trace),
            self._loop,
            lambda error: self._on_main_task_done(process, error),
        )
        self._lives.append(life)
        self._trace.add(self._loop.now_ns, "node-start", process.name)
        context = copy_context()
        context.run(PROCESS.set, process)
        context.run(DATABASE.set, self.log)
        try:
            engine, trading_node = context.run(self._build)
        except SetupError as e:
            if not process.alive:
                return  # it was ended in the midst of being built
            if number == 0:
                raise
            # It could be built before, so this is no misuse but what the engine does.
            self._on_crash(process, str(e))
            return
        context.run(life.begin, trading_node, engine.alerts, self.waiting, self._accesses)
        self._watch(life, self._loop.now_ns + READY_LIMIT_NS)

    def _claims_by_account(self) -> dict[str, dict[str, str]]:
        """Return who claims what: account to symbol to strategy."""
        found: dict[str, dict[str, str]] = {}
        for strategy, claimed in self._claims.items():
            for instrument in claimed:
                symbol, _, venue = instrument.partition("-PERP.")
                found.setdefault(self._reader.account_at(venue), {})[symbol] = strategy
        return found

    def _damage(self, comeback: Comeback) -> None:
        match comeback.cache:
            case "lost":
                self.log.clear()
                self._lineage += 1
            case "stale":
                assert comeback.lose_ns is not None
                ended_ns = self._lives[-1].ended_ns
                lost = self.log.lose_since(ended_ns - comeback.lose_ns)
                if not lost:
                    raise LookupError("nothing was written in the time that is lost")
                if not self.log.remembers:
                    self._lineage += 1  # as good as lost
            case "torn":
                assert comeback.order is not None
                assert comeback.keep is not None
                self.log.tear(comeback.order, comeback.keep)

    async def stop(self) -> None:
        """Stop the process in good order and wait until it has ended."""
        self._forget_revival()
        life = self._life
        if life is not None:
            await life.stop()
            self.end("stopped")

    def kill(self) -> None:
        """End the process between two callbacks, or see that none is started again."""
        self._forget_revival()
        self.end("killed")

    def stop_database(self, until_ns: int, lose_ns: int) -> None:
        """Have the database down until an instant; it then lacks what was written last."""
        self.database_is_due_ns = until_ns
        self.log.stop()
        if lose_ns:
            self.log.lose_since(self._loop.now_ns - lose_ns)
        self._loop.call_at_ns(until_ns, self._start_database)

    def _start_database(self) -> None:
        self.database_is_due_ns = None
        self.log.start()

    def lose_writes(self, until_ns: int) -> None:
        """Have what the process writes lost until an instant."""
        self.log.lose_until(until_ns)

    def end(self, how: Ended) -> None:
        """Take note of the end of the current process and let nothing of it run."""
        life = self._life
        if life is None or not life.process.alive:
            return
        life.conclude(how, self.log.purged())
        self._loop.kill(life.process)
        self.log.let_go()
        assert self.process is not None
        self.process.was_killed = how == "killed"
        self._on_end(self.process)
        self._trace.add(self._loop.now_ns, "node-end", life.process.name, how)

    @property
    def _life(self) -> Life | None:
        return self._lives[-1] if self._lives else None

    # -- the supervisor -----------------------------------------------------------

    @property
    def revival_is_due(self) -> bool:
        """Whether the supervisor is about to start the node again."""
        return self._revival is not None

    @property
    def is_starting(self) -> bool:
        """Whether there is a process whose strategies have not run yet."""
        return self.is_up and self._life is not None and not self._life.was_ready

    def _watch(self, life: Life, deadline_ns: int) -> None:
        """See whether the strategies run in time."""
        if not life.process.alive or life.is_stopping:
            return
        if life.trader_is_running:
            life.mark_ready()
        elif self._loop.now_ns >= deadline_ns:
            self._revive_after("stalled")
        else:
            self._loop.call_at_ns(self._loop.now_ns + LOOK_NS, self._watch, life, deadline_ns)

    def _on_main_task_done(self, process: NodeProcess, error: BaseException | None) -> None:
        if error is None:
            self._revive_after("quit")
        else:
            self._on_crash(process, f"{type(error).__name__}: {error}")

    def _revive_after(self, how: Ended) -> None:
        self.end(how)
        # In a context of the world: the one of the process that ended is dead.
        context = copy_context()
        context.run(PROCESS.set, None)
        when_ns = max(self._loop.now_ns + REVIVE_NS, self.database_is_due_ns or 0)
        self._revival = self._loop.call_at_ns(when_ns, self.start, Start(), context=context)

    def _forget_revival(self) -> None:
        if self._revival is not None:
            self._revival.cancel()
            self._revival = None

    # -- what the timeline does ---------------------------------------------------

    def act(self, action: StrategyAction) -> None:
        """Have a strategy do something; raises `LookupError` when it cannot."""
        life = self._life
        if isinstance(action, Submit) and action.on_start:
            self.waiting.append(action)
            return
        if life is None or not life.process.alive:
            raise LookupError("the node is down")
        life.act(action)

    # -- what the oracle sees -----------------------------------------------------

    def come_to_rest(self) -> None:
        """Judge the state from here; what follows is the final read's."""
        life = self._life
        if life is not None and life.process.alive:
            life.come_to_rest(self.log.purged())

    async def final_read(self, interval_secs: float) -> bool:
        """Reconcile once more after it came to rest; False when that hangs."""
        life = self._life
        if life is None or not life.process.alive or not life.trader_is_running:
            return True
        ended = await life.reconcile_again(interval_secs)
        life.end_final_read()
        return ended

    def incarnations(self) -> list[tuple[Process, Incarnation]]:
        """Return the processes so far, each with what is known of it."""
        life = self._life
        if life is not None and life.process.alive:
            life.conclude("running", self.log.purged())
        return [(life.process, life.observed()) for life in self._lives]

    def startups(self) -> tuple[tuple[str, int, float], ...]:
        """Return what the startup reconciliation of each process took: virtual ns, CPU seconds.

        The CPU seconds are those of the whole simulation in that time.
        """
        return tuple(
            (life.process.name, *life.recorder.startups[0])
            for life in self._lives
            if life.recorder.startups
        )

    def dispose(self) -> None:
        """Let go of all that the processes held.  The run is over."""
        self._forget_revival()
        for life in self._lives:
            life.dispose()

    # -- building -----------------------------------------------------------------

    def _build(self) -> tuple[Engine, TradingNode]:
        """Build the node as a user would, then hand it to the engine.

        Raises `SetupError` when NautilusTrader refuses the configuration or the
        engine fails.
        """
        with _refusals("the node's configuration was refused"):
            config = node_config(self._spec, self._trader_id, self._accesses)
        engine = self._make_engine()
        with _refusals(f"engine '{engine.name}' failed in configure"):
            config = engine.configure(config, self._spec)
            if not isinstance(config, TradingNodeConfig):
                raise TypeError(f"it returned {config!r}, not a TradingNodeConfig")
        with _refusals("the node could not be built"):
            node = assemble(config, self._spec.strategies, self._claims, self._loop)
        with _refusals(f"engine '{engine.name}' failed in attach"):
            engine.attach(node)
        return engine, node


@contextlib.contextmanager
def _refusals(what: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as e:  # also what ends a process
        raise SetupError(f"{what}: {type(e).__name__}: {e}") from e
