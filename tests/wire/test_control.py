"""The venue's hand over HTTP: what it can be asked for, and how it says that it cannot do that."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.wire.binance import Binance
from tests.wire.over_sockets import OverSockets
from tests.wire.printed import printed

PAGE = Path(__file__).parents[2] / "docs" / "over-sockets.md"
BTC = "BTCUSDT"


def curls(text: str) -> list[tuple[str, str, str]]:
    """Return method, path and body of each call of curl in a text."""
    found = []
    for line in text.splitlines():
        if "curl " not in line:
            continue
        words = iter(shlex.split(line.partition("curl ")[2].partition("  lists")[0], comments=True))
        method, path, body = "GET", "", ""
        for word in words:
            if word == "-d":
                method, body = "POST", next(words)
            elif word == "-X":
                method = next(words)
            else:
                path = word.removeprefix("http://127.0.0.1:8765")
        found.append((method, path, body))
    return found


@pytest.mark.parametrize("where", ["page", "print"])
async def test_what_is_told_can_be_done(served: OverSockets, user: Binance, where: str):
    for name in ("my-order-1", "YOUR-CLIENT-ORDER-ID"):
        await user.place(name)
    told = curls(PAGE.read_text() if where == "page" else printed("What", "127.0.0.1:8765"))
    assert len(told) > 2
    for method, path, body in told:
        reply = await served.http.request(method, path, content=body)
        assert reply.status_code == 200, (path, reply.text)


async def test_all_that_it_lists_there_is(served: OverSockets):
    listed = (await served.http.get("/sim")).json()
    assert "GET /sim/truth" in listed
    for asked in listed:
        method, path = asked.split()
        if not path.endswith("act"):
            reply = await served.http.request(method, f"{path}?for=1s")
            assert reply.status_code == 200, asked


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "nothing is said; say what to do, such as {price: {price: '50000'}}"),
        ("hello", "an action is a word with values; such as {price: {price: '50000'}}"),
        ("{prise: {price: '1'}}", "unknown action 'prise'; did you mean 'price'?"),
        ("{price: {price: 1}}", 'price must be a decimal in quotes, not 1; write "1"'),
        (
            "{at: 5s, price: {price: '1'}}",
            "an action by itself has no 'at'; leave it out: it is done at once",
        ),
        ("{fill: {order: X, quantity: '1'}}", "the venue has no order 'X'"),
    ],
)
async def test_what_is_wrong_with_an_action_is_said(served: OverSockets, words: str, said: str):
    reply = await served.http.post("/sim/act", content=words)

    assert reply.status_code == 400
    assert reply.json()["error"].endswith(said)


@pytest.mark.parametrize(
    "words",
    [
        "{submit: {id: O-1, side: BUY, quantity: '1', price: '49000'}}",
        "{kill: {}}",
        "{restart: {}}",
    ],
)
async def test_what_a_node_does_nobody_can_be_asked_for(served: OverSockets, words: str):
    reply = await served.http.post("/sim/act", content=words)

    assert reply.status_code == 400
    assert "is what a node does, and here is the venue alone" in reply.json()["error"]


async def test_what_there_is_under_another_method(served: OverSockets):
    reply = await served.http.get("/sim/skip?for=1h")

    assert (reply.status_code, reply.headers["Allow"]) == (405, "POST")
    assert reply.json() == {"error": "/sim/skip is asked for with POST, not GET"}


async def test_what_there_is_not(served: OverSockets):
    reply = await served.http.get("/sim/thruth")

    assert reply.status_code == 404
    assert reply.json() == {"error": "there is no /sim/thruth; GET /sim says what there is"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("POST skip", "say how long, such as ?for=60s"),
        ("POST skip?for=60", "'60' is not a duration"),
        ("POST skip?for=-1h", "'-1h' is in the past, and time only goes on"),
        ("POST quiet?for=-1s", "'-1s' is in the past, and time only goes on"),
        ("GET trace?since=x", "since is the number of a row, not 'x'"),
        ("GET trace?since=-2", "since is the number of a row, not '-2'"),
    ],
)
async def test_what_cannot_be_meant(served: OverSockets, asked: str, said: str):
    before_ms = served.now_ms
    method, _, path = asked.partition(" ")
    reply = await served.http.request(method, f"/sim/{path}")

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(said)
    assert 0 <= served.now_ms - before_ms < 60_000


async def test_the_trace_from_a_row_on(served: OverSockets, user: Binance):
    await user.place("O-1")
    whole = (await served.http.get("/sim/trace")).json()
    rest = (await served.http.get(f"/sim/trace?since={whole['next'] - 1}")).json()

    assert rest["rows"] == whole["rows"][-1:]


# -- time that is skipped


@pytest.mark.parametrize("behind_ms", [0, 1_000, 3_600_000, 3_601_000])
async def test_who_keeps_the_clock_is_heard_after_time_was_skipped(
    served: OverSockets, user: Binance, behind_ms: int
):
    await served.wait(3600)

    await user.place("O-1", timestamp=served.now_ms - behind_ms)


@pytest.mark.parametrize("behind_ms", [-60_000, 6_000, 1_800_000, 3_540_000, 3_606_000])
async def test_whose_clock_is_wrong_is_refused_after_time_was_skipped(
    served: OverSockets, user: Binance, behind_ms: int
):
    await served.wait(3600)
    timestamp = served.now_ms - behind_ms

    refused = await user.refused("GET", "/fapi/v1/openOrders", symbol=BTC, timestamp=timestamp)
    assert refused == (400, -1021)
