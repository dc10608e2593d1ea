"""Faults of reads, armed by records: what they impair, when they end, when they are inert."""

from __future__ import annotations

from sim import engines
from sim.clock import NS_PER_SEC, START_NS
from sim.observation import Impairment
from sim.scenario import loads
from sim.scenario.values import READS
from sim.world import Run, run

HEAD = """
format: 1
title: A test
shows: fill-lost
venue: {symbols: [BTCUSDT]}
node: {reconciliation_interval_secs: 60}
timeline:
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
"""
FILL = '{at: 22s, fill: {order: O-1, quantity: "0.5"}}'
READS_TRADES = ("{at: 20s, stop: {}}", FILL, "{at: 30s, start: {}}")


def play(*records: str) -> Run:
    text = HEAD + "".join(f"  - {record}\n" for record in records)
    return run(loads(text, "test.yaml"), engines.Stock)


def seconds(impairment: Impairment) -> tuple[str, float, float]:
    start_ns = 1_767_225_600_000_000_000
    return (
        impairment.kind,
        (impairment.from_ns - start_ns) / 1e9,
        (impairment.until_ns - start_ns) / 1e9,
    )


def test_hidden_trades_impair_from_the_first_answer_that_lacks_one():
    done = play("{at: 10s, hide_trades: {order: O-1, for: 40s}}", *READS_TRADES)
    [(kind, from_s, until_s)] = map(seconds, done.observation.impairments)

    assert done.observation.inert == ()
    assert kind == "lag"
    assert 30 < from_s < 31
    assert until_s == 50
    told = {row.details for row in done.trace.rows if row.kind == "fault"}
    assert told == {"userTrades lack trades"}


def test_hiding_that_withholds_nothing_is_inert():
    late = "{at: 25s, hide_trades: {order: O-1, for: 40s}}"
    done = play(*READS_TRADES[:2], late, READS_TRADES[2])

    assert done.observation.inert == ("hide_trades at 25s (line 11) never acted",)


def test_the_end_waits_until_nothing_is_hidden():
    done = play(*READS_TRADES, "{at: 31s, hide_trades: {symbol: BTCUSDT, for: 10m}}")

    assert done.observation.pending is None
    assert seconds(Impairment("", 0, done.observation.ended_ns))[2] >= 631 + 180


def test_the_second_read_is_the_one_that_fails():
    skip = "{at: 25s, fail_request: {path: /fapi/v1/userTrades, skip: 1, status: 503}}"
    done = play(*READS_TRADES[:2], skip, READS_TRADES[2])
    answers = [
        (row.details.rpartition("-> ")[2], row.mark)
        for row in done.trace.rows
        if row.kind == "request" and row.subject == "nt GET /fapi/v1/userTrades"
    ]

    assert done.observation.inert == ()
    assert answers[:2] == [("200", ""), ("503", "fault")]


def test_a_truncated_reply_reaches_the_node():
    cut = "{at: 25s, garble_reply: {path: /fapi/v1/userTrades}}"
    done = play(*READS_TRADES[:2], cut, READS_TRADES[2])

    assert done.observation.inert == ()
    assert [i.kind for i in done.observation.impairments] == ["read"]


def test_each_act_of_a_fault_is_told_with_where_the_ledger_stood():
    done = play("{at: 10s, lag_reads: {by: 5s, for: 40s}}", *READS_TRADES)
    acts = [row for row in done.trace.rows if row.kind == "fault"]
    lagging = [
        row
        for row in done.trace.rows
        if row.kind == "request"
        and START_NS + 10 * NS_PER_SEC <= row.at_ns < START_NS + 50 * NS_PER_SEC
        and " GET " in row.subject
        and row.subject.rpartition("/")[2] in READS
    ]

    # A read that has nothing to show has nothing that lags.
    told = {(act.at_ns, act.details) for act in acts}
    assert told
    assert told <= {(row.at_ns, f"{row.subject.rpartition('/')[2]} lags") for row in lagging}
    positions = [int(act.mark.removeprefix("ledger ")) for act in acts]
    assert positions == sorted(positions)
    assert positions[-1] > 0
