"""Orders that cannot change any more here go on in continuation orders of the same strategy."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model.identifiers import ClientOrderId
from recon_node import by_process, judged, kinds, last, orders, play, positions, recon_with

from sim import engines
from sim.engines import MakeEngine
from sim.observation import Incarnation

LONG_ID = "O-20260101-000000-001-001-1234567890"
LEG = "BTCUSDT-PERP.BINANCE-BOTH"
NODE = "reconciliation_interval_secs: 60"


def rejected(name: str) -> tuple[str, ...]:
    """An order that the released engine shows rejected, and that stands at the venue."""
    return (
        "{at: 4s, fail_request: {method: POST, path: /fapi/v1/order, status: 503, code: -1007, "
        "message: Timeout, applied: before}}",
        "{at: 4s, drop_event: {event: ORDER_TRADE_UPDATE, for: 4s}}",
        f'{{at: 5s, submit: {{id: {name}, side: BUY, quantity: "7", price: "50000"}}}}',
        "{at: 20s, restart: {}}",
    )


def stock_first(*then: MakeEngine) -> MakeEngine:
    return by_process(engines.StockDefaults, *then)


class Tags:
    """The tags of all orders of the last process."""

    def __init__(self) -> None:
        self.cache: Any = None

    def __call__(self, node: Any) -> None:
        self.cache = node.kernel.cache
        node.kernel.loop.call_later(1, self.look)

    def look(self) -> None:
        self.of = {order.client_order_id.value: order.tags for order in self.cache.orders()}


def statuses(process: Incarnation) -> dict[str, tuple[str, str]]:
    return orders(process.final)


@pytest.mark.parametrize("name", ["O-1", LONG_ID])
def test_a_rejected_order_that_lives_fills_as_one_continuation_over_restarts(name: str):
    tags = Tags()
    done = play(
        *rejected(name),
        f'{{at: 40s, fill: {{order: {name}, quantity: "1"}}}}',
        "{at: 60s, restart: {}}",
        f'{{at: 61s, fill: {{order: {name}, quantity: "2"}}}}',
        "{at: 90s, restart: {down: 20s}}",
        f'{{at: 100s, fill: {{order: {name}, quantity: "3"}}}}',
        f'{{at: 3m, fill: {{order: {name}, quantity: "1"}}}}',
        engine=stock_first(recon_with(attach=tags)),
        node=NODE,
    )
    [original, continuation] = sorted(last(done).final.orders, key=lambda o: o.status != "REJECTED")

    assert set(judged(done).violated) <= {"false-terminal"}  # of the released engine
    assert (original.client_order_id, original.status, original.filled) == (name, "REJECTED", 0)
    assert continuation.client_order_id.endswith("-C1")
    assert len(continuation.client_order_id) <= 36
    assert continuation.strategy_id == original.strategy_id == "S-001"
    assert (continuation.status, continuation.filled) == ("FILLED", 7)
    assert continuation.venue_order_id == str(done.observation.orders[0].order_id)
    assert f"RECON_CONTINUES={name}" in tags.of[continuation.client_order_id]
    assert positions(last(done).final) == {LEG: "7"}
    for process in done.observation.incarnations[1:]:
        assert kinds(process, name) == []


@pytest.mark.parametrize(("name", "other"), [("O-1", "O-1-C1"), (LONG_ID, f"{LONG_ID[:33]}-C1")])
def test_an_order_that_has_a_name_like_a_continuations_is_none(name: str, other: str):
    done = play(
        f'{{at: 2s, submit: {{id: {other}, side: BUY, quantity: "1", price: "50000"}}}}',
        *rejected(name),
        f'{{at: 40s, fill: {{order: {name}, quantity: "2"}}}}',
        f'{{at: 50s, fill: {{order: {other}, quantity: "1"}}}}',
        f'{{at: 60s, fill: {{order: {name}, quantity: "5"}}}}',
        engine=stock_first(recon_with()),
        node=NODE,
    )

    found = statuses(last(done))
    assert set(judged(done).violated) <= {"false-terminal"}
    assert found.pop(name) == ("REJECTED", "0")
    assert found.pop(other) == ("FILLED", "1")
    [(continuation, state)] = found.items()
    assert state == ("FILLED", "7")
    assert len(continuation) <= 36


@pytest.mark.parametrize("is_down", [True, False])
def test_a_continuation_ends_when_the_order_of_the_venue_does(is_down: bool):
    done = play(
        *rejected("O-1"),
        '{at: 40s, fill: {order: O-1, quantity: "1"}}',
        *(["{at: 50s, stop: {}}"] if is_down else []),
        "{at: 60s, web_cancel: {order: O-1}}",
        *(["{at: 70s, start: {}}"] if is_down else []),
        engine=stock_first(recon_with()),
        node=NODE,
    )

    assert set(judged(done).violated) <= {"false-terminal"}
    assert statuses(last(done)) == {"O-1": ("REJECTED", "0"), "O-1-C1": ("CANCELED", "1")}


def test_a_strategy_can_cancel_a_continuation():
    def cancel_later(node: Any) -> None:
        def cancel() -> None:
            order = node.kernel.cache.order(ClientOrderId("O-1-C1"))
            if order is not None:
                [strategy] = node.kernel.trader.strategies()
                strategy.cancel_order(order)

        node.kernel.loop.call_later(30, cancel)

    done = play(
        *rejected("O-1"),
        '{at: 30s, fill: {order: O-1, quantity: "1"}}',
        "{at: 3m, price: {price: '50001'}}",
        engine=stock_first(recon_with(attach=cancel_later)),
        node="reconciliation_interval_secs: 300",
    )
    [order] = done.observation.orders

    assert set(judged(done).violated) <= {"false-terminal"}
    assert order.status == "CANCELED"
    assert order.closed_ns is not None
    assert (order.closed_ns - order.created_ns) / 1e9 < 60
    assert statuses(last(done)) == {"O-1": ("REJECTED", "0"), "O-1-C1": ("CANCELED", "1")}


def test_an_order_that_expired_without_its_fill_gets_it_in_a_continuation():
    done = play(
        '{at: 4s, depth: {quantity: "2"}}',
        "{at: 4s, drop_event: {event: ORDER_TRADE_UPDATE, execution: TRADE}}",
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "3", price: "50000", time_in_force: IOC}}',
        "{at: 20s, restart: {}}",
        "{at: 60s, restart: {}}",
        engine=stock_first(recon_with()),
        node=NODE,
    )
    [_, second, third] = done.observation.incarnations

    assert not judged(done).violations
    assert statuses(second) == {"O-1": ("EXPIRED", "0"), "O-1-C1": ("EXPIRED", "2")}
    assert not third.events
    assert positions(third.final) == {LEG: "2"}


def test_a_continuation_that_is_ended_wrongly_goes_on_in_the_next_one():
    # The released engine once more, in between, and with the same answer.
    done = play(
        *rejected("O-1"),
        '{at: 40s, fill: {order: O-1, quantity: "1"}}',
        "{at: 60s, restart: {}}",
        "{at: 90s, restart: {}}",
        '{at: 100s, fill: {order: O-1, quantity: "2"}}',
        engine=stock_first(recon_with(), engines.StockDefaults, recon_with()),
        node=NODE,
    )
    held = statuses(last(done))

    assert held.pop("O-1") == ("REJECTED", "0")
    mine = {name: state for name, state in held.items() if name.startswith("O-1-C")}
    assert sum(int(filled) for _, filled in mine.values()) == 3
    assert positions(last(done).final).get(LEG) == "3"
