"""The write log: rules 1 to 3 of `sim.database`."""

from __future__ import annotations

import msgspec
import pytest

from sim.database import Backing, WriteLog, is_fill

PREFIX = "trader-T-1"


def backing(log: WriteLog | None = None) -> Backing:
    return Backing(WriteLog() if log is None else log, PREFIX, lambda: 7)


def test_strings_are_replaced():
    database = backing()
    database.insert("general:a", [b"1"])
    database.insert("general:a", [b"2"])

    assert database.read("general:a") == [b"2"]


def test_events_of_an_order_are_kept_in_order():
    database = backing()
    database.insert("orders:O-1", [b"init"])
    database.update("orders:O-1", [b"accepted"])
    database.update("orders:O-1", [b"filled"])

    assert database.read("orders:O-1") == [b"init", b"accepted", b"filled"]


def test_an_update_of_an_unknown_order_is_lost_as_in_redis():
    database = backing()
    database.update("orders:O-1", [b"accepted"])

    assert database.read("orders:O-1") == []


def test_indexes_are_sets_and_hashes():
    database = backing()
    database.insert("index:orders", [b"O-1"])
    database.insert("index:orders", [b"O-1"])
    database.insert("index:order_position", [b"O-1", b"P-1"])

    assert database.read("index:orders") == [b"O-1"]
    assert msgspec.json.decode(database.read("index:order_position")[0]) == {"O-1": "P-1"}


def test_keys_match_a_pattern_and_carry_the_prefix():
    database = backing()
    database.insert("orders:O-1", [b"x"])
    database.insert("positions:P-1", [b"x"])

    assert database.keys("orders*") == [f"{PREFIX}:orders:O-1"]
    assert database.read_bulk([f"{PREFIX}:general:none"]) == [None]


def test_a_deleted_position_starts_anew():
    database = backing()
    database.insert("positions:P-1", [b"old"])
    database.delete("positions:P-1", None)
    database.insert("positions:P-1", [b"new"])

    assert database.read("positions:P-1") == [b"new"]


def test_a_purged_order_leaves_the_indexes_too():
    database = backing()
    database.insert("orders:O-1", [b"x"])
    database.insert("index:orders", [b"O-1"])
    database.insert("index:orders", [b"O-2"])
    database.insert("index:order_position", [b"O-1", b"P-1"])
    database.delete_order("O-1")

    assert database.keys("orders*") == []
    assert database.read("index:orders") == [b"O-2"]
    assert database.read("index:order_position") == [b"{}"]


def test_the_log_is_the_database():
    log = WriteLog()
    database = backing(log)
    database.insert("orders:O-1", [b"init"])
    database.update("orders:O-1", [b"filled"])
    database.insert("general:a", [b"1"])

    assert backing(log).read("orders:O-1") == [b"init", b"filled"]
    log.truncate(1)
    assert backing(log).read("orders:O-1") == [b"init"]
    assert backing(log).read("general:a") == []


def test_writes_are_dated():
    log = WriteLog()
    backing(log).insert("general:a", [b"1"])

    assert [write.at_ns for write in log.writes] == [7]


def test_a_flush_empties_everything_but_the_log():
    log = WriteLog()
    database = backing(log)
    database.insert("general:a", [b"1"])
    database.flushdb()

    assert database.keys("*") == []
    assert len(log) == 2


# -- damage -------------------------------------------------------------------


def fill_of(order: str) -> list[bytes]:
    return [msgspec.msgpack.encode({"type": "OrderFilled", "client_order_id": order})]


def other_event(kind: str = "OrderAccepted") -> list[bytes]:
    return [msgspec.msgpack.encode({"type": kind})]


class Clock:
    now_ns = 0


def written() -> WriteLog:
    """What a node writes that accepts an order, fills it twice, and fills another."""
    log, clock = WriteLog(), Clock()
    database = Backing(log, PREFIX, lambda: clock.now_ns)
    for at_ns, key, payload in (
        (1, "orders:O-1", other_event()),
        (2, "accounts:A", [b"x"]),
        (2, "orders:O-1", fill_of("O-1")),
        (2, "index:orders_open", [b"O-1"]),
        (2, "positions:P-1", [b"x"]),
        (3, "orders:O-1", fill_of("O-1")),
        (3, "positions:P-1", [b"y"]),
        (3, "orders:O-2", fill_of("O-2")),
        (3, "positions:P-1", [b"z"]),
        (4, "orders:O-1", other_event("OrderUpdated")),
    ):
        clock.now_ns = at_ns
        database.insert(key, payload)
    return log


def test_a_stale_log_lacks_what_was_written_since():
    log = written()

    assert log.lose_since(3) == 5
    assert [write.at_ns for write in log.writes] == [1, 2, 2, 2, 2]
    assert log.lose_since(3) == 0


def test_a_torn_log_breaks_off_inside_the_last_fill_of_an_order():
    log = written()

    log.tear("O-1", 1)

    assert len(log) == 6
    assert log.writes[-1].key == "orders:O-1"
    assert log.writes[-1].at_ns == 3


def test_the_writes_of_a_fill_end_where_another_event_begins():
    log = written()

    assert log.last_fill("O-1") == range(5, 7)
    assert [is_fill(write) for write in log.writes].count(True) == 3
    with pytest.raises(LookupError, match="order O-3 was not filled"):
        log.last_fill("O-3")


def test_a_fill_that_is_kept_whole_is_not_torn():
    with pytest.raises(LookupError, match="its last fill made only 2 writes"):
        written().tear("O-1", 2)
    with pytest.raises(LookupError, match="order O-3 was not filled"):
        written().tear("O-3", 1)


def test_purged_orders_are_those_that_the_node_deleted():
    log = written()
    database = backing(log)
    database.delete_order("O-1")
    database.delete("index:orders", [b"O-2"])

    assert log.purged() == ("O-1",)


def test_what_is_lost_on_the_way_is_lost_until_an_instant_or_the_end_of_the_process():
    log, now = WriteLog(), [1]
    database = Backing(log, PREFIX, lambda: now[0])
    log.lose_until(5)
    database.insert("orders:O-1", [b"init"])
    now[0] = 5
    database.update("orders:O-1", [b"accepted"])
    database.insert("orders:O-2", [b"init"])
    assert database.read("orders:O-1") == []
    assert database.read("orders:O-2") == [b"init"]

    log.lose_until(9)
    log.let_go()
    database.insert("orders:O-3", [b"init"])
    assert database.read("orders:O-3") == [b"init"]


def test_a_database_that_comes_back_may_have_older_data():
    log, now = WriteLog(), [1]
    database = Backing(log, PREFIX, lambda: now[0])
    database.insert("orders:O-1", [b"init"])
    now[0] = 2
    database.update("orders:O-1", [b"accepted"])
    log.stop()
    log.lose_since(2)
    log.start()

    assert database.read("orders:O-1") == [b"init"]
    database.update("orders:O-1", [b"filled"])
    assert database.read("orders:O-1") == [b"init", b"filled"]


def test_a_log_remembers_orders_and_records_and_not_what_each_start_writes():
    log = WriteLog()
    database = backing(log)
    database.insert("instruments:BTCUSDT-PERP.BINANCE", [b"-"])
    database.insert("accounts:A", [b"-"])
    assert not log.remembers
    database.insert("general:a", [b"-"])
    assert log.remembers
