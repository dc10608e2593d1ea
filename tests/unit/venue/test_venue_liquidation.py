"""What the venue does to accounts unasked: liquidation, deleveraging, settlement, funding."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from venue_client import DAY_NS, MS_NS, Client, client, two_accounts

from sim.venue import VenueError, clearing

D = Decimal


def leg_of(nt: Client, side: str = "BOTH", symbol: str = "BTCUSDT") -> Any:
    exchange = nt.venue.exchange
    return exchange.leg(exchange.accounts[nt.account.name], symbol, side)


def liquidate(nt: Client, *slices: str, side: str = "BOTH", **more: Any) -> None:
    more = {"price": D("40000.123"), "shape": "trade"} | more
    sizes = [D(size) for size in slices]
    nt.venue.change(nt.now_ns, clearing.liquidate, leg_of(nt, side), sizes, nt.now_ns, **more)


def deleverage(nt: Client, quantity: str, shape: str, side: str = "BOTH") -> None:
    nt.venue.change(
        nt.now_ns, clearing.deleverage, leg_of(nt, side), D(quantity), nt.now_ns,
        price=D(52000), shape=shape,
    )  # fmt: skip


def fund(nt: Client, rate: str = "0.0001") -> None:
    nt.venue.change(nt.now_ns, clearing.fund, "BTCUSDT", D(rate), nt.now_ns)


def told(events: list[Any]) -> list[str]:
    """Return the events in short, in their order."""
    return [
        f"{event['o']['x']} {event['o']['X']}"
        if event["e"] == "ORDER_TRADE_UPDATE"
        else f"ALGO {event['o']['X']}"
        if event["e"] == "ALGO_UPDATE"
        else event["a"]["m"]
        for event in events
    ]


def conditional(nt: Client, client_id: str, trigger: str) -> None:
    nt.ok(
        "POST",
        "algoOrder",
        symbol="BTCUSDT",
        algoType="CONDITIONAL",
        side="SELL",
        type="STOP_MARKET",
        quantity="1",
        triggerPrice=trigger,
        clientAlgoId=client_id,
    )


def test_a_liquidation_in_the_shape_of_trades(nt: Client) -> None:
    nt.market("A", "BUY", "1")
    nt.limit("O-1", "BUY", "1", "45000")
    nt.limit("O-2", "SELL", "1", "3300", symbol="ETHUSDT")
    conditional(nt, "S-1", "44000")
    connection = nt.listen()
    liquidate(nt, "0.4", "0.6", fee=D("12.5"))
    events = nt.events(connection)
    assert told(events) == [
        "EXPIRED EXPIRED", "ALGO EXPIRED", "EXPIRED EXPIRED",
        "NEW NEW", "ORDER", "TRADE PARTIALLY_FILLED", "ORDER", "TRADE FILLED", "INSURANCE_CLEAR",
    ]  # fmt: skip
    assert {events[0]["o"]["er"], events[2]["o"]["er"]} == {"5"}
    new = events[3]["o"]
    assert (new["c"], new["o"], new["ot"], new["f"], new["p"], new["R"], new["S"]) == (
        f"autoclose-{nt.now_ms}", "LIQUIDATION", "LIQUIDATION", "IOC", "40000.123", False, "SELL",
    )  # fmt: skip
    assert events[-1]["a"]["B"][0]["bc"] == "-12.5"
    assert events[-1]["a"]["P"] == []
    assert nt.venue.positions() == ()
    (fee,) = nt.ok("GET", "income", incomeType="INSURANCE_CLEAR")
    assert (fee["income"], fee["symbol"]) == ("-12.50000000", "BTCUSDT")
    rows = nt.ok("GET", "userTrades", symbol="BTCUSDT")[1:]
    assert [(row["qty"], row["orderId"]) for row in rows] == [
        ("0.400", new["i"]), ("0.600", new["i"]),
    ]  # fmt: skip
    losses = nt.ok("GET", "income", incomeType="REALIZED_PNL")
    assert [row["income"] for row in losses] == ["-3999.95080000", "-5999.92620000"]


def test_a_liquidation_in_the_shape_of_calculations(nt: Client) -> None:
    nt.market("A", "BUY", "1")
    connection = nt.listen()
    liquidate(nt, "0.4", shape="calculated", insured=D("0.6"))
    events = nt.events(connection)
    assert told(events) == [
        "ORDER", "CALCULATED PARTIALLY_FILLED", "ORDER", "CALCULATED NEW_INSURANCE",
    ]  # fmt: skip
    sold, insured = nt.venue.trades()[1:]
    assert (sold.commission > 0, insured.commission, insured.price) == (True, D(0), D("40000.123"))
    (row,) = nt.ok("GET", "allOrders", symbol="BTCUSDT")[1:]
    assert (row["status"], row["executedQty"]) == ("FILLED", "1.000")


def test_the_insurance_fund_may_take_the_rest_of_a_liquidation_by_trades(nt: Client) -> None:
    nt.market("A", "SELL", "1")
    connection = nt.listen()
    liquidate(nt, "0.3", insured=D("0.7"), price=D(60000))
    assert told(nt.events(connection)) == [
        "NEW NEW", "ORDER", "TRADE PARTIALLY_FILLED", "ORDER", "CALCULATED NEW_INSURANCE",
    ]  # fmt: skip
    assert nt.venue.trades()[-1].side == "BUY"


def test_a_size_or_a_price_off_the_steps_is_never_rounded() -> None:
    nt = client(trade_lite=True)
    nt.market("A", "BUY", "1")
    connection = nt.listen()
    liquidate(nt, "0.12345")
    assert position_of(nt) == "0.87655"
    assert nt.ok("GET", "/fapi/v3/account")["positions"][0]["positionAmt"] == "0.87655"
    lite = next(event for event in nt.events(connection) if event["e"] == "TRADE_LITE")
    assert (lite["q"], lite["l"], lite["L"], lite["p"]) == (
        "0.12345", "0.12345", "40000.123", "40000.123",
    )  # fmt: skip


def position_of(nt: Client) -> str:
    amount: str = nt.ok("GET", "/fapi/v3/positionRisk")[0]["positionAmt"]
    return amount


def test_a_part_of_a_leg_may_be_liquidated(nt: Client) -> None:
    nt.market("A", "BUY", "1")
    liquidate(nt, "0.25")
    assert nt.venue.positions()[0].quantity == D("0.75")
    with pytest.raises(VenueError, match=r"it holds 0\.75"):
        liquidate(nt, "0.8")
    with pytest.raises(VenueError, match="cannot close 0 of"):
        liquidate(nt)


def test_the_liquidation_of_an_isolated_leg_leaves_other_symbols_alone(hedger: Client) -> None:
    hedger.ok("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    hedger.market("L", "BUY", "1", positionSide="LONG")
    hedger.market("S", "SELL", "1", positionSide="SHORT")
    hedger.limit("O-1", "BUY", "1", "45000", positionSide="LONG")
    hedger.limit("O-2", "BUY", "1", "3000", symbol="ETHUSDT", positionSide="LONG")
    connection = hedger.listen()
    liquidate(hedger, "1", side="LONG", fee=D(3))
    events = hedger.events(connection)
    assert told(events) == [
        "EXPIRED EXPIRED",
        "NEW NEW",
        "ORDER",
        "TRADE FILLED",
        "INSURANCE_CLEAR",
    ]
    closed = events[2]["a"]["P"]
    assert [(p["ps"], p["pa"], p["mt"], p["iw"]) for p in closed] == [
        ("LONG", "0", "isolated", "0")
    ]
    assert [row["clientOrderId"] for row in hedger.ok("GET", "openOrders")] == ["O-2"]
    (left,) = hedger.venue.positions()
    assert left.position_side == "SHORT"
    row = hedger.ok("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")[1]
    assert row["isolatedWallet"] == "2500"


@pytest.mark.parametrize("knob", ["LIMIT", "LIQUIDATION"])
def test_forced_orders_are_listed_for_seven_days(knob: Any) -> None:
    nt = client(liquidation_rows=knob)
    nt.market("A", "BUY", "1")
    liquidate(nt, "0.25")
    begun_ms = nt.now_ms
    nt.wait(1000 * MS_NS)
    deleverage(nt, "0.25", "trade")
    nt.limit("O-1")
    forced, taken = nt.ok("GET", "forceOrders")
    assert (forced["type"], forced["timeInForce"], forced["clientOrderId"]) == (
        knob, "IOC", f"autoclose-{begun_ms}",
    )  # fmt: skip
    assert (taken["type"], taken["clientOrderId"]) == ("MARKET", "adl_autoclose")
    listed = nt.ok("GET", "allOrders", symbol="BTCUSDT")
    assert listed[1]["type"] == knob
    for asked, found in (
        ({"autoCloseType": "LIQUIDATION"}, [forced]),
        ({"autoCloseType": "ADL", "symbol": "BTCUSDT"}, [taken]),
        ({"symbol": "ETHUSDT"}, []),
        ({"limit": 1}, [taken]),
        ({"endTime": begun_ms}, [forced]),
        ({"startTime": begun_ms + 1}, [taken]),
    ):
        assert nt.ok("GET", "forceOrders", **asked) == found
    assert nt.error("GET", "forceOrders", autoCloseType="OTHER") == -1102
    assert nt.error("GET", "forceOrders", limit=101) == -1130
    nt.wait(7 * DAY_NS - 1000 * MS_NS)
    assert nt.ok("GET", "forceOrders") == [forced, taken]
    nt.wait(MS_NS)
    assert nt.ok("GET", "forceOrders") == [taken]


def test_an_account_in_liquidation_takes_no_orders(nt: Client) -> None:
    nt.market("A", "BUY", "1")
    nt.venue.exchange.accounts["main"].state = "liquidation"
    asked = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "1"}
    assert nt.error("POST", "order", **asked, reduceOnly="true") == -2023
    liquidate(nt, "1")
    assert nt.venue.positions() == ()


# -- deleveraging


@pytest.mark.parametrize(
    ("shape", "events", "reason"),
    [
        ("trade", ["NEW NEW", "ORDER", "TRADE FILLED"], "ORDER"),
        ("calculated", ["ADL", "CALCULATED NEW_ADL"], "ADL"),
    ],
)
def test_both_shapes_of_deleveraging(
    nt: Client, shape: str, events: list[str], reason: str
) -> None:
    nt.market("A", "BUY", "1")
    nt.limit("R-1", "SELL", "0.8", "55000", reduceOnly="true")
    nt.limit("O-1", "BUY", "1", "45000")
    connection = nt.listen()
    deleverage(nt, "0.5", shape)
    got = nt.events(connection)
    assert told(got) == [*events, "EXPIRED EXPIRED"]
    assert (got[-1]["o"]["c"], got[-1]["o"]["er"]) == ("R-1", "4")
    assert got[-2]["o"]["c"] == "adl_autoclose"
    trade = nt.venue.trades()[-1]
    assert (trade.quantity, trade.commission, trade.side) == (D("0.5"), D(0), "SELL")
    assert [row["clientOrderId"] for row in nt.ok("GET", "openOrders")] == ["O-1"]


def test_the_client_id_of_deleveraging_is_a_knob() -> None:
    nt = client(adl_client_id="adl_autoclose-7")
    nt.market("A", "BUY", "1")
    deleverage(nt, "1", "trade")
    (row,) = nt.ok("GET", "forceOrders", autoCloseType="ADL")
    assert row["clientOrderId"] == "adl_autoclose-7"


def test_the_queue_of_deleveraging(nt: Client, hedger: Client) -> None:
    assert nt.ok("GET", "adlQuantile") == []
    nt.market("A", "BUY", "1")
    queue = [{"symbol": "BTCUSDT", "adlQuantile": {"LONG": 0, "SHORT": 0, "BOTH": 1}}]
    assert nt.ok("GET", "adlQuantile") == nt.ok("GET", "adlQuantile", symbol="BTCUSDT") == queue
    assert nt.ok("GET", "adlQuantile", symbol="ETHUSDT") == []
    assert nt.ok("GET", "/fapi/v3/positionRisk")[0]["adl"] == 1
    hedger.ok("POST", "marginType", symbol="ETHUSDT", marginType="ISOLATED")
    hedger.market("A", "BUY", "1", positionSide="LONG")
    hedger.market("B", "BUY", "1", symbol="ETHUSDT", positionSide="LONG")
    assert [row["adlQuantile"] for row in hedger.ok("GET", "adlQuantile")] == [
        {"LONG": 1, "SHORT": 1, "HEDGE": 0},
        {"LONG": 1, "SHORT": 0, "BOTH": 0},
    ]


# -- settlement


def test_settlement_closes_every_leg_of_every_account() -> None:
    one, two = two_accounts()
    one.market("A", "BUY", "1")
    two.market("B", "SELL", "2")
    one.limit("O-1", "BUY", "1", "45000")
    conditional(one, "S-1", "44000")
    connection = one.listen()
    one.venue.change(one.now_ns, clearing.settle, "BTCUSDT", D("50123.45678"), one.now_ns)
    events = one.events(connection)
    assert told(events) == ["EXPIRED EXPIRED", "ALGO EXPIRED", "ORDER", "CALCULATED FILLED"]
    assert events[0]["o"]["er"] == "7"
    last = events[-1]["o"]
    assert (last["c"], last["o"], last["L"], last["n"]) == (
        f"settlement_autoclose-{one.now_ms}", "MARKET", "50123.45678", "0",
    )  # fmt: skip
    assert one.venue.positions() == ()
    assert [trade.account for trade in one.venue.trades()[2:]] == ["main", "other"]
    for asked in ({"type": "MARKET"}, {"type": "LIMIT", "price": "50000", "timeInForce": "GTC"}):
        again = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "1", **asked}
        assert one.error("POST", "order", **again) == -4141
    info = one.ok("GET", "exchangeInfo", signed=False)
    assert info["symbols"][0]["status"] == "SETTLING"
    one.venue.check_invariants()


# -- funding


def test_crossed_funding_tells_of_balances_only(nt: Client) -> None:
    nt.market("A", "BUY", "2")
    connection = nt.listen()
    nt.venue.set_price("BTCUSDT", D(50000), nt.now_ns, mark=D(51000))
    fund(nt)
    (event,) = nt.events(connection)
    assert (event["a"]["m"], event["a"]["P"], event["a"]["S"]) == ("FUNDING_FEE", [], "BTCUSDT")
    assert event["a"]["B"][0]["bc"] == "-10.2"
    (row,) = nt.ok("GET", "income", incomeType="FUNDING_FEE")
    assert (row["income"], row["asset"], row["tradeId"]) == ("-10.20000000", "USDT", "")


def test_shorts_are_paid_and_flat_legs_are_not(hedger: Client) -> None:
    hedger.market("L", "BUY", "1", positionSide="LONG")
    hedger.market("S", "SELL", "3", positionSide="SHORT")
    hedger.market("C", "SELL", "1", positionSide="LONG")
    connection = hedger.listen()
    fund(hedger)
    (event,) = hedger.events(connection)
    assert event["a"]["B"][0]["bc"] == "15"


def test_isolated_funding_is_paid_by_its_leg_and_tells_of_it(nt: Client) -> None:
    nt.ok("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    nt.market("A", "BUY", "1")
    connection = nt.listen()
    fund(nt)
    (event,) = nt.events(connection)
    (position,) = event["a"]["P"]
    assert (position["iw"], position["mt"]) == ("2495", "isolated")
    (balance,) = event["a"]["B"]
    assert D(balance["wb"]) - D(balance["cw"]) == 2495
    fund(nt, "1")
    assert nt.ok("GET", "/fapi/v3/positionRisk")[0]["isolatedWallet"] == "0"


def test_a_margin_call_names_the_legs(nt: Client) -> None:
    nt.market("A", "BUY", "1")
    connection = nt.listen()
    nt.venue.set_price("BTCUSDT", D(49000), nt.now_ns)
    nt.venue.change(nt.now_ns, clearing.warn, [leg_of(nt)], nt.now_ns)
    (event,) = nt.events(connection)
    assert event == {
        "e": "MARGIN_CALL",
        "E": nt.now_ms,
        "cw": "999975",
        "p": [
            {"s": "BTCUSDT", "ps": "BOTH", "pa": "1", "mt": "CROSSED", "iw": "0", "mp": "49000",
             "up": "-1000", "mm": "196"}
        ],
    }  # fmt: skip
