"""What the database of a cache has lost is seen, and written to it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from nautilus_trader.cache.cache import Cache
from nautilus_trader.config import CacheConfig
from nautilus_trader.model.enums import OmsType
from nautilus_trader.model.identifiers import PositionId, TradeId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.position import Position
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.test_kit.stubs.events import TestEventStubs
from nautilus_trader.test_kit.stubs.execution import TestExecStubs

from recon.nautilus.audit import MARK, Audit, Layout
from recon.nautilus.redis import Line
from sim.database import Backing, WriteLog
from sim.database_line import DatabaseLine

INSTRUMENT = TestInstrumentProvider.btcusdt_perp_binance()
PREFIX = "trader-TRADER-001"
POSITION_ID = PositionId("P-1")
POSITION_KEY = f"positions:{POSITION_ID.value}"
KEY = "orders:O-20210410-022422-001-001-1"


class Server(DatabaseLine):
    """Takes note of what it is asked, and may be kept from carrying out a transaction at once."""

    def __init__(self, backing: Backing) -> None:
        super().__init__(backing)
        self.asked: list[Sequence[bytes]] = []
        self.before_exec: list[Callable[[], None]] = []

    def _answer(self, command: Sequence[bytes]) -> bytes:
        self.asked.append(command)
        return super()._answer(command)

    def _execute(self) -> bytes:
        while self.before_exec:
            self.before_exec.pop()()
        return super()._execute()


class Desk:
    """A cache with an order, its database, and an audit of it."""

    def __init__(self, **options: Any) -> None:
        self.database = Backing(WriteLog(), PREFIX, lambda: 7)
        self.server = Server(self.database)
        self.layout = Layout("TRADER-001", "-", CacheConfig(**options))
        self.line = Line(self.server.reader, self.server, lambda: None)
        self.cache = Cache()
        self.records: dict[str, bytes] = {}
        self.told: list[tuple[str, ...]] = []
        self.marks_lost = self.news = 0
        self.audit = Audit(
            self.cache,
            self.layout,
            mark=self._mark,
            records=lambda: self.records,
            write_anew=self._write_anew,
            on_news=self._on_news,
            tell=self.told.append,
        )
        self.order = TestExecStubs.limit_order(instrument=INSTRUMENT)
        self.cache.add_order(self.order)
        self._write(self.order.init_event)

    def happens(self, make: Any, *, is_lost: bool = False, **details: Any) -> None:
        """Have something happen to the order, which the node writes, or writes in vain."""
        event = make(self.order, **details)
        self.order.apply(event)
        self.audit.on_order(event)
        if not is_lost:
            self._write(event)

    def fill(self, *, is_lost: bool = False) -> None:
        """Have the order filled a little."""
        self.happens(
            TestEventStubs.order_filled,
            is_lost=is_lost,
            instrument=INSTRUMENT,
            position_id=POSITION_ID,
            last_qty=Quantity.from_str("0.001"),
            trade_id=TradeId(f"T-{self.order.event_count}"),
        )

    def _write(self, event: Any) -> None:
        is_first = event is self.order.init_event
        write = self.database.insert if is_first else self.database.update
        write(KEY, [self.layout.encode(event)])

    def _mark(self, payload: bytes) -> None:
        if self.marks_lost:
            self.marks_lost -= 1
        else:
            self.database.insert(f"general:{MARK}", [payload])

    def _write_anew(self) -> None:
        for key, payload in self.records.items():
            self.database.insert(f"general:{key}", [payload])

    def _on_news(self) -> None:
        self.news += 1

    def is_whole(self) -> bool:
        """Whether the list has each event of the order once, as it is written, in its place."""
        written = [self.layout.encode(event) for event in self.order.events]
        return self.database.read(KEY) == written

    def lose(self, number: int) -> None:
        """Take one event from the list."""
        kept = self.database.read(KEY)
        del kept[number]
        self.database.delete(KEY)
        if kept:
            self.database.insert(KEY, kept)

    async def see(self) -> None:
        """See to it."""
        await self.audit.run(self.line)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    serving = asyncio.ensure_future(desk.line.serve())
    desk.happens(TestEventStubs.order_submitted)
    desk.happens(TestEventStubs.order_accepted)
    desk.fill()
    yield desk
    serving.cancel()


async def test_what_is_there_is_left_as_it_is(desk: Desk):
    await desk.see()

    assert desk.told == []
    assert desk.is_whole()
    assert desk.news == 3


async def test_where_nothing_has_happened_nothing_is_written(desk: Desk):
    await desk.see()
    marked = desk.database.read(f"general:{MARK}")
    await desk.see()

    assert desk.database.read(f"general:{MARK}") == marked


@pytest.mark.parametrize("numbers", [(0,), (1,), (3,), (0, 0), (2, 1), (0, 0, 0, 0)], ids=repr)
async def test_what_is_lost_is_written_again_in_its_place(desk: Desk, numbers: tuple[int, ...]):
    for number in numbers:
        desk.lose(number)
    await desk.see()

    assert desk.is_whole()
    assert desk.told == [(desk.order.client_order_id.value,)]
    await desk.see()
    assert len(desk.told) == 1


async def test_what_comes_while_it_is_written_again_stays(desk: Desk):
    """The list is another when it would be written: nothing is done by halves, or twice."""
    desk.lose(1)
    desk.server.before_exec.append(desk.fill)
    await desk.see()

    assert desk.is_whole()
    assert [words[0] for words in desk.server.asked].count(b"EXEC") == 2


async def test_what_the_node_has_not_written_yet_is_not_written_for_it(desk: Desk):
    """What it tells its writer after the mark comes after the mark."""
    desk.lose(1)
    held: list[int] = []

    def mark(payload: bytes) -> None:
        held.append(len(desk.database.read(KEY)))
        if len(held) == 1:
            desk._mark(payload)
            desk.fill(is_lost=True)
        else:
            desk._write(desk.order.last_event)
            desk.audit._mark = desk._mark
            desk._mark(payload)

    desk.audit._mark = mark
    await desk.see()

    assert held == [3, 4], "what was noted, and not what came after"
    assert desk.is_whole()


async def test_a_mark_that_is_lost_is_made_again(desk: Desk):
    desk.marks_lost = 3
    await desk.see()

    assert desk.told == []
    assert desk.database.read(f"general:{MARK}") == [b"- 1"]


async def test_what_was_purged_is_not_missed(desk: Desk):
    desk.happens(TestEventStubs.order_canceled)
    desk.database.delete(KEY)
    desk.cache.update_order(desk.order)
    desk.cache.purge_order(desk.order.client_order_id)
    await desk.see()

    assert desk.told == []
    assert desk.database.read(KEY) == []


async def test_a_record_that_is_lost_is_written_anew(desk: Desk):
    desk.records = {"recon.ledger.A": b"1"}
    await desk.see()
    assert desk.database.read("general:recon.ledger.A") == [b"1"]
    assert desk.told == [("recon.ledger.A",)]

    desk.records = {"recon.ledger.A": b"2"}
    desk._write_anew()
    await desk.see()
    assert len(desk.told) == 1

    desk.server.asked.clear()
    desk.fill()
    await desk.see()
    reads = [words[1] for words in desk.server.asked if words[0] == b"GET"]
    assert reads == [f"{PREFIX}:general:{MARK}".encode()], "what is the same is there"


async def test_what_could_not_be_seen_is_seen_the_next_time(desk: Desk):
    desk.lose(2)
    desk.line.close()
    with pytest.raises(ConnectionError):
        await desk.see()
    assert not desk.is_whole()

    desk.server = Server(desk.database)
    desk.line = Line(desk.server.reader, desk.server, lambda: None)
    serving = asyncio.ensure_future(desk.line.serve())
    await desk.see()
    assert desk.is_whole()
    serving.cancel()


async def test_of_a_list_that_was_seen_only_the_end_is_read(desk: Desk):
    await desk.see()
    desk.fill()
    desk.fill()
    await desk.see()

    reads = [words for words in desk.server.asked if words[0] == b"LRANGE"]
    assert [words[2:] for words in reads] == [[b"-3", b"-1"]], "two, and the one before"
    assert desk.told == []


async def test_what_was_seen_before_is_seen_again_when_the_database_was_away(desk: Desk):
    desk.records = {"recon.ledger.A": b"1"}
    desk._write_anew()
    await desk.see()
    desk.database.delete(KEY)
    desk.database.delete("general:recon.ledger.A")
    await desk.see()
    assert desk.told == [], "nothing has happened"

    desk.audit.doubt()
    await desk.see()
    assert desk.is_whole()
    assert desk.database.read("general:recon.ledger.A") == [b"1"]
    assert desk.news == 4


async def test_what_was_loaded_is_taken_to_be_there(desk: Desk):
    desk.cache.update_order(desk.order)
    desk.audit.take_as_whole()
    desk.lose(0)
    desk.fill()
    await desk.see()

    assert desk.told == [], "that something else has taken it is not what is looked for"


@pytest.mark.parametrize("is_left", [True, False])
async def test_a_position_that_was_closed_begins_a_new_list(desk: Desk, is_left: bool):
    """Of the old list as much may be left as is missing of the new one."""
    first, second = (
        desk.order.last_event,
        TestEventStubs.order_filled(
            desk.order,
            instrument=INSTRUMENT,
            position_id=POSITION_ID,
            last_qty=Quantity.from_str("0.002"),
            trade_id=TradeId("T-99"),
        ),
    )
    if is_left:
        desk.database.insert(POSITION_KEY, [desk.layout.encode(first)])
    position = Position(INSTRUMENT, second)
    desk.cache.add_position(position, OmsType.NETTING)
    desk.audit._touch(POSITION_ID)
    await desk.see()

    assert desk.database.read(POSITION_KEY) == [desk.layout.encode(second)]
    assert desk.told == [(POSITION_ID.value,)]


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "trader-T-1:orders:O-1"),
        ({"use_trader_prefix": False}, "T-1:orders:O-1"),
        ({"use_instance_id": True}, "trader-T-1:I-1:orders:O-1"),
    ],
    ids=repr,
)
def test_keys_are_named_as_the_cache_is_configured(options: dict[str, bool], key: str):
    assert Layout("T-1", "I-1", CacheConfig(**options)).key("orders:O-1") == key
