"""What the stream says for each cause, in which order, and at which instant."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from venue_client import Client, client

D = Decimal


def told(events: list[Any]) -> list[str]:
    """Return the events in short, in their order."""
    return [
        " ".join((event["o"]["x"], event["o"]["X"], event["o"]["er"]))
        if event["e"] == "ORDER_TRADE_UPDATE"
        else f"{event['e']} {event['a']['m']}"
        if event["e"] == "ACCOUNT_UPDATE"
        else event["e"]
        for event in events
    ]


def modify(nt: Client) -> None:
    nt.ok("PUT", "order", symbol="BTCUSDT", side="BUY", origClientOrderId="O", quantity="2",
          price="49000")  # fmt: skip


def limit(nt: Client, time_in_force: str) -> None:
    nt.venue.set_depth("BTCUSDT", D("0.4"), nt.now_ns)
    nt.limit("N", timeInForce=time_in_force)


def market(nt: Client) -> None:
    nt.venue.set_depth("BTCUSDT", D("0.4"), nt.now_ns)
    nt.market("N")


FILL = ["TRADE_LITE", "ACCOUNT_UPDATE ORDER"]


@pytest.mark.parametrize(
    ("cause", "events"),
    [
        (lambda nt: nt.limit("N", price="45000"), ["NEW NEW 0"]),
        (lambda nt: nt.fill("O", "0.4"), [*FILL, "TRADE PARTIALLY_FILLED 0"]),
        (lambda nt: nt.fill("O", "1"), [*FILL, "TRADE FILLED 0"]),
        (market, ["NEW NEW 0", *FILL, "TRADE PARTIALLY_FILLED 0", "EXPIRED EXPIRED 9"]),
        (
            lambda nt: limit(nt, "IOC"),
            ["NEW NEW 0", *FILL, "TRADE PARTIALLY_FILLED 0", "EXPIRED EXPIRED 2"],
        ),
        (
            lambda nt: nt.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="O"),
            ["CANCELED CANCELED 0"],
        ),
        (modify, ["AMENDMENT NEW 0"]),
        (lambda nt: nt.error("POST", "order", symbol="BTCUSDT"), []),
        (lambda nt: nt.ok("POST", "order/test", symbol="BTCUSDT", side="BUY", type="MARKET",
                          quantity="1"), []),
        (lambda nt: nt.ok("POST", "leverage", symbol="BTCUSDT", leverage=3),
         ["ACCOUNT_CONFIG_UPDATE"]),
        (lambda nt: nt.ok("POST", "feeBurn", feeBurn="true"), []),
        (lambda nt: nt.venue.transfer("main", "USDT", D(5), nt.now_ns), ["ACCOUNT_UPDATE DEPOSIT"]),
        (lambda nt: nt.venue.transfer("main", "USDT", D(-5), nt.now_ns),
         ["ACCOUNT_UPDATE WITHDRAW"]),
        (lambda nt: nt.venue.expire("main", "BTCUSDT", client_order_id="O", now_ns=nt.now_ns,
                                    reason=7), ["EXPIRED EXPIRED 7"]),
        (lambda nt: nt.venue.set_price("BTCUSDT", D(51000), nt.now_ns), []),
    ],
)  # fmt: skip
def test_each_cause_is_told_by_its_events(
    cause: Callable[[Client], None], events: list[str]
) -> None:
    nt = client(trade_lite=True)
    nt.limit("O")
    connection = nt.listen()
    nt.now_ns += 7_000_000
    cause(nt)
    got = nt.events(connection)
    assert told(got) == events
    assert {(event["E"], event["T"]) for event in got} <= {(nt.now_ms, nt.now_ms)}
    nt.venue.check_invariants()


def test_a_cancelled_order_keeps_what_it_filled_and_its_event_adds_nothing(nt: Client) -> None:
    nt.limit("O")
    nt.fill("O", "0.4")
    connection = nt.listen()
    nt.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="O")
    (event,) = nt.events(connection)
    o = event["o"]
    assert (o["l"], o["z"], o["t"], o["n"], o["rp"], o["L"]) == ("0", "0.4", 0, "0", "0", "0")


def test_a_new_order_has_no_commission_and_no_reason(nt: Client) -> None:
    connection = nt.listen()
    nt.limit("O", "SELL", timeInForce="GTX")
    o = nt.events(connection)[0]["o"]
    assert (o["n"], o["N"], o["er"], o["f"], o["a"], o["b"]) == (
        "0",
        "USDT",
        "0",
        "GTX",
        "50000",
        "0",
    )
    assert o["V"] == "EXPIRE_MAKER"


@pytest.mark.parametrize(
    ("knob", "legs"), [("changed", [("LONG", "1")]), ("both", [("LONG", "1"), ("SHORT", "-2")])]
)
def test_which_legs_a_fill_tells_of_is_a_knob(knob: Any, legs: list[tuple[str, str]]) -> None:
    nt = client(position_mode="hedge", hedge_positions=knob)
    nt.market("A", "SELL", "2", positionSide="SHORT")
    connection = nt.listen()
    nt.market("B", "BUY", "1", positionSide="LONG")
    event = next(event for event in nt.events(connection) if event["e"] == "ACCOUNT_UPDATE")
    assert [(p["ps"], p["pa"]) for p in event["a"]["P"]] == legs


def test_hedge_mode_expires_what_would_close_too_much(hedger: Client) -> None:
    hedger.market("A", "BUY", "2", positionSide="LONG")
    hedger.limit("OLD", "SELL", "1", "51000", positionSide="LONG")
    hedger.limit("NEW", "SELL", "1", "51000", positionSide="LONG")
    connection = hedger.listen()
    hedger.market("B", "SELL", "1", positionSide="LONG")
    last = hedger.events(connection)[-1]["o"]
    assert (last["c"], last["X"], last["er"], last["R"]) == ("NEW", "EXPIRED", "4", False)
