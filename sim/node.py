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
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any, Literal

from nautilus_trader.adapters.binance import (
    BINANCE,
    BinanceAccountType,
    BinanceDataClientConfig,
    BinanceExecClientConfig,
    BinanceLiveDataClientFactory,
    BinanceLiveExecClientFactory,
)
from nautilus_trader.common.component import remove_instance_component_clocks
from nautilus_trader.config import (
    CacheConfig,
    DatabaseConfig,
    InstrumentProviderConfig,
    LiveExecEngineConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import OrderEvent, OrderFilled
from nautilus_trader.model.identifiers import (
    ClientOrderId,
    InstrumentId,
    TraderId,
)

from sim.clock import PROCESS, Process, VirtualLoop
from sim.database import WriteLog
from sim.engines import MakeEngine
from sim.observation import (
    Incarnation,
    NodeEvent,
    State,
)
from sim.plain import Reader, symbol_of
from sim.scenario.model import Cancel, Submit
from sim.scenario.model import Node as NodeSpec
from sim.strategy import TimelineStrategy
from sim.trace import Trace
from sim.venue.config import AccountConfig

TRADER_ID = TraderId("TRADER-001")

BASE_URL = "venue.invalid"
"""No such host can exist: a request that bypasses the simulation goes nowhere."""

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
    ) -> None:
        self.name = name
        self.spec = spec
        self.account = account
        self.log = WriteLog()
        self.process: NodeProcess | None = None
        self.reader = Reader(account.name, hedged=position_mode == "hedge")
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

    def failures(self) -> list[tuple[str, str]]:
        """Return the errors that ended processes' main tasks, with the process's name."""
        found = ((life.failure(), life.process.name) for life in self._lives)
        return [(reason, name) for reason, name in found if reason is not None]

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
            config = self._config()
        engine = self._make_engine()
        with _refusals(f"engine '{engine.name}' failed in configure"):
            config = engine.configure(config, self.spec)
        with _refusals("the node could not be built"):
            node = self._assemble(config)
        with _refusals(f"engine '{engine.name}' failed in attach"):
            engine.attach(node)
        return node

    def _assemble(self, config: TradingNodeConfig) -> TradingNode:
        node = TradingNode(config=config, loop=self.loop)
        for strategy_id in self.spec.strategies:
            name, _, tag = strategy_id.rpartition("-")
            claims = [InstrumentId.from_str(c) for c in self.spec.claims.get(strategy_id, ())]
            node.trader.add_strategy(
                TimelineStrategy(
                    StrategyConfig(
                        strategy_id=name,
                        order_id_tag=tag,
                        external_order_claims=claims or None,
                        log_events=False,
                        log_commands=False,
                    ),
                ),
            )
        node.add_data_client_factory(BINANCE, BinanceLiveDataClientFactory)
        node.add_exec_client_factory(BINANCE, BinanceLiveExecClientFactory)
        node.build()
        return node

    def _config(self) -> TradingNodeConfig:
        spec = self.spec
        access: dict[str, Any] = {
            "api_key": self.account.api_key,
            "api_secret": self.account.api_secret,
            "account_type": BinanceAccountType.USDT_FUTURES,
            "base_url_http": f"http://{BASE_URL}",
            "base_url_ws": f"ws://{BASE_URL}",
            "instrument_provider": InstrumentProviderConfig(load_all=True),
        }
        return TradingNodeConfig(
            trader_id=TRADER_ID,
            cache=CacheConfig(database=DatabaseConfig(type="redis")),
            exec_engine=LiveExecEngineConfig(
                reconciliation=True,
                reconciliation_lookback_mins=spec.reconciliation_lookback_mins,
                **spec.exec_engine,
            ),
            data_clients={BINANCE: BinanceDataClientConfig(**access)},
            exec_clients={
                BINANCE: BinanceExecClientConfig(
                    **access,
                    base_url_ws_stream=f"ws://{BASE_URL}",
                    use_reduce_only=not self._hedged,
                ),
            },
            timeout_post_stop=1.0,
        )


@contextlib.contextmanager
def _refusals(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as e:
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
        self._trader_ran = self._trading_node.trader.is_running
        context = copy_context()
        context.run(PROCESS.set, self.process)
        stopping = context.run(self._node.loop.create_task, self._trading_node.stop_async())
        await asyncio.wait([stopping], timeout=STOP_LIMIT_SECS)
        self._node.end("stopped")

    def act(self, action: Submit | Cancel, *, hedged: bool) -> None:
        """Have a strategy act, in the context of the process."""
        assert self._trading_node is not None
        trader = self._trading_node.trader
        if not trader.is_running:
            raise LookupError("the node's strategies are not running")
        context = copy_context()
        context.run(PROCESS.set, self.process)
        if isinstance(action, Submit):
            strategy = self._strategy(action.strategy)
            context.run(strategy.submit, action, hedged=hedged)
        else:
            order = self._trading_node.cache.order(ClientOrderId(action.order))
            if order is None:
                raise LookupError(f"order {action.order} is not in the cache")
            context.run(self._strategy(order.strategy_id.value).cancel, action)

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

    def failure(self) -> str | None:
        """Return the error that ended the process's main task, if one did."""
        if self._running is None or not self._running.done() or self._running.cancelled():
            return None
        error = self._running.exception()
        return None if error is None else f"{type(error).__name__}: {error}"

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
