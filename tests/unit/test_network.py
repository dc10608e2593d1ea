"""The network: latency, order, loss; and the transport that stands in for Rust's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from nautilus_trader.core.nautilus_pyo3 import HttpMethod, WebSocketClientError

from sim.clock import NS_PER_MS, NS_PER_SEC
from sim.faults import (
    DelayedFrame,
    DelayedReply,
    FailedRequest,
    GarbledReply,
    LostReply,
    Refusal,
    RefusedHandshake,
    StreamOutage,
)
from sim.process import PROCESS, Process, ProcessExited
from sim.transport.nautilus import (
    InProcessHttpClient,
    WebSocketSettings,
    web_socket_client,
)
from sim.transport.network import NetworkError
from sim.venue import Request
from sim.venue.wire import Response
from tests.unit.network_rig import KEY, LISTEN, TIME, Rig, answered


async def test_a_request_takes_time_each_way():
    rig = Rig()
    response = await rig.network.request(TIME)

    assert response.status == 200
    assert rig.loop.elapsed_ns == 20 * NS_PER_MS
    assert json.loads(response.body)["serverTime"] == (rig.loop.now_ns // NS_PER_MS) - 10


async def test_every_request_is_in_the_trace_without_its_signature():
    rig = Rig()
    await rig.network.request(Request("GET", "/fapi/v1/time", "a=1&signature=abc"))

    assert [(r.kind, r.subject, r.details) for r in rig.trace.rows] == [
        ("request", "nt GET /fapi/v1/time", "a=1 -> 200"),
    ]


@pytest.mark.parametrize(("applied", "calls"), [("never", 0), ("before", 1), ("after", 1)])
async def test_a_failing_request_is_carried_out_or_not(applied: Any, calls: int):
    rig = Rig()
    rig.faults.arm(
        FailedRequest(
            "f", path="/fapi/v1/listenKey", answer=answered(503), applied=applied, count=1
        ),
    )
    response = await rig.network.request(LISTEN)
    await asyncio.sleep(1)

    assert response.status == 503
    assert (rig.venue.next_deadline_ns() is not None) == bool(calls)


async def test_a_truncated_reply_has_half_of_its_body_and_a_good_status():
    rig = Rig()
    rig.faults.arm(GarbledReply("cut", how="truncated", path="/fapi/v1/time", count=1))
    cut, whole = [await rig.network.request(TIME) for _ in range(2)]

    assert (cut.status, whole.status) == (200, 200)
    assert len(cut.body) == len(whole.body) // 2
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut.body)


async def test_the_dead_reach_nobody():
    rig = Rig()
    process = Process("A#0")
    process.alive = False
    token = PROCESS.set(process)
    try:
        with pytest.raises(ProcessExited):
            await rig.network.request(TIME)
        with pytest.raises(ProcessExited):
            await rig.network.open_stream("/ws", "nt", lambda _: None, lambda: None)
    finally:
        PROCESS.reset(token)
    await asyncio.sleep(1)

    assert rig.trace.rows == []


async def test_frames_arrive_in_the_order_they_were_sent():
    rig = Rig((1, 50 * NS_PER_MS))
    await rig.stream()
    for number in range(20):
        rig.trade(number)
    await asyncio.sleep(1)

    arrived = [at_ns for at_ns, _ in rig.frames]
    assert len(arrived) == 60
    assert arrived == sorted(arrived)
    assert [event for _, event in rig.frames[:3]] == [
        "ORDER_TRADE_UPDATE",
        "ACCOUNT_UPDATE",
        "ORDER_TRADE_UPDATE",
    ]


async def test_a_late_frame_is_overtaken():
    rig = Rig()
    await rig.stream()
    rig.faults.arm(
        DelayedFrame("late", by_ns=NS_PER_SEC, event="ORDER_TRADE_UPDATE", execution="NEW", count=1)
    )
    rig.trade()
    await asyncio.sleep(2)

    assert [event for _, event in rig.frames] == [
        "ACCOUNT_UPDATE",
        "ORDER_TRADE_UPDATE",
        "ORDER_TRADE_UPDATE",
    ]


async def test_nothing_is_replayed_to_a_new_connection():
    rig = Rig()
    socket = await rig.stream()
    socket.close()
    rig.trade(1)
    await rig.stream()
    await asyncio.sleep(1)
    assert rig.frames == []

    rig.trade(2)
    await asyncio.sleep(1)
    assert len(rig.frames) == 3


async def test_what_is_on_the_wire_when_a_connection_ends_is_lost():
    rig = Rig()
    await rig.stream()
    rig.trade()
    assert rig.network.cut_streams() == 1
    await asyncio.sleep(1)

    assert rig.frames == []
    assert len(rig.closed_ns) == 1


async def test_streams_are_refused_during_an_outage():
    rig = Rig()
    rig.faults.arm(StreamOutage("outage", until_ns=rig.loop.now_ns + NS_PER_SEC))
    with pytest.raises(NetworkError, match="refused"):
        await rig.stream()
    await asyncio.sleep(1)
    assert await rig.stream()


async def test_the_venue_closes_the_streams_of_a_deleted_key():
    rig = Rig()
    socket = await rig.stream()
    await rig.network.request(Request("DELETE", "/fapi/v1/listenKey", headers=KEY))
    await asyncio.sleep(1)

    assert not socket.is_open
    assert len(rig.closed_ns) == 1


async def test_an_expiring_key_is_announced_at_its_time():
    rig = Rig()
    await rig.stream()
    started = rig.loop.now_ns
    await asyncio.sleep(3700)

    assert [event for _, event in rig.frames] == ["listenKeyExpired"]
    assert (rig.frames[0][0] - started) // NS_PER_SEC in (3599, 3600)


async def test_the_sockets_of_a_process_go_with_it():
    rig = Rig()
    process = Process("victim")

    async def open_in_process() -> Any:
        PROCESS.set(process)
        return await rig.stream()

    mine = await rig.stream()
    its = await asyncio.create_task(open_in_process())
    rig.network.drop_process(process)

    assert mine.is_open
    assert not its.is_open


async def test_a_request_that_was_sent_arrives_after_its_sender_died():
    rig = Rig()
    process = Process("victim")

    async def send() -> None:
        PROCESS.set(process)
        await rig.network.request(LISTEN)

    task = asyncio.create_task(send())
    await asyncio.sleep(0.005)
    process.alive = False
    await asyncio.sleep(1)

    assert rig.venue.next_deadline_ns() is not None
    process.alive = True  # or the test's own loop could never end the task
    task.cancel()


# -- what stands in for NautilusTrader's Rust clients -----------------------------


async def test_the_http_client_speaks_bytes():
    rig = Rig()
    client = InProcessHttpClient(rig.network)
    reply = await client.request(HttpMethod.GET, "http://venue.invalid/fapi/v1/time")

    assert reply.status == 200
    assert b"serverTime" in reply.body
    assert "X-MBX-USED-WEIGHT-1M" in reply.headers


async def connect(
    rig: Rig, handler: Callable[[bytes], None], post_reconnection: Callable[[], None] | None = None
) -> Any:
    key = await rig.listen_key()
    return await web_socket_client(rig.network).connect(
        config=WebSocketSettings(url=f"ws://venue.invalid/private/ws?listenKey={key}"),
        handler=handler,
        post_reconnection=post_reconnection,
    )


async def test_a_cut_stream_reconnects_at_once_and_says_so_afterwards():
    rig = Rig()
    frames: list[bytes] = []
    reconnected: list[int] = []
    client = await connect(rig, frames.append, lambda: reconnected.append(rig.loop.elapsed_ns))
    cut_ns = rig.loop.elapsed_ns
    rig.network.cut_streams()
    await asyncio.sleep(1)
    rig.trade()
    await asyncio.sleep(1)

    assert [at_ns - cut_ns for at_ns in reconnected] == [10 * NS_PER_MS]
    assert client.is_active()
    assert len(frames) == 3


async def test_reconnection_backs_off_while_the_venue_refuses():
    rig = Rig()
    reconnected: list[float] = []
    client = await connect(rig, lambda raw: None, lambda: reconnected.append(rig.loop.time()))
    rig.faults.arm(StreamOutage("outage", until_ns=rig.loop.now_ns + 10 * NS_PER_SEC))
    cut = rig.loop.time()
    rig.network.cut_streams()
    await asyncio.sleep(1)
    assert client.is_reconnecting()
    await asyncio.sleep(60)

    # 0, then after 2, 3, 4.5 and 6.75 s, each try 10 ms long: the first past 10 s succeeds.
    assert [round(at - cut, 3) for at in reconnected] == [16.3]


async def test_a_try_to_reconnect_is_given_up_after_ten_seconds():
    rig = Rig()
    reconnected: list[float] = []
    await connect(rig, lambda raw: None, lambda: reconnected.append(rig.loop.time()))
    hangs = Refusal(after_ns=60 * NS_PER_SEC)
    rig.faults.arm(RefusedHandshake("hangs", refusal=hangs, count=2))
    cut = rig.loop.time()
    rig.network.cut_streams()
    await asyncio.sleep(60)

    # Two tries of 10 s, with pauses of 2 and 3 s after them, and one of 10 ms.
    assert [round(at - cut, 3) for at in reconnected] == [25.01]
    assert len(rig.venue.connections()) == 1


async def test_a_disconnected_client_stays_disconnected():
    rig = Rig()
    client = await connect(rig, lambda raw: None)
    rig.faults.arm(StreamOutage("outage", until_ns=rig.loop.now_ns + 10 * NS_PER_SEC))
    rig.network.cut_streams()
    await asyncio.sleep(1)
    await client.disconnect()
    await asyncio.sleep(60)

    assert client.is_closed()
    assert not client.is_active()


async def test_a_refused_first_connection_raises_what_the_adapter_catches():
    rig = Rig()
    rig.faults.arm(StreamOutage("outage", until_ns=rig.loop.now_ns + 10 * NS_PER_SEC))
    with pytest.raises(WebSocketClientError):
        await connect(rig, lambda raw: None)


# -- lost replies, and what is pending ---------------------------------------------


@pytest.mark.parametrize(
    ("applied", "known_then", "known_in_the_end"),
    [("never", False, False), ("before", True, True), ("after", False, True)],
)
async def test_the_reply_of_a_request_is_lost(
    applied: Any, known_then: bool, known_in_the_end: bool
):
    rig = Rig()
    rig.faults.arm(
        LostReply(
            "lost",
            path="/fapi/v1/listenKey",
            after_ns=NS_PER_SEC,
            applied=applied,
            count=1,
        )
    )
    sent_ns = rig.loop.now_ns

    with pytest.raises(NetworkError, match="connection reset"):
        await rig.network.request(LISTEN)

    assert rig.loop.now_ns - sent_ns == NS_PER_SEC + 20 * NS_PER_MS
    assert (rig.venue.streams.live_key("main") is not None) == known_then
    await asyncio.sleep(1)
    assert (rig.venue.streams.live_key("main") is not None) == known_in_the_end


async def test_a_request_is_pending_until_it_is_answered():
    rig = Rig()
    asking = asyncio.ensure_future(rig.network.request(TIME))
    assert rig.network.pending() is None
    await asyncio.sleep(0.001)
    assert rig.network.pending() == "1 requests are not answered"
    await asking
    assert rig.network.pending() is None
    (read,) = rig.network.reads
    assert read.ended_ns == rig.loop.now_ns


async def test_orders_and_listen_keys_are_no_reads():
    rig = Rig()
    for method, path in (("POST", "order"), ("POST", "listenKey"), ("PUT", "listenKey")):
        await rig.network.request(Request(method, f"/fapi/v1/{path}", headers=KEY))

    assert rig.network.reads == []


async def test_events_are_pending_until_the_last_copy_has_arrived():
    rig = Rig()
    await rig.stream()
    rig.faults.arm(DelayedFrame("late", by_ns=NS_PER_SEC, count=1))
    rig.trade()
    rig.network.flush()
    await asyncio.sleep(0.9)
    assert rig.network.pending() == "events are on the way"
    await asyncio.sleep(0.2)
    assert rig.network.pending() is None


async def test_a_dead_process_is_told_nothing():
    rig = Rig()
    process = Process("A#0")
    rig.faults.arm(LostReply("lost", path=TIME.path, after_ns=0, applied="never", count=1))

    async def ask() -> None:
        PROCESS.set(process)
        await rig.network.request(TIME)

    asking = asyncio.ensure_future(ask())
    await asyncio.sleep(0.001)
    process.alive = False
    await asyncio.sleep(1)

    assert not asking.done()
    assert rig.network.pending() is None

    process.alive = True  # so that the loop can end its task
    asking.cancel()


async def test_a_late_reply_says_what_was_true_when_it_was_made():
    rig = Rig()
    rig.faults.arm(DelayedReply("late", path=LISTEN.path, by_ns=NS_PER_SEC, count=1))
    sent_ns = rig.loop.now_ns

    response = await rig.network.request(LISTEN)

    assert rig.loop.now_ns - sent_ns == NS_PER_SEC + 20 * NS_PER_MS
    assert json.loads(response.body)["listenKey"] == rig.venue.streams.live_key("main")


@pytest.mark.parametrize(
    ("status", "secs", "wait_secs"),
    [
        pytest.param(429, 7, 7, id="as it says"),
        pytest.param(418, 7, 7, id="a ban as it says"),
        pytest.param(429, None, 60, id="until weights are counted anew"),
        pytest.param(418, None, 120, id="the shortest ban"),
        pytest.param(503, None, 0, id="an error that asks for nothing"),
    ],
)
async def test_how_long_an_answer_asks_to_stay_away(status: int, secs: int | None, wait_secs: int):
    rig = Rig()
    headers = () if secs is None else (("Retry-After", str(secs)),)
    rig.faults.arm(FailedRequest("f", answer=lambda _: Response(status, headers), count=1))
    await rig.network.request(TIME)
    await rig.network.request(TIME)
    assert [read.wait_ns for read in rig.network.reads] == [wait_secs * NS_PER_SEC, 0]
