"""What each endpoint answers, field by field, on an account on which much has happened."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.wire import rows
from tests.wire.shapes import COUNT, DECIMAL, DIGITS, ID, MS, NAME, POSITIVE, Text, one_of

NONE, KEY = "none", "key"
LISTEN_KEY = {"listenKey": Text(r"[A-Za-z0-9]{64}")}


class Case(msgspec.Struct, frozen=True):
    """One request, and the shape of its answer; the path stands without ``/fapi/``."""

    method: str
    path: str
    shape: Any
    params: dict[str, Any] = {}
    auth: str = "signed"
    number: int = -1
    """How many rows the answer has, where that is known."""

    @property
    def endpoint(self) -> str:
        return f"{self.method} /fapi/{self.path}"


def order(name: str, **more: Any) -> dict[str, Any]:
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.5"}
    return params | {"price": "49000", "timeInForce": "GTC", "newClientOrderId": name} | more


def named(name: str) -> dict[str, Any]:
    return {"symbol": "BTCUSDT", "origClientOrderId": name}


BTC = {"symbol": "BTCUSDT"}
ETH = {"symbol": "ETHUSDT"}
CHANGE = named("N-1") | {"side": "BUY", "quantity": "0.7", "price": "48500"}
STOP = {"symbol": "BTCUSDT", "side": "SELL", "algoType": "CONDITIONAL", "quantity": "0.1"}
STOP |= {"type": "STOP_MARKET", "triggerPrice": "47000", "clientAlgoId": "A-9"}
BATCH = (
    '[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","quantity":"0.5","price":"49000",'
    '"timeInForce":"GTC"},{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT"}]'
)
CHANGES = (
    '[{"symbol":"BTCUSDT","side":"BUY","quantity":"0.7","price":"48500",'
    '"origClientOrderId":"N-1"},{"symbol":"BTCUSDT","side":"BUY","quantity":"0.7",'
    '"price":"48500","origClientOrderId":"X-1"}]'
)

PUBLIC = (
    Case("GET", "v1/ping", {}),
    Case("GET", "v1/time", {"serverTime": MS}),
    Case(
        "GET",
        "v1/exchangeInfo",
        {
            "timezone": "UTC",
            "serverTime": MS,
            "futuresType": "U_MARGINED",
            "rateLimits": [rows.RATE_LIMIT],
            "exchangeFilters": list,
            "assets": [{"asset": NAME, "marginAvailable": bool, "autoAssetExchange": DECIMAL}],
            "symbols": [rows.SYMBOL],
        },
    ),
    Case(
        "GET",
        "v1/depth",
        {"lastUpdateId": ID, "E": MS, "T": MS, "bids": [[POSITIVE]], "asks": [[POSITIVE]]},
        BTC,
    ),
    Case("GET", "v1/trades", list, BTC),
    Case("GET", "v1/historicalTrades", list, BTC),
    Case("GET", "v1/aggTrades", list, BTC),
    Case("GET", "v1/klines", list, BTC | {"interval": "1m"}),
    Case("GET", "v1/fundingRate", list, BTC),
    Case(
        "GET",
        "v1/premiumIndex",
        {
            "symbol": "BTCUSDT",
            "markPrice": POSITIVE,
            "indexPrice": POSITIVE,
            "estimatedSettlePrice": POSITIVE,
            "lastFundingRate": DECIMAL,
            "nextFundingTime": MS,
            "interestRate": DECIMAL,
            "time": MS,
        },
        BTC,
    ),
    Case(
        "GET",
        "v1/ticker/24hr",
        {
            "symbol": "BTCUSDT",
            "priceChange": DECIMAL,
            "priceChangePercent": DECIMAL,
            "weightedAvgPrice": POSITIVE,
            "prevClosePrice": POSITIVE,
            "lastPrice": POSITIVE,
            "lastQty": DECIMAL,
            "openPrice": POSITIVE,
            "highPrice": POSITIVE,
            "lowPrice": POSITIVE,
            "volume": DECIMAL,
            "quoteVolume": DECIMAL,
            "openTime": MS,
            "closeTime": MS,
            "firstId": COUNT,
            "lastId": COUNT,
            "count": COUNT,
        },
        BTC,
    ),
    Case("GET", "v1/ticker/price", {"symbol": "BTCUSDT", "price": POSITIVE, "time": MS}, BTC),
    Case("GET", "v2/ticker/price", [{"symbol": NAME, "price": POSITIVE, "time": MS}], number=3),
    Case(
        "GET",
        "v1/ticker/bookTicker",
        {
            "lastUpdateId": ID,
            "symbol": "BTCUSDT",
            "bidPrice": POSITIVE,
            "bidQty": POSITIVE,
            "askPrice": POSITIVE,
            "askQty": POSITIVE,
            "time": MS,
        },
        BTC,
    ),
)

ACCOUNT = (
    Case("GET", "v2/account", rows.ACCOUNT_V2),
    Case("GET", "v3/account", rows.ACCOUNT_V3),
    Case("GET", "v2/balance", [rows.BALANCE], number=1),
    Case("GET", "v3/balance", [rows.BALANCE], number=1),
    Case("GET", "v2/positionRisk", [rows.RISK_V2], number=3),
    Case("GET", "v3/positionRisk", [rows.RISK_V3], number=2),
    Case("GET", "v3/positionRisk", [rows.RISK_V3], ETH, number=1),
    Case(
        "GET",
        "v1/symbolConfig",
        [
            {
                "symbol": NAME,
                "marginType": one_of("CROSSED", "ISOLATED"),
                "isAutoAddMargin": bool,
                "leverage": ID,
                "maxNotionalValue": DIGITS,
            }
        ],
        number=3,
    ),
    Case(
        "GET",
        "v1/accountConfig",
        {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": False,
            "updateTime": COUNT,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        },
    ),
    Case("GET", "v1/positionSide/dual", {"dualSidePosition": False}),
    Case("POST", "v1/positionSide/dual", rows.DONE, {"dualSidePosition": "true"}, "new"),
    Case(
        "POST",
        "v1/leverage",
        {"leverage": 7, "maxNotionalValue": DIGITS, "symbol": "BTCUSDT"},
        BTC | {"leverage": 7},
    ),
    Case("POST", "v1/marginType", rows.DONE, ETH | {"marginType": "CROSSED"}, "new"),
    Case("GET", "v1/multiAssetsMargin", {"multiAssetsMargin": False}),
    Case("POST", "v1/multiAssetsMargin", rows.DONE, {"multiAssetsMargin": "true"}, "new"),
    Case("GET", "v1/feeBurn", {"feeBurn": False}),
    Case("POST", "v1/feeBurn", rows.DONE, {"feeBurn": "true"}),
    Case(
        "GET",
        "v1/commissionRate",
        {"symbol": "BTCUSDT", "makerCommissionRate": "0.0002", "takerCommissionRate": "0.0005"},
        BTC,
    ),
    Case(
        "GET",
        "v1/leverageBracket",
        [
            {
                "symbol": NAME,
                "notionalCoef": float,
                "brackets": [
                    {
                        "bracket": ID,
                        "initialLeverage": ID,
                        "notionalCap": ID,
                        "notionalFloor": COUNT,
                        "maintMarginRatio": float,
                        "cum": float,
                    }
                ],
            }
        ],
        number=3,
    ),
    Case("GET", "v1/income", [rows.INCOME]),
    Case("POST", "v1/listenKey", LISTEN_KEY, auth=KEY),
    Case("PUT", "v1/listenKey", LISTEN_KEY, auth=KEY),
    Case("DELETE", "v1/listenKey", {}, auth=KEY),
    Case(
        "POST",
        "v1/positionMargin",
        {"amount": 5.5, "code": 200, "msg": NAME, "type": 1},
        ETH | {"amount": "5.5", "type": 1},
    ),
    Case(
        "GET",
        "v1/positionMargin/history",
        [
            {
                "symbol": "ETHUSDT",
                "type": one_of(1, 2),
                "deltaType": "USER_ADJUST",
                "amount": POSITIVE,
                "asset": "USDT",
                "time": MS,
                "positionSide": "BOTH",
            }
        ],
        ETH,
        number=2,
    ),
    Case(
        "GET",
        "v1/adlQuantile",
        [{"symbol": NAME, "adlQuantile": {"LONG": COUNT, "SHORT": COUNT, "BOTH": COUNT}}],
        number=2,
    ),
    Case("GET", "v1/rateLimit/order", [rows.RATE_LIMIT], number=2),
)

AMENDED = {"before": POSITIVE, "after": POSITIVE}

ORDERS = (
    Case("POST", "v1/order", rows.ORDER_REPLY | {"status": "NEW"}, order("O-9")),
    Case("POST", "v1/order/test", rows.ORDER_REPLY | {"orderId": COUNT}, order("O-9")),
    Case("PUT", "v1/order", rows.ORDER_REPLY | {"status": "NEW", "modifyId": ID}, CHANGE),
    Case("GET", "v1/order", rows.ORDER_ROW | {"status": "FILLED"}, named("M-1")),
    Case("DELETE", "v1/order", rows.ORDER_REPLY | {"status": "CANCELED"}, named("N-1")),
    Case("GET", "v1/openOrder", rows.ORDER_ROW | {"status": "NEW"}, named("N-1")),
    Case("GET", "v1/openOrders", [rows.ORDER_ROW], number=2),
    Case("GET", "v1/openOrders", [rows.ORDER_ROW], BTC, number=2),
    Case("GET", "v1/allOrders", [rows.ORDER_ROW], BTC, number=6),
    Case("GET", "v1/userTrades", [rows.TRADE_ROW], BTC, number=4),
    Case("DELETE", "v1/allOpenOrders", rows.CANCELLED_ALL, BTC),
    Case("DELETE", "v1/allOpenOrders", rows.CANCELLED_ALL, ETH),
    Case(
        "DELETE",
        "v1/batchOrders",
        [rows.ORDER_REPLY],
        BTC | {"origClientOrderIdList": '["N-1","P-1"]'},
        number=2,
    ),
    Case("POST", "v1/batchOrders", list, {"batchOrders": BATCH}, number=2),
    Case("PUT", "v1/batchOrders", list, {"batchOrders": CHANGES}, number=2),
    Case(
        "POST",
        "v1/countdownCancelAll",
        {"symbol": "BTCUSDT", "countdownTime": "100000"},
        BTC | {"countdownTime": 100000},
    ),
    Case(
        "GET",
        "v1/orderAmendment",
        [
            {
                "amendmentId": ID,
                "symbol": "BTCUSDT",
                "pair": "BTCUSDT",
                "orderId": ID,
                "clientOrderId": "N-1",
                "time": MS,
                "amendment": {"price": AMENDED, "origQty": AMENDED, "count": ID},
            }
        ],
        named("N-1"),
        number=1,
    ),
    Case(
        "GET",
        "v1/forceOrders",
        [rows.ORDER_ROW | {"clientOrderId": Text(r"adl_autoclose.*|autoclose-\d+")}],
        number=1,
    ),
    Case(
        "GET",
        "v1/apiTradingStatus",
        {"indicators": dict, "updateTime": MS},
    ),
)

ALGOS = (
    Case("POST", "v1/algoOrder", rows.ALGO_REPLY, STOP),
    Case("GET", "v1/algoOrder", rows.ALGO_ROW | {"algoStatus": "NEW"}, {"clientAlgoId": "A-1"}),
    Case("GET", "v1/algoOrder", rows.ALGO_TRIGGERED, {"clientAlgoId": "F-1"}),
    Case("GET", "v1/algoOrder", rows.ALGO_TRAILING, {"clientAlgoId": "T-1"}),
    Case(
        "DELETE",
        "v1/algoOrder",
        {"algoId": ID, "clientAlgoId": "A-1", "code": "200", "msg": "success"},
        {"clientAlgoId": "A-1"},
    ),
    Case("DELETE", "v1/algoOpenOrders", rows.CANCELLED_ALL, BTC),
    Case("GET", "v1/openAlgoOrders", list, BTC, number=2),
    Case("GET", "v1/allAlgoOrders", list, BTC, number=3),
)

CASES = (
    *(msgspec.structs.replace(case, auth=NONE) for case in PUBLIC),
    *ACCOUNT,
    *ORDERS,
    *ALGOS,
)
