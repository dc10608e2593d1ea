"""Every refusal of a new order, with Binance's code and text."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from venue_client import START_NS, Client, client, order, two_accounts

from sim.venue import Venue, VenueConfig, VenueError, VenueInvariantError
from sim.venue.calls import LeavingNothing
from sim.venue.config import symbol_config
from sim.venue.errors import TEXTS, Rejection

D = Decimal

MANDATORY = "Mandatory parameter '%s' was not sent, was empty/null, or malformed."
INVALID = "Data sent for parameter '%s' is not valid."
UNWANTED = "Parameter '%s' sent when not required."

REFUSALS: list[tuple[dict[str, Any], int, str]] = [
    ({"symbol": ""}, -1102, MANDATORY % "symbol"),
    ({"symbol": "DOGEUSDT"}, -1121, "Invalid symbol."),
    ({"side": ""}, -1102, MANDATORY % "side"),
    ({"side": "HOLD"}, -1117, "Invalid side."),
    ({"type": ""}, -1102, MANDATORY % "type"),
    ({"type": "OCO"}, -1116, "Invalid orderType."),
    ({"closePosition": "true"}, -4136,
     "Target strategy invalid for orderType 'LIMIT',closePosition 'true'."),
    ({"timeInForce": ""}, -1102, MANDATORY % "timeInForce"),
    ({"timeInForce": "GTE_GTC"}, -1115, "Invalid timeInForce."),
    ({"type": "MARKET", "price": ""}, -1106, UNWANTED % "timeInForce"),
    ({"timeInForce": "GTD"}, -1102, MANDATORY % "goodTillDate"),
    ({"timeInForce": "GTD", "goodTillDate": "1700000600000"}, -5040,
     "The goodTillDate timestamp must be greater than the current time plus 600 seconds and "
     "smaller than 253402300799000"),
    ({"timeInForce": "GTD", "goodTillDate": "253402300799000"}, -5040, TEXTS[-5040]),
    ({"timeInForce": "FOK"}, -5021,
     "Due to the order could not be filled immediately, the FOK order has been rejected. The "
     "order will not be recorded in the order history"),
    ({"timeInForce": "GTX", "price": "50000.1"}, -5022,
     "Due to the order could not be executed as maker, the Post Only order will be rejected. "
     "The order will not be recorded in the order history"),
    ({"quantity": ""}, -1102, MANDATORY % "quantity"),
    ({"quantity": "one"}, -1102, MANDATORY % "quantity"),
    ({"quantity": "1e3"}, -1102, MANDATORY % "quantity"),
    ({"quantity": "0"}, -4003, "Quantity less than or equal to zero."),
    ({"quantity": "-1"}, -4003, "Quantity less than or equal to zero."),
    ({"quantity": "0.0001"}, -1111, "Precision is over the maximum defined for this asset."),
    ({"quantity": "1000.001"}, -4005, "Quantity greater than max quantity."),
    ({"quantity": "0.001", "price": "49999.9"}, -4164,
     "Order's notional must be no smaller than 100 (unless you choose reduce only)."),
    ({"price": ""}, -1102, MANDATORY % "price"),
    ({"price": "0"}, -4001, "Price less than 0."),
    ({"price": "50000.001"}, -1111, "Precision is over the maximum defined for this asset."),
    ({"price": "50000.05"}, -4014, "Price not increased by tick size."),
    ({"price": "4529764.1"}, -4002, "Price greater than max price."),
    ({"price": "55000.1"}, -4016, "Limit price can't be higher than 55000."),
    ({"side": "SELL", "price": "44999.9"}, -4024, "Limit price can't be lower than 45000."),
    ({"priceMatch": "QUEUE"}, -1106, UNWANTED % "price"),
    ({"priceMatch": "BEST", "price": ""}, -1130, INVALID % "priceMatch"),
    ({"selfTradePreventionMode": "ALL"}, -1130, INVALID % "selfTradePreventionMode"),
    ({"newClientOrderId": "x" * 37}, -4015, "Client order id length should be less than 36 chars."),
    ({"newClientOrderId": "a b"}, -1100,
     "Illegal characters found in parameter 'newClientOrderId'; legal range is "
     r"'^[\.A-Z\:/a-z0-9_-]{1,36}$'."),
    ({"newClientOrderId": "taken"}, -4116, "ClientOrderId is duplicated."),
    ({"positionSide": "LONG"}, -4061, "Order's position side does not match user's setting."),
    ({"positionSide": "UP"}, -4060, "Invalid position side."),
    ({"reduceOnly": "perhaps"}, -1102, MANDATORY % "reduceOnly"),
    ({"reduceOnly": "true"}, -2022, "ReduceOnly Order is rejected."),
    ({"quantity": "500"}, -2019, "Margin is insufficient."),
    ({"quantity": "900"}, -2027, "Exceeded the maximum allowable position at current leverage."),
    *[
        ({"type": kind}, -4120,
         "Order type not supported for this endpoint. Please use the Algo Order API endpoints "
         "instead.")
        for kind in ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET",
                     "TRAILING_STOP_MARKET")
    ],
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code", "text"), REFUSALS)
def test_a_refusal_says_why_and_leaves_nothing(
    nt: Client, changes: dict[str, Any], code: int, text: str
) -> None:
    nt.limit("taken", price="45000")
    connection = nt.listen()
    response = nt.send("POST", "order", **order("O-1", "BUY", "1", "50000") | changes)
    assert response.status == 400
    assert msgspec.json.decode(response.body) == {"code": code, "msg": text}
    assert len(nt.venue.orders()) == 1
    assert nt.events(connection) == []
    if code not in (-5021, -5022, -4116, -2022):  # those are the matching engine's
        tested = nt.send("POST", "order/test", **order("O-1", "BUY", "1", "50000") | changes)
        assert tested.body == response.body


def test_a_market_too_far_from_the_mark_price_takes_no_market_order(nt: Client) -> None:
    for side, last in (("BUY", "55000.1"), ("SELL", "44999.9")):
        nt.venue.set_price("BTCUSDT", D(last), nt.now_ns, mark=D(50000))
        response = nt.send("POST", "order", **order("M-1", side, "1", None))
        assert msgspec.json.decode(response.body) == {
            "code": -4131,
            "msg": "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
        }
    nt.venue.set_price("BTCUSDT", D(55000), nt.now_ns, mark=D(50000))
    nt.market("M-1", "BUY")


def test_the_bands_are_those_that_exchange_info_shows() -> None:
    symbol = msgspec.structs.replace(
        symbol_config("BTCUSDT"), multiplier_up=D("1.05"), multiplier_down=D("0.95")
    )
    nt = client(symbols=(symbol,))
    (shown,) = nt.ok("GET", "exchangeInfo", signed=False)["symbols"]
    filters = {each["filterType"]: each for each in shown["filters"]}
    assert filters["PERCENT_PRICE"]["multiplierUp"] == "1.0500"
    assert filters["PERCENT_PRICE"]["multiplierDown"] == "0.9500"
    assert nt.error("POST", "order", **order("O-1", "BUY", "1", "52500.1")) == -4016
    nt.limit("O-1", "BUY", "1", "52500")
    assert nt.error("POST", "order", **order("O-2", "SELL", "1", "47499.9")) == -4024
    nt.limit("O-2", "SELL", "1", "47500")


def test_a_far_limit_on_the_resting_side_is_no_trouble(nt: Client) -> None:
    nt.limit("O-1", "BUY", "1", "10000")
    nt.limit("O-2", "SELL", "0.1", "200000")


@pytest.mark.parametrize(
    ("match", "side", "price"),
    [
        ("OPPONENT", "BUY", "50000.10"),
        ("OPPONENT_5", "BUY", "50000.50"),
        ("OPPONENT_20", "SELL", "49998.00"),
        ("QUEUE", "BUY", "49999.90"),
        ("QUEUE_10", "SELL", "50001.00"),
    ],
)
def test_a_price_match_takes_its_price_from_the_book(
    nt: Client, match: str, side: str, price: str
) -> None:
    connection = nt.listen()
    asked = order("O-1", side, "1", None) | {"type": "LIMIT", "timeInForce": "GTC"}
    reply = nt.ok("POST", "order", **asked, priceMatch=match)
    assert (reply["price"], reply["priceMatch"]) == (price, match)
    (event,) = nt.events(connection)
    assert (D(event["o"]["p"]), event["o"]["pm"]) == (D(price), match)


def test_words_are_read_in_any_case(nt: Client) -> None:
    asked = {"symbol": "BTCUSDT", "SIDE": "buy", "Type": "limit", "timeinforce": "gtc",
             "quantity": "1", "price": "49000", "reduceOnly": "False"}  # fmt: skip
    assert nt.ok("POST", "order", **asked)["side"] == "BUY"


def test_an_id_is_made_up_for_who_sends_none(nt: Client) -> None:
    asked = {name: value for name, value in order("", "BUY", "1", "49000").items() if value}
    made = nt.ok("POST", "order", **asked)["clientOrderId"]
    assert len(made) == 22


def test_the_api_keys_of_one_account_do_not_open_another() -> None:
    one, two = two_accounts()
    order_id = one.limit("O-1")["orderId"]
    assert two.error("DELETE", "order", symbol="BTCUSDT", orderId=order_id) == -2011
    assert two.error("GET", "order", symbol="BTCUSDT", orderId=order_id) == -2013


@pytest.mark.parametrize(("changes", "raised"), [(True, VenueInvariantError), (False, Rejection)])
def test_what_is_refused_and_yet_recorded_is_a_bug_of_the_venue(
    nt: Client, changes: bool, raised: type[Exception]
) -> None:
    def refuse() -> None:
        with LeavingNothing(nt.venue.exchange):
            if changes:
                nt.limit()
            raise Rejection(-2019)

    with pytest.raises(raised, match="-2019"):
        refuse()


def test_the_hand_meets_the_same_checks() -> None:
    venue = Venue(VenueConfig(), random.Random(1))
    with pytest.raises(VenueError, match="-2019"):
        venue.web_place("main", order("O-1", "BUY", "500", "50000"), START_NS)
    venue.web_place("main", order("O-1", "BUY", "1", "50000"), START_NS)
    for changes, code in (
        ({"price": D("49000.05")}, "-4014"),
        ({"price": D(60000)}, "-4016"),
        ({"quantity": D("0.0001")}, "-1111"),
        ({"quantity": D(500)}, "-2019"),
        ({}, "-5027"),
    ):
        with pytest.raises(VenueError, match=code):
            venue.web_modify(
                "main", "BTCUSDT", client_order_id="O-1", now_ns=START_NS, **changes
            )  # fmt: skip
