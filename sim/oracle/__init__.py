"""The properties and the verdict.

`judge` reads an `Observation` and nothing else.  The rules:

1. The venue is the truth.  A fill is a venue trade, keyed by (account, symbol, order id, trade
   id, side); a fill of a node matches the trade of which it carries exactly these.
2. Whatever a process publishes is judged, in every process of every node: `fill-duplicated`,
   `phantom-fill`, `fill-wrong` (`fills`), `false-terminal` (`terminal`).
3. What the last process of each node holds when the run is quiet is judged: `fill-lost`
   (`fills`), `order-mismatch` (`orders`), `position-mismatch` (`positions`).  `scope` says from
   when on, and which processes have no end to judge.
4. How a process behaves is judged: `not-idempotent`, `not-converged`, `too-slow`, `stopped`,
   `crash` (`conduct`); and, where the engine has a topic for them, what it says about
   discrepancies: `alert-missing`, `alert-false` (`alerts`).
5. A property is unexercised when it had no subject; `crash` and `stopped` are exercised always.
6. The run fails on any violation.  Otherwise it is inconclusive when the property that it
   shows was unexercised or not applicable, or when a record or fault never took effect: an
   empty test cannot pass.  Otherwise it passes.

Where a run has several nodes each is judged by itself, against its own accounts (`views`), and
the findings are added up.

Each module states its property in full at its top.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sim.observation import NodeFill, Observation
from sim.oracle import alerts, conduct, fills, orders, positions, terminal
from sim.oracle.differences import Differences
from sim.oracle.judgement import (
    FillCounts,
    Finding,
    Judgement,
    Outcome,
    RunVerdict,
    Verdict,
    Violation,
)
from sim.oracle.ledgers import Ledgers
from sim.oracle.scope import nodes_of
from sim.oracle.views import by_account, views

__all__ = [
    "FillCounts",
    "Judgement",
    "Outcome",
    "RunVerdict",
    "Verdict",
    "Violation",
    "judge",
]

CATALOGUE = (
    "fill-lost",
    "fill-duplicated",
    "phantom-fill",
    "fill-wrong",
    "order-mismatch",
    "false-terminal",
    "position-mismatch",
    "not-idempotent",
    "not-converged",
    "too-slow",
    "alert-missing",
    "alert-false",
    "stopped",
    "crash",
)
"""The properties, in the order in which verdicts and violations come."""


def judge(observation: Observation, shows: str) -> Judgement:
    """Judge one run; ``shows`` names the property for which its scenario exists.

    Raises:
        ValueError: the observation contradicts itself: the venue has two trades of one key, or
            there is a process of a node without a sight.
    """
    nodes = list(views(observation))
    parts = [_judge_account(each) for view in nodes for each in by_account(view)]
    made = [*(part.findings for part in parts), *map(_judge_conduct, nodes)]
    findings = {name: _sum_up([each[name] for each in made if name in each]) for name in CATALOGUE}
    exempt = tuple(fill for part in parts for fill in part.exempt)

    verdicts = tuple(
        Verdict(name, "not-applicable", 0) if finding is None else finding.verdict()
        for name, finding in findings.items()
    )
    violations = tuple(
        violation
        for finding in findings.values()
        if finding is not None
        for violation in finding.violations
    )
    reasons = (*_reason_not_shown(verdicts, shows), *observation.inert)
    return Judgement(
        verdict="fail" if violations else "inconclusive" if reasons else "pass",
        properties=verdicts,
        violations=violations,
        fills=FillCounts(
            venue=sum(part.due for part in parts),
            applied=sum(part.due - part.missing for part in parts),
            lost=_count(findings, "fill-lost"),
            duplicated=_count(findings, "fill-duplicated"),
            phantom=_count(findings, "phantom-fill"),
            opening=len(exempt),
        ),
        exempt=exempt,
        reasons=reasons,
    )


type Findings = dict[str, Finding | None]


class _Part(NamedTuple):
    """What was found of one account of a node; how many trades were due and missing."""

    findings: Findings
    exempt: tuple[NodeFill, ...]
    due: int
    missing: int


def _judge_account(observation: Observation) -> _Part:
    nodes = nodes_of(observation)
    ledgers = Ledgers(observation, nodes)
    phantom, exempt = fills.phantom(observation, ledgers)
    differences = Differences(observation, nodes)
    findings: Findings = {
        "fill-lost": fills.lost(ledgers),
        "fill-duplicated": fills.duplicated(ledgers),
        "phantom-fill": phantom,
        "fill-wrong": fills.wrong(ledgers),
        "order-mismatch": orders.mismatched(observation, nodes),
        "false-terminal": terminal.wrongly_ended(differences.venue, nodes),
        "position-mismatch": positions.mismatched(observation, nodes, ledgers.due, differences),
        "alert-missing": alerts.missing(differences),
        "alert-false": alerts.false(differences),
    }
    return _Part(findings, exempt, len(ledgers.due), len(ledgers.missing))


def _judge_conduct(observation: Observation) -> Findings:
    return {
        "not-idempotent": conduct.not_idempotent(observation),
        "not-converged": conduct.not_converged(observation),
        "too-slow": conduct.too_slow(observation),
        "stopped": conduct.stopped(observation),
        "crash": conduct.crashes(observation),
    }


def _sum_up(findings: Sequence[Finding | None]) -> Finding | None:
    """The findings of one property as one; None when it applied to nobody."""
    made = [finding for finding in findings if finding is not None]
    if not made:
        return None
    return Finding(
        made[0].property,
        sum(finding.subjects for finding in made),
        [violation for finding in made for violation in finding.violations],
    )


def _count(findings: Findings, name: str) -> int:
    finding = findings[name]
    return 0 if finding is None else len(finding.violations)


def _reason_not_shown(verdicts: tuple[Verdict, ...], shows: str) -> tuple[str, ...]:
    outcome = next((v.outcome for v in verdicts if v.property == shows), None)
    why = {
        None: "is not judged by this oracle",
        "unexercised": "had nothing to judge",
        "not-applicable": "does not apply to an engine without alerts",
    }.get(outcome)
    return () if why is None else (f"{shows}, which the run is to show, {why}.",)
