"""Binance's error answers: the whole table, through the network, and what the venue did."""

from __future__ import annotations

import asyncio
import hmac
from typing import Any, get_args
from urllib.parse import urlencode

import msgspec
import pytest

from sim.clock import NS_PER_MS, NS_PER_SEC
from sim.faults import FailedRequest, only_reduces
from sim.venue import Request, Response, VenueConfig
from sim.venue.replies import (
    ERROR_REPLIES,
    ErrorName,
    has_text,
    reply_of,
    response_of,
)
from tests.unit.network_rig import ACCOUNT, KEY, Rig

NOW_NS = 1_700_000_000_000_000_000

# Status, code and text of the documentation; "-" where the body is no JSON.
DOCUMENTED = """
timestamp-too-old         400 -1021 Timestamp for this request is outside of the recvWindow.
timestamp-ahead           400 -1021 Timestamp for this request was 1000ms ahead of the server's time.
engine-window-over        400 -5028 Timestamp for this request is outside of the ME recvWindow.
unknown-order             400 -2011 Unknown order sent.
no-such-order             400 -2013 Order does not exist.
duplicate-client-order-id 400 -4116 ClientOrderId is duplicated.
too-many-orders           429 -1015 Too many new orders; current limit is 300 orders per TEN_SECONDS.
reduce-only-rejected      400 -2022 ReduceOnly Order is rejected.
position-side-mismatch    400 -4061 Order's position side does not match user's setting.
margin-insufficient       400 -2019 Margin is insufficient.
notional-too-small        400 -4164 Order's notional must be no smaller than 5 (unless you choose reduce only).
bad-signature             400 -1022 Signature for this request is not valid.
bad-api-key-format        401 -2014 API-key format invalid.
api-key-refused           401 -2015 Invalid API-key, IP, or permissions for action.
firewall                  403 - <html>
timeout                   408 -1007 Timeout waiting for response from backend server. Send status unknown; execution status unknown.
unexpected-response       503 -1006 An unexpected response was received from the message bus. Execution status unknown.
banned                    418 -1003 Way too many requests; IP banned until 1700000120000. Please use the websocket for live updates to avoid bans.
unknown-error             503 -1000 Unknown error, please check your request or try again later.
service-unavailable       503 - Service Unavailable.
throttled                 503 -1008 Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again.
internal-error            503 -1001 Internal error; unable to process your request. Please try again.
bad-gateway               502 - <html>
bad-gateway-empty         502 -
gateway-timeout           504 - <html>
gateway-timeout-empty     504 -
"""  # noqa: E501 - one line each


@pytest.mark.parametrize("line", DOCUMENTED.strip().splitlines(), ids=lambda line: line.split()[0])
def test_a_named_answer_is_the_documented_one(line: str):
    name, status, code, *text = line.split(maxsplit=3)
    answer = response_of(ERROR_REPLIES[name], VenueConfig(), NOW_NS)

    assert answer.status == int(status)
    if code == "-":
        assert answer.body.decode().startswith("".join(text))
        assert bool(answer.body) == bool(text)
    else:
        assert msgspec.json.decode(answer.body) == {"code": int(code), "msg": "".join(text)}


def test_every_name_has_an_answer_and_no_text_has_a_hole():
    assert set(ERROR_REPLIES) == set(get_args(ErrorName))
    for reply in ERROR_REPLIES.values():
        assert b"%" not in response_of(reply, VenueConfig(), NOW_NS).body


@pytest.mark.parametrize("name", ERROR_REPLIES)
def test_status_and_code_alone_give_the_same_text(name: ErrorName):
    named = ERROR_REPLIES[name]
    if named.text and named.code is not None and named.status == 400:
        return  # -1021 has two texts
    given = reply_of(named.status, named.code)
    if named.code is None and named.form == "empty":
        assert given.form == "html"  # the other of two forms
        return
    secs = named.retry_after_secs
    assert response_of(given, VenueConfig(), NOW_NS, secs) == response_of(
        named, VenueConfig(), NOW_NS
    )


