"""Every endpoint answers with exactly the fields and types that it has at Binance."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire import rows
from tests.wire.binance import Binance
from tests.wire.replies import ACCOUNT, CASES, Case
from tests.wire.shapes import mismatches

pytestmark = pytest.mark.venue('balances: {USDT: "1000000"}')


@pytest.fixture
async def busy(binance: Binance) -> Binance:
    """Return an account with orders of every kind, trades, positions of both margin types."""
    await binance.listen_key()
    await binance.ok("POST", "/fapi/v1/marginType", symbol="ETHUSDT", marginType="ISOLATED")
    await binance.take("E-1", symbol="ETHUSDT")
    await binance.world('add_margin: {symbol: ETHUSDT, amount: "20"}')
    await binance.world('add_margin: {symbol: ETHUSDT, amount: "-10"}')
    await binance.take("M-1")
    await binance.world('deleverage: {quantity: "0.5", price: "50001.23"}')
    await binance.place("P-1")
    await binance.world('fill: {order: P-1, quantity: "0.3"}')
    await binance.place("C-1")
    await binance.ok("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="C-1")
    await binance.place("N-1", quantity="0.9")
    change = {"side": "BUY", "quantity": "0.8", "price": "48000"}
    await binance.ok("PUT", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="N-1", **change)
    await binance.arm("A-1")
    await binance.arm("T-1", type="TRAILING_STOP_MARKET", triggerPrice="", callbackRate="1.0")
    await binance.arm("F-1", quantity="0.1")
    await binance.world("trigger: {order: F-1}")
    await binance.world('fund: {rate: "0.0001"}')
    return binance


async def answer(binance: Binance, case: Case) -> Any:
    method, path = case.endpoint.split(" ")
    return await binance.ok(method, path, auth=case.auth, **case.params)


def check(found: Any, case: Case) -> None:
    assert mismatches(found, case.shape) == []
    assert case.number in (-1, len(found))


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.auth != "new"], ids=lambda c: f"{c.endpoint} {len(c.params)}"
)
async def test_what_an_endpoint_answers(busy: Binance, case: Case):
    check(await answer(busy, case), case)


@pytest.mark.parametrize("case", [c for c in ACCOUNT if c.auth == "new"], ids=lambda c: c.endpoint)
async def test_what_a_setting_answers_that_needs_an_account_without_orders(
    binance: Binance, case: Case
):
    if case.path == "v1/marginType":
        await binance.ok("POST", "/fapi/v1/marginType", symbol="ETHUSDT", marginType="ISOLATED")
    method, path = case.endpoint.split(" ")
    check(await binance.ok(method, path, **case.params), case)


def test_no_endpoint_is_left_out(endpoints: tuple[str, ...]):
    assert {case.endpoint for case in CASES} == set(endpoints)


async def test_each_order_of_a_batch_has_its_own_answer(busy: Binance):
    for case in CASES:
        if case.path == "v1/batchOrders" and case.method in ("POST", "PUT"):
            good, bad = await answer(busy, case)
            shape = rows.ORDER_REPLY | {"modifyId?": int}
            assert mismatches(good, shape) == []
            assert mismatches(bad, rows.REFUSAL) == []


async def test_a_list_of_conditional_orders_has_what_trails_and_what_does_not(busy: Binance):
    listed = await busy.ok("GET", "/fapi/v1/allAlgoOrders", symbol="BTCUSDT")
    shapes = {"A-1": rows.ALGO_ROW, "T-1": rows.ALGO_TRAILING, "F-1": rows.ALGO_TRIGGERED}

    for row in listed:
        assert mismatches(row, shapes[row["clientAlgoId"]]) == []
    assert await busy.ok("GET", "/fapi/v1/openAlgoOrders") == listed[:2]
