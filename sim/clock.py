"""Virtual time for asyncio and for NautilusTrader.

`VirtualLoop` is an asyncio event loop without a selector.  It runs what is
ready; when nothing is, it sets its clock to the next timer and goes on.  A
simulated day therefore takes as long as its callbacks take, and nothing in it
depends on how fast the machine is.

Rules of this file:

1. Time is an integer of nanoseconds since the Unix epoch.  asyncio's float
   seconds exist only at its own interface (`time`, `call_at`, `call_later`).
2. Two timers of one instant run in the order in which they were set.
3. A loop never waits.  Nothing ready and no timer is a `Deadlock`; too many
   callbacks within a second is a `Livelock`; a jump past the budget is a
   `BudgetExceeded`.  Each carries the reason, each is a finding about the
   program that ran, and none is a hang.
4. There is one thread.  Executors run inline; a call from another thread is an
   error, because its arrival could not be repeated, and is counted.
5. A callback belongs to the `Process` in whose context it was scheduled.  When
   a process is killed nothing of it runs again, no ``finally`` and no
   ``__del__``: its tasks are kept until the loop is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import threading
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVarTuple

from nautilus_trader.common.component import TestClock

from sim.process import PROCESS, Process

NS_PER_SEC = 1_000_000_000
NS_PER_MS = 1_000_000

START_NS = 1_767_225_600 * NS_PER_SEC
"""Where virtual time starts unless told otherwise: 2026-01-01T00:00:00Z."""

_Ts = TypeVarTuple("_Ts")


class VirtualTimeError(RuntimeError):
    """A finding of the loop about the program that it ran, and the process it is about."""

    process: Process | None = None


class Deadlock(VirtualTimeError):
    """Nothing is ready and no timer is set, but the run has not ended."""


class Livelock(VirtualTimeError):
    """Callbacks keep each other ready, so that time does not pass, or hardly."""


class BudgetExceeded(VirtualTimeError):
    """The run wants to go on past the virtual time that it was given."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop whose time is a number that it sets itself.

    Parameters
    ----------
    start_ns
        The first instant, in nanoseconds since the Unix epoch.
    budget_ns
        How much virtual time may pass before `BudgetExceeded`; None is no limit.
    spin_limit
        How many callbacks may run within one second before `Livelock`.
    """

    def __init__(
        self,
        start_ns: int = START_NS,
        *,
        budget_ns: int | None = None,
        spin_limit: int = 1_000_000,
    ) -> None:
        super().__init__()
        self.set_debug(False)
        self._start_ns = start_ns
        self._now_ns = start_ns
        self._end_ns = None if budget_ns is None else start_ns + budget_ns
        self._spin_limit = spin_limit
        self._spins = 0
        self._counted_from_ns = start_ns
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._timer_count = 0
        self._clocks: list[VirtualClock] = []
        self._stopped_clocks: list[VirtualClock] = []
        self._graveyard: list[asyncio.Task[Any]] = []
        self._owner = threading.get_ident()
        self.foreign_calls = 0
        self._failed: list[tuple[int, asyncio.Task[Any]]] = []

    # -- time ---------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The current instant, in nanoseconds since the Unix epoch."""
        return self._now_ns

    @property
    def origin_ns(self) -> int:
        """The instant that scenarios write as ``0s``: their time may begin before it."""
        return START_NS

    @property
    def elapsed_ns(self) -> int:
        """How much virtual time has passed since the loop was made."""
        return self._now_ns - self._start_ns

    def time(self) -> float:
        """Seconds since the loop was made (asyncio's own interface)."""
        return (self._now_ns - self._start_ns) / NS_PER_SEC

    def call_at_ns(
        self,
        when_ns: int,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback at an instant; one that has passed means now."""
        self._check_open()
        when_ns = max(when_ns, self._now_ns)
        when_secs = (when_ns - self._start_ns) / NS_PER_SEC
        handle = asyncio.TimerHandle(when_secs, callback, args, self, context)
        self._timer_count += 1
        heapq.heappush(self._timers, (when_ns, self._timer_count, handle))
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        when_ns = self._start_ns + round(when * NS_PER_SEC)
        return self.call_at_ns(when_ns, callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        when_ns = self._now_ns + round(delay * NS_PER_SEC)
        return self.call_at_ns(when_ns, callback, *args, context=context)

    def call_soon(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        self._check_open()
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task = super().create_task(coro, **kwargs)
        task.add_done_callback(self._on_task_done)
        return task

    def _on_task_done(self, task: asyncio.Task[Any]) -> None:
        # Kept, so that no garbage collector decides when, or whether, it is heard of.
        if not task.cancelled() and task._exception is not None:
            self._failed.append((self._now_ns, task))

    def unheard_failures(self) -> list[tuple[int, asyncio.Task[Any]]]:
        """Return the tasks that failed and that nobody asked, with the time of each."""
        return [(at_ns, t) for at_ns, t in self._failed if t._log_traceback]

    def _run_once(self) -> None:
        # Overrides the one method of `BaseEventLoop` that waits.
        ready: Any = self._ready  # type: ignore[attr-defined]
        if not ready:
            self._jump(ready)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process = handle._context.get(PROCESS)
            if process is not None and not process.alive:
                continue
            self._spins += 1
            try:
                handle._run()
            except SystemExit as e:
                if process is None:
                    raise
                # The end of a simulated process is not the end of this one.
                self.call_exception_handler({"exception": e, "handle": handle})
            if self._spins > self._spin_limit:
                raise self._livelock(handle)

    def _jump(self, ready: Any) -> None:
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if self._stopping:  # type: ignore[attr-defined]
            return
        if not timers:
            raise Deadlock(
                f"nothing is ready and no timer is set at {self.elapsed_ns / NS_PER_SEC:.3f} s; "
                f"waiting: {', '.join(self._waiting()) or 'no task'}",
            )
        when_ns = timers[0][0]
        if when_ns > self._now_ns:
            if self._end_ns is not None and when_ns > self._end_ns:
                raise BudgetExceeded(
                    f"the next timer is due at {(when_ns - self._start_ns) / NS_PER_SEC:.3f} s, "
                    f"past the budget of {(self._end_ns - self._start_ns) / NS_PER_SEC:.3f} s",
                )
            self._now_ns = when_ns
            if when_ns - self._counted_from_ns >= NS_PER_SEC:
                self._counted_from_ns = when_ns
                self._spins = 0
            for clock in self._clocks:
                clock.set_time(when_ns)
        while timers and timers[0][0] <= self._now_ns:
            handle = heapq.heappop(timers)[2]
            if not handle.cancelled():
                ready.append(handle)

    def _waiting(self) -> list[str]:
        tasks = [t for t in asyncio.all_tasks(self) if self._lives(t)]
        return sorted(getattr(t.get_coro(), "__qualname__", "?") for t in tasks)

    def _livelock(self, handle: Any) -> Livelock:
        callback = handle._callback
        task = getattr(callback, "__self__", None)
        running = task.get_coro() if isinstance(task, asyncio.Task) else callback
        name = getattr(running, "__qualname__", repr(running))
        error = Livelock(
            f"{self._spins} callbacks ran within a second, the last at "
            f"{self.elapsed_ns / NS_PER_SEC:.3f} s: {name}",
        )
        error.process = handle._context.get(PROCESS)
        return error

    # -- one thread ---------------------------------------------------------------

    def call_soon_threadsafe(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        if threading.get_ident() != self._owner:
            self.foreign_calls += 1
            raise RuntimeError("a virtual loop takes no calls from other threads")
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(
        self,
        executor: Any,
        func: Callable[[*_Ts], Any],
        *args: *_Ts,
    ) -> asyncio.Future[Any]:
        """Run the function now, in this thread; its result is ready at once."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as e:
            future.set_exception(e)
        return future

    def set_default_executor(self, executor: Any) -> None:
        """Take the executor and never start a thread of it."""
        executor.shutdown(wait=False)

    def add_signal_handler(
        self,
        sig: int,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
    ) -> None:
        """Ignored: signals are not part of a simulated run."""

    def remove_signal_handler(self, sig: int) -> bool:
        return False

    # -- processes ----------------------------------------------------------------

    def kill(self, process: Process) -> None:
        """End a process as ``kill -9`` does: none of its code runs again."""
        process.alive = False
        self._graveyard += [
            t for t in asyncio.all_tasks(self) if t.get_context().get(PROCESS) is process
        ]
        self.release_clocks(process)

    @staticmethod
    def _lives(task: asyncio.Task[Any]) -> bool:
        process = task.get_context().get(PROCESS)
        return process is None or process.alive

    def attach_clock(self, clock: VirtualClock) -> None:
        """Make a clock follow this loop."""
        clock.set_time(self._now_ns)
        self._clocks.append(clock)

    def release_clocks(self, process: Process) -> None:
        """Stop the clocks of a process that has ended."""
        self._stopped_clocks += [clock for clock in self._clocks if clock.process is process]
        self._clocks = [clock for clock in self._clocks if clock.process is not process]

    # -- end ----------------------------------------------------------------------

    def _check_open(self) -> None:
        if self.is_closed():
            raise RuntimeError("the virtual loop is closed")

    def close(self) -> None:
        """Close the loop and let go of every task that is left on it.

        What a left-over task does while it is let go (its ``finally`` blocks)
        happens after the run and changes nothing that was recorded.
        """
        if self.is_closed():
            return
        left = self._graveyard + [t for t in asyncio.all_tasks(self) if t not in self._graveyard]
        for task in left:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine = task.get_coro()
            if coroutine is not None:
                with contextlib.suppress(BaseException):
                    coroutine.close()
        for clock in self._clocks + self._stopped_clocks:
            clock.release()
        for _, task in self._failed:
            task._log_traceback = False
        self._failed.clear()
        self._graveyard.clear()
        self._timers.clear()
        self._clocks.clear()
        self._stopped_clocks.clear()
        super().close()


class VirtualClock(TestClock):  # type: ignore[misc]
    """A NautilusTrader clock that shows the time of the running `VirtualLoop`.

    It takes no arguments, because NautilusTrader makes the clock of each
    component by calling the class of the kernel's.  Timers and alerts fire from
    the loop, in the process that set them.
    """

    def __init__(self) -> None:
        super().__init__()
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            raise TypeError(f"a VirtualClock needs a running VirtualLoop, not {loop!r}")
        self.process = PROCESS.get()
        self._loop = loop
        self._armed: dict[str, int] = {}
        loop.attach_clock(self)

    def set_timer_ns(self, name: str, *args: Any, **kwargs: Any) -> None:
        super().set_timer_ns(name, *args, **kwargs)
        self._arm(name)

    def set_time_alert_ns(self, name: str, *args: Any, **kwargs: Any) -> None:
        super().set_time_alert_ns(name, *args, **kwargs)
        self._arm(name)

    def release(self) -> None:
        """Drop all callbacks.  The Rust clock below holds them where no collector looks."""
        self.cancel_timers()
        for name in ("cancel_callbacks", "cancel_default_handler"):  # not in every release
            if hasattr(self, name):
                getattr(self, name)()

    def _arm(self, name: str) -> None:
        when_ns = self.next_time_ns(name)
        self._armed[name] = when_ns
        self._loop.call_at_ns(when_ns, self._fire, name, when_ns)

    def _fire(self, name: str, when_ns: int) -> None:
        if self._armed.get(name) != when_ns:
            return  # the timer was replaced since
        for handler in self.advance_time(self._loop.now_ns):
            handler.handle()
        active = set(self.timer_names)
        for known in list(self._armed):
            if known not in active:
                del self._armed[known]
            elif self.next_time_ns(known) != self._armed[known]:
                self._arm(known)
