"""The stream half of the network: dead paths, frames held back, closes, and verdicts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sim.clock import NS_PER_MS, NS_PER_SEC
from sim.faults import (
    DelayedFrame,
    DroppedFrame,
    DuplicatedFrame,
    HeldFrames,
    Refusal,
    RefusedHandshake,
    ReorderedFrames,
)
from sim.transport.network import NetworkError
from sim.transport.streams import StreamNetwork
from sim.venue import VenueInvariantError
from tests.unit.network_rig import Rig

MINUTE = 60.0


def names(rig: Rig) -> list[str]:
    return [name for _, name in rig.frames]


TRADE = ["ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
"""What a market order makes."""


# -- dead paths


async def test_on_a_dead_path_nothing_passes_and_nobody_is_told():
    rig = Rig()
    socket = await rig.stream()
    rig.trade(1)  # on its way when the path dies
    rig.network.cut_off([socket])
    rig.trade(2)
    socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
    await asyncio.sleep(MINUTE)
    assert rig.frames == []
    assert socket.is_open
    rig.network.reconnect([socket])
    rig.trade(3)
    await asyncio.sleep(1)
    assert names(rig) == TRADE
    assert rig.network.deliveries.verdicts == {"lost": 6, "delivered": 3}
    rig.network.check_invariants()


async def test_the_venue_gives_a_dead_connection_up_and_the_client_hears_of_it_later():
    rig = Rig()
    socket = await rig.stream()
    gives_up_ns = rig.network.cut_off([socket])
    assert gives_up_ns == rig.loop.now_ns + 13 * 60 * NS_PER_SEC
    await asyncio.sleep(13 * MINUTE - 0.001)
    assert len(rig.venue.connections()) == 1
    await asyncio.sleep(0.002)
    assert rig.venue.connections() == ()
    await asyncio.sleep(MINUTE)
    assert rig.closed_ns == []
    rig.network.reconnect([socket])
    await asyncio.sleep(0.001)
    assert len(rig.closed_ns) == 1
    assert (socket.is_open, socket.close_code) == (False, 1006)


async def test_the_close_of_a_client_on_a_dead_path_does_not_reach_the_venue():
    rig = Rig()
    socket = await rig.stream()
    rig.network.cut_off([socket])
    socket.close()
    assert len(rig.venue.connections()) == 1
    rig.trade()
    rig.network.reconnect([socket])
    await asyncio.sleep(14 * MINUTE)
    assert rig.network.deliveries.verdicts == {"lost": 3}
    rig.network.check_invariants()


async def test_what_costs_nothing_is_not_scheduled():
    rig = Rig()
    await rig.stream()
    before = len(rig.trace.rows)
    await asyncio.sleep(50 * MINUTE)
    assert len(rig.trace.rows) == before
    assert len(rig.venue.connections()) == 1


# -- closes


async def test_a_client_is_told_the_code_of_a_close():
    rig = Rig()
    first = await rig.stream()
    await asyncio.sleep(24 * 60 * MINUTE)
    assert first.is_open
    await asyncio.sleep(1)
    assert (first.is_open, first.close_code) == (False, 1001)
    second = await rig.stream()
    for _ in range(11):
        second.send("{}")
    await asyncio.sleep(1)
    assert second.close_code == 1008
    third = await rig.stream()
    rig.network.cut_streams(code=1000)
    assert third.close_code == 1000
    fourth = await rig.stream()
    fourth.close()
    assert fourth.close_code is None


@pytest.mark.parametrize(
    ("refusal", "message", "took_ns"),
    [
        (Refusal(), "connection refused", 0),
        (Refusal(503, 5 * NS_PER_SEC), "HTTP 503", 5 * NS_PER_SEC),
    ],
)
async def test_a_handshake_fails(refusal: Refusal, message: str, took_ns: int):
    rig = Rig()
    rig.faults.arm(RefusedHandshake("r", refusal=refusal, count=1))
    key, asked_ns = await rig.listen_key(), rig.loop.now_ns
    with pytest.raises(NetworkError, match=message):
        await rig.network.open_stream(f"/ws/{key}", "nt", lambda _: None, lambda: None)
    assert rig.loop.now_ns - asked_ns == took_ns + 10 * NS_PER_MS
    assert rig.venue.connections() == ()


async def test_a_stream_with_a_dead_key_is_opened_and_says_nothing():
    rig = Rig()
    rig.faults.arm(RefusedHandshake("r", refusal=Refusal(is_dead=True), count=1))
    socket = await rig.stream()
    rig.trade()
    await asyncio.sleep(1)
    assert socket.is_open
    assert rig.frames == []


# -- holding back


async def test_held_frames_arrive_together_and_later_ones_overtake_them():
    rig = Rig()
    await rig.stream()
    until_ns = rig.loop.now_ns + 10 * NS_PER_SEC
    rig.faults.arm(HeldFrames("h", event="ORDER_TRADE_UPDATE", until_ns=until_ns))
    rig.trade(1)
    await asyncio.sleep(5)
    assert names(rig) == ["ACCOUNT_UPDATE"]
    assert rig.network.pending() == "events are on the way"
    await asyncio.sleep(6)
    assert rig.frames[1:] == [(until_ns + 10 * NS_PER_MS, "ORDER_TRADE_UPDATE")] * 2
    assert rig.network.pending() is None
    rig.network.check_invariants()


async def test_the_last_of_so_many_lets_all_go():
    rig = Rig()
    await rig.stream()
    rig.faults.arm(HeldFrames("h", count=5))
    rig.trade(1)
    await asyncio.sleep(5)
    assert rig.frames == []
    rig.trade(2)
    await asyncio.sleep(1)
    assert names(rig) == TRADE * 2


async def test_what_is_still_held_can_be_let_go():
    rig = Rig()
    await rig.stream()
    rig.faults.arm(HeldFrames("h", count=99))
    rig.trade(1)
    rig.network.release_all()
    await asyncio.sleep(1)
    assert names(rig) == TRADE
    assert rig.network.pending() is None


async def test_a_reordered_stretch_arrives_at_its_end():
    rig = Rig()
    await rig.stream()
    rig.faults.arm(
        ReorderedFrames("r", window_ns=NS_PER_SEC, order="reversed", within_type=False, count=1)
    )
    rig.trade(1)
    await asyncio.sleep(0.9)
    assert rig.frames == []
    await asyncio.sleep(1)
    assert names(rig) == TRADE[::-1]
    rig.trade(2)
    await asyncio.sleep(1)
    assert names(rig)[3:] == TRADE
    rig.network.check_invariants()


async def test_frames_held_for_a_connection_that_ends_are_lost():
    rig = Rig()
    socket = await rig.stream()
    rig.faults.arm(HeldFrames("h", until_ns=rig.loop.now_ns + NS_PER_SEC))
    rig.trade(1)
    socket.close()
    await asyncio.sleep(2)
    assert rig.network.deliveries.verdicts == {"lost": 3}
    rig.network.check_invariants()


# -- frames of the world, and verdicts


async def test_a_frame_that_the_venue_has_not_sent_arrives_in_its_turn():
    rig = Rig()
    socket = await rig.stream()
    rig.trade()
    rig.network.inject(socket, '{"e":"STRATEGY_UPDATE"}', "STRATEGY_UPDATE")
    await asyncio.sleep(1)
    assert names(rig) == [*TRADE, "STRATEGY_UPDATE"]
    assert rig.network.deliveries.verdicts == {"delivered": 3}
    rig.network.inject(socket, "{", "")
    socket.close()
    await asyncio.sleep(1)
    assert len(rig.frames) == 4


async def test_each_fate_of_a_frame_is_a_verdict():
    rig = Rig()
    await rig.stream()
    rig.faults.arm(DroppedFrame("d", event="ACCOUNT_UPDATE", count=1))
    rig.faults.arm(DuplicatedFrame("c", copies=2, by_ns=NS_PER_SEC, execution="TRADE", count=1))
    rig.faults.arm(DelayedFrame("l", by_ns=NS_PER_SEC, execution="NEW", count=1))
    rig.trade()
    await asyncio.sleep(5)
    assert len(rig.frames) == 4
    assert rig.network.deliveries.verdicts == {"dropped": 1, "delivered": 2}
    rig.network.check_invariants()


@pytest.mark.parametrize("lost", ["_carry", "_deliver"])
async def test_a_frame_that_the_network_forgets_is_found(lost: str, monkeypatch: Any):
    rig = Rig()
    await rig.stream()
    monkeypatch.setattr(StreamNetwork, lost, lambda *_: None)
    rig.trade()
    await asyncio.sleep(1)
    with pytest.raises(VenueInvariantError):
        rig.network.check_invariants()
