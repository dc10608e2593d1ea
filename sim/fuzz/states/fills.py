"""Rare states of fills: how they became known, and when they happened."""

from __future__ import annotations

from collections.abc import Iterator

from sim.fuzz.evidence import SOON_NS, Evidence, Published
from sim.fuzz.states.base import CHECK, state
from sim.observation import VenueTrade
from sim.recorder import STARTUP

FORCED = ("autoclose-", "adl_autoclose", "settlement_autoclose-")
"""How client order ids of the venue's own orders begin."""


def heard(seen: Evidence, fill: Published) -> bool:
    """Whether a fill was published when its event arrived."""
    return any(fill.at_ns == each.at_ns for each in seen.frames.get(fill.trade_id, ()))


def _read(seen: Evidence) -> Iterator[tuple[VenueTrade, Published]]:
    return (each for each in seen.applied if not heard(seen, each[1]))


@state("a fill was applied from the stream")
def _(seen: Evidence) -> bool:
    return any(heard(seen, fill) for _, fill in seen.applied)


@state("a fill was applied from a read")
def _(seen: Evidence) -> bool:
    return any(True for _ in _read(seen))


@state("a fill was applied from a read and then arrived on the stream")
def _(seen: Evidence) -> bool:
    return any(
        fill.at_ns < event.at_ns < fill.life.ended_ns
        for _, fill in _read(seen)
        for event in seen.frames.get(fill.trade_id, ())
    )


@state("the event of a fill arrived twice")
def _(seen: Evidence) -> bool:
    return any(len(events) > 1 for events in seen.frames.values())


@state("the event of a fill never arrived, and a node ran")
def _(seen: Evidence) -> bool:
    return any(
        str(trade.trade_id) not in seen.frames and not seen.is_down(trade.account, trade.time_ns)
        for trade in seen.trades
    )


@state("two fills of an order arrived in the wrong order")
def _(seen: Evidence) -> bool:
    for trades in seen.trades_of.values():
        events = [seen.frames[key][0] for t in trades if (key := str(t.trade_id)) in seen.frames]
        if events != sorted(events):
            return True
    return False


@state("a fill arrived after the end of its order")
def _(seen: Evidence) -> bool:
    return any(
        end < event
        for (execution, name), ends in seen.order_frames.items()
        if execution in ("CANCELED", "EXPIRED")
        for end in ends
        for trade in seen.trades_of.get(name, ())
        for event in seen.frames.get(str(trade.trade_id), ())
    )


@state("an event of an order arrived before the reply to its submission")
def _(seen: Evidence) -> bool:
    # A reply is late or lost; the event is not.
    return any(
        f"newClientOrderId={name}&" in f"{request.query}&"
        for request in seen.requests
        if request.method == "POST" and request.is_distorted and not request.failed
        for (execution, name), events in seen.order_frames.items()
        if execution == "NEW" and events[0].at_ns - request.at_ns < SOON_NS
    )


@state("a fill happened while the node was down")
def _(seen: Evidence) -> bool:
    return any(seen.is_down(trade.account, trade.time_ns) for trade in seen.trades)


@state("a fill happened before the first start")
def _(seen: Evidence) -> bool:
    first = {life.node: life.started_ns for life in reversed(seen.lives)}
    return any(trade.time_ns < min(first.values()) for trade in seen.trades)


@state("a fill happened while a node started")
def _(seen: Evidence) -> bool:
    return any(
        life.started_ns <= trade.time_ns < (life.ready_ns or life.started_ns)
        for trade in seen.trades
        for life in seen.lives
    )


@state("a fill happened during the reads of a start")
def _(seen: Evidence) -> bool:
    return any(seen.during_calls(STARTUP, trade.time_ns) for trade in seen.trades)


@state("a fill happened during a check")
def _(seen: Evidence) -> bool:
    return any(seen.during_calls(CHECK, trade.time_ns) for trade in seen.trades)


@state("a fill happened while the stream was gone")
def _(seen: Evidence) -> bool:
    return any(low < trade.time_ns < high for trade in seen.trades for low, high in seen.gaps)


@state("killed with the event of a fill on its way")
def _(seen: Evidence) -> bool:
    return any(
        0 <= life.ended_ns - trade.time_ns < SOON_NS
        and not any(fill.life is life for fill in seen.published.get(str(trade.trade_id), ()))
        for life in seen.killed
        for trade in seen.trades
    )


@state("killed right after a fill was applied")
def _(seen: Evidence) -> bool:
    return any(
        life.ended == "killed" and life.events and 0 <= life.ended_ns - event.at_ns < SOON_NS
        for life, event in seen.events("OrderFilled")
    )


@state("a fill of an order by hand was applied")
def _(seen: Evidence) -> bool:
    return any(trade.client_order_id.startswith("web_") for trade, _ in seen.applied)


@state("a fill of an order of the venue's own was applied")
def _(seen: Evidence) -> bool:
    return any(trade.client_order_id.startswith(FORCED) for trade, _ in seen.applied)


@state("a fill of what a conditional order had become was applied")
def _(seen: Evidence) -> bool:
    conditional = {order.client_order_id for order in seen.orders if order.algo_id}
    return any(trade.client_order_id in conditional for trade, _ in seen.applied)
