"""The life of an order: what is refused and leaves nothing, and what becomes of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.binance import Binance
from tests.wire.events import said

ORDER, ALGO = "/fapi/v1/order", "/fapi/v1/algoOrder"
BTC = {"symbol": "BTCUSDT"}
LIMIT = {"side": "BUY", "type": "LIMIT", "quantity": "1", "price": "49000"}
LIMIT |= {"symbol": "BTCUSDT", "timeInForce": "GTC"}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
STOP = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "algoType": "CONDITIONAL"}
STOP |= {"quantity": "1", "triggerPrice": "48000"}
CLOSING = {"closePosition": "true", "quantity": ""}


async def status(binance: Binance, name: str) -> tuple[str, str]:
    row = await binance.ok("GET", ORDER, **BTC, origClientOrderId=name)
    return row["status"], row["executedQty"]


# -- refusals

REFUSALS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("no quantity", LIMIT | {"quantity": ""}, -1102),
    ("no price", LIMIT | {"price": ""}, -1102),
    ("no time in force", LIMIT | {"timeInForce": ""}, -1102),
    ("a side that there is not", LIMIT | {"side": "HOLD"}, -1117),
    ("a type that there is not", LIMIT | {"type": "ICEBERG"}, -1116),
    ("a time in force that there is not", LIMIT | {"timeInForce": "DAY"}, -1115),
    ("a price between ticks", LIMIT | {"price": "49000.05"}, -4014),
    ("a price too precise", LIMIT | {"price": "49000.001"}, -1111),
    ("a quantity too precise", LIMIT | {"quantity": "1.0001"}, -1111),
    ("nothing", LIMIT | {"quantity": "0"}, -4003),
    ("too much", LIMIT | {"quantity": "1001"}, -4005),
    ("too little money", LIMIT | {"quantity": "0.001"}, -4164),
    ("a price far above", LIMIT | {"price": "56000"}, -4016),
    ("more than there is margin for", LIMIT | {"quantity": "100"}, -2019),
    ("a client id that is too long", LIMIT | {"newClientOrderId": "O" * 37}, -4015),
    ("a post-only order that would take", LIMIT | {"price": "50100", "timeInForce": "GTX"}, -5022),
    ("a FOK order that finds nothing", LIMIT | {"timeInForce": "FOK"}, -5021),
    ("a GTD order without an end", LIMIT | {"timeInForce": "GTD"}, -1102),
    ("reduce-only without a position", LIMIT | {"reduceOnly": "true"}, -2022),
    ("a leg in one-way mode", LIMIT | {"positionSide": "LONG"}, -4061),
    ("a leg that there is not", LIMIT | {"positionSide": "UP"}, -4060),
    ("a stop that is no plain order", MARKET | {"type": "STOP_MARKET", "stopPrice": "1"}, -4120),
    ("a trailing stop likewise", MARKET | {"type": "TRAILING_STOP_MARKET"}, -4120),
)


@pytest.mark.parametrize(
    ("params", "code"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS]
)
async def test_what_is_refused_leaves_nothing(binance: Binance, params: dict[str, Any], code: int):
    stream = await binance.stream()

    assert await binance.refused("POST", ORDER, **params) == (400, code)
    await stream.quiet()
    assert await binance.ok("GET", "/fapi/v1/allOrders", **BTC) == []


async def test_an_order_that_is_only_tested_leaves_nothing(binance: Binance):
    stream = await binance.stream()
    answer = await binance.ok("POST", "/fapi/v1/order/test", **LIMIT)

    assert (answer["status"], answer["origQty"]) == ("NEW", "1.000")
    assert await binance.refused("POST", "/fapi/v1/order/test", **LIMIT | {"price": "56000"}) == (
        400,
        -4016,
    )
    await stream.quiet()
    assert await binance.ok("GET", "/fapi/v1/allOrders", **BTC) == []


ALGO_REFUSALS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("one that would trigger at once", STOP | {"triggerPrice": "51000"}, -2021),
    ("no trigger", STOP | {"triggerPrice": ""}, -1102),
    ("a limited one without a price", STOP | {"type": "STOP", "timeInForce": "GTC"}, -1102),
    ("a plain type", STOP | {"type": "LIMIT", "price": "48000", "timeInForce": "GTC"}, -1116),
    ("closing with a quantity", STOP | {"closePosition": "true"}, -4137),
    ("closing by a limit", STOP | CLOSING | {"type": "STOP", "price": "48000"}, -4136),
    ("a trail without a rate", STOP | {"type": "TRAILING_STOP_MARKET", "triggerPrice": ""}, -1102),
)


@pytest.mark.parametrize(
    ("params", "code"), [case[1:] for case in ALGO_REFUSALS], ids=[c[0] for c in ALGO_REFUSALS]
)
async def test_a_conditional_order_that_is_refused_leaves_nothing(
    binance: Binance, params: dict[str, Any], code: int
):
    stream = await binance.stream()

    assert await binance.refused("POST", ALGO, **params) == (400, code)
    await stream.quiet()
    assert await binance.ok("GET", "/fapi/v1/allAlgoOrders", **BTC) == []


HEDGE_REFUSALS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("no leg", LIMIT, -4061),
    ("both legs", LIMIT | {"positionSide": "BOTH"}, -4061),
    ("reduce-only", LIMIT | {"positionSide": "LONG", "reduceOnly": "true"}, -1106),
    ("not reduce-only", LIMIT | {"positionSide": "LONG", "reduceOnly": "false"}, -1106),
    ("closing what is not held", LIMIT | {"positionSide": "SHORT"}, -2022),
)


@pytest.mark.venue("position_mode: hedge")
@pytest.mark.parametrize(
    ("params", "code"), [case[1:] for case in HEDGE_REFUSALS], ids=[c[0] for c in HEDGE_REFUSALS]
)
async def test_what_is_refused_in_hedge_mode(binance: Binance, params: dict[str, Any], code: int):
    assert await binance.refused("POST", ORDER, **params) == (400, code)


# -- commands on what is not open


@pytest.mark.parametrize(
    ("method", "code"), [("DELETE", -2011), ("GET", -2013), ("PUT", -2013)], ids=str
)
async def test_an_order_that_never_was(binance: Binance, method: str, code: int):
    change = {"side": "BUY", "quantity": "1", "price": "49000"} if method == "PUT" else {}

    assert await binance.refused(method, ORDER, **BTC, orderId=1, **change) == (400, code)
    assert await binance.refused(method, ORDER, **BTC, origClientOrderId="X", **change) == (
        400,
        code,
    )


async def test_an_order_that_is_closed_stays_closed(binance: Binance):
    await binance.take("O-1")
    change = {"side": "BUY", "quantity": "1", "price": "49000"}
    about = BTC | {"origClientOrderId": "O-1"}

    assert await binance.refused("DELETE", ORDER, **about) == (400, -2011)
    assert await binance.refused("PUT", ORDER, **about, **change) == (400, -2013)
    assert await binance.refused("GET", "/fapi/v1/openOrder", **about) == (400, -2013)
    assert await status(binance, "O-1") == ("FILLED", "1.000")


async def test_the_id_of_the_venue_prevails(binance: Binance):
    first = await binance.place("O-1")
    await binance.place("O-2")
    both = BTC | {"orderId": first["orderId"], "origClientOrderId": "O-2"}

    assert (await binance.ok("GET", ORDER, **both))["clientOrderId"] == "O-1"
    assert (await binance.ok("DELETE", ORDER, **both))["clientOrderId"] == "O-1"
    assert await status(binance, "O-2") == ("NEW", "0.000")


async def test_a_conditional_order_that_is_gone(binance: Binance):
    made = await binance.arm("A-1")
    both = {"algoId": made["algoId"], "clientAlgoId": "A-1"}
    await binance.ok("DELETE", ALGO, **both)

    assert await binance.refused("DELETE", ALGO, **both) == (400, -2011)
    assert (await binance.ok("GET", ALGO, **both))["algoStatus"] == "CANCELED"
    assert await binance.refused("GET", ALGO, clientAlgoId="X") == (400, -2013)
    assert await binance.refused("GET", ORDER, **BTC, origClientOrderId="A-1") == (400, -2013)


# -- answers


async def test_an_answer_says_new_unless_the_result_is_asked_for(binance: Binance):
    ack = await binance.take("O-1")
    result = await binance.take("O-2", newOrderRespType="RESULT")

    assert (ack["status"], ack["executedQty"]) == ("NEW", "0.000")
    assert (result["status"], result["executedQty"]) == ("FILLED", "1.000")


@pytest.mark.venue("knobs: {legacy_order_response: true}")
async def test_an_answer_of_the_old_kind_has_the_average_price(binance: Binance):
    answer = await binance.take("O-1", newOrderRespType="RESULT")

    assert (answer["avgPrice"], answer["cumQuote"]) == ("50000.00000", "50000.00000")


async def test_a_client_id_is_taken_while_its_order_is_open(binance: Binance):
    first = await binance.place("O-1")
    assert await binance.refused("POST", ORDER, **LIMIT, newClientOrderId="O-1") == (400, -4116)
    await binance.ok("DELETE", ORDER, **BTC, origClientOrderId="O-1")
    second = await binance.place("O-1")
    found = await binance.ok("GET", ORDER, **BTC, origClientOrderId="O-1")

    assert first["orderId"] < second["orderId"] == found["orderId"]


async def test_an_order_without_a_name_is_given_one(binance: Binance):
    names = {(await binance.ok("POST", ORDER, **LIMIT))["clientOrderId"] for _ in range(3)}

    assert len(names) == 3
    assert all(0 < len(name) <= 36 for name in names)


# -- modification


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, -5027),
        ({"side": "SELL"}, -1117),
        ({"price": "49000.05"}, -4014),
        ({"quantity": ""}, -1102),
    ],
    ids=str,
)
async def test_a_modification_that_is_refused(binance: Binance, change: dict[str, Any], code: int):
    await binance.place("O-1")
    same = {"side": "BUY", "quantity": "1", "price": "49000"}
    about = BTC | {"origClientOrderId": "O-1"}

    assert await binance.refused("PUT", ORDER, **about, **same | change) == (400, code)
    assert await binance.ok("GET", "/fapi/v1/orderAmendment", **about) == []


# -- time in force


@pytest.mark.parametrize(("after", "code"), [(590, -5040), (700, None)])
async def test_a_gtd_order_lasts_for_ten_minutes_at_least(
    binance: Binance, after: int, code: int | None
):
    till = binance.now_ms + after * 1000
    gtd = LIMIT | {"timeInForce": "GTD", "goodTillDate": till, "newClientOrderId": "O-1"}
    if code is not None:
        assert await binance.refused("POST", ORDER, **gtd) == (400, code)
        return
    made = await binance.ok("POST", ORDER, **gtd)
    assert made["goodTillDate"] == till // 1000 * 1000
    await binance.wait(after + 1)
    assert await status(binance, "O-1") == ("EXPIRED", "0.000")


async def test_a_countdown_cancels_unless_it_is_sent_again(binance: Binance):
    countdown = "/fapi/v1/countdownCancelAll"
    await binance.place("O-1")
    for _ in range(3):
        await binance.ok("POST", countdown, **BTC, countdownTime=10_000)
        await binance.wait(9)
    assert await status(binance, "O-1") == ("NEW", "0.000")
    await binance.wait(2)
    assert await status(binance, "O-1") == ("CANCELED", "0.000")
    await binance.place("O-2")
    await binance.ok("POST", countdown, **BTC, countdownTime=10_000)
    await binance.ok("POST", countdown, **BTC, countdownTime=0)
    await binance.wait(11)
    assert await status(binance, "O-2") == ("NEW", "0.000")


# -- orders that only reduce


async def test_a_reduce_only_order_goes_when_the_position_does(binance: Binance):
    await binance.take("O-1")
    await binance.place("O-2", "SELL", price="51000", reduceOnly="true")
    stream = await binance.stream()
    await binance.take("O-3", "SELL")
    told = [said(event) for event in await stream.all()]

    assert told[-1] == "ORDER O-2 EXPIRED EXPIRED 0 er 4"
    assert await status(binance, "O-2") == ("EXPIRED", "0.000")


async def test_a_reduce_only_order_is_clipped_to_the_position(binance: Binance):
    await binance.take("O-1", quantity="0.4")
    stream = await binance.stream()
    await binance.take("O-2", "SELL", reduceOnly="true")
    new = (await stream.all())[0]["o"]

    assert (new["x"], new["q"]) == ("NEW", "0.4")
    assert await status(binance, "O-2") == ("FILLED", "0.400")


async def test_a_closing_order_has_no_quantity_of_its_own(binance: Binance):
    await binance.take("O-1", quantity="0.4")
    stream = await binance.stream()
    made = await binance.arm("A-1", quantity="", closePosition="true")
    await binance.world('price: {price: "47000"}')
    events = await stream.all()

    assert (made["closePosition"], float(made["quantity"])) == (True, 0)
    assert (events[0]["o"]["q"], events[0]["o"]["cp"]) == ("0", True)
    assert await status(binance, "A-1") == ("FILLED", "0.400")
    assert await binance.ok("GET", "/fapi/v3/positionRisk") == []


async def test_a_conditional_order_dies_with_its_position(binance: Binance):
    await binance.take("O-1")
    await binance.arm("A-1", timeInForce="GTE_GTC", reduceOnly="true")
    stream = await binance.stream()
    await binance.take("O-2", "SELL")

    assert "ALGO A-1 EXPIRED" in [said(event) for event in await stream.all()]


# -- self-trade prevention

MODES = {
    "EXPIRE_TAKER": ("NEW", "EXPIRED_IN_MATCH"),
    "EXPIRE_MAKER": ("EXPIRED_IN_MATCH", "NEW"),
    "EXPIRE_BOTH": ("EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
    "NONE": ("FILLED", "FILLED"),
}


@pytest.mark.parametrize("mode", MODES)
async def test_an_order_that_meets_ones_own(binance: Binance, mode: str):
    await binance.place("O-1")
    await binance.place("O-2", "SELL", selfTradePreventionMode=mode)
    found = [(await status(binance, name))[0] for name in ("O-1", "O-2")]
    trades = await binance.ok("GET", "/fapi/v1/userTrades", **BTC)

    assert tuple(found) == MODES[mode]
    assert len({row["id"] for row in trades}) == len(trades) // 2 == (mode == "NONE")
