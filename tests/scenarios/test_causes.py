"""What failures of the released engine are due to, found by repairing its gaps in memory."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from sim.report import causes
from sim.report.causes import table
from sim.scenario import load


def causes_of(path: str) -> dict[str, list[list[frozenset[str]]]]:
    """The distinct causes of each violated property."""
    found = defaultdict(list)
    for (name, _), its in causes.causes_of(load(path)).items():
        if its not in found[name]:
            found[name].append(its)
    return found


def gaps(*names: str) -> list[list[frozenset[str]]]:
    return [[frozenset(names)]]


def test_a_violation_is_due_to_the_gap_without_which_it_is_not_seen():
    found = causes_of("scenarios/hedge/legs-collapse.yaml")

    assert found["fill-lost"] == gaps("G7")


def test_a_violation_may_be_due_to_two_gaps():
    found = causes_of("scenarios/inflight/cancelled-with-lost-fill.yaml")

    assert found["fill-lost"] == gaps("G22")
    assert found["not-idempotent"] == gaps("G1", "G22")


def test_what_no_repair_takes_away_is_due_to_something_else():
    found = causes_of("scenarios/manual/round-trip-while-down.yaml")

    assert found["fill-lost"] == gaps()


def test_the_table_counts_stories_and_says_what_the_gaps_are():
    page = table([Path("scenarios/hedge/legs-collapse.yaml")])

    assert "| `fill-lost` | G7 | 1 | legs-collapse.yaml |" in page
    assert page.endswith("* G7: in hedge mode long and short of a symbol count as one")
