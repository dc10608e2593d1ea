"""A real `redis-server` that goes away: what NautilusTrader's writer loses, and what is told."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import msgspec
import pytest
from nautilus_trader.cache.database import CacheDatabaseAdapter
from nautilus_trader.config import CacheConfig, DatabaseConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.identifiers import TraderId
from nautilus_trader.serialization.serializer import MsgSpecSerializer

from recon.nautilus import database
from recon.nautilus.database import DatabaseWatch
from recon.nautilus.redis import Line
from sim.wire.redis import RedisServer

WITHIN_SECS = 30.0
"""How long something may take on a machine that is busy."""


@pytest.fixture
async def redis(real_time: None, needs_redis: None) -> AsyncIterator[RedisServer]:
    server = RedisServer()
    await server.start()
    yield server
    server.dispose()


class Writer:
    """NautilusTrader's own, as a node has it."""

    def __init__(self, redis: RedisServer) -> None:
        config = DatabaseConfig(type="redis", host="127.0.0.1", port=redis.port)
        self._adapter = CacheDatabaseAdapter(
            TraderId("TRADER-001"),
            UUID4(),
            MsgSpecSerializer(encoding=msgspec.msgpack, timestamps_as_str=True),
            CacheConfig(database=config),
        )
        self._redis = redis

    def write(self, *names: str) -> None:
        for name in names:
            self._adapter.add(name, b"-")

    async def held_with(self, last: str) -> set[str]:
        """Return the names of what is there, once one of them is."""
        async with asyncio.timeout(WITHIN_SECS):
            while last not in (held := self._held()):
                await asyncio.sleep(0.02)
        return held

    def _held(self) -> set[str]:
        with self._redis.client() as client:
            keys: list[bytes] = client.keys("*")
        return {key.decode().rpartition(":")[2] for key in keys}

    def close(self) -> None:
        self._adapter.close()


@pytest.fixture
async def writer(redis: RedisServer) -> AsyncIterator[Writer]:
    writer = Writer(redis)
    writer.write("before")
    await writer.held_with("before")
    yield writer
    writer.close()


class Watching:
    """A watch over the database, and what it has told."""

    def __init__(self, redis: RedisServer) -> None:
        self.told: list[bool] = []
        config = DatabaseConfig(type="redis", host="127.0.0.1", port=redis.port)
        self.watch = DatabaseWatch(
            config,
            tell=lambda is_there, _: self.told.append(is_there),
            audit=self._audit,
        )

    async def _audit(self, line: Line) -> None:
        """Leave what is lost as it is."""

    async def until(self, *told: bool) -> None:
        async with asyncio.timeout(WITHIN_SECS):
            while self.told != [*told]:
                await asyncio.sleep(0.02)


@pytest.fixture
async def watching(redis: RedisServer) -> AsyncIterator[Watching]:
    watching = Watching(redis)
    watching.watch.start()
    await asyncio.sleep(0.5)  # until it is connected
    yield watching
    watching.watch.stop()
    await asyncio.sleep(0.1)  # until its connection is closed


async def test_the_writer_loses_what_it_sends_first_and_nothing_else(
    redis: RedisServer, writer: Writer
):
    """What `sim.database.WriteLog` does while it is down."""
    redis.stop()
    writer.write("first", "second", "third")
    await redis.start()
    writer.write("last")

    assert await writer.held_with("last") == {"before", "second", "third", "last"}


async def test_one_that_hangs_is_told_and_loses_nothing(
    redis: RedisServer, writer: Writer, watching: Watching, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "PATIENCE_SECS", 0.3)
    assert redis.pid is not None
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        watching.watch.check()
        writer.write("fill")
        await watching.until(False)
    finally:
        os.kill(redis.pid, signal.SIGCONT)
    writer.write("last")

    assert await writer.held_with("last") == {"before", "fill", "last"}
    await watching.until(False, True)
