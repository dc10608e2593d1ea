"""Limits of the gateway: what becomes of those who go on."""

from __future__ import annotations

import msgspec
from venue_client import SECOND_NS, Client, client

MINUTE_NS = 60 * SECOND_NS


def at_the_limit(**options: int) -> Client:
    nt = client(weight_limit_1m=10, **options)
    nt.now_ns -= nt.now_ns % MINUTE_NS
    for _ in range(10):
        assert nt.send("GET", "time").status == 200
    return nt


def told(nt: Client, path: str = "time") -> tuple[int, str]:
    answer = nt.send("GET", path)
    return answer.status, dict(answer.headers).get("Retry-After", "")


def test_who_goes_on_past_the_limit_is_banned():
    nt = at_the_limit(ban_after=3)

    assert [told(nt) for _ in range(4)] == [(429, "60"), (429, "60"), (418, "120"), (418, "120")]
    nt.wait(90 * SECOND_NS)
    assert told(nt, "openOrders") == (418, "30")
    # The key is not even looked at.
    assert nt.raw("POST", "listenKey", key="stolen").status == 418
    nt.wait(30 * SECOND_NS)
    assert told(nt) == (200, "")


def test_the_ban_says_until_when():
    nt = at_the_limit(ban_after=1)
    body = msgspec.json.decode(nt.send("GET", "time").body)

    assert body == {
        "code": -1003,
        "msg": f"Way too many requests; IP banned until {nt.now_ms + 120_000}. "
        "Please use the websocket for live updates to avoid bans.",
    }


def test_each_next_ban_is_twice_as_long_and_three_days_at_most():
    nt = at_the_limit(ban_after=1)
    lengths = []
    for _ in range(14):
        while (answer := told(nt))[0] == 200:
            pass
        lengths.append(int(answer[1]))
        nt.wait(lengths[-1] * SECOND_NS)

    assert lengths[:4] == [120, 240, 480, 960]
    assert lengths[-1] == 3 * 86_400


def test_a_minute_of_patience_is_forgotten():
    nt = at_the_limit(ban_after=3)
    assert told(nt)[0] == told(nt)[0] == 429
    nt.wait(MINUTE_NS)
    for _ in range(10):
        told(nt)

    assert told(nt)[0] == 429


def test_parameters_that_no_endpoint_has():
    assert client().send("GET", "time", nonsense="1").status == 200
    strict = client(unknown_params="refused")
    refused = strict.send("GET", "openOrders", nonsense="1")

    assert msgspec.json.decode(refused.body) == {
        "code": -1104,
        "msg": "Not all sent parameters were read; read '2' parameter(s) but was sent '3'.",
    }
    assert strict.send("GET", "openOrders").status == 200
