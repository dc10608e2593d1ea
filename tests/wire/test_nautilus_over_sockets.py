"""NautilusTrader's own client trades at the served venue, and hears it, as it does at Binance."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from nautilus_trader.adapters.binance.futures.enums import BinanceFuturesMarginType
from nautilus_trader.adapters.binance.http.error import BinanceClientError
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.objects import Money

from tests.wire.nautilus_clients import BTC, KEYS, Trader
from tests.wire.over_sockets import OverSockets

BUY, SELL = OrderSide.BUY, OrderSide.SELL


HEDGED = "position_mode: hedge"


@pytest.fixture(params=KEYS)
async def trader(served: OverSockets, request: pytest.FixtureRequest) -> AsyncIterator[Trader]:
    async with Trader(served, request.param) as trader:
        yield trader


async def truth(served: OverSockets) -> dict[str, Any]:
    return (await served.http.get("/sim/truth")).json()


async def fill(served: OverSockets, order: Any, quantity: str) -> None:
    await served.act(f'{{fill: {{order: {order.client_order_id}, quantity: "{quantity}"}}}}')


async def test_the_life_of_an_order(trader: Trader, served: OverSockets):
    order = trader.submit(trader.limit(BUY, "1", "49000"))
    accepted = await trader.hears(order, "Accepted")
    trader.modify(order, "2", "49500")
    await trader.hears(order, "Accepted", "Updated")
    await fill(served, order, "0.5")
    filled = await trader.hears(order, "Accepted", "Updated", "Filled")
    trader.cancel(order)
    await trader.hears(order, "Accepted", "Updated", "Filled", "Canceled")

    known = await truth(served)
    [there], [trade] = known["orders"], known["trades"]
    assert (there["status"], there["quantity"], there["filled"]) == ("CANCELED", "2.000", "0.5")
    assert str(there["order_id"]) == str(accepted.venue_order_id)
    assert str(trade["trade_id"]) == str(filled.trade_id)


async def test_what_is_traded_and_held(trader: Trader, served: OverSockets):
    before = trader.account.balance_total(USDT)
    bought = trader.submit(trader.market(BUY, "3"))
    await trader.hears(bought, "Accepted", "Filled")
    sold = trader.submit(trader.limit(SELL, "1", "51000", reduce_only=True))
    await trader.hears(sold, "Accepted")
    await fill(served, sold, "1")
    await trader.hears(sold, "Accepted", "Filled")

    [position] = trader.cache.positions_open()
    assert (position.signed_qty, position.realized_pnl.as_double()) == (2, 1000 - 75 - 10.2)
    status = await trader.client.generate_mass_status(60)
    [reports] = status.position_reports.values()
    fills = [fill for each in status.fill_reports.values() for fill in each]
    assert [(str(each.quantity), each.avg_px_open) for each in reports] == [("2.000", 50000)]
    trades = (await truth(served))["trades"]
    assert {str(fill.trade_id) for fill in fills} == {str(trade["trade_id"]) for trade in trades}
    earned = Money(1000 - 75 - 10.2, USDT)
    await trader.until(lambda: trader.account.balance_total(USDT) == before + earned)


async def test_orders_that_the_venue_refuses(trader: Trader):
    refused = {
        "-2027": trader.market(BUY, "1000"),
        "-4164": trader.limit(BUY, "0.001", "49000"),
        "-4016": trader.limit(BUY, "1", "99000"),
        "-2022": trader.market(SELL, "1", reduce_only=True),
        "-5022": trader.limit(BUY, "1", "50500", post_only=True),
    }
    for code, order in refused.items():
        trader.submit(order)
        event = await trader.hears(order, "Rejected")
        assert code in event.reason, event
        assert event.due_post_only is (code == "-5022")


async def test_changes_that_the_venue_refuses(trader: Trader, served: OverSockets):
    order = trader.submit(trader.limit(BUY, "1", "49000"))
    await trader.hears(order, "Accepted")
    trader.modify(order, "1", "99000")
    event = await trader.hears(order, "Accepted", "ModifyRejected")
    assert "-4016" in event.reason
    await served.act(
        "{fail_request: {method: DELETE, path: /fapi/v1/order, status: 400, code: -2011}}"
    )
    trader.cancel(order)

    event = await trader.hears(order, "Accepted", "ModifyRejected", "CancelRejected")
    assert "-2011" in event.reason
    assert order.is_open


async def test_a_stop_that_is_triggered(trader: Trader, served: OverSockets):
    held = trader.submit(trader.market(BUY, "1"))
    await trader.hears(held, "Accepted", "Filled")
    stop = trader.submit(trader.stop(SELL, "1", "45000"))
    await trader.hears(stop, "Accepted")
    await served.act('{price: {price: "44000"}}')

    await trader.until(lambda: trader.story(stop)[-1:] == ["Filled"])
    assert trader.cache.positions_open() == []


async def test_all_orders_are_cancelled(trader: Trader, served: OverSockets):
    orders = [trader.submit(trader.limit(BUY, "1", f"{price}")) for price in range(48000, 48005)]
    for order in orders:
        await trader.hears(order, "Accepted")
    trader.cancel_all()

    for order in orders:
        await trader.hears(order, "Accepted", "Canceled")
    assert {order["status"] for order in (await truth(served))["orders"]} == {"CANCELED"}


async def test_what_somebody_else_does_is_heard(trader: Trader, served: OverSockets):
    order = trader.submit(trader.limit(BUY, "1", "49000"))
    await trader.hears(order, "Accepted")
    await served.act(f"{{web_cancel: {{order: {order.client_order_id}}}}}")

    await trader.hears(order, "Accepted", "Canceled")


@pytest.mark.venue(HEDGED)
async def test_two_legs(served: OverSockets):
    async with Trader(served, words=HEDGED) as trader:
        long, short = trader.market(BUY, "2"), trader.market(SELL, "1")
        await trader.hears(trader.submit(long, "LONG"), "Accepted", "Filled")
        await trader.hears(trader.submit(short, "SHORT"), "Accepted", "Filled")

        legs = {str(each.id): each.signed_qty for each in trader.cache.positions_open()}
    assert legs == {f"{BTC}-LONG": 2, f"{BTC}-SHORT": -1}
    legs = {leg["position_side"]: leg["quantity"] for leg in (await truth(served))["positions"]}
    assert legs == {"LONG": "2.000", "SHORT": "-1.000"}


async def test_a_key_that_opens_nothing(served: OverSockets):
    trader = Trader(served, api_key="wrong")
    with pytest.raises(BinanceClientError) as error:
        await trader.account_api.query_futures_account_info()

    assert error.value.message["code"] == -2015


# -- the stream


async def opened(trader: Trader, served: OverSockets, since: int = 0) -> None:
    """Wait until a stream has been opened since a row of the trace."""
    rows = served.house.trace.rows
    await trader.until(lambda: any(row.kind == "stream-open" for row in rows[since:]))


async def trades(trader: Trader, served: OverSockets) -> None:
    """See to it that an order and its fill are heard of."""
    order = trader.submit(trader.limit(BUY, "1", "49000"))
    await trader.hears(order, "Accepted")
    await fill(served, order, "1")
    await trader.hears(order, "Accepted", "Filled")


async def test_a_listen_key_that_has_run_out(trader: Trader, served: OverSockets):
    await trades(trader, served)
    before = len(served.house.trace.rows)
    await served.wait(3601)
    await opened(trader, served, before)

    await trades(trader, served)


@pytest.mark.parametrize("code", [1001, 1006])
async def test_a_stream_that_is_cut(trader: Trader, served: OverSockets, code: int):
    await trades(trader, served)
    before = len(served.house.trace.rows)
    await served.act(f"{{disconnect: {{for: 100ms, code: {code}}}}}")
    missed = trader.submit(trader.limit(BUY, "1", "48000"))
    await opened(trader, served, before)

    await trades(trader, served)
    await trader.hears(missed, "Accepted")


@pytest.mark.parametrize("trader", ["ed25519"], indirect=True)
async def test_a_session_that_is_cut(trader: Trader, served: OverSockets):
    await trades(trader, served)
    before = len(served.house.trace.rows)
    await served.act("{close_ws_api: {for: 100ms}}")
    await opened(trader, served, before)

    await trades(trader, served)
    asked = [row.subject for row in served.house.trace.rows[before:]]
    assert any("session.logon" in each for each in asked), asked


# -- all else that is asked


async def test_every_answer_is_understood(trader: Trader):
    account, market = trader.account_api, trader.market_api
    await market.ping()
    assert "BTCUSDT" in {
        each.symbol for each in (await market.query_futures_exchange_info()).symbols
    }
    assert [float(each.price) for each in await market.query_ticker_price("BTCUSDT")] == [50000]
    [quote] = await market.query_ticker_book("BTCUSDT")
    assert float(quote.bidPrice) < 50000 < float(quote.askPrice)
    assert len((await market.query_depth("BTCUSDT")).bids) == 1
    assert [each.symbol for each in await market.query_ticker_24hr("BTCUSDT")] == ["BTCUSDT"]
    assert await market.query_klines("BTCUSDT", "1m") == []
    assert await market.query_trades("BTCUSDT") == []
    assert await market.query_agg_trades("BTCUSDT") == []

    assert (await account.set_leverage("BTCUSDT", 7)).leverage == 7
    await account.set_margin_type("BTCUSDT", BinanceFuturesMarginType.ISOLATED)
    [set_to] = await account.query_futures_symbol_config("BTCUSDT")
    assert (set_to.leverage, set_to.marginType) == (7, "ISOLATED")
    assert (await account.set_futures_hedge_mode(True)).code == 200
    assert (await account.query_futures_hedge_mode()).dualSidePosition is True
    assert (await account.query_futures_account_info()).canTrade is True
    rate = await trader.wallet_api.query_futures_commission_rate("BTCUSDT")
    assert rate.takerCommissionRate == "0.0005"
