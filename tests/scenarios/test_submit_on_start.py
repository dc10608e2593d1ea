"""Orders that a strategy sends in its ``on_start``."""

from __future__ import annotations

from sim import engines
from sim.scenario import loads
from sim.world import Run, run

HEAD = """
format: 1
title: A test
shows: fill-lost
venue: {symbols: [BTCUSDT, ETHUSDT]}
node: {strategies: [S-001, S-002], reconciliation_interval_secs: 60}
timeline:
"""


def play(*records: str) -> Run:
    text = HEAD + "".join(f"  - {record}\n" for record in records)
    return run(loads(text, "test.yaml"), engines.Stock)


def submit(at: str, id_: str, more: str = "") -> str:
    order = f'id: {id_}, side: BUY, quantity: "1", price: "3000", on_start: true{more}'
    return f"{{at: {at}, submit: {{{order}}}}}"


def sent(done: Run) -> list[tuple[int, int, str]]:
    """Return process, time after its strategies ran, and order of each that was sent."""
    return [
        (life.number, event.at_ns - (life.ready_ns or 0), event.client_order_id)
        for life in done.observation.incarnations
        for event in life.events
        if event.kind == "OrderSubmitted"
    ]


def test_an_order_is_sent_when_the_strategies_of_the_first_process_start():
    done = play(submit("0s", "O-1"))
    [(process, after_ns, order)] = sent(done)

    assert (process, order) == (0, "O-1")
    # The world looks ten times a second whether strategies run.
    assert -100_000_000 <= after_ns <= 0
    assert done.observation.inert == ()
    assert [o.client_order_id for o in done.observation.orders] == ["O-1"]


def test_an_order_waits_for_the_next_start_of_its_strategy():
    done = play(
        submit("10s", "O-1", ", strategy: S-002"),
        "{at: 20s, stop: {}}",
        submit("25s", "O-2"),
        "{at: 30s, start: {}}",
        "{at: 40s, restart: {}}",
    )
    owners = {
        o.client_order_id: o.strategy_id for o in done.observation.incarnations[-1].final.orders
    }

    assert sorted((process, order) for process, _, order in sent(done)) == [(1, "O-1"), (1, "O-2")]
    assert owners == {"O-1": "S-002", "O-2": "S-001"}


def test_an_order_that_no_start_follows_is_inert():
    done = play(submit("10s", "O-1"))

    assert done.observation.inert == (
        "submit at 10s (line 8) had no effect: no strategy started to send it",
    )
