"""After each cause the stream tells the same events in the same order, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.binance import Binance
from tests.wire.events import said

LONG = "BTCUSDT BOTH 1"
FLAT = "BTCUSDT BOTH 0"


def account(reason: str, *legs: str, asset: str = "USDT") -> str:
    return f"ACCOUNT {reason} {[asset]} {list(legs)}"


def bought(name: str, quantity: str = "1", status: str = "FILLED") -> list[str]:
    return [
        account("ORDER", f"BTCUSDT BOTH {quantity}"),
        f"ORDER {name} TRADE {status} {quantity}",
    ]


STORIES: dict[str, tuple[list[str], list[str]]] = {
    "a LIMIT order is accepted": (["place O-1"], ["ORDER O-1 NEW NEW 0"]),
    "a MARKET order fills": (["take O-1"], ["ORDER O-1 NEW NEW 0", *bought("O-1")]),
    "the rest of a MARKET order expires": (
        ['depth: {quantity: "0.4"}', "take O-1"],
        [
            "ORDER O-1 NEW NEW 0",
            *bought("O-1", "0.4", "PARTIALLY_FILLED"),
            "ORDER O-1 EXPIRED EXPIRED 0.4 er 9",
        ],
    ),
    "each fill of a LIMIT order": (
        ["place O-1", 'fill: {order: O-1, quantity: "0.4"}', 'fill: {order: O-1, quantity: "0.6"}'],
        [
            "ORDER O-1 NEW NEW 0",
            *bought("O-1", "0.4", "PARTIALLY_FILLED"),
            *bought("O-1"),
        ],
    ),
    "the rest of an IOC order expires": (
        ['depth: {quantity: "0.4"}', "place O-1 price=50000 timeInForce=IOC"],
        [
            "ORDER O-1 NEW NEW 0",
            *bought("O-1", "0.4", "PARTIALLY_FILLED"),
            "ORDER O-1 EXPIRED EXPIRED 0.4 er 2",
        ],
    ),
    "a cancel keeps what is filled": (
        ["place O-1", 'fill: {order: O-1, quantity: "0.4"}', "cancel O-1"],
        [
            "ORDER O-1 NEW NEW 0",
            *bought("O-1", "0.4", "PARTIALLY_FILLED"),
            "ORDER O-1 CANCELED CANCELED 0.4",
        ],
    ),
    "a modification": (
        [
            "place O-1",
            "modify O-1",
            'fill: {order: O-1, quantity: "0.4"}',
            "modify O-1 price=48000",
        ],
        [
            "ORDER O-1 NEW NEW 0",
            "ORDER O-1 AMENDMENT NEW 0",
            *bought("O-1", "0.4", "PARTIALLY_FILLED"),
            "ORDER O-1 AMENDMENT PARTIALLY_FILLED 0.4",
        ],
    ),
    "a modification to no more than is filled": (
        ["place O-1", 'fill: {order: O-1, quantity: "0.4"}', "modify O-1 quantity=0.4"],
        [
            "ORDER O-1 NEW NEW 0",
            *bought("O-1", "0.4", "PARTIALLY_FILLED"),
            "ORDER O-1 CANCELED CANCELED 0.4",
        ],
    ),
    "self-trade prevention": (
        ["place O-1", "place O-2 side=SELL selfTradePreventionMode=EXPIRE_MAKER"],
        [
            "ORDER O-1 NEW NEW 0",
            "ORDER O-2 NEW NEW 0",
            "ORDER O-1 EXPIRED EXPIRED_IN_MATCH 0 er 1",
        ],
    ),
    "an order by hand": (
        [
            'web_submit: {id: W-1, side: BUY, quantity: "1", price: "49000"}',
            "web_cancel: {order: W-1}",
        ],
        ["ORDER web_W-1 NEW NEW 0", "ORDER web_W-1 CANCELED CANCELED 0"],
    ),
    "a refused order": (["refuse O-1 quantity=0.0001"], []),
    "a conditional order that fills": (
        ["arm A-1", 'price: {price: "48000"}'],
        [
            "ALGO A-1 NEW",
            "ALGO A-1 TRIGGERING",
            "ALGO A-1 TRIGGERED",
            "ORDER A-1 NEW NEW 0",
            account("ORDER", "BTCUSDT BOTH -1"),
            "ORDER A-1 TRADE FILLED 1",
            "ALGO A-1 FINISHED",
        ],
    ),
    "a conditional order that becomes a LIMIT order": (
        ["arm A-1 type=STOP price=47900 timeInForce=GTC", "trigger: {order: A-1}", "cancel A-1"],
        [
            "ALGO A-1 NEW",
            "ALGO A-1 TRIGGERING",
            "ALGO A-1 TRIGGERED",
            "ORDER A-1 NEW NEW 0",
            "ORDER A-1 CANCELED CANCELED 0",
            "ALGO A-1 FINISHED",
        ],
    ),
    "a conditional order that is cancelled": (
        ["arm A-1", "disarm A-1"],
        ["ALGO A-1 NEW", "ALGO A-1 CANCELED"],
    ),
    "a conditional order that the matching engine refuses": (
        ["arm A-1 reduceOnly=true", "trigger: {order: A-1}"],
        ["ALGO A-1 NEW", "ALGO A-1 TRIGGERING", "ALGO A-1 REJECTED"],
    ),
    "liquidation in trades": (
        [
            "take O-1",
            "place O-2",
            "arm A-1",
            'liquidate: {slices: ["0.4", "0.6"], price: "40000.01", fee: "12.5"}',
        ],
        [
            "ORDER O-1 NEW NEW 0",
            *bought("O-1"),
            "ORDER O-2 NEW NEW 0",
            "ALGO A-1 NEW",
            "ORDER O-2 EXPIRED EXPIRED 0 er 5",
            "ALGO A-1 EXPIRED",
            "ORDER autoclose NEW NEW 0",
            account("ORDER", "BTCUSDT BOTH 0.6"),
            "ORDER autoclose TRADE PARTIALLY_FILLED 0.4",
            account("ORDER", FLAT),
            "ORDER autoclose TRADE FILLED 1",
            account("INSURANCE_CLEAR"),
        ],
    ),
    "liquidation as it is calculated": (
        [
            "take O-1",
            'liquidate: {slices: ["0.4"], insured: "0.6", price: "40000.01", shape: calculated}',
        ],
        [
            "ORDER O-1 NEW NEW 0",
            *bought("O-1"),
            account("ORDER", "BTCUSDT BOTH 0.6"),
            "ORDER autoclose CALCULATED PARTIALLY_FILLED 0.4",
            account("ORDER", FLAT),
            "ORDER autoclose CALCULATED NEW_INSURANCE 1",
        ],
    ),
    "deleveraging as it is calculated": (
        ["take O-1", 'deleverage: {quantity: "1", price: "60000.01"}'],
        [
            "ORDER O-1 NEW NEW 0",
            *bought("O-1"),
            account("ADL", FLAT),
            "ORDER adl_autoclose CALCULATED NEW_ADL 1",
        ],
    ),
    "deleveraging as a trade": (
        ["take O-1", 'deleverage: {quantity: "1", price: "60000.01", shape: trade}'],
        [
            "ORDER O-1 NEW NEW 0",
            *bought("O-1"),
            "ORDER adl_autoclose NEW NEW 0",
            account("ORDER", FLAT),
            "ORDER adl_autoclose TRADE FILLED 1",
        ],
    ),
    "settlement": (
        ["take O-1", "place O-2", 'settle: {price: "51000"}'],
        [
            "ORDER O-1 NEW NEW 0",
            *bought("O-1"),
            "ORDER O-2 NEW NEW 0",
            "ORDER O-2 EXPIRED EXPIRED 0 er 7",
            account("ORDER", FLAT),
            "ORDER settlement_autoclose CALCULATED FILLED 1",
        ],
    ),
    "funding of a crossed position": (
        ["take O-1", 'fund: {rate: "0.0001"}'],
        ["ORDER O-1 NEW NEW 0", *bought("O-1"), account("FUNDING_FEE")],
    ),
    "funding of an isolated position": (
        ["margin_type: {type: ISOLATED}", "take O-1", 'fund: {rate: "0.0001"}'],
        [
            account("MARGIN_TYPE_CHANGE", FLAT).replace("['USDT']", "[]"),
            "ORDER O-1 NEW NEW 0",
            *bought("O-1"),
            account("FUNDING_FEE", LONG),
        ],
    ),
    "margin of an isolated position": (
        ["margin_type: {type: ISOLATED}", "take O-1", 'add_margin: {amount: "10"}'],
        [
            account("MARGIN_TYPE_CHANGE", FLAT).replace("['USDT']", "[]"),
            "ORDER O-1 NEW NEW 0",
            *bought("O-1"),
            account("MARGIN_TRANSFER", LONG),
        ],
    ),
    "transfers": (
        ['transfer: {amount: "10"}', 'transfer: {amount: "-10"}'],
        [account("DEPOSIT"), account("WITHDRAW")],
    ),
    "leverage": (["leverage: {leverage: 7}"], ["CONFIG BTCUSDT 7"]),
    "multi-assets mode": (["multi_assets: {}"], ["CONFIG multi-assets True"]),
    "position mode": (["position_mode: {mode: hedge}"], []),
    "commissions in BNB": (["burn_bnb: {}"], []),
    "a margin call": (
        ["take O-1", "margin_call: {}"],
        ["ORDER O-1 NEW NEW 0", *bought("O-1"), "MARGIN_CALL"],
    ),
}


async def do(binance: Binance, step: str) -> None:
    """Do one step of a story: a request of the user's, or an action of the world."""
    word, _, rest = step.partition(" ")
    name, *given = rest.split(" ")
    params: dict[str, Any] = dict(pair.split("=") for pair in given if "=" in pair)
    about = {"symbol": "BTCUSDT", "origClientOrderId": name}
    match word:
        case "place":
            await binance.place(name, **params)
        case "take":
            await binance.take(name, **params)
        case "refuse":
            order = {"side": "BUY", "type": "MARKET", "symbol": "BTCUSDT"} | params
            await binance.refused("POST", "/fapi/v1/order", **order)
        case "cancel":
            await binance.ok("DELETE", "/fapi/v1/order", **about)
        case "modify":
            change = {"side": "BUY", "quantity": "0.8", "price": "48500"} | params
            await binance.ok("PUT", "/fapi/v1/order", **about, **change)
        case "arm":
            await binance.arm(name, **params)
        case "disarm":
            await binance.ok("DELETE", "/fapi/v1/algoOrder", clientAlgoId=name)
        case _:
            await binance.world(step)


@pytest.mark.parametrize("cause", STORIES)
async def test_what_the_stream_tells(binance: Binance, cause: str):
    steps, told = STORIES[cause]
    stream = await binance.stream()
    for step in steps:
        await do(binance, step)

    assert [said(event) for event in await stream.all()] == told


@pytest.mark.venue("knobs: {trade_lite: true}")
async def test_a_trade_is_told_in_short_first_and_all_at_one_time(binance: Binance):
    stream = await binance.stream()
    await binance.place("O-1")
    await binance.world('fill: {order: O-1, quantity: "0.4"}')
    _, lite, account_update, trade = await stream.all()

    names = [event["e"] for event in (lite, account_update, trade)]
    assert names == ["TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
    assert len({(event["E"], event["T"]) for event in (lite, account_update, trade)}) == 1
    assert (lite["t"], lite["i"]) == (trade["o"]["t"], trade["o"]["i"])
