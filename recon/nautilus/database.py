"""Watches the database of the node's cache, which tells nobody that it is gone.

What NautilusTrader's writer does when Redis closes its connection (seen with 1.231.0 and a
real `redis-server`): the command that it sends next is lost, without a word; then it connects
again, with growing pauses, for as long as that takes, and what has come meanwhile is written.
A process that ends before then takes it along.

So a connection of one's own is held open, and:

* that it breaks is told, once, and once more when the database answers again;
* then, and whenever something was written or compared, it is seen that the database has it, see
  `recon.nautilus.audit`: the writer's connection may break without ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from nautilus_trader.config import DatabaseConfig

from recon.nautilus.redis import Line, Reader, Writer

HOST, PORT = "127.0.0.1", 6379
"""Where Redis is if the configuration does not say it."""

PATIENCE_SECS = 5.0
"""How long an answer may take."""

PAUSE_SECS = 1.0
"""How long after a connection has failed another is tried."""


type Connect = Callable[..., Awaitable[tuple[Reader, Writer]]]
"""Opens a connection as `asyncio.open_connection` does."""


class DatabaseWatch:
    """Watches one database.

    Parameters
    ----------
    tell
        Told whether the database answers, and the whole in words, when that changes.
    audit
        Sees over a connection that what was written is there.
    sacrifice
        Makes a write at once when it is gone: the writer loses the one that it sends next.
    connect
        What opens connections.
    """

    def __init__(
        self,
        config: DatabaseConfig,
        *,
        tell: Callable[[bool, str], None],
        audit: Callable[[Line], Coroutine[Any, Any, None]],
        sacrifice: Callable[[], None] = lambda: None,
        connect: Connect = asyncio.open_connection,
    ) -> None:
        self._config = config
        self._where = f"{config.host or HOST}:{config.port or PORT}"
        self._tell = tell
        self._audit = audit
        self._sacrifice = sacrifice
        self._connect = connect
        self._is_there = True
        self._line: Line | None = None
        self._late: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._auditing: asyncio.Task[None] | None = None
        self._is_audit_due = False

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="recon-database")

    def stop(self) -> None:
        """Watch no more."""
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.cancel()
            if self._auditing is not None:
                self._auditing.cancel()
            self._hang_up()

    def check(self) -> bool:
        """See that it is there, and that it has what was written to it; False when it is gone.

        Where it says nothing, that is seen a little later.
        """
        if self._line is None:
            return False
        self._ask(self._line)
        self._begin_audit()
        return True

    def _ask(self, line: Line) -> None:
        if self._late is None:
            line.ask("PING")
            loop = asyncio.get_running_loop()
            self._late = loop.call_later(PATIENCE_SECS, self._on_silence)

    def _begin_audit(self) -> None:
        """Begin to see what it has, now or when what is under way has ended."""
        self._is_audit_due = True
        if self._auditing is None or self._auditing.done():
            loop = asyncio.get_running_loop()
            self._auditing = loop.create_task(self._run_audits(), name="recon-audit")

    async def _run_audits(self) -> None:
        while self._is_audit_due and self._line is not None:
            self._is_audit_due = False
            await self._audit(self._line)

    def _on_silence(self) -> None:
        self._late = None
        self._gone(f"it has not answered for {PATIENCE_SECS:g} s")

    # -- the connection -------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                await self._hold()
            except (OSError, EOFError, ValueError) as e:  # ValueError: it speaks otherwise
                self._gone(str(e) or f"nothing came of it within {PATIENCE_SECS:g} s")
            else:
                self._gone("it has closed the connection")
            self._hang_up()
            await asyncio.sleep(PAUSE_SECS)

    async def _hold(self) -> None:
        """Hold a connection until the other end is gone.  Raises `OSError`."""
        config = self._config
        secure = {"ssl": True} if config.ssl else {}
        async with asyncio.timeout(PATIENCE_SECS):
            reader, writer = await self._connect(config.host or HOST, config.port or PORT, **secure)
        line = self._line = Line(reader, writer, self._on_answer)
        if config.password:
            user = (config.username,) if config.username else ()
            line.ask("AUTH", *user, config.password)
        self.check()
        await line.serve()

    def _on_answer(self) -> None:
        """Even a refusal says that it is there."""
        self._forget_silence()
        self._found()

    def _hang_up(self) -> None:
        self._forget_silence()
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _forget_silence(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    # -- what is told ---------------------------------------------------------------------

    def _gone(self, why: str) -> None:
        if not self._is_there:
            return
        self._is_there = False
        self._sacrifice()
        self._tell(
            False,
            f"the cache database at {self._where} does not answer: {why}. The node goes on from "
            "memory. What it writes waits until the database is back, which the node may take as "
            "long again to see; if it ends before then, that is forgotten, and its next start "
            "reads it from the venue",
        )

    def _found(self) -> None:
        if not self._is_there:
            self._is_there = True
            self._tell(True, f"the cache database at {self._where} answers again")


def database_of(cache: Any) -> DatabaseConfig | None:
    """Return the Redis behind a cache of this configuration, None when there is none."""
    database = None if cache is None else cache.database
    return database if database is not None and database.type == "redis" else None
