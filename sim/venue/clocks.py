"""The clock of the gateway, which may be wrong.

Rules:

* The gateway compares the timestamps of requests with its own clock, and tells it when asked
  for the time.  The matching engine has another one: what happens to orders has its times.
* Where some of the venue's time was skipped, a client's clock may have gone along or not: both
  are right.
* A skew is an object that is begun and ended; skews add up.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sim.venue.wire import Request


class Skew(msgspec.Struct, frozen=True, eq=False):
    """The gateway's clock is ahead by ``by_ns`` (behind, when negative).

    ``told_only`` limits it to what the gateway tells for its time.  ``acted`` is called with
    a request whose answer is another by it.
    """

    by_ns: int
    acted: Callable[[Request], None]
    told_only: bool = False


class GatewayClock:
    """What time it is at the gateway; right at first."""

    def __init__(self) -> None:
        self._skews: list[Skew] = []
        self.skipped_ns = 0
        """How much of the venue's time has been skipped, which its clients may not know."""

    def begin(self, skew: Skew) -> None:
        """Let the clock be wrong until `end` is called with the same object."""
        self._skews.append(skew)

    def end(self, skew: Skew) -> None:
        self._skews.remove(skew)

    def told_ns(self, request: Request, now_ns: int) -> int:
        """Return the time that it tells a client."""
        for skew in self._skews:
            skew.acted(request)
        return now_ns + sum(skew.by_ns for skew in self._skews)

    def compared_ns(self, now_ns: int) -> int:
        """Return the time that it compares timestamps with."""
        return now_ns + sum(skew.by_ns for skew in self._skews if not skew.told_only)

    def changed(self, request: Request) -> None:
        """Take note that a request is refused that a right clock would admit, or the reverse."""
        for skew in self._skews:
            if not skew.told_only:
                skew.acted(request)


def earlier_of(one_ns: int | None, other_ns: int | None) -> int | None:
    """Return the earlier of two instants that may never come, None if neither does."""
    if one_ns is None or other_ns is None:
        return other_ns if one_ns is None else one_ns
    return min(one_ns, other_ns)
