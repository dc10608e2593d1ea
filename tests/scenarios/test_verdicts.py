"""Runs in which a verdict was wrong once, or a harness in trouble."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from sim import engines, runner
from sim.node import SetupError
from sim.report.result import Result, result_of
from sim.runner import Job
from sim.scenario import Scenario, loads
from sim.world import run

OFF = (
    "open_check_interval_secs: null, position_check_interval_secs: null, "
    "inflight_check_interval_ms: null"
)


def story(
    *records: str, node: str = "", shows: str = "order-mismatch", venue: str = ""
) -> Scenario:
    listed = venue or "symbols: [BTCUSDT]"
    text = (
        f"format: 1\ntitle: A story\nshows: {shows}\nvenue: {{{listed}}}\n"
        f"node: {{reconciliation_interval_secs: 60{', ' if node else ''}{node}}}\ntimeline:\n"
    )
    return loads(text + "".join(f"  - {record}\n" for record in records), "s.yaml")


def judged(scenario: Scenario, engine: Any = None) -> Result:
    return result_of(run(scenario, engine or engines.load("stock")))


SENDS = '{at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}'
FILLS = '{at: 5s, fill: {order: O-1, quantity: "1"}}'
ENDS_FLAT = '{at: 7s, submit: {id: O-9, side: SELL, quantity: "1", type: MARKET}}'


def test_an_order_that_asks_for_something_else_is_a_mismatch():
    amended = judged(
        story(
            SENDS,
            "{at: 9s, drop_event: {event: ORDER_TRADE_UPDATE}}",
            "{at: 9s, lose_reply: {method: PUT, path: /fapi/v1/order}}",
            '{at: 10s, modify: {order: O-1, price: "40000"}}',
            node=OFF,
        )
    )
    assert "order-mismatch" in amended.violated
    assert "BUY 1 at 40000, is NEW at the venue" in amended.violations[0].message
    assert "BUY 1 at 50000, PENDING_UPDATE" in amended.violations[0].message


def test_an_event_that_is_delayed_twice_is_waited_for():
    late = "delay_event: {by: 5m, for: 5s}"
    done = judged(story(SENDS, f"{{at: 4s, {late}}}", f"{{at: 4s, {late}}}", FILLS))

    assert "not-converged" not in done.violated


def test_a_cache_that_holds_nothing_of_what_the_node_did_counts_as_lost():
    """A start comes late, so that a trade lies before its window: it is the opening balance's."""
    done = judged(
        story(
            SENDS.replace("2s", "2100ms"),
            FILLS.replace("5s", "2500ms"),
            "{at: 3s, stop: {}}",
            "{at: 9m, start: {cache: stale, lose: 5s}}",
            node="reconciliation_lookback_mins: 5",
            shows="fill-lost",
        ),
        engines.load("recon"),
    )

    assert done.violated == ()
    assert "fill-lost, which the run is to show, had nothing to judge" in done.reasons[0]


def test_a_node_that_cannot_start_for_long_is_started_until_it_can():
    fails = "{path: /fapi/v1/exchangeInfo, status: 503, for: 40m}"
    result = judged(
        story(SENDS, FILLS, "{at: 9s, stop: {}}", f"{{at: 10s, fail_request: {fails}}}",
              "{at: 11s, start: {}}", shows="phantom-fill")
    )  # fmt: skip
    assert "phantom-fill" in result.violated
    assert "not-converged" not in result.violated


def test_a_live_order_that_was_purged_is_still_due():
    result = judged(
        story(
            "{at: 1s, drop_event: {event: ORDER_TRADE_UPDATE, for: 60s}}",
            "{at: 1s, fail_request: {method: POST, path: /fapi/v1/order, status: 503, "
            "code: -1001, message: Internal error, applied: before}}",
            SENDS,
            "{at: 300s, price: {price: \"50100\"}}",
            node=f"{OFF}, exec_engine: {{purge_closed_orders_interval_mins: 1, "
            "purge_closed_orders_buffer_mins: 1}",
        )
    )  # fmt: skip
    assert {"order-mismatch", "false-terminal"} <= set(result.violated)
    assert "unknown to node A" in next(
        v.message for v in result.violations if v.property == "order-mismatch"
    )


