"""Rare states of orders and positions."""

from __future__ import annotations

from collections.abc import Iterator

from sim.fuzz.evidence import Evidence
from sim.fuzz.states.base import Test, simple, state


def _lost_submissions(seen: Evidence) -> Iterator[str]:
    """The orders whose submission was not answered as the venue would have."""
    times = [r.at_ns for r in seen.requests if r.method == "POST" and r.is_distorted and r.failed]
    for _, event in seen.events("OrderSubmitted"):
        if any(0 <= at_ns - event.at_ns < 10**9 for at_ns in times):
            yield event.client_order_id


@state("a submission failed, and the order is at the venue")
def _(seen: Evidence) -> bool:
    return any(name in seen.order_by_id for name in _lost_submissions(seen))


@state("a submission failed, and the order is not at the venue")
def _(seen: Evidence) -> bool:
    return any(name not in seen.order_by_id for name in _lost_submissions(seen))


@state("an order was partly filled and then cancelled")
def _(seen: Evidence) -> bool:
    return any(order.status == "CANCELED" and order.filled for order in seen.orders)


@state("an order ended while the node was down")
def _(seen: Evidence) -> bool:
    return any(
        order.closed_ns is not None and seen.is_down(order.account, order.closed_ns)
        for order in seen.orders
    )


@state("an order was amended while the node was down")
def _(seen: Evidence) -> bool:
    return any(
        seen.is_down(order.account, terms.at_ns)
        for order in seen.orders
        for terms in order.terms[1:]
    )


@state("the end of an order was learned from a read")
def _(seen: Evidence) -> bool:
    ends = {
        event.at_ns
        for (execution, _), events in seen.order_frames.items()
        if execution in ("CANCELED", "EXPIRED")
        for event in events
    }
    return any(e.at_ns not in ends for _, e in seen.events("OrderCanceled", "OrderExpired"))


@state("an order that nobody here had sent was taken over at a start")
def _(seen: Evidence) -> bool:
    return any(
        life.ready_ns is None or event.at_ns <= life.ready_ns
        for life, event in seen.events("OrderAccepted")
        if event.client_order_id.startswith("web_")
    )


def _either(*kinds: str) -> Test:
    return lambda seen: any(True for _ in seen.events(*kinds))


simple("the venue refused an order", _either("OrderRejected"))
simple("the venue refused a cancellation", _either("OrderCancelRejected"))
simple("the venue refused an amendment", _either("OrderModifyRejected"))


@state("a conditional order was triggered while the node was down")
def _(seen: Evidence) -> bool:
    return any(
        terms.order_id not in (0, order.algo_id) and seen.is_down(order.account, terms.at_ns)
        for order in seen.orders
        if order.algo_id
        for terms in order.terms
    )


@state("a fill turned a position around")
def _(seen: Evidence) -> bool:
    return any(before * after < 0 for _, before, after in seen.steps)


@state("a position was closed, and opened again")
def _(seen: Evidence) -> bool:
    closed = set()
    for trade, before, after in seen.steps:
        leg = trade.account, trade.symbol, trade.position_side
        if not before and leg in closed:
            return True
        if not after:
            closed.add(leg)
    return False


@state("both legs of a symbol were held")
def _(seen: Evidence) -> bool:
    held: set[tuple[str, str, str]] = set()
    for trade, _, after in seen.steps:
        leg = trade.account, trade.symbol, trade.position_side
        (held.add if after else held.discard)(leg)
        if {(*leg[:2], "LONG"), (*leg[:2], "SHORT")} <= held:
            return True
    return False


@state("a leg was closed while the node was down")
def _(seen: Evidence) -> bool:
    return any(
        not after and seen.is_down(trade.account, trade.time_ns) for trade, _, after in seen.steps
    )


@state("an opening balance was made")
def _(seen: Evidence) -> bool:
    return any(trade_id not in seen.trade_by_id for trade_id in seen.published)
