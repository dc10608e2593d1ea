"""The property false-terminal: what is live at the venue is never shown as done.

After no event of a process is an order shown rejected, cancelled, expired or filled while it is
live at the venue, in whatever process that was decided: a process that loads such an order shows
it from its first event on.

An order of the node stands for the order of the venue whose id it carries, or, as long as it
carries none, for those with its client order id; each that stands for one is judged.  Where
another order of the process carries the same venue order id and is not done, it speaks for both
(a continuation order).
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.observation import Incarnation, NodeEvent, VenueOrder
from sim.oracle.judgement import Finding, Violation
from sim.oracle.scope import Node, venue_id
from sim.oracle.subjects import Venue

TERMINAL = frozenset({"REJECTED", "CANCELED", "EXPIRED", "FILLED"})


def wrongly_ended(venue: Venue, nodes: tuple[Node, ...]) -> Finding:
    subjects = 0
    violations: list[Violation] = []
    for node in nodes:
        for incarnation in node.incarnations:
            shown = _Shown(venue, incarnation)
            violations += shown.violations()
            subjects += len(shown.judged)
    return Finding("false-terminal", subjects, violations)


class _Shown:
    """The orders of one process as they are shown after each of its events."""

    def __init__(self, venue: Venue, incarnation: Incarnation) -> None:
        self.judged: set[str] = set()
        self._venue = venue
        self._incarnation = incarnation
        self._status: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        # Orders shown as done that may be, or may yet become, live: few, as a rule none.
        self._suspects: dict[str, tuple[VenueOrder, ...]] = {}

    def violations(self) -> Iterator[Violation]:
        started_ns = self._incarnation.started_ns
        for held in self._incarnation.loaded.orders:
            self._show(
                held.account,
                held.symbol,
                held.client_order_id,
                held.venue_order_id,
                held.status,
                started_ns,
            )
        told: set[str] = set()
        for event in self._incarnation.events:
            self._show(
                event.account,
                event.symbol,
                event.client_order_id,
                event.venue_order_id,
                event.status,
                event.at_ns,
            )
            for client_order_id, orders in self._suspects.items():
                for order in orders:
                    if client_order_id not in told and self._is_wrong(order, event):
                        told.add(client_order_id)
                        yield self._violation(client_order_id, order, event)

    def _show(
        self,
        account: str,
        symbol: str,
        client_order_id: str,
        venue_order_id: str,
        status: str,
        at_ns: int,
    ) -> None:
        if not status:
            return  # the cache does not have it
        self._status[client_order_id] = status
        known_id = venue_order_id or self._ids.get(client_order_id, "")
        self._ids[client_order_id] = known_id
        self._suspects.pop(client_order_id, None)
        orders = self._at_the_venue(account, symbol, client_order_id, known_id)
        if orders:
            self.judged.add(client_order_id)
        if status not in TERMINAL:
            return
        live = tuple(o for o in orders if o.closed_ns is None or o.closed_ns > at_ns)
        if live:
            self._suspects[client_order_id] = live

    def _at_the_venue(
        self, account: str, symbol: str, client_order_id: str, venue_order_id: str
    ) -> list[VenueOrder]:
        number = venue_id(venue_order_id)
        if number is not None:
            order = self._venue.orders.get((account, symbol, number))
            return [] if order is None else [order]
        if venue_order_id:
            return []  # a synthetic id is none of the venue's
        return list(self._venue.orders_by_client_id.get((account, symbol, client_order_id), ()))

    def _is_wrong(self, order: VenueOrder, event: NodeEvent) -> bool:
        if not order.is_live_at(event.at_ns):
            return False
        return not any(
            shown_id == str(order.order_id) and self._status[name] not in TERMINAL
            for name, shown_id in self._ids.items()
        )

    def _violation(self, client_order_id: str, order: VenueOrder, event: NodeEvent) -> Violation:
        process = f"process {self._incarnation.number} of node {self._incarnation.node}"
        return Violation(
            "false-terminal",
            f"{order.symbol} ({order.account}): order {order.order_id} ({order.client_order_id}) "
            f"is shown {self._status[client_order_id]} as {client_order_id} by {process} "
            "while it is live at the venue.",
            event.at_ns,
        )
