"""What the fake venue answers and sends is what ccxt's own client of Binance USD-M understands.

ccxt is an independent reader of Binance's API: whatever it makes of an answer is compared with
the venue's books.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ccxt
import pytest

from sim.venue import clearing
from tests.unit.venue.decoding_ccxt import Listener, exchange
from tests.unit.venue.venue_client import SECOND_NS, Client, client

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


@pytest.fixture
def nt() -> Client:
    return client()


@pytest.fixture
def ex(nt: Client) -> Any:
    return exchange(nt)


def num(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def same_order(shown: dict[str, Any], nt: Client) -> None:
    """Compare what ccxt shows of an order with the venue's books."""
    [order] = [o for o in nt.venue.orders() if str(o.order_id) == shown["id"]]
    assert (shown["clientOrderId"], shown["side"]) == (order.client_order_id, order.side.lower())
    assert (num(shown["amount"]), num(shown["filled"])) == (order.quantity, order.filled)
    ends = {
        "NEW": "open",
        "PARTIALLY_FILLED": "open",
        "FILLED": "closed",
        "CANCELED": "canceled",
        "EXPIRED": "expired",
        "EXPIRED_IN_MATCH": "expired",
    }
    assert shown["status"] == ends[order.status]
    assert shown["symbol"] == BTC
    if order.average_price is not None and shown["average"] is not None:
        assert num(shown["average"]) == order.average_price


# -- settings and markets


def test_markets_have_their_ticks_steps_and_least_sizes(nt: Client, ex: Any) -> None:
    for config in nt.venue.config.symbols:
        market = ex.market(config.name)
        assert (market["base"], market["quote"]) == (config.base_asset, config.quote_asset)
        assert (market["swap"], market["linear"], market["active"]) == (True, True, True)
        assert num(market["precision"]["price"]) == config.tick_size
        assert num(market["precision"]["amount"]) == config.step_size
        assert num(market["limits"]["amount"]["min"]) == config.min_quantity
        assert num(market["limits"]["cost"]["min"]) == config.min_notional


def test_a_halted_market_is_not_active(nt: Client, ex: Any) -> None:
    nt.venue.change(nt.now_ns, clearing.set_status, "BTCUSDT", "SETTLING")
    ex.load_markets(True)
    assert (ex.market(BTC)["active"], ex.market(ETH)["active"]) == (False, True)


def test_prices(nt: Client, ex: Any) -> None:
    nt.venue.set_price("BTCUSDT", Decimal(51000), nt.now_ns, mark=Decimal(51100))
    assert ex.fetch_time() == nt.now_ms
    assert ex.fetch_ticker(BTC)["last"] == 51000
    book = ex.fetch_order_book(BTC)
    assert (book["bids"][0][0], book["asks"][0][0]) == (50999.9, 51000.1)
    assert ex.fetch_bids_asks()[BTC]["ask"] == 51000.1
    assert ex.fetch_funding_rate(BTC)["markPrice"] == 51100


def test_settings(nt: Client, ex: Any) -> None:
    assert ex.set_leverage(7, BTC)["leverage"] == 7
    assert ex.set_margin_mode("isolated", ETH)["code"] == 200
    assert ex.fetch_leverages([BTC])[BTC]["longLeverage"] == 7
    modes = ex.fetch_margin_modes([BTC, ETH])
    assert (modes[BTC]["marginMode"], modes[ETH]["marginMode"]) == ("cross", "isolated")
    assert ex.fetch_position_mode()["hedged"] is False
    assert ex.set_position_mode(True)["code"] == 200
    assert ex.fetch_position_mode()["hedged"] is True
    fee = ex.fetch_trading_fee(BTC)
    assert (fee["maker"], fee["taker"]) == (0.0002, 0.0005)
    [tier] = ex.fetch_leverage_tiers([BTC])[BTC]
    assert tier["maxLeverage"] == 125


# -- orders


