"""Faults of the user data stream: how each is armed, and what the world does for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sim.faults import (
    Alteration,
    AlteredFrame,
    DelayedFrame,
    DroppedFrame,
    DuplicatedFrame,
    Fault,
    HeldFrames,
    MutedStreams,
    Refusal,
    RefusedHandshake,
    ReorderedFrames,
    RotatedKey,
    StreamOutage,
)
from sim.hand.base import Reach
from sim.scenario import actions as a
from sim.transport.network import Socket


def _disconnect(reach: Reach, action: a.Disconnect, label: str) -> None:
    fault = StreamOutage(label, until_ns=reach.now_ns + action.for_ns, node=reach.node(action.node))
    reach.faults.arm(fault)
    cut = reach.network.cut_streams(reach.node(action.node), action.code)
    if cut:
        reach.faults.act(fault, f"{cut} streams cut")


def _expire_listen_key(reach: Reach, action: a.ExpireListenKey, label: str) -> None:
    fault = Fault(label, account=action.account)
    reach.faults.arm(fault)
    if reach.venue.expire_listen_key(action.account, reach.now_ns, notify=action.notify):
        reach.faults.act(fault, "the listen key expired")


def _open_streams(reach: Reach, action: a.OpenStreams) -> list[Socket]:
    found = reach.network.sockets(reach.node(action.node), action.client)
    if not found:
        raise LookupError("no stream is open")
    return found


def _half_open(reach: Reach, action: a.HalfOpen, label: str) -> None:
    sockets = _open_streams(reach, action)
    gives_up_ns = reach.network.cut_off(sockets)
    until_ns = gives_up_ns if action.for_ns is None else reach.now_ns + action.for_ns
    fault = Fault(label, until_ns=until_ns, node=reach.node(action.node))
    reach.faults.arm(fault)
    reach.faults.act(fault, f"{len(sockets)} streams half open")
    reach.loop.call_at_ns(until_ns, reach.network.reconnect, sockets)


def _mute_streams(reach: Reach, action: a.MuteStreams, label: str) -> None:
    _open_streams(reach, action)
    until_ns = reach.now_ns + action.for_ns
    node = reach.node(action.node)
    reach.faults.arm(MutedStreams(label, until_ns=until_ns, client=action.client, node=node))


def _shut_down_streams(reach: Reach, action: a.ShutDownStreams, label: str) -> None:
    ids = [socket.connection_id for socket in _open_streams(reach, action)]
    until_ns = reach.now_ns + action.by_ns
    fault = Fault(label, until_ns=until_ns, node=reach.node(action.node))
    reach.faults.arm(fault)
    reach.faults.act(fault, f"{len(ids)} streams are to be closed")
    reach.venue.announce_shutdown(ids, reach.now_ns)

    def close() -> None:
        reach.venue.end_streams(ids, reach.now_ns)
        reach.network.flush()

    reach.loop.call_at_ns(until_ns, close)


def _refuse_streams(reach: Reach, action: a.RefuseStreams, label: str) -> None:
    refusal = Refusal(action.status, action.after_ns, action.dead_key)
    reach.faults.arm(RefusedHandshake(label, refusal=refusal, **reach.limits(action)))


def _rotate_listen_key(reach: Reach, action: a.RotateListenKey, label: str) -> None:
    whose = reach.whose(None, action.account)
    reach.faults.arm(RotatedKey(label, retire=reach.venue.streams.keys.retire, **whose))


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


def _hold_events(reach: Reach, action: a.HoldEvents, label: str) -> None:
    reach.faults.arm(HeldFrames(label, **_wanted(reach, action)))


def _reorder_events(reach: Reach, action: a.ReorderEvents, label: str) -> None:
    reach.faults.arm(
        ReorderedFrames(
            label,
            window_ns=action.window_ns,
            order=action.into,
            within_type=action.within_type,
            **_wanted(reach, action),
        )
    )


def _alter_event(reach: Reach, action: a.AlterEvent, label: str) -> None:
    change = Alteration(tuple(action.field.split(".")), "drop" if action.drop else "set", action.to)
    reach.faults.arm(AlteredFrame(label, alter=change, **_wanted(reach, action)))


def _inject_event(reach: Reach, action: a.InjectEvent, label: str) -> None:
    fault = Fault(label, node=reach.node(action.node))
    reach.faults.arm(fault)
    text = action.text.ljust(action.size or 0)
    sockets = _open_streams(reach, action)
    for socket in sockets:
        reach.network.inject(socket, text, _type_of(text))
    reach.faults.act(fault, f"{len(text)} characters on {len(sockets)} streams")


def _type_of(text: str) -> str:
    try:
        return str(msgspec.json.decode(text)["e"])
    except (msgspec.DecodeError, TypeError, LookupError):
        return ""


DO: dict[type[a.Action], Callable[[Reach, Any, str], None]] = {
    a.Disconnect: _disconnect,
    a.ExpireListenKey: _expire_listen_key,
    a.DropEvent: _drop_event,
    a.DuplicateEvent: _duplicate_event,
    a.DelayEvent: _delay_event,
    a.HalfOpen: _half_open,
    a.MuteStreams: _mute_streams,
    a.ShutDownStreams: _shut_down_streams,
    a.RefuseStreams: _refuse_streams,
    a.RotateListenKey: _rotate_listen_key,
    a.HoldEvents: _hold_events,
    a.ReorderEvents: _reorder_events,
    a.AlterEvent: _alter_event,
    a.InjectEvent: _inject_event,
}
