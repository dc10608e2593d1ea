"""Positions and the settings that they depend on: modes, legs, margin and leverage."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.binance import Binance

DUAL, RISK = "/fapi/v1/positionSide/dual", "/fapi/v3/positionRisk"
BTC = {"symbol": "BTCUSDT"}


async def legs(binance: Binance, **params: Any) -> list[str]:
    rows = await binance.ok("GET", RISK, **params)
    return [f"{row['symbol']} {row['positionSide']} {row['positionAmt']}" for row in rows]


# -- what is listed


async def test_only_what_is_in_use_is_listed(binance: Binance):
    assert await legs(binance) == []
    assert await legs(binance, symbol="BTCUSDT") == []
    await binance.place("E-1", symbol="ETHUSDT", price="2900")
    assert await legs(binance) == ["ETHUSDT BOTH 0.000"]
    await binance.take("O-1", "SELL")
    assert await legs(binance) == ["BTCUSDT BOTH -1.000", "ETHUSDT BOTH 0.000"]
    assert await legs(binance, symbol="BTCUSDT") == ["BTCUSDT BOTH -1.000"]


async def test_the_second_version_lists_every_symbol(binance: Binance):
    rows = await binance.ok("GET", "/fapi/v2/positionRisk")

    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT", "BTCUSDC"]


@pytest.mark.venue("position_mode: hedge")
async def test_two_legs_of_one_symbol(binance: Binance):
    assert await binance.ok("GET", DUAL) == {"dualSidePosition": True}
    await binance.take("O-1", "BUY", "2", positionSide="LONG")
    await binance.take("O-2", "SELL", "3", positionSide="SHORT")
    assert await legs(binance) == ["BTCUSDT LONG 2.000", "BTCUSDT SHORT -3.000"]
    await binance.take("O-3", "SELL", "2", positionSide="LONG")
    await binance.take("O-4", "BUY", "1", positionSide="SHORT")
    assert await legs(binance) == ["BTCUSDT LONG 0.000", "BTCUSDT SHORT -2.000"]


@pytest.mark.venue("position_mode: hedge")
async def test_a_leg_is_closed_and_never_turned(binance: Binance):
    await binance.take("O-1", "BUY", "1", positionSide="LONG")
    await binance.take("O-2", "SELL", "3", positionSide="LONG")

    row = await binance.ok("GET", "/fapi/v1/order", **BTC, origClientOrderId="O-2")
    assert (row["status"], row["origQty"]) == ("FILLED", "1.000")
    assert await legs(binance) == []


@pytest.mark.venue("position_mode: hedge")
async def test_an_account_update_shows_the_leg_that_has_changed(binance: Binance):
    stream = await binance.stream()
    await binance.take("O-1", "BUY", "1", positionSide="LONG")
    _, update, _ = await stream.all()

    assert [leg["ps"] for leg in update["a"]["P"]] == ["LONG"]


@pytest.mark.venue("position_mode: hedge, knobs: {hedge_positions: both}")
async def test_an_account_update_may_show_both_legs(binance: Binance):
    stream = await binance.stream()
    await binance.take("O-1", "BUY", "1", positionSide="LONG")
    _, update, _ = await stream.all()

    assert [leg["ps"] for leg in update["a"]["P"]] == ["LONG", "SHORT"]


# -- the position mode


async def test_the_mode_is_switched_and_no_event_tells_of_it(binance: Binance):
    stream = await binance.stream()
    assert await binance.refused("POST", DUAL, dualSidePosition="false") == (400, -4059)
    await binance.ok("POST", DUAL, dualSidePosition="true")

    assert await binance.ok("GET", DUAL) == {"dualSidePosition": True}
    await stream.quiet()
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
    assert await binance.refused("POST", "/fapi/v1/order", **order) == (400, -4061)


async def test_the_mode_stays_while_there_are_orders_or_positions(binance: Binance):
    await binance.place("O-1")
    assert await binance.refused("POST", DUAL, dualSidePosition="true") == (400, -4067)
    await binance.ok("DELETE", "/fapi/v1/order", **BTC, origClientOrderId="O-1")
    await binance.take("O-2")
    assert await binance.refused("POST", DUAL, dualSidePosition="true") == (400, -4068)
    await binance.take("O-3", "SELL")
    await binance.ok("POST", DUAL, dualSidePosition="true")


# -- margin and leverage

SETTINGS: tuple[tuple[str, str, dict[str, Any], int], ...] = (
    ("no change of the margin type", "marginType", {"marginType": "CROSSED"}, -4046),
    ("a margin type that there is not", "marginType", {"marginType": "NONE"}, -1102),
    ("too much leverage", "leverage", {"leverage": 126}, -4028),
    ("no leverage", "leverage", {"leverage": 0}, -4028),
    ("margin of a crossed position", "positionMargin", {"amount": "1", "type": 1}, -4049),
    ("no margin", "positionMargin", {"amount": "0", "type": 1}, -4055),
)


@pytest.mark.parametrize(
    ("path", "params", "code"), [case[1:] for case in SETTINGS], ids=[case[0] for case in SETTINGS]
)
async def test_a_setting_that_is_refused(
    binance: Binance, path: str, params: dict[str, Any], code: int
):
    stream = await binance.stream()

    assert await binance.refused("POST", f"/fapi/v1/{path}", **BTC, **params) == (400, code)
    await stream.quiet()


async def test_the_margin_type_stays_while_there_are_orders_or_positions(binance: Binance):
    isolated = BTC | {"marginType": "ISOLATED"}
    await binance.place("O-1")
    assert await binance.refused("POST", "/fapi/v1/marginType", **isolated) == (400, -4047)
    await binance.ok("DELETE", "/fapi/v1/order", **BTC, origClientOrderId="O-1")
    await binance.take("O-2")
    assert await binance.refused("POST", "/fapi/v1/marginType", **isolated) == (400, -4048)


async def test_settings_are_what_they_were_set_to(binance: Binance):
    await binance.ok("POST", "/fapi/v1/leverage", **BTC, leverage=7)
    await binance.ok("POST", "/fapi/v1/marginType", **BTC, marginType="ISOLATED")
    [row] = await binance.ok("GET", "/fapi/v1/symbolConfig", **BTC)
    _, other, _ = await binance.ok("GET", "/fapi/v1/symbolConfig")

    assert (row["leverage"], row["marginType"]) == (7, "ISOLATED")
    assert (other["leverage"], other["marginType"]) == (20, "CROSSED")
    [risk] = await binance.ok("GET", "/fapi/v2/positionRisk", **BTC)
    assert (risk["leverage"], risk["marginType"]) == ("7", "isolated")


async def test_a_smaller_leverage_needs_more_margin(binance: Binance):
    await binance.take("O-1", quantity="1")
    margins = []
    for leverage in (20, 10):
        await binance.ok("POST", "/fapi/v1/leverage", **BTC, leverage=leverage)
        [row] = await binance.ok("GET", RISK)
        margins.append(float(row["positionInitialMargin"]))

    assert margins == [2500, 5000]


async def test_isolated_margin_is_added_and_taken_away(binance: Binance):
    await binance.ok("POST", "/fapi/v1/marginType", **BTC, marginType="ISOLATED")
    await binance.take("O-1")
    margin = "/fapi/v1/positionMargin"
    before = float((await binance.ok("GET", RISK))[0]["isolatedWallet"])
    await binance.ok("POST", margin, **BTC, amount="10", type=1)
    await binance.ok("POST", margin, **BTC, amount="4", type=2)

    assert float((await binance.ok("GET", RISK))[0]["isolatedWallet"]) == before + 6
    assert await binance.refused("POST", margin, **BTC, amount="1000000", type=1) == (400, -4050)
    history = await binance.ok("GET", f"{margin}/history", **BTC)
    assert [(row["type"], float(row["amount"])) for row in history] == [(1, 10), (2, 4)]


# -- several accounts


@pytest.mark.venue("accounts: {main: {}, other: {}}")
async def test_accounts_know_nothing_of_each_other(binance: Binance):
    other = binance.as_another("other")
    made = await binance.place("O-1")
    await binance.take("O-2")
    about = BTC | {"orderId": made["orderId"]}

    assert await legs(other) == []
    assert await other.refused("GET", "/fapi/v1/order", **about) == (400, -2013)
    assert await other.refused("DELETE", "/fapi/v1/order", **about) == (400, -2011)
    for path in ("allOrders", "userTrades", "allAlgoOrders"):
        assert await other.ok("GET", f"/fapi/v1/{path}", **BTC) == []
    assert await other.ok("GET", "/fapi/v1/income") == []
    assert (await other.place("O-1"))["clientOrderId"] == "O-1"


@pytest.mark.venue("accounts: {main: {}, other: {position_mode: hedge}}")
async def test_each_account_has_a_mode_of_its_own(binance: Binance):
    other = binance.as_another("other")

    assert await binance.ok("GET", DUAL) == {"dualSidePosition": False}
    assert await other.ok("GET", DUAL) == {"dualSidePosition": True}


# -- what holds an account or a symbol back

STATES = {
    "normal": (None, None),
    "reduce-only": (-4400, None),
    "large-position": (-4401, None),
    "unauthorized": (-1002, -1002),
    "cooling-off": (-4192, None),
    "inactive": (-4109, -4109),
    "liquidation": (-2023, -2023),
}


@pytest.mark.parametrize("state", STATES)
async def test_an_account_that_is_held_back(binance: Binance, state: str):
    await binance.take("O-1")
    if state == "normal":
        await binance.world("restrict: {state: inactive}")
    await binance.world(f"restrict: {{state: {state}}}")
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
    closing = order | {"side": "SELL", "reduceOnly": "true"}
    codes = []
    for asked in (order, closing):
        reply = await binance.rest("POST", "/fapi/v1/order", **asked)
        codes.append(None if reply.status == 200 else reply.refusal[1])

    assert tuple(codes) == STATES[state]
    assert await legs(binance) != []


async def test_a_symbol_that_is_halted_is_listed_and_takes_no_orders(binance: Binance):
    await binance.world("symbol_status: {status: TRADING_HALT}")
    info = await binance.ok("GET", "/fapi/v1/exchangeInfo", auth="none")
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}

    assert [row["status"] for row in info["symbols"]] == ["TRADING_HALT", "TRADING", "TRADING"]
    status, code = await binance.refused("POST", "/fapi/v1/order", **order)
    assert (status, code) in ((400, -4140), (400, -1122), (400, -4141))