@pytest.mark.parametrize(
    ("kind", "side", "price", "params"),
    [
        ("limit", "buy", 49000, {}),
        ("limit", "sell", 51000, {"postOnly": True}),
        ("limit", "buy", 49000, {"timeInForce": "IOC"}),
        ("limit", "buy", 49000, {"timeInForce": "GTD", "goodTillDate": 1_700_001_000_000}),
        ("limit", "buy", None, {"priceMatch": "QUEUE"}),
        ("market", "buy", None, {}),
        ("market", "sell", None, {"newClientOrderId": "mine"}),
    ],
)
def test_orders_are_placed_and_read(
    nt: Client, ex: Any, kind: str, side: str, price: float | None, params: dict[str, Any]
) -> None:
    placed = ex.create_order(BTC, kind, side, 1, price, params)
    same_order(placed, nt)
    same_order(ex.fetch_order(placed["id"], BTC), nt)
    [listed] = ex.fetch_orders(BTC)
    same_order(listed, nt)
    assert listed["type"] == kind


def test_orders_are_edited_cancelled_and_filled(nt: Client, ex: Any) -> None:
    first = ex.create_order(BTC, "limit", "buy", 1, 49000)
    same_order(ex.edit_order(first["id"], BTC, "limit", "buy", 2, 49500), nt)
    nt.fill(first["clientOrderId"], "0.5")
    [open_order] = ex.fetch_open_orders(BTC)
    same_order(open_order, nt)
    assert open_order["remaining"] == 1.5
    same_order(ex.cancel_order(first["id"], BTC), nt)
    same_order(ex.fetch_order(first["id"], BTC), nt)

    batch = ex.create_orders(
        [
            {"symbol": BTC, "type": "limit", "side": "buy", "amount": 1, "price": price}
            for price in (48000, 48100, 60000)
        ]
    )
    [refused] = [answer for answer in batch if answer["id"] is None]
    assert refused["info"]["code"] == -4016
    batch.remove(refused)
    for placed in batch:
        same_order(placed, nt)
    for cancelled in ex.cancel_orders([placed["id"] for placed in batch], BTC):
        same_order(cancelled, nt)
    ex.create_order(BTC, "limit", "buy", 1, 48000)
    ex.cancel_all_orders(BTC)
    assert ex.fetch_open_orders(BTC) == []


CONDITIONAL: list[tuple[str, float | None, dict[str, Any], str]] = [
    ("market", None, {"stopLossPrice": 48000, "reduceOnly": True}, "STOP_MARKET"),
    ("limit", 47900, {"triggerPrice": 48000}, "STOP"),
    ("market", None, {"takeProfitPrice": 52000}, "TAKE_PROFIT_MARKET"),
    ("limit", 52100, {"takeProfitPrice": 52000}, "TAKE_PROFIT"),
    ("market", None, {"trailingPercent": 1, "reduceOnly": True}, "TRAILING_STOP_MARKET"),
]


@pytest.mark.parametrize(("kind", "price", "params", "name"), CONDITIONAL)
def test_conditional_orders_wait_and_are_cancelled(
    nt: Client, ex: Any, kind: str, price: float | None, params: dict[str, Any], name: str
) -> None:
    ex.create_order(BTC, "market", "buy", 1)
    placed = ex.create_order(BTC, kind, "sell", 1, price, params)
    trigger = {"trigger": True}
    [waiting] = ex.fetch_open_orders(BTC, None, None, trigger)
    for shown in (placed, waiting, ex.fetch_order(placed["id"], BTC, trigger)):
        same_order(shown, nt)
        assert shown["info"]["orderType"] == name
    if "trailingPercent" not in params:
        assert waiting["triggerPrice"] == next(v for k, v in params.items() if "Price" in k)

    ex.cancel_order(placed["id"], BTC, trigger)
    assert ex.fetch_open_orders(BTC, None, None, trigger) == []
    [ended] = ex.fetch_orders(BTC, None, None, trigger)
    same_order(ended, nt)


