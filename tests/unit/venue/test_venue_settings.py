"""What an account may set, and what the venue answers when it may not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from venue_client import Client, client, order

from sim.venue import AccountConfig
from sim.venue.errors import TEXTS

D = Decimal


def isolate(nt: Client, symbol: str = "BTCUSDT", kind: str = "ISOLATED") -> None:
    nt.ok("POST", "marginType", symbol=symbol, marginType=kind)


def add(nt: Client, amount: str, kind: int = 1, **more: Any) -> Any:
    return nt.ok("POST", "positionMargin", symbol="BTCUSDT", amount=amount, type=kind, **more)


def waiting(nt: Client) -> None:
    nt.ok("POST", "algoOrder", symbol="BTCUSDT", algoType="CONDITIONAL", side="SELL",
          type="STOP_MARKET", quantity="1", triggerPrice="49000", clientAlgoId="S-1")  # fmt: skip


def position(nt: Client, version: int = 3) -> Any:
    (row,) = nt.ok("GET", f"/fapi/v{version}/positionRisk", symbol="BTCUSDT")
    return row


# -- leverage


@pytest.mark.parametrize("leverage", [0, 126, -5])
def test_leverage_lies_between_1_and_125(nt: Client, leverage: int) -> None:
    connection = nt.listen()
    response = nt.send("POST", "leverage", symbol="BTCUSDT", leverage=leverage)
    assert response.body == b'{"code":-4028,"msg":"Leverage %d is not valid"}' % leverage
    assert nt.error("POST", "leverage", symbol="BTCUSDT") == -1102
    assert nt.events(connection) == []


def test_leverage_moves_the_margin_of_what_is_held(nt: Client) -> None:
    nt.market("A", "BUY", "2")
    assert D(position(nt)["positionInitialMargin"]) == 5000
    nt.ok("POST", "leverage", symbol="BTCUSDT", leverage=50)
    assert D(position(nt)["positionInitialMargin"]) == 2000
    assert position(nt, 2)["leverage"] == "50"


def test_leverage_that_the_balance_does_not_permit_is_refused() -> None:
    nt = client(accounts=(AccountConfig(balances={"USDT": D(6000)}),))
    nt.market("A", "BUY", "2")
    assert nt.error("POST", "leverage", symbol="BTCUSDT", leverage=16) == -2028
    assert position(nt, 2)["leverage"] == "20"
    nt.ok("POST", "leverage", symbol="BTCUSDT", leverage=17)


def test_leverage_of_an_open_isolated_leg_only_grows(nt: Client) -> None:
    isolate(nt)
    nt.market("A", "BUY", "1")
    assert nt.error("POST", "leverage", symbol="BTCUSDT", leverage=19) == -4161
    nt.ok("POST", "leverage", symbol="BTCUSDT", leverage=25)
    assert position(nt)["isolatedWallet"] == "2500"


# -- margin types


@pytest.mark.parametrize("mode", ["one-way", "hedge"])
def test_a_new_margin_type_is_told_with_the_legs_of_the_mode(mode: str) -> None:
    nt = client(position_mode=mode)
    connection = nt.listen()
    isolate(nt)
    (event,) = nt.events(connection)
    assert (event["a"]["m"], event["a"]["B"]) == ("MARGIN_TYPE_CHANGE", [])
    sides = ["BOTH"] if mode == "one-way" else ["LONG", "SHORT"]
    assert [(p["ps"], p["mt"], p["pa"], p["iw"]) for p in event["a"]["P"]] == [
        (side, "isolated", "0", "0") for side in sides
    ]


def test_a_margin_type_changes_only_when_flat_and_idle(nt: Client) -> None:
    change = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
    assert nt.error("POST", "marginType", symbol="BTCUSDT", marginType="CROSSED") == -4046
    assert nt.error("POST", "marginType", symbol="BTCUSDT", marginType="OTHER") == -1102
    waiting(nt)
    assert nt.error("POST", "marginType", **change) == -4047
    nt.ok("DELETE", "algoOpenOrders", symbol="BTCUSDT")
    nt.market("A")
    assert nt.error("POST", "marginType", **change) == -4048
    nt.market("B", "SELL")
    isolate(nt)
    assert nt.error("POST", "marginType", **change) == -4046


# -- isolated margin


def test_an_isolated_leg_takes_its_margin_and_gives_it_back(nt: Client) -> None:
    isolate(nt)
    connection = nt.listen()
    nt.market("A", "BUY", "2")
    assert position(nt)["isolatedWallet"] == "5000"
    nt.market("B", "SELL", "0.5")
    assert position(nt)["isolatedWallet"] == "3750"
    nt.market("C", "SELL", "2.5")  # it flips to 1 short
    assert position(nt)["isolatedWallet"] == "2500"
    nt.market("D", "BUY", "1")
    told = [event["a"] for event in nt.events(connection) if event["e"] == "ACCOUNT_UPDATE"]
    assert [a["P"][0]["iw"] for a in told] == ["5000", "3750", "2500", "0"]
    assert [D(a["B"][0]["wb"]) - D(a["B"][0]["cw"]) for a in told] == [5000, 3750, 2500, 0]


def test_margin_moves_to_an_isolated_leg_and_back(nt: Client) -> None:
    isolate(nt)
    nt.market("A", "BUY", "1")
    connection = nt.listen()
    assert add(nt, "100.5") == {
        "amount": 100.5, "code": 200, "msg": "Successfully modify position margin.", "type": 1,
    }  # fmt: skip
    (event,) = nt.events(connection)
    assert event["a"]["m"] == "MARGIN_TRANSFER"
    assert event["a"]["P"][0]["iw"] == "2600.5"
    (balance,) = event["a"]["B"]
    assert (balance["wb"], balance["cw"], balance["bc"]) == (
        "999975.00000000", "997374.50000000", "0",
    )  # fmt: skip
    add(nt, "600.5", 2)
    assert position(nt)["isolatedWallet"] == "2000"
    rows = nt.ok("GET", "positionMargin/history", symbol="BTCUSDT")
    assert [(row["type"], row["amount"], row["asset"], row["positionSide"]) for row in rows] == [
        (1, "100.5", "USDT", "BOTH"), (2, "600.5", "USDT", "BOTH"),
    ]  # fmt: skip
    assert nt.ok("GET", "positionMargin/history", symbol="ETHUSDT") == []
    assert nt.ok("GET", "positionMargin/history", symbol="BTCUSDT", limit=1) == rows[1:]


def test_what_no_isolated_margin_may_be(nt: Client) -> None:
    def refused(**changes: Any) -> int:
        asked = {"symbol": "BTCUSDT", "amount": "10", "type": 1} | changes
        return nt.error("POST", "positionMargin", **asked)

    nt.market("E", "BUY", "1", symbol="ETHUSDT")
    assert refused(symbol="ETHUSDT") == -4049
    isolate(nt)
    assert refused() == -4054
    nt.market("A", "BUY", "1")
    assert refused(amount="0") == -4055
    assert refused(amount="-1") == -4055
    assert refused(type=3) == -1102
    assert refused(positionSide="LONG") == -4061
    assert refused(positionSide="SIDEWAYS") == -4060
    assert refused(amount="2500.1", type=2) == -4051
    assert refused(amount="997400") == -4050


# -- multi-assets mode, position mode, BNB


def test_multi_assets_mode(nt: Client) -> None:
    def refused(on: str) -> int:
        return nt.error("POST", "multiAssetsMargin", multiAssetsMargin=on)

    assert refused("false") == -4171
    assert refused("perhaps") == -1102
    waiting(nt)
    assert refused("true") == -4170
    nt.ok("DELETE", "algoOpenOrders", symbol="BTCUSDT")
    isolate(nt)
    assert refused("true") == -4167
    isolate(nt, kind="CROSSED")
    connection = nt.listen()
    nt.ok("POST", "multiAssetsMargin", multiAssetsMargin="true")
    assert nt.events(connection)[0]["ai"] == {"j": True}
    assert nt.error("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED") == -4168
    assert nt.ok("GET", "multiAssetsMargin") == {"multiAssetsMargin": True}
    assert nt.ok("GET", "/fapi/v2/account")["multiAssetsMargin"] is True


def test_a_new_position_mode_makes_no_event_and_meets_the_next_order(nt: Client) -> None:
    waiting(nt)
    assert nt.error("POST", "positionSide/dual", dualSidePosition="true") == -4067
    nt.ok("DELETE", "algoOpenOrders", symbol="BTCUSDT")
    connection = nt.listen()
    nt.ok("POST", "positionSide/dual", dualSidePosition="true")
    assert nt.events(connection) == []
    asked = order("O-1", "BUY", "1", "50000", positionSide="BOTH")
    assert nt.error("POST", "order", **asked) == -4061
    assert nt.ok("GET", "accountConfig")["dualSidePosition"] is True


def burner(bnb: str) -> Client:
    balances = {"USDT": D(10_000), "BNB": D(bnb)}
    nt = client(accounts=(AccountConfig(balances=balances),), bnb_price=D(500))
    nt.ok("POST", "feeBurn", feeBurn="true")
    return nt


def test_commission_in_bnb_is_cheaper_and_changes_two_balances() -> None:
    nt = burner("1")
    assert nt.ok("GET", "feeBurn") == {"feeBurn": True}
    assert nt.ok("GET", "/fapi/v2/account")["feeBurn"] is True
    connection = nt.listen()
    nt.market("A", "BUY", "1")
    trade = nt.venue.trades()[0]
    assert (trade.commission, trade.commission_asset) == (D("0.045"), "BNB")
    update = next(event for event in nt.events(connection) if event["e"] == "ACCOUNT_UPDATE")
    assert [(b["a"], b["wb"], b["bc"]) for b in update["a"]["B"]] == [
        ("USDT", "10000.00000000", "0"), ("BNB", "0.95500000", "0"),
    ]  # fmt: skip
    (row,) = nt.ok("GET", "userTrades", symbol="BTCUSDT")
    assert (row["commission"], row["commissionAsset"], row["marginAsset"]) == (
        "0.045",
        "BNB",
        "USDT",
    )
    (paid,) = nt.ok("GET", "income", incomeType="COMMISSION")
    assert (paid["asset"], paid["income"]) == ("BNB", "-0.04500000")
    nt.venue.check_invariants()


def test_without_enough_bnb_the_quote_asset_pays() -> None:
    nt = burner("0.044")
    nt.market("A", "BUY", "1")
    assert nt.venue.trades()[0].commission_asset == "USDT"


# -- what holds an account back


@pytest.mark.parametrize(
    ("state", "opening", "closing"),
    [
        ("inactive", -4109, -4109),
        ("unauthorized", -1002, -1002),
        ("reduce-only", -4400, None),
        ("large-position", -4401, None),
        ("liquidation", -2023, -2023),
        ("cooling-off", -4192, None),
        ("normal", None, None),
    ],
)
def test_the_state_of_an_account(
    nt: Client, state: str, opening: int | None, closing: int | None
) -> None:
    nt.market("A", "BUY", "1")
    nt.venue.exchange.accounts["main"].state = state
    for asked, code in (
        (order("B", "BUY", "1", None), opening),
        (order("C", "SELL", "0.5", None, reduceOnly="true"), closing),
    ):
        if code is None:
            nt.ok("POST", "order", **asked)
        else:
            response = nt.send("POST", "order", **asked)
            assert response.body.decode() == f'{{"code":{code},"msg":"{TEXTS[code]}"}}'
    locked = ["ACCOUNT"] if state == "reduce-only" else []
    assert list(nt.ok("GET", "apiTradingStatus")["indicators"]) == locked
    assert nt.ok("GET", "accountConfig")["canTrade"] is (state != "inactive")


@pytest.mark.parametrize(
    ("status", "opening", "closing"),
    [
        ("PENDING_TRADING", -1122, -1122),
        ("TRADING_HALT", -4140, None),
        ("PRE_SETTLE", -4141, -4141),
        ("SETTLING", -4141, -4141),
        ("CLOSE", -4141, -4141),
        ("DELIVERED", -4141, -4141),
    ],
)
def test_the_status_of_a_symbol(nt: Client, status: str, opening: int, closing: int | None) -> None:
    nt.market("A", "BUY", "1")
    nt.venue.exchange.statuses["BTCUSDT"] = status
    assert nt.error("POST", "order", **order("B", "BUY", "1", "50000")) == opening
    asked = order("C", "SELL", "1", "51000", reduceOnly="true")
    if closing is None:
        nt.ok("POST", "order", **asked)
    else:
        assert nt.error("POST", "order", **asked) == closing
