"""Watches the database of the node's cache, which tells nobody that it is gone.

What NautilusTrader's writer does when Redis closes its connection (seen with 1.231.0 and a
real `redis-server`): the command that it sends next is lost, without a word; then it connects
again, with growing pauses, for as long as that takes, and what has come meanwhile is written.
A process that ends before then takes it along.

So a connection of one's own is held open, and:

* as soon as it breaks, a write without meaning is made, to be the one that is lost: else it
  may be a fill of an order, or the beginning of one without which no later start can load it;
* that is told, once, and once more when the database answers again;
* what the ledgers hold is then written anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from nautilus_trader.config import DatabaseConfig

HOST, PORT = "127.0.0.1", 6379
"""Where Redis is if the configuration does not say it."""

PATIENCE_SECS = 5.0
"""How long an answer may take."""

PAUSE_SECS = 1.0
"""How long after a connection has failed another is tried."""


class Reader(Protocol):
    """What of `asyncio.StreamReader` is needed."""

    async def readline(self) -> bytes:
        """Return the next line, empty when the other end is gone."""


class Writer(Protocol):
    """What of `asyncio.StreamWriter` is needed."""

    def write(self, data: bytes) -> None:
        """Send."""

    def close(self) -> None:
        """Let go of the connection."""


type Connect = Callable[..., Awaitable[tuple[Reader, Writer]]]
"""Opens a connection as `asyncio.open_connection` does."""


class DatabaseWatch:
    """Watches one database.

    Parameters
    ----------
    sacrifice
        Makes the write that may be lost.
    tell
        Told whether the database answers, and the whole in words, when that changes.
    connect
        What opens connections.
    """

    def __init__(
        self,
        config: DatabaseConfig,
        *,
        sacrifice: Callable[[], None],
        tell: Callable[[bool, str], None],
        connect: Connect = asyncio.open_connection,
    ) -> None:
        self._config = config
        self._where = f"{config.host or HOST}:{config.port or PORT}"
        self._sacrifice = sacrifice
        self._tell = tell
        self._connect = connect
        self._is_there = True
        self._writer: Writer | None = None
        self._late: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="recon-database")

    def stop(self) -> None:
        """Watch no more."""
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.cancel()
            self._hang_up()

    def ask(self) -> None:
        """Have it say that it is there; where it says nothing, that is seen a little later."""
        if self._writer is not None and self._late is None:
            self._writer.write(_command("PING"))
            loop = asyncio.get_running_loop()
            self._late = loop.call_later(PATIENCE_SECS, self._on_silence)

    def _on_silence(self) -> None:
        self._late = None
        self._gone(f"it has not answered for {PATIENCE_SECS:g} s")

    # -- the connection -------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                await self._hold()
            except (OSError, ValueError) as e:  # ValueError: what is there does not speak as Redis
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
            reader, self._writer = await self._connect(
                config.host or HOST, config.port or PORT, **secure
            )
        if config.password:
            user = (config.username,) if config.username else ()
            self._writer.write(_command("AUTH", *user, config.password))
        self.ask()
        while await reader.readline():
            # Even a refusal says that it is there.
            self._forget_silence()
            self._found()

    def _hang_up(self) -> None:
        self._forget_silence()
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(OSError):
                writer.close()

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


def _command(*words: str) -> bytes:
    """Return a command as Redis reads it."""
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        data = word.encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


def database_of(cache: Any) -> DatabaseConfig | None:
    """Return the Redis behind a cache of this configuration, None when there is none."""
    database = None if cache is None else cache.database
    return database if database is not None and database.type == "redis" else None
