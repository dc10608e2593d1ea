"""What lists show: their windows, their pages, and how long the venue remembers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.wire.binance import Binance

DAY = 86_400
DAY_MS = DAY * 1000
ORDER, ORDERS, TRADES = "/fapi/v1/order", "/fapi/v1/allOrders", "/fapi/v1/userTrades"
INCOME, ALGOS = "/fapi/v1/income", "/fapi/v1/allAlgoOrders"
BTC = {"symbol": "BTCUSDT"}


async def trades(binance: Binance, **params: Any) -> list[str]:
    """Return the quantities of the trades that a query shows, which tell them apart."""
    rows = await binance.ok("GET", TRADES, **BTC, **params)
    assert [row["id"] for row in rows] == sorted({row["id"] for row in rows})
    return [row["qty"].rstrip("0").rstrip(".") for row in rows]


async def orders(binance: Binance, **params: Any) -> list[str]:
    rows = await binance.ok("GET", ORDERS, **BTC, **params)
    assert [row["orderId"] for row in rows] == sorted({row["orderId"] for row in rows})
    return [row["clientOrderId"] for row in rows]


async def algos(binance: Binance, **params: Any) -> list[str]:
    rows = await binance.ok("GET", ALGOS, **BTC, **params)
    return [row["clientAlgoId"] for row in rows]


@pytest.fixture
async def traded(binance: Binance) -> list[int]:
    """Trade once on each of ten days; return when, the last time being now."""
    times = []
    for number in range(1, 11):
        if times:
            await binance.wait(DAY)
        await binance.take(f"O-{number}", "BUY" if number % 2 else "SELL", str(number))
        times.append(binance.now_ms)
    return times


# -- trades


async def test_trades_without_a_window_are_those_of_seven_days(binance: Binance, traded: list[int]):
    assert await trades(binance) == ["4", "5", "6", "7", "8", "9", "10"]
    assert await trades(binance, limit=2) == ["9", "10"]


async def test_a_start_alone_is_a_window_of_seven_days(binance: Binance, traded: list[int]):
    start = traded[0] - 1000

    assert await trades(binance, startTime=start) == ["1", "2", "3", "4", "5", "6", "7"]
    assert await trades(binance, startTime=start - 30 * DAY_MS) == []


async def test_a_window_of_trades(binance: Binance, traded: list[int]):
    window = {"startTime": traded[1] - 1000, "endTime": traded[3]}

    assert await trades(binance, **window) == ["2", "3", "4"]
    assert await trades(binance, **window, limit=2) == ["2", "3"]


@pytest.mark.venue("knobs: {window_page: tail}")
async def test_a_full_window_may_show_the_newest(binance: Binance, traded: list[int]):
    window = {"startTime": traded[1] - 1000, "endTime": traded[3]}

    assert await trades(binance, **window, limit=2) == ["3", "4"]


async def test_trades_from_an_id_on(binance: Binance, traded: list[int]):
    first = (await binance.ok("GET", TRADES, **BTC, startTime=traded[0] - 1000))[0]["id"]
    every = [str(number) for number in range(1, 11)]

    assert await trades(binance, fromId=first) == every
    assert await trades(binance, fromId=first, limit=3) == every[:3]
    assert await trades(binance, fromId=first + 1, limit=3) == every[1:4]
    assert await trades(binance, fromId=0) == every


async def test_all_trades_are_found_page_by_page(binance: Binance, traded: list[int]):
    found, after = [], 0
    while page := await binance.ok("GET", TRADES, **BTC, fromId=after, limit=4):
        found += page
        after = page[-1]["id"] + 1

    assert [row["qty"] for row in found] == [f"{number}.000" for number in range(1, 11)]


async def test_the_trades_of_one_order(binance: Binance):
    order = await binance.place("O-1")
    await binance.place("O-2")
    await binance.world('fill: {order: O-1, quantity: "0.1"}')
    await binance.world('fill: {order: O-2, quantity: "0.2"}')
    await binance.world('fill: {order: O-1, quantity: "0.3"}')

    assert await trades(binance, orderId=order["orderId"]) == ["0.1", "0.3"]


async def test_trades_are_kept_for_a_time(binance: Binance):
    await binance.take("O-1")
    await binance.wait(89 * DAY)
    assert await trades(binance, fromId=0) == ["1"]
    await binance.wait(2 * DAY)
    assert await trades(binance, fromId=0) == []


# -- orders


async def test_orders_without_a_window_are_those_of_seven_days(binance: Binance, traded: list[int]):
    assert await orders(binance) == [f"O-{number}" for number in range(4, 11)]
    assert await orders(binance, limit=2) == ["O-9", "O-10"]


async def test_a_window_of_orders(binance: Binance, traded: list[int]):
    window = {"startTime": traded[1] - 1000, "endTime": traded[3]}

    assert await orders(binance, **window) == ["O-2", "O-3", "O-4"]


async def test_orders_from_an_id_on(binance: Binance, traded: list[int]):
    window = {"startTime": traded[1] - 1000, "endTime": traded[3]}
    second, third, _ = [row["orderId"] for row in await binance.ok("GET", ORDERS, **BTC, **window)]

    assert await orders(binance, orderId=second, limit=3) == ["O-2", "O-3", "O-4"]
    assert await orders(binance, orderId=second + 1, limit=1) == ["O-3"]
    assert await orders(binance, orderId=third) == [f"O-{number}" for number in range(3, 11)]


async def test_an_order_that_stands_is_shown_however_old_it_is(binance: Binance):
    await binance.place("O-1")
    await binance.arm("A-1")
    await binance.wait(200 * DAY)

    assert [r["clientOrderId"] for r in await binance.ok("GET", "/fapi/v1/openOrders")] == ["O-1"]
    algo = await binance.ok("GET", "/fapi/v1/openAlgoOrders")
    assert [row["clientAlgoId"] for row in algo] == ["A-1"]
    found = await binance.ok("GET", ORDER, **BTC, origClientOrderId="O-1")
    assert found["status"] == "NEW"


async def filled(binance: Binance) -> None:
    await binance.take("O-1")


async def partly_filled(binance: Binance) -> None:
    await binance.place("O-1")
    await binance.world('fill: {order: O-1, quantity: "0.1"}')
    await cancelled(binance, is_placed=True)


async def cancelled(binance: Binance, *, is_placed: bool = False) -> None:
    if not is_placed:
        await binance.place("O-1")
    await binance.ok("DELETE", ORDER, **BTC, origClientOrderId="O-1")


async def expired(binance: Binance) -> None:
    await binance.place("O-1", price="50000", timeInForce="IOC")


@pytest.mark.parametrize(
    ("end", "days"), [(filled, 90), (partly_filled, 90), (cancelled, 3), (expired, 3)]
)
async def test_how_long_a_closed_order_is_remembered(
    binance: Binance, end: Callable[[Binance], Awaitable[None]], days: int
):
    start = binance.now_ms
    await end(binance)
    first = (await binance.ok("GET", ORDERS, **BTC))[0]["orderId"]
    await binance.wait((days - 0.5) * DAY)
    assert (await binance.rest("GET", ORDER, **BTC, origClientOrderId="O-1")).status == 200
    assert await orders(binance, orderId=first) == ["O-1"]
    await binance.wait(DAY)

    refusal = await binance.refused("GET", ORDER, **BTC, origClientOrderId="O-1")
    assert refusal == (400, -2013)
    assert await orders(binance, orderId=first) == []
    assert await orders(binance, startTime=start, endTime=start + 6 * DAY_MS) == []


async def test_windows_of_conditional_orders(binance: Binance):
    await binance.arm("A-1")
    await binance.wait(4 * DAY)
    start = binance.now_ms
    await binance.arm("A-2")
    await binance.wait(4 * DAY)
    await binance.arm("A-3")

    assert await algos(binance) == ["A-2", "A-3"]
    assert await algos(binance, limit=1) == ["A-3"]
    assert await algos(binance, startTime=start, endTime=start + DAY_MS) == ["A-2"]


async def test_a_conditional_order_that_was_cancelled_is_forgotten(binance: Binance):
    await binance.arm("A-1")
    await binance.ok("DELETE", "/fapi/v1/algoOrder", clientAlgoId="A-1")
    assert await algos(binance) == ["A-1"]
    await binance.wait(4 * DAY)

    assert await algos(binance) == []
    assert await binance.refused("GET", "/fapi/v1/algoOrder", clientAlgoId="A-1") == (400, -2013)


# -- income and the rest


async def income(binance: Binance, **params: Any) -> list[str]:
    rows = await binance.ok("GET", INCOME, **params)
    return [f"{row['incomeType']} {row['symbol']}".rstrip() for row in rows]


async def test_income_is_of_all_symbols_or_one_and_of_a_kind(binance: Binance):
    await binance.world('transfer: {amount: "5"}')
    await binance.take("O-1")
    await binance.take("E-1", symbol="ETHUSDT")
    await binance.take("O-2", "SELL")
    paid = "COMMISSION BTCUSDT"

    assert await income(binance, symbol="BTCUSDT", incomeType="COMMISSION") == [paid, paid]
    every = await income(binance)
    assert (every[0], every.count("COMMISSION ETHUSDT"), every.count(paid)) == ("TRANSFER", 1, 2)
    assert await income(binance, incomeType="TRANSFER") == ["TRANSFER"]


async def test_pages_of_income(binance: Binance):
    for _ in range(5):
        await binance.world('transfer: {amount: "5"}')
    pages = [await binance.ok("GET", INCOME, limit=2, page=page) for page in (1, 2, 3, 4)]

    assert [len(page) for page in pages] == [2, 2, 1, 0]
    ids = [row["tranId"] for page in pages for row in page]
    assert len(set(ids)) == 5


async def test_income_without_a_window_is_that_of_seven_days(binance: Binance):
    start = binance.now_ms
    await binance.world('transfer: {amount: "5"}')
    await binance.wait(8 * DAY)
    assert await income(binance) == []
    assert await income(binance, startTime=start, endTime=start + DAY_MS) == ["TRANSFER"]
    await binance.wait(90 * DAY)
    assert await income(binance, startTime=start, endTime=start + DAY_MS) == []


async def test_forced_orders_are_kept_for_seven_days(binance: Binance):
    await binance.take("O-1")
    await binance.world('deleverage: {quantity: "0.4", price: "50000"}')
    await binance.world('liquidate: {slices: ["0.6"], price: "40000"}')
    forced = "/fapi/v1/forceOrders"
    assert len(await binance.ok("GET", forced)) == 2
    for kind in ("ADL", "LIQUIDATION"):
        assert len(await binance.ok("GET", forced, autoCloseType=kind)) == 1
    await binance.wait(7.5 * DAY)

    assert await binance.ok("GET", forced) == []


# -- what cannot be asked


@pytest.mark.parametrize("path", [ORDERS, TRADES, ALGOS])
@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"limit": 1001}, -1130),
        ({"limit": 0}, -1130),
        ({"startTime": "yesterday"}, -1102),
        ({"startTime": 0, "endTime": 8 * DAY_MS}, -4165),
    ],
    ids=str,
)
async def test_what_no_list_understands(
    binance: Binance, path: str, params: dict[str, Any], code: int
):
    now = binance.now_ms
    window = {
        name: value + now - 8 * DAY_MS if name.endswith("Time") and value != "yesterday" else value
        for name, value in params.items()
    }

    assert await binance.refused("GET", path, **BTC, **window) == (400, code)


@pytest.mark.parametrize("window", ["startTime", "endTime"])
async def test_trades_from_an_id_on_have_no_window(binance: Binance, window: str):
    params = {"fromId": 1, window: binance.now_ms}

    assert await binance.refused("GET", TRADES, **BTC, **params) == (400, -1128)
