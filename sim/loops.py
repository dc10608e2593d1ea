"""Time as the venue and all around it see it, be it virtual or real."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, Protocol, TypeVarTuple

from sim.stopwatch import elapsed_ns, unix_ns

_Ts = TypeVarTuple("_Ts")

NEVER_NS = 1 << 63


class Timer(Protocol):
    """Something that is to be called at an instant."""

    def cancel(self) -> None:
        """See that it is not called."""


class Loop(Protocol):
    """What is asked of an event loop: `sim.clock.VirtualLoop`, and `RealTime` below."""

    @property
    def now_ns(self) -> int:
        """The current instant, in nanoseconds since the Unix epoch."""

    @property
    def origin_ns(self) -> int:
        """The instant that scenarios write as ``0s``."""

    def call_at_ns(
        self,
        when_ns: int,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> Timer:
        """Run a callback at an instant; one that has passed means now."""

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> object:
        """Run a callback after what is running now."""

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of the loop."""

    def create_task(self, coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine."""


class _Call:
    """One callback of `RealTime`, with the instant at which it is due."""

    def __init__(self, when_ns: int, number: int, call: Callable[[], object]) -> None:
        self.when_ns = when_ns
        self.call: Callable[[], object] | None = call
        self._order = when_ns, number

    def __lt__(self, other: _Call) -> bool:
        return self._order < other._order

    def cancel(self) -> None:
        self.call = None


class RealTime:
    """The time of this machine for a running event loop, which can be told to skip some of it.

    It never goes back.  Where the machine's clock is set forward, or has gone on while the
    machine slept, it follows at once; where that is set back, it goes at half the pace until
    both agree: whoever compares it with a clock of the machine finds no difference that stays.

    Callbacks of one instant run in the order in which they were set.  While time is skipped
    each that comes due runs at its own instant, as it would have.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._skipped_ns = 0
        self._read_ns = unix_ns(), elapsed_ns()
        """What was told last, without what was skipped, and when."""
        self._calls: list[_Call] = []
        self._count = 0
        self._wake: asyncio.TimerHandle | None = None
        self._pinned_ns: int | None = None
        self.origin_ns = self.now_ns

    @property
    def now_ns(self) -> int:
        if self._pinned_ns is not None:
            return self._pinned_ns
        told_ns, then_ns = self._read_ns
        elapsed = elapsed_ns()
        told_ns = max(unix_ns(), told_ns + (elapsed - then_ns) // 2)
        self._read_ns = told_ns, elapsed
        return told_ns + self._skipped_ns

    def call_at_ns(
        self,
        when_ns: int,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> Timer:
        context = copy_context() if context is None else context
        self._count += 1
        call = _Call(when_ns, self._count, lambda: context.run(callback, *args))
        heapq.heappush(self._calls, call)
        if self._calls[0] is call and self._pinned_ns is None:
            self._set_alarm()
        return call

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> object:
        return self._loop.call_soon(callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return self._loop.create_future()

    def create_task(self, coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return self._loop.create_task(coro)

    def skip(self, by_ns: int) -> None:
        """Let so much time have passed at once."""
        from_ns = self.now_ns
        while self._next_ns() <= from_ns + by_ns:
            self._pinned_ns = max(self._next_ns(), from_ns)
            self._run_next()
        self._pinned_ns = None
        self._skipped_ns += by_ns
        self._set_alarm()

    def _on_alarm(self) -> None:
        self._wake = None
        now_ns = self.now_ns
        while self._next_ns() <= now_ns:
            self._run_next()
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if (next_ns := self._next_ns()) < NEVER_NS:
            delay_secs = max(next_ns - self.now_ns, 0) / 1e9
            self._wake = self._loop.call_later(delay_secs, self._on_alarm)

    def _next_ns(self) -> int:
        while self._calls and self._calls[0].call is None:
            heapq.heappop(self._calls)
        return self._calls[0].when_ns if self._calls else NEVER_NS

    def _run_next(self) -> None:
        call = heapq.heappop(self._calls).call
        assert call is not None
        try:
            call()
        except Exception as e:
            self._loop.call_exception_handler({"message": "a timer failed", "exception": e})