def test_a_message_is_in_place_of_the_text():
    answer = response_of(reply_of(503, -1008, "Server is overloaded"), VenueConfig(), NOW_NS)

    assert msgspec.json.decode(answer.body) == {"code": -1008, "msg": "Server is overloaded"}
    assert reply_of(503, -1008, "Server is overloaded").spares_reducing


def test_limits_of_the_venue_stand_in_the_text():
    config = VenueConfig(weight_limit_1m=99, order_limit_10s=7)

    assert b"99 requests per minute" in response_of(reply_of(429, -1003), config, NOW_NS).body
    assert b"7 orders per TEN" in response_of(reply_of(429, -1015), config, NOW_NS).body


def test_a_code_without_a_text_is_refused():
    assert not has_text(-9999)
    with pytest.raises(KeyError):
        reply_of(400, -9999)


def test_an_unknown_error_may_have_no_code():
    config = VenueConfig(unknown_error_code=None)
    answer = response_of(ERROR_REPLIES["unknown-error"], config, NOW_NS)

    assert set(msgspec.json.decode(answer.body)) == {"msg"}


# -- through the network


def signed(rig: Rig, method: str, path: str, **params: Any) -> Request:
    query = urlencode({**params, "timestamp": rig.loop.now_ns // NS_PER_MS})
    signature = hmac.digest(ACCOUNT.api_secret.encode(), query.encode(), "sha256").hex()
    return Request(method, f"/fapi/v1/{path}", f"{query}&signature={signature}", KEY)


def order(rig: Rig, **more: Any) -> Request:
    terms = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    terms |= {"quantity": "1", "price": "50000", "newClientOrderId": "O-1"}
    return signed(rig, "POST", "order", **terms | more)


def failing(name: ErrorName, **more: Any) -> FailedRequest:
    def answer(now_ns: int) -> Response:
        return response_of(ERROR_REPLIES[name], VenueConfig(), now_ns)

    return FailedRequest(name, answer=answer, count=1, **more)


@pytest.mark.parametrize("applied", ["never", "before", "after"])
@pytest.mark.parametrize("name", ERROR_REPLIES)
async def test_what_the_client_gets_and_what_the_venue_did(name: ErrorName, applied: Any):
    rig = Rig()
    late_ns = NS_PER_SEC if applied == "after" else 0
    rig.faults.arm(failing(name, applied=applied, late_ns=late_ns))
    answer = await rig.network.request(order(rig))
    there = [len(rig.venue.orders())]
    await asyncio.sleep(0.5)
    there.append(len(rig.venue.orders()))
    await asyncio.sleep(1)
    there.append(len(rig.venue.orders()))

    assert answer.status == ERROR_REPLIES[name].status
    assert there == {"never": [0, 0, 0], "before": [1, 1, 1], "after": [0, 0, 1]}[applied]


async def test_what_comes_after_its_window_is_not_carried_out():
    rig = Rig()
    rig.faults.arm(failing("timeout", applied="after", late_ns=6 * NS_PER_SEC))
    await rig.network.request(order(rig))
    await asyncio.sleep(10)

    assert rig.venue.orders() == ()


@pytest.mark.parametrize(
    ("query", "spared"),
    [
        ("side=BUY&reduceOnly=True", True),
        ("side=BUY&closePosition=true", True),
        ("side=SELL&positionSide=LONG", True),
        ("side=BUY&positionSide=SHORT", True),
        ("side=BUY&positionSide=LONG", False),
        ("side=BUY&reduceOnly=false", False),
    ],
)
def test_a_throttling_venue_spares_what_reduces(query: str, spared: bool):
    request = Request("POST", "/fapi/v1/order", query)
    fault = failing("throttled", spares_reducing=True)

    assert only_reduces(request) == spared
    assert (fault.on_request(request, 0) is None) == spared
    assert only_reduces(Request("DELETE", "/fapi/v1/order", "symbol=BTCUSDT"))
    assert not only_reduces(Request("DELETE", "/fapi/v1/listenKey"))
