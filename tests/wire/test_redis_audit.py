"""What a real `redis-server` has lost of NautilusTrader's writes is written to it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import msgspec
import pytest
from nautilus_trader.cache.cache import Cache
from nautilus_trader.cache.database import CacheDatabaseAdapter
from nautilus_trader.config import CacheConfig, DatabaseConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import OmsType
from nautilus_trader.model.identifiers import PositionId, TradeId, TraderId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position
from nautilus_trader.serialization.serializer import MsgSpecSerializer
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.test_kit.stubs.events import TestEventStubs
from nautilus_trader.test_kit.stubs.execution import TestExecStubs

from recon.nautilus.audit import MARK, Audit, Layout
from recon.nautilus.redis import Line
from sim.wire.redis import RedisServer

TRADER_ID = TraderId("TRADER-001")
INSTRUMENT = TestInstrumentProvider.btcusdt_perp_binance()
POSITION_ID = PositionId("P-1")


class Node:
    """The cache of a node, with NautilusTrader's own writer behind it, and an audit of it."""

    def __init__(self, redis: RedisServer, **options: Any) -> None:
        self.redis = redis
        database = DatabaseConfig(type="redis", host="127.0.0.1", port=redis.port)
        config = CacheConfig(database=database, **options)
        instance_id = UUID4()
        encoding = msgspec.json if config.encoding == "json" else msgspec.msgpack
        serializer = MsgSpecSerializer(encoding=encoding, timestamps_as_str=True)
        self.connect = partial(CacheDatabaseAdapter, TRADER_ID, instance_id, serializer, config)
        self.adapter = self.connect()
        self.cache = Cache(database=self.adapter, config=config)
        self.told: list[tuple[str, ...]] = []
        self.layout = Layout(TRADER_ID.value, instance_id.value, config)
        self.audit = Audit(
            self.cache,
            self.layout,
            mark=lambda payload: self.cache.add(MARK, payload),
            records=dict,
            write_anew=lambda: None,
            on_news=lambda: None,
            tell=self.told.append,
        )
        self.cache.add_instrument(INSTRUMENT)
        self.order: Order = TestExecStubs.limit_order(instrument=INSTRUMENT)

    def begin(self) -> None:
        """Have the order sent and accepted."""
        self.cache.add_order(self.order)
        self.happens(TestEventStubs.order_submitted(self.order))
        self.happens(TestEventStubs.order_accepted(self.order))

    def happens(self, event: Any) -> None:
        """Have something happen to the order."""
        self.order.apply(event)
        self.cache.update_order(self.order)
        self.audit.on_order(event)

    def fill(self) -> None:
        """Have a little of the order filled, and the position changed by that."""
        fill = TestEventStubs.order_filled(
            self.order,
            instrument=INSTRUMENT,
            position_id=POSITION_ID,
            last_qty=Quantity.from_str("0.001"),
            trade_id=TradeId(f"T-{self.order.event_count}"),
        )
        self.happens(fill)
        position = self.cache.position(POSITION_ID)
        if position is None:
            self.cache.add_position(Position(INSTRUMENT, fill), OmsType.NETTING)
        else:
            position.apply(fill)
            self.cache.update_position(position)
        self.audit._touch(POSITION_ID)

    async def see(self) -> None:
        """See to it over a connection of one's own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.redis.port)
        line = Line(reader, writer, lambda: None)
        serving = asyncio.create_task(line.serve())
        async with asyncio.timeout(30):
            await self.audit.run(line)
        line.close()
        await serving
        await writer.wait_closed()

    async def written(self) -> None:
        """Wait until all is there."""
        async with asyncio.timeout(30):
            while self.held() != self.had():
                await asyncio.sleep(0.02)

    def held(self) -> tuple[list[str], list[str]]:
        """Return the events of the order and of the position, as a next start loads them."""
        adapter = self.connect()
        order = adapter.load_order(self.order.client_order_id)
        position = adapter.load_position(POSITION_ID)
        adapter.close()
        return _ids(order), _ids(position)

    def had(self) -> tuple[list[str], list[str]]:
        """Return those that there are in memory."""
        return _ids(self.order), _ids(self.cache.position(POSITION_ID))


def _ids(of: Any) -> list[str]:
    return [] if of is None else [event.id.value for event in of.events]


type Begin = Callable[..., Awaitable[Node]]


@pytest.fixture
async def begin(real_time: None, needs_redis: None) -> AsyncIterator[Begin]:
    async with AsyncExitStack() as stack:

        async def begin(**options: Any) -> Node:
            redis = RedisServer()
            await redis.start()
            stack.callback(redis.dispose)
            node = Node(redis, **options)
            stack.callback(node.adapter.close)
            node.begin()
            node.fill()
            node.fill()
            return node

        yield begin


@pytest.mark.parametrize(
    "options",
    [{}, {"encoding": "json"}, {"use_trader_prefix": False}, {"use_instance_id": True}],
    ids=repr,
)
async def test_it_is_kept_as_the_audit_expects_it(begin: Begin, options: dict[str, Any]):
    node = await begin(**options)
    await node.see()

    assert node.told == []
    assert node.held() == node.had()


@pytest.mark.parametrize("encoding", ["msgpack", "json"])
async def test_lists_that_lack_events_are_whole_again(begin: Begin, encoding: str):
    node = await begin(encoding=encoding)
    await node.written()
    orders = node.layout.key(f"orders:{node.order.client_order_id.value}")
    with node.redis.client() as client:
        second = client.lindex(orders, 1)
        assert client.lrem(orders, 1, second) == 1
        client.delete(node.layout.key(f"positions:{POSITION_ID.value}"))
    node.fill()
    await node.see()

    assert node.held() == node.had()
    assert node.told == [(node.order.client_order_id.value, POSITION_ID.value)]


async def test_a_database_that_has_forgotten_all_has_it_again(begin: Begin):
    node = await begin()
    await node.see()
    node.redis.forget()
    node.fill()
    node.audit.doubt()
    await node.see()

    await node.written()


async def test_what_the_writer_loses_as_redis_is_restarted_is_there_again(begin: Begin):
    node = await begin()
    await node.see()
    node.redis.stop()
    node.fill()
    node.fill()
    await node.redis.start()
    node.fill()
    await node.see()

    assert node.held() == node.had()
    assert len(node.told) == 1, "the writer loses what it sends first"
