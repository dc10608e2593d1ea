"""Orders, conditional orders, positions and income: complete, mapped, checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from recon.binance import BinanceReader, ReadError
from recon.core.facts import Leg, VenueOrder, VenuePosition
from recon.core.port import VenueReader
from tests.unit.recon.binance.desk import DAY_NS, MS_NS, SECOND_NS, Desk, error

ORDER = "/fapi/v1/order"
OPEN = "/fapi/v1/openOrders"
ALL = "/fapi/v1/allOrders"
ALGO = "/fapi/v1/algoOrder"
OPEN_ALGO = "/fapi/v1/openAlgoOrders"
RISK = "/fapi/v3/positionRisk"
INCOME = "/fapi/v1/income"

AT_MS = 1_767_225_000_123


def row(**changed: Any) -> dict[str, Any]:
    """Return a row of an order as Binance documents it."""
    return {
        "avgPrice": "0.00000", "clientOrderId": "O-1", "cumQuote": "0", "executedQty": "0",
        "orderId": 401389935536, "origQty": "0.40", "origType": "LIMIT", "price": "50000.10",
        "reduceOnly": False, "side": "BUY", "positionSide": "BOTH", "status": "NEW",
        "stopPrice": "0", "closePosition": False, "symbol": "BTCUSDT", "time": AT_MS,
        "timeInForce": "GTC", "type": "LIMIT", "updateTime": AT_MS + 1,
        "workingType": "CONTRACT_PRICE", "priceProtect": False, "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER", "goodTillDate": 0,
    } | changed  # fmt: skip


def algo(**changed: Any) -> dict[str, Any]:
    """Return a row of a conditional order as Binance documents it."""
    return {
        "algoId": 1000000033225453, "clientAlgoId": "S-1", "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET", "symbol": "BTCUSDT", "side": "SELL", "positionSide": "BOTH",
        "timeInForce": "GTC", "quantity": "0.010", "algoStatus": "NEW",
        "triggerPrice": "45000.00", "price": "0.00", "icebergQuantity": None,
        "selfTradePreventionMode": "EXPIRE_MAKER", "workingType": "MARK_PRICE",
        "priceMatch": "NONE", "closePosition": False, "priceProtect": False, "reduceOnly": True,
        "createTime": AT_MS, "updateTime": AT_MS + 1, "triggerTime": 0, "goodTillDate": 0,
        "actualOrderId": "",
    } | changed  # fmt: skip


def ok(value: Any) -> httpx.Response:
    return httpx.Response(200, json=value)


def test_it_is_a_reader_of_a_venue():
    def reads(reader: BinanceReader) -> VenueReader:
        return reader  # mypy says the rest

    assert callable(reads)


# -- one order


async def test_an_order_has_everything_that_the_venue_says():
    desk = Desk()
    desk.answer(ORDER, ok(row()))
    asked_ns = desk.now_ns

    assert await desk.reader.order("BTCUSDT", client_order_id="O-1") == VenueOrder(
        symbol="BTCUSDT",
        order_id="401389935536",
        client_order_id="O-1",
        side="BUY",
        position_side="BOTH",
        type="LIMIT",
        time_in_force="GTC",
        status="NEW",
        quantity=Decimal("0.40"),
        filled=Decimal(0),
        price=Decimal("50000.10"),
        average_price=None,
        reduce_only=False,
        created_ns=AT_MS * MS_NS,
        updated_ns=(AT_MS + 1) * MS_NS,
        asked_ns=asked_ns,
    )


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        ({"price": "0"}, "price", None),
        ({"price": "0.00"}, "price", None),
        ({"avgPrice": "50000.10000"}, "average_price", Decimal("50000.1")),
        ({"executedQty": "0.123"}, "filled", Decimal("0.123")),
        ({"stopPrice": "49000", "workingType": "MARK_PRICE"}, "trigger_price", Decimal(49000)),
        ({"stopPrice": "49000", "workingType": "MARK_PRICE"}, "trigger_by", "MARK_PRICE"),
        ({"priceRate": "1.5"}, "callback_rate_percent", Decimal("1.5")),
        ({"goodTillDate": AT_MS}, "good_till_ns", AT_MS * MS_NS),
        ({"reduceOnly": True}, "reduce_only", True),
        ({"positionSide": "SHORT"}, "position_side", "SHORT"),
        ({"type": "LIQUIDATION"}, "type", "LIQUIDATION"),
        ({"timeInForce": "RPI"}, "time_in_force", "RPI"),
        ({"status": "PARTIALLY_FILLED"}, "status", "PARTIALLY_FILLED"),
        ({"status": "FILLED"}, "status", "FILLED"),
        ({"status": "CANCELED"}, "status", "CANCELED"),
        ({"status": "REJECTED"}, "status", "REJECTED"),
        ({"status": "EXPIRED"}, "status", "EXPIRED"),
        ({"status": "EXPIRED_IN_MATCH"}, "status", "CANCELED"),
        ({"status": "NEW_INSURANCE"}, "status", "NEW"),
        ({"status": "NEW_ADL"}, "status", "NEW"),
    ],
    ids=str,
)
async def test_what_an_order_says_is_mapped(changed: dict[str, Any], field: str, value: Any):
    desk = Desk()
    desk.answer(ORDER, ok(row(**changed)))
    found = await desk.reader.order("BTCUSDT", client_order_id="O-1")

    assert getattr(found, field) == value


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "PENDING"},
        {"side": "SHORT"},
        {"origQty": "many"},
        {"origQty": "NaN"},
        {"price": "Infinity"},
        {"priceRate": "NaN"},
        {"executedQty": None},
        {"time": 1.5},
        {"updateTime": "0"},
        {"reduceOnly": "false"},
        {"symbol": "ETHUSDT"},
        {"clientOrderId": "O-2"},
    ],
    ids=str,
)
async def test_an_order_that_is_not_as_documented_is_unknown(changed: dict[str, Any]):
    desk = Desk()
    desk.answer(ORDER, ok(row(**changed)))

    with pytest.raises(ReadError, match="GET /fapi/v1/order BTCUSDT"):
        await desk.reader.order("BTCUSDT", client_order_id="O-1")


async def test_an_order_is_found_by_either_id():
    desk = Desk()
    order_id = desk.rest("x/y:1")
    by_id = await desk.reader.order("BTCUSDT", order_id=order_id)
    by_client = await desk.reader.order("BTCUSDT", client_order_id="x/y:1")
    both = await desk.reader.order("BTCUSDT", order_id=order_id, client_order_id="other")

    assert by_id is not None
    assert by_client is not None
    assert both is not None
    assert {by_id.order_id, by_client.order_id, both.order_id} == {order_id}
    with pytest.raises(ValueError, match="by one of its ids"):
        await desk.reader.order("BTCUSDT")


async def test_an_order_that_does_not_exist_is_none_and_no_other_error_is():
    desk = Desk()
    assert await desk.reader.order("BTCUSDT", client_order_id="O-9") is None
    assert await desk.reader.order("BTCUSDT", order_id="9") is None
    desk.answer(ORDER, error(400, -2011))
    with pytest.raises(ReadError, match="-2011"):
        await desk.reader.order("BTCUSDT", client_order_id="O-9")


async def test_an_id_that_the_venue_cannot_have_is_not_asked_for():
    desk = Desk()
    for read in (
        desk.reader.order("BTCUSDT", order_id="S-1"),
        desk.reader.orders_from("BTCUSDT", "٣"),
        desk.reader.trades_of("BTCUSDT", "-1"),
    ):
        with pytest.raises(ReadError, match="is no id of this venue") as raised:
            await read
        assert raised.value.is_final
    assert desk.trace.rows == []


# -- conditional orders


async def test_a_conditional_order_is_found_by_its_ids():
    desk = Desk()
    desk.answer(ALGO, then=ok(algo()))
    by_client = await desk.reader.order("BTCUSDT", client_order_id="S-1")
    by_id = await desk.reader.order("BTCUSDT", order_id="1000000033225453")

    assert by_client is not None
    assert by_id is not None
    assert (by_client.order_id, by_client.client_order_id) == ("1000000033225453", "S-1")
    assert (by_client.type, by_client.status, by_client.price) == ("STOP_MARKET", "NEW", None)
    assert (by_client.trigger_price, by_client.trigger_by) == (Decimal(45000), "MARK_PRICE")
    assert (by_client.quantity, by_client.filled) == (Decimal("0.01"), 0)
    assert by_client.reduce_only
    assert desk.asked("clientAlgoId") == ["S-1", None]
    assert desk.asked("algoId") == [None, "1000000033225453"]


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        ({"algoStatus": "TRIGGERING"}, "status", "NEW"),
        ({"algoStatus": "CANCELED"}, "status", "CANCELED"),
        ({"algoStatus": "REJECTED"}, "status", "REJECTED"),
        ({"algoStatus": "EXPIRED"}, "status", "EXPIRED"),
        ({"quantity": None, "closePosition": True}, "quantity", Decimal(0)),
        ({"price": "44000"}, "price", Decimal(44000)),
        ({"callbackRate": "1.0"}, "callback_rate_percent", Decimal(1)),
        ({"callbackRate": ""}, "callback_rate_percent", None),
        ({"triggerPrice": "", "activatePrice": "51000"}, "trigger_price", Decimal(51000)),
        ({"goodTillDate": AT_MS}, "good_till_ns", AT_MS * MS_NS),
    ],
    ids=str,
)
async def test_what_a_conditional_order_says_is_mapped(
    changed: dict[str, Any], field: str, value: Any
):
    desk = Desk()
    desk.answer(ALGO, ok(algo(**changed)))
    found = await desk.reader.order("BTCUSDT", client_order_id="S-1")

    assert getattr(found, field) == value


@pytest.mark.parametrize(
    "changed",
    [
        {"algoStatus": "WORKING"},
        {"quantity": "many"},
        {"triggerPrice": "NaN"},
        {"clientAlgoId": "S-2"},
        {"symbol": "ETHUSDT"},
        {"algoStatus": "FINISHED"},
        {"algoStatus": "TRIGGERED", "actualOrderId": "5"},
    ],
    ids=str,
)
async def test_a_conditional_order_that_cannot_be_understood_is_unknown(changed: dict[str, Any]):
    desk = Desk()
    desk.answer(ALGO, ok(algo(**changed)))

    with pytest.raises(ReadError, match="GET /fapi/v1/algoOrder BTCUSDT"):
        await desk.reader.order("BTCUSDT", client_order_id="S-1")


@pytest.mark.parametrize("status", ["TRIGGERED", "FINISHED"])
async def test_the_order_that_a_conditional_order_became_speaks_for_it(status: str):
    desk = Desk()
    order_id = desk.rest("child")
    desk.answer(ALGO, ok(algo(algoStatus=status, actualOrderId=order_id)))
    found = await desk.reader.order("BTCUSDT", client_order_id="S-1")

    assert found is not None
    assert (found.order_id, found.client_order_id) == (order_id, "child")


# -- open orders


async def test_open_orders_are_plain_and_conditional():
    desk = Desk()
    first, second = desk.rest("O-1"), desk.rest("E-1", symbol="ETHUSDT", price=Decimal(3000))
    desk.rest("O-2")
    desk.venue.web_cancel("main", "BTCUSDT", client_order_id="O-2", now_ns=desk.now_ns)
    desk.answer(OPEN_ALGO, ok([algo(), algo(algoId=2, clientAlgoId="S-2", algoStatus="TRIGGERED")]))
    asked_ns = desk.now_ns

    found = await desk.reader.open_orders()

    assert found.asked_ns == asked_ns
    assert list(found.orders) == [
        ("BTCUSDT", first), ("ETHUSDT", second), ("BTCUSDT", "1000000033225453"),
    ]  # fmt: skip
    assert all(order.is_open for order in found.orders.values())


async def test_an_order_that_triggers_between_the_two_reads_counts_once():
    desk = Desk()
    order_id = desk.rest("S-1")
    desk.answer(OPEN_ALGO, ok([algo()]))

    assert list((await desk.reader.open_orders()).orders) == [("BTCUSDT", order_id)]


@pytest.mark.parametrize("path", [OPEN, OPEN_ALGO])
async def test_half_of_the_open_orders_is_unknown(path: str):
    desk = Desk()
    desk.rest()
    desk.answer(path, then=error(503, -1001))

    with pytest.raises(ReadError, match=path):
        await desk.reader.open_orders()


async def test_one_order_that_cannot_be_read_makes_all_unknown():
    desk = Desk()
    desk.answer(OPEN, ok([row(), row(orderId=2, status="HALTED")]))

    with pytest.raises(ReadError, match=r"'HALTED' - at `\$\[1\].status`"):
        await desk.reader.open_orders()


# -- orders from an id on


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001])
async def test_orders_from_an_id_are_read_to_a_short_page(count: int):
    desk = Desk()
    desk.trade(*(desk.now_ns - SECOND_NS + n for n in range(count)))
    known = [str(order.order_id) for order in desk.venue.orders()]

    found = await desk.reader.orders_from("BTCUSDT", "1")
    assert [order.order_id for order in found] == known
    if count > 1:
        rest = await desk.reader.orders_from("BTCUSDT", known[-2])
        assert [order.order_id for order in rest] == known[-2:]


async def test_a_page_of_orders_that_fails_makes_the_read_fail():
    desk = Desk(page_limit=10)
    desk.trade(*(desk.now_ns - SECOND_NS + n for n in range(25)))
    desk.answer(ALL, None, None, then=error(400, -1121))

    with pytest.raises(ReadError, match="GET /fapi/v1/allOrders BTCUSDT"):
        await desk.reader.orders_from("BTCUSDT", "1")


@pytest.mark.parametrize(
    "rows",
    [
        [row(orderId=4)],
        [row(orderId=6), row(orderId=5)],
        [row(orderId=5), row(orderId=5)],
        [row(orderId=5, symbol="ETHUSDT")],
    ],
    ids=["before", "falling", "twice", "of another symbol"],
)
async def test_orders_that_were_not_asked_for_are_no_answer(rows: list[dict[str, Any]]):
    desk = Desk()
    desk.answer(ALL, ok(rows))

    with pytest.raises(ReadError, match="out of place"):
        await desk.reader.orders_from("BTCUSDT", "5")


# -- positions


async def test_positions_are_legs_that_are_not_flat():
    desk = Desk(hedge=True)
    at_ns = desk.now_ns - SECOND_NS
    for side, position_side in (("BUY", "LONG"), ("SELL", "SHORT")):
        desk.venue.web_submit(
            "main", "BTCUSDT", side=side, position_side=position_side,
            quantity=Decimal("0.02"), now_ns=at_ns,
        )  # fmt: skip
    desk.venue.web_submit(
        "main", "ETHUSDT", side="BUY", position_side="LONG", quantity=Decimal(1), now_ns=at_ns
    )
    asked_ns = desk.now_ns

    found = await desk.reader.positions()

    assert found.asked_ns == asked_ns
    assert found.legs == {
        Leg(symbol, position_side): VenuePosition(
            symbol, position_side, Decimal(quantity), Decimal(price), at_ns
        )
        for symbol, position_side, quantity, price in (
            ("BTCUSDT", "LONG", "0.02", 50000),
            ("BTCUSDT", "SHORT", "-0.02", 50000),
            ("ETHUSDT", "LONG", "1", 3000),
        )
    }


@pytest.mark.parametrize(
    "changed",
    [{"positionAmt": "NaN"}, {"entryPrice": ""}, {"positionSide": "NET"}, {"updateTime": None}],
    ids=str,
)
async def test_a_position_that_is_not_as_documented_is_unknown(changed: dict[str, Any]):
    leg = {
        "symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "1", "entryPrice": "50000",
        "updateTime": AT_MS,
    }  # fmt: skip
    desk = Desk()
    desk.answer(RISK, ok([leg | changed]), ok([leg, leg]))

    with pytest.raises(ReadError, match="GET /fapi/v3/positionRisk"):
        await desk.reader.positions()
    with pytest.raises(ReadError, match="there twice"):
        await desk.reader.positions()


# -- income


@pytest.mark.parametrize("count", [1, 9, 10, 11, 45])
async def test_symbols_that_were_traded_are_found_on_every_page(count: int):
    desk = Desk(page_limit=10)
    begin_ns = desk.now_ns - DAY_NS
    desk.trade(*(begin_ns + n * SECOND_NS for n in range(count)))
    desk.trade(begin_ns + count * SECOND_NS, symbol="ETHUSDT")

    found = await desk.reader.last_traded_ns(begin_ns, desk.now_ns)
    last_ns = begin_ns + (count - 1) * SECOND_NS
    assert found == {"BTCUSDT": last_ns, "ETHUSDT": last_ns + SECOND_NS}
    end_ns = begin_ns + count * SECOND_NS - MS_NS
    assert await desk.reader.last_traded_ns(begin_ns, end_ns) == {"BTCUSDT": last_ns}


async def test_income_is_read_in_windows_of_seven_days():
    desk = Desk()
    begin_ns = desk.now_ns - 30 * DAY_NS
    desk.trade(begin_ns + DAY_NS)
    desk.trade(begin_ns + 29 * DAY_NS, symbol="ETHUSDT")
    desk.watch(INCOME)

    found = await desk.reader.last_traded_ns(begin_ns, desk.now_ns)

    assert found == {"BTCUSDT": begin_ns + DAY_NS, "ETHUSDT": begin_ns + 29 * DAY_NS}
    assert len(desk.seen) == 5
    assert desk.asked("incomeType") == [None] * 5
    assert desk.asked("page") == [None] * 5


async def test_a_millisecond_that_fills_a_page_of_income_is_read_by_page_numbers():
    desk = Desk(page_limit=10)
    at_ns = desk.now_ns - DAY_NS
    desk.trade(*(at_ns + n for n in range(30)))
    desk.trade(at_ns + 30, symbol="ETHUSDT")
    desk.watch(INCOME)

    found = await desk.reader.last_traded_ns(at_ns - DAY_NS, desk.now_ns)

    assert found.keys() == {"BTCUSDT", "ETHUSDT"}
    assert [page for page in desk.asked("page") if page] == ["1", "2", "3", "4"]


async def test_a_page_of_income_that_fails_makes_the_read_fail():
    desk = Desk(page_limit=10)
    desk.trade(*(desk.now_ns - DAY_NS + n * SECOND_NS for n in range(25)))
    desk.answer(INCOME, None, then=error(400, -1130))

    with pytest.raises(ReadError, match="GET /fapi/v1/income: HTTP 400, -1130"):
        await desk.reader.last_traded_ns(desk.now_ns - DAY_NS, desk.now_ns)


async def test_income_that_is_no_longer_kept_is_not_looked_for():
    desk = Desk()
    desk.watch(INCOME)

    assert await desk.reader.last_traded_ns(0, desk.now_ns) == {}
    assert len(desk.seen) <= 14
