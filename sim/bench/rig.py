"""A real node on a virtual clock, with nothing around it that costs: no recorder, no faults.

What is measured is one call of `reconcile_execution_state`, as the kernel makes it at the start
of a node: CPU seconds of this process, without those that the venue and the network around it
spend on answers.  Garbage collection is on; what is there before the node is (the venue and
its past) is kept out of it, for it is no part of a trading node.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import msgspec
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import OrderFilled

from sim import patches
from sim.assembly import assemble, node_config
from sim.bench.history import Past, trade, venue_config
from sim.bench.unlimited import UnlimitedVenue
from sim.clock import START_NS, VirtualLoop
from sim.database import DATABASE, Backing, WriteLog
from sim.engines import Engine
from sim.faults import Faults
from sim.plain import Access
from sim.points import Points
from sim.process import PROCESS, Process
from sim.scenario import model as m
from sim.stopwatch import cpu_secs
from sim.streams import Streams
from sim.trace import Trace
from sim.transport.http_calls import Exchange, HttpCalls
from sim.transport.network import NETWORK, Network
from sim.venue import Venue
from sim.venue.rest import ROUTES
from sim.venue.wire import Request, Response

LOOKBACK_MINS = 1_440
TIMEOUT_SECS = 7_200.0
"""How long a start may take: long histories wait for the venue's weight, which costs no CPU."""

SPIN_LIMIT = 100_000_000


class Cost(msgspec.Struct):
    """What one call took.  ``peak_kb`` is by how much the memory of the process grew at most."""

    cpu_secs: float = 0.0
    virtual_secs: float = 0.0
    requests: int = 0
    weight: int = 0
    peak_kb: int = 0


class MeteredCalls(HttpCalls):
    """Counts requests, their weight and the CPU seconds of their answers."""

    cpu_secs = 0.0
    requests = 0
    weight = 0

    def arrive(self, request: Request, exchange: Exchange, reply: asyncio.Future[Response]) -> None:
        began_secs = cpu_secs()
        route = ROUTES[request.method, request.path]
        names_symbol = "symbol=" in request.query
        self.requests += 1
        self.weight += route.weight if names_symbol else route.weight_without_symbol or route.weight
        super().arrive(request, exchange, reply)
        self.cpu_secs += cpu_secs() - began_secs


class MeteredNetwork(Network):
    """A network whose requests are counted."""

    carrier = MeteredCalls

    @property
    def meter(self) -> MeteredCalls:
        """What counts them."""
        assert isinstance(self._http_calls, MeteredCalls)
        return self._http_calls


