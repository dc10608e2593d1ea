"""The life of an order as its owner sees it: states, quantities, ids, and who may change it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.binance import Binance
from tests.wire.rows import ORDER_REPLY, REFUSAL
from tests.wire.shapes import mismatches

O1 = {"symbol": "BTCUSDT", "origClientOrderId": "O-1"}
CHANGE = {"side": "BUY", "quantity": "2", "price": "48000"}


async def seen(binance: Binance, name: str = "O-1") -> tuple[str, str]:
    """Return status and executed quantity as GET order shows them."""
    row = await binance.ok(
        "GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId=name
    )  # fmt: skip
    return row["status"], row["executedQty"]


async def code(binance: Binance, method: str, path: str, **params: Any) -> int:
    return (await binance.refused(method, f"/fapi/v1/{path}", **params))[1]


async def held(binance: Binance) -> dict[str, str]:
    """Return the legs that are not flat."""
    rows = await binance.ok("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")
    return {row["positionSide"]: row["positionAmt"] for row in rows if float(row["positionAmt"])}


async def test_an_order_rests_is_filled_in_part_and_in_full(binance: Binance):
    reply = await binance.place("O-1")
    assert (reply["status"], reply["executedQty"], reply["cumQty"]) == ("NEW", "0.000", "0.000")
    for quantity, expected in (
        ("0.4", ("PARTIALLY_FILLED", "0.400")),
        ("0.6", ("FILLED", "1.000")),
    ):
        await binance.world(f'fill: {{order: O-1, quantity: "{quantity}"}}')
        assert await seen(binance) == expected
    assert await binance.ok("GET", "/fapi/v1/openOrders") == []
    assert await code(binance, "GET", "openOrder", **O1) == -2013
    assert await code(binance, "DELETE", "order", **O1) == -2011


@pytest.mark.parametrize("kind", ["ACK", "RESULT"])
async def test_a_market_order_is_acknowledged_before_it_is_filled(binance: Binance, kind: str):
    reply = await binance.take("O-1", newOrderRespType=kind)
    if kind == "ACK":
        assert (reply["status"], reply["executedQty"]) == ("NEW", "0.000")
    else:
        assert (reply["status"], reply["executedQty"]) == ("FILLED", "1.000")
    assert await seen(binance) == ("FILLED", "1.000")


async def test_a_cancel_keeps_what_was_filled(binance: Binance):
    await binance.place("O-1")
    await binance.world('fill: {order: O-1, quantity: "0.4"}')
    reply = await binance.ok("DELETE", "/fapi/v1/order", **O1)
    assert (reply["status"], reply["executedQty"]) == ("CANCELED", "0.400")
    assert await seen(binance) == ("CANCELED", "0.400")


async def test_the_order_id_prevails_over_the_client_order_id(binance: Binance):
    first, second = await binance.place("O-1"), await binance.place("O-2")
    both = {"symbol": "BTCUSDT", "orderId": second["orderId"], "origClientOrderId": "O-1"}
    assert (await binance.ok("GET", "/fapi/v1/order", **both))["clientOrderId"] == "O-2"
    assert (await binance.ok("DELETE", "/fapi/v1/order", **both))["clientOrderId"] == "O-2"
    assert second["orderId"] > first["orderId"]


async def test_a_client_order_id_may_be_used_again_once_its_order_is_closed(
    binance: Binance,
):
    first = await binance.place("O-1")
    await binance.world('fill: {order: O-1, quantity: "1"}')
    second = await binance.place("O-1")
    assert second["orderId"] > first["orderId"]
    newest = await binance.ok("GET", "/fapi/v1/order", **O1)
    assert newest["orderId"] == second["orderId"]
    first_one = {"symbol": "BTCUSDT", "orderId": first["orderId"]}
    assert (await binance.ok("GET", "/fapi/v1/order", **first_one))["status"] == "FILLED"


async def test_a_modification_says_its_number_and_keeps_the_order(binance: Binance):
    made = await binance.place("O-1")
    reply = await binance.ok("PUT", "/fapi/v1/order", orderId=made["orderId"], symbol="BTCUSDT",
                             **CHANGE)  # fmt: skip
    assert mismatches(reply, ORDER_REPLY | {"modifyId": int}) == []
    assert reply["orderId"] == made["orderId"]
    assert (reply["origQty"], reply["price"]) == ("2.000", "48000.00")
    rows = await binance.ok("GET", "/fapi/v1/orderAmendment", **O1)
    assert [row["amendment"]["origQty"] for row in rows] == [{"before": "1.000", "after": "2.000"}]


async def test_a_modification_to_less_than_is_filled_cancels(binance: Binance):
    await binance.place("O-1")
    await binance.world('fill: {order: O-1, quantity: "0.4"}')
    change = CHANGE | {"quantity": "0.4"}
    reply = await binance.ok("PUT", "/fapi/v1/order", **O1, **change)
    assert (reply["status"], reply["executedQty"]) == ("CANCELED", "0.400")


async def test_a_reduce_only_order_is_clipped_to_the_position(binance: Binance):
    await binance.take("M-1", quantity="0.5")
    reply = await binance.place("R-1", side="SELL", price="60000", reduceOnly="True")
    listed = await binance.ok("GET", "/fapi/v1/openOrders", symbol="BTCUSDT")
    assert [row["origQty"] for row in listed] == ["0.500"]
    assert reply["reduceOnly"] is True


async def test_a_conditional_order_becomes_one_with_its_client_id(binance: Binance):
    waiting = await binance.arm("A-1", "BUY", trigger="51000")
    assert (waiting["algoStatus"], waiting["actualOrderId"]) == ("NEW", "")
    assert await binance.ok("GET", "/fapi/v1/openOrders") == []
    await binance.world('price: {price: "51000"}')
    done = await binance.ok("GET", "/fapi/v1/algoOrder", clientAlgoId="A-1")
    (child,) = await binance.ok("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")
    assert done["algoStatus"] == "FINISHED"
    assert done["actualOrderId"] == str(child["orderId"])
    assert (child["clientOrderId"], child["status"]) == ("A-1", "FILLED")
    assert await binance.ok("GET", "/fapi/v1/openAlgoOrders") == []


async def test_close_position_closes_all_that_is_held(binance: Binance):
    await binance.take("M-1", quantity="3")
    made = await binance.arm("A-1", quantity="", trigger="49000", closePosition="true")
    assert (made["closePosition"], made["quantity"]) == (True, "0.000")
    await binance.world('price: {price: "49000"}')
    assert await held(binance) == {}


# -- several at once


async def test_a_batch_answers_in_its_order_with_errors_in_place(binance: Binance):
    await binance.place("O-1")
    await binance.place("O-2")
    rows = await binance.ok(
        "DELETE",
        "/fapi/v1/batchOrders",
        symbol="BTCUSDT",
        origClientOrderIdList='["O-2","nobody","O-1"]',
    )
    assert [row.get("clientOrderId", row.get("code")) for row in rows] == ["O-2", -2011, "O-1"]
    assert mismatches(rows[0], ORDER_REPLY) == []
    assert mismatches(rows[1], REFUSAL) == []


async def test_a_list_of_ids_may_be_written_as_python_does(binance: Binance):
    ids = [(await binance.place(f"O-{n}"))["orderId"] for n in range(2)]
    rows = await binance.ok(
        "DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=str(ids)
    )
    assert [row["orderId"] for row in rows] == ids
    await binance.place("O-3")
    (row,) = await binance.ok(
        "DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", origclientorderidlist="['O-3']"
    )
    assert row["status"] == "CANCELED"


async def test_a_batch_places_what_can_be_placed(binance: Binance):
    one = (
        '{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC",'
        '"quantity":"%s","price":"48000","newClientOrderId":"%s"}'
    )
    text = f"[{one % ('1', 'B-1')},{one % ('0', 'B-2')},{one % ('1', 'B-3')}]"
    rows = await binance.ok("POST", "/fapi/v1/batchOrders", batchOrders=text)
    assert [row.get("clientOrderId", row.get("code")) for row in rows] == ["B-1", -4003, "B-3"]


async def test_cancelling_all_is_no_error_when_there_is_nothing(binance: Binance):
    await binance.place("O-1")
    await binance.place("E-1", symbol="ETHUSDT", price="2900")
    for _ in range(2):
        await binance.ok("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    (left,) = await binance.ok("GET", "/fapi/v1/openOrders")
    assert left["clientOrderId"] == "E-1"


async def test_a_countdown_is_put_off_and_called_off(binance: Binance):
    await binance.place("O-1")

    async def count_down(ms: int):
        reply = await binance.ok(
            "POST", "/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=ms
        )
        assert reply == {"symbol": "BTCUSDT", "countdownTime": str(ms)}

    await count_down(10_000)
    await binance.wait(8)
    await count_down(10_000)
    await binance.wait(8)
    assert (await seen(binance))[0] == "NEW"
    await count_down(0)
    await binance.wait(20)
    assert (await seen(binance))[0] == "NEW"
    await count_down(10_000)
    await binance.wait(11)
    assert (await seen(binance))[0] == "CANCELED"


# -- legs and accounts


@pytest.mark.venue("position_mode: hedge")
async def test_hedge_mode_keeps_two_legs(binance: Binance):
    assert await binance.ok("GET", "/fapi/v1/positionSide/dual") == {"dualSidePosition": True}
    await binance.take("L-1", positionSide="LONG", quantity="2")
    await binance.take("S-1", positionSide="SHORT", side="SELL")
    assert await held(binance) == {"LONG": "2.000", "SHORT": "-1.000"}
    await binance.take("L-2", positionSide="LONG", side="SELL", quantity="2")
    await binance.take("S-2", positionSide="SHORT", quantity="1")
    assert await held(binance) == {}


async def test_the_mode_is_switched_when_flat_and_idle(binance: Binance):
    async def switch() -> int | None:
        reply = await binance.rest("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
        return None if reply.status == 200 else reply.json["code"]

    await binance.place("O-1")
    assert await switch() == -4067
    await binance.world('fill: {order: O-1, quantity: "1"}')
    assert await switch() == -4068
    await binance.take("O-2", "SELL")
    assert await switch() is None
    assert await switch() == -4059


@pytest.mark.venue("accounts: {main: {}, other: {}}")
async def test_accounts_do_not_see_each_other(binance: Binance):
    made = await binance.place("O-1")
    other = binance.as_another("other")
    ids = {"symbol": "BTCUSDT", "orderId": made["orderId"]}
    assert await code(other, "GET", "order", **ids) == -2013
    assert await code(other, "DELETE", "order", **ids) == -2011
    assert await other.ok("GET", "/fapi/v1/openOrders") == []
    assert await other.ok("GET", "/fapi/v3/positionRisk") == []


async def test_a_trade_is_the_same_wherever_it_is_told(binance: Binance):
    stream = await binance.stream()
    made = await binance.place("O-1")
    await binance.world('fill: {order: O-1, quantity: "0.4"}')
    _, _, event = await stream.all()
    (row,) = await binance.ok("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    (paid,) = await binance.ok("GET", "/fapi/v1/income", incomeType="COMMISSION")
    o = event["o"]
    assert (row["id"], row["orderId"], row["time"]) == (o["t"], made["orderId"], o["T"])
    assert (row["qty"], row["price"], row["maker"], row["buyer"]) == (
        "0.400",
        "49000.00",
        True,
        True,
    )
    assert (row["commission"], row["commissionAsset"]) == (o["n"], o["N"]) == ("3.92", "USDT")
    assert (paid["income"], paid["tradeId"]) == ("-3.92000000", str(row["id"]))
