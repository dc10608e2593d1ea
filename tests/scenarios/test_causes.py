"""What failures of the released engine are due to, found by repairing its gaps in memory."""

from __future__ import annotations

from pathlib import Path

from sim.report.causes import causes_of, table
from sim.scenario import load


def gaps(*names: str) -> list[frozenset[str]]:
    return [frozenset(names)]


def test_a_violation_is_due_to_the_gap_without_which_it_is_not_seen():
    causes = causes_of(load("scenarios/hedge/legs-collapse.yaml"))

    assert causes["fill-lost"] == gaps("G7")


def test_a_violation_may_be_due_to_two_gaps():
    causes = causes_of(load("scenarios/inflight/cancelled-with-lost-fill.yaml"))

    assert causes["fill-lost"] == gaps("G22")
    assert causes["not-idempotent"] == gaps("G1", "G22")


def test_what_no_repair_takes_away_is_due_to_something_else():
    causes = causes_of(load("scenarios/manual/round-trip-while-down.yaml"))

    assert causes["fill-lost"] == gaps()


def test_the_table_counts_stories_and_says_what_the_gaps_are():
    page = table([Path("scenarios/hedge/legs-collapse.yaml")])

    assert "| `fill-lost` | G7 | 1 | legs-collapse.yaml |" in page
    assert page.endswith("* G7: in hedge mode long and short of a symbol count as one")
