"""The node under test: a real `TradingNode`, built, started, stopped and killed.

A node outlives its processes.  Each process is an `Incarnation` in the making: it
has a state that it loaded, the events that it published, and an end.  The
database is the node's, not the process's.

Everything of a process runs in a context that names it, so that the loop can end
it between two callbacks (`sim.clock`, rule 5).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from functools import partial
from typing import Literal

from nautilus_trader.common.component import remove_instance_component_clocks
from nautilus_trader.config import (
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import OrderEvent, OrderFilled
from nautilus_trader.model.identifiers import (
    ClientOrderId,
)

from sim.assembly import assemble, node_config
from sim.clock import VirtualLoop
from sim.database import WriteLog
from sim.engines import MakeEngine
from sim.observation import (
    Incarnation,
    NodeEvent,
    State,
)
from sim.plain import Reader, symbol_of
from sim.process import PROCESS, Process
from sim.scenario.model import Cancel, Submit
from sim.scenario.model import Node as NodeSpec
from sim.strategy import TimelineStrategy
from sim.trace import Trace
from sim.venue.config import AccountConfig

STOP_LIMIT_SECS = 60.0
"""How long a graceful stop may take before the process counts as hanging."""


class SetupError(ValueError):
    """A node that cannot be built as the scenario and the engine want it."""


type Ended = Literal["running", "stopped", "killed", "crashed"]


class NodeProcess(Process):
    """One process of a node."""

    def __init__(self, node: NodeUnderTest, number: int) -> None:
        super().__init__(f"{node.name}#{number}")
        self.node = node
        self.number = number


class NodeUnderTest:
    """One node of a scenario, over all its processes.

    Parameters
    ----------
    name
        How trace rows and results call it.
    account
        The venue account that it trades.
    position_mode
        "one-way" or "hedge", as the account is set.
    on_crash
        Called when the main task of a process fails; it has to `end` the process.
    on_end
        Called when a process has ended, however it did.
    """

    def __init__(
        self,
        name: str,
        spec: NodeSpec,
        engine: MakeEngine,
        account: AccountConfig,
        position_mode: str,
        loop: VirtualLoop,
        trace: Trace,
        on_crash: Callable[[NodeProcess, str], None],
        on_end: Callable[[NodeProcess], None],
    ) -> None:
        self.name = name
        self.spec = spec
        self.account = account
        self.log = WriteLog()
        self.process: NodeProcess | None = None
        self.reader = Reader(account.name, hedged=position_mode == "hedge")
        self.on_crash = on_crash
        self._on_end = on_end
        self._make_engine = engine
        self._hedged = position_mode == "hedge"
        self.loop = loop
        self.trace = trace
        self._lineage = 0
        self._lives: list[Life] = []

    # -- the life of a process ----------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether a process of the node exists."""
        return self.process is not None and self.process.alive

    def start(self, *, lose_cache: bool = False) -> None:
        """Start a process, with what the last one wrote or from nothing."""
        if lose_cache:
            self.log.clear()
            self._lineage += 1
        self.process = NodeProcess(self, len(self._lives))
        context = copy_context()
        context.run(PROCESS.set, self.process)
        life = Life(self, self.process, self._lineage)
        self._lives.append(life)
        self.trace.add(self.loop.now_ns, "node-start", self.process.name)
        context.run(life.begin)

    async def stop(self) -> None:
        """Stop the process in good order and wait until it has ended."""
        life = self._life
        if life is not None:
            await life.stop()

    def kill(self) -> None:
        """End the process between two callbacks."""
        self.end("killed")

    def end(self, how: Ended) -> None:
        """Take note of the end of the current process and let nothing of it run."""
        life = self._life
        if life is None or not life.process.alive:
            return
        life.conclude(how)
        self.loop.kill(life.process)
        self._on_end(life.process)
        self.trace.add(self.loop.now_ns, "node-end", life.process.name, how)

    @property
    def _life(self) -> Life | None:
        return self._lives[-1] if self._lives else None

    # -- what the timeline does ---------------------------------------------------

    def act(self, action: Submit | Cancel) -> None:
        """Have a strategy do something; raises `LookupError` when it cannot."""
        life = self._life
        if life is None or not life.process.alive:
            raise LookupError("the node is down")
        life.act(action, hedged=self._hedged)

    # -- what the oracle sees -----------------------------------------------------

    def incarnations(self) -> list[Incarnation]:
        """Return the processes so far; the living one as it is now."""
        return [life.observed() for life in self._lives]

    def dispose(self) -> None:
        """Let go of all that the processes held.  The run is over."""
        for life in self._lives:
            life.dispose()

    # -- building -----------------------------------------------------------------

    def build(self) -> TradingNode:
        """Build the node as a user would, then hand it to the engine.

        Raises `SetupError` when NautilusTrader refuses the configuration or the
        engine fails.
        """
        with _refusals("the node's configuration was refused"):
            config = node_config(self.spec, self.account, hedged=self._hedged)
        engine = self._make_engine()
        with _refusals(f"engine '{engine.name}' failed in configure"):
            config = engine.configure(config, self.spec)
            if not isinstance(config, TradingNodeConfig):
                raise TypeError(f"it returned {config!r}, not a TradingNodeConfig")
        with _refusals("the node could not be built"):
            node = assemble(config, self.spec, self.loop)
        with _refusals(f"engine '{engine.name}' failed in attach"):
            engine.attach(node)
        return node


