"""What happens when an order meets one of its own account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from venue_client import Client, client, order, two_accounts

D = Decimal


def closed(events: list[Any]) -> list[tuple[str, str, str]]:
    """Return client id, status and reason of the orders that expired, in their order."""
    return [
        (event["o"]["c"], event["o"]["X"], event["o"]["er"])
        for event in events
        if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["x"] == "EXPIRED"
    ]


@pytest.mark.parametrize(
    ("mode", "expired", "sold"),
    [
        ("EXPIRE_TAKER", [("T", "EXPIRED_IN_MATCH", "1")], "0"),
        ("EXPIRE_MAKER", [("R", "EXPIRED_IN_MATCH", "1")], "1"),
        ("EXPIRE_BOTH", [("R", "EXPIRED_IN_MATCH", "1"), ("T", "EXPIRED_IN_MATCH", "1")], "0"),
        (None, [("R", "EXPIRED_IN_MATCH", "1")], "1"),
    ],
)
def test_a_market_order_meets_what_rests_at_the_last_price(
    nt: Client, mode: str | None, expired: list[tuple[str, str, str]], sold: str
) -> None:
    nt.limit("R", "BUY", "2", "50000")
    connection = nt.listen()
    nt.market("T", "SELL", "1", **({"selfTradePreventionMode": mode} if mode else {}))
    assert closed(nt.events(connection)) == expired
    assert sum(trade.quantity for trade in nt.venue.trades()) == D(sold)


def test_none_makes_one_trade_with_two_sides(nt: Client) -> None:
    nt.limit("R", "BUY", "2", "50000")
    connection = nt.listen()
    nt.market("T", "SELL", "1", selfTradePreventionMode="NONE")
    made, taken = nt.venue.trades()
    assert made.trade_id == taken.trade_id
    assert made.order_id != taken.order_id
    assert [(t.side, t.maker, t.quantity) for t in (made, taken)] == [
        ("BUY", True, D(1)), ("SELL", False, D(1)),
    ]  # fmt: skip
    fills = [
        event["o"] for event in nt.events(connection) if event.get("o", {}).get("x") == "TRADE"
    ]
    assert [(o["c"], o["t"], o["X"]) for o in fills] == [
        ("R", made.trade_id, "PARTIALLY_FILLED"), ("T", made.trade_id, "FILLED"),
    ]  # fmt: skip
    rows = nt.ok("GET", "userTrades", symbol="BTCUSDT")
    assert [(row["id"], row["buyer"]) for row in rows] == [
        (made.trade_id, True), (made.trade_id, False),
    ]  # fmt: skip
    assert nt.ok("GET", "userTrades", symbol="BTCUSDT", fromId=made.trade_id) == rows
    paid = [row["income"] for row in nt.ok("GET", "income", incomeType="COMMISSION")]
    assert paid == ["-10.00000000", "-25.00000000"]
    assert nt.venue.positions() == ()


def test_the_best_price_is_met_first_and_the_market_fills_the_rest(nt: Client) -> None:
    nt.limit("LOW", "BUY", "1", "50000")
    nt.limit("HIGH", "BUY", "1", "50100")
    nt.limit("AWAY", "BUY", "1", "49999.9")
    nt.market("T", "SELL", "3", selfTradePreventionMode="NONE")
    assert [(t.client_order_id, t.price) for t in nt.venue.trades()] == [
        ("HIGH", D(50100)), ("T", D(50100)), ("LOW", D(50000)), ("T", D(50000)), ("T", D(50000)),
    ]  # fmt: skip
    assert [row["clientOrderId"] for row in nt.ok("GET", "openOrders")] == ["AWAY"]


def test_one_that_rests_meets_them_only_if_it_names_a_mode(nt: Client) -> None:
    nt.limit("R", "BUY", "1", "50000")
    nt.limit("A", "SELL", "1", "49990")
    assert len(nt.ok("GET", "openOrders")) == 2
    nt.limit("B", "SELL", "1", "49990", selfTradePreventionMode="EXPIRE_MAKER")
    assert [row["clientOrderId"] for row in nt.ok("GET", "openOrders")] == ["A", "B"]


def test_an_ioc_order_that_is_kept_from_it_expires_for_a_reason_of_its_own(nt: Client) -> None:
    nt.limit("R", "BUY", "1", "50000")
    connection = nt.listen()
    nt.limit("T", "SELL", "1", "50000", timeInForce="IOC", selfTradePreventionMode="EXPIRE_TAKER")
    assert closed(nt.events(connection)) == [("T", "EXPIRED_IN_MATCH", "3")]


def test_a_fok_order_is_not_kept_from_it(nt: Client) -> None:
    nt.venue.set_depth("BTCUSDT", D(1), nt.now_ns)
    nt.limit("R", "BUY", "1", "50000")
    nt.limit("T", "SELL", "1", "50000", timeInForce="FOK", selfTradePreventionMode="EXPIRE_BOTH")
    assert len({trade.trade_id for trade in nt.venue.trades()}) == 1
    assert len(nt.venue.trades()) == 2


def test_a_trade_with_oneself_may_leave_a_resting_order_nothing_to_close(nt: Client) -> None:
    nt.market("A", "BUY", "2")
    nt.limit("R-1", "SELL", "2", "50000", reduceOnly="true")
    nt.limit("R-2", "SELL", "2", "50000", reduceOnly="true")
    connection = nt.listen()
    nt.market("T", "BUY", "3", selfTradePreventionMode="NONE")
    assert closed(nt.events(connection)) == [("R-2", "EXPIRED", "4")]
    assert nt.venue.positions()[0].quantity == D(3)


def test_other_accounts_are_nobodys_own() -> None:
    one, two = two_accounts()
    one.limit("R", "BUY", "1", "50000")
    two.market("T", "SELL", "1", selfTradePreventionMode="EXPIRE_BOTH")
    assert len(one.ok("GET", "openOrders")) == 1


def test_the_mode_is_shown_and_checked(nt: Client) -> None:
    asked = order("O-1", "BUY", "1", "50000")
    assert nt.error("POST", "order", **asked, selfTradePreventionMode="EXPIRE_ALL") == -1130
    assert nt.limit("O-1")["selfTradePreventionMode"] == "EXPIRE_MAKER"
    assert nt.limit("O-2", selfTradePreventionMode="NONE")["selfTradePreventionMode"] == "NONE"


def test_both_sides_of_one_trade_survive_paging() -> None:
    nt = client()
    for number in range(3):
        nt.limit(f"R-{number}", "BUY", "1", "50000")
        nt.market(f"T-{number}", "SELL", "1", selfTradePreventionMode="NONE")
    seen: set[tuple[int, int]] = set()
    from_id = 0
    for _ in range(10):
        rows = nt.ok("GET", "userTrades", symbol="BTCUSDT", fromId=from_id, limit=3)
        seen |= {(row["orderId"], row["id"]) for row in rows}
        if from_id == rows[-1]["id"]:
            break
        from_id = rows[-1]["id"]
    assert len(seen) == 6
