"""Requests of the WebSocket API on the network: latency, faults, points, and Rust's stand-in."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from nautilus_trader.core.nautilus_pyo3 import WebSocketClientError

from sim.clock import NS_PER_MS, NS_PER_SEC
from sim.faults import (
    DelayedReply,
    DroppedFrame,
    FailedCall,
    FailedRequest,
    GarbledReply,
    StreamOutage,
    UnansweredCall,
    impaired_by,
)
from sim.process import PROCESS, Process
from sim.scenario.points import parse_point
from sim.transport.nautilus import WebSocketSettings, web_socket_client
from sim.transport.network import NetworkError, Socket
from sim.venue import Request, VenueConfig
from tests.unit.network_rig import ACCOUNT, Rig, answered

URL = "/ws-fapi/v1"
START = {"method": "userDataStream.start", "params": {"apiKey": ACCOUNT.api_key}}


class Line:
    """One connection to the WebSocket API, and what came on it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.answers: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.came_ns: list[int] = []
        self.closed = 0
        self.socket: Socket

    async def open(self) -> Line:
        self.socket = await self.rig.network.open_stream(URL, "nt", self._take, self._end)
        return self

    def _take(self, text: str) -> None:
        self.texts.append(text)
        self.came_ns.append(self.rig.loop.now_ns)

    def _end(self) -> None:
        self.closed += 1

    async def call(self, call: dict[str, Any], sent: int = 1) -> None:
        self.socket.send(json.dumps({"id": sent, **call}))
        await asyncio.sleep(30)

    @property
    def got(self) -> list[tuple[Any, Any]]:
        return [(answer["id"], answer["status"]) for answer in map(json.loads, self.texts)]

    @property
    def is_started(self) -> bool:
        return self.rig.venue.streams.live_key(ACCOUNT.name) is not None


async def line() -> Line:
    return await Line(Rig()).open()


async def test_a_call_and_its_answer_take_a_latency_each():
    here = await line()
    began_ns = here.rig.loop.now_ns
    here.socket.send(json.dumps({"id": 1, **START}))
    assert here.rig.network.pending()
    await asyncio.sleep(0.015)
    assert here.is_started
    assert not here.texts
    assert here.rig.network.pending()
    await asyncio.sleep(1)

    assert here.got == [(1, 200)]
    assert here.came_ns == [began_ns + 20 * NS_PER_MS]
    assert here.rig.network.pending() is None


async def test_calls_and_answers_keep_their_order():
    here = await Line(Rig((NS_PER_MS, 50 * NS_PER_MS))).open()
    for sent in range(20):
        here.socket.send(json.dumps({"id": sent, "method": "session.status"}))
    await asyncio.sleep(1)

    assert [sent for sent, _ in here.got] == list(range(20))
    assert sorted(here.came_ns) == here.came_ns


async def test_an_answer_that_is_late_holds_no_other_up():
    here = await line()
    here.rig.faults.arm(
        FailedCall("x", status=500, code=-1, message="", after_ns=NS_PER_SEC, count=1)
    )
    for sent in range(2):
        here.socket.send(json.dumps({"id": sent, "method": "session.status"}))
    await asyncio.sleep(3)

    assert here.got == [(1, 200), (0, 500)]


async def test_what_is_no_request_is_answered_as_well():
    here = await line()
    here.socket.send("{")
    await asyncio.sleep(1)

    assert here.got == [(None, 400)]


async def test_nothing_comes_on_a_connection_that_is_closed():
    here = await line()
    here.socket.send(json.dumps({"id": 1, **START}))
    await asyncio.sleep(0.015)
    here.socket.close()
    await asyncio.sleep(1)

    assert here.is_started
    assert here.texts == []


# -- faults


@pytest.mark.parametrize(
    ("applied", "answered_ns", "started_ms"),
    [("never", 0, None), ("before", 0, 10), ("after", NS_PER_SEC, 1020)],
)
async def test_a_call_may_fail_whatever_the_venue_does(
    applied: Any, answered_ns: int, started_ms: int | None
):
    here = await line()
    fault = FailedCall(
        "x", call="userDataStream.start", status=503, code=-1008, message="Busy.",
        applied=applied, after_ns=answered_ns, count=1,
    )  # fmt: skip
    here.rig.faults.arm(fault)
    began_ns = here.rig.loop.now_ns
    here.socket.send(json.dumps({"id": "a", **START}))
    while not here.is_started and here.rig.loop.now_ns < began_ns + 2 * NS_PER_SEC:
        await asyncio.sleep(0.001)

    started_ns = here.rig.loop.now_ns - began_ns if here.is_started else None
    assert started_ns == (None if started_ms is None else started_ms * NS_PER_MS)
    await asyncio.sleep(2)
    assert json.loads(here.texts[0]) == {
        "id": "a", "status": 503, "error": {"code": -1008, "msg": "Busy."},
    }  # fmt: skip
    assert [(i.kind, i.until_ns) for i in fault.impairments] == [
        ("stream", fault.impairments[0].from_ns)
    ]
    await here.call(START)
    assert here.got[1:] == [(1, 200)]