@contextlib.contextmanager
def _refusals(what: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as e:  # also what ends a process
        raise SetupError(f"{what}: {type(e).__name__}: {e}") from e


class Life:
    """One process of a node, from the inside."""

    def __init__(self, node: NodeUnderTest, process: NodeProcess, lineage: int) -> None:
        self.process = process
        self._node = node
        self._lineage = lineage
        self._started_ns = node.loop.now_ns
        self._ended_ns = 0
        self._ended: Ended = "running"
        self._events: list[NodeEvent] = []
        self._loaded = State()
        self._final = State()
        self._trader_ran = False
        self._is_stopping = False
        self._trading_node: TradingNode | None = None
        self._running: asyncio.Task[None] | None = None

    # -- in the process -----------------------------------------------------------

    def begin(self) -> None:
        """Build the node and run it.  Called in the context of the process."""
        trading_node = self._node.build()
        self._trading_node = trading_node
        self._loaded = self._node.reader.state(trading_node.cache)
        trading_node.kernel.msgbus.subscribe(topic="events.order.*", handler=self._on_order_event)
        self._running = self._node.loop.create_task(trading_node.run_async())
        self._running.add_done_callback(self._on_main_task_done)

    def _on_main_task_done(self, task: asyncio.Task[None]) -> None:
        if self._is_stopping or not self.process.alive or task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._node.end("stopped")
        else:
            self._node.on_crash(self.process, f"{type(error).__name__}: {error}")

    def _on_order_event(self, event: OrderEvent) -> None:
        fill = self._node.reader.fill(event) if isinstance(event, OrderFilled) else None
        venue_order_id = event.venue_order_id
        record = NodeEvent(
            at_ns=self._node.loop.now_ns,
            kind=type(event).__name__,
            account=self._node.account.name,
            symbol=symbol_of(event.instrument_id),
            client_order_id=event.client_order_id.value,
            venue_order_id=venue_order_id.value if venue_order_id else "",
            fill=fill,
        )
        self._events.append(record)
        details = f"{record.kind} {record.venue_order_id}"
        if fill is not None:
            details += (
                f" {fill.trade_id} {fill.side} {fill.quantity} @ {fill.price}"
                f" {fill.commission} {fill.commission_asset} {fill.position_id} {fill.time_ns}"
            )
        elif reason := getattr(event, "reason", None):
            details += f" ({reason})"
        self._node.trace.add(
            record.at_ns, "order-event", f"{self.process.name} {record.client_order_id}", details
        )

    async def stop(self) -> None:
        """Stop in good order; a process that does not end within a minute is killed."""
        if self._trading_node is None or not self.process.alive:
            return
        self._is_stopping = True
        self._trader_ran = self._trading_node.trader.is_running
        context = self._context()
        stopping = context.run(self._node.loop.create_task, self._trading_node.stop_async())
        await asyncio.wait([stopping], timeout=STOP_LIMIT_SECS)
        self._node.end("stopped")

    def act(self, action: Submit | Cancel, *, hedged: bool) -> None:
        """Have a strategy act, in the process and so that only the process can fail."""
        assert self._trading_node is not None
        if not self._trading_node.trader.is_running:
            raise LookupError("the node's strategies are not running")
        loop, context = self._node.loop, self._context()
        if isinstance(action, Submit):
            strategy = self._strategy(action.strategy)
            strategy.check_submit(action)
            loop.call_soon(partial(strategy.submit, action, hedged=hedged), context=context)
        else:
            order = self._trading_node.cache.order(ClientOrderId(action.order))
            if order is None:
                raise LookupError(f"order {action.order} is not in the cache")
            if order.is_closed:
                raise LookupError(f"order {action.order} is closed in the cache")
            strategy = self._strategy(order.strategy_id.value)
            loop.call_soon(strategy.cancel_order, order, context=context)

    def _context(self) -> Context:
        """Return a context in which code belongs to the process."""
        context = copy_context()
        context.run(PROCESS.set, self.process)
        return context

    def _strategy(self, strategy_id: str) -> TimelineStrategy:
        assert self._trading_node is not None
        for strategy in self._trading_node.trader.strategies():
            if strategy.id.value == strategy_id:
                return strategy  # type: ignore[no-any-return]
        raise LookupError(f"strategy {strategy_id} does not run in this node")

    # -- the end ------------------------------------------------------------------

    def conclude(self, how: Ended) -> None:
        """Take the last look at the process."""
        self._ended = how
        self._ended_ns = self._node.loop.now_ns
        if self._trading_node is not None:
            self._trader_ran = self._trader_ran or self._trading_node.trader.is_running
            self._final = self._node.reader.state(self._trading_node.cache)

    def observed(self) -> Incarnation:
        """Return the process as plain data."""
        if self._ended == "running":
            self.conclude("running")
        return Incarnation(
            node=self._node.name,
            number=self.process.number,
            lineage=self._lineage,
            started_ns=self._started_ns,
            ended_ns=self._ended_ns,
            ended=self._ended,
            trader_ran=self._trader_ran,
            loaded=self._loaded,
            events=tuple(self._events),
            final=self._final,
        )

    def dispose(self) -> None:
        """Break the cycles of the trading node, so that its memory can be used again."""
        if self._trading_node is not None:
            kernel = self._trading_node.kernel
            kernel.dispose()
            remove_instance_component_clocks(kernel.instance_id)
            self._trading_node = None
            self._running = None