def test_a_conditional_order_that_triggered_says_what_it_became(nt: Client, ex: Any) -> None:
    ex.create_order(BTC, "market", "buy", 1)
    placed = ex.create_order(BTC, "market", "sell", 1, None, {"stopLossPrice": 48000})
    nt.venue.set_price("BTCUSDT", Decimal(47990), nt.now_ns)
    ended = ex.fetch_order(placed["id"], BTC, {"trigger": True})
    assert ended["status"] == "closed"
    became = ended["info"]["actualOrderId"]
    same_order(ex.fetch_order(became, BTC), nt)
    assert ex.fetch_positions([BTC]) == []


@pytest.mark.parametrize(
    ("amount", "price", "params", "error"),
    [
        (1, 60000, {}, ccxt.BadRequest),
        (1, 51000, {"reduceOnly": True}, ccxt.InvalidOrder),
        (0.001, 49000, {}, ccxt.InvalidOrder),
        (1000, 49000, {}, ccxt.ExchangeError),
        (1, 50500, {"postOnly": True}, ccxt.InvalidOrder),
        (1, 49000, {"newClientOrderId": "again"}, ccxt.ExchangeError),
    ],
)
def test_refusals_are_the_errors_that_ccxt_knows(
    ex: Any, amount: float, price: float, params: dict[str, Any], error: type[Exception]
) -> None:
    ex.create_order(BTC, "limit", "buy", 1, 40000, {"newClientOrderId": "again"})
    with pytest.raises(ccxt.BaseError) as refused:
        ex.create_order(BTC, "limit", "buy", amount, price, params)
    assert isinstance(refused.value, error), type(refused.value)


def test_unknown_orders(ex: Any) -> None:
    with pytest.raises(ccxt.OrderNotFound):
        ex.fetch_order("1", BTC)
    with pytest.raises(ccxt.OrderNotFound):
        ex.cancel_order("1", BTC)


# -- trades, money and positions


