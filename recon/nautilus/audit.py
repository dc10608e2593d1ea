"""Sees that the database of the cache has what the node has written to it.

NautilusTrader's writer says nothing of what it loses: what was under way when its connection
broke, a whole buffer where there is one.  A later start then loads an order without one of its
events, or not at all, and the ledger says that its fills were applied.

An order and a position are lists there, of events that have ids.  An audit

1. takes note of the events that orders and positions have which something has happened to;
2. makes a write of its own, and waits until that one is there: all that was written before it
   is there by then, or is lost;
3. looks for the noted events, from where the last audit has ended, and writes lists anew that
   lack some of them: with the missing ones in their places, and with whatever else has come
   meanwhile.  Redis does that as a whole, and only if the list is still as it was read.
4. If anything was lost, does all that again, for what was written while it did it.

So at each instant the database has a list whole, or as the writer has left it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import Any, NamedTuple

import msgspec
from nautilus_trader.config import CacheConfig
from nautilus_trader.model.events import OrderEvent, PositionEvent
from nautilus_trader.model.identifiers import ClientOrderId, PositionId
from nautilus_trader.serialization.serializer import MsgSpecSerializer

from recon.core.lost import merged
from recon.nautilus.redis import Line

MARK = "recon.mark"
"""The key of the write that an audit makes."""

FIRST_LOOK_SECS = 0.02
LONGEST_LOOK_SECS = 5.0
"""How long it takes between two looks for that write, which is made again at each: the writer
may have lost it, too."""

MOST_AT_ONCE = 500
"""How many lists are asked for before the first answer is waited for."""


type Name = ClientOrderId | PositionId
"""What has a list of its own."""


class _Note(NamedTuple):
    """The events that an order or a position had: how many, and the id of the last."""

    number: int
    last: str

    def is_of(self, events: Sequence[Any]) -> bool:
        """Whether these are the same, with more after them or not."""
        return len(events) >= self.number and events[self.number - 1].id.value == self.last


class Layout:
    """How a node's cache keeps things: the names of keys, and what an event looks like.

    Taken from `CacheDatabaseAdapter` and from what it sends to a real Redis, see
    ``tests/wire/test_redis_audit.py``.
    """

    def __init__(self, trader_id: str, instance_id: str, config: CacheConfig) -> None:
        self.instance_id = instance_id
        """Tells the process from those before."""
        prefix = "trader-" if config.use_trader_prefix else ""
        self._prefix = f"{prefix}{trader_id}"
        if config.use_instance_id:
            self._prefix += f":{instance_id}"
        encoding = msgspec.msgpack if config.encoding.lower() == "msgpack" else msgspec.json
        self._decode: Callable[[bytes], dict[str, Any]] = encoding.decode
        self._serializer = MsgSpecSerializer(
            encoding=encoding,
            timestamps_as_str=True,
            timestamps_as_iso8601=config.timestamps_as_iso8601,
        )

    def key(self, name: str) -> str:
        """Return the key of something, such as ``orders:O-1``."""
        return f"{self._prefix}:{name}"

    def ids(self, raw: bytes) -> tuple[str, str]:
        """Return the id of an event as it is kept, and its order's."""
        event = self._decode(raw)
        return event["event_id"], event["client_order_id"]

    def encode(self, event: OrderEvent) -> bytes:
        """Return an event as it is kept."""
        raw: bytes = self._serializer.serialize(event)
        return raw


