"""The timeline: what each record of a scenario does, and when.

A record acts on the venue, on the node or on what lies between them, at its
instant and not later: what a node action sets going (a graceful stop takes time)
goes on beside the records that follow.  A record that could not do what it says is
noted as inert, and makes the run inconclusive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sim import patches
from sim.clock import START_NS, VirtualLoop
from sim.faults import (
    DelayedFrame,
    DroppedFrame,
    DuplicatedFrame,
    FailedRequest,
    Faults,
    ReadLag,
    StreamOutage,
)
from sim.node import NodeUnderTest
from sim.scenario import dump_record, durations
from sim.scenario import model as m
from sim.trace import Trace
from sim.transport.network import Network
from sim.venue import Venue, VenueError


class Timeline:
    """Plays the records of one scenario.

    ``inert`` names the records that had no effect, and why.
    """

    def __init__(
        self,
        scenario: m.Scenario,
        loop: VirtualLoop,
        venue: Venue,
        network: Network,
        faults: Faults,
        node: NodeUnderTest,
        trace: Trace,
    ) -> None:
        self.inert: list[str] = []
        self._scenario = scenario
        self._loop = loop
        self._venue = venue
        self._network = network
        self._faults = faults
        self._node = node
        self._trace = trace
        self._node_action: asyncio.Task[None] | None = None
        self._lags: dict[str, list[int]] = {}
        self._orders: dict[str, m.Submit | m.WebSubmit] = {
            record.action.id: record.action
            for record in scenario.timeline
            if isinstance(record.action, m.Submit | m.WebSubmit)
        }

    async def play(self, until_ns: int) -> None:
        """Start the node at its time, follow the records, and wait until an instant."""
        records = list(enumerate(self._scenario.timeline))
        before = [entry for entry in records if entry[1].at_ns < 0]
        await self._follow(before)
        await self._sleep_until(START_NS)
        self._node.start()
        await self._follow(records[len(before) :])
        await self._sleep_until(until_ns)
        if self._node_action is not None:
            await self._node_action

    async def _follow(self, records: list[tuple[int, m.Record]]) -> None:
        for index, record in records:
            await self._sleep_until(START_NS + record.at_ns)
            self._apply(index, record)

    async def _sleep_until(self, when_ns: int) -> None:
        if when_ns <= self._loop.now_ns:
            return
        reached = self._loop.create_future()
        timer = self._loop.call_at_ns(when_ns, reached.set_result, None)
        try:
            await reached
        finally:
            timer.cancel()

    # -- records ------------------------------------------------------------------

    def _apply(self, index: int, record: m.Record) -> None:
        action = record.action
        word = action.word
        label = f"{word} at {durations.format_duration(record.at_ns)}"
        if line := self._scenario.line(index):
            label += f" (line {line})"
        self._trace.add(self._loop.now_ns, "record", word, dump_record(self._scenario, record))
        try:
            _DO[type(action)](self, action, label)
        except (VenueError, LookupError) as e:
            self.inert.append(f"{label} had no effect: {e}")
        self._network.flush()

    def _act(self, action: m.Submit | m.Cancel, label: str) -> None:
        self._node.act(action)

    def _fill(self, action: m.Fill, label: str) -> None:
        order = self._orders[action.order]
        self._venue.fill(
            self._node.account.name,
            order.symbol,
            client_order_id=venue_client_id(order),
            quantity=action.quantity,
            price=action.price,
            maker=action.maker,
            now_ns=self._loop.now_ns,
        )

    def _price(self, action: m.SetPrice, label: str) -> None:
        self._venue.set_price(action.symbol, action.price, self._loop.now_ns)

    def _web_submit(self, action: m.WebSubmit, label: str) -> None:
        self._venue.web_submit(
            self._node.account.name,
            action.symbol,
            client_order_id=venue_client_id(action),
            side=action.side,
            order_type=action.type,
            quantity=action.quantity,
            price=action.price,
            position_side=action.position_side,
            now_ns=self._loop.now_ns,
        )

    def _web_cancel(self, action: m.WebCancel, label: str) -> None:
        order = self._orders[action.order]
        self._venue.web_cancel(
            self._node.account.name,
            order.symbol,
            client_order_id=venue_client_id(order),
            now_ns=self._loop.now_ns,
        )

    def _stop(self, action: m.Stop, label: str) -> None:
        self._then(self._node.stop)

    def _kill(self, action: m.Kill, label: str) -> None:
        # What was being done with the node ends with its process.
        if self._node_action is not None:
            self._node_action.cancel()
            self._node_action = None
        if not self._node.is_up:
            raise LookupError("the node is down")
        self._node.kill()

    def _start(self, action: m.Start, label: str) -> None:
        async def start() -> None:
            self._begin_node(action.cache)

        self._then(start)

    def _restart(self, action: m.Restart, label: str) -> None:
        async def restart() -> None:
            if action.by == "kill":
                self._node.kill()
            else:
                await self._node.stop()
            await self._sleep_until(self._loop.now_ns + action.down_ns)
            self._begin_node(action.cache)

        self._then(restart)

    def _then(self, action: Callable[[], Any]) -> None:
        """Do something with the node after what is being done with it."""
        before = self._node_action

        async def do() -> None:
            if before is not None:
                await before
            await action()

        self._node_action = self._loop.create_task(do())

    def _begin_node(self, cache: str) -> None:
        if self._node.is_up:
            self.inert.append("a start had no effect: the node is up")
            return
        patches.forget_shared_clients()
        self._node.start(lose_cache=cache == "lost")

    # -- faults -------------------------------------------------------------------

    def _disconnect(self, action: m.Disconnect, label: str) -> None:
        fault = StreamOutage(label, until_ns=self._loop.now_ns + action.for_ns)
        self._faults.arm(fault)
        cut = self._network.cut_streams()
        if cut:
            self._faults.act(fault, f"{cut} streams cut")

    def _drop_event(self, action: m.DropEvent, label: str) -> None:
        self._faults.arm(DroppedFrame(label, **self._wanted(action)))

    def _duplicate_event(self, action: m.DuplicateEvent, label: str) -> None:
        self._faults.arm(
            DuplicatedFrame(
                label,
                copies=action.copies,
                by_ns=action.by_ns,
                **self._wanted(action),
            ),
        )

    def _delay_event(self, action: m.DelayEvent, label: str) -> None:
        self._faults.arm(DelayedFrame(label, by_ns=action.by_ns, **self._wanted(action)))

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
        until_ns = None if action.for_ns is None else self._loop.now_ns + action.for_ns
        self._faults.arm(
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
        until_ns = self._loop.now_ns + action.for_ns
        self._faults.arm(ReadLag(label, reads=action.reads, until_ns=until_ns))
        for read in action.reads:
            self._lags.setdefault(read, []).append(action.by_ns)
        self._set_lags(action)
        self._loop.call_at_ns(until_ns, self._heal_lag, action)

    def _heal_lag(self, action: m.LagReads) -> None:
        for read in action.reads:
            self._lags[read].remove(action.by_ns)
        self._set_lags(action)

    def _set_lags(self, action: m.LagReads) -> None:
        for read in action.reads:
            self._venue.reads.set_lag(read, max(self._lags[read], default=0))


_DO: dict[type[m.Action], Callable[[Timeline, Any, str], None]] = {
    m.Submit: Timeline._act,
    m.Cancel: Timeline._act,
    m.Fill: Timeline._fill,
    m.SetPrice: Timeline._price,
    m.WebSubmit: Timeline._web_submit,
    m.WebCancel: Timeline._web_cancel,
    m.Stop: Timeline._stop,
    m.Kill: Timeline._kill,
    m.Start: Timeline._start,
    m.Restart: Timeline._restart,
    m.Disconnect: Timeline._disconnect,
    m.DropEvent: Timeline._drop_event,
    m.DuplicateEvent: Timeline._duplicate_event,
    m.DelayEvent: Timeline._delay_event,
    m.FailRequest: Timeline._fail_request,
    m.LagReads: Timeline._lag_reads,
}


def venue_client_id(order: m.Submit | m.WebSubmit) -> str:
    """Return the client order id under which the venue knows an order of the scenario."""
    return f"web_{order.id}" if isinstance(order, m.WebSubmit) else order.id
