"""Stories are made smaller as long as they fail, and no further."""

from __future__ import annotations

from sim.fuzz.smaller import smaller
from sim.scenario import Scenario, dump, loads
from sim.scenario import actions as a

LONG = """\
format: 1
title: A long story
shows: fill-lost
venue: {symbols: [BTCUSDT]}
timeline:
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 3s, disconnect: {for: 1s, code: 1001}}
  - {at: 4s, fill: {order: O-1, quantity: "0.5", maker: false}}
  - {at: 5s, price: {price: "50100"}}
  - {at: 6s, submit: {id: O-2, side: SELL, quantity: "1", price: "51000", post_only: true}}
  - {at: 7s, restart: {by: kill, down: 20s, cache: lost}}
  - {at: 40s, fill: {order: O-1, quantity: "0.5"}}
"""


def told(scenario: Scenario) -> list[str]:
    return [record.action.word for record in scenario.timeline]


def test_what_does_not_matter_is_taken_out():
    found = smaller(loads(LONG), lambda scenario: {"fill", "restart"} <= {*told(scenario)})

    # A fill needs its order; the other fill, and all else, does not matter.
    assert told(found) in (["submit", "fill", "restart"], ["submit", "restart", "fill"])
    assert loads(dump(found)) == found


def test_words_that_do_not_matter_are_taken_out():
    def is_killed(scenario: Scenario) -> bool:
        restarts = (r.action for r in scenario.timeline if isinstance(r.action, a.Restart))
        return any(restart.by == "kill" for restart in restarts)

    [record] = smaller(loads(LONG), is_killed).timeline

    assert record.action == a.Restart(by="kill")


def test_what_cannot_be_smaller_stays():
    scenario = loads(LONG)
    assert smaller(scenario, lambda each: each == scenario) == scenario


def test_only_what_is_valid_is_tried():
    tried: list[Scenario] = []

    def fails(scenario: Scenario) -> bool:
        tried.append(scenario)
        return len(scenario.timeline) > 3

    found = smaller(loads(LONG), fails)

    assert len(found.timeline) == 4
    assert all(loads(dump(scenario)) == scenario for scenario in tried)
    assert len(tried) < 60
