"""A run told in a few lines: what was done, what the node made of it, what broke where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sim.report.result import Result
from sim.trace import Row, Trace

LINES_AT_MOST = 24
"""The lines of a story that nobody has asked for."""

LEADING_UP = 2


class Line(NamedTuple):
    """One line of a story; ``broken`` when it tells of a violation."""

    at: str
    text: str
    broken: bool = False


GAP = Line("", "...")


def story(trace: Trace, result: Result, start_ns: int) -> list[Line]:
    """Tell a run; times are counted from `start_ns`."""
    told: list[tuple[int, bool, str]] = []
    last_fault = ""
    for row in trace.rows:
        tell = _TELL.get(row.kind)
        text = tell(row) if tell is not None else None
        if text is None or (row.kind == "fault" and row.subject == last_fault):
            continue  # what a fault does over and over is told once, until something follows
        last_fault = row.subject if row.kind == "fault" else ""
        told.append((row.at_ns, False, text))
    told += [(v.at_ns, True, f"✗ {v.property}: {v.message}") for v in result.violations]
    told.sort(key=lambda entry: entry[:2])
    return [Line(f"{(at_ns - start_ns) / 1e9:.3f}s", text, broken) for at_ns, broken, text in told]


def shortened(lines: Sequence[Line]) -> Sequence[Line]:
    """Return a story that is not too long: its beginning and what leads up to each violation."""
    if len(lines) <= LINES_AT_MOST:
        return lines
    keep = set(range(LINES_AT_MOST // 2))
    for number, line in enumerate(lines):
        if line.broken:
            keep.update(range(number - LEADING_UP, number + 1))
    shortened: list[Line] = []
    for number, line in enumerate(lines):
        if number in keep:
            shortened.append(line)
        elif shortened[-1] is not GAP:
            shortened.append(GAP)
    return shortened


_SILENT = ("OrderInitialized", "OrderSubmitted", "OrderPending", "OrderUpdated")


def _order_event(row: Row) -> str | None:
    if row.details.startswith(_SILENT):
        return None
    kind, _, details = row.details.partition(" ")
    process, _, order = row.subject.partition(" ")
    if kind == "OrderFilled":
        details = details.rpartition(" ")[0]  # its time in nanoseconds
    return f"{process}: {kind} {order} {details}"


_TELL: dict[str, Callable[[Row], str | None]] = {
    "record": lambda row: row.details,
    "fault": lambda row: f"fault: {row.subject}: {row.details} ({row.mark})",
    "point": lambda row: f"{row.subject}: the point is reached",
    "node-start": lambda row: f"{row.subject} starts",
    "node-end": lambda row: f"{row.subject} {row.details}",
    "crash": lambda row: f"{row.subject} crashes: {row.details}",
    "order-event": _order_event,
}
