"""When each process of a node differed from the venue, and in what.

A difference is a half-open span of time, [start, end), within the life of a process, in which
one subject was not the same at the venue and at the node.  The scope of a process is that of
its own lineage of state, with its own claims.  The subjects:

fill
    A venue trade in scope.  It differs from when it was made until the process publishes it;
    not at all when the process loaded it, or when the node had purged its order before.
leg
    (account, symbol, position side).  It differs while the trades so far do not add up to what
    the node's positions add up to.  The trades of filtered orders in scope do not count.
order
    An order of the venue that is due as in `orders`, or that the node shows.  The orders of the
    node stand for it as there: by venue order id, else by client order id for the newest that
    nothing else stands for.  It differs

    * while the node does not know it and it is open, or closed with fills in scope;
    * while the node shows it and one of them has it open and the other has not;
    * while the node shows it and the filled quantities disagree, both with and without the
      fills from before the scope;
    * while it is open on both sides and quantity or price disagree; of a conditional order also
      its id, and while it waits its trigger or how far it trails.

    It matters only whether an order is open or closed, so an unfilled order that the venue has
    ceased to serve may have any end.

    An order that is not at the venue, not yet or not ever, differs while the node shows it not
    closed, unless it is emulated: that one waits in the node for its trigger.  An order under a
    synthetic id is no subject: `phantom-fill` judges it.
symbol
    A symbol that the node has no instrument of, and the only subject there.  It differs while a
    leg is not flat, and from any trade in scope on, except trades after which an earlier process
    of the same lineage has named the symbol in an alert.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property

from msgspec.structs import replace

from sim.observation import Incarnation, NodeEvent, Observation, VenueOrder
from sim.oracle.ledgers import Process
from sim.oracle.scope import (
    Leg,
    Node,
    in_scope,
    is_due,
    is_filtered,
    leg_of,
    named_ns,
    nameless_to,
    scope_start_ns,
    signed,
    submitted_by,
    venue_id,
)
from sim.oracle.spans import STREAM_NS, ProcessDifferences, Spans, apart_from
from sim.oracle.subjects import (
    Key,
    Subject,
    Venue,
    claimed,
    fill_subject,
    key_of,
    leg_subject,
    order_subject,
    symbol_subject,
)
from sim.oracle.timelines import (
    AskedFor,
    OrderTimeline,
    Positions,
    Shown,
    Span,
    Steps,
    Text,
    orders_of,
    sums,
    together,
    when,
)


class Differences:
    """The differences of all processes of a run; nothing is computed until it is asked for."""

    def __init__(self, observation: Observation, nodes: tuple[Node, ...]) -> None:
        self.observation = observation
        self._nodes = nodes

    @cached_property
    def venue(self) -> Venue:
        return Venue(self.observation)

    @cached_property
    def processes(self) -> tuple[ProcessDifferences, ...]:
        return tuple(
            _Comparison(self.observation, self.venue, node, incarnation).differences()
            for node in self._nodes
            for incarnation in node.incarnations
        )


class _Comparison:
    """One process against the venue."""

    def __init__(
        self, observation: Observation, venue: Venue, node: Node, incarnation: Incarnation
    ) -> None:
        lineage = [
            i
            for i in node.incarnations
            if i.lineage == incarnation.lineage and i.number <= incarnation.number
        ]
        self._observation = observation
        # What is in scope does not depend on whether its instrument is loaded.
        self._listed = replace(observation, symbols=(*observation.symbols, *observation.unloaded))
        self._venue = venue
        self._node = replace(
            node,
            incarnations=tuple(lineage),
            since_ns=scope_start_ns(observation, lineage),
            submitted=submitted_by(lineage),
            nameless=nameless_to(observation, lineage),
        )
        self._incarnation = incarnation
        self._earlier = lineage[:-1]
        self._life = Span(incarnation.started_ns, incarnation.ended_ns)
        self._purged = {client_id for i in self._earlier for client_id in i.purged}
        self._positions = Positions(incarnation)
        self._standing: defaultdict[Key, list[OrderTimeline]] = defaultdict(list)
        self._alone: dict[Subject, OrderTimeline] = {}
        self._by_client_id: dict[Text, Subject] = {}
        self._by_venue_id: dict[Text, Subject] = {}
        self._passing: dict[Subject, Spans] = {}
        self._named_ns: dict[tuple[str, str], int] = {}
        self._place()

    def _since_named(self, subject: Subject, spans: Spans) -> tuple[Subject, Spans]:
        """Leave out the time in which nothing named the symbol to the process."""
        place = (subject.account, subject.symbol)
        if place not in self._named_ns:
            self._named_ns[place] = named_ns(self._listed, self._incarnation, *place)
        from_ns = self._named_ns[place]
        if from_ns == self._incarnation.started_ns:
            return subject, spans
        return subject, tuple(
            span._replace(from_ns=max(span.from_ns, from_ns))
            for span in spans
            if span.until_ns > from_ns
        )

    def differences(self) -> ProcessDifferences:
        fills = (self._since_named(*part) for part in self._fills())
        orders = (self._since_named(*part) for part in self._orders())
        parts = (*fills, *self._legs(), *orders, *self._symbols())
        spans = sorted((part for part in parts if part[1]), key=lambda part: part[1])
        return ProcessDifferences(
            Process(self._node, self._incarnation),
            dict(spans),
            self._reconciled(),
            frozenset(self._traceless()),
            self._passing,
            self._by_client_id,
            self._by_venue_id,
        )

    def _place(self) -> None:
        """Find the order of the venue for which each order of the node stands."""
        without_id: list[tuple[Text, OrderTimeline]] = []
        for name, order in orders_of(self._incarnation).items():
            account, symbol, _ = name
            number = venue_id(order.venue_order_id)
            if symbol not in self._observation.symbols:
                continue
            if number is not None and (account, symbol, number) in self._venue.orders:
                self._stand(name, order, (account, symbol, number))
            elif number is not None:
                self._stand_alone(name, order)
                self._by_venue_id[account, symbol, order.venue_order_id] = order_subject(*name)
            elif not order.venue_order_id:
                without_id.append((name, order))

        for name, order in without_id:
            candidates = [
                (key_of(candidate) not in self._standing, candidate.created_ns, key_of(candidate))
                for candidate in self._venue.orders_by_client_id.get(name, ())
                if is_due(self._observation, self._node, candidate)
            ]
            if candidates:
                self._stand(name, order, max(candidates)[-1])
            else:
                self._stand_alone(name, order)

    def _stand(self, name: Text, order: OrderTimeline, key: Key) -> None:
        self._standing[key].append(order)
        self._by_client_id[name] = order_subject(*key)

    def _stand_alone(self, name: Text, order: OrderTimeline) -> None:
        self._alone[order_subject(*name)] = order
        self._by_client_id[name] = order_subject(*name)

    def _fills(self) -> Iterator[tuple[Subject, Spans]]:
        held_ns = {
            claimed(fill): self._life.from_ns
            for order in self._incarnation.loaded.orders
            for fill in order.fills
        }
        for event in self._incarnation.events:
            if event.fill is not None:
                held_ns.setdefault(claimed(event.fill), event.at_ns)
        for subject, trade in self._venue.trades.items():
            if (
                in_scope(self._observation, self._node, trade)
                and not self._is_gone(trade.client_order_id, trade.time_ns)
                and (span := self._lived(trade.time_ns, held_ns.get(subject)))
            ):
                yield subject, (span,)

    def _lived(self, from_ns: int, until_ns: int | None) -> Span | None:
        """The part of a time in which the process lived."""
        from_ns = max(from_ns, self._life.from_ns)
        until_ns = self._life.until_ns if until_ns is None else min(until_ns, self._life.until_ns)
        return Span(from_ns, until_ns) if from_ns < until_ns else None

    def _legs(self) -> Iterator[tuple[Subject, Spans]]:
        for leg in dict.fromkeys((*self._venue.trades_by_leg, *self._positions.legs)):
            if leg.symbol in self._observation.symbols:
                yield leg_subject(leg), self._leg(leg)

    def _leg(self, leg: Leg) -> Spans:
        venue = self._quantity(leg)
        node = self._positions.legs.get(leg, sums(()))
        return when(
            lambda at_ns: venue.at(at_ns) != node.at(at_ns),
            self._life,
            (*venue.times, *node.times),
        )

    def _orders(self) -> Iterator[tuple[Subject, Spans]]:
        for key, order in self._venue.orders.items():
            standing = self._standing.get(key, ())
            if standing or (
                is_due(self._observation, self._node, order)
                and not self._is_gone(order.client_order_id, order.closed_ns)
            ):
                spans = self._order(order, standing)
                self._passing[order_subject(*key)] = apart_from(
                    spans, self._order(order, standing, passing=False)
                )
                yield order_subject(*key), spans
        for subject, alone in self._alone.items():
            yield subject, self._order_alone(alone.shown)

    def _order(
        self, order: VenueOrder, standing: Sequence[OrderTimeline], *, passing: bool = True
    ) -> Spans:
        trades = self._venue.trades_by_order.get(order_subject(*key_of(order)), ())
        whole = sums((t.time_ns, t.quantity) for t in trades)
        scoped = sums(
            (t.time_ns, t.quantity) for t in trades if in_scope(self._observation, self._node, t)
        )

        terms: Steps[AskedFor | None] = Steps(None)
        for each in order.terms if passing else ():
            terms.add(each.at_ns, AskedFor.of(each))

        # Until it triggers, a conditional order is nowhere that leaves a trace of it.
        became = (t.at_ns for t in order.terms if t.order_id not in (0, order.algo_id))
        became_ns = min(became, default=order.created_ns)

        def differs(at_ns: int) -> bool:
            shown = together(standing, at_ns)
            is_live = order.is_live_at(at_ns)
            if shown.phase == "unknown" and not passing and at_ns < became_ns:
                return False
            if shown.phase == "unknown":
                return is_live or bool(scoped.at(at_ns))
            if at_ns < order.created_ns:
                return shown.is_astray
            return (
                shown.phase != ("open" if is_live else "closed")
                or shown.filled not in (whole.at(at_ns), scoped.at(at_ns))
                or (
                    is_live
                    and shown.terms is not None
                    and (asked := terms.at(at_ns)) is not None
                    and not shown.terms.is_that_of(asked)
                )
            )

        ends = () if order.closed_ns is None else (order.closed_ns,)
        changes = (at_ns for mine in standing for at_ns in mine.shown.times)
        return when(
            differs, self._life, (order.created_ns, *ends, *whole.times, *terms.times, *changes)
        )

    def _order_alone(self, shown: Steps[Shown]) -> Spans:
        return when(lambda at_ns: shown.at(at_ns).is_astray, self._life, shown.times)

    def _symbols(self) -> Iterator[tuple[Subject, Spans]]:
        legs_of: defaultdict[tuple[str, str], list[Leg]] = defaultdict(list)
        for leg in self._venue.trades_by_leg:
            if leg.symbol in self._observation.unloaded:
                legs_of[leg.account, leg.symbol].append(leg)
        for (account, symbol), legs in legs_of.items():
            yield symbol_subject(account, symbol), self._symbol(account, symbol, legs)

    def _symbol(self, account: str, symbol: str, legs: Sequence[Leg]) -> Spans:
        quantities = [self._quantity(leg) for leg in legs]
        named_ns = [
            alert.at_ns
            for earlier in self._earlier
            for alert in earlier.alerts
            if (alert.account, alert.symbol) == (account, symbol)
        ]
        unnamed_ns = [
            trade.time_ns
            for leg in legs
            for trade in self._venue.trades_by_leg[leg]
            if in_scope(self._listed, self._node, trade)
            and not any(at_ns >= trade.time_ns for at_ns in named_ns)
        ]
        first_ns = min(unnamed_ns, default=self._life.until_ns)
        return when(
            lambda at_ns: at_ns >= first_ns or any(q.at(at_ns) for q in quantities),
            self._life,
            (at_ns for quantity in quantities for at_ns in quantity.times),
        )

    def _reconciled(self) -> dict[Subject, list[int]]:
        changed: defaultdict[Subject, list[int]] = defaultdict(list)
        for event in self._incarnation.events:
            if event.reconciliation:
                name = (event.account, event.symbol, event.client_order_id)
                if name in self._by_client_id and not self._is_told(event):
                    changed[self._by_client_id[name]].append(event.at_ns)
                for subject in () if event.fill is None else self._changed_by(event):
                    changed[subject].append(event.at_ns)
        return changed

    def _is_told(self, event: NodeEvent) -> bool:
        """Whether a fill or the end of an order is news of the stream.

        How long the order had been on its way, or its acceptance, is not what was changed.
        """
        name = (event.account, event.symbol, event.client_order_id)
        orders = self._venue.orders_by_client_id.get(name, ())
        ends = [order.closed_ns for order in orders if order.closed_ns is not None]
        subject = None if event.fill is None else claimed(event.fill)
        if subject in self._venue.trades:
            ends.append(self._venue.trades[subject].time_ns)
        at_ns = event.at_ns
        return any(self._life.from_ns < end_ns <= at_ns <= end_ns + STREAM_NS for end_ns in ends)

    def _changed_by(self, event: NodeEvent) -> Iterator[Subject]:
        """The fill and its leg; of a fill without a trade the leg that it was booked on.

        A trade that the stream has just told is no news of what else its leg lacks.
        """
        fill = event.fill
        assert fill is not None
        subject = claimed(fill)
        trade = None if subject is None else self._venue.trades.get(subject)
        if trade is not None:
            yield fill_subject(trade)
            is_told = self._life.from_ns < trade.time_ns >= event.at_ns - STREAM_NS
            if not is_told:
                yield leg_subject(leg_of(trade))
        elif fill.position_id in self._positions.leg_of:
            yield leg_subject(self._positions.leg_of[fill.position_id])

    def _traceless(self) -> Iterator[Subject]:
        yield from (order_subject(*k) for k in self._venue.orders if k not in self._standing)
        for leg in self._venue.trades_by_leg:
            if (leg.account, leg.symbol) in self._node.nameless:
                yield leg_subject(leg)
                yield symbol_subject(leg.account, leg.symbol)

    def _quantity(self, leg: Leg) -> Steps[Decimal]:
        """What the trades of a leg add up to that the node should hold."""
        return sums(
            (t.time_ns, signed(t.side, t.quantity))
            for t in self._venue.trades_by_leg.get(leg, ())
            if t.time_ns < self._node.since_ns or not is_filtered(self._observation, self._node, t)
        )

    def _is_gone(self, client_order_id: str, settled_ns: int | None) -> bool:
        """Whether the node had purged an order after it was settled, before the process began."""
        return (
            client_order_id in self._purged
            and settled_ns is not None
            and settled_ns < self._life.from_ns
        )
