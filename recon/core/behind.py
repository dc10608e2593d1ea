"""Since when a node has been behind the venue on an order, without a break."""

from __future__ import annotations

USUAL_NS = 1_000_000_000
"""What an event may take without being late at all."""


class Behind:
    """Remembers of each order the last event that came late.

    What happened before that event came is of one time with it: from when the first of them
    happened to when the last came the node was at no moment as the venue.
    """

    def __init__(self) -> None:
        self._late: dict[str, tuple[int, int]] = {}  # since when, and when it came

    def since(self, order_id: str, happened_ns: int, came_ns: int) -> int:
        """Take an event that is news; return since when the order had been behind by then."""
        since_ns, before_ns = self._late.pop(order_id, (happened_ns, happened_ns))
        if happened_ns >= before_ns:
            since_ns = happened_ns
        since_ns = min(since_ns, happened_ns)
        if came_ns - since_ns > USUAL_NS:
            self._late[order_id] = (since_ns, came_ns)
        return since_ns
