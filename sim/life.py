"""One process of a node, from the inside: a real `TradingNode` and what it does.

Everything of a process runs in a context that names it, so that the loop can end it
between two callbacks (`sim.clock`, rule 5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Literal

from nautilus_trader.common.component import remove_instance_component_clocks
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import ClientOrderId

from sim.loops import Loop
from sim.observation import Incarnation, NodeEvent, State
from sim.plain import Access, Reader
from sim.process import PROCESS, Process
from sim.recorder import Recorder
from sim.scenario.actions import (
    Cancel,
    CancelAll,
    CancelBatch,
    Modify,
    OwnOrderAction,
    Query,
    StrategyAction,
    Submit,
)
from sim.strategy import TimelineStrategy

STOP_LIMIT_SECS = 60.0
"""How long a graceful stop may take before the process counts as hanging."""

FINAL_READ_LIMIT_SECS = 60.0
"""How long the last reconciliation of a run may take; twice what is slow at a start."""

type Ended = Literal["running", "stopped", "quit", "stalled", "killed", "crashed"]


class Life:
    """One process of a node, from its start to its end.

    Parameters
    ----------
    process
        The process.
    lineage
        How many states the node had started from nothing before this one's.
    claims
        Account to symbol to the strategy that claims it.
    on_main_task_done
        Called with the error of the node's main task, or None, when it ends by itself.
    """

    def __init__(
        self,
        process: Process,
        node: str,
        number: int,
        lineage: int,
        claims: dict[str, dict[str, str]],
        reader: Reader,
        recorder: Recorder,
        loop: Loop,
        on_main_task_done: Callable[[BaseException | None], None],
    ) -> None:
        self.process = process
        self.recorder = recorder
        self.ended_ns = 0
        self._node = node
        self._number = number
        self._lineage = lineage
        self._claims = claims
        self._reader = reader
        self._loop = loop
        self._report_end = on_main_task_done
        self._started_ns = loop.now_ns
        self._ended: Ended = "running"
        self._ready_ns: int | None = None
        self._loaded = State()
        self._final = State()
        self._purged: tuple[str, ...] = ()
        self._quiet: tuple[int, int, int] | None = None
        self._final_read: tuple[NodeEvent, ...] | None = None
        self._is_stopping = False
        self._trading_node: TradingNode | None = None

    # -- in the process -----------------------------------------------------------

    def begin(
        self,
        trading_node: TradingNode,
        alerts_topic: str | None,
        on_start: list[Submit],
        accesses: Sequence[Access],
    ) -> None:
        """Run a node that is built.  Called in the context of the process.

        ``on_start`` are the orders that strategies send when they start, ``accesses`` the
        accounts that they trade on.
        """
        self._trading_node = trading_node
        for strategy in self._strategies():
            strategy.lie_in_wait(on_start, accesses)
        self._loaded = self._reader.state(trading_node.cache)
        self.recorder.listen(trading_node, alerts_topic)
        running = self._loop.create_task(trading_node.run_async())
        running.add_done_callback(self._on_main_task_done)

    def _on_main_task_done(self, task: asyncio.Task[None]) -> None:
        if not self._is_stopping and self.process.alive and not task.cancelled():
            self._report_end(task.exception())

    @property
    def trader_is_running(self) -> bool:
        """Whether the node's strategies run."""
        return self._trading_node is not None and bool(self._trading_node.trader.is_running)

    @property
    def was_ready(self) -> bool:
        """Whether the strategies have run."""
        return self._ready_ns is not None

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._is_stopping

    def mark_ready(self) -> None:
        """Take note that the strategies run, the first time that they do."""
        if self._ready_ns is None:
            self._ready_ns = self._loop.now_ns

    async def stop(self) -> None:
        """Stop in good order; returns when it has stopped, or after a minute."""
        if self._trading_node is None or not self.process.alive:
            return
        self._is_stopping = True
        stopping = self._in_process(self._loop.create_task, self._trading_node.stop_async())
        await asyncio.wait([stopping], timeout=STOP_LIMIT_SECS)

    def act(self, action: StrategyAction) -> None:
        """Have a strategy act, in the process and so that only the process can fail.

        Raises `LookupError` when it cannot even begin.
        """
        if not self.trader_is_running:
            raise LookupError("the node's strategies are not running")
        match action:
            case Submit():
                strategy = self._strategy(action.strategy)
                strategy.check_submit(action)
                self._soon(partial(strategy.submit, action))
            case CancelAll():
                strategy = self._strategy(action.strategy)
                self._soon(partial(strategy.cancel_all, action))
            case CancelBatch():
                orders = [self._open_order(order) for order in action.orders]
                strategy = self._strategy(orders[0].strategy_id.value)
                self._soon(partial(strategy.cancel_batch, orders))
            case OwnOrderAction():
                order = self._open_order(action.order)
                strategy = self._strategy(order.strategy_id.value)
                match action:
                    case Cancel():
                        self._soon(partial(strategy.cancel_order, order))
                    case Query():
                        self._soon(partial(strategy.query_order, order))
                    case Modify():
                        self._soon(partial(strategy.modify, action, order))

    def _open_order(self, client_order_id: str) -> Any:
        assert self._trading_node is not None
        order = self._trading_node.cache.order(ClientOrderId(client_order_id))
        if order is None:
            raise LookupError(f"order {client_order_id} is not in the cache")
        if order.is_closed:
            raise LookupError(f"order {client_order_id} is closed in the cache")
        return order

    def _strategies(self) -> list[TimelineStrategy]:
        assert self._trading_node is not None
        strategies = self._trading_node.trader.strategies()
        # An engine may have added others.
        return [strategy for strategy in strategies if isinstance(strategy, TimelineStrategy)]

    def _strategy(self, strategy_id: str) -> TimelineStrategy:
        for strategy in self._strategies():
            if strategy.id.value == strategy_id:
                return strategy
        raise LookupError(f"strategy {strategy_id} does not run in this node")

    def _soon(self, call: Callable[[], Any]) -> None:
        self._loop.call_soon(call, context=self._context())

    def _in_process[T](self, call: Callable[..., T], *args: Any) -> T:
        return self._context().run(call, *args)

    def _context(self) -> Context:
        """Return a context in which code belongs to the process."""
        context = copy_context()
        context.run(PROCESS.set, self.process)
        return context

    # -- the final read -----------------------------------------------------------

    def come_to_rest(self, purged: tuple[str, ...]) -> None:
        """Take the state and the events that are judged; what follows is the final read's."""
        recorder = self.recorder
        self._quiet = (
            len(recorder.events),
            len(recorder.position_changes),
            len(recorder.alerts),
        )
        self._look(purged)

    async def reconcile_again(self, interval_secs: float) -> bool:
        """Reconcile once more, then wait one interval; False when the call does not end."""
        assert self._trading_node is not None
        engine = self._trading_node.kernel.exec_engine
        call = self._in_process(self._loop.create_task, engine.reconcile_execution_state())
        done, _ = await asyncio.wait([call], timeout=FINAL_READ_LIMIT_SECS)
        await asyncio.sleep(interval_secs)
        return bool(done)

    def end_final_read(self) -> None:
        """Take note of what the final read has published."""
        assert self._quiet is not None
        self._final_read = tuple(self.recorder.events[self._quiet[0] :])

    # -- the end ------------------------------------------------------------------

    def conclude(self, how: Ended, purged: tuple[str, ...]) -> None:
        """Take the last look at the process, unless it was taken when it came to rest."""
        if self._quiet is None:
            self._ended = how
            self._look(purged)

    def _look(self, purged: tuple[str, ...]) -> None:
        self.ended_ns = self._loop.now_ns
        if self._trading_node is not None:
            self._final = self._reader.state(self._trading_node.cache)
            held = {order.client_order_id for order in self._final.orders}
            shown = [order.client_order_id for order in self._loaded.orders]
            shown += [event.client_order_id for event in self.recorder.events if event.status]
            # Nothing but a purge takes an order out of a cache, be it from memory alone.
            gone = (name for name in shown if name not in held)
            self._purged = tuple(dict.fromkeys((*purged, *gone)))

    def observed(self) -> Incarnation:
        """Return the process as plain data; what it did in the final read is apart."""
        events, changes, alerts = self._quiet or (None, None, None)
        recorder = self.recorder
        return Incarnation(
            node=self._node,
            number=self._number,
            lineage=self._lineage,
            started_ns=self._started_ns,
            ended_ns=self.ended_ns,
            ended=self._ended,
            loaded=self._loaded,
            events=tuple(recorder.events[:events]),
            final=self._final,
            ready_ns=self._ready_ns,
            claims=self._claims.get(self._reader.accounts[0], {}),
            claims_of=self._claims if len(self._reader.accounts) > 1 else {},
            position_changes=tuple(recorder.position_changes[:changes]),
            alerts=tuple(recorder.alerts[:alerts]),
            calls=tuple(recorder.calls[:1]),
            purged=self._purged,
            final_read=self._final_read,
        )

    def dispose(self) -> None:
        """Break the cycles of the trading node, so that its memory can be used again."""
        if self._trading_node is not None:
            kernel = self._trading_node.kernel
            kernel.dispose()
            remove_instance_component_clocks(kernel.instance_id)
            self._trading_node = None
