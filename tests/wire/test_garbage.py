"""What is not HTTP, or hardly: it is answered so, and the server goes on."""

from __future__ import annotations

import pytest

from tests.wire.binance import Binance
from tests.wire.over_sockets import OverSockets
from tests.wire.raw import GET, HOST, POST, Raw
from tests.wire.wellness import Log

pytestmark = pytest.mark.usefixtures("log")

GARBAGE = {
    "bytes": bytes(range(256)) * 4,
    "nothing but lines": b"\r\n" * 10 + b"\0\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "no version": b"GET /fapi/v1/time HTTP/x.y\r\n\r\n",
    "no host": b"GET /fapi/v1/time HTTP/1.1\r\n\r\n",
    "long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "long header": GET + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
    "many headers": GET + b"X: y\r\n" * 500 + b"\r\n",
    "no header": GET + b"no header\r\n\r\n",
    "control characters": GET + b"X-MBX-APIKEY: main-api-key\0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "no length": POST + b"Content-Length: -1\r\n\r\n",
    "no chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "not compressed": POST + b"Content-Length: 4\r\nContent-Encoding: gzip\r\n\r\nabcd",
}


@pytest.mark.parametrize("what", GARBAGE.values(), ids=GARBAGE)
async def test_what_is_no_request_is_answered_so(raw: Raw, log: Log, what: bytes):
    raw.say(what)

    assert await raw.answer() == 400
    await log.says("400: ")
    assert len(log.text) < 1000


async def test_a_request_of_the_first_version(raw: Raw):
    raw.say(b"GET /fapi/v1/time\r\n\r\n")

    assert b'"serverTime"' in await raw.end()


ODD = {
    "percent": ("/fapi/v1/time?symbol=%zz%f", 200),
    "percent in the path": ("/fapi/v1/%zz", 404),
    "no text": ("/fapi/v1/order?symbol=%ff%fe", 400),
    "bytes": ("/fapi/v1/order?symbol=\xff\xfe", 400),
    "bytes in the path": ("/fapi/\xff", 400),
    "traversal": ("/fapi/../../../etc/passwd", 404),
    "hidden traversal": ("/sim/%2e%2e/%2e%2e/etc/passwd", 404),
    "twice": ("//sim//truth", 404),
    "all": ("*", 400),
    "whole address": ("http://x/fapi/v1/nothing", 404),
    "no path": ("?a=b", 400),
    "nul": ("/fapi/v1/%00", 404),
}


@pytest.mark.parametrize(("path", "status"), ODD.values(), ids=ODD)
async def test_odd_addresses(raw: Raw, path: str, status: int):
    raw.ask(path, "X-MBX-APIKEY: main-api-key")

    assert await raw.answer() == status


@pytest.mark.parametrize("value", ["\xff\xfe", "", "a" * 8000, "a, b"])
async def test_odd_keys(raw: Raw, value: str):
    raw.ask("/fapi/v1/openOrders?timestamp=1&signature=\xff", f"X-MBX-APIKEY: {value}")

    assert await raw.answer() in (400, 401)


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "HEAD", "CONNECT", "BREW"])
async def test_odd_methods(raw: Raw, method: str):
    raw.ask("/fapi/v1/order" if method != "CONNECT" else "x:80", method=method)

    assert 400 <= await raw.answer() < 500


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(["Upgrade: websocket"], id="upgrade alone"),
        pytest.param(["Upgrade: websocket", "Connection: Upgrade"], id="no key"),
        pytest.param(
            [
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: short",
            ],
            id="bad key",
        ),
        pytest.param(
            [
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Version: 99",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ],
            id="bad version",
        ),
    ],
)
async def test_bad_handshakes(served: OverSockets, raw: Raw, log: Log, headers: list[str]):
    raw.ask("/ws?listenKey=secret", *headers)

    assert await raw.answer() == 400
    await log.says("400: this is no handshake of a WebSocket")
    assert served.house.network.sockets() == []
    assert "secret" not in log.text


@pytest.mark.parametrize(
    "body", [b"[" * 5000, b"\xff", b"", b"{price: " * 500, b"\0"], ids=range(5)
)
async def test_what_is_no_action_is_refused(served: OverSockets, body: bytes):
    reply = await served.http.post("/sim/act", content=body)

    assert (reply.status_code, set(reply.json())) == (400, {"error"})


async def test_a_batch_that_is_nested_too_deep(user: Binance):
    query = user.signed({})
    body = "batchOrders=" + "[" * 100_000
    signed = user.sign(query.rpartition("&")[0] + body)
    query = f"{query.rpartition('&')[0]}&signature={signed}"

    assert (await user.raw("POST", "/fapi/v1/batchOrders", query, body)).refusal == (400, -1102)
