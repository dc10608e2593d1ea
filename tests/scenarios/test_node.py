"""The life of a node: what a process keeps, loses and never does."""

from __future__ import annotations

from typing import Any

from sim import engines
from sim.observation import Incarnation
from sim.scenario import loads
from sim.world import Run, run

HEAD = """
format: 1
title: A test
shows: fill-lost
venue: {symbols: [BTCUSDT]}
node: {reconciliation_interval_secs: 3600}
timeline:
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 4s, fill: {order: O-1, quantity: "0.4"}}
"""


def play(*records: str, engine: Any = None, head: str = HEAD) -> Run:
    text = head + "".join(f"  - {record}\n" for record in records)
    return run(loads(text, "test.yaml"), engine or engines.load("stock-defaults"))


def lives(*records: str) -> tuple[Incarnation, ...]:
    return play(*records).observation.incarnations


def orders(state: Any) -> dict[str, tuple[str, str]]:
    return {o.client_order_id: (o.status, str(o.filled)) for o in state.orders}


def test_a_stopped_node_writes_all_and_the_next_process_loads_it():
    first, second = lives("{at: 10s, stop: {}}", "{at: 20s, start: {cache: kept}}")

    assert first.ended == "stopped"
    assert orders(first.final) == {"O-1": ("PARTIALLY_FILLED", "0.4")}
    assert second.loaded == first.final
    assert second.lineage == first.lineage
    assert second.trader_ran


def test_a_killed_node_keeps_what_it_had_written():
    first, second = lives("{at: 10s, kill: {}}", "{at: 20s, start: {cache: kept}}")

    assert first.ended == "killed"
    assert second.loaded == first.final


def test_a_kill_ends_what_was_being_done_with_the_node():
    done = play("{at: 10s, restart: {}}", "{at: 11500ms, kill: {}}", "{at: 20s, start: {}}")
    first, second = done.observation.incarnations

    assert second.started_ns - first.started_ns == 20_000_000_000
    assert (first.ended, second.ended) == ("stopped", "running")


def test_a_kill_during_a_stop_lets_the_next_start_come_in_time():
    restart = "{at: 10s, restart: {down: 200ms}}"
    done = play(restart, "{at: 10500ms, kill: {}}", "{at: 20s, start: {}}")
    first, second = done.observation.incarnations

    assert first.ended == "killed"
    assert second.started_ns - first.started_ns == 20_000_000_000


def test_an_outage_that_keeps_a_node_from_starting_has_acted():
    head = HEAD.replace("timeline:", "timeline:\n  - {at: 0s, disconnect: {for: 400ms}}")
    inert = play(head=head).observation.inert

    assert not any("disconnect" in what for what in inert)


def test_a_lost_cache_starts_a_new_lineage_from_nothing():
    first, second = lives("{at: 10s, restart: {cache: lost}}")

    assert second.loaded.orders == ()
    assert second.loaded.positions == ()
    assert second.lineage == first.lineage + 1


def test_a_killed_node_does_nothing_more():
    done = play("{at: 4001ms, kill: {}}", '{at: 5s, fill: {order: O-1, quantity: "0.1"}}')
    rows = [row for row in done.trace.rows if row.kind in ("order-event", "request", "frame")]
    end_ns = next(row.at_ns for row in done.trace.rows if row.kind == "node-end")

    # A request that was on the wire may still arrive; nothing is sent or applied.
    assert all(row.at_ns <= end_ns for row in rows if row.kind != "request")
    assert all(row.at_ns <= end_ns + 25_000_000 for row in rows)
    assert done.observation.incarnations[0].events[-1].kind == "OrderAccepted"


def test_a_fill_between_event_and_reply_is_not_lost_by_the_kill_itself():
    done = play("{at: 5s, kill: {}}", "{at: 6s, start: {}}")

    assert orders(done.observation.incarnations[1].loaded) == {"O-1": ("PARTIALLY_FILLED", "0.4")}


def test_a_position_is_loaded_with_the_order():
    _, second = lives("{at: 10s, restart: {cache: kept}}")

    assert [(p.position_id, str(p.quantity)) for p in second.loaded.positions] == [
        ("BTCUSDT-PERP.BINANCE-BOTH", "0.400"),
    ]


def test_claims_decide_whose_a_manual_order_is():
    claimed = HEAD.replace("node: {", "node: {claims: {S-007: [BTCUSDT-PERP.BINANCE]}, ")
    manual = '{at: 10s, web_submit: {id: W-1, side: BUY, quantity: "1", price: "40000"}}'
    restart = "{at: 20s, restart: {cache: lost}}"

    def owner(head: str) -> str:
        final = play(manual, restart, head=head).observation.incarnations[-1].final
        return {o.client_order_id: o.strategy_id for o in final.orders}["web_W-1"]

    assert owner(HEAD) == "EXTERNAL"
    assert owner(claimed) == "S-007"


def test_what_a_strategy_sends_is_not_rounded():
    done = play(
        '{at: 5s, submit: {id: O-2, side: BUY, quantity: "0.0001", price: "50000"}}',
        '{at: 6s, submit: {id: O-3, side: BUY, quantity: "1", price: "50000.05"}}',
        '{at: 7s, submit: {id: O-4, side: BUY, quantity: "0.001", price: "500"}}',
    )
    ends = [
        (event.client_order_id, event.kind)
        for event in done.observation.incarnations[0].events
        if event.kind in ("OrderDenied", "OrderRejected")
    ]

    assert ends == [("O-2", "OrderDenied"), ("O-3", "OrderRejected"), ("O-4", "OrderRejected")]


def test_a_record_without_effect_makes_the_run_inconclusive():
    done = play("{at: 4500ms, kill: {}}", '{at: 5s, fill: {order: O-1, quantity: "0.6"}}')
    assert done.observation.inert == ()

    late = play(
        "{at: 5s, web_cancel: {order: O-1}}", '{at: 6s, fill: {order: O-1, quantity: "0.6"}}'
    )
    assert len(late.observation.inert) == 1
    assert "fill at 6s (line" in late.observation.inert[0]


def test_each_process_has_an_engine_of_its_own():
    made: list[object] = []

    class Remembers(engines.StockDefaults):
        name = "remembers"

        def attach(self, node: Any) -> None:
            made.append(self)

    play("{at: 10s, restart: {cache: kept}}", engine=Remembers)

    assert len({id(engine) for engine in made}) == 2


def test_an_exception_in_the_engine_is_a_crash_of_the_node_not_of_the_run():
    class Breaks(engines.StockDefaults):
        name = "breaks"

        def attach(self, node: Any) -> None:
            cache = node.kernel.cache

            def explode(event: Any) -> None:
                if type(event).__name__ == "OrderFilled":
                    raise ZeroDivisionError("planted")

            node.kernel.msgbus.subscribe(topic="events.order.*", handler=explode)
            assert cache is not None

    done = play(engine=Breaks)
    assert [crash.reason for crash in done.observation.crashes] == [
        "the process called os._exit(1)",
    ]
    assert done.observation.incarnations[0].ended == "crashed"
