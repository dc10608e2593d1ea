"""Properties of alerts: alert-missing, alert-false.  An engine without alerts is not judged.

What an alert names, on its account and symbol:

* with a trade id: the fill, its order and its leg.  Where the venue has no such trade, the order
  and the leg that the alert gives;
* else with an order id: the order and its fills.  The venue order id counts, and the client order
  id where that is none of an order;
* else with a position side: the leg;
* else, a *summary*: everything there.

Any alert names the symbol itself, which is the only subject where no instrument is loaded.

alert-missing
    A discrepancy is a difference (`differences`) that lasts longer than the settle time of 5 s,
    or that a reconciliation event changes: an event on its order, on its fill or on the leg of its
    fill, while the difference lasts or within the settle time after it, and before the subject
    differs anew, as a leg and an order do with each trade.  One that began within the process must
    have stood for more than a second by then.  It is named once, from its start until its deadline,
    both included.

    The deadline is max(reconciliation interval, 30 s) + 5 s after the first moment at which a
    complete, unlagged read could be served.  That moment is the start of the difference or,
    when it did not outlast the settle time, the reconciliation event.  Each impairment of reads,
    or lag, that ends after that moment and begins before the deadline moves it to its end.

    What began before the process was ready may be named by a summary, and its deadline is no
    earlier than 5 s after the process was ready.  Otherwise a summary names only symbols that
    are not loaded.

    Nothing is owed by a process that does not live past the deadline, nor for what leaves no
    trace and is over before the deadline: an order that ended unfilled and that the process
    never showed, what an order asked for, one that waited for its trigger, the leg of a symbol
    that nothing names.
alert-false
    Of all that an alert names, something differed at its instant or in the settle time before,
    or a reconciliation event changed it;
    or answers showed the past, or lacked rows, then: what they show differs, and an engine may
    say so.
    A leg that was loaded without fills which its orders have differs until it changes.
    For a summary until 5 s after the process was ready, something differed there since the
    process began.  Alerts on symbols that are not loaded are not judged.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from sim.observation import Alert, Incarnation, Observation, VenueTrade
from sim.oracle.differences import Differences
from sim.oracle.fills import leg_of_fill
from sim.oracle.judgement import Finding, Violation, plain
from sim.oracle.scope import Leg, leg_of, signed, venue_id
from sim.oracle.spans import SETTLE_NS, STREAM_NS, ProcessDifferences
from sim.oracle.subjects import (
    Subject,
    Venue,
    fill_subject,
    key_of,
    leg_subject,
    order_subject,
    symbol_subject,
)
from sim.oracle.timelines import Span

NS_PER_SEC = 1_000_000_000
SHORTEST_INTERVAL_NS = 30 * NS_PER_SEC


def missing(differences: Differences) -> Finding | None:
    """None when the engine has no alerts."""
    if not differences.observation.alerts_on:
        return None
    deadlines = _Deadlines(differences.observation)
    subjects = 0
    violations: list[Violation] = []
    for found in differences.processes:
        process = found.process.incarnation
        named = _Named(_Names(differences.venue, found), process.alerts)
        for subject, span, event_ns in _discrepancies(found, differences.venue):
            starting = span.from_ns < _ready_ns(process)
            deadline_ns = deadlines.after(span.from_ns if event_ns is None else event_ns)
            if starting:
                deadline_ns = max(deadline_ns, _ready_ns(process) + SETTLE_NS)
            if named.is_named(subject, span.from_ns, deadline_ns) or (
                starting and named.is_in_summary(subject, span.from_ns, deadline_ns)
            ):
                subjects += 1
                continue
            is_over = found.is_traceless(subject, span) and span.until_ns < deadline_ns
            if is_over or process.ended_ns <= deadline_ns:
                continue
            subjects += 1
            lasting = (
                f"for {_seconds(span.until_ns - span.from_ns)}"
                if event_ns is None
                else "until a reconciliation changed it"
            )
            violations.append(
                Violation(
                    "alert-missing",
                    f"{subject} differed between the venue and {found.process} {lasting}, "
                    f"and no alert named it within {_seconds(deadline_ns - span.from_ns)}.",
                    deadline_ns,
                )
            )
    return Finding("alert-missing", subjects, violations)


def false(differences: Differences) -> Finding | None:
    """None when the engine has no alerts."""
    if not differences.observation.alerts_on:
        return None
    subjects = 0
    violations: list[Violation] = []
    for found in differences.processes:
        process = found.process.incarnation
        names = _Names(differences.venue, found)
        for alert in process.alerts:
            if alert.symbol in differences.observation.unloaded:
                continue
            subjects += 1
            from_ns, since = alert.at_ns - SETTLE_NS, f"in the {_seconds(SETTLE_NS)} before"
            if _is_summary(alert) and alert.at_ns <= _ready_ns(process) + SETTLE_NS:
                from_ns, since = process.started_ns, "since the start"
            if _is_misled(differences.observation, process.node, alert):
                continue
            if _is_of_a_torn_leg(differences.observation, process, alert):
                continue
            if not any(
                any(span.meets(from_ns, alert.at_ns) for span in found.spans.get(subject, ()))
                or _any_between(found.reconciled.get(subject, ()), from_ns, alert.at_ns)
                for subject in names.of(alert)
            ):
                violations.append(
                    Violation(
                        "alert-false",
                        f"{_alert_words(alert)} was named by an alert ({alert.kind}) of "
                        f"{found.process}, but nothing of it differed from the venue {since}.",
                        alert.at_ns,
                    )
                )
    return Finding("alert-false", subjects, violations)


def _discrepancies(
    found: ProcessDifferences, venue: Venue
) -> Iterator[tuple[Subject, Span, int | None]]:
    """Each with the reconciliation event by which alone it is one, or None."""
    started_ns = found.process.incarnation.started_ns
    by_leg = {leg_subject(leg): trades for leg, trades in venue.trades_by_leg.items()}
    moved_ns = {
        subject: [trade.time_ns for trade in trades]
        for subject, trades in (*by_leg.items(), *venue.trades_by_order.items())
    }
    for subject, spans in found.spans.items():
        events_ns = found.reconciled.get(subject, [])
        for number, span in enumerate(spans):
            # What changes the subject when it differs anew is about that difference.
            until_ns = span.until_ns + SETTLE_NS
            if number + 1 < len(spans):
                until_ns = min(until_ns, spans[number + 1].from_ns)
            began_here = span.from_ns > started_ns
            least_ns = span.from_ns + STREAM_NS if began_here else span.from_ns - 1
            index = bisect_right(events_ns, least_ns)
            # With each trade its leg and its order differ anew; those that are lacking have spans
            # of their own.
            moves = [at_ns for at_ns in moved_ns.get(subject, ()) if at_ns < span.until_ns]
            if span.until_ns - max([span.from_ns, *moves[-1:]]) > SETTLE_NS:
                yield subject, span, None
            elif index < len(events_ns) and events_ns[index] < until_ns:
                yield subject, span, events_ns[index]


class _Deadlines:
    """Until when a discrepancy has to be named."""

    def __init__(self, observation: Observation) -> None:
        self._allowed_ns = max(observation.interval_ns, SHORTEST_INTERVAL_NS) + SETTLE_NS
        self._impairments = sorted(
            (i for i in observation.impairments if i.kind in ("read", "lag")),
            key=lambda i: i.from_ns,
        )

    def after(self, readable_ns: int) -> int:
        for impairment in self._impairments:
            if impairment.from_ns >= readable_ns + self._allowed_ns:
                break
            readable_ns = max(readable_ns, impairment.until_ns)
        return readable_ns + self._allowed_ns


class _Names:
    """What the alerts of one process name."""

    def __init__(self, venue: Venue, process: ProcessDifferences) -> None:
        self._venue = venue
        self._process = process

    def of(self, alert: Alert) -> Iterator[Subject]:
        account, symbol = alert.account, alert.symbol
        yield symbol_subject(account, symbol)
        if alert.trade_id:
            yield from self._of_fill(alert)
        elif _has_order_id(alert):
            for order in self._orders(alert):
                yield order
                for trade in self._venue.trades_by_order.get(order, ()):
                    yield fill_subject(trade)
        elif alert.position_side:
            yield leg_subject(Leg(account, symbol, alert.position_side))
        else:
            yield from (
                subject
                for subject in {**self._process.spans, **self._process.reconciled}
                if (subject.account, subject.symbol) == (account, symbol)
            )

    def _of_fill(self, alert: Alert) -> Iterator[Subject]:
        orders = set(self._orders(alert))
        number = venue_id(alert.trade_id)
        trades: Sequence[VenueTrade] = ()
        if number is not None:
            trades = self._venue.trades_by_id.get((alert.account, alert.symbol, number), ())
        if _has_order_id(alert):
            trades = [trade for trade in trades if _order_of(trade) in orders]
        for trade in trades:
            yield fill_subject(trade)
            yield _order_of(trade)
            yield leg_subject(leg_of(trade))
        if not trades:
            yield from orders
            yield leg_subject(Leg(alert.account, alert.symbol, alert.position_side))

    def _orders(self, alert: Alert) -> Iterable[Subject]:
        place = (alert.account, alert.symbol)
        number = venue_id(alert.venue_order_id)
        if number is not None and (*place, number) in self._venue.orders:
            return {order_subject(*place, number)}
        name = (*place, alert.venue_order_id)
        if name in self._process.by_venue_id:
            return {self._process.by_venue_id[name]}
        name = (*place, alert.client_order_id)
        found = {order_subject(*key_of(o)) for o in self._venue.orders_by_client_id.get(name, ())}
        if name in self._process.by_client_id:
            found.add(self._process.by_client_id[name])
        return found


class _Named:
    """When the alerts of one process named what."""

    def __init__(self, names: _Names, alerts: Iterable[Alert]) -> None:
        self._times: defaultdict[Subject, list[int]] = defaultdict(list)
        self._summaries: defaultdict[Subject, list[int]] = defaultdict(list)
        for alert in alerts:
            if _is_summary(alert):
                everything = symbol_subject(alert.account, alert.symbol)
                self._times[everything].append(alert.at_ns)
                self._summaries[everything].append(alert.at_ns)
            else:
                for subject in names.of(alert):
                    self._times[subject].append(alert.at_ns)

    def is_named(self, subject: Subject, from_ns: int, until_ns: int) -> bool:
        return _any_between(self._times.get(subject, ()), from_ns, until_ns)

    def is_in_summary(self, subject: Subject, from_ns: int, until_ns: int) -> bool:
        everything = symbol_subject(subject.account, subject.symbol)
        return _any_between(self._summaries.get(everything, ()), from_ns, until_ns)


def _is_misled(observation: Observation, node: str, alert: Alert) -> bool:
    """Whether answers about an account do not show the truth, or did not until a moment ago."""
    return any(
        each.kind == "lag"
        and each.from_ns <= alert.at_ns <= each.until_ns + SETTLE_NS
        and each.node in ("", node)
        and each.account in ("", alert.account)
        for each in observation.impairments
    )


def _is_of_a_torn_leg(observation: Observation, process: Incarnation, alert: Alert) -> bool:
    """Whether an alert names a leg whose position was loaded without fills that its orders have.

    That is a difference of a node from itself, whatever the venue holds, until the position
    changes.
    """
    leg = Leg(alert.account, alert.symbol, alert.position_side)
    if process.purged or not leg.position_side:
        return False
    filled = sum(
        signed(fill.side, fill.quantity)
        for order in process.loaded.orders
        for fill in order.fills
        if leg_of_fill(observation, fill) == leg
    )
    held = sum(
        position.quantity
        for position in process.loaded.positions
        if Leg(position.account, position.symbol, position.position_side) == leg
    )
    changes = (
        change.at_ns
        for change in process.position_changes
        if Leg(change.account, change.symbol, change.position_side) == leg
    )
    return filled not in (0, held) and alert.at_ns <= min(changes, default=alert.at_ns) + SETTLE_NS


def _any_between(times: Sequence[int], from_ns: int, until_ns: int) -> bool:
    index = bisect_left(times, from_ns)
    return index < len(times) and times[index] <= until_ns


def _order_of(trade: VenueTrade) -> Subject:
    return order_subject(trade.account, trade.symbol, trade.order_id)


def _ready_ns(process: Incarnation) -> int:
    """When a process was ready; one that never was is starting until its end."""
    return process.ended_ns if process.ready_ns is None else process.ready_ns


def _has_order_id(alert: Alert) -> bool:
    return bool(alert.venue_order_id or alert.client_order_id)


def _is_summary(alert: Alert) -> bool:
    return not (alert.trade_id or _has_order_id(alert) or alert.position_side)


def _alert_words(alert: Alert) -> str:
    order = alert.venue_order_id or alert.client_order_id
    if alert.trade_id:
        what = f": trade {alert.trade_id}" + (f" of order {order}" if order else "")
    elif order:
        what = f": order {order}"
    elif alert.position_side:
        return str(Leg(alert.account, alert.symbol, alert.position_side))
    else:
        what = ""
    return f"{alert.symbol} ({alert.account}){what}"


def _seconds(nanoseconds: int) -> str:
    return f"{plain(round(Decimal(nanoseconds) / NS_PER_SEC, 3))} s"
