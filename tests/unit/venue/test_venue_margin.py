"""What an account can use: one sum, by which it is read and by which orders are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from venue_client import SECOND_NS, Client, client, order

from sim.venue import AccountConfig
from sim.venue.reads import Lag

D = Decimal


@pytest.fixture
def poor() -> Client:
    """A client with 10 000 USDT at a leverage of 20, free of commission."""
    accounts = (AccountConfig(balances={"USDT": D(10_000)}),)
    return client(accounts=accounts, taker_fee=D(0), maker_fee=D(0))


def usdt(nt: Client, version: int = 3) -> Any:
    assets = nt.ok("GET", f"/fapi/v{version}/account")["assets"]
    return next(row for row in assets if row["asset"] == "USDT")


def free(nt: Client) -> Decimal:
    return D(usdt(nt)["availableBalance"])


def test_open_orders_need_margin_at_their_price(poor: Client) -> None:
    poor.limit("A", "BUY", "1", "48000")
    assert free(poor) == 10_000 - 48_000 / D(20)
    row = usdt(poor)
    assert D(row["openOrderInitialMargin"]) == D(row["initialMargin"]) == 2400
    assert D(row["positionInitialMargin"]) == 0
    poor.limit("B", "SELL", "1", "52000")  # the larger side counts, not the sum
    assert free(poor) == 10_000 - 2600
    poor.ok("DELETE", "allOpenOrders", symbol="BTCUSDT")
    assert free(poor) == 10_000


def test_orders_that_shrink_a_position_need_none(poor: Client) -> None:
    poor.market("A", "BUY", "1")
    assert free(poor) == 7500
    poor.limit("B", "SELL", "1", "50000")
    poor.limit("C", "SELL", "0.5", "50000", reduceOnly="true")
    assert free(poor) == 7500
    poor.limit("D", "SELL", "1.5", "50000")  # one and a half more than is held
    assert free(poor) == 7500 - D("0.5") * 2500


def test_the_legs_of_hedge_mode_count_each_on_its_own() -> None:
    nt = client(position_mode="hedge", taker_fee=D(0), leverage=10)
    nt.market("A", "BUY", "1", positionSide="LONG")
    nt.market("B", "SELL", "2", positionSide="SHORT")
    nt.limit("C", "BUY", "1", "49000", positionSide="LONG")
    nt.limit("D", "SELL", "1", "50000", positionSide="LONG")
    long, short = nt.ok("GET", "/fapi/v3/positionRisk")
    assert (D(long["positionInitialMargin"]), D(long["openOrderInitialMargin"])) == (5000, 4900)
    assert (long["bidNotional"], long["askNotional"]) == ("49000", "0")
    assert D(short["initialMargin"]) == D(short["positionInitialMargin"]) == 10_000
    row = usdt(nt)
    assert (D(row["initialMargin"]), D(row["openOrderInitialMargin"])) == (19_900, 4900)
    assert free(nt) == 1_000_000 - 19_900


def test_open_profit_can_be_used_and_not_withdrawn(poor: Client) -> None:
    poor.market("A", "BUY", "1")
    poor.venue.set_price("BTCUSDT", D(50_000), poor.now_ns, mark=D(60_000))
    row = usdt(poor)
    assert D(row["unrealizedProfit"]) == D(row["crossUnPnl"]) == 10_000
    assert D(row["availableBalance"]) == 20_000 - 3000
    assert D(row["maxWithdrawAmount"]) == 10_000
    assert D(row["maintMargin"]) == D("240")
    poor.venue.set_price("BTCUSDT", D(40_000), poor.now_ns)
    assert free(poor) == 0


def test_isolated_legs_keep_their_margin_and_their_profit(poor: Client) -> None:
    poor.ok("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    poor.market("A", "BUY", "1")
    poor.venue.set_price("BTCUSDT", D(50_000), poor.now_ns, mark=D(51_000))
    row = usdt(poor)
    assert D(row["crossWalletBalance"]) == free(poor) == 7500
    assert (D(row["crossUnPnl"]), D(row["unrealizedProfit"])) == (0, 1000)
    (risk,) = poor.ok("GET", "/fapi/v3/positionRisk")
    assert (risk["isolatedWallet"], risk["isolatedMargin"]) == ("2500", "3500")
    (leg,) = poor.ok("GET", "/fapi/v3/account")["positions"]
    assert (leg["isolatedWallet"], leg["isolatedMargin"]) == ("2500", "3500")
    first = poor.ok("GET", "/fapi/v2/account")["positions"][0]
    assert (first["isolated"], first["leverage"], first["maxNotional"]) == (True, "20", "40000000")
    assert first["initialMargin"] == risk["initialMargin"]
    (balance,) = poor.ok("GET", "/fapi/v3/balance")
    assert D(balance["crossWalletBalance"]) == 7500
    more = order("E", "BUY", "51", "3000", symbol="ETHUSDT")  # it needs 7650
    assert poor.error("POST", "order", **more) == -2019
    poor.limit("E", "BUY", "50", "3000", symbol="ETHUSDT")


def test_lagging_reads_show_what_open_orders_needed_then(poor: Client) -> None:
    poor.limit("A", "BUY", "1", "48000")
    poor.wait(5 * SECOND_NS)
    poor.ok("DELETE", "allOpenOrders", symbol="BTCUSDT")
    poor.venue.reads.begin(Lag(models=("account",), acted=lambda _: None, by_ns=2 * SECOND_NS))
    assert free(poor) == 7600
    poor.wait(3 * SECOND_NS)
    assert free(poor) == 10_000


def test_an_order_is_refused_by_the_sum_that_is_read(poor: Client) -> None:
    poor.limit("A", "BUY", "2", "50000")
    assert free(poor) == 5000
    assert poor.error("POST", "order", **order("B", "BUY", "2.001", "50000")) == -2019
    assert poor.error("POST", "order", **order("B", "BUY", "2.001", None)) == -2019
    assert poor.error("POST", "order/test", **order("B", "BUY", "2.001", None)) == -2019
    poor.limit("C", "SELL", "3.9", "50000")
    poor.limit("B", "BUY", "2", "50000")
    assert free(poor) == 0


def test_an_amendment_needs_only_what_it_adds(poor: Client) -> None:
    order_id = poor.limit("A", "BUY", "3", "50000")["orderId"]
    poor.fill("A", "1")
    asked = {"symbol": "BTCUSDT", "side": "BUY", "orderId": order_id, "price": "50000"}
    assert poor.error("PUT", "order", **asked, quantity="4.001") == -2019
    poor.ok("PUT", "order", **asked, quantity="4")
    assert free(poor) == 0


def test_a_position_may_be_turned_to_its_own_size_for_nothing(poor: Client) -> None:
    poor.market("A", "BUY", "4")
    assert free(poor) == 0
    assert poor.error("POST", "order", **order("B", "SELL", "8.001", None)) == -2019
    poor.market("B", "SELL", "8")
    assert poor.venue.positions()[0].quantity == -4


def test_closing_behind_orders_that_turn_the_leg_needs_margin(poor: Client) -> None:
    poor.market("A", "BUY", "4")
    poor.limit("B", "SELL", "8", "50000")
    closing = order("R", "SELL", "1", "50000", reduceOnly="true")
    assert poor.error("POST", "order", **closing) == -4118
    poor.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="B")
    poor.limit("B", "SELL", "3", "50000")
    poor.ok("POST", "order", **closing)


def test_the_largest_position_at_any_leverage() -> None:
    nt = client(leverage=125)
    nt.limit("A", "BUY", "799", "50000")
    assert nt.error("POST", "order", **order("B", "BUY", "2", "50000")) == -2027
    nt.limit("B", "BUY", "1", "50000")


def test_a_symbol_has_two_hundred_open_orders_at_most(nt: Client) -> None:
    for number in range(200):
        nt.limit(f"O-{number}", "BUY", "0.01", "45000")
        nt.now_ns += SECOND_NS
    assert nt.error("POST", "order", **order("more", "BUY", "0.01", "45000")) == -2025
    nt.limit("E", "BUY", "1", "3000", symbol="ETHUSDT")
    info = nt.ok("GET", "exchangeInfo", signed=False)["symbols"][0]["filters"]
    assert {"filterType": "MAX_NUM_ORDERS", "limit": 200} in info


def test_other_assets_do_not_help(poor: Client) -> None:
    assert poor.error("POST", "order", **order("A", "BUY", "1", "50000", symbol="BTCUSDC")) == -2019
