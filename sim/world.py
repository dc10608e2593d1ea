"""One run: a venue, its faults, a node and a timeline, on a virtual clock.

A run is a function of the scenario with its seed, the engine, and the versions of
NautilusTrader, Python and this package.  It yields an `Observation` to judge and a
trace to compare.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

from sim import patches
from sim.clock import NS_PER_MS, NS_PER_SEC, PROCESS, START_NS, VirtualLoop, VirtualTimeError
from sim.database import Backing
from sim.engines import Engine
from sim.faults import (
    DelayedFrame,
    DroppedFrame,
    DuplicatedFrame,
    FailedRequest,
    Fault,
    Faults,
    ReadLag,
    StreamOutage,
)
from sim.node import NodeProcess, NodeUnderTest
from sim.observation import Adjustment, Crash, Observation
from sim.scenario import dump_record, durations
from sim.scenario import model as m
from sim.streams import Streams
from sim.trace import Trace
from sim.transport.network import DEFAULT_LATENCY_NS, Network
from sim.venue import Venue, VenueConfig, VenueError
from sim.venue.config import AccountConfig, symbol_config

SETTLE_SECS = 60
"""What a run waits after its last record, besides two reconciliation intervals."""

BUDGET_SLACK_NS = 3_600 * NS_PER_SEC

NODE = "A"


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
    wall_secs: float


def run(scenario: m.Scenario, engine: Engine, *, seed: int | None = None) -> Run:
    """Play a scenario to its end.

    `seed` takes the place of the scenario's own.  Raises `HarnessError` when the
    simulation fails, and what `sim.patches` raises when NautilusTrader is not one
    that it knows.
    """
    return World(scenario, engine, scenario.seed if seed is None else seed).run()


class World:
    """The state of one run.  It is the `sim.patches.Host` of the replacements."""

    def __init__(self, scenario: m.Scenario, engine: Engine, seed: int) -> None:
        self._scenario = scenario
        self._engine = engine
        self._seed = seed
        first_ns = min((record.at_ns for record in scenario.timeline), default=0)
        last_ns = max((record.at_ns for record in scenario.timeline), default=0)
        interval_ns = round(scenario.node.reconciliation_interval_secs * NS_PER_SEC)
        self._end_ns = START_NS + max(last_ns, 0) + 2 * interval_ns + SETTLE_SECS * NS_PER_SEC
        start_ns = START_NS + min(first_ns, 0)
        self.loop = VirtualLoop(start_ns, budget_ns=self._end_ns - start_ns + BUDGET_SLACK_NS)
        self.loop.set_exception_handler(self._on_exception)
        self.streams = Streams(seed)
        self.trace = Trace()
        self.faults = Faults(lambda: self.loop.now_ns, self._on_fault)
        self._config = venue_config(scenario.venue)
        self.venue = Venue(self._config, self.streams["venue"])
        latency_ms = scenario.venue.latency_ms
        self.network = Network(
            self.loop,
            self.venue,
            self.faults,
            self.trace,
            self.streams["network"],
            DEFAULT_LATENCY_NS
            if latency_ms is None
            else (latency_ms[0] * NS_PER_MS, latency_ms[1] * NS_PER_MS),
        )
        self.node = NodeUnderTest(
            NODE,
            scenario.node,
            engine,
            self._config.accounts[0],
            scenario.venue.position_mode,
            self.loop,
            self.trace,
        )
        self._node_action: asyncio.Task[None] | None = None
        self._orders: dict[str, m.Submit | m.WebSubmit] = {
            record.action.id: record.action
            for record in scenario.timeline
            if isinstance(record.action, m.Submit | m.WebSubmit)
        }
        self._lags: dict[str, list[int]] = {}
        self._inert: list[str] = []
        self._crashes: list[Crash] = []
        self._harness_errors: list[BaseException] = []

    # -- the run ------------------------------------------------------------------

    def run(self, *, without: frozenset[str] = frozenset()) -> Run:
        """Play the scenario; `without` leaves out patches, for tests of those."""
        started = time.perf_counter()  # sim-ok: printed beside the result, never part of it
        try:
            with patches.installed(self, without=without):
                try:
                    self.loop.run_until_complete(self._play())
                except VirtualTimeError as e:
                    self._crash(f"{type(e).__name__}: {e}", self._process_name())
                observation = self._observe()
                self.node.dispose()
        finally:
            self.loop.close()
        if self._harness_errors:
            error = self._harness_errors[0]
            raise HarnessError(f"{type(error).__name__}: {error}") from error
        return Run(
            scenario=self._scenario,
            engine=self._engine.name,
            seed=self._seed,
            observation=observation,
            trace=self.trace,
            virtual_ns=self.loop.elapsed_ns,
            wall_secs=time.perf_counter() - started,  # sim-ok: as above
        )

    async def _play(self) -> None:
        records = list(enumerate(self._scenario.timeline))
        before = [entry for entry in records if entry[1].at_ns < 0]
        await self._follow(before)
        await self._sleep_until(START_NS)
        self.node.start()
        await self._follow(records[len(before) :])
        await self._sleep_until(self._end_ns)
        if self._node_action is not None:
            await self._node_action
        self.venue.check_invariants()

    async def _follow(self, records: list[tuple[int, m.Record]]) -> None:
        for index, record in records:
            await self._sleep_until(START_NS + record.at_ns)
            self._apply(index, record)

    async def _sleep_until(self, when_ns: int) -> None:
        if when_ns <= self.loop.now_ns:
            return
        reached = self.loop.create_future()
        self.loop.call_at_ns(when_ns, reached.set_result, None)
        await reached

    # -- records ------------------------------------------------------------------

    def _apply(self, index: int, record: m.Record) -> None:
        action = record.action
        word = action.word
        label = f"{word} at {durations.format_duration(record.at_ns)}"
        if line := self._scenario.line(index):
            label += f" (line {line})"
        self.trace.add(self.loop.now_ns, "record", word, dump_record(self._scenario, record))
        try:
            _APPLY[type(action)](self, action, label)
        except (VenueError, LookupError) as e:
            self._inert.append(f"{label} had no effect: {e}")
        self.network.flush()

    def _act(self, action: m.Submit | m.Cancel, label: str) -> None:
        self.node.act(action)

    def _fill(self, action: m.Fill, label: str) -> None:
        order = self._orders[action.order]
        self.venue.fill(
            self._account.name,
            order.symbol,
            client_order_id=venue_client_id(order),
            quantity=action.quantity,
            price=action.price,
            maker=action.maker,
            now_ns=self.loop.now_ns,
        )

    def _price(self, action: m.SetPrice, label: str) -> None:
        self.venue.set_price(action.symbol, action.price, self.loop.now_ns)

    def _web_submit(self, action: m.WebSubmit, label: str) -> None:
        self.venue.web_submit(
            self._account.name,
            action.symbol,
            client_order_id=venue_client_id(action),
            side=action.side,
            order_type=action.type,
            quantity=action.quantity,
            price=action.price,
            position_side=action.position_side,
            now_ns=self.loop.now_ns,
        )

    def _web_cancel(self, action: m.WebCancel, label: str) -> None:
        order = self._orders[action.order]
        self.venue.web_cancel(
            self._account.name,
            order.symbol,
            client_order_id=venue_client_id(order),
            now_ns=self.loop.now_ns,
        )

    def _stop(self, action: m.Stop, label: str) -> None:
        self._then(self._stop_node)

    def _kill(self, action: m.Kill, label: str) -> None:
        self._end_node()

    def _start(self, action: m.Start, label: str) -> None:
        async def start() -> None:
            self._begin_node(action.cache)

        self._then(start)

    def _restart(self, action: m.Restart, label: str) -> None:
        async def restart() -> None:
            if action.by == "kill":
                self._end_node()
            else:
                await self._stop_node()
            await self._sleep_until(self.loop.now_ns + action.down_ns)
            self._begin_node(action.cache)

        self._then(restart)

    def _then(self, action: Callable[[], Any]) -> None:
        """Do something with the node after what is being done with it."""
        before = self._node_action

        async def do() -> None:
            if before is not None:
                await before
            await action()

        self._node_action = self.loop.create_task(do())

    async def _stop_node(self) -> None:
        process = self.node.process
        await self.node.stop()
        if process is not None:
            self.network.drop_process(process)

    def _end_node(self) -> None:
        process = self.node.process
        self.node.kill()
        if process is not None:
            self.network.drop_process(process)

    def _begin_node(self, cache: str) -> None:
        patches.forget_shared_clients()
        self.node.start(lose_cache=cache == "lost")

    # -- faults -------------------------------------------------------------------

    def _disconnect(self, action: m.Disconnect, label: str) -> None:
        fault = StreamOutage(label, until_ns=self.loop.now_ns + action.for_ns)
        self.faults.arm(fault)
        cut = self.network.cut_streams()
        if cut:
            fault.activations += 1
            self._on_fault(fault, f"{cut} streams cut")

    def _drop_event(self, action: m.DropEvent, label: str) -> None:
        self.faults.arm(DroppedFrame(label, **self._wanted(action)))

    def _duplicate_event(self, action: m.DuplicateEvent, label: str) -> None:
        self.faults.arm(
            DuplicatedFrame(
                label,
                copies=action.copies,
                by_ns=action.by_ns,
                **self._wanted(action),
            ),
        )

    def _delay_event(self, action: m.DelayEvent, label: str) -> None:
        self.faults.arm(DelayedFrame(label, by_ns=action.by_ns, **self._wanted(action)))

    def _wanted(self, action: m.EventFault) -> dict[str, Any]:
        order = None if action.order is None else venue_client_id(self._orders[action.order])
        return {
            "event": action.event,
            "execution": action.execution,
            "client_order_id": order,
            "symbol": action.symbol,
            "count": action.count,
        }

    def _fail_request(self, action: m.FailRequest, label: str) -> None:
        until_ns = None if action.for_ns is None else self.loop.now_ns + action.for_ns
        self.faults.arm(
            FailedRequest(
                label,
                method=action.method,
                path=action.path,
                symbol=action.symbol,
                status=action.status,
                code=action.code,
                message=action.message,
                applied=action.applied,
                count=action.limit,
                until_ns=until_ns,
            ),
        )

    def _lag_reads(self, action: m.LagReads, label: str) -> None:
        until_ns = self.loop.now_ns + action.for_ns
        self.faults.arm(ReadLag(label, reads=action.reads, until_ns=until_ns))
        for read in action.reads:
            self._lags.setdefault(read, []).append(action.by_ns)
        self._set_lags(action)
        self.loop.call_at_ns(until_ns, self._heal_lag, action)

    def _heal_lag(self, action: m.LagReads) -> None:
        for read in action.reads:
            self._lags[read].remove(action.by_ns)
        self._set_lags(action)

    def _set_lags(self, action: m.LagReads) -> None:
        for read in action.reads:
            self.venue.reads.set_lag(read, max(self._lags[read], default=0))

    def _on_fault(self, fault: Fault, what: str) -> None:
        self.trace.add(self.loop.now_ns, "fault", fault.label, what)

    # -- the host of the patches --------------------------------------------------

    def open_database(self, prefix: str) -> Backing:
        return Backing(self._node_process().node.log, prefix, lambda: self.loop.now_ns)

    def hash_seed(self) -> str:
        return f"{self._seed}/{self._process_name()}"

    def on_exit(self, code: int) -> NoReturn:
        process = self._node_process()
        self._crash(f"the process called os._exit({code})", process.name)
        process.node.end("crashed")
        self.network.drop_process(process)
        raise patches.ProcessExited(code)

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
        if isinstance(error, patches.ProcessExited):
            return
        source = context.get("task") or context.get("future") or context.get("handle")
        owner = PROCESS.get()
        if isinstance(source, asyncio.Task | asyncio.Handle):
            owner = source.get_context().get(PROCESS)
        if owner is None:
            self._harness_errors.append(error or HarnessError(str(context.get("message"))))
            return
        if owner.alive:
            self._crash(f"{type(error).__name__}: {error}", owner.name)

    def _crash(self, reason: str, process: str) -> None:
        node, _, number = process.partition("#")
        self.trace.add(self.loop.now_ns, "crash", process, reason)
        self._crashes.append(Crash(self.loop.now_ns, node, int(number or 0), reason))

    # -- what is judged -----------------------------------------------------------

    @property
    def _account(self) -> AccountConfig:
        return self._config.accounts[0]

    def _observe(self) -> Observation:
        scenario = self._scenario
        lookback_mins = scenario.node.reconciliation_lookback_mins
        self._inert += [f"{label} never acted" for label in self.faults.inert()]
        self._inert += self._unexpected()
        for failure in self.node.failures():
            self._crash(*failure)
        return Observation(
            position_mode=scenario.venue.position_mode,
            symbols=tuple(scenario.venue.symbols),
            lookback_ns=None if lookback_mins is None else lookback_mins * 60 * NS_PER_SEC,
            claims={
                instrument_id.partition("-PERP.")[0]: strategy
                for strategy, claimed in scenario.node.claims.items()
                for instrument_id in claimed
            },
            ended_ns=self.loop.now_ns,
            trades=self.venue.trades(),
            orders=self.venue.orders(),
            positions=self.venue.positions(),
            incarnations=tuple(self.node.incarnations()),
            crashes=tuple(self._crashes),
            adjustments=tuple(
                Adjustment(a.symbol, a.quantity, a.position_side)
                for a in scenario.expect.adjustments
            ),
            inert=tuple(self._inert),
        )

    def _unexpected(self) -> list[str]:
        """Compare the venue's positions with those that the scenario expects."""
        held = {(p.symbol, p.position_side): p.quantity for p in self.venue.positions()}
        return [
            f"the venue holds {held.get((symbol, side), 0)} {symbol} ({side}), not {quantity}"
            for symbol, legs in self._scenario.expect.venue_position.items()
            for side, quantity in legs.items()
            if held.get((symbol, side), 0) != quantity
        ]


