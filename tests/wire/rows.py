"""The shapes of the rows that several endpoints have in common."""

from __future__ import annotations

from typing import Any

from tests.wire.shapes import (
    COUNT,
    DECIMAL,
    DIGITS,
    ID,
    MS,
    NAME,
    POSITIVE,
    SIDE,
    ZERO,
    one_of,
)

POSITION_SIDE = one_of("BOTH", "LONG", "SHORT")
TIME_IN_FORCE = one_of("GTC", "IOC", "FOK", "GTX", "GTD", "GTE_GTC")
STATUS = one_of("NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH")
ORDER_TYPE = one_of("LIMIT", "MARKET", "LIQUIDATION")
WORKING_TYPE = one_of("CONTRACT_PRICE", "MARK_PRICE")
PREVENTION = one_of("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")

DONE = {"code": 200, "msg": "success"}
CANCELLED_ALL = {"code": 200, "msg": "The operation of cancel all open order is done."}

_ORDER: dict[str, Any] = {
    "orderId": ID,
    "symbol": "BTCUSDT",
    "status": STATUS,
    "clientOrderId": NAME,
    "price": DECIMAL,
    "origQty": POSITIVE,
    "executedQty": DECIMAL,
    "timeInForce": TIME_IN_FORCE,
    "type": ORDER_TYPE,
    "origType": ORDER_TYPE,
    "reduceOnly": bool,
    "closePosition": bool,
    "side": SIDE,
    "positionSide": POSITION_SIDE,
    "stopPrice": DECIMAL,
    "workingType": WORKING_TYPE,
    "priceProtect": bool,
    "priceMatch": NAME,
    "selfTradePreventionMode": PREVENTION,
    "goodTillDate": COUNT,
    "updateTime": MS,
}

ORDER_ROW = _ORDER | {"avgPrice": DECIMAL, "cumQuote": DECIMAL, "time": MS}
"""What a read shows of an order."""

ORDER_REPLY = _ORDER | {"cumQty": DECIMAL}
"""How a command is answered."""

REFUSAL = {"code": int, "msg": NAME}

TRADE_ROW = {
    "symbol": "BTCUSDT",
    "id": ID,
    "orderId": ID,
    "side": SIDE,
    "price": POSITIVE,
    "qty": POSITIVE,
    "realizedPnl": DECIMAL,
    "quoteQty": POSITIVE,
    "commission": DECIMAL,
    "commissionAsset": "USDT",
    "marginAsset": "USDT",
    "time": MS,
    "positionSide": POSITION_SIDE,
    "buyer": bool,
    "maker": bool,
}

ALGO_ROW: dict[str, Any] = {
    "algoId": ID,
    "clientAlgoId": NAME,
    "algoType": "CONDITIONAL",
    "orderType": one_of(
        "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"
    ),
    "symbol": "BTCUSDT",
    "side": SIDE,
    "positionSide": POSITION_SIDE,
    "timeInForce": TIME_IN_FORCE,
    "quantity": DECIMAL,
    "algoStatus": one_of(
        "NEW", "CANCELED", "TRIGGERING", "TRIGGERED", "FINISHED", "REJECTED", "EXPIRED"
    ),
    "actualOrderId": str,
    "actualPrice": DECIMAL,
    "actualQty": DECIMAL,
    "actualType": str,
    "triggerPrice": DECIMAL,
    "price": DECIMAL,
    "icebergQuantity": None,
    "tpTriggerPrice": ZERO,
    "tpPrice": ZERO,
    "slTriggerPrice": ZERO,
    "slPrice": ZERO,
    "tpOrderType": "",
    "selfTradePreventionMode": PREVENTION,
    "workingType": WORKING_TYPE,
    "priceMatch": NAME,
    "closePosition": bool,
    "priceProtect": bool,
    "reduceOnly": bool,
    "createTime": MS,
    "updateTime": MS,
    "triggerTime": COUNT,
    "goodTillDate": COUNT,
}

ALGO_TRIGGERED = ALGO_ROW | {
    "algoStatus": "FINISHED",
    "actualOrderId": DIGITS,
    "actualPrice": POSITIVE,
    "actualQty": POSITIVE,
    "actualType": "MARKET",
    "triggerTime": MS,
}

ALGO_TRAILING = ALGO_ROW | {
    "orderType": "TRAILING_STOP_MARKET",
    "activatePrice": DECIMAL,
    "callbackRate": POSITIVE,
}
"""A trailing stop, which alone has these two: a client reads an empty one as a number."""

ALGO_REPLY = ALGO_ROW | {"algoStatus": "NEW", "activatePrice": "", "callbackRate": ""}

_MARGINS = {
    "initialMargin": DECIMAL,
    "maintMargin": DECIMAL,
    "positionInitialMargin": DECIMAL,
    "openOrderInitialMargin": DECIMAL,
}

ASSET = _MARGINS | {
    "asset": NAME,
    "walletBalance": DECIMAL,
    "unrealizedProfit": DECIMAL,
    "marginBalance": DECIMAL,
    "crossWalletBalance": DECIMAL,
    "crossUnPnl": DECIMAL,
    "availableBalance": DECIMAL,
    "maxWithdrawAmount": DECIMAL,
    "marginAvailable": bool,
    "updateTime": MS,
}

