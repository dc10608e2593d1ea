"""One verdict for each event and connection."""

from __future__ import annotations

import pytest

from sim.transport.deliveries import Deliveries
from sim.venue import Frame, VenueInvariantError


def frame(sequence: int = 1, connection_id: int = 1, time_ns: int = 0) -> Frame:
    return Frame(connection_id, sequence, "{}", "main", "ACCOUNT_UPDATE", time_ns)


def travel(ways: Deliveries, each: Frame, *, arrives: bool = True, in_order: bool = True) -> None:
    ways.sent(each)
    ways.on_the_way(each, 1, 0)
    ways.ends(each, arrives=arrives, in_order=in_order)


def test_verdicts_are_counted_and_nothing_is_kept():
    ways = Deliveries()
    travel(ways, frame(1))
    travel(ways, frame(2), arrives=False)
    ways.sent(frame(3))
    ways.settle(frame(3), "dropped")
    assert ways.verdicts == {"delivered": 1, "lost": 1, "dropped": 1}
    ways.check(sent=3, now_ns=0)


def test_a_frame_that_arrives_more_than_once_is_delivered_once():
    ways = Deliveries()
    ways.sent(frame())
    ways.on_the_way(frame(), 2, 10)
    ways.ends(frame(), arrives=True, in_order=False)
    assert not ways.verdicts
    ways.ends(frame(), arrives=False, in_order=False)
    assert ways.verdicts == {"delivered": 1}


def test_a_connection_that_ends_loses_what_is_on_its_way():
    ways = Deliveries()
    for sequence in (1, 2):
        ways.sent(frame(sequence))
        ways.on_the_way(frame(sequence), 2, 10)
    ways.ends(frame(1), arrives=True, in_order=False)
    ways.lose(1)
    assert ways.verdicts == {"delivered": 1, "lost": 1}
    ways.check(sent=2, now_ns=20)


def test_a_second_verdict_is_a_bug():
    ways = Deliveries()
    travel(ways, frame())
    with pytest.raises(VenueInvariantError, match="second verdict"):
        ways.settle(frame(), "dropped")
    with pytest.raises(VenueInvariantError, match="after its verdict"):
        ways.ends(frame(), arrives=True, in_order=True)


def test_an_event_is_sent_to_a_connection_once_and_in_order():
    ways = Deliveries()
    ways.sent(frame(2))
    ways.sent(frame(2, connection_id=2))
    for sequence in (2, 1):
        with pytest.raises(VenueInvariantError, match="sent after event 2"):
            ways.sent(frame(sequence))


def test_what_no_fault_has_touched_arrives_in_the_order_of_its_times():
    ways = Deliveries()
    travel(ways, frame(1, time_ns=20))
    travel(ways, frame(2, time_ns=10), in_order=False)
    travel(ways, frame(3, connection_id=2, time_ns=10))
    travel(ways, frame(4, time_ns=20))
    with pytest.raises(VenueInvariantError, match="arrived after a later one"):
        travel(ways, frame(5, time_ns=19))


def test_a_frame_without_a_verdict_is_found():
    ways = Deliveries()
    ways.sent(frame())
    ways.on_the_way(frame(), 1, 10)
    ways.check(sent=1, now_ns=10)
    with pytest.raises(VenueInvariantError, match="overdue"):
        ways.check(sent=1, now_ns=11)
    with pytest.raises(VenueInvariantError, match="2 frames were sent, 1 have"):
        ways.check(sent=2, now_ns=10)
