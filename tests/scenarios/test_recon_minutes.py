"""The venue's minutes, by a clock that lies.  The released engine never asks for the time here."""

from __future__ import annotations

import pytest

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


STORMS = """
format: 1
title: A comparison that has read the lists reads also what differs
story: |
  Streams end three times within five seconds, and all come back at once: with what two nodes and
  their adapters read then, 80 % of the address's minute are used. The last comparison has found a
  trade that no stream has told of, and only lacks its order. It does not wait for the next minute.
shows: alert-missing
seed: 1
venue: {symbols: [SOLUSDT], accounts: {main: {}, second: {}}}
nodes:
  A: {account: main, claims: {S-001: [SOLUSDT-PERP.BINANCE]}, reconciliation_interval_secs: 30}
  B: {account: second, claims: {S-001: [SOLUSDT-PERP.BINANCE]}, reconciliation_interval_secs: 30}
timeline:
  - {at: 3s, submit: {id: O-1, side: BUY, quantity: "0.7", price: "149.85", node: B}}
  - {at: 2m3s2ms, shut_down_streams: {by: 50ms}}
  - {at: 2m5s3ms, shut_down_streams: {by: 50ms}}
  - {at: 2m5s4ms, submit: {id: O-4, side: SELL, quantity: "6.4", type: MARKET}}
  - {at: 2m7s4ms, disconnect: {for: 2s}}
  - {at: 2m7s14ms, submit: {id: O-5, side: SELL, quantity: "38.4", type: MARKET}}
"""


@pytest.mark.parametrize("story", [USED_UP, STORMS], ids=["told-otherwise", "storms"])
def test_a_minute_that_is_used_up_is_not_waited_for_to_its_end(story: str):
    result = result_of(run(loads(story), engines.load("recon")))

    assert (result.verdict, result.reasons) == ("pass", ())
