"""The cache database of a node: Redis as NautilusTrader uses it, kept as a write log.

The real `CacheDatabaseAdapter` stays in the path: it serialises every order,
position and account event, and rebuilds them at the next start through the real
``load_cache``.  Only its Rust connection to Redis is replaced, by `Backing`.

Rules of this file:

1. The log is the database.  `Backing` answers from a state that is derived from
   the log, so a log cut at any point is a database that can be loaded.
2. A write is applied when it is made.  What a crash loses is a suffix of the
   log, which is what Redis behind NautilusTrader's single writer loses too.
   While the database is down (`WriteLog.stop`) the first write is lost, and all
   others wait until it is there again, or are lost with their process.  More may
   be lost at any time (`WriteLog.lose_until`): what a broken connection takes along.
3. What a key holds follows from its collection, as in NautilusTrader's Redis
   layout: strings for general objects, currencies, instruments, actors and
   strategies; lists for the events of accounts, orders and positions; sets and
   hashes for the indexes.
"""

from __future__ import annotations

import fnmatch
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

import msgspec

LISTS = frozenset({"accounts", "orders", "positions", "snapshots"})
PAST = ("orders:", "positions:", "general:")
HASHES = frozenset({"index:order_ids", "index:order_position", "index:order_client"})


class Write(msgspec.Struct, frozen=True):
    """One command that the node sent to its database."""

    at_ns: int
    operation: str
    key: str
    payload: tuple[bytes, ...] = ()


class Line(Protocol):
    """A connection to the database beside the node's own."""

    def break_off(self) -> None:
        """Have the other end gone."""


class WriteLog:
    """What one node has ever written, in order; it outlives the node's processes."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.is_down = False
        self._has_lost = False
        self._lost_until_ns = 0
        self._waiting: list[Write] = []
        self.lines: list[Line] = []
        """Connections beside the node's own."""
        self.backing: Backing | None = None
        """What the running process reads and writes."""

    def __len__(self) -> int:
        return len(self.writes)

    @property
    def remembers(self) -> bool:
        """Whether anything is left of what the node has done: an order, a position, a record."""
        return any(write.key.startswith(PAST) for write in self.writes)

    def clear(self) -> None:
        """Lose everything, as when the database's disk is gone."""
        self.writes.clear()

    def take(self, write: Write) -> None:
        """Keep a write, as far as the database is there.

        When Redis has closed its connection, NautilusTrader's writer finds out by the command
        that it sends next: that one is lost, and the writer says nothing.  It then connects
        again, for as long as it takes, and what has come meanwhile is written.
        (`crates/infrastructure/src/redis/cache.rs`; seen with a real `redis-server`, see
        `tests/wire/test_redis_restarts.py`.)
        """
        if write.at_ns < self._lost_until_ns:
            return
        if not self.is_down:
            self.writes.append(write)
        elif self._has_lost:
            self._waiting.append(write)
        else:
            self._has_lost = True

    def stop(self) -> None:
        """The database goes down, with all connections to it."""
        self.is_down, self._has_lost = True, False
        for line in self.lines:
            line.break_off()
        self.lines.clear()

    def start(self) -> None:
        """The database is there again, and hears what has waited."""
        self.is_down = False
        self.writes += self._waiting
        self._waiting.clear()

    def lose_until(self, at_ns: int) -> None:
        """Lose all that is written before an instant."""
        self._lost_until_ns = at_ns

    def let_go(self) -> None:
        """Lose what waits, with the connection: its process ends."""
        self._waiting.clear()
        self._lost_until_ns = 0

    def truncate(self, length: int) -> None:
        """Lose all writes after the first `length`."""
        del self.writes[length:]
        if self.backing is not None:
            self.backing.replay()

    def lose_since(self, at_ns: int) -> int:
        """Lose all writes made at an instant or after it; return how many."""
        kept = bisect_left(self.writes, at_ns, key=lambda write: write.at_ns)
        lost = len(self.writes) - kept
        self.truncate(kept)
        return lost

    def tear(self, client_order_id: str, keep: int) -> None:
        """Break off inside the writes of an order's last fill, after the first `keep` of them.

        Raises `LookupError` when the order has no fill in the log, or when nothing would be
        lost of it.
        """
        fill = self.last_fill(client_order_id)
        if keep >= len(fill):
            raise LookupError(f"its last fill made only {len(fill)} writes")
        self.truncate(fill.start + keep)

    def last_fill(self, client_order_id: str) -> range:
        """Return the numbers of the writes that an order's last fill made.

        They are the order's event and all that the node wrote with it before it turned to
        another event.  Raises `LookupError` when the order has no fill in the log.
        """
        key = f"{ORDER_PREFIX}{client_order_id}"
        first = next(
            (
                number
                for number in reversed(range(len(self.writes)))
                if self.writes[number].key == key and is_fill(self.writes[number])
            ),
            None,
        )
        if first is None:
            raise LookupError(f"order {client_order_id} was not filled")
        end = first + 1
        while end < len(self.writes) and not _begins(self.writes[end], self.writes[first].at_ns):
            end += 1
        return range(first, end)

    def purged(self) -> tuple[str, ...]:
        """Return the client ids of the orders that the node has deleted."""
        return tuple(
            dict.fromkeys(
                write.key.removeprefix(ORDER_PREFIX)
                for write in self.writes
                if write.operation == "delete"
                and write.key.startswith(ORDER_PREFIX)
                and not write.payload
            )
        )


DATABASE: ContextVar[WriteLog] = ContextVar("database")
"""The database of the node in whose process the current code runs."""


