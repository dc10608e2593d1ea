"""Rare states: each is reached by a scenario that is told for it, and not by a quiet one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from sim import engines
from sim.fuzz.states import ALERTS, STATES, missing, reached
from sim.scenario import Scenario, load, loads
from sim.world import run

QUIET = """
format: 1
title: Nothing happens
shows: not-idempotent
venue: {symbols: [BTCUSDT]}
timeline: []
"""

KILLED = """
format: 1
title: A kill
shows: fill-lost
venue: {symbols: [BTCUSDT]}
node: {reconciliation_interval_secs: 60}
timeline:
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "2", price: "50000"}}
  - {at: 4s, fill: {order: O-1, quantity: "1"}}
"""
AFTER_A_FILL = KILLED + "  - {at: 4s50ms, restart: {by: kill, down: 0s}}\n"
AFTER_A_CANCEL = KILLED + (
    "  - {at: 6s, cancel: {order: O-1}}\n  - {at: 6s1ms, restart: {by: kill, down: 0s}}\n"
)

BY_FILE = """
account/position-mode-switched: the mode was switched, and orders were sent after it
attack/filled-while-it-is-asked-for: a submission failed, and the order is at the venue
attack/first-contact-between-two-trades: a fill happened while a node started
attack/first-contact-between-two-trades: a fill happened during the reads of a start
attack/first-contact-between-two-trades: killed with the event of a fill on its way
attack/first-contact-while-trades-lag: a fill happened during a check
attack/first-contact-while-trades-lag: an alert named a leg
attack/killed-after-the-trades: killed before the node was ready
attack/killed-after-the-trades: killed during the reads of a start
attack/killed-as-a-check-writes: killed inside of a write
attack/killed-as-an-order-shrinks: killed with an amendment unanswered
attack/killed-in-a-check: killed during a check
attack/killed-while-connecting: killed while the stream was gone
control/cancel-behind-a-time-out: the venue refused a cancellation
control/hedge: both legs of a symbol were held
control/modification-lost-in-a-message-bus-error: the venue refused an amendment
control/order-answered-by-half: an event of an order arrived before the reply to its submission
control/replicas-flap-in-flight: a read failed during a check
control/replicas-flap-in-flight: answers lagged behind a fill that the stream had told of
control/venue-knobs: a fill of what a conditional order had become was applied
disconnect/cancel-overtakes-the-fill: a fill arrived after the end of its order
disconnect/events-out-of-order: two fills of an order arrived in the wrong order
errors/clock-of-the-venue-ahead-at-a-start: the clock was wrong
issues/4716-stop-triggers-while-down: a conditional order was triggered while the node was down
issues/4716-stop-triggers-while-down: an order was amended while the node was down
reads/short-pages: pages were short
reads/trade-omitted: answers showed the past during a check
reads/trade-omitted: answers showed the past during a start
reads/trade-omitted: trades were hidden from reads
restart/cold-after-a-fill: the cache was lost while a position was held
restart/flip-while-down: a fill turned a position around
restart/many-restarts: killed twice within a minute
restart/stale-cache: a lost fill was applied again, in the next process
restart/stale-cache: a process had lost a fill that the one before had applied
restart/stale-cache: a process had lost an order that the one before had sent
several/stopping-one-ends-the-others-stream: the event of a fill arrived twice
startup/account-with-a-past: the venue refused requests because there were too many
startup/failed-read: a read failed during a start
startup/first-contact: a fill happened before the first start
startup/order-that-never-arrived: a submission failed, and the order is not at the venue
startup/order-that-never-arrived: killed with an order unanswered
startup/order-that-never-arrived: the venue refused an order
stream/burst: a fill was applied from a read and then arrived on the stream
stream/muted: an alert named a fill
stream/muted: nothing was heard on an open stream
stream/muted: the end of an order was learned from a read
stream/muted: the event of a fill never arrived, and a node ran
stream/opened-with-a-dead-key: an alert named an order
stream/refused-once: a stream was gone and came back
stream/reversed-at-once: a position was closed, and opened again
venue_mismatch/liquidated: a fill of an order of the venue's own was applied
venue_mismatch/liquidated: a fill was applied from a read
venue_mismatch/liquidated: a fill was applied from the stream
venue_mismatch/order-fills-live: a fill of an order by hand was applied
venue_mismatch/order-fills-live: an order was partly filled and then cancelled
venue_mismatch/phantom-position: a fill happened while the node was down
venue_mismatch/phantom-position: a fill happened while the stream was gone
venue_mismatch/phantom-position: a leg was closed while the node was down
venue_mismatch/phantom-position: an order ended while the node was down
venue_mismatch/phantom-position: an order that nobody here had sent was taken over at a start
venue_mismatch/position-older-than-the-window: an opening balance was made
venue_mismatch/positions-never-answered: a node came back while reads failed
venue_mismatch/positions-never-told: an order was known as open at a start, and had ended at the venue
venue_mismatch/positions-never-told: an order was partly filled at a start, and filled further while the node was down
ws_api/logon-fails-after-a-restart: a start failed, and the next one did not
ws_api/start-fails-after-the-key-expired: a listen key expired
"""  # noqa: E501
CASES = [tuple(line.split(": ", 1)) for line in BY_FILE.strip().splitlines()]


def states_of(scenario: Scenario) -> frozenset[str]:
    return reached(run(scenario, engines.load("recon")))


@cache
def states_of_file(name: str) -> frozenset[str]:
    return states_of(load(Path("scenarios") / f"{name}.yaml"))


@pytest.mark.parametrize(("name", "state"), CASES)
def test_a_scenario_reaches_it(name: str, state: str):
    assert state in states_of_file(name)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (AFTER_A_FILL, "killed right after a fill was applied"),
        (AFTER_A_CANCEL, "killed with a cancel unanswered"),
    ],
)
def test_a_kill_reaches_it(text: str, state: str):
    assert state in states_of(loads(text, "test.yaml"))
    assert state not in states_of(loads(KILLED, "test.yaml"))


def test_nothing_is_reached_where_nothing_happens():
    assert states_of(loads(QUIET, "test.yaml")) == set()


def test_all_states_are_tried_here():
    known = {state for _, state in CASES}
    rest = {"killed right after a fill was applied", "killed with a cancel unanswered"}
    assert known | rest == set(STATES)
    assert len(STATES) >= 40


def test_what_is_missing():
    counts = dict.fromkeys(STATES, 1)
    assert missing(counts, alerts=True) == []
    unheard = dict.fromkeys(set(STATES) - set(ALERTS), 1)
    assert missing(unheard, alerts=False) == []
    assert missing(unheard, alerts=True) == list(ALERTS)
    assert missing({**counts, "the clock was wrong": 0}, alerts=True) == ["the clock was wrong"]
