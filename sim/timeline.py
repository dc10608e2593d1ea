"""The timeline: what each record of a scenario does, and when.

A record acts on the venue, on the node or on what lies between them, at its
instant and not later: what a node action sets going (a graceful stop takes time)
goes on beside the records that follow.  A record that could not do what it says is
noted as inert, and makes the run inconclusive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import structs

from sim.clock import START_NS, VirtualLoop
from sim.faults import Faults
from sim.hand import ACTS, Reach, act, venue_client_id
from sim.node import NodeUnderTest
from sim.points import Points
from sim.scenario import actions as a
from sim.scenario import dump_record, durations
from sim.scenario import model as m
from sim.scenario.points import parse_point
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
        points: Points,
        node: NodeUnderTest,
        trace: Trace,
    ) -> None:
        self.inert: list[str] = []
        self._scenario = scenario
        self._loop = loop
        self._venue = venue
        self._network = network
        self._faults = faults
        self._points = points
        self._node = node
        self._trace = trace
        self._node_action: asyncio.Task[None] | None = None
        self._queue: list[str] = []
        self._on_start: dict[str, str] = {}
        orders = {
            record.action.id: record.action
            for record in scenario.timeline
            if isinstance(record.action, a.Submit | a.WebSubmit)
        }
        self._reach = Reach(loop, venue, network, faults, node.account.name, orders)

    async def play(self, bound_ns: int) -> None:
        """Start the node at its time, follow the records, and wait until all may be quiet.

        That is ``bound_ns`` after the last record is over and the last fault has acted, or
        the last kill at a named point.
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
            last_act_ns = max(self._faults.last_act_ns, self._points.last_act_ns)
            quiet_ns = max(over_ns, START_NS, last_act_ns) + bound_ns
            if quiet_ns <= self._loop.now_ns:
                break
            await self.sleep_until(quiet_ns)
        self._find_the_unreached()
        if self._node_action is not None:
            await self._node_action

    def _find_the_unreached(self) -> None:
        """Take note of what lay in wait to the end, in vain."""
        waits = [
            f"{label} had no effect: the point was not reached" for label in self._points.disarm()
        ]
        for action in self._node.waiting:
            waits.append(
                f"{self._on_start[action.id]} had no effect: no strategy started to send it"
            )
        self.inert += waits

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
        if action.point is None:
            self._do(action, label)
        else:
            self._points.arm(
                parse_point(action.point),
                label,
                partial(self._do, action, label),
                lasts_ns=action.lasts_ns,
            )

    def _do(self, action: a.Action, label: str) -> None:
        try:
            if type(action) in ACTS:
                act(self._reach, action, label)
            else:
                _DO[type(action)](self, action, label)
        except (VenueError, LookupError) as e:
            self.inert.append(f"{label} had no effect: {e}")
        self._network.flush()

    def _act(self, action: a.StrategyAction, label: str) -> None:
        self._node.act(action)
        if isinstance(action, a.Submit) and action.on_start:
            self._on_start[action.id] = label

    def _stop(self, action: a.Stop, label: str) -> None:
        self._then(self._node.stop, label)

    def _kill(self, action: a.Kill | a.Restart, label: str) -> None:
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
        if action.point is not None:
            self._restart_now(action, label)
            return

        async def restart() -> None:
            if action.by == "kill":
                self._node.kill()
            else:
                await self._node.stop()
            await self.sleep_until(self._loop.now_ns + action.down_ns)
            self._begin_node(action, label)

        self._then(restart, label)

    def _restart_now(self, action: a.Restart, label: str) -> None:
        self._kill(action, label)
        up_ns = self._loop.now_ns + action.down_ns

        async def start() -> None:
            await self.sleep_until(up_ns)
            self._begin_node(action, label)

        self._then(start, label)

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
            order = venue_client_id(self._reach.orders[action.order])
            action = structs.replace(action, order=order)
        try:
            self._node.start(action)
        except LookupError as e:
            self.inert.append(f"{label} had no effect on the cache: {e}")
            self._node.start()


_DO: dict[type[a.Action], Callable[[Timeline, Any, str], None]] = {
    a.Submit: Timeline._act,
    a.Cancel: Timeline._act,
    a.CancelAll: Timeline._act,
    a.Modify: Timeline._act,
    a.Stop: Timeline._stop,
    a.Kill: Timeline._kill,
    a.Start: Timeline._start,
    a.Restart: Timeline._restart,
}
