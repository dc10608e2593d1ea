"""What became of each frame that the venue sent: one verdict for an event and a connection.

Rules:

* A connection is sent an event once; the numbers of its events grow.
* Each frame ends with one verdict: ``delivered`` (also when it arrived more than once),
  ``dropped`` by a fault, or ``lost`` with its connection or on a dead path.  Until then it
  is on the way, or held by a fault.
* Frames that no fault has touched arrive in the order of their times.

A broken rule is a bug of the harness and raises `VenueInvariantError`.  Only what is on its
way is remembered frame by frame; verdicts are counted.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

import msgspec

from sim.venue.errors import VenueInvariantError
from sim.venue.wire import Frame

type Verdict = Literal["delivered", "dropped", "lost"]


class _Way(msgspec.Struct):
    """A frame on its way: the copies that are still to come, when the last is due, if known."""

    copies: int = 0
    due_ns: int | None = None
    has_arrived: bool = False


class Deliveries:
    """The verdicts of one run."""

    def __init__(self) -> None:
        self.verdicts: Counter[Verdict] = Counter()
        self._open: dict[int, dict[int, _Way]] = {}  # by connection and sequence
        self._newest: dict[int, tuple[int, int]] = {}  # sequence sent, time arrived

    def sent(self, frame: Frame) -> None:
        """The venue sent a frame."""
        sequence, time_ns = self._newest.get(frame.connection_id, (0, 0))
        if frame.sequence <= sequence:
            raise VenueInvariantError(f"{_name(frame)} was sent after event {sequence}")
        self._newest[frame.connection_id] = (frame.sequence, time_ns)
        self._open.setdefault(frame.connection_id, {})[frame.sequence] = _Way()

    def settle(self, frame: Frame, verdict: Verdict) -> None:
        """A frame will not arrive, or not again."""
        ways = self._open.get(frame.connection_id, {})
        if ways.pop(frame.sequence, None) is None:
            raise VenueInvariantError(f"{_name(frame)} has a second verdict, {verdict}")
        self.verdicts[verdict] += 1

    def on_the_way(self, frame: Frame, copies: int, due_ns: int) -> None:
        """So many copies of a frame will arrive, the last of them at that time."""
        way = self._way(frame)
        way.copies, way.due_ns = copies, due_ns

    def ends(self, frame: Frame, *, arrives: bool, in_order: bool) -> None:
        """A copy arrives or is lost; ``in_order`` when no fault has touched the frame."""
        way = self._way(frame)
        way.copies -= 1
        way.has_arrived |= arrives
        if in_order and arrives:
            sequence, time_ns = self._newest[frame.connection_id]
            if frame.time_ns < time_ns:
                raise VenueInvariantError(f"{_name(frame)} arrived after a later one")
            self._newest[frame.connection_id] = (sequence, frame.time_ns)
        if not way.copies:
            self.settle(frame, "delivered" if way.has_arrived else "lost")

    def lose(self, connection_id: int) -> None:
        """A connection has ended: nothing more arrives on it."""
        for way in self._open.pop(connection_id, {}).values():
            self.verdicts["delivered" if way.has_arrived else "lost"] += 1

    def check(self, sent: int, now_ns: int) -> None:
        """Compare with how many frames the venue says that it has sent."""
        ways = [way for ways in self._open.values() for way in ways.values()]
        known = self.verdicts.total() + len(ways)
        if known != sent:
            raise VenueInvariantError(f"{sent} frames were sent, {known} have a verdict or a way")
        late = [way for way in ways if way.due_ns is not None and way.due_ns < now_ns]
        if late:
            raise VenueInvariantError(f"{len(late)} frames are overdue and have no verdict")

    def _way(self, frame: Frame) -> _Way:
        way = self._open.get(frame.connection_id, {}).get(frame.sequence)
        if way is None:
            raise VenueInvariantError(f"{_name(frame)} arrives after its verdict")
        return way


def _name(frame: Frame) -> str:
    return f"event {frame.sequence} ({frame.event}) of connection {frame.connection_id}"
