"""The properties not-idempotent, not-converged, too-slow, stopped."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sim.observation import Call, Impairment, Incarnation, Observation
from tests.unit.oracle.observations import (
    END,
    SECOND,
    START,
    failed,
    fill_of,
    judged,
    observe,
    outcome,
    process,
    published,
    subjects,
    trade,
)


def run(incarnation: Incarnation, **changes: object) -> Observation:
    return observe([], incarnation, **changes)


def timed(kind: str, took_ns: int | None, began_ns: int = START + SECOND) -> Incarnation:
    ended_ns = None if took_ns is None else began_ns + took_ns
    return replace(process(), calls=(Call(kind, began_ns, ended_ns),))


def test_what_is_published_in_the_final_read_is_not_idempotent() -> None:
    events = tuple(published(fill_of(trade(number)), at=END + number) for number in range(1, 6))
    judgement = judged(run(replace(process(), final_read=events)))
    assert failed(judgement) == {"not-idempotent"}
    [violation] = judgement.violations
    assert violation.at_ns == END + 1
    assert violation.message == (
        "Node n1: process 0 published OrderFilled of O-1001, OrderFilled of O-1002, "
        "OrderFilled of O-1003 and 2 more when it was made to reconcile once more "
        "with everything quiet."
    )


def test_a_process_that_was_not_asked_again_is_no_subject() -> None:
    judgement = judged(run(replace(process(), final_read=None)))
    assert outcome(judgement, "not-idempotent") == "unexercised"


def test_what_is_pending_in_the_end_has_not_converged() -> None:
    judgement = judged(run(process(), pending="3 requests are not answered"))
    assert failed(judgement) == {"not-converged"}
    assert judgement.violations[0].message == (
        "The run had to be quiet, and still 3 requests are not answered."
    )
    assert judgement.violations[0].at_ns == END


@pytest.mark.parametrize(
    ("kind", "took_ns", "slow"),
    [
        ("startup", 30 * SECOND - 1, False),
        ("startup", 30 * SECOND, True),
        ("check", 5 * SECOND - 1, False),
        ("check", 5 * SECOND, True),
        ("check", None, True),
    ],
)
def test_calls_have_their_limits(kind: str, took_ns: int | None, slow: bool) -> None:
    judgement = judged(run(timed(kind, took_ns)))
    assert failed(judgement) == ({"too-slow"} if slow else set())
    assert subjects(judgement, "too-slow") == 1


def test_a_slow_call_is_told_with_its_time() -> None:
    judgement = judged(run(timed("startup", 41 * SECOND + SECOND // 2)))
    assert judgement.violations[0].message == (
        "Node n1: in process 0 startup reconciliation took 41.5 s, 30 s or more."
    )
    judgement = judged(run(timed("check", None, END - 7 * SECOND)))
    assert "a periodic check took at least 7.0 s, 5 s or more" in judgement.violations[0].message


@pytest.mark.parametrize(
    ("from_ns", "until_ns", "excused"),
    [(0, 2, True), (40, 50, True), (41, 50, False), (0, 0, False)],
)
def test_a_call_beside_which_a_fault_was_at_work_is_not_judged(
    from_ns: int, until_ns: int, excused: bool
) -> None:
    fault = Impairment("lag", START + from_ns * SECOND, START + until_ns * SECOND)
    call = timed("startup", 39 * SECOND)  # from 1 s to 40 s
    judgement = judged(run(call, impairments=(fault,)))
    assert outcome(judgement, "too-slow") == ("unexercised" if excused else "fail")


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ("quit", "stopped by itself"),
        ("stalled", "did not run its strategies 90 s after its start"),
    ],
)
def test_a_process_that_ends_by_itself_has_stopped(ended: str, words: str) -> None:
    judgement = judged(run(process(ended=ended)))
    assert failed(judgement) == {"stopped"}
    assert words in judgement.violations[0].message


@pytest.mark.parametrize("ended", ["running", "stopped", "killed", "crashed"])
def test_other_ends_are_somebody_elses(ended: str) -> None:
    assert failed(judged(run(process(ended=ended)))) == set()


@pytest.mark.parametrize(
    ("kind", "from_ns", "excused"),
    [
        ("read", END - SECOND, True),
        ("stream", END - SECOND, True),
        ("command", END - SECOND, False),
        ("lag", END - SECOND, True),
        ("read", END + 1, False),
        ("read", END - 120 * SECOND, True),
        ("read", END - 121 * SECOND, False),
    ],
)
def test_a_failed_read_or_connection_excuses_a_stop(kind: str, from_ns: int, excused: bool) -> None:
    faults = (Impairment(kind, from_ns, from_ns),)
    judgement = judged(run(process(ended="quit"), impairments=faults))
    assert failed(judgement) == (set() if excused else {"stopped"})
