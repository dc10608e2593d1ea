"""How a request may be put, who may make it, and what it costs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.wire.binance import Binance, Reply

ORDER = "/fapi/v1/order"
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
LIMIT |= {"quantity": "1", "price": "49000", "newClientOrderId": "O-1"}


async def open_orders(binance: Binance) -> list[str]:
    rows = await binance.ok("GET", "/fapi/v1/openOrders")
    return [f"{row['clientOrderId']} {row['origQty']} {row['price']}" for row in rows]


# -- where the parameters stand


def in_query(binance: Binance, params: dict[str, Any]) -> tuple[str, str]:
    return binance.signed(params), ""


def in_body(binance: Binance, params: dict[str, Any]) -> tuple[str, str]:
    return "", binance.signed(params)


def in_both(binance: Binance, params: dict[str, Any]) -> tuple[str, str]:
    names = list(params)
    query = urlencode({name: params[name] for name in names[:4]})
    body = urlencode({name: params[name] for name in names[4:]} | {"timestamp": binance.now_ms})
    return query, f"{body}&signature={binance.sign(query + body)}"


def signature_first(binance: Binance, params: dict[str, Any]) -> tuple[str, str]:
    query = urlencode(params | {"timestamp": binance.now_ms})
    return f"signature={binance.sign(query)}&{query}", ""


def in_body_signed_in_query(binance: Binance, params: dict[str, Any]) -> tuple[str, str]:
    body = urlencode(params | {"timestamp": binance.now_ms})
    return f"signature={binance.sign(body)}", body


def in_small_letters(binance: Binance, params: dict[str, Any]) -> tuple[str, str]:
    return in_query(binance, {name.lower(): value for name, value in params.items()})


WAYS = (in_query, in_body, in_both, signature_first, in_body_signed_in_query, in_small_letters)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_parameters_may_stand_in_the_query_and_in_the_body(binance: Binance, way: Any):
    reply = await binance.raw("POST", ORDER, *way(binance, LIMIT))

    assert reply.status == 200, reply.json
    assert await open_orders(binance) == ["O-1 1.000 49000.00"]


async def test_of_a_parameter_that_stands_in_both_the_query_counts(binance: Binance):
    query = urlencode(LIMIT)
    body = urlencode({"quantity": "2", "timestamp": binance.now_ms})
    signature = binance.sign(query + body)
    await binance.raw("POST", ORDER, query, f"{body}&signature={signature}")

    assert await open_orders(binance) == ["O-1 1.000 49000.00"]


@pytest.mark.parametrize("text", ["true", "True", "TRUE"])
async def test_a_boolean_is_read_in_any_case(binance: Binance, text: str):
    await binance.take("O-1")
    await binance.place("O-2", "SELL", price="51000", reduceOnly=text)
    row = await binance.ok("GET", ORDER, symbol="BTCUSDT", origClientOrderId="O-2")

    assert row["reduceOnly"] is True


@pytest.mark.parametrize("text", ['["O-1","O-2"]', "['O-1', 'O-2']"])
async def test_a_list_is_read_as_json_and_as_python_prints_it(binance: Binance, text: str):
    await binance.place("O-1")
    await binance.place("O-2")
    rows = await binance.ok(
        "DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", origClientOrderIdList=text
    )

    assert [row["clientOrderId"] for row in rows] == ["O-1", "O-2"]


async def test_what_no_endpoint_knows_is_ignored(binance: Binance):
    await binance.place("O-1", icebergQty="0.1")


@pytest.mark.venue("knobs: {unknown_params: refused}")
async def test_what_no_endpoint_knows_is_refused_where_that_is_so(binance: Binance):
    assert await binance.refused("POST", ORDER, **LIMIT, iceberg="0.1") == (400, -1104)
    assert await open_orders(binance) == []


async def test_the_same_request_twice_is_two_requests(binance: Binance):
    query = binance.signed({})
    first = await binance.raw("GET", "/fapi/v3/positionRisk", query)
    second = await binance.raw("GET", "/fapi/v3/positionRisk", query)

    assert (first.status, second.status) == (200, 200)


# -- signatures, keys and time


def signed_over(binance: Binance, text: str, query: str) -> str:
    return f"{query}&signature={binance.sign(text)}"


async def decoded(binance: Binance) -> Reply:
    params = f"batchOrders=[]&timestamp={binance.now_ms}"
    encoded = f"batchOrders=%5B%5D&timestamp={binance.now_ms}"
    query = signed_over(binance, params, encoded)
    return await binance.raw("POST", "/fapi/v1/batchOrders", query)


async def test_a_signature_may_be_over_what_is_decoded(binance: Binance):
    assert (await decoded(binance)).refusal == (400, -4082)


@pytest.mark.venue("knobs: {strict_signature: true}")
async def test_a_signature_is_over_the_raw_bytes_where_that_is_strict(binance: Binance):
    assert (await decoded(binance)).refusal == (400, -1022)
    await binance.place("O-1")


async def test_a_signature_of_capital_letters_is_one(binance: Binance):
    query, _, signature = binance.signed({}).rpartition("=")
    reply = await binance.raw("GET", "/fapi/v1/openOrders", f"{query}={signature.upper()}")

    assert reply.status == 200


async def test_a_wrong_signature(binance: Binance):
    query = binance.signed(LIMIT).replace("quantity=1", "quantity=2")

    assert (await binance.raw("POST", ORDER, query)).refusal == (400, -1022)
    assert await open_orders(binance) == []


async def test_a_request_without_a_signature(binance: Binance):
    query = urlencode(LIMIT | {"timestamp": binance.now_ms})

    assert (await binance.raw("POST", ORDER, query)).refusal == (400, -1102)


@pytest.mark.parametrize("path", ["/fapi/v1/openOrders", "/fapi/v1/listenKey"])
@pytest.mark.parametrize(("key", "code"), [(None, -2014), ("nobody-s-key", -2015)])
async def test_a_key_that_nobody_has(binance: Binance, path: str, key: str | None, code: int):
    method = "POST" if path.endswith("Key") else "GET"
    headers = {"X-MBX-APIKEY": key} if key else {}
    query = binance.signed({})
    reply = await binance.raw(method, path, query, is_keyed=False, headers=headers)

    assert reply.refusal == (401, code)


@pytest.mark.parametrize("path", ["/fapi/v1/time", "/fapi/v1/exchangeInfo"])
async def test_what_is_public_needs_no_key(binance: Binance, path: str):
    assert (await binance.rest("GET", path, auth="none")).status == 200


@pytest.mark.parametrize(
    ("ahead_ms", "window_ms", "code"),
    [
        (0, None, 200),
        (900, None, 200),
        (1100, None, -1021),
        (-4900, None, 200),
        (-5100, None, -1021),
        (-5100, 10000, 200),
        (-900, 1000, 200),
        (-1100, 1000, -1021),
        (-59000, 60000, 200),
        (0, 60001, -1131),
    ],
)
async def test_how_old_and_how_new_a_timestamp_may_be(
    binance: Binance, ahead_ms: int, window_ms: int | None, code: int
):
    params = {"timestamp": binance.now_ms + ahead_ms}
    if window_ms is not None:
        params["recvWindow"] = window_ms
    reply = await binance.rest("GET", "/fapi/v1/openOrders", **params)

    assert (reply.status if code == 200 else reply.refusal[1]) == code


async def test_what_is_not_new_enough_was_not_carried_out(binance: Binance):
    late = {"timestamp": binance.now_ms - 6000}

    assert await binance.refused("POST", ORDER, **LIMIT, **late) == (400, -1021)
    assert await open_orders(binance) == []


# -- what there is not


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/fapi/v1/nothing"), ("PATCH", ORDER), ("POST", "/fapi/v1/time"), ("GET", "/")],
)
async def test_a_path_that_there_is_not(binance: Binance, method: str, path: str):
    reply = await binance.rest(method, path)

    assert reply.status == 404
    assert reply.json == {"code": -5000, "msg": f"Path {path}, Method {method} is invalid"}


@pytest.mark.parametrize("path", ["/fapi/v1/openOrders", "/fapi/v1/allOrders", ORDER])
async def test_a_symbol_that_there_is_not(binance: Binance, path: str):
    assert await binance.refused("GET", path, symbol="NOTHING", orderId=1) == (400, -1121)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/fapi/v1/allOrders"),
        ("GET", "/fapi/v1/userTrades"),
        ("GET", "/fapi/v1/allAlgoOrders"),
        ("GET", "/fapi/v1/commissionRate"),
        ("DELETE", "/fapi/v1/allOpenOrders"),
        ("DELETE", "/fapi/v1/algoOpenOrders"),
        ("POST", "/fapi/v1/leverage"),
        ("POST", ORDER),
    ],
)
async def test_what_needs_a_symbol(binance: Binance, method: str, path: str):
    assert await binance.refused(method, path) == (400, -1102)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_an_order_has_to_be_named(binance: Binance, method: str):
    change = {"side": "BUY", "quantity": "1", "price": "49000"}
    assert await binance.refused(method, ORDER, symbol="BTCUSDT", **change) == (400, -1102)


# -- what it costs

WEIGHT = "X-MBX-USED-WEIGHT-1M"
ORDERS = ("X-MBX-ORDER-COUNT-10S", "X-MBX-ORDER-COUNT-1M")

WEIGHTS = (
    ("GET", "/fapi/v1/time", {}, 1),
    ("GET", "/fapi/v2/account", {}, 5),
    ("GET", "/fapi/v3/positionRisk", {}, 5),
    ("GET", "/fapi/v1/positionSide/dual", {}, 30),
    ("GET", "/fapi/v1/commissionRate", {"symbol": "BTCUSDT"}, 20),
    ("GET", "/fapi/v1/openOrders", {}, 40),
    ("GET", "/fapi/v1/openOrders", {"symbol": "BTCUSDT"}, 1),
    ("GET", "/fapi/v1/openAlgoOrders", {}, 40),
    ("GET", "/fapi/v1/openAlgoOrders", {"symbol": "BTCUSDT"}, 1),
    ("GET", "/fapi/v1/allOrders", {"symbol": "BTCUSDT"}, 5),
    ("GET", "/fapi/v1/userTrades", {"symbol": "BTCUSDT"}, 5),
    ("GET", "/fapi/v1/income", {}, 30),
    ("GET", "/fapi/v1/forceOrders", {}, 50),
    ("GET", "/fapi/v1/forceOrders", {"symbol": "BTCUSDT"}, 20),
    ("POST", ORDER, LIMIT, 0),
    ("POST", "/fapi/v1/countdownCancelAll", {"symbol": "BTCUSDT", "countdownTime": 0}, 10),
)


@pytest.mark.parametrize(("method", "path", "params", "weight"), WEIGHTS)
async def test_what_a_request_weighs(
    binance: Binance, method: str, path: str, params: dict[str, Any], weight: int
):
    before = int((await binance.rest("GET", "/fapi/v1/ping", auth="none")).headers[WEIGHT])
    after = int((await binance.rest(method, path, **params)).headers[WEIGHT])

    assert after - before == weight


async def test_orders_are_counted_in_ten_seconds_and_in_a_minute(binance: Binance):
    counts = []
    for name in ("O-1", "O-2"):
        reply = await binance.rest("POST", ORDER, **LIMIT | {"newClientOrderId": name})
        counts.append([int(reply.headers[header]) for header in ORDERS])
    await binance.wait(10)
    reply = await binance.rest("POST", ORDER, **LIMIT | {"newClientOrderId": "O-3"})
    counts.append([int(reply.headers[header]) for header in ORDERS])

    assert counts == [[1, 1], [2, 2], [1, 3]]


@pytest.mark.parametrize("path", ["/fapi/v1/openOrders", ORDER])
async def test_only_what_sends_orders_is_counted_as_orders(binance: Binance, path: str):
    reply = await binance.rest("GET", path, symbol="BTCUSDT", orderId=1)

    assert ORDERS[0] not in reply.headers
    assert WEIGHT in reply.headers


@pytest.mark.venue("limits: {orders_10s: 1}")
async def test_too_many_orders(binance: Binance):
    await binance.place("O-1")
    reply = await binance.rest("POST", ORDER, **LIMIT | {"newClientOrderId": "O-2"})

    assert reply.refusal == (429, -1015)
    assert 0 < int(reply.headers["Retry-After"]) <= 10
    await binance.wait(int(reply.headers["Retry-After"]))
    await binance.place("O-2")


@pytest.mark.venue("limits: {weight_1m: 2, ban_after: 2}")
async def test_too_many_requests_and_then_silence(binance: Binance):
    replies = [await binance.rest("GET", "/fapi/v1/ping", auth="none") for _ in range(5)]

    assert [reply.status for reply in replies] == [200, 200, 429, 418, 418]
    assert {reply.refusal[1] for reply in replies[2:]} == {-1003}
    waits = [int(reply.headers["Retry-After"]) for reply in replies[2:]]
    assert 0 < waits[0] <= 60
    assert 60 < waits[1] <= 120
    await binance.wait(waits[-1])
    assert (await binance.rest("GET", "/fapi/v1/ping", auth="none")).status == 200
