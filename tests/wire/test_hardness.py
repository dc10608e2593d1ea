"""What no client should do: the server answers it or ends it, says why, and goes on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from sim.transport.wire import Limits
from tests.wire.binance import Binance
from tests.wire.over_sockets import OverSockets
from tests.wire.raw import BINARY, CLOSE, GET, PATIENCE_SECS, POST, TEXT, Raw
from tests.wire.wellness import Log

pytestmark = pytest.mark.usefixtures("log")

QUICK = Limits(request_secs=0.1)
BTC = "BTCUSDT"


async def nobody(served: OverSockets) -> None:
    """Wait until no stream is open."""
    async with asyncio.timeout(PATIENCE_SECS):
        while served.house.network.sockets():
            await asyncio.sleep(0.005)


# -- too slow, too large


@pytest.mark.server(limits=QUICK)
async def test_headers_that_trickle(raw: Raw, log: Log):
    raw.say(b"GET /fapi/v1/time HTTP/1.1\r\nX-Slow: ")
    for _ in range(4):
        raw.say(b"a")
        await asyncio.sleep(0.01)

    assert await raw.end() == b""
    await log.says("closed: no request came within 0.1 s")


@pytest.mark.server(limits=QUICK)
async def test_headers_that_trickle_after_a_request(raw: Raw, log: Log):
    for _ in range(2):
        raw.ask("/fapi/v1/ping")
        assert await raw.answer() == 200
        await asyncio.sleep(0.2)  # who asks for nothing may stay
    assert log.text == ""
    raw.say(b"GET /fapi/v1/time HTTP/1.1\r\nX-Slow: ")
    for _ in range(4):
        raw.say(b"a")
        await asyncio.sleep(0.01)

    assert b"serverTime" not in await raw.end()
    await log.says("closed: no request came within 0.1 s")


@pytest.mark.server(limits=QUICK)
async def test_a_body_that_trickles_after_a_request(raw: Raw, log: Log):
    raw.ask("/fapi/v1/ping")
    assert await raw.answer() == 200
    raw.ask("/sim/act", "Content-Length: 10", method="POST", body=b"abc")
    await asyncio.sleep(0.05)
    raw.say(b"d")

    assert await raw.answer() == 408
    assert "no request came" not in log.text


@pytest.mark.server(limits=QUICK)
@pytest.mark.parametrize("path", ["/fapi/v1/order", "/sim/act"])
async def test_a_body_that_does_not_come(raw: Raw, log: Log, path: str):
    raw.ask(path, "Content-Length: 10", method="POST", body=b"abc")

    assert await raw.answer() == 408
    await log.says("408: the body did not come in 0.1 s")
    await raw.end()


@pytest.mark.server(limits=Limits(body_bytes=1000))
@pytest.mark.parametrize("path", ["/fapi/v1/order", "/sim/act"])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param(["Content-Length: 99999999999999"], b"", id="promised"),
        pytest.param(["Content-Length: 1001"], b"x" * 1001, id="sent"),
        pytest.param(
            ["Transfer-Encoding: chunked"], b"3e9\r\n" + b"x" * 1001 + b"\r\n", id="in chunks"
        ),
    ],
)
async def test_a_body_that_is_too_large(
    raw: Raw, log: Log, path: str, headers: list[str], body: bytes
):
    raw.ask(path, *headers, method="POST", body=body)

    assert await raw.answer() == 413
    await log.says("413: the body is larger than 1000 bytes")


@pytest.mark.server(limits=Limits(body_bytes=1000))
async def test_a_body_that_is_as_large_as_may_be(raw: Raw):
    raw.ask("/fapi/v1/nothing", "Content-Length: 1000", method="POST", body=b"x" * 1000)

    assert await raw.answer() == 404


@pytest.mark.server(limits=Limits(unread_bytes=1 << 20))
async def test_a_stream_that_nobody_reads(served: OverSockets, raw: Raw, log: Log):
    await raw.upgrade()
    raw.deafen()
    [socket] = served.house.network.sockets()
    for _ in range(400):
        served.house.network.inject(socket, "x" * 50_000, "large")

    await log.says("closed: 1048576 bytes wait for a client that does not read")
    assert log.text.count("closed:") == 1
    await nobody(served)


@pytest.mark.server(pings=(0.02, 0.05))
async def test_a_client_that_never_answers_pings(served: OverSockets, raw: Raw, log: Log):
    await raw.upgrade()
    await raw.end()

    await log.says("closed: no pong within 0.05 s")
    await nobody(served)


@pytest.mark.server(pings=(0.02, 0.05))
async def test_a_client_that_answers_pings_stays(served: OverSockets):
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://{served.at}/ws") as ws:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ws.receive()
        assert len(served.house.network.sockets()) == 1


# -- frames


@pytest.mark.parametrize("path", ["/ws", "/ws-fapi/v1"])
async def test_frames_of_a_megabyte(raw: Raw, log: Log, path: str):
    await raw.upgrade(path)
    raw.frame(b"x" * 900_000)
    kind, answer = await raw.hear()
    assert kind == TEXT
    assert json.loads(answer)["error"]["code"] != 0
    raw.frame(b"x" * ((1 << 20) + 1))

    assert await raw.closed() == 1009
    await log.says("closed: a frame was too large")


@pytest.mark.parametrize(
    ("payload", "kind", "code"),
    [
        pytest.param(b"\xff\xfe", TEXT, 1007, id="text that is none"),
        pytest.param(b"", 0x3, 1002, id="unknown kind"),
        pytest.param(b"x" * 126, 0x9, 1002, id="large ping"),
        pytest.param(b"", 0x0, 1002, id="continues nothing"),
    ],
)
async def test_frames_against_the_rules(raw: Raw, log: Log, payload: bytes, kind: int, code: int):
    await raw.upgrade()
    raw.frame(payload, kind)

    assert await raw.closed() == code
    await log.says("closed: a frame was against the rules")


STRANGE = [
    b"[" * 500_000,
    b'{"a":' * 100_000,
    b'{"method":"SUBSCRIBE","params":[[1]],"id":[1]}',
    b'{"method":"SUBSCRIBE","params":5,"id":1}',
    b'{"method":"SUBSCRIBE","params":{"a":1},"id":1}',
    b'{"method":["a"],"params":[],"id":{"a":1}}',
    b'{"method":"order.place","params":[1],"id":"\\ud800"}',
    b'{"method":"order.place","params":{"a":[1]},"id":1}',
    b'{"method":"order.status","params":{"apiKey":1,"signature":[]},"id":1.5}',
    b'{"id":' + b"9" * 5000 + b',"method":"ping"}',
]


@pytest.mark.parametrize("path", ["/ws", "/ws-fapi/v1"])
@pytest.mark.parametrize("text", STRANGE, ids=range(len(STRANGE)))
async def test_what_is_no_command_is_answered(raw: Raw, path: str, text: bytes):
    await raw.upgrade(path)
    raw.frame(text)

    kind, _ = await raw.hear()
    assert kind == TEXT


@pytest.mark.parametrize("path", ["/ws", "/ws-fapi/v1"])
async def test_binary_frames_are_not_taken(raw: Raw, log: Log, path: str):
    await raw.upgrade(path)
    raw.frame(b'{"method":"LIST_SUBSCRIPTIONS","id":1}', BINARY)

    kind, payload = await raw.hear()
    assert (kind, payload) == (CLOSE, (1003).to_bytes(2, "big") + b"only text is taken here")
    await log.says("closed: a frame was binary")


# -- gone


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /fapi/v1/ti",
        POST + b"Content-Length: 100\r\n\r\nsymbol=BTC",
        POST.replace(b"fapi/v1/time", b"sim/act") + b"Content-Length: 100\r\n\r\n{price",
        3 * (GET.replace(b"time", b"exchangeInfo") + b"\r\n"),
        b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n",
    ],
    ids=["silent", "line", "body", "act", "answers unread", "handshake"],
)
async def test_a_client_that_is_gone_in_the_midst(raw: Raw, log: Log, said: bytes):
    raw.say(said)
    await asyncio.sleep(0.02)
    raw.vanish()
    await asyncio.sleep(0.02)

    assert log.text == ""


async def test_streams_whose_clients_are_gone(served: OverSockets, user: Binance):
    key = await user.listen_key()
    for number in range(3):
        async with Raw(served) as raw:
            await raw.upgrade(f"/ws?listenKey={key}")
            await user.place(f"O-{number}")
            raw.frame(b"half")

    await nobody(served)


async def test_two_hundred_at_once_hear_of_it(served: OverSockets, user: Binance):
    key = await user.listen_key()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        streams = await asyncio.gather(
            *(session.ws_connect(f"ws://{served.at}/ws?listenKey={key}") for _ in range(200))
        )
        await user.place("O-1")
        heard = await asyncio.gather(*(ws.receive_json(timeout=PATIENCE_SECS) for ws in streams))
        assert {event["o"]["c"] for event in heard} == {"O-1"}
        await asyncio.gather(*(ws.close() for ws in streams))


# -- secrets


async def test_a_defect_of_ours_is_told_without_what_it_is_about(
    served: OverSockets, user: Binance, log: Log, monkeypatch: pytest.MonkeyPatch
):
    async def request(asked: Any) -> Any:
        raise KeyError(user.key)

    with monkeypatch.context() as patched:
        patched.setattr(served.house.network, "request", request)
        assert (await user.raw("GET", "/fapi/v1/time")).status == 500
    assert "no answer: KeyError" in log.text
    assert "in request" in log.text


@pytest.mark.server(limits=Limits(request_secs=0.1, unread_bytes=1))
async def test_nothing_secret_is_logged(served: OverSockets, user: Binance, log: Log):
    query = user.signed({"symbol": BTC})
    signature = query.rpartition("=")[2]
    key = await user.listen_key()
    keyed = f"Host: x\r\nX-MBX-APIKEY: {user.key}"
    said = [
        f"GET /fapi/v1/openOrders?{query}\0 HTTP/1.1\r\n{keyed}\r\n\r\n",
        f"GET /fapi/v1/openOrders?{query} HTTP/1.1\r\n{keyed}\0\r\n\r\n",
        f"{query}{user.key}{user.secret}\r\n\r\n",
        f"GET /fapi/v1/openOrders?{query} HTTP/1.1\r\n{keyed}\r\n{'X: y' * 9000}\r\n\r\n",
        f"POST /fapi/v1/order?{query} HTTP/1.1\r\n{keyed}\r\nContent-Length: 9\r\n\r\n",
        f"POST /fapi/v1/order HTTP/1.1\r\n{keyed}\r\nContent-Length: 9999999\r\n\r\n{query}",
        f"GET /ws?listenKey={key} HTTP/1.1\r\n{keyed}\r\nUpgrade: websocket\r\n\r\n",
        f"GET /ws?listenKey={key} HTTP/1.1\r\nX: ",
        f"{key} / HTTP/1.1\r\n\r\n",
    ]
    for each in said:
        async with Raw(served) as raw:
            raw.say(each.encode())
            await raw.end()
    async with Raw(served) as raw:
        await raw.upgrade(f"/ws?listenKey={key}")
        await user.place("O-1")
        await raw.end()

    assert log.text.count("\n") >= len(said)
    for secret in (user.key, user.secret, signature, key):
        assert secret not in log.text
