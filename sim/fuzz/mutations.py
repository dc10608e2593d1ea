"""Given scenarios, changed a little: what else could have happened around a story that is known.

Rules:

* The change is small: up to `CHANGES_AT_MOST` of moving a record in time, leaving one out, telling
  one twice, or adding a word that could happen then.
* What the loader would refuse is not changed: the result is valid.
* What the file says of its own verdict (`known`) and of the end (`expect`) is left out: neither
  need be true any more.  The title says of which file it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import msgspec
from hypothesis import strategies as st

from sim.fuzz.features import FEATURES, FOLLOWED_BY
from sim.fuzz.stories import Teller
from sim.fuzz.values import GAPS_NS, SOON_NS
from sim.scenario import actions as a
from sim.scenario import model as m
from sim.scenario.checks import check

CHANGES_AT_MOST = 4

FAULTS = tuple(
    word
    for word in {w: None for words in FEATURES.values() for w in words}
    if issubclass(a.ACTIONS[word], a.Fault) or word in ("restart", "price", "web_submit")
)
"""The words that are added."""


class Invalid(Exception):
    """The loader would refuse a change."""


def _refuse(path: Any, message: str, hint: str = "") -> NoReturn:
    raise Invalid(message)


def is_valid(scenario: m.Scenario) -> bool:
    """Whether the loader would take a scenario."""
    try:
        check(scenario, _refuse)
    except Invalid:
        return False
    return True


@st.composite
def mutations(draw: st.DrawFn, given: Sequence[m.Scenario]) -> m.Scenario:
    """Given scenarios, each with a few changes.  Raises `ValueError` when none is given."""
    able = [
        scenario for scenario in given if not any(map(_never_answers, scenario.each_node.values()))
    ]
    if not able:
        raise ValueError("there is no scenario to be changed")
    scenario = draw(st.sampled_from(able))
    scenario = msgspec.structs.replace(
        scenario,
        title=f"Found by fuzzing {scenario.name}"[:150],
        known={},
        expect=m.Expect(adjustments=scenario.expect.adjustments),
    )
    for _ in range(draw(st.integers(1, CHANGES_AT_MOST))):
        change: Callable[[st.DrawFn, m.Scenario], m.Scenario] = draw(st.sampled_from(_CHANGES))
        changed = change(draw, scenario)
        if is_valid(changed):
            scenario = changed
    return scenario


def _never_answers(node: m.Node) -> bool:
    """Whether a node's broker never says what is held: no story of it comes to a good end."""
    return node.broker is not None and node.broker.positions == "fails"


def _told(scenario: m.Scenario, records: Sequence[m.Record]) -> m.Scenario:
    in_order = sorted(records, key=lambda record: record.at_ns)
    return msgspec.structs.replace(scenario, timeline=tuple(in_order))


def _index(draw: st.DrawFn, scenario: m.Scenario) -> int:
    return draw(st.integers(0, max(0, len(scenario.timeline) - 1)))


def _move(draw: st.DrawFn, scenario: m.Scenario) -> m.Scenario:
    records, index = [*scenario.timeline], _index(draw, scenario)
    if records:
        by_ns = draw(st.sampled_from((*SOON_NS, *GAPS_NS))) * draw(st.sampled_from((1, -1)))
        at_ns = max(0, records[index].at_ns + by_ns)
        records[index] = msgspec.structs.replace(records[index], at_ns=at_ns)
    return _told(scenario, records)


def _leave_out(draw: st.DrawFn, scenario: m.Scenario) -> m.Scenario:
    index = _index(draw, scenario)
    return _told(scenario, (*scenario.timeline[:index], *scenario.timeline[index + 1 :]))


def _tell_twice(draw: st.DrawFn, scenario: m.Scenario) -> m.Scenario:
    records = scenario.timeline
    if not records:
        return scenario
    record = records[_index(draw, scenario)]
    later_ns = record.at_ns + draw(st.sampled_from(GAPS_NS))
    return _told(scenario, (*records, msgspec.structs.replace(record, at_ns=later_ns)))


def _add(draw: st.DrawFn, scenario: m.Scenario) -> m.Scenario:
    """Add a word, and at times what it is in the way of, after one of the records."""
    index = _index(draw, scenario)
    teller = Teller(draw, scenario, frozenset(), scenario.timeline[: index + 1])
    word = draw(st.sampled_from(FAULTS))
    if teller.tell(word, SOON_NS):
        draw(st.booleans()) and any(teller.tell(w, SOON_NS) for w in FOLLOWED_BY.get(word, ()))
    return _told(scenario, (*teller.records, *scenario.timeline[index + 1 :]))


_CHANGES = (_move, _leave_out, _tell_twice, _add, _add, _add)
