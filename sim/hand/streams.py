"""Faults of the user data stream: how each is armed, and what the world does for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.faults import DelayedFrame, DroppedFrame, DuplicatedFrame, Fault, StreamOutage
from sim.hand.base import Reach
from sim.scenario import actions as a


def _disconnect(reach: Reach, action: a.Disconnect, label: str) -> None:
    fault = StreamOutage(label, until_ns=reach.now_ns + action.for_ns, node=reach.node(action.node))
    reach.faults.arm(fault)
    cut = reach.network.cut_streams(reach.node(action.node))
    if cut:
        reach.faults.act(fault, f"{cut} streams cut")


def _expire_listen_key(reach: Reach, action: a.ExpireListenKey, label: str) -> None:
    fault = Fault(label, account=action.account)
    reach.faults.arm(fault)
    if reach.venue.expire_listen_key(action.account, reach.now_ns, notify=action.notify):
        reach.faults.act(fault, "the listen key expired")


def _wanted(reach: Reach, action: a.EventFault) -> dict[str, Any]:
    return {
        "event": action.event,
        "execution": action.execution,
        "client_order_id": reach.client_id(action.order),
        "symbol": action.symbol,
        **reach.limits(action),
    }


def _drop_event(reach: Reach, action: a.DropEvent, label: str) -> None:
    reach.faults.arm(DroppedFrame(label, **_wanted(reach, action)))


def _duplicate_event(reach: Reach, action: a.DuplicateEvent, label: str) -> None:
    reach.faults.arm(
        DuplicatedFrame(label, copies=action.copies, by_ns=action.by_ns, **_wanted(reach, action)),
    )


def _delay_event(reach: Reach, action: a.DelayEvent, label: str) -> None:
    reach.faults.arm(DelayedFrame(label, by_ns=action.by_ns, **_wanted(reach, action)))


DO: dict[type[a.Action], Callable[[Reach, Any, str], None]] = {
    a.Disconnect: _disconnect,
    a.ExpireListenKey: _expire_listen_key,
    a.DropEvent: _drop_event,
    a.DuplicateEvent: _duplicate_event,
    a.DelayEvent: _delay_event,
}