_TOTALS = {
    "totalInitialMargin": DECIMAL,
    "totalMaintMargin": DECIMAL,
    "totalWalletBalance": POSITIVE,
    "totalUnrealizedProfit": DECIMAL,
    "totalMarginBalance": DECIMAL,
    "totalPositionInitialMargin": DECIMAL,
    "totalOpenOrderInitialMargin": DECIMAL,
    "totalCrossWalletBalance": DECIMAL,
    "totalCrossUnPnl": DECIMAL,
    "availableBalance": DECIMAL,
    "maxWithdrawAmount": DECIMAL,
}

_POSITION = {
    "symbol": NAME,
    "positionSide": POSITION_SIDE,
    "positionAmt": DECIMAL,
    "unrealizedProfit": DECIMAL,
    "initialMargin": DECIMAL,
    "maintMargin": DECIMAL,
    "updateTime": COUNT,
}

ACCOUNT_V2 = _TOTALS | {
    "feeTier": 0,
    "feeBurn": bool,
    "canTrade": bool,
    "canDeposit": bool,
    "canWithdraw": bool,
    "updateTime": COUNT,
    "multiAssetsMargin": bool,
    "tradeGroupId": -1,
    "assets": [ASSET],
    "positions": [
        _POSITION
        | _MARGINS
        | {
            "leverage": DIGITS,
            "isolated": bool,
            "entryPrice": DECIMAL,
            "breakEvenPrice": DECIMAL,
            "maxNotional": DIGITS,
            "bidNotional": DECIMAL,
            "askNotional": DECIMAL,
        }
    ],
}

ACCOUNT_V3 = _TOTALS | {
    "assets": [ASSET],
    "positions": [
        _POSITION | {"isolatedMargin": DECIMAL, "isolatedWallet": DECIMAL, "notional": DECIMAL}
    ],
}

BALANCE = {
    "accountAlias": NAME,
    "asset": NAME,
    "balance": DECIMAL,
    "crossWalletBalance": DECIMAL,
    "crossUnPnl": DECIMAL,
    "availableBalance": DECIMAL,
    "maxWithdrawAmount": DECIMAL,
    "marginAvailable": bool,
    "updateTime": MS,
}

_RISK = {
    "symbol": NAME,
    "positionSide": POSITION_SIDE,
    "positionAmt": DECIMAL,
    "entryPrice": DECIMAL,
    "breakEvenPrice": DECIMAL,
    "markPrice": POSITIVE,
    "unRealizedProfit": DECIMAL,
    "liquidationPrice": DECIMAL,
    "isolatedMargin": DECIMAL,
    "notional": DECIMAL,
    "isolatedWallet": DECIMAL,
    "updateTime": COUNT,
}

RISK_V3 = (
    _RISK
    | _MARGINS
    | {"marginAsset": "USDT", "adl": one_of(0, 1, 2, 3, 4)}
    | {"bidNotional": DECIMAL, "askNotional": DECIMAL}
)

RISK_V2 = _RISK | {
    "leverage": DIGITS,
    "maxNotionalValue": DIGITS,
    "marginType": one_of("cross", "isolated"),
    "isAutoAddMargin": "false",
}

INCOME = {
    "symbol": str,
    "incomeType": one_of("TRANSFER", "REALIZED_PNL", "COMMISSION", "FUNDING_FEE"),
    "income": DECIMAL,
    "asset": "USDT",
    "info": str,
    "time": MS,
    "tranId": ID,
    "tradeId": str,
}

_SYMBOL_FILTERS = one_of(
    "PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "MAX_NUM_ORDERS", "MAX_NUM_ALGO_ORDERS",
    "MIN_NOTIONAL", "PERCENT_PRICE", "POSITION_RISK_CONTROL",
)  # fmt: skip

SYMBOL = {
    "symbol": NAME,
    "pair": NAME,
    "contractType": "PERPETUAL",
    "deliveryDate": MS,
    "onboardDate": MS,
    "status": "TRADING",
    "maintMarginPercent": POSITIVE,
    "requiredMarginPercent": POSITIVE,
    "baseAsset": NAME,
    "quoteAsset": one_of("USDT", "USDC"),
    "marginAsset": one_of("USDT", "USDC"),
    "pricePrecision": COUNT,
    "quantityPrecision": COUNT,
    "baseAssetPrecision": COUNT,
    "quotePrecision": COUNT,
    "underlyingType": "COIN",
    "underlyingSubType": list,
    "settlePlan": 0,
    "triggerProtect": POSITIVE,
    "liquidationFee": POSITIVE,
    "marketTakeBound": POSITIVE,
    "filters": [
        {
            "filterType": _SYMBOL_FILTERS,
            "minPrice?": POSITIVE,
            "maxPrice?": POSITIVE,
            "tickSize?": POSITIVE,
            "minQty?": POSITIVE,
            "maxQty?": POSITIVE,
            "stepSize?": POSITIVE,
            "limit?": ID,
            "notional?": DECIMAL,
            "multiplierUp?": POSITIVE,
            "multiplierDown?": POSITIVE,
            "multiplierDecimal?": DIGITS,
            "positionControlSide?": "NONE",
        }
    ],
    "orderTypes": [
        one_of(
            "LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        )
    ],
    "timeInForce": [one_of("GTC", "IOC", "FOK", "GTX", "GTD")],
}  # fmt: skip

RATE_LIMIT = {
    "rateLimitType": one_of("REQUEST_WEIGHT", "ORDERS"),
    "interval": one_of("MINUTE", "SECOND"),
    "intervalNum": ID,
    "limit": ID,
}
