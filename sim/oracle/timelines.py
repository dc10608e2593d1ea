"""Values over time, and what the orders and positions of a process were over time.

A value changes at instants and keeps what it became; of several changes at one instant only
the last is seen.  What a process loaded is what it showed from its start on.

Orders that stand for one another show one thing together: open when any of them is, else on
their way to the venue, else emulated, else closed; their fills add up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Literal, NamedTuple

from sim.observation import (
    Incarnation,
    NodeEvent,
    NodeOrder,
    NodePosition,
    PositionChange,
    Terms,
)
from sim.oracle.scope import Leg

type Text = tuple[str, str, str]
"""Account, symbol, and an id as a node writes it."""

type Phase = Literal["unknown", "unsent", "emulated", "open", "closed"]

_PHASES: dict[str, Phase] = {
    "": "unknown",
    "INITIALIZED": "unsent",
    "RELEASED": "unsent",
    "SUBMITTED": "unsent",
    "EMULATED": "emulated",
    "ACCEPTED": "open",
    "TRIGGERED": "open",
    "PENDING_UPDATE": "open",
    "PENDING_CANCEL": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "closed",
    "CANCELED": "closed",
    "EXPIRED": "closed",
    "REJECTED": "closed",
    "DENIED": "closed",
}
_PRECEDENCE: tuple[Phase, ...] = ("open", "unsent", "emulated", "closed", "unknown")


class Span(NamedTuple):
    """A time from one instant to another, without the latter."""

    from_ns: int
    until_ns: int

    def meets(self, from_ns: int, until_ns: int) -> bool:
        """Whether any of its moments lies between two instants or is one of them."""
        return self.from_ns <= until_ns and self.until_ns > from_ns


class Steps[T]:
    """A value that changes at instants, which are given in order."""

    def __init__(self, first: T) -> None:
        self.times: list[int] = []
        self._values = [first]

    def add(self, at_ns: int, value: T) -> None:
        self.times.append(at_ns)
        self._values.append(value)

    def at(self, at_ns: int) -> T:
        return self._values[bisect_right(self.times, at_ns)]

    @property
    def last(self) -> T:
        return self._values[-1]


def sums(parts: Iterable[tuple[int, Decimal]]) -> Steps[Decimal]:
    """The sum of quantities so far."""
    steps = Steps(Decimal(0))
    for at_ns, quantity in parts:
        steps.add(at_ns, steps.last + quantity)
    return steps


def when(holds: Callable[[int], bool], life: Span, changes: Iterable[int]) -> tuple[Span, ...]:
    """The parts of a life in which something holds that can change at some instants only."""
    moments = {at_ns for at_ns in (life.from_ns, *changes) if life.from_ns <= at_ns < life.until_ns}
    spans: list[Span] = []
    since_ns: int | None = None
    for at_ns in sorted(moments):
        if not holds(at_ns):
            if since_ns is not None:
                spans.append(Span(since_ns, at_ns))
            since_ns = None
        elif since_ns is None:
            since_ns = at_ns
    if since_ns is not None:
        spans.append(Span(since_ns, life.until_ns))
    return tuple(spans)


class AskedFor(NamedTuple):
    """What an order asks for: `Terms` without their instant, or what a node shows of them."""

    quantity: Decimal
    price: Decimal | None
    order_id: int = 0
    trigger: Decimal | None = None
    callback_rate: Decimal | None = None

    @classmethod
    def of(cls, terms: Terms) -> AskedFor:
        return cls(terms.quantity, terms.price, terms.order_id, terms.trigger, terms.callback_rate)

    @classmethod
    def shown(cls, by: NodeOrder | NodeEvent) -> AskedFor | None:
        """What a node shows, None where it has no such order."""
        if by.quantity is None:
            return None
        return cls(by.quantity, by.price, by.held_id, by.trigger, by.callback_rate)

    def is_that_of(self, venue: AskedFor) -> bool:
        """Whether a node shows what the venue has; what triggered it no longer matters."""
        return (
            self[:3] == venue[:3]
            and venue.trigger in (None, self.trigger)
            and venue.callback_rate in (None, self.callback_rate)
        )


class Shown(NamedTuple):
    """What a node shows of an order."""

    phase: Phase
    filled: Decimal
    terms: AskedFor | None = None

    @classmethod
    def of(cls, status: str, filled: Decimal, terms: AskedFor | None = None) -> Shown:
        return cls(_PHASES[status], filled, terms)

    @property
    def is_astray(self) -> bool:
        """Whether it is a difference when the venue does not have the order."""
        return self.phase in ("unsent", "open")


class OrderTimeline:
    """One order of a process.  Its venue order id is the last that it had."""

    def __init__(
        self,
        venue_order_id: str = "",
        status: str = "",
        filled: Decimal = Decimal(0),
        terms: AskedFor | None = None,
    ) -> None:
        self.venue_order_id = venue_order_id
        self.shown = Steps(Shown.of(status, filled, terms))


def together(standing: Iterable[OrderTimeline], at_ns: int) -> Shown:
    """What the orders that stand for one another show at an instant."""
    parts = [order.shown.at(at_ns) for order in standing]
    phases = {part.phase for part in parts}
    phase: Phase = next((p for p in _PRECEDENCE if p in phases), "unknown")
    # A continuation order asks for the rest only.
    terms = parts[0].terms if len(parts) == 1 else None
    return Shown(phase, sum((part.filled for part in parts), Decimal(0)), terms)


def orders_of(incarnation: Incarnation) -> dict[Text, OrderTimeline]:
    """The orders of a process by account, symbol and client order id."""
    orders = {
        (o.account, o.symbol, o.client_order_id): OrderTimeline(
            o.venue_order_id, o.status, o.filled, AskedFor.shown(o)
        )
        for o in incarnation.loaded.orders
    }
    for event in incarnation.events:
        name = (event.account, event.symbol, event.client_order_id)
        order = orders.setdefault(name, OrderTimeline())
        terms = AskedFor.shown(event)
        order.shown.add(event.at_ns, Shown.of(event.status, event.filled, terms))
        order.venue_order_id = event.venue_order_id or order.venue_order_id
    return orders


class Positions:
    """What the positions of a process add up to on each leg, and the leg of each by its id."""

    def __init__(self, incarnation: Incarnation) -> None:
        self.legs: dict[Leg, Steps[Decimal]] = {}
        self.leg_of: dict[str, Leg] = {}
        held: dict[str, Decimal] = {}

        loaded: dict[Leg, Decimal] = {}
        for position in incarnation.loaded.positions:
            leg = _leg(position)
            loaded[leg] = loaded.get(leg, Decimal(0)) + position.quantity
            self.leg_of[position.position_id] = leg
            held[position.position_id] = position.quantity
        self.legs.update((leg, Steps(quantity)) for leg, quantity in loaded.items())

        for change in incarnation.position_changes:
            leg = _leg(change)
            # In hedge mode a position that the engine named may turn from one leg to the other.
            before = self.leg_of.get(change.position_id, leg)
            self._add(before, change.at_ns, -held.get(change.position_id, Decimal(0)))
            self._add(leg, change.at_ns, change.quantity)
            self.leg_of[change.position_id] = leg
            held[change.position_id] = change.quantity

    def _add(self, leg: Leg, at_ns: int, quantity: Decimal) -> None:
        steps = self.legs.setdefault(leg, Steps(Decimal(0)))
        steps.add(at_ns, steps.last + quantity)


def _leg(position: NodePosition | PositionChange) -> Leg:
    return Leg(position.account, position.symbol, position.position_side)
