"""Makes a failing story smaller: takes out records, and words of records, while it still fails.

Only what the loader accepts is tried, and nothing is made larger: it ends after at most as many
passes as there are records and words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from sim.scenario import Scenario, ScenarioError, dump, loads
from sim.scenario.model import Record

type Fails = Callable[[Scenario], bool]
"""Whether a story still fails in the way that is looked for."""

KEPT = ("order", "id", "side", "quantity", "type", "symbol", "strategy")
"""Fields without which a record is another one."""


def smaller(scenario: Scenario, fails: Fails) -> Scenario:
    """Return the story without what it can do without."""
    while True:
        found = next(
            (each for each in _candidates(scenario) if _is_valid(each) and fails(each)), None
        )
        if found is None:
            return scenario
        scenario = found


def _candidates(scenario: Scenario) -> Iterator[Scenario]:
    records = scenario.timeline
    # Halves and quarters first: most of a long story does not matter.
    for size in (len(records) // 2, len(records) // 4, 1):
        for begin in range(0, len(records), size) if size else ():
            yield _told(scenario, (*records[:begin], *records[begin + size :]))
    for number, record in enumerate(records):
        for other in _simpler(record):
            yield _told(scenario, (*records[:number], other, *records[number + 1 :]))


def _simpler(record: Record) -> Iterator[Record]:
    """Yield a record with one of its words left out."""
    action = record.action
    for field in msgspec.structs.fields(action):
        default = field.default
        if field.name in KEPT or default is msgspec.NODEFAULT:
            continue
        if getattr(action, field.name) != default:
            other = msgspec.structs.replace(action, **{field.name: default})
            yield msgspec.structs.replace(record, action=other)


def _told(scenario: Scenario, records: tuple[Record, ...]) -> Scenario:
    return msgspec.structs.replace(scenario, timeline=records)


def _is_valid(scenario: Scenario) -> bool:
    try:
        return bool(loads(dump(scenario), "smaller.yaml"))
    except (ScenarioError, ValueError):
        return False
