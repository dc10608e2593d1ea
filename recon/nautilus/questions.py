"""The orders that something is still not known of, and when each is asked for next.

A question is asked at once, then with growing pauses, until the venue has answered so
that nothing is left open.  It is never given up.
"""

from __future__ import annotations

import msgspec

FIRST_NS = 1_000_000_000
LONGEST_NS = 30_000_000_000


class Question(msgspec.Struct):
    """One order that has to be asked for, by the venue's id or the client's."""

    symbol: str
    order_id: str | None
    client_order_id: str | None
    due_ns: int
    times: int = 0
    is_renewed: bool = False
    """Whether it came up again while it was being asked, so that the answer may be too old."""


class Questions:
    """All open questions of one account, oldest first."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str | None, str | None], Question] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(
        self, symbol: str, order_id: str | None, client_order_id: str | None, due_ns: int
    ) -> None:
        """Ask for an order, at the latest at an instant."""
        key = (symbol, order_id, None if order_id else client_order_id)
        found = self._open.get(key)
        if found is None:
            self._open[key] = Question(symbol, order_id, client_order_id, due_ns)
        else:
            found.is_renewed = True
            found.due_ns = min(found.due_ns, due_ns)
            found.client_order_id = found.client_order_id or client_order_id

    def has(self, symbol: str, order_id: str | None, client_order_id: str | None) -> bool:
        """Whether there is one about an order."""
        return any(
            question.symbol == symbol
            and (
                (order_id is not None and question.order_id == order_id)
                or (client_order_id is not None and question.client_order_id == client_order_id)
            )
            for question in self._open.values()
        )

    def due(self, now_ns: int) -> list[Question]:
        """Return those that are due."""
        return [question for question in self._open.values() if question.due_ns <= now_ns]

    def next_ns(self) -> int | None:
        """Return when the next one is due, None when there is none."""
        return min((question.due_ns for question in self._open.values()), default=None)

    def put_off(self, question: Question, now_ns: int) -> None:
        """Ask again later, each time later than the time before; at once what came up again."""
        if question.is_renewed:
            return
        pause_ns = min(FIRST_NS << question.times, LONGEST_NS)
        question.times = min(question.times + 1, 16)
        question.due_ns = now_ns + pause_ns

    def answered(self, question: Question) -> None:
        """A question is answered, unless it came up again meanwhile."""
        if question.is_renewed:
            return
        key = (
            question.symbol,
            question.order_id,
            None if question.order_id else question.client_order_id,
        )
        self._open.pop(key, None)
