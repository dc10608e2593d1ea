"""Whose an order is that the node does not have, and where its fills are booked."""

from __future__ import annotations

from typing import Any

import pytest
from recon_node import by_process, judged, last, orders, play, positions, recon_with

from sim import engines
from sim.observation import Incarnation

LEG = "BTCUSDT-PERP.BINANCE-BOTH"
CLAIM = "claims: {S-001: [BTCUSDT-PERP.BINANCE]}, "
NODE = "reconciliation_interval_secs: 60"
BOTH = "strategies: [S-001, S-002], "


def owners(process: Incarnation) -> dict[str, str]:
    return {order.client_order_id: order.strategy_id for order in process.final.orders}


def holders(process: Incarnation) -> dict[str, str]:
    return {position.position_id: position.strategy_id for position in process.final.positions}


# -- by hand ----------------------------------------------------------------------------


@pytest.mark.parametrize("claims", ["", CLAIM])
@pytest.mark.parametrize("first_seen", ["NEW", "TRADE", "at a start", "at a check", "while asleep"])
def test_an_order_by_hand_belongs_to_who_claims_it(claims: str, first_seen: str):
    before = {
        "NEW": (),
        "TRADE": ("{at: 9s, drop_event: {event: ORDER_TRADE_UPDATE, execution: NEW}}",),
        "at a start": ("{at: 9s, stop: {}}",),
        "at a check": ("{at: 9s, drop_event: {for: 40s}}",),
        "while asleep": ("{at: 9s, disconnect: {for: 40s}}",),
    }[first_seen]
    done = play(
        *before,
        '{at: 10s, web_submit: {id: W-1, side: BUY, quantity: "3", price: "50000"}}',
        '{at: 11s, fill: {order: W-1, quantity: "1"}}',
        *(["{at: 30s, start: {}}"] if first_seen == "at a start" else []),
        '{at: 3m, fill: {order: W-1, quantity: "1"}}',
        "{at: 4m, restart: {}}",
        '{at: 5m, fill: {order: W-1, quantity: "1"}}',
        node=claims + NODE,
    )
    owner = "S-001" if claims else "EXTERNAL"

    assert not judged(done).violations
    assert orders(last(done).final) == {"web_W-1": ("FILLED", "3")}
    assert owners(last(done)) == {"web_W-1": owner}
    assert holders(last(done)) == {LEG: owner}


@pytest.mark.parametrize("first_seen", ["live", "at a start"])
def test_legs_keep_the_position_ids_of_the_stream(first_seen: str):
    is_live = first_seen == "live"
    done = play(
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000", '
        "position_side: LONG}}",
        '{at: 6s, fill: {order: O-1, quantity: "1"}}',
        *([] if is_live else ["{at: 8s, stop: {}}"]),
        '{at: 10s, web_submit: {id: W-1, side: SELL, quantity: "3", price: "50000", '
        "position_side: SHORT}}",
        '{at: 11s, fill: {order: W-1, quantity: "2"}}',
        '{at: 12s, web_submit: {id: W-2, side: BUY, quantity: "3", price: "50000", '
        "position_side: LONG}}",
        '{at: 13s, fill: {order: W-2, quantity: "3"}}',
        *([] if is_live else ["{at: 30s, start: {}}"]),
        '{at: 3m, fill: {order: W-1, quantity: "1"}}',
        "{at: 4m, restart: {cache: lost}}",
        venue="symbols: [BTCUSDT], position_mode: hedge",
        node=CLAIM + NODE,
    )

    assert not judged(done).violations
    for process in done.observation.incarnations[-2:]:
        assert positions(process.final) == {
            "BTCUSDT-PERP.BINANCE-LONG": "4",
            "BTCUSDT-PERP.BINANCE-SHORT": "-3",
        }


# -- own orders after a lost cache ------------------------------------------------------

# As NautilusTrader's generator makes them: date, time, trader tag, strategy tag, count.
FIRST = "O-20260101-000005-001-001-1"
SECOND = "O-20260101-000006-001-002-1"
ANOTHER_NODES = "O-20260101-000006-002-002-1"
NOBODYS = "O-20260101-000006-001-009-1"


