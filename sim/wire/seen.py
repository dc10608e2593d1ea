"""What one process has told of itself, put together by its parent."""

from __future__ import annotations

from typing import Any

from sim.observation import Alert, Call, Incarnation, NodeEvent, PositionChange, State
from sim.process import Process


class Seen:
    """What one process has told, and what became of it."""

    def __init__(self, name: str, number: int, lineage: int, started_ns: int) -> None:
        self.process = Process(name)
        self.number = number
        self.lineage = lineage
        self.started_ns = started_ns
        self.ended_ns = 0
        self.ended: Any = "running"
        self.ready_ns: int | None = None
        self.loaded = State()
        self.final = State()
        self.told: dict[str, list[Any]] = {
            what: [] for what in ("event", "change", "alert", "call", "startup")
        }
        self.quiet: dict[str, int] | None = None
        self.is_stopping = False

    def take(self, what: str, index: int, element: Any) -> None:
        """Take an element of one of the lists, which may have been told before."""
        told = self.told[what]
        told[index : index + 1] = [element]

    def come_to_rest(self, state: State) -> None:
        """What follows is the final read's."""
        self.final = state
        self.quiet = {what: len(told) for what, told in self.told.items()}

    def observed(self, node: str, claims: dict[str, str], now_ns: int) -> Incarnation:
        """Return the process as plain data."""
        events: list[NodeEvent] = self.told["event"]
        changes: list[PositionChange] = self.told["change"]
        alerts: list[Alert] = self.told["alert"]
        calls: list[Call] = self.told["call"]
        quiet = self.quiet or {}
        before = events[: quiet.get("event")]
        held = {order.client_order_id for order in self.final.orders}
        shown = [order.client_order_id for order in self.loaded.orders]
        # What the final read finds was never held, and so not purged.
        shown += [event.client_order_id for event in before if event.status]
        return Incarnation(
            node=node,
            number=self.number,
            lineage=self.lineage,
            started_ns=self.started_ns,
            ended_ns=self.ended_ns or now_ns,
            ended=self.ended,
            loaded=self.loaded,
            events=tuple(before),
            final=self.final,
            ready_ns=self.ready_ns,
            claims=claims,
            claims_of={},
            position_changes=tuple(changes[: quiet.get("change")]),
            alerts=tuple(alerts[: quiet.get("alert")]),
            calls=tuple(calls[:1]),
            purged=tuple(dict.fromkeys(name for name in shown if name not in held)),
            final_read=None if self.quiet is None else tuple(events[self.quiet["event"] :]),
        )
