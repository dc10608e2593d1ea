"""Faults: what each needs, and what does not go together."""

from __future__ import annotations

from msgspec import UNSET

from sim.scenario.actions import (
    AlterReply,
    FailRequest,
    HideTrades,
    LoseReply,
    Matched,
    OmitRows,
    ReadFault,
    ReorderEvents,
    RequestFault,
    Throttle,
)
from sim.scenario.checks.common import Fail
from sim.scenario.errors import nearest
from sim.scenario.model import Scenario
from sim.scenario.yaml_tree import Path
from sim.venue.replies import ERROR_REPLIES, has_text
from sim.venue.rest import ROUTES


def check_matched(fault: Matched, path: Path, fail: Fail) -> None:
    if None not in (fault.count, fault.for_ns):
        fail((*path, "for"), "'count' and 'for' exclude each other", "give one")
    draws = fault.probability is not None or isinstance(fault, ReorderEvents)
    if fault.seed is not None and not draws:
        fail((*path, "seed"), "'seed' belongs to a 'probability'", "leave it out")


def check_request_fault(fault: RequestFault, path: Path, fail: Fail) -> None:
    served = {of for method, of in ROUTES if fault.method in (None, method)}
    if fault.path is not None and fault.path not in served:
        asked = "" if fault.method is None else f"{fault.method} "
        hint = nearest(fault.path, sorted(served))
        fail((*path, "path"), f"the venue has no {asked}{fault.path}", hint)
    match fault:
        case FailRequest():
            _check_failure(fault, path, fail)
        case AlterReply():
            _check_alteration(fault, path, fail)
        case Throttle() if fault.for_ns is None:
            fail(path, "throttle needs 'for'", "how long the venue wants to hear nothing")
    if isinstance(fault, FailRequest | LoseReply) and fault.late_ns and fault.applied != "after":
        fail((*path, "late"), "'late' belongs to 'applied: after'", "leave it out")


def _check_failure(fault: FailRequest, path: Path, fail: Fail) -> None:
    if fault.error is None and fault.status is None:
        fail(path, "fail_request needs 'error' or 'status'")
    if fault.error is not None:
        for word in ("status", "code"):
            if getattr(fault, word) is not None:
                fail((*path, word), f"'error' and {word!r} exclude each other", "give one")
        if fault.message is not None and ERROR_REPLIES[fault.error].code is None:
            fail((*path, "message"), f"the answer {fault.error!r} is a page", "leave it out")
    if fault.code is not None and fault.message is None and not has_text(fault.code):
        fail((*path, "code"), f"no text is known for the code {fault.code}", "give a 'message'")


def _check_alteration(fault: AlterReply, path: Path, fail: Fail) -> None:
    if fault.field is None and fault.header is None:
        fail(path, "alter_reply needs 'field' or 'header'")
    if None not in (fault.field, fault.header):
        fail((*path, "header"), "'field' and 'header' exclude each other", "give one")
    given = {"to": fault.to, "append": fault.append, "drop": fault.drop or UNSET}
    changes = [word for word, value in given.items() if value is not UNSET]
    if not changes:
        fail(path, "alter_reply needs 'to', 'append' or 'drop'")
    if len(changes) > 1:
        first, second = changes[:2]
        fail((*path, second), f"{first!r} and {second!r} exclude each other", "give one")
    if fault.header is not None:
        if changes == ["append"]:
            fail((*path, "append"), "a header is no list", "write 'to'")
        if changes == ["to"] and not isinstance(fault.to, str):
            fail((*path, "to"), "a header is text", "quote it")


def check_read_fault(scenario: Scenario, fault: ReadFault, path: Path, fail: Fail) -> None:
    match fault:
        case HideTrades():
            if fault.order is None and fault.symbol is None:
                fail(path, "hide_trades needs 'order' or 'symbol'")
            if None not in (fault.order, fault.symbol):
                fail((*path, "symbol"), "'order' and 'symbol' exclude each other", "give one")
        case OmitRows():
            _check_omission(scenario, fault, path, fail)


def _check_omission(scenario: Scenario, fault: OmitRows, path: Path, fail: Fail) -> None:
    given = (fault.order, fault.symbol, fault.position_side, fault.asset)
    if all(each is None for each in given):
        fail(path, "omit_rows needs 'order', 'symbol', 'position_side' or 'asset'")
    if fault.asset is not None and "account" not in fault.reads and "income" not in fault.reads:
        fail((*path, "asset"), "only account and income have rows of an asset")
    since_ns, until_ns = fault.since_ns, fault.until_ns
    if since_ns is not None and until_ns is not None and until_ns <= since_ns:
        fail((*path, "until"), "'until' comes after 'since'")
