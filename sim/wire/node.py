"""A node in a process of its own, from its parent's side."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import msgspec

from sim.loops import RealTime, Timer
from sim.observation import Incarnation, State
from sim.process import Process
from sim.scenario.actions import Comeback, Start, StrategyAction, Submit
from sim.trace import Row, Trace
from sim.wire import child
from sim.wire.child import Birth, log_tail
from sim.wire.redis import RedisServer
from sim.wire.seen import Seen

STOP_SECS = 20.0
"""How long a graceful stop may take, before it is ended."""

READY_SECS = 30.0
"""When the strategies of a process must run, counted from its start."""

FINAL_READ_SECS = 70.0
"""How long the last reconciliation may take: it may have to wait for the venue's next minute."""

REVIVE_NS = 1_000_000_000
"""How long the supervisor waits before it starts a node again that has ended by itself."""

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["sim.wire.child", "sim.recon_engine"])


def warm_up() -> None:
    """Have ready what processes are made from; the first one would wait seconds for it."""
    process = _forking.Process(target=child.nothing)
    process.start()
    process.join()


class RemoteNode:
    """One node over all its processes; the state that they share is in Redis.

    Parameters
    ----------
    birth
        What every process is told; the parts that change are set at each start.
    redis
        The server of its database.
    on_crash
        Called with the reason and the process's name when one fails.
    on_end
        Called when a process has ended, however it did.
    on_refused
        Called with a record's word and the reason when a strategy could not do it.
    """

    def __init__(
        self,
        name: str,
        birth: Birth,
        time: RealTime,
        trace: Trace,
        folder: Path,
        *,
        redis: RedisServer,
        is_hedged: Callable[[], bool],
        on_crash: Callable[[str, str], None],
        on_end: Callable[[Process], None],
        on_refused: Callable[[str, str], None],
    ) -> None:
        self.name = name
        self.starts_ns = birth.spec.starts_ns
        self.waiting: list[Submit] = []
        self._birth = birth
        self._time = time
        self._trace = trace
        self._folder = folder
        self._redis = redis
        self._is_hedged = is_hedged
        self._on_crash = on_crash
        self._on_end = on_end
        self._on_refused = on_refused
        self._lineage = 0
        self._acting = 0
        self.acted_ns = 0
        """When a strategy has done something for the last time."""
        self.acted_row = 0
        """How many rows the trace had when it was told to."""
        self.acted: StrategyAction | None = None
        self._seen: list[Seen] = []
        self._running: ForkServerProcess | None = None
        self._connection: Connection | None = None
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self.database_is_due_ns: int | None = None
        self._revival: Timer | None = None
        self._deadline: Timer | None = None

    # -- what the timeline sees -------------------------------------------------------

    @property
    def process(self) -> Process | None:
        """The process that runs, or the last one that did."""
        return self._seen[-1].process if self._seen else None

    @property
    def is_up(self) -> bool:
        return self._running is not None

    @property
    def is_starting(self) -> bool:
        return self.is_up and self._seen[-1].ready_ns is None

    @property
    def revival_is_due(self) -> bool:
        return self._revival is not None

    @property
    def is_acting(self) -> bool:
        """Whether a strategy has still to do what it was told."""
        return self.is_up and self._acting > 0

    def stop_database(self, until_ns: int, lose_ns: int) -> None:
        assert not lose_ns, "a real Redis is not damaged"
        self._redis.stop()
        self.database_is_due_ns = until_ns
        self._time.call_at_ns(until_ns, self._begin_database)

    def lose_writes(self, until_ns: int) -> None:
        raise LookupError("what is under way to a real Redis cannot be taken away")

    def _begin_database(self) -> None:
        self._coming_back = asyncio.get_running_loop().create_task(self._start_database())

    async def _start_database(self) -> None:
        await self._redis.start()
        self.database_is_due_ns = None

    def start(self, comeback: Comeback | None = None) -> None:
        self._forget_revival()
        self._acting = 0
        if comeback is not None:
            if comeback.cache == "lost":
                self._redis.forget()
                self._lineage += 1
            if comeback.claims is not None:
                self._birth = msgspec.structs.replace(self._birth, claims=dict(comeback.claims))
        number = len(self._seen)
        name = f"{self.name}#{number}"
        self._seen.append(Seen(name, number, self._lineage, self._time.now_ns))
        self._trace.add(self._time.now_ns, "node-start", name)
        mine, its = _forking.Pipe()
        birth = msgspec.structs.replace(
            self._birth,
            name=name,
            waiting=tuple(self.waiting),
            is_hedged=self._is_hedged(),
            log=str(self._log(name)),
        )
        process = _forking.Process(target=child.run, args=(its, birth), name=name, daemon=True)
        process.start()
        its.close()
        self._running, self._connection = process, mine
        asyncio.get_running_loop().add_reader(mine.fileno(), self._on_told)
        self._deadline = self._time.call_at_ns(
            self._time.now_ns + round(READY_SECS * 1e9), self._look, self._seen[-1]
        )

    def _look(self, seen: Seen) -> None:
        if seen is self._seen[-1] and self.is_starting and not seen.is_stopping:
            self._end("stalled")
            self._revive()

    async def stop(self) -> None:
        self._forget_revival()
        if self._running is None:
            return
        self._seen[-1].is_stopping = True
        state = await self._ask("stop", None, "stopped", STOP_SECS)
        if isinstance(state, State):
            self._seen[-1].final = state
        self._end("stopped")

    def kill(self) -> None:
        self._forget_revival()
        self._end("killed")

    def act(self, action: StrategyAction) -> None:
        if isinstance(action, Submit) and action.on_start:
            self.waiting.append(action)
        elif not self.is_up:
            raise LookupError("the node is down")
        else:
            self._acting += 1
            self.acted, self.acted_row = action, len(self._trace.rows)
            self._say("act", action)

    # -- what is judged ---------------------------------------------------------------

    def come_to_rest(self) -> None:
        """Judge the state from here; it comes with the answer that `final_read` waits for."""
        if self.is_up and not self.is_starting:
            self._answers["rested"] = asyncio.get_running_loop().create_future()
            self._say("rest", None)

    async def final_read(self, interval_secs: float) -> bool:
        """Reconcile once more after it came to rest; False when that hangs."""
        rested = self._answers.get("rested")
        if rested is None:
            return True
        await asyncio.wait([rested], timeout=FINAL_READ_SECS)
        done = await self._ask("reconcile", interval_secs, "reconciled", FINAL_READ_SECS)
        return bool(done) or not self.is_up

    def incarnations(self) -> list[tuple[Process, Incarnation]]:
        """Return the processes so far, each with what is known of it."""
        claims = {
            instrument.partition("-PERP.")[0]: strategy
            for strategy, claimed in self._birth.claims.items()
            for instrument in claimed
        }
        now_ns = self._time.now_ns
        return [(seen.process, seen.observed(self.name, claims, now_ns)) for seen in self._seen]

    def startups(self) -> tuple[tuple[str, int, float], ...]:
        """Return what the startup reconciliation of each process took: ns, CPU seconds."""
        return tuple(
            (seen.process.name, *seen.told["startup"][0])
            for seen in self._seen
            if seen.told["startup"]
        )

    async def dispose(self) -> None:
        """End what still runs."""
        self._forget_revival()
        if self.is_up:
            self._close()

    # -- what the process tells ---------------------------------------------------------

    def _on_told(self) -> None:
        connection = self._connection
        assert connection is not None
        try:
            while self._connection is connection and connection.poll():
                what, details = connection.recv()
                self._take(what, details)
        except (EOFError, OSError):
            if self._connection is connection:
                self._on_gone()

    def _on_gone(self) -> None:
        assert self._running is not None
        self._running.join()
        code, name = self._running.exitcode, self._seen[-1].process.name
        said = log_tail(self._log(name))
        self._end("crashed")
        self._on_crash(f"the process ended with {code}: {said}", name)

    def _take(self, what: str, details: Any) -> None:
        seen = self._seen[-1]
        match what:
            case "row":
                row: Row = details[1]
                self._trace.rows.append(row)
            case "loaded":
                seen.loaded = seen.final = details
            case "state":
                if seen.quiet is None:
                    seen.final = details
            case "ready":
                seen.ready_ns, left = details
                self.waiting = [each for each in self.waiting if each.id in left]
            case "acted":
                self._acting -= 1
                self.acted_ns = self._time.now_ns
            case "refused":
                self._on_refused(*details)
            case "ended" if not seen.is_stopping:
                self._on_ended(details)
            case "rested":
                seen.come_to_rest(details)
                self._answer(what, details)
            case "stopped" | "reconciled":
                self._answer(what, details)
            case "ended":
                pass
            case _:
                seen.take(what, *details)

    def _on_ended(self, error: str | None) -> None:
        name = self._seen[-1].process.name
        if error is None:
            self._end("quit")
            self._revive()
        else:
            self._end("crashed")
            self._on_crash(error, name)

    # -- details ------------------------------------------------------------------------

    def _say(self, word: str, details: Any) -> None:
        assert self._connection is not None
        with contextlib.suppress(OSError):  # if it has just ended, the other side says so
            self._connection.send((word, details))

    async def _ask(self, word: str, details: Any, answer: str, patience_secs: float) -> Any:
        if self._connection is None:
            return None
        future = self._answers[answer] = asyncio.get_running_loop().create_future()
        self._say(word, details)
        done, _ = await asyncio.wait([future], timeout=patience_secs)
        return future.result() if done else None

    def _answer(self, what: str, details: Any) -> None:
        future = self._answers.get(what)
        if future is not None and not future.done():
            future.set_result(details)

    def _end(self, how: str) -> None:
        """Let nothing of the process run any more."""
        if self._running is None:
            return
        seen = self._seen[-1]
        if seen.quiet is None:
            seen.ended, seen.ended_ns = how, self._time.now_ns
        self._close()
        self._on_end(seen.process)
        self._trace.add(self._time.now_ns, "node-end", seen.process.name, how)

    def _close(self) -> None:
        """SIGKILL the process, unless it has ended, and hear what it had told."""
        assert self._running is not None
        assert self._connection is not None
        running, connection = self._running, self._connection
        self._running = self._connection = None
        self._seen[-1].process.alive = False
        running.kill()
        running.join()
        asyncio.get_running_loop().remove_reader(connection.fileno())
        self._hear_out(connection)
        connection.close()
        running.close()
        for future in self._answers.values():
            if not future.done():
                future.set_result(None)
        self._answers.clear()

    def _hear_out(self, connection: Connection) -> None:
        try:
            while connection.poll():
                what, details = connection.recv()
                if what not in ("ended", "refused", "acted"):
                    self._take(what, details)
        except (EOFError, OSError):
            pass  # half of a message, or no more

    def _revive(self) -> None:
        when_ns = max(self._time.now_ns + REVIVE_NS, self.database_is_due_ns or 0)
        self._revival = self._time.call_at_ns(when_ns, self.start, Start())

    def _forget_revival(self) -> None:
        if self._revival is not None:
            self._revival.cancel()
            self._revival = None

    def _log(self, name: str) -> Path:
        return self._folder / f"{name.replace('#', '-')}.log"
