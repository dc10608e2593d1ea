"""The write log: rules 1 to 3 of `sim.database`."""

from __future__ import annotations

import msgspec

from sim.database import Backing, WriteLog

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
