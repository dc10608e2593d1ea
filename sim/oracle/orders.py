"""The property order-mismatch: the orders in the final state of each node against the venue's.

Judged are the venue's orders on the node's symbols that were updated in scope or are still
open, and every order of the node that carries an id of the venue or carries none at all.  An
order under a synthetic id (``S-...``) was never the venue's: `phantom-fill` judges it.

Which orders of the node stand for an order of the venue:

* those that carry its venue order id;
* those that carry none but its client order id, as after a lost reply.  Client order ids can
  be used again, so of several orders the newest counts that nothing else stands for.

When they are several, one speaks: an order that NautilusTrader holds rejected or expired can
never change again, and a continuation order of the same strategy takes its late fills.  Their
fills add up.  Anything else that stands twice for one order is a mismatch.

Then both must be open or both closed.  Open, they ask for the same quantity at the same price,
and nothing is pending: a run is judged when it is quiet.  A conditional order has the same id,
which is a new one since it triggered, and while it waits the same trigger and callback rate.
Closed, they have the same terminal state.  Filled quantity and average price agree, and the
side.  No mismatch is

* an order closed and unfilled in scope that the node does not know;
* an order without a quantity that the node does not know: until it triggers it closes whatever
  its leg holds, NautilusTrader has no such order, and an alert has to name it;
* an order that is closed and that the node has purged, or one that it is told to filter;
* a conditional order that was cancelled or expired and is shown as the other: that it is FINISHED
  does not say how;
* an unfilled order that the venue no longer serves, shown cancelled, expired or rejected;
* for an order with fills from before the scope, the filled quantity without these: they are
  the opening balance's.

An order that never reached the venue must be closed, unless it is emulated: that one waits in
the node for its trigger.  So must an order under an id that the venue does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from sim.observation import NodeOrder, Observation, VenueOrder, VenueTrade
from sim.oracle.judgement import Finding, Violation, plain
from sim.oracle.prices import AVERAGE_PRICE_DECIMALS, same_price
from sim.oracle.scope import DAY_NS, Node, is_due, venue_id
from sim.oracle.timelines import AskedFor

# Binance USD-M, "Query Order" (GET /fapi/v1/order): an order is not found when it is CANCELED
# or EXPIRED, has no filled trade, and was created more than three days ago.
UNFILLED_SERVED_NS = 3 * DAY_NS

_TERMINAL = {
    "FILLED": "FILLED",
    "CANCELED": "CANCELED",
    "EXPIRED": "EXPIRED",
    "EXPIRED_IN_MATCH": "CANCELED",
    "REJECTED": "REJECTED",
}
_UNFILLED_ENDS = ("CANCELED", "EXPIRED", "REJECTED")
_UNSAID = ("CANCELED", "EXPIRED", "EXPIRED_IN_MATCH")
"""How an order has ended of which it is not said whether it was cancelled or has expired."""

_STANDING = ("ACCEPTED", "TRIGGERED", "PARTIALLY_FILLED")
_BEYOND_CHANGE = ("REJECTED", "EXPIRED")

Key = tuple[str, str, int]
"""Account, symbol, venue order id."""


class Filled(NamedTuple):
    """How much of an order is filled, and at which average price."""

    quantity: Decimal
    average_price: Decimal | None

    @classmethod
    def of(cls, parts: Iterable[tuple[Decimal, Decimal | None]]) -> Filled:
        """The sum of fills; its average is unknown as soon as one of theirs is."""
        quantity = cost = Decimal(0)
        known = True
        for part, price in parts:
            if part:
                quantity += part
                known = known and price is not None
                cost += part * (price or 0)
        return cls(quantity, cost / quantity if quantity and known else None)

    def agrees(self, venue: Filled) -> bool:
        if self.quantity != venue.quantity:
            return False
        if venue.average_price is None:
            return True
        return self.average_price is not None and same_price(
            self.average_price, venue.average_price, AVERAGE_PRICE_DECIMALS
        )

    def __str__(self) -> str:
        if not self.quantity:
            return "0 filled"
        price = "an unknown price" if self.average_price is None else plain(self.average_price)
        return f"{plain(self.quantity)} filled at {price}"


def mismatched(observation: Observation, nodes: tuple[Node, ...]) -> Finding:
    subjects = 0
    violations: list[Violation] = []
    for node in nodes:
        if not node.answers:
            continue
        for problem in _Comparison(observation, node).problems():
            subjects += 1
            if problem is not None:
                violations.append(Violation("order-mismatch", problem, node.last.ended_ns))
    return Finding("order-mismatch", subjects, violations)


class _Comparison:
    """The orders of one node against the venue's."""

    def __init__(self, observation: Observation, node: Node) -> None:
        self._observation = observation
        self._node = node
        self._venue = {_key(order): order for order in observation.orders}
        self._trades: dict[Key, list[VenueTrade]] = {}
        for trade in observation.trades:
            self._trades.setdefault((trade.account, trade.symbol, trade.order_id), []).append(trade)
        self._standing: dict[Key, list[NodeOrder]] = {}
        self._unsent: list[NodeOrder] = []
        self._place()

    def problems(self) -> Iterator[str | None]:
        """For each order that is judged: what is wrong with it, or None."""
        for key, order in self._venue.items():
            standing = self._standing.get(key)
            if standing:
                yield self._compare(order, standing)
            elif (
                is_due(self._observation, self._node, order)
                and order.quantity
                and (order.is_open or order.client_order_id not in self._node.last.purged)
                and (order.is_open or self._in_scope(order).quantity)
            ):
                yield f"{self._venue_words(order)} and unknown to node {self._node.name}."
        for key, standing in self._standing.items():
            if key not in self._venue:
                for shown in standing:
                    yield self._must_be_closed(shown, "is not one of the venue's orders")
        for shown in self._unsent:
            yield self._must_be_closed(shown, "never reached the venue")

    def _place(self) -> None:
        """Sort the node's orders by the order of the venue for which they stand."""
        without_id: list[NodeOrder] = []
        for shown in self._node.last.final.orders:
            if shown.symbol not in self._observation.symbols:
                continue
            number = venue_id(shown.venue_order_id)
            if number is not None:
                key = (shown.account, shown.symbol, number)
                self._standing.setdefault(key, []).append(shown)
            elif not shown.venue_order_id:
                without_id.append(shown)

        for shown in without_id:
            candidates = [
                order
                for order in self._venue.values()
                if (order.account, order.symbol) == (shown.account, shown.symbol)
                and order.client_order_id == shown.client_order_id
                and is_due(self._observation, self._node, order)
            ]
            if candidates:
                order = max(candidates, key=lambda o: (_key(o) not in self._standing, o.created_ns))
                self._standing.setdefault(_key(order), []).append(shown)
            else:
                self._unsent.append(shown)

    def _compare(self, order: VenueOrder, standing: list[NodeOrder]) -> str | None:
        speaker = _speaker(standing)
        if speaker is None:
            shown = " and ".join(f"{_name(o)} {o.status} by {o.strategy_id}" for o in standing)
            return (
                f"{self._venue_words(order)}, and stands more than once "
                f"at node {self._node.name}: {shown}."
            )
        filled = Filled.of((o.filled, o.average_price) for o in standing)
        whole = Filled(order.filled, order.average_price)
        terms = _other_terms(order, standing)
        if (
            self._same_status(order, speaker, standing)
            and (filled.agrees(whole) or filled.agrees(self._in_scope(order)))
            and terms is None
        ):
            return None
        asked = "" if terms is None else f"{terms}, "
        return (
            f"{self._venue_words(order)}, and {asked}{speaker.status} with {filled} "
            f"as {_name(speaker)} at node {self._node.name}."
        )

    def _same_status(
        self, order: VenueOrder, speaker: NodeOrder, standing: list[NodeOrder]
    ) -> bool:
        if order.is_open:
            return speaker.status in _STANDING
        if self._is_unserved(order) and speaker.status in _UNFILLED_ENDS:
            return True
        # Self-trade prevention, too: for NautilusTrader the stream and the lists differ.
        is_unsaid = order.algo_id or order.status == "EXPIRED_IN_MATCH"
        if is_unsaid and order.status in _UNSAID and speaker.status in _UNSAID:
            return True
        # A continuation that is filled completes an original that did expire at the venue.
        shown = [o.status for o in standing]
        return speaker.is_closed and _TERMINAL[order.status] in shown

    def _must_be_closed(self, shown: NodeOrder, why: str) -> str | None:
        if shown.is_closed or shown.status == "EMULATED":
            return None
        return (
            f"{shown.symbol} ({shown.account}): order {_name(shown)} "
            f"({shown.venue_order_id or 'no venue id'}), {shown.side} {plain(shown.quantity)}, "
            f"{why} and is still {shown.status} at node {self._node.name}."
        )

    def _is_unserved(self, order: VenueOrder) -> bool:
        """Whether the venue has ceased to show an order that is closed."""
        return (
            not order.filled and order.created_ns < self._observation.ended_ns - UNFILLED_SERVED_NS
        )

    def _in_scope(self, order: VenueOrder) -> Filled:
        """What is filled of an order, without its trades from before the scope."""
        trades = self._trades.get(_key(order), [])
        if all(trade.time_ns >= self._node.since_ns for trade in trades):
            return Filled(order.filled, order.average_price)
        return Filled.of(
            (trade.quantity, trade.price)
            for trade in trades
            if trade.time_ns >= self._node.since_ns
        )

    def _venue_words(self, order: VenueOrder) -> str:
        return (
            f"{order.symbol} ({order.account}): order {order.order_id} "
            f"({order.client_order_id}), {order.side} {plain(order.quantity)}"
            f"{_at(order)}, is {order.status} "
            f"at the venue with {Filled(order.filled, order.average_price)}"
        )


