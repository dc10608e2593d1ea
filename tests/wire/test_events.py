"""Every type of event has exactly the fields and types that it has at Binance."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire import rows
from tests.wire.binance import Binance
from tests.wire.events import BALANCES, POSITIONS, SHAPES
from tests.wire.shapes import mismatches
from tests.wire.test_event_order import STORIES, do


def check(event: dict[str, Any]) -> None:
    assert mismatches(event, SHAPES[event["e"]]) == [], event
    if event["e"] == "ACCOUNT_UPDATE":
        moved = event["a"]
        assert not moved["B"] or mismatches(moved["B"], BALANCES) == []
        assert not moved["P"] or mismatches(moved["P"], POSITIONS) == []


@pytest.mark.venue("knobs: {trade_lite: true}")
@pytest.mark.parametrize("cause", STORIES)
async def test_the_fields_of_what_the_stream_tells(binance: Binance, cause: str):
    stream = await binance.stream()
    for step in STORIES[cause][0]:
        await do(binance, step)

    for event in await stream.all():
        check(event)


async def test_what_a_leg_is_worth_that_was_bought_at_an_uneven_price(binance: Binance):
    await binance.world("margin_type: {type: ISOLATED}")
    await binance.place("O-1")
    await binance.place("O-2", quantity="2", price="48000")
    stream = await binance.stream()
    await binance.world('fill: {order: O-1, quantity: "1"}')
    await binance.world('fill: {order: O-2, quantity: "2"}')
    await binance.world("margin_call: {}")

    *_, account, _, call = await stream.all()
    check(account)
    check(call)
    assert account["a"]["P"][0]["ep"] == "48333.33333333"
    assert account["a"]["P"][0]["up"] == call["p"][0]["up"] == "5000"
    for path, shape in (("v3/positionRisk", [rows.RISK_V3]), ("v3/account", rows.ACCOUNT_V3)):
        assert mismatches(await binance.ok("GET", f"/fapi/{path}"), shape) == []


async def test_the_end_of_a_key_and_of_a_server_are_told(binance: Binance):
    stream = await binance.stream()
    await binance.world("expire_listen_key: {}")
    check(await stream.next("listenKeyExpired"))
    await binance.world("shut_down_streams: {by: 1s}")
    check(await stream.next("serverShutdown"))


FOREIGN = {"CONDITIONAL_ORDER_TRIGGER_REJECT", "STRATEGY_UPDATE", "GRID_UPDATE"}
"""Of what this venue has not: stop orders of the old kind, and trading bots."""


def test_no_type_of_event_is_left_out(event_types: tuple[str, ...]):
    assert set(SHAPES) == set(event_types) - FOREIGN


def test_each_type_of_event_is_told_in_a_story():
    told = {line.split(" ")[0] for _, lines in STORIES.values() for line in lines}
    assert told == {"ORDER", "ACCOUNT", "ALGO", "CONFIG", "MARGIN_CALL"}
