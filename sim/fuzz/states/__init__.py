"""Rare states: what has to happen in a campaign somewhere, or it has tried too little.

Each is a name, which says what it is, and what shows in a run that it was reached.  They are
counted over a campaign; ``--require-coverage`` fails when one was never reached.  Those of
`ALERTS` need an engine that has alerts.
"""

from __future__ import annotations

from collections.abc import Mapping

from sim.fuzz.evidence import Evidence
from sim.fuzz.states import fills, orders, processes
from sim.fuzz.states.base import STATES
from sim.fuzz.states.surroundings import ALERTS
from sim.world import Run

__all__ = ["ALERTS", "STATES", "fills", "missing", "orders", "processes", "reached"]


def reached(run: Run) -> frozenset[str]:
    """Return the names of the states that a run was in."""
    evidence = Evidence(run)
    return frozenset(name for name, test in STATES.items() if test(evidence))


def missing(counts: Mapping[str, int], *, alerts: bool) -> list[str]:
    """Return the states that a campaign has not reached, without those of alerts if need be."""
    return [name for name in STATES if not counts.get(name) and (alerts or name not in ALERTS)]
