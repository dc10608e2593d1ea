"""An order's life: acceptance, fills, cancels, amendments, refusals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from venue_client import MS_NS, SECOND_NS, Client, client, order, two_accounts

from sim.venue import VenueError


def test_a_limit_order_rests_until_the_world_fills_it(nt: Client) -> None:
    reply = nt.limit(quantity="1.000", price="50000.0")
    assert reply["status"] == "NEW"
    assert "avgPrice" not in reply
    assert reply["cumQty"] == "0.000"
    nt.wait(SECOND_NS)
    nt.fill("O-1", "0.4")
    part = nt.ok("GET", "order", symbol="BTCUSDT", orderId=reply["orderId"])
    assert (part["status"], part["executedQty"]) == ("PARTIALLY_FILLED", "0.400")
    assert part["time"] == nt.now_ms - 1000
    assert part["updateTime"] == nt.now_ms
    nt.fill("O-1", "0.6", "49990")
    done = nt.ok("GET", "order", symbol="BTCUSDT", origClientOrderId="O-1")
    assert (done["status"], done["avgPrice"]) == ("FILLED", "49994.00000")
    assert Decimal(done["cumQuote"]) == Decimal("49994")
    assert nt.ok("GET", "openOrders") == []


def test_a_market_order_fills_at_once_at_the_last_price_and_is_acknowledged_as_new(
    nt: Client,
) -> None:
    nt.venue.set_price("BTCUSDT", Decimal("51234.5"), nt.now_ns)
    reply = nt.market(quantity="0.5")
    assert (reply["status"], reply["executedQty"]) == ("NEW", "0.000")
    (trade,) = nt.ok("GET", "userTrades", symbol="BTCUSDT")
    assert (trade["price"], trade["maker"]) == ("51234.50", False)
    assert nt.market("M-2", newOrderRespType="RESULT")["status"] == "FILLED"


def test_cancel_keeps_what_was_filled_and_happens_once(nt: Client) -> None:
    order_id = nt.limit()["orderId"]
    nt.fill("O-1", "0.25")
    reply = nt.ok("DELETE", "order", symbol="BTCUSDT", orderId=order_id, origClientOrderId="O-1")
    assert (reply["status"], reply["executedQty"]) == ("CANCELED", "0.250")
    assert nt.error("DELETE", "order", symbol="BTCUSDT", orderId=order_id) == -2011
    assert nt.error("DELETE", "order", symbol="BTCUSDT", origClientOrderId="nobody") == -2011
    assert nt.error("GET", "openOrder", symbol="BTCUSDT", orderId=order_id) == -2013
    assert nt.error("GET", "order", symbol="BTCUSDT", orderId=1) == -2013
    assert nt.error("GET", "order", symbol="BTCUSDT") == -1102


def test_amend_changes_price_and_quantity(nt: Client) -> None:
    order_id = nt.limit()["orderId"]
    nt.fill("O-1", "0.5")
    same = {"symbol": "BTCUSDT", "side": "BUY", "orderId": order_id}
    reply = nt.ok("PUT", "order", **same, quantity="2", price="49000")
    assert (reply["origQty"], reply["price"], reply["status"]) == (
        "2.000", "49000.00", "PARTIALLY_FILLED",
    )  # fmt: skip
    assert nt.error("PUT", "order", **same, quantity="2", price="49000") == -5027
    assert nt.error("PUT", "order", **same, quantity="2", price="49000.05") == -4014
    reply = nt.ok("PUT", "order", **same, quantity="0.5", price="49000")
    assert reply["status"] == "CANCELED"
    assert nt.error("PUT", "order", **same, quantity="3", price="49000") == -2013


def test_ids_grow_per_symbol_and_differ_by_seed_only() -> None:
    ids = []
    for _ in range(2):
        nt = client()
        ids.append([nt.limit(f"O-{n}")["orderId"] for n in range(20)])
        for n in range(20):
            nt.fill(f"O-{n}", "1")
        trade_ids = [trade.trade_id for trade in nt.venue.trades()]
        assert trade_ids == sorted(set(trade_ids))
        assert trade_ids[-1] - trade_ids[0] > 20
    assert ids[0] == ids[1] == sorted(set(ids[0]))
    assert 11 <= len(str(ids[0][0])) <= 12


def test_coarse_steps_are_checked_apart_from_precision() -> None:
    symbol = client().venue.config.symbols[0]
    coarse = type(symbol)(
        **{name: getattr(symbol, name) for name in symbol.__struct_fields__}
        | {"step_size": Decimal("0.005"), "min_quantity": Decimal("0.010"), "status": "TRADING"}
    )
    nt = client(symbols=(coarse,))
    assert nt.error("POST", "order", **order("O-1", "BUY", "0.012", "50000")) == -4023
    assert nt.error("POST", "order", **order("O-1", "BUY", "0.005", "50000")) == -4004


def test_a_halted_symbol_takes_no_orders() -> None:
    symbol = client().venue.config.symbols[0]
    halted = type(symbol)(
        **{name: getattr(symbol, name) for name in symbol.__struct_fields__}
        | {"status": "TRADING_HALT"}
    )
    nt = client(symbols=(halted,))
    assert nt.error("POST", "order", **order("O-1", "BUY", "1", "50000")) == -4140


def test_without_a_book_the_rest_of_an_ioc_order_expires(nt: Client) -> None:
    connection = nt.listen()
    nt.limit(timeInForce="IOC")
    new, expired = nt.events(connection)
    assert new["o"]["x"] == "NEW"
    assert (expired["o"]["x"], expired["o"]["X"], expired["o"]["er"]) == (
        "EXPIRED", "EXPIRED", "2",
    )  # fmt: skip


def test_a_gtd_order_expires_on_its_second(nt: Client) -> None:
    connection = nt.listen()
    nt.limit(timeInForce="GTD", goodTillDate=nt.now_ms + 700_500)
    due_ns = nt.now_ns + 700 * SECOND_NS
    assert nt.venue.next_deadline_ns() == due_ns
    nt.wait(700 * SECOND_NS - 1)
    assert len(nt.events(connection)) == 1
    nt.wait(1)
    (expired,) = nt.events(connection)
    assert (expired["o"]["X"], expired["o"]["gtd"]) == ("EXPIRED", due_ns // MS_NS)


def test_reduce_only_is_clipped_to_the_position(nt: Client) -> None:
    nt.market(quantity="0.5")
    reply = nt.limit("R-1", "SELL", "2", reduceOnly="True")
    assert (reply["origQty"], reply["reduceOnly"]) == ("0.500", True)
    assert nt.error("POST", "order", **order("R-2", "BUY", "1", None, reduceOnly="true")) == -2022


def test_a_reduce_only_order_expires_when_its_position_is_gone(nt: Client) -> None:
    nt.market(quantity="1")
    nt.limit("R-1", "SELL", "1", "51000", reduceOnly="True")
    connection = nt.listen()
    nt.market("M-2", "SELL", "0.4")
    last = nt.events(connection)[-1]["o"]
    assert (last["c"], last["x"], last["er"]) == ("R-1", "EXPIRED", "4")


def test_manual_orders_look_like_any_other_but_for_their_id(nt: Client) -> None:
    connection = nt.listen()
    made = nt.venue.web_submit(
        "main", "BTCUSDT", side="BUY", quantity=Decimal("1"), now_ns=nt.now_ns
    )
    assert made.client_order_id.startswith("web_")
    assert made.status == "FILLED"
    assert [event["e"] for event in nt.events(connection)] == [
        "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE",
    ]  # fmt: skip
    resting = nt.venue.web_submit(
        "main", "BTCUSDT", side="SELL", quantity=Decimal("1"), price=Decimal("51000"),
        now_ns=nt.now_ns,
    )  # fmt: skip
    nt.venue.web_cancel("main", "BTCUSDT", order_id=resting.order_id, now_ns=nt.now_ns)
    [cancelled] = [o for o in nt.venue.orders() if o.order_id == resting.order_id]
    assert cancelled.status == "CANCELED"
    with pytest.raises(VenueError, match="-4164"):
        nt.venue.web_submit(
            "main",
            "BTCUSDT",
            side="BUY",
            quantity=Decimal("0.001"),
            now_ns=nt.now_ns,
            price=Decimal(40_000),
        )


def test_the_world_is_told_when_it_asks_for_the_impossible(nt: Client) -> None:
    nt.limit()
    for quantity, words in (("2", "only 1 of 1 is left"), ("0", "positive"), ("0.0005", "step")):
        with pytest.raises(VenueError, match=words):
            nt.fill("O-1", quantity)
    with pytest.raises(VenueError, match="has no order O-9"):
        nt.fill("O-9", "1")
    with pytest.raises(VenueError, match="no account 'nobody'"):
        nt.venue.fill(
            "nobody", "BTCUSDT", client_order_id="O-1", quantity=Decimal(1), now_ns=nt.now_ns
        )
    with pytest.raises(VenueError, match="no symbol DOGEUSDT"):
        nt.fill("O-1", "1", symbol="DOGEUSDT")
    nt.fill("O-1", "1")
    with pytest.raises(VenueError, match="is FILLED, not open"):
        nt.fill("O-1", "1")
    with pytest.raises(VenueError, match="is FILLED, not open"):
        nt.venue.web_cancel("main", "BTCUSDT", client_order_id="O-1", now_ns=nt.now_ns)
    with pytest.raises(VenueError, match="price"):
        nt.venue.set_price("BTCUSDT", Decimal(0), nt.now_ns)


def test_accounts_do_not_see_each_other() -> None:
    one, two = two_accounts()
    one.limit("O-1")
    two.limit("O-1", "SELL")
    assert two.ok("GET", "openOrders")[0]["side"] == "SELL"
    one.fill("O-1", "1")
    assert [(p.account, p.quantity) for p in one.venue.positions()] == [("main", Decimal(1))]
    assert two.ok("GET", "userTrades", symbol="BTCUSDT") == []


# -- hedge mode


def test_hedge_mode_keeps_two_legs(hedger: Client) -> None:
    hedger.market("A", "BUY", "2", positionSide="LONG")
    hedger.market("B", "SELL", "1", positionSide="SHORT")
    hedger.market("C", "SELL", "0.5", positionSide="LONG")
    assert [(p.position_side, p.quantity) for p in hedger.venue.positions()] == [
        ("LONG", Decimal("1.5")),
        ("SHORT", Decimal("-1")),
    ]
    rows = hedger.ok("GET", "/fapi/v3/positionRisk")
    assert [(row["positionSide"], row["positionAmt"]) for row in rows] == [
        ("LONG", "1.500"),
        ("SHORT", "-1.000"),
    ]


def test_closing_more_than_a_leg_holds_is_clipped(hedger: Client) -> None:
    hedger.market("A", "BUY", "1", positionSide="LONG")
    reply = hedger.limit("B", "SELL", "3", positionSide="LONG")
    assert (reply["origQty"], reply["reduceOnly"]) == ("1.000", False)


def test_the_position_mode_changes_only_when_flat_and_idle(nt: Client) -> None:
    switch = ("POST", "positionSide/dual")
    assert nt.error(*switch, dualSidePosition="false") == -4059
    assert nt.error(*switch, dualSidePosition="both") == -1102
    nt.limit()
    assert nt.error(*switch, dualSidePosition="true") == -4067
    nt.fill("O-1", "1")
    assert nt.error(*switch, dualSidePosition="true") == -4068
    nt.market("M", "SELL")
    assert nt.ok(*switch, dualSidePosition="true") == {"code": 200, "msg": "success"}
    assert nt.ok("GET", "positionSide/dual") == {"dualSidePosition": True}


@pytest.mark.parametrize(("side", "worse"), [("BUY", "50000.1"), ("SELL", "49999.9")])
def test_no_order_fills_beyond_its_limit(nt: Client, side: str, worse: str) -> None:
    nt.limit(side=side, price="50000")
    with pytest.raises(VenueError, match=f"it is a {side} limited to 50000"):
        nt.fill("O-1", "0.5", worse)
    assert not nt.venue.trades()