class Rig:
    """One venue with a past, and one process of a node.  It is the host of the patches.

    Parameters
    ----------
    past
        What was traded.
    start_ns
        When the node starts.
    log
        The database of the node; None for a node without one.
    is_unlimited
        Whether the venue serves all rows of a history at once.
    """

    def __init__(
        self,
        past: Past,
        *,
        start_ns: int = START_NS,
        log: WriteLog | None = None,
        is_unlimited: bool = False,
    ) -> None:
        self.loop = VirtualLoop(start_ns, spin_limit=SPIN_LIMIT)
        self.loop.set_exception_handler(self._on_exception)
        self.streams = Streams(7)
        make = UnlimitedVenue if is_unlimited else Venue
        self.venue = make(venue_config(past), self.streams["venue"])
        trade(self.venue, past)
        trace = Trace()
        network = MeteredNetwork(
            self.loop,
            self.venue,
            Faults(lambda: self.loop.now_ns, lambda fault, what: None),
            trace,
            self.streams["network"],
            Points(self.loop, trace),
        )
        self.network: Network = network
        self.meter = network.meter
        self.log = log
        self.node: TradingNode
        self.first = Cost()
        self._errors: list[str] = []

    # -- a run --------------------------------------------------------------------

    def run(self, engine: Engine, then: Callable[[Rig], Awaitable[None]] | None = None) -> Cost:
        """Start a node and return what its first reconciliation took.

        ``then`` is awaited afterwards, in the same process.  Raises `RuntimeError` when
        the reconciliation fails.
        """
        gc.collect()
        gc.freeze()
        here = NETWORK.set(self.network)
        try:
            # What is frozen is the harness: the node is to behave as if nothing were.
            with patches.installed(self), mock.patch.object(gc, "get_freeze_count", return_value=0):
                self.loop.run_until_complete(self._run(engine, then))
        finally:
            NETWORK.reset(here)
            gc.unfreeze()
        return self.first

    async def _run(self, engine: Engine, then: Callable[[Rig], Awaitable[None]] | None) -> None:
        PROCESS.set(Process("A#0"))
        DATABASE.set(WriteLog() if self.log is None else self.log)
        spec = m.Node(reconciliation_lookback_mins=LOOKBACK_MINS)
        account = self.venue.config.accounts[0]
        accesses = [Access(account.name, account.keys[0])]
        config = engine.configure(node_config(spec, "TRADER-001", accesses), spec)
        cache = None if self.log is None else config.cache
        config = msgspec.structs.replace(config, cache=cache, timeout_reconciliation=TIMEOUT_SECS)
        self.node = node = assemble(config, spec.strategies, {}, self.loop)
        for strategy in node.trader.strategies():
            strategy.lie_in_wait([], accesses)
        engine.attach(node)
        called: asyncio.Future[bool] = self.loop.create_future()
        exec_engine: Any = node.kernel.exec_engine
        reconcile: Callable[..., Awaitable[bool]] = exec_engine.reconcile_execution_state

        async def metered(*args: Any, **kwargs: Any) -> bool:
            exec_engine.reconcile_execution_state = reconcile
            self.first, is_done = await self.metered(lambda: reconcile(*args, **kwargs))
            called.set_result(is_done)
            return is_done

        exec_engine.reconcile_execution_state = metered
        gc.collect()
        running = self.loop.create_task(node.run_async())
        await asyncio.wait([called, running], return_when=asyncio.FIRST_COMPLETED)
        if not called.done() or not called.result() or self._errors:
            raise RuntimeError(f"the node did not start: {self._errors or 'it was not reconciled'}")
        if then is not None:
            await asyncio.sleep(1.0)
            await then(self)

    async def metered[T](self, call: Callable[[], Awaitable[T]]) -> tuple[Cost, T]:
        """Await a call and return what it took, without the venue's part, and its result."""
        network = self.meter
        requests, weight, venue_secs = network.requests, network.weight, network.cpu_secs
        before_kb = _reset_peak_kb()
        began_ns, began_secs = self.loop.now_ns, cpu_secs()
        result = await call()
        spent_secs = cpu_secs() - began_secs
        cost = Cost(
            spent_secs - (network.cpu_secs - venue_secs),
            (self.loop.now_ns - began_ns) / 1e9,
            network.requests - requests,
            network.weight - weight,
            _memory_kb("VmHWM") - before_kb,
        )
        return cost, result

    def lost_fills(self) -> int:
        """Return how many trades of the venue no order of the node contains."""
        held = {
            (event.venue_order_id.value, event.trade_id.value)
            for order in self.node.cache.orders()
            for event in order.events
            if isinstance(event, OrderFilled)
        }
        return sum(
            (str(trade.order_id), str(trade.trade_id)) not in held for trade in self.venue.trades()
        )

    # -- the host of the patches --------------------------------------------------

    def open_database(self, prefix: str) -> Backing:
        assert self.log is not None
        return Backing(self.log, prefix, lambda: self.loop.now_ns)

    def hash_seed(self) -> str:
        return "bench"

    def on_exit(self, code: int) -> NoReturn:
        raise RuntimeError(f"the process called os._exit({code})")

    def _on_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._errors.append(f"{context.get('message')}: {context.get('exception')!r}")


def _memory_kb(name: str) -> int:
    """Return a line of what the system knows of the memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)


def _reset_peak_kb() -> int:
    """Let the peak of the memory begin anew; return what is in use."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory_kb("VmRSS")