def test_a_restart_that_a_kill_forestalls_is_inert():
    result = judged(
        story(
            SENDS,
            "{at: 8s, restart: {down: 0s}}",
            "{at: 8500ms, restart: {cache: lost, down: 0s}}",
            "{at: 9s, kill: {}}",
            "{at: 10s, start: {}}",
        )
    )
    assert result.verdict == "inconclusive"
    assert result.reasons == ("restart at 8s500ms (line 9) had no effect: a kill came first",)


@pytest.mark.parametrize(
    "options",
    [
        "reconciliation_instrument_ids: [BTCUSDT-PERP.BINANCE]",
        "filtered_client_order_ids: [O-7]",
        "purge_closed_orders_interval_mins: 10",
    ],
)
def test_options_are_handed_over_as_what_they_are(options: str):
    scenario = story(SENDS, FILLS, ENDS_FLAT, node=f"exec_engine: {{{options}}}")
    assert judged(scenario).verdict == "pass"


@pytest.mark.parametrize(
    "fault",
    [
        "delay_event: {event: ACCOUNT_UPDATE, for: 5s, by: 30m}",
        "delay_event: {event: ACCOUNT_UPDATE, by: 10m}",
        "lose_reply: {method: GET, path: /fapi/v1/openOrders, for: 100s, after: 30m}",
        "duplicate_event: {copies: 3, by: 10m}",
    ],
)
def test_a_run_waits_for_the_effect_of_its_last_fault(fault: str):
    result = judged(story(f"{{at: 1s, {fault}}}", SENDS, FILLS, ENDS_FLAT))
    assert "not-converged" not in result.violated
    assert not result.reasons


def test_a_far_venue_is_not_a_slow_engine():
    far = "symbols: [BTCUSDT], latency_ms: [3000, 4000]"
    result = judged(story('{at: 60s, transfer: {amount: "1"}}', venue=far, shows="crash"))
    assert result.verdict == "pass"
    assert "too-slow" in result.unexercised


def test_what_was_claimed_when_it_happened_is_not_filtered():
    result = judged(
        story(
            '{at: 5s, web_submit: {id: W-1, side: BUY, quantity: "1", type: MARKET}}',
            "{at: 30s, restart: {claims: {}}}",
            node="claims: {S-001: [BTCUSDT-PERP.BINANCE]}, "
            "exec_engine: {filter_unclaimed_external_orders: true}",
            shows="fill-lost",
        )
    )
    assert "fill-lost" not in result.violated
    assert result.fills.venue == 1


def test_a_trade_at_the_edge_of_the_window_may_be_served_or_not():
    result = judged(
        story(
            '{at: -59m59s950ms, web_submit: {id: W-1, side: BUY, quantity: "1", type: MARKET}}',
            '{at: 5s, submit: {id: O-1, side: SELL, quantity: "1", type: MARKET}}',
            node="reconciliation_lookback_mins: 60",
            shows="fill-lost",
        )
    )
    assert {"fill-lost", "phantom-fill"}.isdisjoint(result.violated)


# -- engines in trouble ---------------------------------------------------------------


def attached(function: Any) -> Any:
    return partial(engines.Attached, "troubled", function)


def test_an_attach_that_returns_something_to_await_is_refused():
    async def later() -> None: ...

    with pytest.raises(SetupError, match="it returned something to await, which nobody does"):
        run(story(SENDS), attached(lambda node: later()))


def test_an_engine_that_cancels_the_tasks_of_others_has_crashed():
    def attach(node: Any) -> None:
        def cancel() -> None:
            for task in asyncio.all_tasks():
                task.cancel()

        node.kernel.loop.call_later(3, cancel)

    result = judged(story(SENDS, FILLS), attached(attach))
    assert "crash" in result.violated
    assert any("cancelled the tasks of the simulation" in v.message for v in result.violations)


def computes_for_ever(node: Any) -> None:
    def compute() -> None:
        while True:
            pass

    node.kernel.loop.call_later(3, compute)


def test_a_run_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runner, "REAL_LIMIT_SECS", 0.2)
    name = f"{__name__}:computes_for_ever"
    outcome = Job(scenario=story(SENDS), engine=name, label=name).perform()

    assert outcome.result.verdict == "error"
    assert outcome.result.error == "the run did not end within 0.2 s of real time"


@pytest.mark.parametrize("engine", ["stock", "stock-defaults"])
def test_a_run_that_ends_is_left_alone(engine: str):
    outcome = Job(scenario=story(SENDS, FILLS, ENDS_FLAT), engine=engine, label=engine).perform()
    assert outcome.result.verdict == "pass"
