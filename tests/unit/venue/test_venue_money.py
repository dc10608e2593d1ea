"""Commission, realised profit, entry price, wallets and income."""

from __future__ import annotations

from decimal import Decimal

import pytest
from venue_client import Client, client

from sim.venue import VenueInvariantError

D = Decimal


def position(nt: Client) -> tuple[Decimal, Decimal]:
    leg = nt.venue.position_at("main", "BTCUSDT", "BOTH", nt.now_ns)
    return leg.quantity, leg.entry_price


def wallet(nt: Client) -> Decimal:
    (row,) = (row for row in nt.ok("GET", "/fapi/v3/balance") if row["asset"] == "USDT")
    return D(row["balance"])


def test_maker_and_taker_pay_their_rates_in_the_quote_asset(nt: Client) -> None:
    nt.limit(quantity="0.1", price="50000.1")
    made = nt.fill("O-1", "0.1")
    assert (made.commission, made.commission_asset) == (D("1.000002"), "USDT")
    taken = nt.market(quantity="0.1") and nt.venue.trades()[-1]
    assert (taken.commission, taken.maker) == (D("2.5"), False)
    assert wallet(nt) == D(1_000_000) - D("3.500002")


def test_commission_is_rounded_to_eight_decimals() -> None:
    nt = client(maker_fee=D("0.00012345678"))
    nt.limit(quantity="0.003", price="50000.1")
    assert nt.fill("O-1", "0.003").commission == D("0.01851855")


def test_the_entry_price_moves_only_when_the_position_grows(nt: Client) -> None:
    nt.limit("A", "BUY", "1", "50000")
    nt.fill("A", "1")
    nt.limit("B", "BUY", "3", "51000")
    nt.fill("B", "3")
    assert position(nt) == (D(4), D(50750))
    nt.limit("C", "SELL", "1", "52000")
    nt.fill("C", "1")
    assert position(nt) == (D(3), D(50750))
    (row,) = nt.ok("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")
    assert (row["positionAmt"], row["entryPrice"]) == ("3.000", "50750")
    assert row["unRealizedProfit"] == "-2250.00000000"


def test_a_flip_closes_the_old_leg_and_opens_at_the_trade_price(nt: Client) -> None:
    nt.limit("A", "SELL", "1", "50000")
    nt.fill("A", "1")
    nt.limit("B", "BUY", "3", "49000")
    nt.fill("B", "3")
    assert position(nt) == (D(2), D(49000))
    trade = nt.ok("GET", "userTrades", symbol="BTCUSDT")[-1]
    assert trade["realizedPnl"] == "1000"
    nt.market("M", "SELL", "2")
    assert position(nt) == (D(0), D(0))
    assert nt.venue.positions() == ()


def test_the_wallet_is_its_start_plus_the_income(nt: Client) -> None:
    nt.market("A", "BUY", "1")
    nt.venue.set_price("BTCUSDT", D(50100), nt.now_ns)
    nt.market("B", "SELL", "1")
    rows = nt.ok("GET", "income", limit=1000)
    assert [row["incomeType"] for row in rows] == ["COMMISSION", "REALIZED_PNL", "COMMISSION"]
    assert rows[1]["tradeId"] == rows[2]["tradeId"] == str(nt.venue.trades()[1].trade_id)
    assert D(rows[1]["income"]) == 100
    assert len({row["tranId"] for row in rows}) == 3
    assert wallet(nt) == D(1_000_000) + sum(D(row["income"]) for row in rows)
    assert nt.ok("GET", "income", incomeType="REALIZED_PNL") == [rows[1]]
    assert nt.ok("GET", "income", symbol="ETHUSDT") == []
    assert nt.ok("GET", "income", page=2, limit=2) == rows[2:]
    assert nt.ok("GET", "income", limit=2) == rows[1:]
    assert nt.error("GET", "income", page=0) == -1102


def test_a_trade_without_commission_leaves_no_income_row() -> None:
    nt = client(maker_fee=D(0), taker_fee=D(0))
    nt.market()
    assert nt.ok("GET", "income") == []


def test_a_transfer_moves_the_wallet_and_nothing_else(nt: Client) -> None:
    connection = nt.listen()
    nt.venue.transfer("main", "USDT", D("-250.5"), nt.now_ns)
    (event,) = nt.events(connection)
    assert event["a"] == {
        "m": "WITHDRAW",
        "B": [{"a": "USDT", "wb": "999749.50000000", "cw": "999749.50000000", "bc": "-250.5"}],
        "P": [],
    }
    assert nt.ok("GET", "income")[0]["incomeType"] == "TRANSFER"


def test_another_quote_asset_has_its_own_wallet(nt: Client) -> None:
    nt.market("A", "BUY", "1", symbol="BTCUSDC")
    assert nt.venue.trades()[0].commission_asset == "USDC"
    assert wallet(nt) == 1_000_000


def test_leverage_and_margin_type_are_settings(nt: Client) -> None:
    connection = nt.listen()
    assert nt.ok("POST", "leverage", symbol="BTCUSDT", leverage=5)["leverage"] == 5
    assert nt.events(connection)[0]["ac"] == {"s": "BTCUSDT", "l": 5}
    assert nt.error("POST", "leverage", symbol="BTCUSDT", leverage=500) == -4028
    margin = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
    assert nt.ok("POST", "marginType", **margin)["code"] == 200
    assert nt.error("POST", "marginType", **margin) == -4046
    nt.limit()
    assert nt.error("POST", "marginType", symbol="BTCUSDT", marginType="CROSSED") == -4047
    nt.fill("O-1", "1")
    assert nt.error("POST", "marginType", symbol="BTCUSDT", marginType="CROSSED") == -4048
    (row,) = nt.ok("GET", "symbolConfig", symbol="BTCUSDT")
    assert (row["leverage"], row["marginType"]) == (5, "ISOLATED")


def test_the_venue_notices_when_its_own_books_do_not_add_up(nt: Client) -> None:
    nt.market()
    account = nt.venue.exchange.accounts["main"]
    account.wallets["USDT"].balance += 1
    with pytest.raises(VenueInvariantError, match="wallet USDT"):
        nt.venue.check_invariants()
    account.wallets["USDT"].balance -= 1
    trade = nt.venue.exchange.holding(account, "BTCUSDT").trades.pop()
    with pytest.raises(VenueInvariantError, match="leg BOTH"):
        nt.venue.check_invariants()
    nt.venue.exchange.holding(account, "BTCUSDT").trades.append(trade)
