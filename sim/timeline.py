"""The timeline: what each record of a scenario does, and when.

A record acts on the venue, on the node or on what lies between them, at its
instant and not later: what a node action sets going (a graceful stop takes time)
goes on beside the records that follow.  A record that could not do what it says is
noted as inert, and makes the run inconclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sim.attendant import Attendant, Player, sleep_until
from sim.faults import Faults
from sim.hand import ACTS, Reach, act
from sim.loops import Loop
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
        loop: Loop,
        venue: Venue,
        network: Network,
        faults: Faults,
        points: Points,
        nodes: Iterable[Player],
        trace: Trace,
        left_out: str = "",
    ) -> None:
        self.inert: list[str] = []
        self._scenario = scenario
        self._loop = loop
        self._venue = venue
        self._network = network
        self._faults = faults
        self._points = points
        self._trace = trace
        self._left_out = left_out
        self._played: list[tuple[str, str]] = []
        orders = {
            record.action.id: record.action
            for record in scenario.timeline
            if isinstance(record.action, a.Submit | a.WebSubmit)
        }
        self._reach = Reach(loop, venue, network, faults, scenario, orders)
        several = len(scenario.each_node) > 1
        self._attendants = {
            node.name: Attendant(
                node, loop, orders, self.inert, f"node {node.name}" if several else "the node"
            )
            for node in nodes
        }

    async def play(self, bound_ns: int) -> None:
        """Start the nodes at their times, follow the records, and wait until all may be quiet.

        That is ``bound_ns`` after the last record is over, the last node has been started and
        the last fault has acted, or the last kill at a named point.
        """
        starts: list[tuple[int, Callable[[], None]]] = [
            (attendant.node.starts_ns, attendant.node.start)
            for attendant in self._attendants.values()
        ]
        records: list[tuple[int, Callable[[], None]]] = [
            (record.at_ns, partial(self._apply, index, record))
            for index, record in enumerate(self._scenario.timeline)
        ]
        begins: list[tuple[int, Callable[[], None]]] = [
            (attendant.node.starts_ns, partial(self._points.begin, name))
            for name, attendant in self._attendants.items()
        ]
        # What starts at an instant starts before anything else happens at it.
        for at_ns, step in sorted([*starts, *begins, *records], key=lambda each: each[0]):
            await self.sleep_until(self._loop.origin_ns + at_ns)
            step()
        over_ns = self._loop.origin_ns + max(
            *(r.at_ns + r.action.lasts_ns for r in self._scenario.timeline),
            *(at_ns for at_ns, _ in starts),
            0,
        )
        while True:
            last_act_ns = max(self._faults.last_act_ns, self._points.last_act_ns)
            quiet_ns = max(over_ns, last_act_ns) + bound_ns
            if quiet_ns <= self.now_ns:
                break
            await self.sleep_until(quiet_ns)
        self._find_the_unreached()
        for attendant in self._attendants.values():
            await attendant.finish()

    def _find_the_unreached(self) -> None:
        """Take note of what lay in wait to the end, in vain."""
        self.inert += [
            f"{label} had no effect: the point was not reached" for label in self._points.disarm()
        ]
        for attendant in self._attendants.values():
            self.inert += attendant.unsent()

    @property
    def effective(self) -> frozenset[str]:
        """The words of the records of which nobody has noted that they had no effect."""
        return frozenset(
            word
            for word, label in self._played
            if not any(note.startswith(f"{label} had no effect") for note in self.inert)
        )

    def pending(self) -> str | None:
        """Say what has not come to rest, None when everything has."""
        for attendant in self._attendants.values():
            if (reason := attendant.pending()) is not None:
                return reason
        if self._venue.reads.lagging:
            return "reads lag"
        return self._network.pending()

    @property
    def now_ns(self) -> int:
        """The instant up to which the story has come."""
        return self._loop.now_ns

    async def sleep_until(self, when_ns: int) -> None:
        """Wait until an instant of the story."""
        await sleep_until(self._loop, when_ns)

    # -- records ------------------------------------------------------------------

    def _apply(self, index: int, record: m.Record) -> None:
        action = record.action
        word = action.word
        if word == self._left_out:
            return
        label = f"{word} at {durations.format_duration(record.at_ns)}"
        if line := self._scenario.line(index):
            label += f" (line {line})"
        self._played.append((word, label))
        self._trace.add(self._loop.now_ns, "record", word, dump_record(self._scenario, record))
        if action.point is None:
            self._do(action, label)
        else:
            point = parse_point(action.point)
            self._points.arm(
                point,
                label,
                partial(self._do, action, label),
                lasts_ns=action.lasts_ns,
                node=point.node or getattr(action, "node", None),
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
        match action:
            case a.Submit() | a.CancelAll():
                node = action.node
            case a.OwnOrderAction():
                node = self._sender(action.order)
            case a.CancelBatch():
                node = self._sender(action.orders[0])
            case _:
                raise TypeError(action)
        self._attendants[node].act(action, label)

    def _sender(self, order: str) -> str:
        sent = self._reach.orders[order]
        assert isinstance(sent, a.Submit)
        return sent.node

    def _stop(self, action: a.Stop, label: str) -> None:
        self._attendants[action.node].stop(label)

    def _kill(self, action: a.Kill, label: str) -> None:
        self._attendants[action.node].kill()

    def _stop_database(self, action: a.StopDatabase, label: str) -> None:
        self._attendants[action.node].stop_database(action)

    def _lose_writes(self, action: a.LoseWrites, label: str) -> None:
        self._attendants[action.node].lose_writes(action)

    def _start(self, action: a.Start, label: str) -> None:
        self._attendants[action.node].start(action, label)

    def _restart(self, action: a.Restart, label: str) -> None:
        self._attendants[action.node].restart(action, label)


_DO: dict[type[a.Action], Callable[[Timeline, Any, str], None]] = {
    a.Submit: Timeline._act,
    a.Cancel: Timeline._act,
    a.CancelAll: Timeline._act,
    a.CancelBatch: Timeline._act,
    a.Query: Timeline._act,
    a.Modify: Timeline._act,
    a.Stop: Timeline._stop,
    a.Kill: Timeline._kill,
    a.StopDatabase: Timeline._stop_database,
    a.LoseWrites: Timeline._lose_writes,
    a.Start: Timeline._start,
    a.Restart: Timeline._restart,
}
