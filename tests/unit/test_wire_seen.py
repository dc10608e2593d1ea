"""What a process over sockets has told, put together: what it held, and what was purged."""

from __future__ import annotations

from sim.observation import NodeEvent, State
from sim.wire.seen import Seen


def event(name: str) -> NodeEvent:
    return NodeEvent(1, "OrderAccepted", "main", "BTCUSDT", name, "7", status="ACCEPTED")


def test_what_was_shown_and_is_not_held_is_purged():
    seen = Seen("A#0", 0, 0, 0)
    seen.take("event", 0, event("O-1"))
    seen.come_to_rest(State())

    assert seen.observed("A", {}, 9).purged == ("O-1",)


def test_what_only_the_final_read_finds_is_not_purged_but_unknown():
    seen = Seen("A#0", 0, 0, 0)
    seen.come_to_rest(State())
    seen.take("event", 0, event("W-1"))
    observed = seen.observed("A", {}, 9)

    assert observed.purged == ()
    assert observed.events == ()
    assert observed.final_read == (event("W-1"),)
