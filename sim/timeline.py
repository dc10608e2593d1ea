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

from msgspec import structs

from sim.clock import START_NS, VirtualLoop
from sim.faults import (
    DelayedFrame,
    DelayedReply,
    DroppedFrame,
    DuplicatedFrame,
    FailedRequest,
    Fault,
    Faults,
    LostReply,
    ReadLag,
    StreamOutage,
)
from sim.node import NodeUnderTest
from sim.scenario import actions as a
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
        self._queue: list[str] = []
        self._lags: dict[str, list[int]] = {}
        self._orders: dict[str, a.Submit | a.WebSubmit] = {
            record.action.id: record.action
            for record in scenario.timeline
            if isinstance(record.action, a.Submit | a.WebSubmit)
        }

    async def play(self, bound_ns: int) -> None:
        """Start the node at its time, follow the records, and wait until all may be quiet.

        That is ``bound_ns`` after the last record is over and the last fault has acted.
        """
        records = list(enumerate(self._scenario.timeline))
        before = [entry for entry in records if entry[1].at_ns < 0]
        await self._follow(before)
        await self.sleep_until(START_NS)
        self._node.start()
        await self._follow(records[len(before) :])
        over_ns = START_NS + max(
            (r.at_ns + r.action.lasts_ns for r in self._scenario.timeline), default=0
        )
        while True:
            quiet_ns = max(over_ns, START_NS, self._faults.last_act_ns) + bound_ns
            if quiet_ns <= self._loop.now_ns:
                break
            await self.sleep_until(quiet_ns)
        if self._node_action is not None:
            await self._node_action

    def pending(self) -> str | None:
        """Say what has not come to rest, None when everything has."""
        if self._node_action is not None and not self._node_action.done():
            return "the node is being stopped or started"
        if self._node.was_given_up:
            return "the node is down and nobody starts it again"
        if self._node.revival_is_due:
            return "the node is about to be started again"
        if self._venue.reads.lagging:
            return "reads lag"
        return self._network.pending()

    async def _follow(self, records: list[tuple[int, m.Record]]) -> None:
        for index, record in records:
            await self.sleep_until(START_NS + record.at_ns)
            self._apply(index, record)

    async def sleep_until(self, when_ns: int) -> None:
        """Wait until an instant."""
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

    def _act(self, action: a.StrategyAction, label: str) -> None:
        self._node.act(action)

    def _fill(self, action: a.Fill, label: str) -> None:
        order = self._orders[action.order]
        for _ in range(action.times):
            self._venue.fill(
                self._node.account.name,
                order.symbol,
                client_order_id=venue_client_id(order),
                quantity=action.quantity,
                price=action.price,
                maker=action.maker,
                now_ns=self._loop.now_ns,
            )

    def _depth(self, action: a.Depth, label: str) -> None:
        self._venue.set_depth(action.symbol, action.quantity, self._loop.now_ns)

    def _transfer(self, action: a.Transfer, label: str) -> None:
        account = self._node.account.name
        self._venue.transfer(account, action.asset, action.amount, self._loop.now_ns)

    def _price(self, action: a.SetPrice, label: str) -> None:
        self._venue.set_price(action.symbol, action.price, self._loop.now_ns)

    def _web_submit(self, action: a.WebSubmit, label: str) -> None:
        self._venue.web_submit(
            self._node.account.name,
            action.symbol,
            client_order_id=venue_client_id(action),
            side=action.side,
            order_type=action.type,
            quantity=action.quantity,
            price=action.price,
            position_side=action.position_side,
            reduce_only=action.reduce_only,
            time_in_force="GTX" if action.post_only else action.time_in_force,
            now_ns=self._loop.now_ns,
        )

    def _web_cancel(self, action: a.WebCancel, label: str) -> None:
        order = self._orders[action.order]
        self._venue.web_cancel(
            self._node.account.name,
            order.symbol,
            client_order_id=venue_client_id(order),
            now_ns=self._loop.now_ns,
        )

    def _stop(self, action: a.Stop, label: str) -> None:
        self._then(self._node.stop, label)

    def _kill(self, action: a.Kill, label: str) -> None:
        # What was being done with the node ends with its process.
        if self._node_action is not None:
            self._node_action.cancel()
            self._node_action = None
            self.inert += [f"{waiting} had no effect: a kill came first" for waiting in self._queue]
            self._queue.clear()
        if not self._node.is_up:
            raise LookupError("the node is down")
        self._node.kill()

    def _start(self, action: a.Start, label: str) -> None:
        async def start() -> None:
            self._begin_node(action, label)

        self._then(start, label)

    def _restart(self, action: a.Restart, label: str) -> None:
        async def restart() -> None:
            if action.by == "kill":
                self._node.kill()
            else:
                await self._node.stop()
            await self.sleep_until(self._loop.now_ns + action.down_ns)
            self._begin_node(action, label)

        self._then(restart, label)

    def _then(self, action: Callable[[], Any], label: str) -> None:
        """Do something with the node after what is being done with it."""
        before = self._node_action
        self._queue.append(label)

        async def do() -> None:
            if before is not None:
                await before
            self._queue.remove(label)
            await action()

        self._node_action = self._loop.create_task(do())

    def _begin_node(self, action: a.Comeback, label: str) -> None:
        if self._node.is_up:
            self.inert.append(f"{label} had no effect: the node is up")
            return
        if action.order is not None:
            # The cache knows the order by the id that the venue has.
            order = venue_client_id(self._orders[action.order])
            action = structs.replace(action, order=order)
        try:
            self._node.start(action)
        except LookupError as e:
            self.inert.append(f"{label} had no effect on the cache: {e}")
            self._node.start()

    # -- faults -------------------------------------------------------------------

    def _disconnect(self, action: a.Disconnect, label: str) -> None:
        fault = StreamOutage(label, until_ns=self._loop.now_ns + action.for_ns)
        self._faults.arm(fault)
        cut = self._network.cut_streams()
        if cut:
            self._faults.act(fault, f"{cut} streams cut")

    def _drop_event(self, action: a.DropEvent, label: str) -> None:
        self._faults.arm(DroppedFrame(label, **self._wanted(action)))

    def _duplicate_event(self, action: a.DuplicateEvent, label: str) -> None:
        self._faults.arm(
            DuplicatedFrame(
                label,
                copies=action.copies,
                by_ns=action.by_ns,
                **self._wanted(action),
            ),
        )

    def _delay_event(self, action: a.DelayEvent, label: str) -> None:
        self._faults.arm(DelayedFrame(label, by_ns=action.by_ns, **self._wanted(action)))

    def _wanted(self, action: a.EventFault) -> dict[str, Any]:
        order = None if action.order is None else venue_client_id(self._orders[action.order])
        return {
            "event": action.event,
            "execution": action.execution,
            "client_order_id": order,
            "symbol": action.symbol,
            "client": action.client,
            "count": action.limit,
            "until_ns": self._until_ns(action),
        }

    def _until_ns(self, action: a.EventFault | a.RequestFault) -> int | None:
        return None if action.for_ns is None else self._loop.now_ns + action.for_ns

    def _fail_request(self, action: a.FailRequest, label: str) -> None:
        self._faults.arm(
            FailedRequest(
                label,
                status=action.status,
                code=action.code,
                message=action.message,
                retry_after_secs=action.retry_after,
                after_ns=action.after_ns,
                applied=action.applied,
                **self._asked(action),
            ),
        )

    def _lose_reply(self, action: a.LoseReply, label: str) -> None:
        self._faults.arm(
            LostReply(
                label, after_ns=action.after_ns, applied=action.applied, **self._asked(action)
            )
        )

    def _delay_reply(self, action: a.DelayReply, label: str) -> None:
        self._faults.arm(DelayedReply(label, by_ns=action.by_ns, **self._asked(action)))

    def _asked(self, action: a.RequestFault) -> dict[str, Any]:
        return {
            "method": action.method,
            "path": action.path,
            "symbol": action.symbol,
            "client": action.client,
            "count": action.limit,
            "until_ns": self._until_ns(action),
        }

    def _expire_listen_key(self, action: a.ExpireListenKey, label: str) -> None:
        fault = Fault(label)
        self._faults.arm(fault)
        account = self._node.account.name
        if self._venue.expire_listen_key(account, self._loop.now_ns, notify=action.notify):
            self._faults.act(fault, "the listen key expired")

    def _lag_reads(self, action: a.LagReads, label: str) -> None:
        until_ns = self._loop.now_ns + action.for_ns
        self._faults.arm(ReadLag(label, reads=action.reads, until_ns=until_ns))
        for read in action.reads:
            self._lags.setdefault(read, []).append(action.by_ns)
        self._set_lags(action)
        self._loop.call_at_ns(until_ns, self._heal_lag, action)

    def _heal_lag(self, action: a.LagReads) -> None:
        for read in action.reads:
            self._lags[read].remove(action.by_ns)
        self._set_lags(action)

    def _set_lags(self, action: a.LagReads) -> None:
        for read in action.reads:
            self._venue.reads.set_lag(read, max(self._lags[read], default=0))


