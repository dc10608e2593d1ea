"""Orders that execute at once: what they find on the other side, and what they may not take."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from venue_client import Client

from sim.venue import VenueError


def depth(nt: Client, quantity: str) -> None:
    nt.venue.set_depth("BTCUSDT", Decimal(quantity), nt.now_ns)


def shown(nt: Client, client_order_id: str) -> tuple[Any, Any]:
    reply = nt.ok("GET", "order", symbol="BTCUSDT", origClientOrderId=client_order_id)
    return reply["status"], reply["executedQty"]


def test_an_ioc_order_takes_what_is_there_and_expires(nt: Client) -> None:
    connection = nt.listen()
    depth(nt, "0.4")
    nt.limit(quantity="1", price="50000", timeInForce="IOC")
    updates = [e["o"] for e in nt.events(connection) if e["e"] == "ORDER_TRADE_UPDATE"]
    assert [(o["x"], o["X"], o["z"], o["er"]) for o in updates] == [
        ("NEW", "NEW", "0", "0"),
        ("TRADE", "PARTIALLY_FILLED", "0.4", "0"),
        ("EXPIRED", "EXPIRED", "0.4", "2"),
    ]
    nt.limit("O-2", quantity="1", price="50000", timeInForce="IOC")
    assert shown(nt, "O-2") == ("EXPIRED", "0.000")


def test_an_ioc_order_that_finds_enough_is_filled_at_the_last_price(nt: Client) -> None:
    depth(nt, "5")
    nt.limit(quantity="1", price="50500", timeInForce="IOC")
    assert shown(nt, "O-1") == ("FILLED", "1.000")
    (trade,) = nt.ok("GET", "userTrades", symbol="BTCUSDT")
    assert (trade["price"], trade["maker"]) == ("50000.00", False)


@pytest.mark.parametrize(("side", "price"), [("BUY", "49999.9"), ("SELL", "50000.1")])
def test_an_ioc_order_that_does_not_reach_the_last_price_takes_nothing(
    nt: Client, side: str, price: str
) -> None:
    depth(nt, "5")
    nt.limit(side=side, price=price, timeInForce="IOC")
    assert shown(nt, "O-1") == ("EXPIRED", "0.000")


def test_a_fok_order_is_filled_in_full_or_refused(nt: Client) -> None:
    terms = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "FOK"}
    depth(nt, "0.999")
    assert nt.error("POST", "order", **terms, quantity="1", price="50000") == -5021
    depth(nt, "1")
    nt.ok("POST", "order", **terms, quantity="1", price="50000", newClientOrderId="F-1")
    assert shown(nt, "F-1") == ("FILLED", "1.000")
    assert nt.error("POST", "order", **terms, quantity="1", price="50000") == -5021


def test_a_market_order_takes_what_is_there_and_expires(nt: Client) -> None:
    connection = nt.listen()
    depth(nt, "0.3")
    nt.market(quantity="1")
    last = nt.events(connection)[-1]["o"]
    assert (last["X"], last["z"], last["er"]) == ("EXPIRED", "0.3", "9")


def test_without_a_depth_a_market_order_finds_enough(nt: Client) -> None:
    nt.market(quantity="7")
    assert shown(nt, "M-1")[0] == "FILLED"


@pytest.mark.parametrize(
    ("side", "price", "refused"),
    [
        ("BUY", "50000.1", True),
        ("BUY", "50000", False),
        ("SELL", "49999.9", True),
        ("SELL", "50000", False),
    ],
)
def test_a_post_only_order_beyond_the_last_price_is_refused(
    nt: Client, side: str, price: str, refused: bool
) -> None:
    terms = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTX"}
    if refused:
        assert nt.error("POST", "order", **terms, quantity="1", price=price) == -5022
        assert nt.ok("GET", "allOrders", symbol="BTCUSDT") == []
    else:
        assert nt.ok("POST", "order", **terms, quantity="1", price=price)["status"] == "NEW"


def test_what_is_no_depth_is_refused(nt: Client) -> None:
    with pytest.raises(VenueError, match="-1 is not a depth"):
        depth(nt, "-1")
    with pytest.raises(VenueError, match="no symbol NOPE"):
        nt.venue.set_depth("NOPE", Decimal(1), nt.now_ns)


def test_a_post_only_order_amended_beyond_the_last_price_is_cancelled(nt: Client) -> None:
    order_id = nt.limit(price="49000", timeInForce="GTX")["orderId"]
    same = {"symbol": "BTCUSDT", "side": "BUY", "orderId": order_id, "quantity": "1"}
    assert nt.ok("PUT", "order", **same, price="50000")["status"] == "NEW"
    assert nt.ok("PUT", "order", **same, price="50000.1")["status"] == "CANCELED"
