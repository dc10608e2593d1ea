"""Conditional orders: what waits, what triggers it, and what becomes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from venue_client import SECOND_NS, Client, client, order

D = Decimal


def terms(
    client_id: str = "S-1", side: str = "SELL", kind: str = "STOP_MARKET", **more: Any
) -> Any:
    asked = {
        "symbol": "BTCUSDT",
        "algoType": "CONDITIONAL",
        "side": side,
        "type": kind,
        "quantity": "1",
        "triggerPrice": "49000",
        "clientAlgoId": client_id,
    }
    asked |= more
    return {name: value for name, value in asked.items() if value is not None}


def place(nt: Client, *args: Any, **more: Any) -> Any:
    return nt.ok("POST", "algoOrder", **terms(*args, **more))


def trail(side: str = "SELL", **more: Any) -> Any:
    return terms("T-1", side, "TRAILING_STOP_MARKET", triggerPrice=None, callbackRate="1", **more)


def price(nt: Client, last: str, mark: str | None = None) -> None:
    nt.venue.set_price("BTCUSDT", D(last), nt.now_ns, mark=None if mark is None else D(mark))


def told(events: list[Any]) -> list[str]:
    """Return the events in short, in their order."""
    return [
        f"ALGO {event['o']['X']}"
        if event["e"] == "ALGO_UPDATE"
        else f"{event['o']['x']} {event['o']['X']}"
        if event["e"] == "ORDER_TRADE_UPDATE"
        else event["e"]
        for event in events
    ]


def status(nt: Client, client_id: str = "S-1") -> str:
    found: str = nt.ok("GET", "algoOrder", clientAlgoId=client_id)["algoStatus"]
    return found


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "short_of", "reached"),
    [
        ("STOP_MARKET", "SELL", "49000", "49000.1", "49000"),
        ("STOP_MARKET", "BUY", "51000", "50999.9", "51000"),
        ("TAKE_PROFIT_MARKET", "SELL", "51000", "50999.9", "51000"),
        ("TAKE_PROFIT_MARKET", "BUY", "49000", "49000.1", "49000"),
    ],
)
def test_a_price_triggers_from_the_side_that_the_type_waits_for(
    nt: Client, kind: str, side: str, trigger: str, short_of: str, reached: str
) -> None:
    place(nt, side=side, kind=kind, triggerPrice=trigger)
    price(nt, short_of)
    assert status(nt) == "NEW"
    price(nt, reached)
    assert status(nt) == "FINISHED"
    (trade,) = nt.venue.trades()
    assert (trade.side, trade.price, trade.client_order_id) == (side, D(reached), "S-1")


def test_the_events_of_a_trigger_come_in_binances_order(nt: Client) -> None:
    connection = nt.listen()
    place(nt)
    price(nt, "48990")
    events = nt.events(connection)
    assert told(events) == [
        "ALGO NEW",
        "ALGO TRIGGERING",
        "ALGO TRIGGERED",
        "NEW NEW",
        "ACCOUNT_UPDATE",
        "TRADE FILLED",
        "ALGO FINISHED",
    ]
    child = events[3]["o"]
    assert (child["c"], str(child["i"])) == ("S-1", events[2]["o"]["ai"])
    assert events[0]["o"]["ai"] == ""
    done = events[-1]["o"]
    assert (done["aq"], D(done["ap"]), done["act"]) == ("1", D(48990), "MARKET")


def test_a_limit_child_rests_and_finishes_its_order_when_it_is_closed(nt: Client) -> None:
    place(nt, kind="STOP", price="48900")
    price(nt, "48990")
    (child,) = nt.ok("GET", "openOrders")
    assert (child["type"], child["price"], child["clientOrderId"]) == ("LIMIT", "48900.00", "S-1")
    row = nt.ok("GET", "algoOrder", clientAlgoId="S-1")
    assert (row["algoStatus"], row["actualOrderId"]) == ("TRIGGERED", str(child["orderId"]))
    assert nt.error("DELETE", "algoOrder", clientAlgoId="S-1") == -2011
    connection = nt.listen()
    nt.ok("DELETE", "order", symbol="BTCUSDT", orderId=child["orderId"])
    assert told(nt.events(connection)) == ["CANCELED CANCELED", "ALGO FINISHED"]
    row = nt.ok("GET", "algoOrder", clientAlgoId="S-1")
    assert (row["algoStatus"], row["actualQty"]) == ("FINISHED", "0.000")


@pytest.mark.parametrize(
    ("shown", "origin", "stop"),
    [("plain", "MARKET", "0.00"), ("conditional", "STOP_MARKET", "49000.00")],
)
def test_how_a_triggered_order_looks_is_a_knob(shown: Any, origin: str, stop: str) -> None:
    nt = client(triggered_order_shows=shown)
    place(nt)
    price(nt, "48990")
    (row,) = nt.ok("GET", "allOrders", symbol="BTCUSDT")
    assert (row["origType"], row["stopPrice"], row["type"]) == (origin, stop, "MARKET")


def test_the_venues_id_prevails_and_no_symbol_is_needed(nt: Client) -> None:
    one, two = place(nt, "S-1")["algoId"], place(nt, "S-2")["algoId"]
    assert two > one >= 10**15
    assert nt.ok("GET", "algoOrder", algoId=one, clientAlgoId="S-2")["clientAlgoId"] == "S-1"
    answer = nt.ok("DELETE", "algoOrder", algoId=one, clientAlgoId="S-1")
    assert answer == {"algoId": one, "clientAlgoId": "S-1", "code": "200", "msg": "success"}
    assert nt.error("DELETE", "algoOrder", algoId=one) == -2011
    assert nt.error("GET", "algoOrder", algoId=1) == -2013
    assert nt.error("GET", "algoOrder") == -1102
    assert [row["algoId"] for row in nt.ok("GET", "openAlgoOrders")] == [two]
    assert nt.ok("GET", "openAlgoOrders", algoId=one) == []
    rows = nt.ok("GET", "allAlgoOrders", symbol="BTCUSDT")
    assert [(row["algoId"], row["algoStatus"]) for row in rows] == [(one, "CANCELED"), (two, "NEW")]
    assert nt.ok("DELETE", "algoOpenOrders", symbol="BTCUSDT")["code"] == 200
    assert nt.ok("GET", "openAlgoOrders") == []


def test_what_only_a_trailing_stop_has_is_missing_in_rows_of_others(nt: Client) -> None:
    reply = place(nt)
    assert (reply["callbackRate"], reply["activatePrice"]) == ("", "")
    assert not {"callbackRate", "activatePrice"} & set(
        nt.ok("GET", "algoOrder", clientAlgoId="S-1")
    )
    nt.ok("POST", "algoOrder", **trail())
    assert nt.ok("GET", "algoOrder", clientAlgoId="T-1")["callbackRate"] == "1"


def test_a_client_id_is_taken_while_its_order_waits() -> None:
    for code in (-4116, -1130):
        nt = client(duplicate_algo_code=code)
        place(nt)
        assert nt.error("POST", "algoOrder", **terms()) == code
        nt.ok("DELETE", "algoOrder", clientAlgoId="S-1")
        place(nt)


def test_an_account_has_two_hundred_that_wait_on_all_symbols(nt: Client) -> None:
    for number in range(199):
        place(nt, f"S-{number}")
    place(nt, "E", symbol="ETHUSDT", triggerPrice="2000")
    assert nt.error("POST", "algoOrder", **terms("one-more")) == -4045
    nt.ok("DELETE", "algoOrder", clientAlgoId="E")
    place(nt, "one-more")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": None}, -1102),
        ({"symbol": "DOGEUSDT"}, -1121),
        ({"algoType": None}, -1102),
        ({"algoType": "TWAP"}, -1130),
        ({"side": "HOLD"}, -1117),
        ({"type": "LIMIT"}, -1116),
        ({"quantity": None}, -1102),
        ({"quantity": "0"}, -4003),
        ({"quantity": "0.0001"}, -1111),
        ({"quantity": "0.001"}, -4164),
        ({"triggerPrice": None}, -1102),
        ({"triggerPrice": "0"}, -4006),
        ({"triggerPrice": "49000.05"}, -4014),
        ({"triggerPrice": "50000"}, -2021),
        ({"triggerPrice": "51000"}, -2021),
        ({"type": "STOP"}, -1102),
        ({"type": "STOP", "price": "0"}, -4001),
        ({"type": "STOP", "price": "40000"}, -4024),
        ({"type": "STOP", "price": "48000", "priceMatch": "QUEUE"}, -1106),
        ({"type": "STOP", "priceMatch": "BEST"}, -1130),
        ({"timeInForce": "DAY"}, -1115),
        ({"timeInForce": "GTD"}, -1102),
        ({"timeInForce": "GTD", "goodTillDate": "1700000100000"}, -5040),
        ({"workingType": "INDEX_PRICE"}, -4031),
        ({"selfTradePreventionMode": "SOME"}, -1130),
        ({"positionSide": "LONG"}, -4061),
        ({"reduceOnly": "perhaps"}, -1102),
        ({"clientAlgoId": "x" * 37}, -4015),
        ({"clientAlgoId": "a b"}, -1100),
        ({"closePosition": "true"}, -4137),
        ({"closePosition": "true", "quantity": None, "reduceOnly": "false"}, -4138),
        ({"closePosition": "true", "quantity": None, "type": "STOP", "price": "49000"}, -4136),
        ({"type": "TRAILING_STOP_MARKET", "callbackRate": None}, -1102),
        ({"type": "TRAILING_STOP_MARKET", "callbackRate": "0.05"}, -2007),
        ({"type": "TRAILING_STOP_MARKET", "callbackRate": "20.1"}, -2007),
        ({"type": "TRAILING_STOP_MARKET", "callbackRate": "1", "activatePrice": "49999"}, -4135),
    ],
)
def test_refusals_leave_nothing_behind(nt: Client, changes: dict[str, Any], code: int) -> None:
    connection = nt.listen()
    assert nt.error("POST", "algoOrder", **terms(**{"kind": "STOP_MARKET"} | changes)) == code
    assert nt.ok("GET", "allAlgoOrders", symbol="BTCUSDT") == []
    assert nt.events(connection) == []


def test_other_endpoints_take_no_conditional_orders(nt: Client) -> None:
    asked = order("S-1", "SELL", "1", None) | {"type": "STOP_MARKET", "stopPrice": "49000"}
    assert nt.error("POST", "order", **asked) == -4120


# -- what it becomes


def test_reduce_only_is_not_asked_for_a_position_before_it_triggers(nt: Client) -> None:
    connection = nt.listen()
    place(nt, reduceOnly="true")
    price(nt, "48990")
    events = nt.events(connection)
    assert told(events) == ["ALGO NEW", "ALGO TRIGGERING", "ALGO REJECTED"]
    assert events[-1]["o"]["rm"] == "ReduceOnly Order is rejected."
    assert nt.ok("GET", "allOrders", symbol="BTCUSDT") == []


def test_reduce_only_waits_on_when_its_position_shrinks_and_is_clipped_then(nt: Client) -> None:
    nt.market("A", "BUY", "1")
    place(nt, reduceOnly="true")
    nt.market("B", "SELL", "0.6")
    assert status(nt) == "NEW"
    price(nt, "48990")
    assert nt.venue.trades()[-1].quantity == D("0.4")
    assert nt.venue.positions() == ()


def test_close_position_closes_what_the_leg_holds_when_it_triggers(nt: Client) -> None:
    nt.market("A", "BUY", "1")
    reply = place(nt, closePosition="true", quantity=None)
    assert (reply["quantity"], reply["closePosition"]) == ("0.000", True)
    nt.market("B", "BUY", "0.5")
    connection = nt.listen()
    price(nt, "48990")
    assert nt.venue.positions() == ()
    new = next(event["o"] for event in nt.events(connection) if event["e"] == "ORDER_TRADE_UPDATE")
    assert (new["q"], new["cp"]) == ("1.5", True)


def test_gte_gtc_needs_an_open_leg_and_closing_one_that_it_can_close(hedger: Client) -> None:
    def refused(**changes: Any) -> int:
        return hedger.error("POST", "algoOrder", **terms(**{"positionSide": "LONG"} | changes))

    assert refused(timeInForce="GTE_GTC") == -4509
    assert refused(closePosition="true", quantity=None) == -4509
    hedger.market("L", "BUY", "1", positionSide="LONG")
    place(hedger, "S-0", positionSide="LONG", timeInForce="GTE_GTC")
    opens = {"side": "BUY", "triggerPrice": "51000", "closePosition": "true", "quantity": None}
    assert refused(**opens) == -4509
    assert refused(positionSide="SHORT", timeInForce="GTE_GTC") == -4509


def test_one_order_stops_a_whole_position_and_one_takes_its_profit(nt: Client) -> None:
    nt.market("A", "BUY", "1")
    whole = {"closePosition": "true", "quantity": None}
    place(nt, "S-1", **whole)
    assert nt.error("POST", "algoOrder", **terms("S-2", **whole, workingType="MARK_PRICE")) == -4130
    place(nt, "S-2", kind="TAKE_PROFIT_MARKET", triggerPrice="51000", **whole)
    assert nt.error(
        "POST", "algoOrder",
        **terms("S-3", kind="TAKE_PROFIT_MARKET", **whole | {"triggerPrice": "52000"}),
    ) == -4130  # fmt: skip
    place(nt, "S-3")
    nt.ok("DELETE", "algoOrder", clientAlgoId="S-1")
    place(nt, "S-4", **whole)


def test_gte_gtc_expires_with_its_leg(hedger: Client) -> None:
    hedger.market("L", "BUY", "1", positionSide="LONG")
    hedger.market("S", "SELL", "1", positionSide="SHORT")
    place(hedger, "S-1", positionSide="LONG", timeInForce="GTE_GTC")
    place(hedger, "S-2", positionSide="LONG")
    place(hedger, "S-3", "BUY", positionSide="SHORT", triggerPrice="51000", timeInForce="GTE_GTC")
    connection = hedger.listen()
    hedger.market("C", "SELL", "1", positionSide="LONG")
    assert told(hedger.events(connection))[-1] == "ALGO EXPIRED"
    assert [status(hedger, f"S-{n}") for n in (1, 2, 3)] == ["EXPIRED", "NEW", "NEW"]


def test_so_does_the_order_that_a_gte_gtc_order_has_become(hedger: Client) -> None:
    hedger.market("L", "BUY", "1", positionSide="LONG")
    place(hedger, "S-1", "BUY", "STOP", positionSide="LONG", triggerPrice="50100", price="50050",
          timeInForce="GTE_GTC")  # fmt: skip
    price(hedger, "50100")
    connection = hedger.listen()
    hedger.market("C", "SELL", "1", positionSide="LONG")
    *_, expired, finished = hedger.events(connection)
    assert (expired["o"]["X"], expired["o"]["er"], expired["o"]["f"]) == ("EXPIRED", "6", "GTE_GTC")
    assert finished["o"]["X"] == "FINISHED"


def test_good_till_ends_one_that_waits_and_the_order_that_one_has_become(nt: Client) -> None:
    until = nt.now_ms + 700_000
    place(nt, "S-1", timeInForce="GTD", goodTillDate=until)
    place(nt, "S-2", "BUY", "STOP", triggerPrice="50100", price="50100", timeInForce="GTD",
          goodTillDate=until + 5000)  # fmt: skip
    price(nt, "50100")
    assert nt.venue.next_deadline_ns() == until * 1_000_000
    nt.wait(699 * SECOND_NS)
    assert status(nt) == "NEW"
    nt.wait(SECOND_NS)
    assert status(nt) == "EXPIRED"
    assert nt.ok("GET", "openOrders")[0]["goodTillDate"] == until + 5000
    nt.wait(5 * SECOND_NS)
    assert nt.ok("GET", "order", symbol="BTCUSDT", origClientOrderId="S-2")["status"] == "EXPIRED"
    assert status(nt, "S-2") == "FINISHED"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda nt: nt.ok("POST", "leverage", symbol="BTCUSDT", leverage=1),
            "Margin is insufficient.",
        ),
        (lambda nt: nt.limit("S-1", "BUY", "0.1", "45000"), "ClientOrderId is duplicated."),
        (lambda nt: nt.venue.exchange.statuses.update(BTCUSDT="CLOSE"), "Symbol is closed."),
    ],
)
def test_what_the_matching_engine_refuses_rejects_it(nt: Client, spoil: Any, reason: str) -> None:
    place(nt, quantity="30")
    spoil(nt)
    connection = nt.listen()
    price(nt, "48990")
    triggering, rejected = nt.events(connection)
    assert (rejected["o"]["X"], rejected["o"]["rm"]) == ("REJECTED", reason)
    assert triggering["o"]["X"] == "TRIGGERING"
    assert not nt.venue.trades()


def test_a_limit_that_has_left_the_band_is_refused_when_it_triggers(nt: Client) -> None:
    place(nt, kind="STOP", price="48900")
    price(nt, "48990", "60000")
    row = nt.ok("GET", "algoOrder", clientAlgoId="S-1")
    assert (row["algoStatus"], row["triggerTime"]) == ("REJECTED", 0)


# -- prices


def test_a_mark_price_triggers_those_that_work_by_it(nt: Client) -> None:
    place(nt, "S-1", workingType="MARK_PRICE")
    place(nt, "S-2", workingType="CONTRACT_PRICE")
    price(nt, "50000", "48990")
    assert (status(nt, "S-1"), status(nt, "S-2")) == ("FINISHED", "NEW")
    assert nt.venue.trades()[0].price == 50000


def test_price_protect_waits_until_last_and_mark_are_close(nt: Client) -> None:
    place(nt, "S-1", priceProtect="true")
    place(nt, "S-2")
    price(nt, "47000", "50000")
    assert (status(nt, "S-1"), status(nt, "S-2")) == ("NEW", "FINISHED")
    price(nt, "47000", "49000")
    assert status(nt, "S-1") == "FINISHED"


def test_one_price_triggers_in_the_order_of_placement(nt: Client) -> None:
    for name, trigger in (("A", "49000"), ("B", "49500"), ("C", "48000")):
        place(nt, name, triggerPrice=trigger)
    price(nt, "47000")
    assert [trade.client_order_id for trade in nt.venue.trades()] == ["A", "B", "C"]


def test_a_trailing_stop_follows_the_best_price(nt: Client) -> None:
    nt.ok("POST", "algoOrder", **trail())
    for last in ("49600", "52000", "51481"):
        price(nt, last)
        assert status(nt, "T-1") == "NEW"
    price(nt, "51480")  # 1 % below 52000
    assert status(nt, "T-1") == "FINISHED"


def test_a_trailing_stop_begins_at_its_activation_price_and_says_so(nt: Client) -> None:
    connection = nt.listen()
    nt.ok("POST", "algoOrder", **trail("BUY", activatePrice="49000"))
    price(nt, "49500")
    price(nt, "51000")
    assert [event["o"]["ia"] for event in nt.events(connection)] == [False]
    price(nt, "48900")
    (active,) = nt.events(connection)
    assert (active["o"]["X"], active["o"]["ia"], active["o"]["cr"]) == ("NEW", True, "1")
    price(nt, "48500")
    price(nt, "48984.9")
    assert status(nt, "T-1") == "NEW"
    price(nt, "48985")  # 1 % above 48500
    assert status(nt, "T-1") == "FINISHED"


def test_a_price_match_is_made_when_it_triggers(nt: Client) -> None:
    place(nt, kind="STOP", priceMatch="QUEUE_5")
    price(nt, "48990")
    assert nt.ok("GET", "openOrders")[0]["price"] == "48990.50"


def test_it_waits_for_no_margin_and_weighs_on_none(nt: Client) -> None:
    before = nt.ok("GET", "/fapi/v3/account")["availableBalance"]
    place(nt, quantity="900")
    assert nt.ok("GET", "/fapi/v3/account")["availableBalance"] == before


@pytest.mark.parametrize(("knob", "found"), [("newest", 1), ("oldest", 0)])
def test_which_order_a_reused_id_names_is_a_knob(knob: Any, found: int) -> None:
    nt = client(reused_client_id=knob)
    ids = []
    for _ in range(2):
        ids.append(place(nt)["algoId"])
        nt.ok("DELETE", "algoOpenOrders", symbol="BTCUSDT")
    assert nt.ok("GET", "algoOrder", clientAlgoId="S-1")["algoId"] == ids[found]
    plain = []
    for _ in range(2):
        plain.append(nt.limit("O-1")["orderId"])
        nt.fill("O-1", "1")
    row = nt.ok("GET", "order", symbol="BTCUSDT", origClientOrderId="O-1")
    assert row["orderId"] == plain[found]
