"""Named points: their text, and what it means."""

from __future__ import annotations

import pytest

from sim.scenario.points import Point, parse_point


@pytest.mark.parametrize(
    ("text", "point"),
    [
        (
            "before reply 2 of GET /fapi/v1/userTrades",
            Point("before reply", 2, "", "GET", "/fapi/v1/userTrades"),
        ),
        (
            "after reply 10 of POST /fapi/v1/order",
            Point("after reply", 10, "", "POST", "/fapi/v1/order"),
        ),
        (
            "after request 1 of PUT /fapi/v1/listenKey",
            Point("after request", 1, "", "PUT", "/fapi/v1/listenKey"),
        ),
        (
            "before request 3 of recon GET /fapi/v1/order",
            Point("before request", 3, "recon", "GET", "/fapi/v1/order"),
        ),
        (
            "before event 2 of ACCOUNT_UPDATE",
            Point("before event", 2, event="ACCOUNT_UPDATE"),
        ),
        (
            "after event 12 of ORDER_TRADE_UPDATE TRADE",
            Point("after event", 12, event="ORDER_TRADE_UPDATE", execution="TRADE"),
        ),
        ("after write 3", Point("after write", 3)),
        ("after write 1 of positions", Point("after write", 1, key="positions")),
        ("after write 2 of orders:O-1", Point("after write", 2, key="orders:O-1")),
        ("after write 3 at B", Point("after write", 3, node="B")),
        ("after write 3 of positions at B", Point("after write", 3, key="positions", node="B")),
        (
            "before reply 1 of recon GET /fapi/v1/order at B2",
            Point("before reply", 1, "recon", "GET", "/fapi/v1/order", node="B2"),
        ),
        (
            "before event 2 of ORDER_TRADE_UPDATE TRADE at A",
            Point("before event", 2, event="ORDER_TRADE_UPDATE", execution="TRADE", node="A"),
        ),
    ],
)
def test_a_point_is_read(text: str, point: Point):
    assert parse_point(text) == point
    assert str(point) == text
    assert point.is_of_a_request == ("/" in text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "after write",
        "after write 0",
        "after write 01",
        "after write 3 of GET /fapi/v1/order",
        "after write 3 of",
        "after write 3 at",
        "after write 3 at b",
        "after write 3 at A#0",
        "at B after write 3",
        "before write 3",
        "before reply 1 of /fapi/v1/order",
        "before reply 1 of get /fapi/v1/order",
        "before request 1",
        "before request 1 of NT GET /fapi/v1/order",
        "before request 1 of a b GET /fapi/v1/order",
        "before event 1",
        "before event 1 of GET /fapi/v1/order",
        "after event 1 of ORDER_TRADE_UPDATE TRADE TRADE",
        "before reply 1 of GET /fapi/v1/order?a=b",
        "before reply 1 of GET /fapi/v1/order\n",
    ],
)
def test_what_is_no_point_is_refused(text: str):
    with pytest.raises(ValueError, match="is not a named point"):
        parse_point(text)
