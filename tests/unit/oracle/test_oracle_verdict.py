"""The verdict of a run: pass, fail, inconclusive; and the property `crash`."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sim.observation import Crash, Observation
from sim.oracle import FillCounts, Verdict, judge
from tests.unit.oracle.observations import (
    START,
    failed,
    fill_of,
    observe,
    outcome,
    process,
    published,
    state_of,
    subjects,
    trade,
)

IMPLEMENTED = [
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
]
WITHOUT_ALERTS = [name for name in IMPLEMENTED if not name.startswith("alert-")]
EXERCISED_BY_A_TRADE = IMPLEMENTED[:7]


@pytest.mark.parametrize("shows", WITHOUT_ALERTS)
def test_a_run_in_which_everything_was_right_passes(shows: str) -> None:
    judgement = judge(observe([trade()]), shows)
    assert judgement.verdict == "pass"
    assert judgement.properties == tuple(
        Verdict(name, "pass", 1) if name in WITHOUT_ALERTS else Verdict(name, "not-applicable", 0)
        for name in IMPLEMENTED
    )
    assert judgement.violations == ()
    assert judgement.exempt == ()
    assert judgement.reasons == ()
    assert judgement.fills == FillCounts(1, 1, 0, 0, 0, 0)


@pytest.mark.parametrize("shows", ["alert-missing", "alert-false"])
def test_alerts_do_not_apply_to_an_engine_without_them(shows: str) -> None:
    judgement = judge(observe([trade()]), shows)
    assert judgement.verdict == "inconclusive"
    assert judgement.reasons == (
        f"{shows}, which the run is to show, does not apply to an engine without alerts.",
    )


@pytest.mark.parametrize("shows", EXERCISED_BY_A_TRADE)
def test_an_empty_run_is_inconclusive(shows: str) -> None:
    judgement = judge(observe(), shows)
    assert judgement.verdict == "inconclusive"
    assert outcome(judgement, shows) == "unexercised"
    assert judgement.reasons == (f"{shows}, which the run is to show, had nothing to judge.",)


@pytest.mark.parametrize("observation", [observe(), replace(observe(), incarnations=())])
def test_crash_is_always_exercised(observation: Observation) -> None:
    judgement = judge(observation, "crash")
    assert judgement.verdict == "pass"
    assert subjects(judgement, "crash") == 1


@pytest.mark.parametrize("shows", ["fill-lots"])
def test_a_property_that_is_not_judged_here_cannot_be_shown(shows: str) -> None:
    judgement = judge(observe([trade()]), shows)
    assert judgement.verdict == "inconclusive"
    assert [v.property for v in judgement.properties] == IMPLEMENTED
    assert shows in judgement.reasons[0]


def test_an_inert_record_makes_a_passing_run_inconclusive() -> None:
    observation = replace(observe([trade()]), inert=("The fault at 10s never took effect.",))
    judgement = judge(observation, "fill-lost")
    assert judgement.verdict == "inconclusive"
    assert judgement.reasons == observation.inert


def test_an_inert_record_leaves_a_failing_run_failing_and_is_listed() -> None:
    observation = replace(observe([trade()], process()), inert=("Nothing happened at 10s.",))
    judgement = judge(observation, "fill-lost")
    assert judgement.verdict == "fail"
    assert judgement.reasons == observation.inert


def test_every_crash_is_one_violation() -> None:
    crashes = (Crash(START, "n1", 0, "os._exit(1)"), Crash(START + 1, "n1", 1, "deadlock"))
    judgement = judge(replace(observe([trade()]), crashes=crashes), "crash")
    assert failed(judgement) == {"crash"}
    assert [v.at_ns for v in judgement.violations] == [START, START + 1]
    assert judgement.violations[0].message == "Process 0 of node n1 crashed: os._exit(1)."


def test_a_process_that_runs_answers_for_the_end() -> None:
    judgement = judge(observe([trade()], process()), "fill-lost")
    assert failed(judgement) == {"fill-lost", "order-mismatch", "position-mismatch"}


@pytest.mark.parametrize("ended", ["stopped", "killed", "crashed"])
def test_a_process_that_is_gone_holds_nothing_to_be_judged(ended: str) -> None:
    judgement = judge(observe([trade()], process(ended=ended)), "fill-lost")
    assert judgement.verdict == "inconclusive"
    for name in ("fill-lost", "order-mismatch", "position-mismatch"):
        assert outcome(judgement, name) == "unexercised"


def test_each_node_is_judged_for_itself() -> None:
    t = trade()
    right = process(state_of([t]), [published(fill_of(t))], node="n1")
    judgement = judge(observe([t], right, process(node="n2")), "fill-lost")
    assert failed(judgement) == {"fill-lost", "order-mismatch", "position-mismatch"}
    assert all("node n2" in violation.message for violation in judgement.violations)
    assert judgement.fills == FillCounts(
        venue=2, applied=1, lost=1, duplicated=0, phantom=0, opening=0
    )


def test_processes_may_be_listed_in_any_order() -> None:
    t = trade()
    state = state_of([t])
    first = process(state, [published(fill_of(t))], ended="killed")
    second = process(state, loaded=state, number=1)
    assert judge(observe([t], second, first), "fill-lost").verdict == "pass"
