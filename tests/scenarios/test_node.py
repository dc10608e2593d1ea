"""The life of a node: what a process keeps, loses and never does."""

from __future__ import annotations

from decimal import Decimal
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
    assert second.ready_ns is not None


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


# -- damaged caches -----------------------------------------------------------------


def test_a_stale_cache_lacks_the_last_seconds():
    first, second = lives(
        '{at: 9s, fill: {order: O-1, quantity: "0.1"}}',
        "{at: 10s, restart: {by: kill, cache: stale, lose: 5s}}",
    )

    assert orders(first.final) == {"O-1": ("PARTIALLY_FILLED", "0.5")}
    assert orders(second.loaded) == {"O-1": ("PARTIALLY_FILLED", "0.4")}
    assert second.lineage == first.lineage


def test_a_cache_may_be_so_stale_that_nothing_is_left_of_an_order():
    _, second = lives("{at: 10s, restart: {by: kill, cache: stale, lose: 9s}}")

    assert orders(second.loaded) == {}


def test_a_torn_cache_has_the_order_and_not_the_position():
    first, second = lives("{at: 10s, restart: {by: kill, cache: torn, order: O-1, keep: 1}}")

    assert [p.quantity for p in first.final.positions] == [Decimal("0.4")]
    assert orders(second.loaded) == {"O-1": ("PARTIALLY_FILLED", "0.4")}
    assert second.loaded.positions == ()


def test_damage_that_cannot_be_done_is_inert():
    torn = play("{at: 10s, restart: {by: kill, cache: torn, order: O-1, keep: 99}}").observation
    stale = play("{at: 4h, restart: {by: kill, cache: stale, lose: 1ms}}").observation

    assert "its last fill made only 11 writes" in torn.inert[0]
    assert "nothing was written in the time that is lost" in stale.inert[0]
    assert [i.ended for i in torn.incarnations] == ["killed", "running"]
    assert orders(torn.incarnations[1].loaded) == {"O-1": ("PARTIALLY_FILLED", "0.4")}


# -- claims, phases -----------------------------------------------------------------


def test_claims_of_a_restart_replace_those_before():
    first, second, third = lives(
        "{at: 10s, restart: {claims: {S-001: [BTCUSDT-PERP.BINANCE]}}}",
        "{at: 20s, restart: {}}",
    )

    assert (first.claims, second.claims) == ({}, {"BTCUSDT": "S-001"})
    assert third.claims == second.claims


def test_the_final_read_is_apart_from_what_is_judged():
    closes = '{at: 8s, web_submit: {id: W-1, side: SELL, quantity: "0.4", type: MARKET}}'
    (life,) = lives(closes)
    assert life.final_read == ()

    (life,) = lives()
    assert life.final_read
    assert all(event.at_ns > life.ended_ns for event in life.final_read)
    assert all(event.at_ns <= life.ended_ns for event in life.events)


def test_a_run_is_quiet_two_intervals_and_a_minute_after_the_last_act_of_a_fault():
    fails = "{at: 6s, fail_request: {path: /fapi/v1/order, status: 503, count: 2}}"
    acts = '{at: 90s, submit: {id: O-2, side: BUY, quantity: "1", price: "50000"}}'
    observation = play(fails, acts, engine=engines.load("stock")).observation
    last_ns = max(i.until_ns for i in observation.impairments)

    assert 0 <= observation.ended_ns - last_ns - (2 * 3600 + 60) * 1_000_000_000 < 1_000_000_000


def test_every_kind_of_order_is_sent_as_it_is_told():
    head = HEAD.replace(
        "timeline:",
        'timeline:\n  - {at: 1s, depth: {quantity: "0.5"}}',
    )
    done = play(
        '{at: 6s, submit: {id: I, side: BUY, quantity: "1", price: "50000", time_in_force: IOC}}',
        '{at: 7s, submit: {id: P, side: SELL, quantity: "1", price: "51000", post_only: true}}',
        '{at: 8s, modify: {order: P, quantity: "2", price: "52000"}}',
        '{at: 9s, submit: {id: R, side: SELL, quantity: "9", price: "53000", reduce_only: true}}',
        "{at: 20s, cancel_all: {}}",
        head=head,
    )
    shown = {o.client_order_id: (o.status, o.quantity, o.filled) for o in done.observation.orders}

    assert not done.observation.inert
    assert shown == {
        "O-1": ("CANCELED", Decimal(1), Decimal("0.4")),
        "I": ("EXPIRED", Decimal(1), Decimal("0.5")),
        "P": ("CANCELED", Decimal(2), Decimal(0)),
        "R": ("CANCELED", Decimal("0.9"), Decimal(0)),
    }
