"""Properties of how a process behaves, whatever it does to fills: when it rests, how long it
takes, how it ends.

not-idempotent
    When everything is quiet and a node is made to reconcile once more, it publishes no order
    event in that call nor in the interval after it.
not-converged
    When a run has to be quiet, nothing is pending: no request, event, lagging read or restart.
too-slow
    A startup reconciliation takes less than 30 s, a periodic check (a burst of reads) less than
    5 s, of virtual time: what the venue takes to answer, not what the machine takes to compute.
    Calls beside which a fault was at work are not judged.
stopped
    No process stops itself, and in each the strategies run 90 s after its start, unless a read
    or a connection failed in its last two minutes.
crash
    Nothing raised, exited or hung that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.observation import Call, Incarnation, Observation
from sim.oracle.judgement import Finding, Violation

_NS_PER_SEC = 1_000_000_000

LIMITS_NS = {"startup": 30 * _NS_PER_SEC, "check": 5 * _NS_PER_SEC}

_WORDS = {"startup": "startup reconciliation", "check": "a periodic check"}
_ENDS = {
    "quit": "stopped by itself",
    "stalled": "did not run its strategies 90 s after its start",
}
_SHOWN_AT_MOST = 3
_EXCUSED_FOR_NS = 120 * _NS_PER_SEC


def not_idempotent(observation: Observation) -> Finding:
    asked = [i for i in observation.incarnations if i.final_read is not None]
    violations = []
    for incarnation in asked:
        events = incarnation.final_read
        if events:
            shown = [f"{e.kind} of {e.client_order_id}" for e in events[:_SHOWN_AT_MOST]]
            more = len(events) - len(shown)
            violations.append(
                Violation(
                    "not-idempotent",
                    f"Node {incarnation.node}: {_process(incarnation)} published {', '.join(shown)}"
                    f"{f' and {more} more' if more else ''} when it was made to reconcile "
                    "once more with everything quiet.",
                    events[0].at_ns,
                )
            )
    return Finding("not-idempotent", len(asked), violations)


def not_converged(observation: Observation) -> Finding:
    violations = []
    if observation.pending is not None:
        message = f"The run had to be quiet, and still {observation.pending}."
        violations.append(Violation("not-converged", message, observation.ended_ns))
    return Finding("not-converged", len(observation.incarnations), violations)


def too_slow(observation: Observation) -> Finding:
    subjects = 0
    violations = []
    for incarnation in observation.incarnations:
        for call in _judged_calls(observation, incarnation):
            subjects += 1
            took_ns = (incarnation.ended_ns if call.ended_ns is None else call.ended_ns) - (
                call.began_ns
            )
            limit_ns = LIMITS_NS[call.kind]
            if took_ns >= limit_ns:
                what = f"{_WORDS[call.kind]} took{' at least' if call.ended_ns is None else ''}"
                violations.append(
                    Violation(
                        "too-slow",
                        f"Node {incarnation.node}: in {_process(incarnation)} {what} "
                        f"{took_ns / _NS_PER_SEC:.1f} s, {limit_ns // _NS_PER_SEC} s or more.",
                        call.began_ns,
                    )
                )
    return Finding("too-slow", subjects, violations)


def _judged_calls(observation: Observation, incarnation: Incarnation) -> Iterator[Call]:
    for call in incarnation.calls:
        ended_ns = incarnation.ended_ns if call.ended_ns is None else call.ended_ns
        if not any(
            fault.from_ns <= ended_ns and fault.until_ns >= call.began_ns
            for fault in observation.impairments
        ):
            yield call


def stopped(observation: Observation) -> Finding:
    violations = [
        Violation(
            "stopped",
            f"Node {incarnation.node}: {_process(incarnation)} {_ENDS[incarnation.ended]}, "
            "and no read or connection had failed or shown the past.",
            incarnation.ended_ns,
        )
        for incarnation in observation.incarnations
        if incarnation.ended in _ENDS and not _is_excused(observation, incarnation)
    ]
    return Finding("stopped", max(1, len(observation.incarnations)), violations)


def _is_excused(observation: Observation, incarnation: Incarnation) -> bool:
    return any(
        fault.kind in ("read", "lag", "stream")
        and fault.from_ns <= incarnation.ended_ns
        and fault.until_ns >= incarnation.started_ns
        and fault.until_ns >= incarnation.ended_ns - _EXCUSED_FOR_NS
        for fault in observation.impairments
    )


def crashes(observation: Observation) -> Finding:
    violations = [
        Violation(
            "crash",
            f"Process {crash.incarnation} of node {crash.node} crashed: {crash.reason}.",
            crash.at_ns,
        )
        for crash in observation.crashes
    ]
    # Never without a subject: that the run came to its end is judged even where nothing ran.
    return Finding("crash", max(1, len(observation.incarnations)), violations)


def _process(incarnation: Incarnation) -> str:
    return f"process {incarnation.number}"
