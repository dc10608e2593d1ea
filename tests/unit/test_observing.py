"""What of a run is shown to the oracle: checks as bursts of reads, and what is visible."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sim.clock import NS_PER_MS
from sim.observation import Alert, Call, Impairment, State
from sim.observing import (
    bursts_of,
    checks_are_apart,
    limits_of,
    sight_of,
    sights_of,
    with_final_ids,
)
from sim.scenario import loads
from sim.scenario.model import Node
from sim.transport.network import Exchange
from tests.unit.oracle.observations import known, process, venue_order

SCENARIO = """
format: 1
title: Three symbols
shows: fill-lost
venue: {symbols: [BTCUSDT, ETHUSDT, SOLUSDT]}
node: {}
timeline: []
"""


def read(began_ms: int, took_ms: int | None = 40, *, wait_ms: int = 0) -> Exchange:
    began_ns = began_ms * NS_PER_MS
    ended_ns = None if took_ms is None else began_ns + took_ms * NS_PER_MS
    return Exchange(None, began_ns, ended_ns, wait_ms * NS_PER_MS)


def visibility(text: str) -> dict[str, Any]:
    """What the only node of a scenario may see."""
    seen = sights_of(loads(text))
    assert seen.pop("sights") == {}
    return {word: seen[word] for word in ("symbols", "unloaded", "filters_unclaimed", "filtered")}


def check(began_ms: int, ended_ms: int | None) -> Call:
    return Call("check", began_ms * NS_PER_MS, None if ended_ms is None else ended_ms * NS_PER_MS)


def test_reads_less_than_a_second_apart_are_one_check():
    assert bursts_of([read(0), read(1040), read(500)]) == [check(0, 1080)]
    assert bursts_of([read(0), read(1041)]) == [check(0, 40), check(1041, 1081)]


def test_a_check_lasts_until_its_last_answer():
    assert bursts_of([read(0, 3000), read(100, 10)]) == [check(0, 3000)]
    assert bursts_of([read(0, 3000), read(3500, 10)]) == [check(0, 3510)]


def test_a_check_without_an_answer_has_no_end():
    assert bursts_of([read(0), read(100, None)]) == [check(0, None)]


def test_a_check_in_which_the_venue_asks_to_wait_is_none():
    assert bursts_of([read(0), read(100, wait_ms=1), read(5000)]) == [check(5000, 5040)]


@pytest.mark.parametrize(
    ("changes", "apart"),
    [
        ({}, True),
        ({"reconciliation_interval_secs": 1}, False),
        ({"reconciliation_interval_secs": 1.5}, True),
        ({"open_check_interval_secs": 0.5}, False),
        ({"position_check_interval_secs": None}, True),
        ({"inflight_check_interval_ms": 1000}, False),
        ({"inflight_check_interval_ms": 2000}, True),
    ],
)
def test_checks_that_come_too_often_cannot_be_told_apart(changes: dict[str, object], apart: bool):
    assert checks_are_apart(replace(Node(), **changes)) == apart


def test_all_is_visible_unless_the_node_is_told_otherwise():
    assert visibility(SCENARIO) == {
        "symbols": ("BTCUSDT", "ETHUSDT", "SOLUSDT"),
        "unloaded": (),
        "filters_unclaimed": False,
        "filtered": frozenset(),
    }


def test_what_is_not_loaded_is_seen_apart():
    node = "{instruments: [ETHUSDT-PERP.BINANCE, SOLUSDT-PERP.BINANCE]}"
    assert visibility(SCENARIO.replace("node: {}", f"node: {node}")) == {
        "symbols": ("ETHUSDT", "SOLUSDT"),
        "unloaded": ("BTCUSDT",),
        "filters_unclaimed": False,
        "filtered": frozenset(),
    }


@pytest.mark.parametrize(
    ("option", "symbols", "filters"),
    [
        ("reconciliation_instrument_ids: [ETHUSDT-PERP.BINANCE]", ("ETHUSDT",), False),
        ("reconciliation_instrument_ids: []", ("BTCUSDT", "ETHUSDT", "SOLUSDT"), False),
        ("filter_unclaimed_external_orders: true", ("BTCUSDT", "ETHUSDT", "SOLUSDT"), True),
    ],
)
def test_options_of_the_node_limit_what_is_judged(
    option: str, symbols: tuple[str, ...], filters: bool
):
    node = f"node: {{exec_engine: {{{option}}}}}"
    seen = visibility(SCENARIO.replace("node: {}", node))

    assert (seen["symbols"], seen["filters_unclaimed"]) == (symbols, filters)


def test_each_of_several_nodes_has_a_sight_of_its_own():
    nodes = (
        "nodes: {A: {}, B: {account: second, instruments: [ETHUSDT-PERP.BINANCE], "
        "reconciliation_interval_secs: 60, reconciliation_lookback_mins: 2}}"
    )
    scenario = loads(
        SCENARIO.replace("node: {}", nodes).replace(
            "SOLUSDT]", "SOLUSDT], accounts: {main: {}, second: {}}"
        )
    )

    sights = sights_of(scenario)["sights"]

    assert sights == {name: sight_of(scenario, name) for name in ("A", "B")}
    assert sights["A"].accounts == ("main",)
    assert (sights["A"].symbols, sights["A"].unloaded) == (scenario.venue.symbols, ())
    assert (sights["A"].interval_ns, sights["A"].lookback_ns) == (300_000_000_000, None)
    assert sights["B"].accounts == ("second",)
    assert (sights["B"].symbols, sights["B"].unloaded) == (("ETHUSDT",), ("BTCUSDT", "SOLUSDT"))
    assert (sights["B"].interval_ns, sights["B"].lookback_ns) == (60_000_000_000, 120_000_000_000)


def test_a_node_beside_which_there_is_another_account_sees_its_own():
    scenario = loads(SCENARIO.replace("SOLUSDT]", "SOLUSDT], accounts: {main: {}, second: {}}"))

    assert sights_of(scenario)["sights"] == {"A": sight_of(scenario, "A")}


def test_a_read_that_the_venue_refuses_for_its_limits_is_impaired() -> None:
    refused, answered, open_ = read(0, wait_ms=7_000), read(100), read(200, None)
    [impaired] = limits_of([refused, answered, open_])
    assert impaired == Impairment("read", 0, 40 * NS_PER_MS + 7_000 * NS_PER_MS)


def test_an_order_has_the_last_of_its_ids_and_the_one_that_the_node_holds() -> None:
    order = replace(venue_order(5), algo_id=900)
    shown = known(order, venue_order_id="900")
    alert = Alert(1, "startup", "main", "BTCUSDT", venue_order_id="900")
    final = State(orders=(shown, known(venue_order(6))))
    before = replace(process(final), alerts=(alert,))
    after = with_final_ids(before, [order])

    assert [(o.venue_order_id, o.held_id) for o in after.final.orders] == [("5", 900), ("6", 0)]
    assert after.alerts[0].venue_order_id == "5"
    assert with_final_ids(before, [venue_order(5)]) is before
