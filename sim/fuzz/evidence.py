"""What is known of a run, in the terms in which rare states are described (`states`)."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from sim.clock import NS_PER_MS
from sim.observation import Incarnation, NodeEvent, NodeOrder, VenueOrder, VenueTrade
from sim.scenario import actions as a
from sim.world import Run

SOON_NS = 100 * NS_PER_MS
"""What is on the way takes less than that."""


class Published:
    """A fill that a process published, and the process."""

    def __init__(self, event: NodeEvent, life: Incarnation) -> None:
        assert event.fill is not None
        self.at_ns = event.at_ns
        self.life = life
        self.trade_id = event.fill.trade_id
        self.event = event


class Arrival(NamedTuple):
    """When a frame arrived at a node; many do at one instant, one after the other."""

    at_ns: int
    place: int


class Request:
    """A request at the venue: when, of whom, for what, and what was answered."""

    def __init__(self, at_ns: int, subject: str, details: str, is_distorted: bool) -> None:
        *_, self.client, self.method, self.path = subject.split(" ")
        self.at_ns = at_ns
        self.query, _, self.status = details.rpartition(" -> ")
        self.is_distorted = is_distorted

    @property
    def failed(self) -> bool:
        return not self.status.startswith("2")


class Evidence:
    """The run, with what is asked of it again and again."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.seen = run.observation
        self.lives = run.observation.incarnations
        self.trades = run.observation.trades
        self.orders = run.observation.orders
        self.words = run.effective

    # -- the venue ------------------------------------------------------------------------

    @cached_property
    def trade_by_id(self) -> dict[str, VenueTrade]:
        return {str(trade.trade_id): trade for trade in self.trades}

    @cached_property
    def order_by_id(self) -> dict[str, VenueOrder]:
        return {order.client_order_id: order for order in self.orders}

    @cached_property
    def trades_of(self) -> dict[str, list[VenueTrade]]:
        found = defaultdict(list)
        for trade in self.trades:
            found[trade.client_order_id].append(trade)
        return found

    @cached_property
    def steps(self) -> list[tuple[VenueTrade, Decimal, Decimal]]:
        """Each trade with what its leg held before and after it."""
        held: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        found = []
        for trade in self.trades:
            leg = trade.account, trade.symbol, trade.position_side
            before = held[leg]
            held[leg] += trade.quantity if trade.side == "BUY" else -trade.quantity
            found.append((trade, before, held[leg]))
        return found

    @cached_property
    def gaps(self) -> list[tuple[int, int]]:
        """From when to when a connection of the user data stream was gone, then was back."""
        found, closed = [], None
        for row in self.run.trace.rows:
            if row.kind == "stream-close":
                closed = row.at_ns
            elif row.kind == "stream-open" and closed is not None:
                found.append((closed, row.at_ns))
                closed = None
        return found

    # -- the streams ----------------------------------------------------------------------

    @cached_property
    def frames(self) -> dict[str, list[Arrival]]:
        """When the order events of each trade arrived at nodes."""
        found = defaultdict(list)
        for arrival, said in self._order_events():
            trade = said.rpartition(" trade ")[2].partition(" ")[0]
            if trade.isdigit():
                found[trade].append(arrival)
        return found

    @cached_property
    def order_frames(self) -> dict[tuple[str, str], list[Arrival]]:
        """When events of each execution type and client order id arrived."""
        found = defaultdict(list)
        for arrival, said in self._order_events():
            execution, name, *_ = said.split(" ")
            found[execution, name].append(arrival)
        return found

    def _order_events(self) -> Iterator[tuple[Arrival, str]]:
        kind = "ORDER_TRADE_UPDATE "
        for place, row in enumerate(self.run.trace.rows):
            if row.kind == "frame" and row.details.startswith(kind):
                yield Arrival(row.at_ns, place), row.details.removeprefix(kind)

    @cached_property
    def requests(self) -> list[Request]:
        """All requests, in the order in which they reached the venue."""
        return [
            Request(row.at_ns, row.subject, row.details, row.mark == "fault")
            for row in self.run.trace.rows
            if row.kind == "request"
        ]

    # -- the nodes ------------------------------------------------------------------------

    @cached_property
    def published(self) -> dict[str, list[Published]]:
        """The fills that processes published, by the id of the trade."""
        found = defaultdict(list)
        for life in self.lives:
            for event in life.events:
                if event.fill is not None:
                    found[event.fill.trade_id].append(Published(event, life))
        return found

    @cached_property
    def applied(self) -> list[tuple[VenueTrade, Published]]:
        """The fills of trades that happened, each with its trade."""
        return [
            (self.trade_by_id[trade_id], each)
            for trade_id, all_ in self.published.items()
            if trade_id in self.trade_by_id
            for each in all_
        ]

    def events(self, *kinds: str) -> Iterator[tuple[Incarnation, NodeEvent]]:
        """Yield what processes published of these kinds."""
        for life in self.lives:
            for event in life.events:
                if event.kind in kinds:
                    yield life, event

    @cached_property
    def killed(self) -> list[Incarnation]:
        return [life for life in self.lives if life.ended == "killed"]

    @cached_property
    def successions(self) -> list[tuple[Incarnation, Incarnation]]:
        """Each process with the next one of its node."""
        by_node = defaultdict(list)
        for life in self.lives:
            by_node[life.node].append(life)
        return [pair for lives in by_node.values() for pair in itertools.pairwise(lives)]

    def is_down(self, account: str, at_ns: int) -> bool:
        """Whether no process of the account's nodes ran at an instant after the first start."""
        its = self._lives_of(account)
        return (
            bool(its)
            and its[0].started_ns <= at_ns
            and not any(life.started_ns <= at_ns < life.ended_ns for life in its)
        )

    def _lives_of(self, account: str) -> list[Incarnation]:
        sights = self.seen.sights
        return [life for life in self.lives if not sights or account in sights[life.node].accounts]

    def during_calls(self, kind: str, at_ns: int) -> bool:
        """Whether an instant lies within a reconciliation of a kind."""
        return any(
            call.kind == kind and call.began_ns <= at_ns and at_ns <= (call.ended_ns or at_ns)
            for life in self.lives
            for call in life.calls
        )

    def is_killed_in(self, status: str) -> bool:
        """Whether a process was killed while one of its orders was in a state."""
        return any(
            status in {event.client_order_id: event.status for event in life.events}.values()
            for life in self.killed
        )

    def loaded(self, life: Incarnation) -> dict[str, NodeOrder]:
        return {order.client_order_id: order for order in life.loaded.orders}

    def impaired(self, kind: str, from_ns: int, until_ns: int) -> bool:
        """Whether a fault of a kind was at work in a span."""
        return any(
            each.kind == kind and each.from_ns <= until_ns and from_ns <= each.until_ns
            for each in self.seen.impairments
        )

    def actions(self, kind: type[a.Action]) -> list[a.Action]:
        return [r.action for r in self.run.scenario.timeline if isinstance(r.action, kind)]
