"""Named points: where something is done because of what has happened, not at an instant.

A point counts from when it is armed, in whatever process of the node runs.  It acts once:

* ``before request``: the request is at the venue, which has not acted on it;
* ``after request``: the venue has acted, and its answer is on its way;
* ``before reply``: the venue has answered, and the client is about to hear it;
* ``after reply``: the client hears it, and this comes right after the callback in which it does;
* ``before event``: the venue has an event to send and has not sent it;
* ``after event``: a client has just been given the event;
* ``after write``: the write is in the database, and its process is inside of it.

Who watches (`Points.watch`) is told of all of it, from when the first point of a node could
have been armed: what happened can then be named, and comes again at that name.

A connection that breaks is no reply.  What a dead process has sent still arrives, but
nothing is counted for it.  The copies of an event for several connections are one event.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context

from sim.loops import Loop
from sim.process import PROCESS, Process
from sim.scenario.points import Moment, Point
from sim.trace import Trace
from sim.venue.wire import Frame, Request

type Happening = Request | Frame | str
"""A request, the frame of an event, or the key that was written."""

type Watch = Callable[[Moment, Process, Happening], Callable[[], None]]
"""Is told what happens, and returns what to call at the instant at which a point there acts."""


class Tally:
    """Counts what a point is about, from when it is made."""

    def __init__(self, point: Point) -> None:
        self.number = 0
        """How many have been counted."""
        self._point = point
        self._sequence = 0

    def counts(self, moment: Moment, of: Happening) -> bool:
        """Count what happens if it is what the point is about; say whether it is."""
        if moment != self._point.moment or not self._is_of(of):
            return False
        self.number += 1
        return True

    def _is_of(self, of: Happening) -> bool:
        point = self._point
        if isinstance(of, str):
            return point.key in ("", of) or of.startswith(f"{point.key}:")
        if isinstance(of, Request):
            return (of.method, of.path) == (point.method, point.path) and point.client in (
                "",
                of.client,
            )
        if of.event != point.event or point.execution not in ("", of.execution):
            return False
        is_first = of.sequence > self._sequence
        self._sequence = max(self._sequence, of.sequence)
        return is_first


class _Armed:
    def __init__(
        self,
        point: Point,
        label: str,
        act: Callable[[], None],
        lasts_ns: int,
        node: str | None,
    ) -> None:
        self.node = node
        self.label = label
        self.act = act
        self.lasts_ns = lasts_ns
        # What follows belongs to the world, wherever the point is reached.
        self.context: Context = copy_context()
        self._number = point.number
        self._tally = Tally(point)

    def is_reached(self, moment: Moment, of: Happening) -> bool:
        """Count what happens, if it is that, and say whether it was the last of them."""
        return self._tally.counts(moment, of) and self._tally.number == self._number


class Points:
    """The named points of one run, told of all that happens to a node's processes."""

    def __init__(self, loop: Loop, trace: Trace) -> None:
        self._loop = loop
        self._trace = trace
        self._armed: list[_Armed] = []
        self._watches: list[Watch] = []
        self._begun: set[str] = set()
        self.last_act_ns = 0
        """When what the last one did so far has had its effect."""

    def arm(
        self,
        point: Point,
        label: str,
        act: Callable[[], None],
        *,
        lasts_ns: int = 0,
        node: str | None = None,
    ) -> None:
        """Call ``act`` at a point, once; ``lasts_ns`` is how long its effect takes.

        With a ``node`` only what happens to the processes of that one counts.
        """
        self._armed.append(_Armed(point, label, act, lasts_ns, node))

    def watch(self, watch: Watch) -> None:
        """Tell somebody of all that happens to nodes, each from its first instant on."""
        self._watches.append(watch)

    def begin(self, node: str) -> None:
        """Say that the first process of a node has just been started: points can be armed now."""
        self._begun.add(node)

    def disarm(self) -> list[str]:
        """Let go of all that are left, and of who watches; return the labels."""
        left = [armed.label for armed in self._armed]
        self._armed.clear()
        self._watches.clear()
        return left

    def happens(self, moment: Moment, process: Process | None, of: Happening) -> None:
        """Take note of what happens to a process, which may end by it.

        ``of`` is the request, the event's frame, or the key that was written.
        """
        if process is None:
            return
        if self._watches and process.alive and process.node_name in self._begun:
            self._tell(moment, process, of)
        for armed in tuple(self._armed):
            if not process.alive:
                return
            if armed.node not in (None, process.node_name) or not armed.is_reached(moment, of):
                continue
            if moment == "after reply":
                # The callback that hears of the reply is the next thing to run.
                self._loop.call_soon(self._act, armed, process, context=armed.context)
            else:
                armed.context.run(self._act, armed, process)

    def _tell(self, moment: Moment, process: Process, of: Happening) -> None:
        context = copy_context()
        context.run(PROCESS.set, None)
        for watch in self._watches:
            at_the_point = watch(moment, process, of)
            if moment == "after reply":
                self._loop.call_soon(_unless_dead, process, at_the_point, context=context)
            else:
                at_the_point()

    def _act(self, armed: _Armed, process: Process) -> None:
        if not process.alive:
            return  # it has ended by itself in the meantime, and this is said to be inert
        self._armed.remove(armed)
        now_ns = self._loop.now_ns
        self.last_act_ns = max(self.last_act_ns, now_ns + armed.lasts_ns)
        self._trace.add(now_ns, "point", armed.label, process.name)
        armed.act()


def _unless_dead(process: Process, call: Callable[[], None]) -> None:
    if process.alive:
        call()
