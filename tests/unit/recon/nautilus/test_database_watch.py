"""The database of the cache: that it is gone is told once, and what it has is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from nautilus_trader.config import CacheConfig, DatabaseConfig

from recon.nautilus.database import PATIENCE_SECS, PAUSE_SECS, DatabaseWatch, database_of
from recon.nautilus.redis import Line

PING = b"*1\r\n$4\r\nPING\r\n"


class Server:
    """Answers on connections, unless it is down or mute."""

    def __init__(self) -> None:
        self.is_down = self.is_mute = self.hangs = False
        self.answer = b"+PONG\r\n"
        self.opened: list[tuple[Any, ...]] = []
        self.heard: list[bytes] = []
        self.closed = 0
        self._readers: list[asyncio.StreamReader] = []

    async def connect(self, host: str, port: int, **options: Any) -> tuple[Any, Any]:
        self.opened.append((host, port, options))
        if self.hangs:
            await asyncio.sleep(3600)
        if self.is_down:
            raise ConnectionRefusedError("refused")
        reader = asyncio.StreamReader()
        self._readers.append(reader)
        return reader, _Writer(self, reader)

    def go_down(self) -> None:
        self.is_down = True
        self.drop()

    def drop(self) -> None:
        for reader in self._readers:
            reader.feed_eof()
        self._readers.clear()


class _Writer:
    def __init__(self, server: Server, reader: asyncio.StreamReader) -> None:
        self._server = server
        self._reader = reader

    def write(self, data: bytes) -> None:
        self._server.heard.append(data)
        if not self._server.is_mute:
            self._reader.feed_data(self._server.answer)

    def close(self) -> None:
        self._server.closed += 1


class Told:
    """What a watch does, in order."""

    def __init__(self, server: Server, **options: Any) -> None:
        self.done: list[Any] = []
        self.texts: list[str] = []
        config = DatabaseConfig(**{"host": "redis", "port": 7000, **options})
        self.watch = DatabaseWatch(
            config,
            tell=self._tell,
            audit=self._audit,
            sacrifice=lambda: self.sacrificed.append(len(self.done)),
            connect=server.connect,
        )
        self.sacrificed: list[int] = []
        self.audits = 0
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def _audit(self, line: Line) -> None:
        self.audits += 1
        await self.may_end.wait()

    def _tell(self, is_there: bool, text: str) -> None:
        self.done.append(is_there)
        self.texts.append(text)


type Watching = Callable[[Server], Awaitable[Told]]


@pytest.fixture
async def watched() -> Any:
    """Begin to watch a server, until the test is over."""
    begun: list[Told] = []

    async def begin(server: Server, **options: Any) -> Told:
        told = Told(server, **options)
        begun.append(told)
        told.watch.start()
        await asyncio.sleep(0.01)
        return told

    yield begin
    for told in begun:
        told.watch.stop()
    await asyncio.sleep(0)


async def test_while_it_answers_nothing_is_told(watched: Any):
    server = Server()
    told = await watched(server)

    await asyncio.sleep(3600)

    assert told.done == []
    assert server.opened == [("redis", 7000, {})]
    assert server.heard == [PING]


async def test_as_soon_as_its_connection_ends_that_is_told(watched: Any):
    server = Server()
    told = await watched(server)

    server.go_down()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert told.done == [False]
    assert told.sacrificed == [0], "before that is told"
    [text] = told.texts
    assert text.startswith("the cache database at redis:7000 does not answer: ")
    assert "has closed the connection" in text


async def test_it_is_told_once_however_long_it_lasts_and_once_when_it_is_over(watched: Any):
    server = Server()
    told = await watched(server)

    server.go_down()
    await asyncio.sleep(600)
    assert told.done == [False]
    assert len(server.opened) > 500

    server.is_down = False
    await asyncio.sleep(600)
    assert told.done == [False, True]
    assert told.texts[-1] == "the cache database at redis:7000 answers again"

    server.go_down()
    await asyncio.sleep(1)
    assert told.done == [False, True, False]


async def test_a_restart_that_is_over_at_once_is_seen(watched: Any):
    server = Server()
    told = await watched(server)

    server.drop()
    await asyncio.sleep(2 * PAUSE_SECS)

    assert told.done == [False, True]


async def test_a_database_that_hangs_is_seen_when_it_is_asked(watched: Any):
    server = Server()
    told = await watched(server)
    server.is_mute = True

    assert told.watch.check()
    assert told.watch.check()
    await asyncio.sleep(PATIENCE_SECS - 0.1)
    assert told.done == []
    await asyncio.sleep(0.2)

    assert told.done == [False]
    assert server.heard == [PING, PING]


async def test_an_answer_that_is_late_says_that_it_is_back(watched: Any):
    server = Server()
    told = await watched(server)
    server.is_mute = True
    told.watch.check()
    await asyncio.sleep(2 * PATIENCE_SECS)

    server._readers[0].feed_data(b"+PONG\r\n")
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert told.done == [False, True]


async def test_what_it_has_is_looked_at_when_it_is_there_or_there_again_and_when_it_is_asked(
    watched: Any,
):
    server = Server()
    told = await watched(server)
    assert told.audits == 1

    server.go_down()
    await asyncio.sleep(10)
    assert not told.watch.check(), "it is gone"
    assert told.audits == 1
    server.is_down = False
    await asyncio.sleep(10)
    assert told.audits == 2
    told.watch.check()
    await asyncio.sleep(1)
    assert told.audits == 3


async def test_what_is_asked_while_it_is_looked_at_is_looked_at_afterwards_once(watched: Any):
    server = Server()
    told = await watched(server)
    told.may_end.clear()
    for _ in range(3):
        told.watch.check()
        await asyncio.sleep(1)
    assert told.audits == 2

    told.may_end.set()
    await asyncio.sleep(1)
    assert told.audits == 3


@pytest.mark.parametrize("hangs", [False, True])
async def test_what_does_not_let_itself_be_connected_to_is_told(watched: Any, hangs: bool):
    server = Server()
    server.is_down, server.hangs = not hangs, hangs
    told = await watched(server)

    await asyncio.sleep(2 * PATIENCE_SECS)

    assert told.done == [False]
    assert ("within 5 s" if hangs else "refused") in told.texts[0]


async def test_a_refusal_is_an_answer(watched: Any):
    server = Server()
    server.answer = b"-NOAUTH Authentication required.\r\n"
    told = await watched(server)

    await asyncio.sleep(600)

    assert told.done == []


async def test_what_does_not_speak_as_redis_is_none_and_is_tried_again(watched: Any):
    server = Server()
    server.answer = b"x" * 200_000
    told = await watched(server)

    await asyncio.sleep(10)
    server.answer = b"+PONG\r\n"
    await asyncio.sleep(10)

    assert told.done == [False, True]


async def test_it_says_who_it_is_if_that_is_configured(watched: Any):
    server = Server()
    told = await watched(server, username="me", password="s3cret", ssl=True)
    server.go_down()
    await asyncio.sleep(0.1)

    assert server.opened[0] == ("redis", 7000, {"ssl": True})
    assert server.heard[0] == b"*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\ns3cret\r\n"
    assert "s3cret" not in told.texts[0]


async def test_who_stops_to_watch_hears_nothing_more(watched: Any):
    server = Server()
    told = await watched(server)

    told.watch.stop()
    server.go_down()
    await asyncio.sleep(60)

    assert told.done == []
    assert server.closed == 1


def test_a_cache_has_a_redis_or_it_has_none():
    redis = DatabaseConfig(type="redis")

    assert database_of(CacheConfig(database=redis)) is redis
    assert database_of(CacheConfig()) is None
    assert database_of(None) is None
    assert database_of(CacheConfig(database=DatabaseConfig(type="postgres"))) is None
