"""Faults of answers, of the gateway's clock, of the queue and of limits."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from sim.clock import NS_PER_SEC
from sim.faults import (
    Alteration,
    AlteredHeader,
    AlteredReply,
    Faults,
    GarbledReply,
    QueuedOrders,
    Throttled,
)
from sim.observation import Impairment
from sim.venue.clocks import Skew
from sim.venue.config import VenueConfig
from sim.venue.replies import ERROR_REPLIES, response_of
from sim.venue.wire import Request, Response
from tests.unit.network_rig import TIME, Rig
from tests.unit.venue.test_venue_replies import order

INFO = Request("GET", "/fapi/v1/exchangeInfo")


def faults_at(now_ns: int = 0) -> Faults:
    return Faults(lambda: now_ns, lambda fault, what: None)


# -- bodies and headers


@pytest.mark.parametrize(
    ("how", "body"),
    [
        ("truncated", b'{"a":'),
        ("empty", b""),
        ("html", b"<!DOCTYPE html>"),
        ("text", b"ok"),
        ("not-json", b"[object Object]"),
        ("garbage", b"\x1f\x8b"),
    ],
)
def test_what_arrives_in_place_of_an_answer(how: Any, body: bytes):
    own = Response(200, (("Content-Type", "application/json"), ("X", "1")), b'{"a":[1,2]}')
    faults = faults_at()
    faults.arm(GarbledReply("g", how=how, path="/fapi/v1/exchangeInfo", count=1))
    arrived = faults.on_response(INFO, own, 0)

    assert arrived.status == 200
    assert arrived.body.startswith(body)
    assert arrived.body != own.body
    assert ("X", "1") in arrived.headers
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        msgspec.json.decode(arrived.body)


@pytest.mark.parametrize(
    ("path", "change", "value", "after"),
    [
        ("s.0.tif", "append", "RPI", {"s": [{"tif": ["GTC", "RPI"], "n": 1}, {"n": 2}]}),
        ("s.*.n", "set", "", {"s": [{"tif": ["GTC"], "n": ""}, {"n": ""}]}),
        ("s.1", "drop", None, {"s": [{"tif": ["GTC"], "n": 1}]}),
        ("s.*", "drop", None, {"s": []}),
        ("s.0.tif", "drop", None, {"s": [{"n": 1}, {"n": 2}]}),
        ("s.0.n", "set", {"new": [1]}, {"s": [{"tif": ["GTC"], "n": {"new": [1]}}, {"n": 2}]}),
        ("s.7.n", "set", 1, None),
        ("nothing", "set", 1, None),
        ("s.0.n", "append", 1, None),
    ],
)
def test_a_field_is_altered_where_its_path_leads(path: str, change: Any, value: Any, after: Any):
    own = Response(200, (), b'{"s":[{"tif":["GTC"],"n":1},{"n":2}]}')
    fault = AlteredReply("a", alter=Alteration(tuple(path.split(".")), change, value), count=1)
    faults = faults_at()
    faults.arm(fault)
    arrived = faults.on_response(INFO, own, 0)

    if after is None:  # a path that leads nowhere is no act
        assert arrived is own
        assert not fault.activations
    else:
        assert msgspec.json.decode(arrived.body) == after
        assert fault.activations == 1


def test_an_error_is_not_altered():
    refusal = Response(400, (), b'{"code":-1,"msg":"no"}')
    faults = faults_at()
    faults.arm(AlteredReply("a", alter=Alteration(("msg",), "set", "yes")))

    assert faults.on_response(INFO, refusal, 0) is refusal


@pytest.mark.parametrize(
    ("value", "after"), [("-1", (("W", "-1"), ("X", "1"))), (None, (("X", "1"),))]
)
def test_a_header_is_changed_or_left_out(value: str | None, after: Any):
    own = Response(200, (("W", "17"), ("X", "1")), b"{}")
    faults = faults_at()
    faults.arm(AlteredHeader("h", header="w", value=value))

    assert faults.on_response(INFO, own, 0).headers == after
    assert faults.on_response(INFO, Response(200, (), b"{}"), 0).headers == ()


async def test_an_answer_may_be_altered_and_then_break_off():
    rig = Rig()
    rig.faults.arm(AlteredReply("a", alter=Alteration(("serverTime",), "set", 1)))
    rig.faults.arm(GarbledReply("g", how="truncated"))
    answer = await rig.network.request(TIME)

    assert answer.body == b'{"server'
    assert [row.mark for row in rig.trace.rows] == ["fault"]


# -- the gateway's clock


def skewed(rig: Rig, secs: float, *, told_only: bool = False) -> list[Request]:
    acted: list[Request] = []
    rig.venue.clock.begin(Skew(int(secs * NS_PER_SEC), acted.append, told_only=told_only))
    return acted


@pytest.mark.parametrize(
    ("secs", "text"),
    [
        (6, "Timestamp for this request is outside of the recvWindow."),
        (-2, "Timestamp for this request was 1000ms ahead of the server's time."),
    ],
)
async def test_a_wrong_clock_refuses_what_is_right(secs: float, text: str):
    rig = Rig()
    acted = skewed(rig, secs)
    answer = await rig.network.request(order(rig))

    assert msgspec.json.decode(answer.body) == {"code": -1021, "msg": text}
    assert rig.venue.orders() == ()
    assert [request.path for request in acted] == ["/fapi/v1/order"]
    told_ms = msgspec.json.decode((await rig.network.request(TIME)).body)["serverTime"]
    assert round((told_ms - rig.loop.now_ns / 1e6) / 1000) == secs


async def test_a_clock_that_is_hardly_wrong_changes_no_answer_to_an_order():
    rig = Rig()
    acted = skewed(rig, 2)

    assert (await rig.network.request(order(rig))).status == 200
    assert acted == []
    # What happens to orders has the matching engine's time.
    assert abs(rig.venue.orders()[0].created_ns - rig.loop.now_ns) < NS_PER_SEC


async def test_a_clock_may_only_tell_a_wrong_time():
    rig = Rig()
    acted = skewed(rig, 60, told_only=True)

    assert (await rig.network.request(order(rig))).status == 200
    assert acted == []
    await rig.network.request(TIME)
    assert len(acted) == 1


async def test_skews_add_up_and_end():
    rig = Rig()
    one = Skew(4 * NS_PER_SEC, lambda _: None)
    rig.venue.clock.begin(one)
    skewed(rig, 4)
    assert (await rig.network.request(order(rig))).status == 400

    rig.venue.clock.end(one)
    assert (await rig.network.request(order(rig))).status == 200


# -- the queue before the matching engine


async def test_an_order_waits_in_the_queue_and_is_carried_out():
    rig = Rig()
    rig.faults.arm(QueuedOrders("q", by_ns=3 * NS_PER_SEC, count=1))
    began_ns = rig.loop.now_ns
    answer = await rig.network.request(order(rig))

    assert answer.status == 200
    assert rig.loop.now_ns - began_ns > 3 * NS_PER_SEC
    assert rig.venue.orders()[0].created_ns - began_ns > 3 * NS_PER_SEC
    assert rig.faults.impairments()[0].kind == "command"


@pytest.mark.parametrize(("window_ms", "status"), [(5000, 400), (9000, 200)])
async def test_what_waits_longer_than_its_window_never_was(window_ms: int, status: int):
    rig = Rig()
    rig.faults.arm(QueuedOrders("q", by_ns=6 * NS_PER_SEC, count=1))
    answer = await rig.network.request(order(rig, recvWindow=window_ms))

    assert answer.status == status
    assert len(rig.venue.orders()) == (status == 200)
    if status == 400:
        assert msgspec.json.decode(answer.body) == {
            "code": -5028,
            "msg": "Timestamp for this request is outside of the ME recvWindow.",
        }


async def test_reads_do_not_wait_in_the_queue():
    rig = Rig()
    rig.faults.arm(QueuedOrders("q", by_ns=60 * NS_PER_SEC))
    await rig.network.request(TIME)
    await rig.listen_key()

    assert rig.loop.elapsed_ns < NS_PER_SEC
    assert not rig.faults.all[0].activations


# -- limits


def throttled(**more: Any) -> Throttled:
    def answer(now_ns: int, is_banned: bool, left_ns: int) -> Response:
        reply = ERROR_REPLIES["banned" if is_banned else "too-many-requests"]
        return response_of(reply, VenueConfig(), now_ns, left_ns // NS_PER_SEC)

    given = {"escalates_after": 2, "ban_ns": 60 * NS_PER_SEC, "until_ns": 20 * NS_PER_SEC}
    return Throttled("t", answer=answer, **given | more)


def test_who_goes_on_asking_is_banned_whatever_the_next_is_about():
    fault = throttled(method="GET")
    post = Request("POST", "/fapi/v1/order")
    asked = [(INFO, 1), (post, 2), (INFO, 3), (INFO, 5), (post, 6), (INFO, 64), (INFO, 66)]
    got = []
    for request, secs in asked:
        at_ns = secs * NS_PER_SEC
        answer = fault.on_request(request, at_ns) if fault.is_armed(at_ns) else None
        got.append(
            answer and (answer.response.status, dict(answer.response.headers)["Retry-After"])
        )

    assert got == [(429, "19"), None, (429, "17"), (418, "60"), (418, "59"), (418, "1"), None]
    assert fault.impairments[0] == Impairment("read", NS_PER_SEC, 20 * NS_PER_SEC)
    assert fault.impairments[-1].until_ns == 65 * NS_PER_SEC


def test_without_escalation_it_is_429_to_the_end():
    fault = throttled(escalates_after=None)
    answers = [fault.on_request(INFO, NS_PER_SEC) for _ in range(50)]

    assert {answer.response.status for answer in answers} == {429}


async def test_the_ban_says_when_it_ends():
    rig = Rig()
    rig.faults.arm(throttled(escalates_after=1, until_ns=rig.loop.now_ns + 20 * NS_PER_SEC))
    first = await rig.network.request(TIME)
    banned = await rig.network.request(TIME)
    await asyncio.sleep(61)

    assert (first.status, banned.status) == (429, 418)
    until_ms = int(msgspec.json.decode(banned.body)["msg"].split()[7].rstrip("."))
    assert 0 < rig.loop.now_ns // 1_000_000 - until_ms < 2000
    assert (await rig.network.request(TIME)).status == 200
