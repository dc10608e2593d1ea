"""Several orders in one request, amendments, and the countdown that cancels."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from venue_client import SECOND_NS, Client, client, order

D = Decimal


def batch(nt: Client, method: str, *asked: dict[str, Any]) -> Any:
    return nt.ok(method, "batchOrders", batchOrders=msgspec.json.encode(asked).decode())


def outcome(answers: list[Any]) -> list[Any]:
    return [answer.get("clientOrderId", answer.get("code")) for answer in answers]


def counts(nt: Client, method: str, path: str, **params: Any) -> tuple[str | None, str | None]:
    headers = dict(nt.send(method, path, **params).headers)
    return headers.get("X-MBX-ORDER-COUNT-10S"), headers.get("X-MBX-ORDER-COUNT-1M")


def test_each_order_of_a_batch_has_its_own_answer(nt: Client) -> None:
    answers = batch(
        nt,
        "POST",
        order("A", "BUY", "1", "50000"),
        order("B", "BUY", "1", "50000.05"),
        order("A", "BUY", "1", "50000"),
        order("C", "SELL", "1", None) | {"reduceOnly": True},
        order("D", "SELL", "1", "51000") | {"reduceOnly": False, "positionSide": None},
    )
    assert outcome(answers) == ["A", -4014, -4116, -2022, "D"]
    assert answers[1] == {"code": -4014, "msg": "Price not increased by tick size."}
    assert [row["clientOrderId"] for row in nt.ok("GET", "openOrders")] == ["A", "D"]


def test_a_batch_modifies_what_it_can(nt: Client) -> None:
    ids = {name: nt.limit(name)["orderId"] for name in ("A", "B")}
    asked = [
        {"symbol": "BTCUSDT", "orderId": ids[name], "side": "BUY", "quantity": quantity,
         "price": "49000"}
        for name, quantity in (("A", "2"), ("B", "0"))
    ]  # fmt: skip
    answers = batch(nt, "PUT", *asked, asked[0] | {"orderId": 1}, asked[0])
    assert outcome(answers) == ["A", -4003, -2013, -5027]
    assert answers[0]["origQty"] == "2.000"
    assert answers[0]["modifyId"] > 0


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_the_size_of_a_batch(nt: Client, method: str) -> None:
    for text, code in (("[]", -4082), ("[{},{},{},{},{},{}]", -4082), ("{", -1102), ("[1]", -1102)):
        assert nt.error(method, "batchOrders", batchOrders=text) == code
    assert nt.error(method, "batchOrders") == -1102
    ids = str(list(range(11)))
    assert nt.error("DELETE", "batchOrders", symbol="BTCUSDT", orderIdList=ids) == -4083
    assert nt.error("DELETE", "batchOrders", symbol="BTCUSDT", orderIdList='["x"]') == -1102


def test_a_batch_counts_as_five_orders_in_ten_seconds_and_one_in_a_minute(nt: Client) -> None:
    text = msgspec.json.encode([order("A", "BUY", "1", "50000")]).decode()
    assert counts(nt, "POST", "batchOrders", batchOrders=text) == ("5", "1")
    assert counts(nt, "POST", "order", **order("B", "BUY", "1", "50000")) == ("6", "2")
    assert counts(nt, "DELETE", "order", symbol="BTCUSDT", origClientOrderId="B") == (None, None)
    found = nt.ok("GET", "rateLimit/order")
    assert [(row["interval"], row["intervalNum"], row["limit"]) for row in found] == [
        ("SECOND", 10, 300), ("MINUTE", 1, 1200),
    ]  # fmt: skip


def test_too_many_orders_are_refused_until_the_ten_seconds_are_over() -> None:
    nt = client(order_limit_10s=5)
    text = msgspec.json.encode([order("A", "BUY", "1", "50000")]).decode()
    nt.ok("POST", "batchOrders", batchOrders=text)
    response = nt.send("POST", "order", **order("B", "BUY", "1", "50000"))
    assert response.status == 429
    assert b"-1015" in response.body
    nt.wait(int(dict(response.headers)["Retry-After"]) * SECOND_NS)
    nt.limit("B")


# -- amendments


def test_amendments_are_listed_the_newest_first(nt: Client) -> None:
    order_id = nt.limit()["orderId"]
    same = {"symbol": "BTCUSDT", "side": "BUY", "orderId": order_id}
    for price in ("49000", "48000"):
        nt.wait(SECOND_NS)
        nt.ok("PUT", "order", **same, quantity="2", price=price)
    newest, oldest = nt.ok("GET", "orderAmendment", symbol="BTCUSDT", orderId=order_id)
    assert newest["amendmentId"] > oldest["amendmentId"]
    assert oldest["amendment"] == {
        "price": {"before": "50000.00", "after": "49000.00"},
        "origQty": {"before": "1.000", "after": "2.000"},
        "count": 1,
    }
    assert newest["amendment"]["count"] == 2
    of = {"symbol": "BTCUSDT", "orderId": order_id}
    assert nt.ok("GET", "orderAmendment", **of, startTime=nt.now_ms) == [newest]
    assert nt.ok("GET", "orderAmendment", **of, endTime=nt.now_ms - 1) == [oldest]
    assert nt.ok("GET", "orderAmendment", **of, limit=1) == [newest]
    assert nt.error("GET", "orderAmendment", symbol="BTCUSDT") == -1102


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"side": "SELL"}, -1117),
        ({"quantity": "0"}, -4003),
        ({"quantity": ""}, -1102),
        ({"price": ""}, -1102),
        ({"price": "60000"}, -4016),
        ({"price": "49000", "priceMatch": "QUEUE"}, -1106),
        ({"quantity": "0.001"}, -4164),
        ({"quantity": "1", "price": "50000"}, -5027),
        ({"quantity": "700"}, -2019),
        ({"quantity": "900"}, -2027),
        ({"orderId": 1}, -2013),
    ],
)
def test_what_no_amendment_may_ask_for(nt: Client, changes: dict[str, Any], code: int) -> None:
    asked = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "2", "price": "49000"}
    asked |= {"orderId": nt.limit()["orderId"]} | changes
    connection = nt.listen()
    assert nt.error("PUT", "order", **asked) == code
    assert nt.events(connection) == []


def test_an_amendment_keeps_what_was_filled_and_its_event_says_so(nt: Client) -> None:
    order_id = nt.limit(quantity="2")["orderId"]
    nt.fill("O-1", "0.5")
    connection = nt.listen()
    nt.ok("PUT", "order", symbol="BTCUSDT", side="BUY", orderId=order_id, quantity="1",
          priceMatch="OPPONENT")  # fmt: skip
    (event,) = nt.events(connection)
    o = event["o"]
    assert (o["x"], o["X"], o["q"], o["z"], o["l"], o["p"]) == (
        "AMENDMENT", "PARTIALLY_FILLED", "1", "0.5", "0", "50000.1",
    )  # fmt: skip
    assert o["M"] > 0
    nt.fill("O-1", "0.5")
    assert nt.venue.orders()[0].status == "FILLED"


def test_reduce_only_is_clipped_to_its_leg_when_amended(nt: Client) -> None:
    nt.market("A", "BUY", "1")
    order_id = nt.limit("R", "SELL", "0.5", "51000", reduceOnly="true")["orderId"]
    asked = {"symbol": "BTCUSDT", "side": "SELL", "orderId": order_id, "price": "51000"}
    assert nt.ok("PUT", "order", **asked, quantity="9")["origQty"] == "1.000"
    by_hand = nt.venue.web_modify(
        "main", "BTCUSDT", order_id=order_id, price=D(52000), quantity=D(5), now_ns=nt.now_ns
    )
    assert by_hand.quantity == 1


def test_post_only_that_would_take_is_cancelled_by_its_amendment(nt: Client) -> None:
    order_id = nt.limit(price="49000", timeInForce="GTX")["orderId"]
    asked = {"symbol": "BTCUSDT", "side": "BUY", "orderId": order_id, "quantity": "1"}
    assert nt.ok("PUT", "order", **asked, price="50000.1")["status"] == "CANCELED"


def test_the_code_for_an_amendment_of_nothing_is_a_knob() -> None:
    nt = client(unknown_modify_code=-2011)
    asked = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "1", "price": "50000", "orderId": 1}
    assert nt.error("PUT", "order", **asked) == -2011


def test_there_are_ten_thousand_amendments_at_most(nt: Client) -> None:
    nt.limit(price="49000")
    exchange = nt.venue.exchange
    (standing,) = exchange.orders
    for number in range(10_000):
        exchange.amend(standing, D(1), D(49001 + number % 2), nt.now_ns)
    asked = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "1", "origClientOrderId": "O-1"}
    assert nt.error("PUT", "order", **asked, price="49000") == -5026


# -- the countdown


def countdown(nt: Client, milliseconds: int, symbol: str = "BTCUSDT") -> Any:
    return nt.ok("POST", "countdownCancelAll", symbol=symbol, countdownTime=milliseconds)


def test_a_countdown_cancels_a_symbols_orders_in_time(nt: Client) -> None:
    nt.limit("A")
    nt.limit("B", symbol="ETHUSDT", price="3000")
    assert countdown(nt, 5000) == {"symbol": "BTCUSDT", "countdownTime": "5000"}
    assert nt.venue.next_deadline_ns() == nt.now_ns + 5 * SECOND_NS
    connection = nt.listen()
    nt.wait(5 * SECOND_NS - 1)
    assert nt.events(connection) == []
    nt.wait(1)
    (event,) = nt.events(connection)
    assert (event["o"]["c"], event["o"]["X"], event["T"]) == ("A", "CANCELED", nt.now_ms)
    assert [row["clientOrderId"] for row in nt.ok("GET", "openOrders")] == ["B"]


def test_a_countdown_starts_anew_or_ends_when_it_is_sent_again(nt: Client) -> None:
    nt.limit("A")
    countdown(nt, 5000)
    nt.wait(4 * SECOND_NS)
    countdown(nt, 5000)
    nt.wait(4 * SECOND_NS)
    assert len(nt.ok("GET", "openOrders")) == 1
    countdown(nt, 0)
    nt.wait(60 * SECOND_NS)
    assert len(nt.ok("GET", "openOrders")) == 1
    assert nt.error("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime=-1) == -1102
    assert nt.error("POST", "countdownCancelAll", symbol="BTCUSDT") == -1102


def test_what_time_alone_does_happens_in_its_order(nt: Client) -> None:
    nt.limit("G", timeInForce="GTD", goodTillDate=nt.now_ms + 700_000)
    nt.limit("C", symbol="ETHUSDT", price="3000")
    countdown(nt, 701_000, "ETHUSDT")
    connection = nt.listen()
    nt.wait(800 * SECOND_NS)
    first, second = nt.events(connection)
    assert (first["o"]["c"], second["o"]["c"]) == ("G", "C")
    assert second["T"] - first["T"] in range(1, 2001)


def test_a_key_that_ends_later_still_hears_of_an_order_that_ended_before(nt: Client) -> None:
    nt.limit("G", timeInForce="GTD", goodTillDate=nt.now_ms + 700_000)
    connection = nt.listen()
    nt.wait(3700 * SECOND_NS)
    assert [event["e"] for event in nt.events(connection)] == [
        "ORDER_TRADE_UPDATE", "listenKeyExpired",
    ]  # fmt: skip
