"""Whoever stops and starts one node, as the records of a timeline say.

What is done with a node takes time (a graceful stop, a downtime) and goes on beside the
records that follow; what is said meanwhile waits its turn.  A kill waits for nothing: it
ends what was being done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from msgspec import structs

from sim.hand import Sent, venue_client_id
from sim.loops import Loop
from sim.scenario import actions as a

LOOK_NS = 10_000_000
"""How often it is looked whether a database that should be there is."""


class Player(Protocol):
    """One node, as whoever starts and stops it has it; see `sim.node.NodeUnderTest`."""

    name: str
    starts_ns: int
    waiting: list[a.Submit]
    """The orders that strategies send when they start the next time."""

    @property
    def is_up(self) -> bool:
        """Whether a process of the node exists."""

    @property
    def is_starting(self) -> bool:
        """Whether there is a process whose strategies have not run yet."""

    @property
    def revival_is_due(self) -> bool:
        """Whether the supervisor is about to start the node again."""

    @property
    def database_is_due_ns(self) -> int | None:
        """When its database is there again; None when it is there."""

    def stop_database(self, until_ns: int, lose_ns: int) -> None:
        """Have the database of its cache down until an instant; it then lacks what came last."""

    def lose_writes(self, until_ns: int) -> None:
        """Have what it writes to that database lost, until an instant or its process ends."""

    def start(self, comeback: a.Comeback | None = None) -> None:
        """Start a process; raises `LookupError` when the cache cannot be damaged so."""

    async def stop(self) -> None:
        """Stop the process in good order and wait until it has ended."""

    def kill(self) -> None:
        """End the process at once, or see that none is started again."""

    def act(self, action: a.StrategyAction) -> None:
        """Have a strategy do something; raises `LookupError` when it cannot."""


async def sleep_until(loop: Loop, when_ns: int) -> None:
    """Wait until an instant."""
    if when_ns <= loop.now_ns:
        return
    reached = loop.create_future()
    timer = loop.call_at_ns(when_ns, reached.set_result, None)
    try:
        await reached
    finally:
        timer.cancel()


class Attendant:
    """Stops and starts one node.

    Parameters
    ----------
    orders
        All orders of the scenario, by the ids that records name.
    inert
        Where it is noted when a record had no effect.
    whose
        How the node is named in words: ``the node``, or by its name where there are several.
    """

    def __init__(
        self,
        node: Player,
        loop: Loop,
        orders: Mapping[str, Sent],
        inert: list[str],
        whose: str,
    ) -> None:
        self.node = node
        self._loop = loop
        self._orders = orders
        self._inert = inert
        self._whose = whose
        self._doing: asyncio.Task[None] | None = None
        self._queue: list[str] = []
        self._on_start: dict[str, str] = {}

    def act(self, action: a.StrategyAction, label: str) -> None:
        """Have a strategy act; raises `LookupError` when it cannot."""
        self.node.act(action)
        if isinstance(action, a.Submit) and action.on_start:
            self._on_start[action.id] = label

    def stop(self, label: str) -> None:
        """Stop the node in good order."""
        self._then(self.node.stop, label)

    def kill(self) -> None:
        """End the node's process at once; raises `LookupError` when there is none."""
        # What was being done with the node ends with its process.
        if self._doing is not None:
            self._doing.cancel()
            self._doing = None
            self._inert += [
                f"{waiting} had no effect: a kill came first" for waiting in self._queue
            ]
            self._queue.clear()
        if not self.node.is_up:
            raise LookupError(f"{self._whose} is down")
        self.node.kill()

    def stop_database(self, action: a.StopDatabase) -> None:
        """Take the node's database away; raises `LookupError` when it is not there."""
        if self.node.database_is_due_ns is not None:
            raise LookupError(f"the database of {self._whose} is down")
        self.node.stop_database(self._loop.now_ns + action.for_ns, action.lose_ns or 0)

    def lose_writes(self, action: a.LoseWrites) -> None:
        """Have the node write in vain; raises `LookupError` when it is down."""
        if not self.node.is_up:
            raise LookupError(f"{self._whose} is down")
        self.node.lose_writes(self._loop.now_ns + action.for_ns)

    def start(self, action: a.Start, label: str) -> None:
        """Start the node again."""

        async def start() -> None:
            await self._begin(action, label)

        self._then(start, label)

    def restart(self, action: a.Restart, label: str) -> None:
        """End the node's process and start another after the downtime."""
        if action.point is not None:
            self._restart_now(action, label)
            return

        async def restart() -> None:
            if action.by == "kill":
                self.node.kill()
            else:
                await self.node.stop()
            await sleep_until(self._loop, self._loop.now_ns + action.down_ns)
            await self._begin(action, label)

        self._then(restart, label)

    def _restart_now(self, action: a.Restart, label: str) -> None:
        self.kill()
        up_ns = self._loop.now_ns + action.down_ns

        async def start() -> None:
            await sleep_until(self._loop, up_ns)
            await self._begin(action, label)

        self._then(start, label)

    def _then(self, action: Callable[[], Awaitable[None]], label: str) -> None:
        """Do something with the node after what is being done with it."""
        before = self._doing
        self._queue.append(label)

        async def do() -> None:
            if before is not None:
                await before
            self._queue.remove(label)
            await action()

        self._doing = self._loop.create_task(do())

    async def _begin(self, action: a.Comeback, label: str) -> None:
        # Whoever starts a node starts it after what it cannot be built without.
        while (up_ns := self.node.database_is_due_ns) is not None:
            await sleep_until(self._loop, max(up_ns, self._loop.now_ns + LOOK_NS))
        if self.node.is_up:
            self._inert.append(f"{label} had no effect: {self._whose} is up")
            return
        if action.order is not None:
            # The cache knows the order by the id that the venue has.
            order = venue_client_id(self._orders[action.order])
            action = structs.replace(action, order=order)
        try:
            self.node.start(action)
        except LookupError as e:
            self._inert.append(f"{label} had no effect on the cache: {e}")
            self.node.start()

    # -- the end of a run ---------------------------------------------------------

    async def finish(self) -> None:
        """Wait until all is done that was begun."""
        if self._doing is not None:
            await self._doing

    def unsent(self) -> list[str]:
        """Name the records whose orders wait for a start that did not come."""
        return [
            f"{self._on_start[action.id]} had no effect: no strategy started to send it"
            for action in self.node.waiting
        ]

    def pending(self) -> str | None:
        """Say why the node has not come to rest, None when it has."""
        if self._doing is not None and not self._doing.done():
            return f"{self._whose} is being stopped or started"
        if self.node.database_is_due_ns is not None:
            return f"the database of {self._whose} is down"
        if self.node.revival_is_due:
            return f"{self._whose} has ended by itself, and is about to be started again"
        if self.node.is_starting:
            return f"{self._whose} is starting"
        return None