@pytest.mark.parametrize("applied", ["never", "before"])
async def test_a_call_may_never_be_answered(applied: Any):
    here = await line()
    here.rig.faults.arm(UnansweredCall("x", applied=applied, count=1))
    await here.call(START)

    assert here.texts == []
    assert here.is_started == (applied == "before")
    assert here.rig.network.pending() is None
    await here.call(START)
    assert here.got == [(1, 200)]


async def test_a_fault_of_one_method_lets_the_others_pass():
    here = await line()
    here.rig.faults.arm(UnansweredCall("x", applied="never", call="session.logon", count=1))
    await here.call(START)

    assert here.got == [(1, 200)]


async def test_faults_of_rest_and_of_events_leave_calls_alone():
    here = await line()
    for fault in (
        FailedRequest("a", answer=answered(500)),
        DelayedReply("b", by_ns=NS_PER_SEC),
        GarbledReply("c", how="empty"),
        DroppedFrame("d"),
    ):
        here.rig.faults.arm(fault)
    await here.call(START)

    assert here.got == [(1, 200)]
    assert [fault.activations for fault in here.rig.faults.all] == [0, 0, 0, 0]


async def test_faults_of_calls_leave_rest_alone():
    rig = Rig()
    rig.faults.arm(UnansweredCall("x", applied="never"))

    assert await rig.listen_key()


async def test_the_api_is_away_and_streams_stand():
    rig = Rig()
    await rig.stream()
    here = await Line(rig).open()
    rig.faults.arm(StreamOutage("x", is_ws_api=True, until_ns=rig.loop.now_ns + NS_PER_SEC))
    assert rig.network.cut_streams(is_ws_api=True) == 1
    await asyncio.sleep(0.1)

    assert (here.closed, rig.closed_ns) == (1, [])
    with pytest.raises(NetworkError, match="refused"):
        await Line(rig).open()
    await rig.stream()
    await asyncio.sleep(1)
    await Line(rig).open()


async def test_streams_are_away_and_the_api_stands():
    rig = Rig()
    await rig.stream()
    here = await Line(rig).open()
    rig.faults.arm(StreamOutage("x", until_ns=rig.loop.now_ns + NS_PER_SEC))
    assert rig.network.cut_streams() == 1
    await Line(rig).open()

    assert (here.closed, len(rig.closed_ns)) == (0, 1)


async def test_a_handshake_that_costs_too_much_is_refused():
    rig = Rig(config=VenueConfig(weight_limit_1m=5))
    await Line(rig).open()

    with pytest.raises(NetworkError, match="429"):
        await Line(rig).open()


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("session.logon", "stream"),
        ("userDataStream.ping", "stream"),
        ("order.place", "command"),
        ("algoOrder.cancel", "command"),
        ("order.status", "read"),
        ("v2/account.position", "read"),
    ],
)
def test_what_a_node_lacks_without_an_answer(method: str, kind: str):
    assert impaired_by(Request("WS", f"{URL}/{method}")) == kind


# -- points


@pytest.mark.parametrize(
    ("moment", "answered"),
    [("before request", 0), ("after request", 0), ("before reply", 0), ("after reply", 1)],
)
async def test_a_call_has_its_points(moment: str, answered: int):
    rig = Rig()
    PROCESS.set(Process("A#0"))
    here = await Line(rig).open()
    seen: list[tuple[bool, int]] = []
    rig.points.arm(
        parse_point(f"{moment} 2 of WS {URL}/userDataStream.start"),
        "x",
        lambda: seen.append((here.is_started, len(here.texts))),
    )
    await here.call(START)
    rig.venue.expire_listen_key(ACCOUNT.name, rig.loop.now_ns, notify=False)
    await here.call(START, 2)

    assert seen == [(moment != "before request", 1 + answered)]


# -- the client that stands in for Rust's


async def test_the_client_reconnects_and_refuses_to_send_meanwhile():
    rig = Rig()
    got: list[Any] = []
    again: list[int] = []
    client = await web_socket_client(rig.network).connect(  # type: ignore[attr-defined]
        config=WebSocketSettings(url=f"ws://venue.invalid{URL}"),
        handler=lambda data: got.append(json.loads(data)["id"]),
        post_reconnection=lambda: again.append(rig.loop.elapsed_ns),
    )
    await client.send_text(json.dumps({"id": "0", **START}).encode())
    await asyncio.sleep(1)
    rig.faults.arm(StreamOutage("x", is_ws_api=True, until_ns=rig.loop.now_ns + NS_PER_SEC))
    rig.network.cut_streams(is_ws_api=True)
    await asyncio.sleep(0.1)

    assert client.is_reconnecting()
    with pytest.raises(WebSocketClientError, match="not active"):
        await client.send_text(b"{}")
    await asyncio.sleep(5)
    assert len(again) == 1
    await client.send_text(json.dumps({"id": "1", **START}).encode())
    await asyncio.sleep(1)
    assert got == ["0", "1"]
