"""Each refusal: Binance's code and text, no event, and nothing left behind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.binance import Binance

ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "1",
    "price": "50000",
    "newClientOrderId": "O-1",
}
STOP = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_MARKET",
    "quantity": "1",
    "triggerPrice": "49000",
    "clientAlgoId": "A-1",
}
BTC = {"symbol": "BTCUSDT"}

MANDATORY = "Mandatory parameter '%s' was not sent, was empty/null, or malformed."
INVALID = "Data sent for parameter '%s' is not valid."
UNWANTED = "Parameter '%s' sent when not required."
CHARACTERS = (
    "Illegal characters found in parameter 'newClientOrderId'; legal range is "
    r"'^[\.A-Z\:/a-z0-9_-]{1,36}$'."
)
PRECISION = "Precision is over the maximum defined for this asset."
GOOD_TILL = (
    "The goodTillDate timestamp must be greater than the current time plus 600 seconds and "
    "smaller than 253402300799000"
)
FILL_OR_KILL = (
    "Due to the order could not be filled immediately, the FOK order has been rejected. The "
    "order will not be recorded in the order history"
)
POST_ONLY = (
    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history"
)
USE_ALGO = (
    "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
)
SIDE_MISMATCH = "Order's position side does not match user's setting."
CONDITIONAL = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")

# An order that is only tested does not get there.
OF_THE_MATCHING_ENGINE = {-5021, -5022, -4116, -2022}

pytestmark = pytest.mark.venue('balances: {USDT: "1000000"}')

type Changes = dict[str, Any]

# An order that is refused; None leaves a parameter out.
OF_ORDERS: list[tuple[Changes, int, str]] = [
    ({"symbol": ""}, -1102, MANDATORY % "symbol"),
    ({"symbol": "DOGEUSDT"}, -1121, "Invalid symbol."),
    ({"side": None}, -1102, MANDATORY % "side"),
    ({"side": "HOLD"}, -1117, "Invalid side."),
    ({"type": None}, -1102, MANDATORY % "type"),
    ({"type": "OCO"}, -1116, "Invalid orderType."),
    *[({"type": kind}, -4120, USE_ALGO) for kind in CONDITIONAL],
    (
        {"closePosition": "true"},
        -4136,
        "Target strategy invalid for orderType 'LIMIT',closePosition 'true'.",
    ),
    ({"timeInForce": None}, -1102, MANDATORY % "timeInForce"),
    ({"timeInForce": "DAY"}, -1115, "Invalid timeInForce."),
    ({"timeInForce": "GTE_GTC"}, -1115, "Invalid timeInForce."),
    ({"type": "MARKET", "price": None}, -1106, UNWANTED % "timeInForce"),
    ({"timeInForce": "GTD"}, -1102, MANDATORY % "goodTillDate"),
    ({"timeInForce": "GTD", "goodTillDate": "1700000600000"}, -5040, GOOD_TILL),
    ({"timeInForce": "GTD", "goodTillDate": "253402300799000"}, -5040, GOOD_TILL),
    ({"timeInForce": "FOK"}, -5021, FILL_OR_KILL),
    ({"timeInForce": "GTX", "price": "50000.1"}, -5022, POST_ONLY),
    ({"quantity": None}, -1102, MANDATORY % "quantity"),
    ({"quantity": "one"}, -1102, MANDATORY % "quantity"),
    ({"quantity": "1e3"}, -1102, MANDATORY % "quantity"),
    ({"quantity": "0"}, -4003, "Quantity less than or equal to zero."),
    ({"quantity": "-1"}, -4003, "Quantity less than or equal to zero."),
    ({"quantity": "0.0001"}, -1111, PRECISION),
    ({"quantity": "1000.001"}, -4005, "Quantity greater than max quantity."),
    (
        {"quantity": "0.001", "price": "49999.9"},
        -4164,
        "Order's notional must be no smaller than 100 (unless you choose reduce only).",
    ),
    ({"price": None}, -1102, MANDATORY % "price"),
    ({"price": "0"}, -4001, "Price less than 0."),
    ({"price": "50000.001"}, -1111, PRECISION),
    ({"price": "50000.05"}, -4014, "Price not increased by tick size."),
    ({"price": "4529764.1"}, -4002, "Price greater than max price."),
    ({"price": "55000.1"}, -4016, "Limit price can't be higher than 55000."),
    ({"side": "SELL", "price": "44999.9"}, -4024, "Limit price can't be lower than 45000."),
    ({"priceMatch": "QUEUE"}, -1106, UNWANTED % "price"),
    ({"priceMatch": "BEST", "price": None}, -1130, INVALID % "priceMatch"),
    ({"selfTradePreventionMode": "ALL"}, -1130, INVALID % "selfTradePreventionMode"),
    ({"newClientOrderId": "x" * 37}, -4015, "Client order id length should be less than 36 chars."),
    ({"newClientOrderId": "a b"}, -1100, CHARACTERS),
    ({"newClientOrderId": "taken"}, -4116, "ClientOrderId is duplicated."),
    ({"positionSide": "LONG"}, -4061, SIDE_MISMATCH),
    ({"reduceOnly": "perhaps"}, -1102, MANDATORY % "reduceOnly"),
    ({"reduceOnly": "true"}, -2022, "ReduceOnly Order is rejected."),
    ({"quantity": "500"}, -2019, "Margin is insufficient."),
    ({"quantity": "900"}, -2027, "Exceeded the maximum allowable position at current leverage."),
]

OF_CONDITIONAL_ORDERS: list[tuple[Changes, int, str]] = [
    ({"algoType": None}, -1102, MANDATORY % "algoType"),
    ({"symbol": "DOGEUSDT"}, -1121, "Invalid symbol."),
    ({"side": "HOLD"}, -1117, "Invalid side."),
    ({"type": "LIMIT"}, -1116, "Invalid orderType."),
    ({"triggerPrice": None}, -1102, MANDATORY % "triggerPrice"),
    ({"triggerPrice": "0"}, -4006, "Stop price less than zero."),
    ({"triggerPrice": "49000.05"}, -4014, "Price not increased by tick size."),
    ({"triggerPrice": "50000"}, -2021, "Order would immediately trigger."),
    ({"quantity": None}, -1102, MANDATORY % "quantity"),
    ({"quantity": "0.0001"}, -1111, PRECISION),
    ({"workingType": "INDEX"}, -4031, "Invalid parameter working type: INDEX"),
    (
        {"closePosition": "true"},
        -4137,
        "Quantity must be zero with closePosition equals true.",
    ),
    ({"positionSide": "SHORT"}, -4061, SIDE_MISMATCH),
    ({"clientAlgoId": "waiting"}, -4116, "ClientOrderId is duplicated."),
    ({"type": "TRAILING_STOP_MARKET"}, -1102, MANDATORY % "callbackRate"),
]

UNKNOWN, GONE = "Unknown order sent.", "Order does not exist."
CHANGE = BTC | {"side": "BUY", "quantity": "2", "price": "49000"}
WEEK_MS = 7 * 86_400_000

# Any other request that is refused, with an order "taken" and a conditional order "waiting".
OF_OTHERS: list[tuple[str, str, Changes, int, str]] = [
    ("DELETE", "order", BTC | {"orderId": 1}, -2011, UNKNOWN),
    ("DELETE", "order", BTC | {"origClientOrderId": "nobody"}, -2011, UNKNOWN),
    ("DELETE", "order", {"symbol": "ETHUSDT", "origClientOrderId": "taken"}, -2011, UNKNOWN),
    ("GET", "order", BTC | {"orderId": 1}, -2013, GONE),
    ("GET", "order", BTC | {"origClientOrderId": "nobody"}, -2013, GONE),
    ("GET", "order", {"origClientOrderId": "taken"}, -1102, MANDATORY % "symbol"),
    ("GET", "openOrder", BTC | {"origClientOrderId": "nobody"}, -2013, GONE),
    ("PUT", "order", CHANGE | {"orderId": 1}, -2013, GONE),
    (
        "PUT",
        "order",
        CHANGE | {"origClientOrderId": "taken", "quantity": "1", "price": "45000"},
        -5027,
        "No need to modify the order.",
    ),
    ("GET", "allOrders", {}, -1102, MANDATORY % "symbol"),
    ("GET", "allOrders", BTC | {"limit": 1001}, -1130, INVALID % "limit"),
    ("GET", "userTrades", BTC | {"limit": 0}, -1130, INVALID % "limit"),
    ("GET", "userTrades", BTC | {"limit": "many"}, -1102, MANDATORY % "limit"),
    (
        "GET",
        "userTrades",
        BTC | {"startTime": 0, "endTime": WEEK_MS + 1},
        -4165,
        "Maximum time interval is 7 days.",
    ),
    (
        "GET",
        "allOrders",
        BTC | {"startTime": 0, "endTime": WEEK_MS},
        -4165,
        "Maximum time interval is 7 days.",
    ),
    (
        "GET",
        "userTrades",
        BTC | {"fromId": 1, "startTime": 0},
        -1128,
        "Combination of optional parameters invalid.",
    ),
    ("GET", "income", {"limit": 1001}, -1130, INVALID % "limit"),
    ("GET", "forceOrders", {"limit": 101}, -1130, INVALID % "limit"),
    ("GET", "algoOrder", {"clientAlgoId": "nobody"}, -2013, GONE),
    ("DELETE", "algoOrder", {"clientAlgoId": "nobody"}, -2011, UNKNOWN),
    (
        "GET",
        "algoOrder",
        {},
        -1102,
        "Param 'algoId' or 'clientAlgoId' must be sent, but both were empty/null!",
    ),
    ("DELETE", "algoOpenOrders", {}, -1102, MANDATORY % "symbol"),
    ("DELETE", "allOpenOrders", {}, -1102, MANDATORY % "symbol"),
    ("DELETE", "batchOrders", BTC, -1102, MANDATORY % "orderIdList"),
    ("DELETE", "batchOrders", BTC | {"orderIdList": "["}, -1102, MANDATORY % "orderIdList"),
    (
        "DELETE",
        "batchOrders",
        BTC | {"orderIdList": str(list(range(11)))},
        -4083,
        "Invalid number of batch cancel orders.",
    ),
    (
        "POST",
        "batchOrders",
        {"batchOrders": "[" + ",".join(["{}"] * 6) + "]"},
        -4082,
        "Invalid number of batch place orders.",
    ),
    ("POST", "batchOrders", {"batchOrders": "[{"}, -1102, MANDATORY % "batchOrders"),
    (
        "POST",
        "leverage",
        BTC | {"leverage": 126},
        -4028,
        "Leverage 126 is not valid",
    ),
    ("POST", "leverage", BTC, -1102, MANDATORY % "leverage"),
    (
        "POST",
        "marginType",
        {"symbol": "ETHUSDT", "marginType": "CROSSED"},
        -4046,
        "No need to change margin type.",
    ),
    (
        "POST",
        "marginType",
        BTC | {"marginType": "ISOLATED"},
        -4047,
        "Margin type cannot be changed if there exists open orders.",
    ),
    ("POST", "marginType", BTC | {"marginType": "SHARED"}, -1102, MANDATORY % "marginType"),
    (
        "POST",
        "positionSide/dual",
        {"dualSidePosition": "false"},
        -4059,
        "No need to change position side.",
    ),
    (
        "POST",
        "positionSide/dual",
        {"dualSidePosition": "true"},
        -4067,
        "Position side cannot be changed if there exists open orders.",
    ),
    (
        "POST",
        "positionMargin",
        BTC | {"amount": "1", "type": 1},
        -4049,
        "Add margin only support for isolated position.",
    ),
    (
        "POST",
        "positionMargin",
        BTC | {"amount": "0", "type": 1},
        -4055,
        "Amount must be positive.",
    ),
    (
        "POST",
        "multiAssetsMargin",
        {"multiAssetsMargin": "false"},
        -4171,
        "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
    ),
    ("GET", "depth", {}, -1102, MANDATORY % "symbol"),
    ("GET", "ticker/price", {"symbol": "DOGEUSDT"}, -1121, "Invalid symbol."),
]

IN_HEDGE_MODE: list[tuple[Changes, int, str]] = [
    ({}, -4061, SIDE_MISMATCH),
    ({"positionSide": "BOTH"}, -4061, SIDE_MISMATCH),
    ({"positionSide": "LONG", "reduceOnly": "false"}, -1106, UNWANTED % "reduceonly"),
    ({"positionSide": "LONG", "side": "SELL"}, -2022, "ReduceOnly Order is rejected."),
    ({"positionSide": "SHORT"}, -2022, "ReduceOnly Order is rejected."),
]

HELD_BACK = [
    (
        "restrict: {state: inactive}",
        -4109,
        "This account is inactive, please activate trading account first.",
    ),
    (
        "restrict: {state: unauthorized}",
        -1002,
        "You are not authorized to execute this request.",
    ),
    (
        "restrict: {state: large-position}",
        -4401,
        "Futures Trading Risk Control Rules of large position holding violated, only "
        "reduceOnly order is allowed, please reduce the position.",
    ),
    ("restrict: {state: liquidation}", -2023, "User in liquidation mode now."),
    ("restrict: {state: cooling-off}", -4192, "Trade forbidden due to Cooling-off Period."),
    (
        "restrict: {state: reduce-only}",
        -4400,
        "Futures Trading Quantitative Rules violated, only reduceOnly order is allowed, "
        "please try again later.",
    ),
    (
        "symbol_status: {status: TRADING_HALT}",
        -4140,
        "Invalid symbol status for opening position.",
    ),
    ("symbol_status: {status: CLOSE}", -4141, "Symbol is closed."),
]


async def refused(
    binance: Binance, method: str, path: str, params: Changes, code: int, text: str
) -> None:
    """Send a request; it must be refused just so, and leave nothing behind."""
    stream = await binance.stream()
    before = await books(binance)

    given = {name: value for name, value in params.items() if value is not None}
    reply = await binance.rest(method, f"/fapi/v1/{path}", **given)

    assert (reply.status, reply.json) == (400, {"code": code, "msg": text})
    await stream.quiet()
    assert await books(binance) == before


async def books(binance: Binance) -> list[Any]:
    """Return all that a client can see of its orders, its money and its settings."""
    return [
        await binance.ok("GET", f"/fapi/v1/{path}", **BTC)
        for path in ("allOrders", "allAlgoOrders", "userTrades", "symbolConfig", "income")
    ]


async def stand(binance: Binance) -> None:
    """Let an order "taken" rest, and a conditional order "waiting" wait."""
    await binance.place("taken", price="45000")
    await binance.arm("waiting")


@pytest.mark.parametrize(("changes", "code", "text"), OF_ORDERS)
async def test_an_order_is_refused(binance: Binance, changes: Changes, code: int, text: str):
    await stand(binance)
    await refused(binance, "POST", "order", ORDER | changes, code, text)
    if code not in OF_THE_MATCHING_ENGINE:
        await refused(binance, "POST", "order/test", ORDER | changes, code, text)


@pytest.mark.parametrize(("changes", "code", "text"), OF_CONDITIONAL_ORDERS)
async def test_a_conditional_order_is_refused(
    binance: Binance, changes: Changes, code: int, text: str
):
    await stand(binance)
    await refused(binance, "POST", "algoOrder", STOP | changes, code, text)


@pytest.mark.parametrize(("method", "path", "params", "code", "text"), OF_OTHERS)
async def test_another_request_is_refused(
    binance: Binance, method: str, path: str, params: Changes, code: int, text: str
):
    await stand(binance)
    await refused(binance, method, path, params, code, text)


@pytest.mark.venue("position_mode: hedge")
@pytest.mark.parametrize(("changes", "code", "text"), IN_HEDGE_MODE)
async def test_hedge_mode_refuses_what_belongs_to_the_other(
    binance: Binance, changes: Changes, code: int, text: str
):
    await refused(binance, "POST", "order", ORDER | changes, code, text)


@pytest.mark.parametrize(("words", "code", "text"), HELD_BACK)
async def test_an_account_or_a_symbol_that_is_held_back_takes_no_order(
    binance: Binance, words: str, code: int, text: str
):
    await binance.world(words)
    await refused(binance, "POST", "order", ORDER, code, text)
