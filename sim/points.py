"""Named points: where a process ends because of what has happened, not at an instant.

A point counts from when it is armed, in whatever process of the node runs.  It acts once:

* ``before reply``: the venue has answered, and the process ends in place of hearing it;
* ``after reply``: the process hears it and ends right after the callback in which it does;
* ``after request``: the venue has acted, and its answer finds nobody;
* ``after write``: the write is in the database, and the process ends inside of it.

A connection that breaks is no reply.  What a dead process has sent still arrives, but
nothing is counted for it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context

from sim.clock import VirtualLoop
from sim.process import Process
from sim.scenario.points import Moment, Point
from sim.trace import Trace
from sim.venue.wire import Request


class _Armed:
    def __init__(
        self,
        point: Point,
        label: str,
        act: Callable[[], None],
        client: str | None,
        lasts_ns: int,
    ) -> None:
        self.label = label
        self.act = act
        self.lasts_ns = lasts_ns
        # What follows belongs to the world, wherever the point is reached.
        self.context: Context = copy_context()
        self._point = point
        self._client = client
        self._left = point.number

    def is_reached(self, moment: Moment, of: Request | str) -> bool:
        """Count what happens, if it is that, and say whether it was the last of them."""
        if moment != self._point.moment or not self._is_of(of):
            return False
        self._left -= 1
        return self._left == 0

    def _is_of(self, of: Request | str) -> bool:
        point = self._point
        if isinstance(of, str):
            return point.key in ("", of) or of.startswith(f"{point.key}:")
        return (of.method, of.path) == (point.method, point.path) and self._client in (
            None,
            of.client,
        )


class Points:
    """The named points of one run, told of all that happens to a node's processes."""

    def __init__(self, loop: VirtualLoop, trace: Trace) -> None:
        self._loop = loop
        self._trace = trace
        self._armed: list[_Armed] = []
        self.last_act_ns = 0
        """When what the last one did so far has had its effect."""

    def arm(
        self,
        point: Point,
        label: str,
        act: Callable[[], None],
        *,
        client: str | None = None,
        lasts_ns: int = 0,
    ) -> None:
        """Call ``act`` at a point, once; ``lasts_ns`` is how long its effect takes."""
        self._armed.append(_Armed(point, label, act, client, lasts_ns))

    def disarm(self) -> list[str]:
        """Let go of all that are left; return their labels."""
        left = [armed.label for armed in self._armed]
        self._armed.clear()
        return left

    def happens(self, moment: Moment, process: Process | None, of: Request | str) -> None:
        """Take note of what happens to a process, which may end by it.

        ``of`` is the request, or the key that was written.
        """
        if process is None or not self._armed:
            return
        for armed in tuple(self._armed):
            if not process.alive:
                return
            if not armed.is_reached(moment, of):
                continue
            if moment == "after reply":
                # The callback that hears of the reply is the next thing to run.
                self._loop.call_soon(self._act, armed, process, context=armed.context)
            else:
                armed.context.run(self._act, armed, process)

    def _act(self, armed: _Armed, process: Process) -> None:
        if not process.alive:
            return  # it has ended by itself in the meantime, and this is said to be inert
        self._armed.remove(armed)
        now_ns = self._loop.now_ns
        self.last_act_ns = max(self.last_act_ns, now_ns + armed.lasts_ns)
        self._trace.add(now_ns, "point", armed.label, process.name)
        armed.act()
