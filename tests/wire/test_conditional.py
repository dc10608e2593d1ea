"""Conditional orders: what triggers them, and what is seen of what they become."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.binance import Binance

ALGO, ORDER = "/fapi/v1/algoOrder", "/fapi/v1/order"
BTC = {"symbol": "BTCUSDT"}

STOP, TAKE = "STOP_MARKET", "TAKE_PROFIT_MARKET"
TRIGGERS: tuple[tuple[str, str, str, str, str], ...] = (
    # type, side, trigger, a price that is not enough, one that is
    (STOP, "SELL", "48000", "48000.1", "48000"),
    (STOP, "BUY", "52000", "51999.9", "52000"),
    (TAKE, "SELL", "52000", "51999.9", "52000"),
    (TAKE, "BUY", "48000", "48000.1", "48000"),
    ("STOP", "SELL", "48000", "48000.1", "47000"),
    ("TAKE_PROFIT", "BUY", "48000", "48000.1", "47000"),
)


async def algo(binance: Binance, name: str = "A-1") -> dict[str, Any]:
    row: dict[str, Any] = await binance.ok("GET", ALGO, clientAlgoId=name)
    return row


@pytest.mark.parametrize(("kind", "side", "trigger", "near", "there"), TRIGGERS)
async def test_which_price_triggers(
    binance: Binance, kind: str, side: str, trigger: str, near: str, there: str
):
    more = {"price": trigger, "timeInForce": "GTC"} if kind in ("STOP", "TAKE_PROFIT") else {}
    await binance.arm("A-1", side, type=kind, triggerPrice=trigger, **more)
    await binance.world(f'price: {{price: "{near}"}}')
    assert (await algo(binance))["algoStatus"] == "NEW"
    await binance.world(f'price: {{price: "{there}"}}')

    assert (await algo(binance))["algoStatus"] in ("TRIGGERED", "FINISHED")


@pytest.mark.parametrize(
    ("working_type", "waits"), [("CONTRACT_PRICE", True), ("MARK_PRICE", False)]
)
async def test_the_last_price_or_the_mark_price(binance: Binance, working_type: str, waits: bool):
    await binance.arm("A-1", workingType=working_type)
    await binance.world('price: {price: "49000", mark: "47900"}')

    assert ((await algo(binance))["algoStatus"] == "NEW") is waits


async def test_a_trailing_stop_follows_the_price_and_not_back(binance: Binance):
    trailing = {"type": "TRAILING_STOP_MARKET", "triggerPrice": "", "callbackRate": "1"}
    await binance.arm("A-1", **trailing)
    for price in ("50400", "49950", "52000", "51500"):
        await binance.world(f'price: {{price: "{price}"}}')
        assert (await algo(binance))["algoStatus"] == "NEW", price
    await binance.world('price: {price: "51480"}')

    assert (await algo(binance))["algoStatus"] == "FINISHED"


async def test_a_trailing_stop_begins_where_it_is_told_to(binance: Binance):
    stream = await binance.stream()
    trailing = {"type": "TRAILING_STOP_MARKET", "triggerPrice": "", "callbackRate": "1"}
    await binance.arm("A-1", activatePrice="51000", **trailing)
    await binance.world('price: {price: "49000"}')
    assert (await algo(binance))["algoStatus"] == "NEW"
    await binance.world('price: {price: "51000"}')
    await binance.world('price: {price: "50490"}')
    told = [event["o"] for event in await stream.all() if event["e"] == "ALGO_UPDATE"]

    assert (await algo(binance))["algoStatus"] == "FINISHED"
    assert [(o["X"], o["ia"]) for o in told[:2]] == [("NEW", False), ("NEW", True)]


async def test_what_a_conditional_order_becomes(binance: Binance):
    stream = await binance.stream()
    made = await binance.arm("A-1", type="STOP", price="47900", timeInForce="GTC")
    assert await binance.ok("GET", "/fapi/v1/openOrders") == []
    await binance.world("trigger: {order: A-1}")
    [child] = await binance.ok("GET", "/fapi/v1/openOrders")
    row = await algo(binance)
    algos = [event["o"] for event in await stream.all() if event["e"] == "ALGO_UPDATE"]
    told = {o["X"]: o for o in algos}

    assert (child["clientOrderId"], child["type"], child["price"]) == ("A-1", "LIMIT", "47900.00")
    assert row["actualOrderId"] == str(child["orderId"]) == told["TRIGGERED"]["ai"]
    assert told["TRIGGERED"]["aid"] == row["algoId"] == made["algoId"]
    assert (told["TRIGGERING"]["ai"], told["NEW"]["ai"]) == ("", "")
    assert row["triggerTime"] > 0
    assert await binance.ok("GET", "/fapi/v1/openAlgoOrders") == []
    assert await binance.refused("DELETE", ALGO, clientAlgoId="A-1") == (400, -2011)


async def test_what_it_fills_is_told_at_its_end(binance: Binance):
    stream = await binance.stream()
    await binance.arm("A-1", type="STOP", price="47900", timeInForce="GTC")
    await binance.world("trigger: {order: A-1}")
    for quantity in ("0.4", "0.6"):
        await binance.world(f'fill: {{order: A-1, quantity: "{quantity}"}}')
    last = (await stream.all())[-1]
    row = await algo(binance)

    assert (last["e"], last["o"]["X"], last["o"]["aq"]) == ("ALGO_UPDATE", "FINISHED", "1")
    assert float(last["o"]["ap"]) == float(row["actualPrice"]) == 47900
    assert (row["algoStatus"], row["actualQty"]) == ("FINISHED", "1.000")


@pytest.mark.venue("knobs: {triggered_order_shows: conditional}")
async def test_what_it_becomes_may_show_what_it_was(binance: Binance):
    await binance.arm("A-1")
    await binance.world("trigger: {order: A-1}")
    row = await binance.ok("GET", ORDER, **BTC, origClientOrderId="A-1")

    assert (row["origType"], row["stopPrice"]) == ("STOP_MARKET", "48000.00")


async def test_a_client_id_is_taken_while_its_order_waits(binance: Binance):
    await binance.arm("A-1")
    again = BTC | {"side": "SELL", "type": STOP, "algoType": "CONDITIONAL", "quantity": "1"}
    again |= {"triggerPrice": "47000", "clientAlgoId": "A-1"}

    assert await binance.refused("POST", ALGO, **again) == (400, -4116)
    await binance.ok("DELETE", ALGO, clientAlgoId="A-1")
    await binance.ok("POST", ALGO, **again)


async def test_a_gtd_order_that_waits_expires(binance: Binance):
    stream = await binance.stream()
    till = binance.now_ms + 700_000
    limited = {"type": "STOP", "price": "47900", "timeInForce": "GTD", "goodTillDate": till}
    await binance.arm("A-1", **limited)
    await binance.wait(701)

    assert [event["o"]["X"] for event in await stream.all()] == ["NEW", "EXPIRED"]
    assert (await algo(binance))["algoStatus"] == "EXPIRED"


async def test_all_that_wait_on_a_symbol_are_cancelled(binance: Binance):
    await binance.arm("A-1")
    await binance.arm("A-2")
    await binance.arm("E-1", symbol="ETHUSDT", triggerPrice="2900")
    await binance.place("O-1")
    await binance.ok("DELETE", "/fapi/v1/algoOpenOrders", **BTC)

    waiting = await binance.ok("GET", "/fapi/v1/openAlgoOrders")
    assert [row["clientAlgoId"] for row in waiting] == ["E-1"]
    assert len(await binance.ok("GET", "/fapi/v1/openOrders")) == 1


async def test_all_plain_orders_are_cancelled_apart(binance: Binance):
    await binance.arm("A-1")
    await binance.place("O-1")
    await binance.ok("DELETE", "/fapi/v1/allOpenOrders", **BTC)

    assert await binance.ok("GET", "/fapi/v1/openOrders") == []
    assert (await algo(binance))["algoStatus"] == "NEW"