_DO: dict[type[a.Action], Callable[[Timeline, Any, str], None]] = {
    a.Submit: Timeline._act,
    a.Cancel: Timeline._act,
    a.CancelAll: Timeline._act,
    a.Modify: Timeline._act,
    a.Fill: Timeline._fill,
    a.Depth: Timeline._depth,
    a.Transfer: Timeline._transfer,
    a.SetPrice: Timeline._price,
    a.WebSubmit: Timeline._web_submit,
    a.WebCancel: Timeline._web_cancel,
    a.Stop: Timeline._stop,
    a.Kill: Timeline._kill,
    a.Start: Timeline._start,
    a.Restart: Timeline._restart,
    a.Disconnect: Timeline._disconnect,
    a.ExpireListenKey: Timeline._expire_listen_key,
    a.DropEvent: Timeline._drop_event,
    a.DuplicateEvent: Timeline._duplicate_event,
    a.DelayEvent: Timeline._delay_event,
    a.FailRequest: Timeline._fail_request,
    a.LoseReply: Timeline._lose_reply,
    a.DelayReply: Timeline._delay_reply,
    a.LagReads: Timeline._lag_reads,
}


def venue_client_id(order: a.Submit | a.WebSubmit) -> str:
    """Return the client order id under which the venue knows an order of the scenario."""
    return f"web_{order.id}" if isinstance(order, a.WebSubmit) else order.id
