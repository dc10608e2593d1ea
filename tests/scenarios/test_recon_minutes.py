"""The venue's minutes, by a clock that lies.  The released engine never asks for the time here."""

from __future__ import annotations

from sim import engines
from sim.report.result import result_of
from sim.scenario import loads
from sim.world import run

USED_UP = """
format: 1
title: Who waits for the venue's next minute asks whether it has begun
story: |
  For a minute the venue's time is seven seconds ahead of what it accepts, and all reads fail. In
  trying again, two nodes on one address use up the minute. By the time that they are told the next
  one begins early; what they ask then is still counted in the one before, and seems to use up
  theirs. A fill that the stream has not told of must not wait for all of it.
shows: alert-missing
seed: 651
venue:
  symbols: [SOLUSDT]
  balances: {BNB: "1000", USDT: "100000000"}
  accounts: {main: {}, second: {}}
nodes:
  A: {account: main, claims: {S-001: [SOLUSDT-PERP.BINANCE]}, reconciliation_interval_secs: 30}
  B: {account: second, claims: {S-001: [SOLUSDT-PERP.BINANCE]}, reconciliation_interval_secs: 30}
timeline:
  - {at: 55s4ms, skew_clock: {by: 7s, for: 1m1s, told_only: true}}
  - {at: 55s5ms, skew_clock: {by: -2s, for: 31s}}
  - {at: 1m56s6ms, mute_streams: {for: 50ms}}
  - {at: 1m56s7ms, submit: {id: O-4, side: BUY, quantity: "11.2", type: MARKET}}
"""


def test_a_minute_that_seems_used_up_is_not_waited_for_to_its_end():
    result = result_of(run(loads(USED_UP), engines.load("recon")))

    assert (result.verdict, result.reasons) == ("pass", ())