ORDER_PREFIX = "orders:"


def is_fill(write: Write) -> bool:
    """Whether a write is the event of an order's fill."""
    if not write.key.startswith(ORDER_PREFIX) or not write.payload:
        return False
    event: dict[str, Any] = msgspec.msgpack.decode(write.payload[0])
    return bool(event["type"] == "OrderFilled")


def _begins(write: Write, at_ns: int) -> bool:
    """Whether a write belongs to another event than those of an instant before it."""
    return write.at_ns != at_ns or write.key.startswith((ORDER_PREFIX, "accounts:"))


class Backing:
    """Stands in for ``nautilus_pyo3.RedisCacheDatabase``, over a write log.

    Parameters
    ----------
    log
        The log to continue; its writes are replayed first.
    prefix
        What Redis keys of this trader begin with ("trader-TRADER-001").
    now_ns
        The clock that dates the writes.
    before_write, after_write
        Called around each write, the second with its key; what they raise ends the write's
        process.
    """

    def __init__(
        self,
        log: WriteLog,
        prefix: str,
        now_ns: Callable[[], int],
        *,
        before_write: Callable[[], None] = lambda: None,
        after_write: Callable[[str], None] = lambda key: None,
    ) -> None:
        self._log = log
        self._prefix = prefix
        self._now_ns = now_ns
        self._before_write = before_write
        self._after_write = after_write
        log.backing = self
        self.replay()

    def replay(self) -> None:
        """Begin anew with what the log has."""
        self._strings: dict[str, bytes] = {}
        self._lists: dict[str, list[bytes]] = {}
        self._sets: dict[str, dict[bytes, None]] = {}
        self._hashes: dict[str, dict[bytes, bytes]] = {}
        self._applied = 0
        self._catch_up()

    @property
    def prefix(self) -> str:
        """What the full names of all keys begin with."""
        return self._prefix

    # -- what NautilusTrader calls: writing ---------------------------------------

    def insert(self, key: str, payload: Sequence[bytes] | None = None) -> None:
        self._write("insert", key, payload)

    def update(self, key: str, payload: Sequence[bytes] | None = None) -> None:
        self._write("update", key, payload)

    def delete(self, key: str, payload: Sequence[bytes] | None = None) -> None:
        self._write("delete", key, payload)

    def delete_order(self, client_order_id: str) -> None:
        self._forget("orders", client_order_id)

    def delete_position(self, position_id: str) -> None:
        self._forget("positions", position_id)

    def flushdb(self) -> None:
        self._write("flush", "")

    def close(self) -> None:
        """Nothing to close: there is no connection."""

    # -- what NautilusTrader calls: reading ---------------------------------------

    def keys(self, pattern: str) -> list[str]:
        """Return the full names of the keys that match, oldest first."""
        stores: tuple[dict[str, Any], ...] = (
            self._strings,
            self._lists,
            self._sets,
            self._hashes,
        )
        names = (key for store in stores for key in store)
        return [f"{self._prefix}:{key}" for key in names if fnmatch.fnmatchcase(key, pattern)]

    def read(self, key: str) -> list[bytes]:
        if key in self._lists:
            return list(self._lists[key])
        if key in self._strings:
            return [self._strings[key]]
        if key in self._hashes:
            pairs = {k.decode(): v.decode() for k, v in self._hashes[key].items()}
            return [msgspec.json.encode(pairs)]
        return list(self._sets.get(key, ()))

    def read_bulk(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self._strings.get(key.removeprefix(f"{self._prefix}:")) for key in keys]

    # -- the log ------------------------------------------------------------------

    def serve(self, operation: str, key: str, payload: Sequence[bytes] = ()) -> None:
        """Write what came over another connection, which loses nothing."""
        self._log.writes.append(Write(self._now_ns(), operation, key, tuple(payload)))
        self._catch_up()

    def _write(self, operation: str, key: str, payload: Sequence[bytes] | None = None) -> None:
        self._before_write()
        write = Write(self._now_ns(), operation, key, tuple(payload or ()))
        made = len(self._log)
        self._log.take(write)
        self._catch_up()
        if len(self._log) > made:
            self._after_write(key)

    def _catch_up(self) -> None:
        for write in self._log.writes[self._applied :]:
            self._apply(write)
        self._applied = len(self._log)

    def _forget(self, collection: str, name: str) -> None:
        self._write("delete", f"{collection}:{name}")
        member = (name.encode(),)
        for key in [*self._sets, *self._hashes]:
            if key.startswith(f"index:{collection}") or key in HASHES:
                self._write("delete", key, member)

    def _apply(self, write: Write) -> None:
        key, payload = write.key, write.payload
        collection = key.partition(":")[0]
        if write.operation == "flush":
            for store in (self._strings, self._lists, self._sets, self._hashes):
                store.clear()
        elif write.operation == "delete":
            self._apply_delete(key, payload)
        elif key in HASHES:
            self._hashes.setdefault(key, {})[payload[0]] = payload[1]
        elif collection == "index":
            self._sets.setdefault(key, {}).update(dict.fromkeys(payload))
        elif collection in LISTS:
            if write.operation == "insert" or key in self._lists:
                self._lists.setdefault(key, []).extend(payload)
        else:
            self._strings[key] = payload[0]

    def _apply_delete(self, key: str, payload: tuple[bytes, ...]) -> None:
        if not payload:
            for store in (self._strings, self._lists, self._sets, self._hashes):
                store.pop(key, None)
            return
        for member in payload:
            self._sets.get(key, {}).pop(member, None)
            self._hashes.get(key, {}).pop(member, None)