def test_trades_income_balances_and_positions(nt: Client, ex: Any) -> None:
    ex.create_order(BTC, "market", "buy", 2)
    nt.wait(SECOND_NS)
    nt.venue.set_price("BTCUSDT", Decimal(51000), nt.now_ns)
    ex.create_order(BTC, "market", "sell", 1)
    nt.venue.change(nt.now_ns, clearing.fund, "BTCUSDT", Decimal("0.0001"), nt.now_ns)

    truth = nt.venue.trades()
    shown = ex.fetch_my_trades(BTC)
    assert len(shown) == len(truth) == 2
    for trade, record in zip(shown, truth, strict=True):
        assert (trade["id"], trade["order"]) == (str(record.trade_id), str(record.order_id))
        assert (num(trade["amount"]), num(trade["price"])) == (record.quantity, record.price)
        assert (num(trade["fee"]["cost"]), trade["fee"]["currency"]) == (
            record.commission,
            record.commission_asset,
        )
        assert (trade["side"], trade["takerOrMaker"]) == (record.side.lower(), "taker")
        assert trade["timestamp"] == record.time_ns // 1_000_000
    [later] = ex.fetch_my_trades(BTC, truth[1].time_ns // 1_000_000)
    assert later["id"] == str(truth[1].trade_id)

    booked = sum(
        (num(row["amount"]) or Decimal(0)) * (1 if row["direction"] == "in" else -1)
        for row in ex.fetch_ledger("USDT")
    )
    balance = ex.fetch_balance()
    assert num(balance["USDT"]["total"]) is not None
    wallet = nt.venue.exchange.accounts["main"].wallets["USDT"]
    assert booked == wallet.balance - wallet.start
    [paid] = ex.fetch_funding_history(BTC)
    assert num(paid["amount"]) == Decimal("-5.1")

    [held] = ex.fetch_positions([BTC])
    [leg] = nt.venue.positions()
    assert (held["side"], num(held["contracts"])) == ("long", leg.quantity)
    assert num(held["entryPrice"]) == leg.entry_price
    assert num(held["unrealizedPnl"]) == Decimal(1000)
    assert (held["hedged"], held["marginMode"]) == (False, "cross")
    [risk] = ex.fetch_positions_risk([BTC])
    assert (risk["contracts"], risk["side"]) == (held["contracts"], "long")


def test_legs_of_hedge_mode() -> None:
    nt = client(position_mode="hedge")
    ex = exchange(nt)
    ex.create_order(BTC, "market", "buy", 2, None, {"positionSide": "LONG"})
    ex.create_order(BTC, "market", "sell", 3, None, {"positionSide": "SHORT"})
    held = {p["side"]: (p["contracts"], p["hedged"]) for p in ex.fetch_positions([BTC])}
    assert held == {"long": (2.0, True), "short": (3.0, True)}
    with pytest.raises(ccxt.ExchangeError, match="-4061"):
        ex.create_order(BTC, "market", "buy", 1)


def test_liquidations_are_told(nt: Client, ex: Any) -> None:
    ex.create_order(BTC, "market", "buy", 1)
    leg = nt.venue.exchange.accounts["main"].holdings["BTCUSDT"].legs["BOTH"]
    nt.venue.change(
        nt.now_ns,
        clearing.liquidate,
        leg,
        (Decimal("0.4"), Decimal("0.6")),
        nt.now_ns,
        price=Decimal("48000.123"),
        shape="trade",
        fee=Decimal(5),
    )
    [told] = ex.fetch_my_liquidations(BTC)
    assert (told["contracts"], told["price"]) == (1.0, 48000.123)
    assert len(ex.fetch_my_trades(BTC)) == 3


# -- the stream


def test_the_life_of_an_order_is_heard(nt: Client, ex: Any) -> None:
    listener = Listener(nt, ex)
    nt.limit("O-1")
    nt.fill("O-1", "0.4")
    nt.ok("PUT", "order", symbol="BTCUSDT", side="BUY", quantity="0.9", price="49999",
          origClientOrderId="O-1")  # fmt: skip
    nt.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="O-1")
    heard = listener.hear("orders")
    assert [(o["status"], num(o["filled"]), num(o["amount"])) for o in heard] == [
        ("open", Decimal(0), Decimal(1)),
        ("open", Decimal("0.4"), Decimal(1)),
        ("open", Decimal("0.4"), Decimal("0.9")),
        ("canceled", Decimal("0.4"), Decimal("0.9")),
    ]
    same_order(heard[-1], nt)


def test_fills_are_heard_as_trades_balances_and_positions(nt: Client, ex: Any) -> None:
    listener = Listener(nt, ex)
    nt.market("M-1", "SELL", "2")
    [trades] = listener.hear("myTrades")
    [record] = nt.venue.trades()
    assert trades[-1]["id"] == str(record.trade_id)
    assert num(trades[-1]["fee"]["cost"]) == record.commission

    nt.market("M-2", "BUY", "0.5")
    [positions] = listener.hear("linear:positions")
    assert (positions[0]["side"], positions[0]["contracts"]) == ("short", 1.5)

    nt.venue.transfer("main", "USDT", Decimal("10.5"), nt.now_ns)
    [balance] = listener.hear("linear:balance")
    wallet = nt.venue.exchange.accounts["main"].wallets["USDT"]
    assert num(balance["USDT"]["total"]) == wallet.balance


def test_a_conditional_order_is_heard_to_trigger(nt: Client, ex: Any) -> None:
    nt.market("M-1")
    listener = Listener(nt, ex)
    nt.ok(
        "POST",
        "algoOrder",
        symbol="BTCUSDT",
        side="SELL",
        type="STOP_MARKET",
        algoType="CONDITIONAL",
        quantity="1",
        triggerPrice="49000",
        clientAlgoId="S-1",
    )
    nt.venue.set_price("BTCUSDT", Decimal(48990), nt.now_ns)
    heard = listener.hear("orders")
    assert {o["clientOrderId"] for o in heard} == {"S-1"}
    assert heard[0]["status"] == "open"
    assert "closed" in [o["status"] for o in heard]
