"""What the fake venue answers and sends decodes with the structs of NautilusTrader's adapter.

They are strict: one field of another type fails a whole answer.  A story brings the account
into every state; each endpoint and event that the adapter reads is then decoded, and where the
adapter makes a report of it, that is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from nautilus_trader.adapters.binance.common.schemas.account import (
    BinanceOrder,
    BinanceStatusCode,
    BinanceUserTrade,
)
from nautilus_trader.adapters.binance.common.schemas.market import (
    BinanceDepth,
    BinanceTicker24hr,
    BinanceTickerBook,
    BinanceTickerPrice,
    BinanceTime,
)
from nautilus_trader.adapters.binance.common.schemas.user import BinanceListenKey
from nautilus_trader.adapters.binance.futures.enums import BinanceFuturesEnumParser
from nautilus_trader.adapters.binance.futures.schemas import account as accounts
from nautilus_trader.adapters.binance.futures.schemas import user as users
from nautilus_trader.adapters.binance.futures.schemas.market import BinanceFuturesExchangeInfo
from nautilus_trader.adapters.binance.futures.schemas.wallet import BinanceFuturesCommissionRate
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.identifiers import AccountId

from sim.plain import instrument_id_of
from sim.venue import clearing, settings
from tests.unit.venue.venue_client import SECOND_NS, Client, client

ACCOUNT_ID = AccountId("BINANCE-USDT_FUTURES-master")
BTC = instrument_id_of("BTCUSDT")
PARSER = BinanceFuturesEnumParser()


def conditional(nt: Client, client_id: str, kind: str, side: str = "SELL", **more: Any) -> Any:
    asked = {"quantity": "1", "clientAlgoId": client_id, "algoType": "CONDITIONAL"}
    return nt.ok("POST", "algoOrder", symbol="BTCUSDT", side=side, type=kind, **(asked | more))


def live(nt: Client) -> Iterator[str]:
    """Bring the account into every state that there is; yield after each step what it was."""

    def change(act: Callable[..., None], *args: Any, **given: Any) -> None:
        nt.venue.change(nt.now_ns, act, *args, **given)

    def price(value: str) -> None:
        nt.venue.set_price("BTCUSDT", Decimal(value), nt.now_ns)

    account = nt.venue.exchange.accounts["main"]
    nt.limit("O-1", quantity="4")
    nt.fill("O-1", "1")
    nt.ok("PUT", "order", symbol="BTCUSDT", side="BUY", quantity="3", price="49900",
          origClientOrderId="O-1")  # fmt: skip
    nt.limit("O-2", "SELL", "1", "51000", timeInForce="GTX")
    nt.limit("O-3", "BUY", "1", "49000", timeInForce="IOC")
    nt.limit("O-4", "BUY", "1", "49000", timeInForce="GTD", goodTillDate=nt.now_ms + 700_000)
    nt.market("M-1", "BUY", "2")
    yield "orders of all kinds"
    conditional(nt, "S-1", "STOP_MARKET", triggerPrice="48000", reduceOnly="True")
    conditional(nt, "S-2", "STOP", triggerPrice="48500", price="48400")
    conditional(nt, "S-3", "TAKE_PROFIT_MARKET", triggerPrice="52000", quantity="0.5")
    conditional(nt, "S-4", "TAKE_PROFIT", triggerPrice="53000", price="53100")
    conditional(nt, "S-5", "TRAILING_STOP_MARKET", callbackRate="1.0", activatePrice="52500")
    close_all = {"closePosition": "true", "clientAlgoId": "S-6", "algoType": "CONDITIONAL"}
    nt.ok("POST", "algoOrder", symbol="BTCUSDT", side="SELL", type="STOP_MARKET",
          triggerPrice="40000", **close_all)  # fmt: skip
    yield "conditional orders that wait"
    price("52000")
    price("48450")
    nt.ok("DELETE", "algoOrder", clientAlgoId="S-4")
    yield "conditional orders that triggered, and one that was cancelled"
    nt.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="O-1")
    nt.limit("T-1", "SELL", "1", "48440", selfTradePreventionMode="EXPIRE_BOTH")
    nt.limit("T-2", "BUY", "1", "48440", selfTradePreventionMode="EXPIRE_BOTH")
    nt.wait(700 * SECOND_NS)
    yield "orders that ended by themselves"
    nt.ok("POST", "leverage", symbol="BTCUSDT", leverage=10)
    nt.ok("POST", "marginType", symbol="ETHUSDT", marginType="ISOLATED")
    nt.market("E-1", "BUY", "2", symbol="ETHUSDT")
    change(settings.add_margin, account, "ETHUSDT", "BOTH", Decimal(5), nt.now_ns)
    nt.venue.transfer("main", "BNB", Decimal(3), nt.now_ns)
    nt.ok("POST", "feeBurn", feeBurn="true")
    nt.market("M-2", "BUY", "1")
    change(clearing.fund, "BTCUSDT", Decimal("0.0001"), nt.now_ns)
    change(clearing.fund, "ETHUSDT", Decimal("-0.0001"), nt.now_ns)
    legs = nt.venue.exchange.accounts["main"].holdings
    leg = legs["BTCUSDT"].legs["BOTH"]
    change(clearing.warn, [leg], nt.now_ns)
    yield "money and settings"
    one, half = Decimal(1), Decimal("0.5")
    for shape in ("trade", "calculated"):
        change(clearing.deleverage, leg, half, nt.now_ns, price=Decimal("50000.12"), shape=shape)
        change(clearing.liquidate, leg, (half,), nt.now_ns, price=Decimal("47000.55"), shape=shape,
               insured=half, fee=one)  # fmt: skip
    change(clearing.settle, "ETHUSDT", Decimal("2950.1"), nt.now_ns)
    yield "forced orders"


READS: list[tuple[str, str, dict[str, Any], Any]] = [
    ("GET", "time", {}, BinanceTime),
    ("GET", "exchangeInfo", {}, BinanceFuturesExchangeInfo),
    ("GET", "depth", {"symbol": "BTCUSDT"}, BinanceDepth),
    ("GET", "ticker/24hr", {"symbol": "BTCUSDT"}, BinanceTicker24hr),
    ("GET", "ticker/24hr", {}, list[BinanceTicker24hr]),
    ("GET", "ticker/price", {"symbol": "BTCUSDT"}, BinanceTickerPrice),
    ("GET", "ticker/price", {}, list[BinanceTickerPrice]),
    ("GET", "ticker/bookTicker", {"symbol": "BTCUSDT"}, BinanceTickerBook),
    ("GET", "ticker/bookTicker", {}, list[BinanceTickerBook]),
    ("GET", "/fapi/v2/account", {}, accounts.BinanceFuturesAccountInfo),
    ("GET", "/fapi/v3/positionRisk", {}, list[accounts.BinanceFuturesPositionRisk]),
    ("GET", "/fapi/v2/positionRisk", {}, list[accounts.BinanceFuturesPositionRisk]),
    ("GET", "symbolConfig", {}, list[accounts.BinanceFuturesSymbolConfig]),
    ("GET", "positionSide/dual", {}, accounts.BinanceFuturesDualSidePosition),
    ("GET", "commissionRate", {"symbol": "BTCUSDT"}, BinanceFuturesCommissionRate),
    ("GET", "openOrders", {}, list[BinanceOrder]),
    ("GET", "allOrders", {"symbol": "BTCUSDT"}, list[BinanceOrder]),
    ("GET", "userTrades", {"symbol": "BTCUSDT"}, list[BinanceUserTrade]),
    ("GET", "openAlgoOrders", {}, list[accounts.BinanceFuturesAlgoOrder]),
    ("GET", "allAlgoOrders", {"symbol": "BTCUSDT"}, list[accounts.BinanceFuturesAlgoOrder]),
    ("POST", "listenKey", {}, BinanceListenKey),
]

EVENTS: dict[str, Any] = {
    "ORDER_TRADE_UPDATE": users.BinanceFuturesOrderUpdateMsg,
    "ACCOUNT_UPDATE": users.BinanceFuturesAccountUpdateMsg,
    "TRADE_LITE": users.BinanceFuturesTradeLiteMsg,
    "ALGO_UPDATE": users.BinanceFuturesAlgoUpdateMsg,
}
# The adapter looks at the type of these and at nothing else.  Its struct of a margin call has
# numbers where Binance documents text, and nothing uses it.
UNREAD = {"ACCOUNT_CONFIG_UPDATE", "MARGIN_CALL", "listenKeyExpired"}


def reported(row: Any) -> None:
    """Have the adapter make of a row what it would make of it."""
    if isinstance(row, list):
        for each in row:
            reported(each)
    elif isinstance(row, BinanceUserTrade):
        fill = row.parse_to_fill_report(ACCOUNT_ID, BTC, UUID4(), 0)
        assert fill.trade_id.value == str(row.id)
    elif isinstance(row, BinanceOrder):
        order = row.parse_to_order_status_report(ACCOUNT_ID, BTC, UUID4(), PARSER, False, 0)
        assert order.venue_order_id.value == str(row.orderId)
    elif isinstance(row, accounts.BinanceFuturesAlgoOrder):
        # One without a quantity is skipped by the adapter.
        if Decimal(row.quantity or "0"):
            algo = row.parse_to_order_status_report(ACCOUNT_ID, BTC, UUID4(), PARSER, 0)
            assert algo.client_order_id.value == row.clientAlgoId
    elif isinstance(row, accounts.BinanceFuturesPositionRisk):
        held = row.parse_to_position_status_report(
            account_id=ACCOUNT_ID,
            instrument_id=BTC,
            report_id=UUID4(),
            enum_parser=PARSER,
            ts_init=0,
        )
        assert held.signed_decimal_qty == Decimal(row.positionAmt)
    elif isinstance(row, accounts.BinanceFuturesAccountInfo):
        assert row.parse_to_account_balances()
        assert row.parse_to_margin_balances()


@pytest.fixture(params=["plain", "conditional"])
def nt(request: pytest.FixtureRequest) -> Client:
    return client(trade_lite=True, triggered_order_shows=request.param)


def test_every_answer_decodes_in_every_state(nt: Client) -> None:
    states = 0
    for _ in live(nt):
        states += 1
        for method, path, params, kind in READS:
            answer = nt.send(method, path, **params)
            assert answer.status == 200, (path, answer.body)
            reported(msgspec.json.decode(answer.body, type=kind))
    assert states == 6


def test_every_order_is_found_by_itself(nt: Client) -> None:
    for _ in live(nt):
        pass
    shown = set()
    for order in nt.venue.orders():
        if order.symbol != "BTCUSDT":
            continue
        if order.order_id != order.algo_id:
            answer = nt.send("GET", "order", symbol="BTCUSDT", orderId=order.order_id)
            row = msgspec.json.decode(answer.body, type=BinanceOrder)
            reported(row)
            shown.add(row.status.value)
        if order.algo_id:
            answer = nt.send("GET", "algoOrder", algoId=order.algo_id)
            algo = msgspec.json.decode(answer.body, type=accounts.BinanceFuturesAlgoOrder)
            reported(algo)
            shown.add(algo.algoStatus)
    assert {"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "FINISHED"} <= shown


def test_every_reply_to_a_command_decodes(nt: Client) -> None:
    def decoded(kind: Any, method: str, path: str, **params: Any) -> Any:
        answer = nt.send(method, path, **params)
        assert answer.status == 200, answer.body
        return msgspec.json.decode(answer.body, type=kind)

    mine = {"symbol": "BTCUSDT", "origClientOrderId": "O-1"}
    asked = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    decoded(BinanceOrder, "POST", "order", **asked, quantity="1", price="49000",
            newClientOrderId="O-1")  # fmt: skip
    decoded(BinanceOrder, "PUT", "order", **mine, side="BUY", quantity="2", price="49100")
    decoded(BinanceOrder, "DELETE", "order", **mine)
    decoded(BinanceStatusCode, "DELETE", "allOpenOrders", symbol="BTCUSDT")
    [gone] = decoded(list[dict[str, Any]], "DELETE", "batchOrders", symbol="BTCUSDT",
                     orderIdList="[1]")  # fmt: skip
    assert gone == {"code": -2011, "msg": "Unknown order sent."}
    algo = {"symbol": "BTCUSDT", "side": "BUY", "algoType": "CONDITIONAL", "quantity": "1"}
    for kind, more in (
        ("STOP_MARKET", {"triggerPrice": "51000"}),
        ("TRAILING_STOP_MARKET", {"callbackRate": "0.5"}),
    ):
        placed = decoded(
            accounts.BinanceFuturesAlgoOrder, "POST", "algoOrder", **algo, type=kind, **more
        )
        decoded(
            accounts.BinanceFuturesAlgoOrderCancelResponse,
            "DELETE",
            "algoOrder",
            algoId=placed.algoId,
        )
    decoded(BinanceStatusCode, "DELETE", "algoOpenOrders", symbol="BTCUSDT")
    decoded(accounts.BinanceFuturesLeverage, "POST", "leverage", symbol="BTCUSDT", leverage=3)
    decoded(
        accounts.BinanceFuturesMarginTypeResponse,
        "POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED",
    )  # fmt: skip
    decoded(BinanceStatusCode, "POST", "positionSide/dual", dualSidePosition="true")


def test_every_event_decodes(nt: Client) -> None:
    connection = nt.listen()
    seen: dict[str, set[str]] = {}
    for _ in live(nt):
        for frame in nt.venue.take_frames():
            raw = frame.text.encode()
            name = msgspec.json.decode(raw, type=users.BinanceFuturesUserMsgData).e.value
            seen.setdefault(name, set()).add(frame.execution)
            if name not in UNREAD:
                event = msgspec.json.decode(raw, type=EVENTS[name])
                if name == "ACCOUNT_UPDATE":
                    event.a.parse_to_account_balances()
                    seen[name].add(event.a.m.value)
    assert connection
    assert seen["ORDER_TRADE_UPDATE"] == {
        "NEW", "TRADE", "AMENDMENT", "CANCELED", "EXPIRED", "CALCULATED",
    }  # fmt: skip
    assert seen["ALGO_UPDATE"] >= {
        "NEW", "TRIGGERING", "TRIGGERED", "FINISHED", "CANCELED", "EXPIRED",
    }  # fmt: skip
    assert seen["ACCOUNT_UPDATE"] >= {
        "ORDER", "DEPOSIT", "FUNDING_FEE", "MARGIN_TRANSFER", "MARGIN_TYPE_CHANGE",
        "INSURANCE_CLEAR", "ADL",
    }  # fmt: skip
    assert {"TRADE_LITE", "MARGIN_CALL", "ACCOUNT_CONFIG_UPDATE"} <= set(seen)