def _speaker(standing: list[NodeOrder]) -> NodeOrder | None:
    """The order that speaks for those that stand for one order; None when no one may."""
    alive = [order for order in standing if order.status not in _BEYOND_CHANGE]
    if len(alive) > 1 or len({order.strategy_id for order in standing}) > 1:
        return None
    return (alive or standing)[-1]


def _at(order: VenueOrder) -> str:
    price = order.terms[-1].price if order.terms else None
    return "" if price is None else f" at {plain(price)}"


def _other_terms(order: VenueOrder, standing: list[NodeOrder]) -> str | None:
    """What the node shows of side, quantity and price, where that is not the venue's.

    A continuation order asks for the rest only, and what is closed asks for nothing.
    """
    [shown, *others] = standing
    same = shown.side == order.side
    if order.is_open and order.terms and not others:
        asked = AskedFor.shown(shown)
        same = same and asked is not None and asked.is_that_of(AskedFor.of(order.terms[-1]))
    if same:
        return None
    price = "" if shown.price is None else f" at {plain(shown.price)}"
    words = f"{shown.side} {plain(shown.quantity)}{price}"
    now = order.terms[-1] if order.terms else None
    if now is not None and now.order_id != shown.held_id:
        words += f" under the id {shown.held_id}"
    if now is not None and now.trigger not in (None, shown.trigger):
        words += f" triggered at {'-' if shown.trigger is None else plain(shown.trigger)}"
    if now is not None and now.callback_rate not in (None, shown.callback_rate):
        rate = shown.callback_rate
        words += f" trailing by {'-' if rate is None else plain(rate)} %"
    return words


def _name(shown: NodeOrder) -> str:
    return shown.client_order_id


def _key(order: VenueOrder) -> Key:
    return order.account, order.symbol, order.order_id
