"""A read is answered or refused; it is sent again only where that may help."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from recon.binance import BinanceHttp, BinanceReader, ReadError, WeightBudget, deadline
from sim.clock import VirtualLoop
from sim.faults import DelayedReply, FailedRequest, LostReply
from tests.unit.network_rig import answered
from tests.unit.recon.binance.desk import BASE, SECOND_NS, Desk, access, error

TIME = "/fapi/v1/time"
PATH = "/fapi/v3/positionRisk"


def body(content: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=content)


async def refused(desk: Desk) -> ReadError:
    with pytest.raises(ReadError) as raised:
        await desk.reader.positions()
    return raised.value


async def test_a_signed_read_is_accepted_and_goes_out_once():
    desk = Desk()
    desk.watch(PATH)
    await desk.reader.positions()

    (request,) = desk.seen
    assert request.headers["x-mbx-apikey"] == "main-api-key"
    assert desk.asked("recvWindow") == ["5000"]
    assert request.url.query.rpartition(b"&")[2].startswith(b"signature=")


# -- what is worth another attempt

PASSING: list[tuple[str, Any]] = [
    ("connection reset", httpx.ConnectError("connection reset by peer")),
    ("no route", httpx.ConnectTimeout("too slow")),
    ("broken off", httpx.RemoteProtocolError("peer closed connection")),
    ("system error", OSError("no buffer space")),
    ("500", body(b"", 500)),
    ("502 html", body(b"<html>bad gateway</html>", 502)),
    ("503 throttled", error(503, -1008)),
    ("503 unknown", body(b"Service Unavailable.", 503)),
    ("408", error(408, -1007)),
    ("400 internal", error(400, -1001)),
    ("400 unknown", error(400, -1000)),
    ("truncated", body(b'[{"symbol":"BTCUSDT","positionSide":"BO')),
    ("html", body(b"<!DOCTYPE html><html></html>")),
    ("empty", body(b"")),
    ("garbage", body(bytes(range(256)))),
    ("trailing", body(b"[] []")),
    ("bad gzip", httpx.DecodingError("bad gzip")),
]
passing = pytest.mark.parametrize(
    "answer", [a for _, a in PASSING], ids=[name for name, _ in PASSING]
)


@passing
async def test_what_passes_is_sent_again(answer: Any):
    desk = Desk()
    desk.trade(desk.now_ns - 1)
    desk.answer(PATH, answer, answer)

    assert len((await desk.reader.positions()).legs) == 1
    assert len(desk.seen) == 3
    assert desk.loop.elapsed_ns == 1_500_000_000 + 20_000_000, "half a second, then one"


@passing
async def test_what_does_not_pass_in_three_attempts_is_unknown(answer: Any):
    desk = Desk()
    desk.answer(PATH, then=answer)

    failed = await refused(desk)

    assert len(desk.seen) == 3
    assert failed.what == f"GET {PATH}"
    assert (failed.is_final, failed.not_before_ns) == (False, 0)


async def test_a_request_that_is_not_answered_times_out_and_is_sent_again():
    desk = Desk()
    desk.faults.arm(DelayedReply("late", by_ns=3_600 * SECOND_NS, path=PATH, count=2))
    await desk.reader.positions()

    assert desk.loop.elapsed_ns == (10 + 10) * SECOND_NS + 1_500_000_000 + 20_000_000


async def test_a_lost_reply_is_a_lost_connection():
    desk = Desk()
    desk.faults.arm(LostReply("lost", after_ns=0, applied="never", path=PATH, count=3))

    assert "ConnectError: connection reset by peer" in str(await refused(desk))


# -- what is not

SETTLED: list[tuple[str, Any, bool]] = [
    ("bad key", error(401, -2015, "Invalid API-key, IP, or permissions for action."), True),
    ("malformed key", error(401, -2014), True),
    ("bad signature", error(400, -1022), True),
    ("no such path", error(404, -5000), True),
    ("html 404", body(b"<html></html>", 404), True),
    ("refused by a firewall", body(b"<html></html>", 403), False),
    ("bad symbol", error(400, -1121), False),
    ("another order", error(400, -2013), False),
    ("a redirect", httpx.Response(302, headers={"Location": "http://elsewhere.invalid"}), False),
    ("no list", body(b'{"code":0}'), False),
    ("wrong types", body(b'[{"symbol":1}]'), False),
    ("missing", body(b'[{"symbol":"BTCUSDT"}]'), False),
    ("nothing", body(b"null"), False),
]


@pytest.mark.parametrize(
    ("answer", "is_final"), [row[1:] for row in SETTLED], ids=[row[0] for row in SETTLED]
)
async def test_what_will_not_change_is_asked_once(answer: Any, is_final: bool):
    desk = Desk()
    desk.answer(PATH, then=answer)

    failed = await refused(desk)

    assert len(desk.seen) == 1
    assert failed.is_final is is_final
    assert failed.what == f"GET {PATH}"


async def test_an_error_names_the_call_the_symbol_and_what_the_venue_said():
    desk = Desk()
    with pytest.raises(ReadError) as raised:
        await desk.reader.orders_from("NOUSDT", "1")

    assert str(raised.value) == ("GET /fapi/v1/allOrders NOUSDT: HTTP 400, -1121 Invalid symbol.")


async def test_a_wrong_secret_is_final():
    desk = Desk(access=access(signer=lambda text: "0" * 64))

    assert (await refused(desk)).is_final


# -- limits


async def test_429_is_waited_for_as_long_as_the_venue_says():
    desk = Desk()
    desk.answer(PATH, error(429, -1003, Retry_After="17"))
    await desk.reader.positions()

    assert 17 * SECOND_NS <= desk.loop.elapsed_ns < 18 * SECOND_NS
    assert len(desk.seen) == 2


@pytest.mark.parametrize(
    ("answer", "secs"),
    [(error(429, -1003), 60), (error(400, -1003), 60), (error(418, -1003), 120)],
    ids=["429", "400 -1003", "418"],
)
async def test_without_a_word_how_long_the_default_is_waited(answer: httpx.Response, secs: int):
    desk = Desk(patience_secs=180)
    desk.answer(PATH, answer)
    await desk.reader.positions()

    assert secs * SECOND_NS <= desk.loop.elapsed_ns < (secs + 1) * SECOND_NS


async def test_a_ban_is_obeyed_by_every_read_and_not_waited_for_beyond_patience():
    desk = Desk()
    desk.answer(PATH, error(418, -1003, "Way too many requests", Retry_After="3600"))
    desk.watch("/fapi/v1/order")

    failed = await refused(desk)
    assert failed.not_before_ns - desk.now_ns == pytest.approx(3600 * SECOND_NS, abs=SECOND_NS)
    assert "wants no requests for another 3600 s" in str(failed)
    assert not failed.is_final
    with pytest.raises(ReadError, match="no requests"):
        await desk.reader.order("BTCUSDT", order_id="1")
    assert len(desk.seen) == 1, "a venue that has banned us hears nothing"


async def test_a_read_that_would_overrun_waits_for_the_next_minute():
    desk = Desk(budget=WeightBudget(100, 80))
    desk.watch(PATH)
    for _ in range(19):
        await desk.reader.positions()

    assert len(desk.seen) == 19
    assert desk.loop.elapsed_ns == 60 * SECOND_NS + 20_000_000, "90 of weight are 18 light reads"


async def test_what_the_adapter_uses_is_seen_in_the_answers():
    desk = Desk(budget=WeightBudget(100, 80))
    used = httpx.Response(200, json=[], headers={"X-MBX-USED-WEIGHT-1M": "89"})
    desk.answer(PATH, used)
    desk.answer(TIME, then=httpx.Response(200, json={}, headers=used.headers))
    await desk.reader.positions()
    await desk.reader.positions()

    assert desk.loop.elapsed_ns >= 60 * SECOND_NS


async def test_who_waits_for_the_next_minute_asks_whether_it_has_begun():
    """The venue says that a minute is used up, and then that little is: another has begun."""
    desk = Desk(budget=WeightBudget(100, 80))
    desk.answer(PATH, httpx.Response(200, json=[], headers={"X-MBX-USED-WEIGHT-1M": "89"}))
    await desk.reader.positions()
    desk.watch(TIME)
    await asyncio.gather(desk.reader.positions(), desk.reader.positions())

    assert 15 * SECOND_NS < desk.loop.elapsed_ns < 16 * SECOND_NS
    assert [request.url.path for request in desk.seen] == [PATH, TIME, PATH, PATH]


async def test_the_venues_own_limit_is_met_and_waited_for():
    desk = Desk(weight_limit_1m=20, budget=WeightBudget(2400))
    for _ in range(5):
        await desk.reader.positions()

    assert 60 * SECOND_NS <= desk.loop.elapsed_ns < 61 * SECOND_NS


async def test_many_reads_at_once_never_meet_the_limit():
    desk = Desk(weight_limit_1m=100, budget=WeightBudget(100))
    await asyncio.gather(*(desk.reader.positions() for _ in range(50)))

    assert not any(row.details.endswith("429") for row in desk.trace.rows)
    assert len([row for row in desk.trace.rows if TIME not in row.subject]) == 50
    assert desk.loop.elapsed_ns < 4 * 60 * SECOND_NS


async def test_only_so_many_requests_are_under_way():
    desk = Desk(concurrency=3, latency_ns=SECOND_NS)
    await asyncio.gather(*(desk.reader.positions() for _ in range(9)))

    assert desk.loop.elapsed_ns == 3 * 2 * SECOND_NS


# -- the clock


@pytest.mark.parametrize("ahead_secs", [-60, -6, 2, 3_600])
async def test_a_clock_that_is_off_is_corrected_by_the_venues(ahead_secs: int):
    desk = Desk(ahead_ns=ahead_secs * SECOND_NS)
    desk.watch(TIME)
    first = await desk.reader.positions()
    await asyncio.gather(desk.reader.positions(), desk.reader.open_orders())

    assert len(desk.seen) == 1, "read once, then known"
    asked_ns = first.asked_ns - ahead_secs * SECOND_NS
    assert 0 < desk.now_ns - asked_ns < SECOND_NS, "facts are stamped by the caller's clock"


async def test_many_reads_read_the_clock_once():
    desk = Desk(ahead_ns=-60 * SECOND_NS)
    desk.watch(TIME)
    await asyncio.gather(*(desk.reader.positions() for _ in range(10)))

    assert len(desk.seen) == 1


@pytest.mark.parametrize("answer", [body(b"", 500), body(b"{}"), httpx.ConnectError("no")])
async def test_a_clock_that_cannot_be_read_leaves_the_error(answer: Any):
    desk = Desk(ahead_ns=-60 * SECOND_NS)
    desk.answer(TIME, then=answer)

    assert "-1021" in str(await refused(desk))


# -- deadlines


async def test_a_read_ends_at_its_deadline():
    desk = Desk()
    desk.faults.arm(DelayedReply("late", by_ns=3_600 * SECOND_NS, path=PATH))
    with (
        pytest.raises(ReadError, match="deadline has passed"),
        deadline(desk.now_ns + 3 * SECOND_NS),
    ):
        await desk.reader.positions()

    assert desk.loop.elapsed_ns == 3 * SECOND_NS


async def test_a_read_after_its_deadline_is_not_begun():
    desk = Desk()
    desk.watch(PATH)
    with pytest.raises(ReadError, match="deadline has passed"), deadline(desk.now_ns):
        await desk.reader.positions()

    assert desk.seen == []
    assert (await desk.reader.positions()).legs == {}, "a deadline ends with its block"


async def test_a_wait_past_the_deadline_is_not_begun():
    desk = Desk()
    desk.answer(PATH, error(429, -1003, Retry_After="17"))
    with (
        pytest.raises(ReadError, match="for another 17 s") as raised,
        deadline(desk.now_ns + 10 * SECOND_NS),
    ):
        await desk.reader.positions()

    assert desk.loop.elapsed_ns < SECOND_NS
    assert raised.value.not_before_ns - desk.now_ns == pytest.approx(17e9, abs=1e8)


async def test_of_two_deadlines_the_earliest_counts():
    desk = Desk()
    desk.faults.arm(DelayedReply("late", by_ns=3_600 * SECOND_NS, path=PATH))
    with (
        deadline(desk.now_ns + 2 * SECOND_NS),
        deadline(desk.now_ns + 5 * SECOND_NS),
        pytest.raises(ReadError),
    ):
        await desk.reader.positions()

    assert desk.loop.elapsed_ns == 2 * SECOND_NS


async def test_a_read_that_is_cancelled_frees_its_place():
    desk = Desk(concurrency=1, latency_ns=SECOND_NS)
    reading = asyncio.ensure_future(desk.reader.positions())
    await asyncio.sleep(0.5)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert (await desk.reader.positions()).legs == {}


# -- the same again


def test_two_runs_do_the_same_at_the_same_instants():
    async def run() -> list[tuple[int, str, str]]:
        desk = Desk()
        for status in (500, 429):
            fault = FailedRequest(f"{status}", path=PATH, answer=answered(status, -1003), count=1)
            desk.faults.arm(fault)
        await asyncio.gather(desk.reader.positions(), desk.reader.open_orders())
        return [(row.at_ns, row.subject, row.details) for row in desk.trace.rows]

    seen = []
    for _ in range(2):
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            seen.append(runner.run(run()))
    assert seen[0] == seen[1]
    assert len(seen[0]) == 5


async def test_closing_closes_the_transport():
    closed: list[bool] = []

    class Transport(httpx.AsyncBaseTransport):
        async def aclose(self) -> None:
            closed.append(True)

    await BinanceReader(BinanceHttp(access(), lambda: 0, transport=Transport())).aclose()

    assert closed == [True]


async def test_a_body_that_breaks_off_is_let_go():
    class Broken(httpx.AsyncByteStream):
        closed = False

        async def __aiter__(self):
            yield b"["
            raise httpx.ReadError("connection reset")

        async def aclose(self) -> None:
            Broken.closed = True

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Broken())

    http = BinanceHttp(access(base_url=BASE), lambda: 0, transport=Transport(), attempts=1)
    with pytest.raises(ReadError, match="ReadError: connection reset"):
        await http.get(PATH, lambda content, asked_ns: content, weight=5)
    assert Broken.closed