class Audit:
    """Sees to one cache.

    Parameters
    ----------
    mark
        Writes bytes to `MARK` through the node's own writer.
    records
        Returns what else has been written, general objects by their keys.
    write_anew
        Writes all of those once more, and those of earlier processes.
    on_news
        Called when there is something to see.
    tell
        Told what was lost and is there again: the names of orders and positions, and of records.
    """

    def __init__(
        self,
        cache: Any,
        layout: Layout,
        *,
        mark: Callable[[bytes], None],
        records: Callable[[], Mapping[str, bytes]],
        write_anew: Callable[[], None],
        on_news: Callable[[], None],
        tell: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._cache = cache
        self._layout = layout
        self._mark = mark
        self._records = records
        self._write_anew = write_anew
        self._on_news = on_news
        self._tell = tell
        self._touched: dict[Name, None] = {}
        self._whole: dict[Name, str] = {}
        self._is_in_doubt = False
        self._seen: dict[str, bytes] = {}
        self._marks = 0

    def take_as_whole(self) -> None:
        """Take what is in the cache for what its database has: it was loaded from there."""
        for kept in (*self._cache.orders_open(), *self._cache.orders_inflight()):
            self._whole[kept.client_order_id] = kept.last_event.id.value
        for kept in self._cache.positions_open():
            self._whole[kept.id] = kept.last_event.id.value

    def doubt(self) -> None:
        """See to all again, the next time: the database has been away, and may be an older one."""
        self._whole.clear()
        self._seen.clear()
        self._is_in_doubt = True
        orders = sorted(order.client_order_id for order in self._cache.orders())
        positions = sorted(position.id for position in self._cache.positions())
        self._touched |= dict.fromkeys((*orders, *positions))
        self._on_news()

    def on_order(self, event: OrderEvent) -> None:
        """Note that an order has another event."""
        self._touch(event.client_order_id)

    def on_position(self, event: PositionEvent) -> None:
        """Note that a position has another event."""
        self._touch(event.position_id)

    def _touch(self, name: Name) -> None:
        self._touched[name] = None
        self._on_news()

    async def run(self, line: Line) -> None:
        """See that all is there that something has happened to since the last time.

        Raises what `Line.ask` does; the next audit sees to it then.
        """
        touched, self._touched = self._touched, {}
        try:
            while lost := await self._mended(line, touched):
                self._tell(lost)
        except BaseException:
            self._touched = touched | self._touched
            raise

    async def _mended(self, line: Line, touched: Iterable[Name]) -> tuple[str, ...]:
        """Write anew what was lost; return what that was."""
        noted = {name: note for name in touched if (note := self._note(name)) is not None}
        records = dict(self._records())
        if not noted and records == self._seen:
            return ()
        await self._written(line)
        broken: list[str] = []
        for some in batched(noted.items(), MOST_AT_ONCE, strict=False):
            looks = await asyncio.gather(*(self._is_whole(line, *each) for each in some))
            for (name, note), is_whole in zip(some, looks, strict=True):
                if not is_whole and await self._write_list(line, name, note):
                    broken.append(name.value)
                self._remember(name, note)
        due = [key for key, payload in records.items() if self._seen.get(key) != payload]
        lacks = await asyncio.gather(*(self._has_lost(line, key, records[key]) for key in due))
        lost = [key for key, is_lost in zip(due, lacks, strict=True) if is_lost]
        if self._is_in_doubt:
            self._is_in_doubt = False
            self._write_instruments()
            self._write_anew()
        elif lost:
            self._write_anew()
        self._seen = {key: payload for key, payload in records.items() if key not in lost}
        return (*broken, *lost)

    def _write_instruments(self) -> None:
        """Write those without which a position cannot be loaded."""
        for name in dict.fromkeys(position.instrument_id for position in self._cache.positions()):
            self._cache.add_instrument(self._cache.instrument(name))

    def _note(self, name: Name) -> _Note | None:
        events = self._events(name)
        return _Note(len(events), events[-1].id.value) if events else None

    def _remember(self, name: Name, note: _Note) -> None:
        """Take note of how far a list is whole, as long as more may come."""
        kept = self._kept(name)
        if kept is None or kept.is_closed:
            self._whole.pop(name, None)
        else:
            self._whole[name] = note.last

    async def _has_lost(self, line: Line, key: str, payload: bytes) -> bool:
        there = await line.ask("GET", self._record(key))
        return there not in (payload, self._records()[key])

    async def _written(self, line: Line) -> None:
        """Wait until all that the node has written so far is there, or is lost."""
        self._marks += 1
        mark = f"{self._layout.instance_id} {self._marks}".encode()
        pause_secs = FIRST_LOOK_SECS
        while True:
            self._mark(mark)
            if await line.ask("GET", self._record(MARK)) == mark:
                return
            await asyncio.sleep(pause_secs)
            pause_secs = min(2 * pause_secs, LONGEST_LOOK_SECS)

    async def _is_whole(self, line: Line, name: Name, note: _Note) -> bool:
        """Whether a list lacks nothing, as far as it shows without reading all of it."""
        key = self._list(name)
        last = self._whole.get(name)
        if last is None:
            number, first = line.ask("LLEN", key), line.ask("LINDEX", key, "0")
            return self._is_all_of(self._events(name), await number, await first)
        since = self._since(name, last)
        if since is None:
            return False  # it was made anew
        end = await line.ask("LRANGE", key, str(-1 - len(since)), "-1")
        events, since = self._events(name), self._since(name, last)
        if since is None or not note.is_of(events):
            return False
        there = {self._layout.ids(raw)[0] for raw in end}
        newer = len(events) - note.number
        return all(event.id.value in there for event in since[: len(since) - newer])

    def _is_all_of(self, events: Sequence[Any], number: int, first: bytes | None) -> bool:
        """Whether a list of so many events, which begins so, is these.

        What may be left before them, and is as many as is missing, shows at the beginning.
        """
        if not events or first is None:
            return False
        return number == len(events) and self._layout.ids(first)[0] == events[0].id.value

    def _since(self, name: Name, last: str) -> Sequence[Any] | None:
        """Return the events after one, None when that is not among them."""
        events = self._events(name)
        for number in reversed(range(len(events))):
            if events[number].id.value == last:
                return events[number + 1 :]
        return None

    async def _write_list(self, line: Line, name: Name, note: _Note) -> bool:
        """Write a list anew if it is not as it has to be; return whether it was not."""
        key = self._list(name)
        while True:
            line.ask("WATCH", key)
            whole = self._missing(name, note, await line.ask("LRANGE", key, "0", "-1"))
            if whole is None:
                await line.ask("UNWATCH")
                return False
            line.ask("MULTI")
            line.ask("DEL", key)
            line.ask("RPUSH", key, *whole)
            if await line.ask("EXEC") is not None:
                return True

    def _missing(self, name: Name, note: _Note, raws: Sequence[bytes]) -> list[bytes] | None:
        """Return what a list has to hold, None when it holds that.

        What the node has purged, or made anew since, is not missed.  A position that is flat and
        is opened again begins a new list: what is left of the old one does not belong to it, as
        far as the orders that have it can be asked.
        """
        events = self._events(name)
        if not note.is_of(events):
            return None
        known = [(event.id.value, event) for event in events]
        ids = {event_id for event_id, _ in known}
        held: list[tuple[str, bytes]] = []
        for raw in raws:
            event_id, order = self._layout.ids(raw)
            is_left = isinstance(name, PositionId) and event_id not in ids
            if not is_left or self._cache.order(ClientOrderId(order)) is None:
                held.append((event_id, raw))
        whole = merged(held, known, {event_id for event_id, _ in known[: note.number]})
        if len(whole) == len(held) == len(raws):
            return None
        return [raw if isinstance(raw, bytes) else self._layout.encode(raw) for raw in whole]

    def _kept(self, name: Name) -> Any:
        find = self._cache.order if isinstance(name, ClientOrderId) else self._cache.position
        return find(name)

    def _events(self, name: Name) -> Sequence[Any]:
        kept = self._kept(name)
        return () if kept is None else kept.events

    def _list(self, name: Name) -> str:
        kind = "orders" if isinstance(name, ClientOrderId) else "positions"
        return self._layout.key(f"{kind}:{name.value}")

    def _record(self, key: str) -> str:
        return self._layout.key(f"general:{key}")
