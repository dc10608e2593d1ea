"""A second connection to the database of a node's cache: as much of Redis as `recon` asks for.

It reads and writes the same keys as NautilusTrader's own, in `sim.database`, at once and without
loss.  A transaction is carried out if what it watches is as it was when the watch began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from sim.database import DATABASE, Backing


async def connect(host: str, port: int, **_: Any) -> tuple[asyncio.StreamReader, DatabaseLine]:
    """Open a connection in place of ``asyncio.open_connection``.

    Raises `ConnectionRefusedError` while the database is down.
    """
    log = DATABASE.get()
    if log.is_down:
        raise ConnectionRefusedError(f"nobody listens on {host}:{port}")
    assert log.backing is not None, "a process has its cache before its tasks"
    line = DatabaseLine(log.backing)
    log.lines.append(line)
    return line.reader, line


class DatabaseLine:
    """The server's end of one connection, which answers as soon as it is asked."""

    def __init__(self, backing: Backing) -> None:
        self.reader = asyncio.StreamReader()
        self._backing = backing
        self._watched: dict[str, list[bytes]] = {}
        self._queued: list[Sequence[bytes]] | None = None

    def write(self, data: bytes) -> None:
        """Be asked, and answer."""
        if self.reader.at_eof():
            return
        for command in _commands(data):
            self.reader.feed_data(self._answer(command))

    def break_off(self) -> None:
        """Have the other end gone."""
        self.reader.feed_eof()

    def close(self) -> None:
        """Be let go."""

    def _answer(self, command: Sequence[bytes]) -> bytes:
        match command[0]:
            case b"MULTI":
                self._queued = []
                return b"+OK\r\n"
            case b"EXEC":
                return self._execute()
        if self._queued is not None:
            self._queued.append(command)
            return b"+QUEUED\r\n"
        do = _DO.get(command[0])
        return b"-ERR unknown command\r\n" if do is None else do(self, *command[1:])

    def _execute(self) -> bytes:
        queued, self._queued = self._queued, None
        watched, self._watched = self._watched, {}
        assert queued is not None, "an end without a beginning"
        if any(self._backing.read(key) != was for key, was in watched.items()):
            return b"*-1\r\n"
        return b"*%d\r\n" % len(queued) + b"".join(map(self._answer, queued))

    def _key(self, name: bytes) -> str:
        return name.decode().removeprefix(f"{self._backing.prefix}:")

    def _ping(self) -> bytes:
        return b"+PONG\r\n"

    def _get(self, name: bytes) -> bytes:
        kept = self._backing.read(self._key(name))
        return _bulk(kept[0]) if kept else b"$-1\r\n"

    def _llen(self, name: bytes) -> bytes:
        return b":%d\r\n" % len(self._backing.read(self._key(name)))

    def _lindex(self, name: bytes, number: bytes) -> bytes:
        kept = self._backing.read(self._key(name))
        return _bulk(kept[int(number)]) if kept else b"$-1\r\n"

    def _lrange(self, name: bytes, first: bytes, last: bytes) -> bytes:
        assert last == b"-1", "what is asked for is the end of a list, or all of it"
        kept = self._backing.read(self._key(name))[int(first) :]
        return b"*%d\r\n" % len(kept) + b"".join(map(_bulk, kept))

    def _watch(self, name: bytes) -> bytes:
        key = self._key(name)
        self._watched[key] = self._backing.read(key)
        return b"+OK\r\n"

    def _unwatch(self) -> bytes:
        self._watched.clear()
        return b"+OK\r\n"

    def _del(self, name: bytes) -> bytes:
        self._backing.serve("delete", self._key(name))
        return b":1\r\n"

    def _rpush(self, name: bytes, *values: bytes) -> bytes:
        self._backing.serve("insert", self._key(name), values)
        return b":%d\r\n" % len(values)


_DO: dict[bytes, Callable[..., bytes]] = {
    b"PING": DatabaseLine._ping,
    b"GET": DatabaseLine._get,
    b"LLEN": DatabaseLine._llen,
    b"LINDEX": DatabaseLine._lindex,
    b"LRANGE": DatabaseLine._lrange,
    b"WATCH": DatabaseLine._watch,
    b"UNWATCH": DatabaseLine._unwatch,
    b"DEL": DatabaseLine._del,
    b"RPUSH": DatabaseLine._rpush,
}


def _bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


def _commands(data: bytes) -> list[list[bytes]]:
    """Return the commands in what a client has sent, each whole."""
    commands: list[list[bytes]] = []
    at = 0

    def number(kind: bytes) -> int:
        nonlocal at
        end = data.index(b"\r\n", at)
        assert data[at : at + 1] == kind
        value, at = int(data[at + 1 : end]), end + 2
        return value

    while at < len(data):
        words: list[bytes] = []
        for _ in range(number(b"*")):
            size = number(b"$")
            words.append(data[at : at + size])
            at += size + 2
        commands.append(words)
    return commands