@pytest.mark.parametrize("claims", ["", CLAIM])
def test_own_orders_return_to_their_strategies_after_a_lost_cache(claims: str):
    done = play(
        f'{{at: 5s, submit: {{id: {FIRST}, side: BUY, quantity: "3", price: "50000"}}}}',
        f'{{at: 6s, submit: {{id: {SECOND}, side: BUY, quantity: "3", price: "50000", '
        "strategy: S-002}}",
        f'{{at: 7s, fill: {{order: {FIRST}, quantity: "1"}}}}',
        f'{{at: 8s, fill: {{order: {SECOND}, quantity: "1"}}}}',
        "{at: 20s, restart: {cache: lost}}",
        f'{{at: 60s, fill: {{order: {FIRST}, quantity: "2"}}}}',
        f'{{at: 61s, fill: {{order: {SECOND}, quantity: "2"}}}}',
        node=claims + BOTH + NODE,
    )

    assert not judged(done).violations
    assert owners(last(done)) == {FIRST: "S-001", SECOND: "S-002"}
    assert orders(last(done).final) == {FIRST: ("FILLED", "3"), SECOND: ("FILLED", "3")}
    assert positions(last(done).final) == {LEG: "6"}


@pytest.mark.parametrize("name", [ANOTHER_NODES, NOBODYS, "O-1", "O-20260101-000006-001-002"])
@pytest.mark.parametrize("claims", ["", CLAIM])
def test_an_id_that_names_no_strategy_of_this_node_decides_nothing(name: str, claims: str):
    done = play(
        f'{{at: 5s, submit: {{id: {name}, side: BUY, quantity: "3", price: "50000", '
        "strategy: S-002}}",
        f'{{at: 7s, fill: {{order: {name}, quantity: "1"}}}}',
        "{at: 20s, restart: {cache: lost}}",
        node=claims + BOTH + NODE,
    )

    assert owners(last(done)) == {name: "S-001" if claims else "EXTERNAL"}
    assert positions(last(done).final) == {LEG: "1"}


# -- after the released engine ----------------------------------------------------------


STORIES = {
    "phantoms of a warm restart": (
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}',
        '{at: 6s, fill: {order: O-1, quantity: "1"}}',
        "{at: 20s, restart: {}}",
        "{at: 40s, restart: {}}",
    ),
    "phantoms of a reconnection": (
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "3", price: "50000"}}',
        '{at: 6s, fill: {order: O-1, quantity: "1"}}',
        "{at: 10s, expire_listen_key: {notify: true}}",
        "{at: 30s, expire_listen_key: {notify: true}}",
        "{at: 60s, restart: {}}",
    ),
    "a position that it closed beside": (
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}',
        '{at: 6s, fill: {order: O-1, quantity: "1"}}',
        "{at: 7s, stop: {}}",
        '{at: 10s, web_submit: {id: W-1, side: SELL, quantity: "1", type: MARKET}}',
        "{at: 20s, start: {}}",
        "{at: 60s, restart: {}}",
    ),
    "an inferred fill": (
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "3", price: "50000"}}',
        "{at: 6s, drop_event: {event: ORDER_TRADE_UPDATE, execution: TRADE}}",
        '{at: 7s, fill: {order: O-1, quantity: "2"}}',
        "{at: 3m, restart: {}}",
        '{at: 4m, fill: {order: O-1, quantity: "1"}}',
    ),
    "an order that it rejected": (
        "{at: 4s, fail_request: {method: POST, path: /fapi/v1/order, status: 503, "
        "applied: before}}",
        "{at: 4s, drop_event: {event: ORDER_TRADE_UPDATE, for: 4s}}",
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "3", price: "50000"}}',
        '{at: 10s, fill: {order: O-1, quantity: "1"}}',
        "{at: 60s, restart: {}}",
        '{at: 2m, fill: {order: O-1, quantity: "2"}}',
    ),
    "a long that it shows beside a short": (
        '{at: -1d, web_submit: {id: W-1, side: BUY, quantity: "2", price: "50000"}}',
        '{at: -20h, fill: {order: W-1, quantity: "2"}}',
        '{at: 5s, submit: {id: O-1, side: SELL, quantity: "3", price: "50000"}}',
        '{at: 6s, fill: {order: O-1, quantity: "3"}}',
        "{at: 20s, restart: {}}",
        "{at: 60s, restart: {}}",
    ),
}


@pytest.mark.parametrize("claims", ["", CLAIM])
@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("times", [1, 2])
def test_a_node_that_changes_from_the_released_engine_has_the_venues_positions(
    story: str, claims: str, times: int
):
    stock = [engines.Stock] * sum("start" in record for record in STORIES[story])
    done = play(
        *STORIES[story],
        *["{at: 10m, restart: {}}", "{at: 20m, restart: {}}"][:times],
        engine=by_process(*stock, recon_with()),
        node=claims + NODE,
    )
    process = last(done)
    held: dict[str, Any] = {}
    for position in process.final.positions:
        held[position.position_side] = held.get(position.position_side, 0) + position.quantity

    assert not done.observation.crashes
    assert process.ended == "running"
    assert {side: quantity for side, quantity in held.items() if quantity} == {
        position.position_side: position.quantity for position in done.observation.positions
    }
    if times == 2:
        assert not process.events