_APPLY: dict[type[m.Action], Callable[[World, Any, str], None]] = {
    m.Submit: World._act,
    m.Cancel: World._act,
    m.Fill: World._fill,
    m.SetPrice: World._price,
    m.WebSubmit: World._web_submit,
    m.WebCancel: World._web_cancel,
    m.Stop: World._stop,
    m.Kill: World._kill,
    m.Start: World._start,
    m.Restart: World._restart,
    m.Disconnect: World._disconnect,
    m.DropEvent: World._drop_event,
    m.DuplicateEvent: World._duplicate_event,
    m.DelayEvent: World._delay_event,
    m.FailRequest: World._fail_request,
    m.LagReads: World._lag_reads,
}


def venue_client_id(order: m.Submit | m.WebSubmit) -> str:
    """Return the client order id under which the venue knows an order of the scenario."""
    return f"web_{order.id}" if isinstance(order, m.WebSubmit) else order.id


def venue_config(venue: m.Venue) -> VenueConfig:
    """Return the fake venue that a scenario describes."""
    symbols = tuple(
        msgspec.structs.replace(symbol_config(name), price=venue.prices[name])
        if name in venue.prices
        else symbol_config(name)
        for name in venue.symbols
    )
    return VenueConfig(
        position_mode=venue.position_mode,
        symbols=symbols,
        accounts=(AccountConfig(balances=dict(venue.balances)),),
    )
