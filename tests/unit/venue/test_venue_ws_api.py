"""The WebSocket API: what each method answers, and that it is REST by another door."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from nautilus_trader.core.nautilus_pyo3 import ed25519_signature

from sim.venue import AccountConfig, VenueConfig
from sim.venue.errors import HandshakeRefused
from sim.venue.keys import ApiKey
from sim.venue.wire import Closing
from tests.unit.venue.venue_client import DAY_NS, SECOND_NS, Client, order

URL = "/ws-fapi/v1"
KEY = ApiKey.named("main", "ed25519")


def ed25519(text: str, key: ApiKey = KEY) -> str:
    return ed25519_signature(base64.b64decode(key.api_secret)[-32:], text)


class Caller(Client):
    """A client of one connection to the WebSocket API."""

    def __init__(self, url: str = URL, **options: Any) -> None:
        account = AccountConfig(more_keys=(KEY,))
        super().__init__(VenueConfig(accounts=(account,), **options))
        self.connection = self.venue.open_stream(url, self.now_ns)

    def say(self, text: str) -> Any:
        """Send a text frame and return what is answered on the same connection."""
        self.venue.receive_text(self.connection, text, self.now_ns)
        [answer] = [f for f in self.venue.take_frames() if f.connection_id == self.connection]
        assert answer.event == ""
        return msgspec.json.decode(answer.text)

    def call(self, method: str, /, sent: Any = "7", **params: Any) -> Any:
        answer = self.say(
            msgspec.json.encode({"id": sent, "method": method, "params": params}).decode()
        )
        assert answer["id"] == sent
        return answer

    def result(self, method: str, /, **params: Any) -> Any:
        answer = self.call(method, **params)
        assert answer["status"] == 200, answer
        return answer["result"]

    def refused(self, method: str, /, **params: Any) -> int:
        answer = self.call(method, **params)
        assert answer["status"] >= 400, answer
        assert "result" not in answer
        code: int = answer["error"]["code"]
        return code

    def signed(self, key: ApiKey = KEY, **params: Any) -> dict[str, Any]:
        params = {"apiKey": key.api_key, "timestamp": self.now_ms} | params
        text = "&".join(f"{name}={params[name]}" for name in sorted(params))
        signature = ed25519(text, key) if key.public_key else self.sign(text)
        return params | {"signature": signature}

    def stamped(self, **params: Any) -> dict[str, Any]:
        return params | {"timestamp": self.now_ms}

    def log_on(self) -> Any:
        return self.result("session.logon", **self.signed())


@pytest.fixture
def caller() -> Caller:
    return Caller()


# -- sessions


def test_a_session_begins_with_a_logon_and_ends_with_a_logout(caller: Caller):
    connected_ms = caller.now_ms
    nobody = caller.result("session.status")
    caller.wait(SECOND_NS)
    somebody = caller.log_on()
    caller.wait(SECOND_NS)

    assert nobody["apiKey"] is None
    assert nobody["authorizedSince"] is None
    assert somebody == {
        "apiKey": KEY.api_key,
        "authorizedSince": connected_ms + 1000,
        "connectedSince": connected_ms,
        "returnRateLimits": True,
        "serverTime": connected_ms + 1000,
    }
    assert caller.result("session.status") == somebody | {"serverTime": connected_ms + 2000}
    assert caller.result("session.logout")["apiKey"] is None
    assert caller.refused("userDataStream.start") == -2014


def test_a_session_is_of_one_connection(caller: Caller):
    caller.log_on()
    caller.venue.close_stream(caller.connection)
    caller.connection = caller.venue.open_stream(URL, caller.now_ns)

    assert caller.result("session.status")["apiKey"] is None


def test_a_connection_ends_after_a_day_and_its_session_with_it(caller: Caller):
    caller.log_on()
    caller.wait(DAY_NS - 1)
    assert caller.result("session.status")["apiKey"] == KEY.api_key
    caller.wait(1)
    [closing] = caller.venue.take_closed()

    assert (closing.connection_id, closing.code) == (caller.connection, 1001)
    assert caller.venue.answer(caller.connection, "{}", caller.now_ns) is None


def test_more_calls_than_a_stream_may_have_messages_are_no_offence(caller: Caller):
    for _ in range(30):
        caller.result("session.status")

    assert caller.venue.take_closed() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"signature": "AAAA"}, -1022),
        ({"signature": "no base64!"}, -1022),
        ({"signature": None}, -1102),
        ({"apiKey": "unknown"}, -2015),
        ({"apiKey": None}, -1102),
        ({"timestamp": None}, -1022),
    ],
)
def test_a_wrong_logon_is_refused(caller: Caller, change: dict[str, Any], code: int):
    assert caller.refused("session.logon", **(caller.signed() | change)) == code
    assert caller.result("session.status")["apiKey"] is None


def test_a_logon_is_refused_when_it_is_too_old(caller: Caller):
    params = caller.signed()
    caller.wait(6 * SECOND_NS)

    assert caller.refused("session.logon", **params) == -1021


def test_an_hmac_key_cannot_log_on_but_may_sign_single_requests(caller: Caller):
    hmac_key = ApiKey.named("main")

    assert caller.refused("session.logon", **caller.signed(hmac_key)) == -4056
    assert caller.result("v2/account.balance", **caller.signed(hmac_key))
    assert caller.refused("v2/account.balance", **(caller.signed(hmac_key) | {"x": 1})) == -1022


def test_a_request_without_a_session_needs_key_and_signature(caller: Caller):
    assert caller.refused("v2/account.balance", **caller.stamped()) == -2014
    unsigned = caller.stamped(apiKey=KEY.api_key)
    assert caller.refused("v2/account.balance", **unsigned) == -1102
    assert caller.result("v2/account.balance", **caller.signed())


def test_in_a_session_a_wrong_signature_is_still_wrong(caller: Caller):
    caller.log_on()

    assert caller.refused("v2/account.balance", **caller.stamped(signature="AAAA")) == -1022
    assert caller.refused("v2/account.balance", **caller.stamped(apiKey="main-api-key")) == -1102


# -- the user data stream


def test_a_stream_is_started_kept_and_stopped(caller: Caller):
    caller.log_on()
    key = caller.result("userDataStream.start")["listenKey"]
    stream = caller.venue.open_stream(f"/ws?listenKey={key}", caller.now_ns)
    caller.wait(50 * 60 * SECOND_NS)
    assert caller.result("userDataStream.ping", listenKey=key) == {"listenKey": key}
    caller.wait(50 * 60 * SECOND_NS)
    assert caller.result("userDataStream.start")["listenKey"] == key

    caller.limit()
    assert [event["e"] for event in caller.events(stream)] == ["ORDER_TRADE_UPDATE"]
    assert caller.result("userDataStream.stop", listenKey=key) == {}
    assert caller.venue.take_closed() == [Closing(stream, 1001)]
    assert caller.refused("userDataStream.ping", listenKey=key) == -1125


def test_a_stream_may_be_started_with_a_key_and_no_session(caller: Caller):
    assert caller.result("userDataStream.start", apiKey=KEY.api_key)["listenKey"]
    assert caller.refused("userDataStream.start") == -2014
    assert caller.refused("userDataStream.start", apiKey="unknown") == -2015


# -- orders and the account


def test_an_order_is_placed_changed_asked_for_and_cancelled(caller: Caller):
    caller.log_on()
    caller.listen()
    placed = caller.result("order.place", **caller.stamped(**order("O-1", "BUY", "1", "50000")))
    named = caller.stamped(symbol="BTCUSDT", origClientOrderId="O-1")
    change = named | {"side": "BUY", "quantity": "2", "price": "49000"}
    changed = caller.result("order.modify", **change)
    status = caller.result("order.status", **named)
    cancelled = caller.result("order.cancel", **named)

    assert placed["status"] == "NEW"
    assert changed["origQty"] == "2.000"
    assert status == caller.ok("GET", "order", symbol="BTCUSDT", origClientOrderId="O-1") | {
        "status": "NEW",
        "updateTime": status["updateTime"],
    }
    assert cancelled["status"] == "CANCELED"
    assert caller.refused("order.cancel", **named) == -2011
    assert caller.refused("order.place", **caller.stamped(symbol="NOPE")) in (-1102, -1121)


def test_a_conditional_order_is_placed_and_cancelled(caller: Caller):
    caller.log_on()
    placed = caller.result(
        "algoOrder.place",
        **caller.stamped(
            algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="STOP_MARKET",
            quantity="1", triggerPrice="40000", clientAlgoId="A-1",
        ),
    )  # fmt: skip

    assert placed["algoStatus"] == "NEW"
    assert caller.result("algoOrder.cancel", **caller.stamped(clientAlgoId="A-1"))


def test_the_account_is_what_rest_says_it_is(caller: Caller):
    caller.log_on()
    caller.market()

    for method, path in (
        ("v2/account.status", "/fapi/v3/account"),
        ("v2/account.balance", "/fapi/v3/balance"),
        ("v2/account.position", "/fapi/v3/positionRisk"),
        ("account.status", "/fapi/v2/account"),
    ):
        assert caller.result(method, **caller.stamped()) == caller.ok("GET", path)


# -- limits


def test_an_answer_says_what_is_used(caller: Caller):
    caller.log_on()
    answer = caller.call("order.place", **caller.stamped(**order("O-1", "BUY", "1", "50000")))
    again = caller.call("order.place", **caller.stamped(**order("O-2", "BUY", "1", "50000")))

    # A handshake is 5 and a logon 2; orders cost no weight.
    rows = answer["rateLimits"]
    assert [(row["rateLimitType"], row["intervalNum"], row["count"]) for row in rows] == [
        ("REQUEST_WEIGHT", 1, 7), ("ORDERS", 10, 1), ("ORDERS", 1, 1),
    ]  # fmt: skip
    assert answer["rateLimits"][0]["limit"] == 2400
    assert [row["count"] for row in again["rateLimits"]] == [7, 2, 2]
    assert "rateLimits" in caller.call("order.place", **caller.stamped())


def test_what_is_used_is_not_told_to_who_does_not_want_it():
    silent = Caller(f"{URL}?returnRateLimits=false")
    caller = Caller()

    assert "rateLimits" not in silent.call("session.status")
    assert "rateLimits" in silent.call("session.status", returnRateLimits=True)
    assert "rateLimits" not in caller.call("session.status", returnRateLimits=False)


def test_weight_is_shared_with_rest():
    caller = Caller(weight_limit_1m=15)
    assert caller.ok("GET", "/fapi/v3/balance")  # 5 + 5
    caller.log_on()
    answer = caller.call("v2/account.balance", **caller.stamped())

    assert answer["status"] == 429
    assert answer["error"]["code"] == -1003
    minute_ms = caller.now_ms // 60_000 * 60_000 + 60_000
    assert answer["error"]["data"] == {"serverTime": caller.now_ms, "retryAfter": minute_ms}
    with pytest.raises(HandshakeRefused, match="429"):
        caller.venue.open_stream(URL, caller.now_ns)


# -- what is no request


@pytest.mark.parametrize("sent", ["0", "a-b_C", 7, None])
def test_an_id_is_echoed_as_it_was_sent(caller: Caller, sent: Any):
    assert caller.call("session.status", sent=sent)["id"] == sent
    assert caller.call("no.such", sent=sent)["id"] == sent


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ("{", None),
        ("[]", None),
        ("7", None),
        ('{"id": 1.5, "method": "session.status"}', None),
        ('{"id": "no spaces", "method": "session.status"}', None),
        ('{"id": true, "method": "session.status"}', None),
        ('{"id": 3}', 3),
        ('{"id": 3, "method": 4}', 3),
        ('{"id": 3, "method": "session.status", "params": []}', 3),
    ],
)
def test_what_is_no_request_is_answered_too(caller: Caller, text: str, answered: Any):
    answer = caller.say(text)

    assert (answer["id"], answer["status"], answer["error"]["code"]) == (answered, 400, -1135)
    assert caller.venue.request_in(caller.connection, text) is None


def test_an_unknown_method_is_refused(caller: Caller):
    assert caller.refused("userDataStream.subscribe") == -1020


def test_a_stream_is_no_connection_to_the_api(caller: Caller):
    stream = caller.listen()

    assert caller.venue.request_in(stream, '{"id": 1, "method": "session.status"}') is None
    assert (
        caller.venue.answer(stream, '{"id": 1, "method": "session.status"}', caller.now_ns) is None
    )
