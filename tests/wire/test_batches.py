"""Several orders in one request: each has an answer of its own, in the order of the request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.binance import Binance

BATCH = "/fapi/v1/batchOrders"
BTC = {"symbol": "BTCUSDT"}


def order(name: str, **more: Any) -> dict[str, Any]:
    params = BTC | {"side": "BUY", "type": "LIMIT", "quantity": "1", "price": "49000"}
    return params | {"timeInForce": "GTC", "newClientOrderId": name} | more


def short(rows: list[dict[str, Any]]) -> list[str]:
    return [
        str(row["code"]) if "code" in row else f"{row['clientOrderId']} {row['status']}"
        for row in rows
    ]


async def test_each_is_placed_or_refused(binance: Binance):
    stream = await binance.stream()
    asked = [order("O-1"), order("O-2", price="1.005"), order("O-1"), order("O-3", side="HOLD")]
    rows = await binance.ok("POST", BATCH, batchOrders=json.dumps([*asked, order("O-4")]))

    assert short(rows) == ["O-1 NEW", "-1111", "-4116", "-1117", "O-4 NEW"]
    assert [event["o"]["c"] for event in await stream.all()] == ["O-1", "O-4"]


async def test_each_is_modified_or_refused(binance: Binance):
    for name in ("O-1", "O-2"):
        await binance.place(name)
    change = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "2", "price": "48000"}
    asked = [change | {"origClientOrderId": name} for name in ("O-2", "X", "O-1")]
    rows = await binance.ok("PUT", BATCH, batchOrders=json.dumps(asked))

    assert short(rows) == ["O-2 NEW", "-2013", "O-1 NEW"]
    shown = await binance.ok("GET", "/fapi/v1/openOrders")
    assert {(row["origQty"], row["price"]) for row in shown} == {("2.000", "48000.00")}


async def test_each_is_cancelled_or_refused(binance: Binance):
    ids = {name: (await binance.place(name))["orderId"] for name in ("O-1", "O-2", "O-3")}
    names = json.dumps(["O-3", "X", "O-1"])
    rows = await binance.ok("DELETE", BATCH, **BTC, origClientOrderIdList=names)
    assert short(rows) == ["O-3 CANCELED", "-2011", "O-1 CANCELED"]
    numbers = json.dumps([ids["O-1"], ids["O-2"]])
    rows = await binance.ok("DELETE", BATCH, **BTC, orderIdList=numbers)

    assert short(rows) == ["-2011", "O-2 CANCELED"]


@pytest.mark.parametrize(("number", "code"), [(0, -4082), (5, None), (6, -4082)])
async def test_how_many_are_placed_at_once(binance: Binance, number: int, code: int | None):
    asked = json.dumps([order(f"O-{each}") for each in range(number)])
    reply = await binance.rest("POST", BATCH, batchOrders=asked)

    assert (None if reply.status == 200 else reply.refusal[1]) == code
    placed = 0 if code else number
    assert len(await binance.ok("GET", "/fapi/v1/openOrders")) == placed


@pytest.mark.parametrize(("number", "status"), [(10, 200), (11, 400)])
async def test_how_many_are_cancelled_at_once(binance: Binance, number: int, status: int):
    names = [f"O-{each}" for each in range(number)]
    for name in names:
        await binance.place(name)
    asked = json.dumps(names)
    reply = await binance.rest("DELETE", BATCH, **BTC, origClientOrderIdList=asked)

    assert reply.status == status
    assert len(await binance.ok("GET", "/fapi/v1/openOrders")) == (0 if status == 200 else number)


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "[1]"])
async def test_what_is_no_batch(binance: Binance, text: str):
    assert (await binance.refused("POST", BATCH, batchOrders=text))[0] == 400


async def test_a_batch_counts_as_its_orders_in_ten_seconds_and_as_one_in_a_minute(
    binance: Binance,
):
    reply = await binance.rest("POST", BATCH, batchOrders=json.dumps([order("O-1")]))

    assert reply.headers["X-MBX-ORDER-COUNT-10S"] == "5"
    assert reply.headers["X-MBX-ORDER-COUNT-1M"] == "1"
