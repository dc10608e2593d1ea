"""What the words of a fault of streams need of each other."""

from __future__ import annotations

from msgspec import UNSET

from sim.scenario.actions import (
    AlterEvent,
    Fault,
    HoldEvents,
    InjectEvent,
    RefuseStreams,
    ReorderEvents,
)
from sim.scenario.checks.common import Fail
from sim.scenario.yaml_tree import Path


def check_stream_fault(fault: Fault, path: Path, fail: Fail) -> None:
    """Fail where words of a fault exclude each other, or one is missing."""
    match fault:
        case HoldEvents(count=None, for_ns=None):
            fail(path, "hold_events needs 'for' or 'count'")
        case AlterEvent(drop=False, to=to) if to is UNSET:
            fail(path, "alter_event needs 'to' or 'drop'")
        case AlterEvent(drop=True, to=to) if to is not UNSET:
            fail((*path, "drop"), "'to' and 'drop' exclude each other", "give one")
        case RefuseStreams(account=str()):
            fail((*path, "account"), "a stream that is refused has no account", "leave it out")
        case RefuseStreams(dead_key=True, status=int()):
            hint = "leave it out"
            fail((*path, "status"), "a stream with a dead key is opened and has no 'status'", hint)
        case ReorderEvents(into="reversed", probability=None, seed=int()):
            fail((*path, "seed"), "'seed' belongs to 'into: shuffled'", "leave it out")
        case InjectEvent(size=int() as size, text=text) if size < len(text):
            fail((*path, "size"), f"'text' alone has {len(text)} characters", "leave it out")
