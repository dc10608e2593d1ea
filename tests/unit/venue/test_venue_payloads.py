"""Every payload decodes with the structs of the real adapter, and means the same there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from nautilus_trader.adapters.binance.common.schemas import account as common_account
from nautilus_trader.adapters.binance.common.schemas import market as common_market
from nautilus_trader.adapters.binance.common.schemas import user as common_user
from nautilus_trader.adapters.binance.futures.schemas import account as futures_account
from nautilus_trader.adapters.binance.futures.schemas import market as futures_market
from nautilus_trader.adapters.binance.futures.schemas import user as futures_user
from nautilus_trader.adapters.binance.futures.schemas import wallet as futures_wallet
from venue_client import Client, client


@pytest.fixture(params=["one-way", "hedge"])
def trader(request: pytest.FixtureRequest) -> Client:
    """An account with a filled, a partly filled, a cancelled and a resting order."""
    made = client(position_mode=request.param, trade_lite=True)
    more = {"positionSide": "LONG"} if request.param == "hedge" else {}
    made.listen()
    made.market("M-1", **more)
    made.limit("P-1", price="49999.9", **more)
    made.fill("P-1", "0.333")
    made.limit("C-1", **more)
    made.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="C-1")
    made.limit("N-1", **more)
    return made


def decode(trader: Client, struct: Any, method: str, path: str, **params: Any) -> Any:
    response = trader.send(method, path, **params)
    assert response.status == 200, response.body
    return msgspec.json.decode(response.body, type=struct)


def test_exchange_info(trader: Client) -> None:
    info = decode(trader, futures_market.BinanceFuturesExchangeInfo, "GET", "exchangeInfo")
    assert [symbol.symbol for symbol in info.symbols] == ["BTCUSDT", "ETHUSDT", "BTCUSDC"]
    assert info.symbols[0].parse_to_quote_currency().code == "USDT"


def test_time(trader: Client) -> None:
    assert decode(trader, common_market.BinanceTime, "GET", "time").serverTime == trader.now_ms


def test_account(trader: Client) -> None:
    struct = futures_account.BinanceFuturesAccountInfo
    info = decode(trader, struct, "GET", "/fapi/v2/account", recvWindow=5000)
    balances = {str(row.currency): row for row in info.parse_to_account_balances()}
    assert balances["USDT"].total.as_decimal() < 1_000_000
    assert info.parse_to_margin_balances()


def test_positions(trader: Client) -> None:
    rows = list[futures_account.BinanceFuturesPositionRisk]
    (held,) = (
        row
        for row in decode(trader, rows, "GET", "/fapi/v3/positionRisk")
        if Decimal(row.positionAmt)
    )
    assert (held.symbol, held.positionAmt) == ("BTCUSDT", "1.333")
    every = decode(trader, rows, "GET", "/fapi/v2/positionRisk")
    assert {row.symbol for row in every} == {"BTCUSDT", "ETHUSDT", "BTCUSDC"}
    assert every[0].marginType == "cross"


def test_settings(trader: Client) -> None:
    config = list[futures_account.BinanceFuturesSymbolConfig]
    assert decode(trader, config, "GET", "symbolConfig")[0].leverage == 20
    hedge = trader.venue.config.position_mode == "hedge"
    dual = futures_account.BinanceFuturesDualSidePosition
    assert decode(trader, dual, "GET", "positionSide/dual").dualSidePosition is hedge
    leverage = futures_account.BinanceFuturesLeverage
    made = decode(trader, leverage, "POST", "leverage", symbol="ETHUSDT", leverage=7)
    assert made.leverage == 7
    margin = futures_account.BinanceFuturesMarginTypeResponse
    done = decode(trader, margin, "POST", "marginType", symbol="ETHUSDT", marginType="ISOLATED")
    assert done.code == 200
    rate = futures_wallet.BinanceFuturesCommissionRate
    paid = decode(trader, rate, "GET", "commissionRate", symbol="BTCUSDT")
    assert (paid.makerCommissionRate, paid.takerCommissionRate) == ("0.0002", "0.0005")
    algo = list[futures_account.BinanceFuturesAlgoOrder]
    assert decode(trader, algo, "GET", "openAlgoOrders") == []


def test_orders(trader: Client) -> None:
    rows = list[common_account.BinanceOrder]
    history = decode(trader, rows, "GET", "allOrders", symbol="BTCUSDT")
    assert [(row.clientOrderId, row.status.value) for row in history] == [
        ("M-1", "FILLED"),
        ("P-1", "PARTIALLY_FILLED"),
        ("C-1", "CANCELED"),
        ("N-1", "NEW"),
    ]
    for row in history:
        for field in ("price", "origQty", "executedQty", "timeInForce", "type", "side"):
            assert getattr(row, field) is not None
        assert row.time is not None
        assert row.updateTime is not None
    assert decode(trader, rows, "GET", "openOrders") == [history[1], history[3]]
    one = common_account.BinanceOrder
    assert (
        decode(trader, one, "GET", "order", symbol="BTCUSDT", origClientOrderId="P-1")
        == (history[1])
    )
    gone = decode(trader, one, "DELETE", "order", symbol="BTCUSDT", origClientOrderId="N-1")
    assert gone.status.value == "CANCELED"


def test_trades(trader: Client) -> None:
    rows = decode(
        trader, list[common_account.BinanceUserTrade], "GET", "userTrades", symbol="BTCUSDT"
    )
    assert [row.id for row in rows] == [trade.trade_id for trade in trader.venue.trades()]
    assert [(row.price, row.qty, row.maker) for row in rows] == [
        ("50000.00", "1.000", False),
        ("49999.90", "0.333", True),
    ]


def test_listen_key(trader: Client) -> None:
    key = decode(trader, common_user.BinanceListenKey, "POST", "listenKey")
    assert key.listenKey == trader.venue.streams.live_key("main")


def test_events(trader: Client) -> None:
    structs = {
        "ORDER_TRADE_UPDATE": futures_user.BinanceFuturesOrderUpdateMsg,
        "ACCOUNT_UPDATE": futures_user.BinanceFuturesAccountUpdateMsg,
        "TRADE_LITE": futures_user.BinanceFuturesTradeLiteMsg,
    }
    seen = set()
    for frame in trader.venue.take_frames():
        header = msgspec.json.decode(frame.text, type=futures_user.BinanceFuturesUserMsgData)
        assert header.e.value == frame.event
        message = msgspec.json.decode(frame.text, type=structs[frame.event])
        seen.add(frame.event)
        if frame.event == "ORDER_TRADE_UPDATE":
            assert (message.data if hasattr(message, "data") else message.o).i == frame.order_id
        if frame.event == "ACCOUNT_UPDATE":
            assert message.a.parse_to_account_balances()
    assert seen == set(structs)


def test_prices(trader: Client) -> None:
    price = decode(
        trader, common_market.BinanceTickerPrice, "GET", "ticker/price", symbol="BTCUSDT"
    )
    assert price.price == "50000.00"
    depth = decode(trader, common_market.BinanceDepth, "GET", "depth", symbol="BTCUSDT")
    assert depth.lastUpdateId
    mark = futures_market.BinanceFuturesMarkFunding
    assert decode(trader, mark, "GET", "premiumIndex", symbol="BTCUSDT").markPrice
    book = common_market.BinanceTickerBook
    assert decode(trader, book, "GET", "ticker/bookTicker", symbol="BTCUSDT").bidPrice
    day = common_market.BinanceTicker24hr
    assert decode(trader, day, "GET", "ticker/24hr", symbol="BTCUSDT").lastPrice


def test_the_legacy_order_reply_has_the_fields_that_binance_dropped() -> None:
    reply = client(legacy_order_response=True).limit()
    assert (reply["avgPrice"], Decimal(reply["cumQuote"])) == ("0.00000", 0)


@pytest.mark.parametrize("version", [2, 3])
def test_account_totals_add_up(trader: Client, version: int) -> None:
    body = trader.ok("GET", f"/fapi/v{version}/account")
    (usdt,) = (row for row in body["assets"] if row["asset"] == "USDT")
    assert body["totalWalletBalance"] == usdt["walletBalance"]
    assert Decimal(usdt["marginBalance"]) == (
        Decimal(usdt["walletBalance"]) + Decimal(usdt["unrealizedProfit"])
    )
    assert usdt["updateTime"] > 0


def test_other_documents_are_served(trader: Client) -> None:
    assert trader.ok("GET", "multiAssetsMargin") == {"multiAssetsMargin": False}
    assert trader.ok("GET", "feeBurn") == {"feeBurn": False}
    assert trader.ok("GET", "accountConfig")["canTrade"] is True
    assert trader.ok("GET", "leverageBracket", symbol="BTCUSDT")[0]["symbol"] == "BTCUSDT"
    assert len(trader.ok("GET", "/fapi/v2/balance")) == 2
    assert trader.ok("GET", "ping") == {}
    assert trader.ok("GET", "fundingRate") == []
    more = {"positionSide": "LONG"} if trader.venue.config.position_mode == "hedge" else {}
    body = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"} | more
    assert trader.ok("POST", "order/test", **body)["status"] == "NEW"
    assert trader.error("DELETE", "algoOrder", algoId=1) == -2011
    assert trader.ok("DELETE", "algoOpenOrders", symbol="BTCUSDT")["code"] == 200
