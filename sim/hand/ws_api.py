"""Faults of the WebSocket API: how each is armed, and what the world does for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.faults import FailedCall, StreamOutage, UnansweredCall
from sim.hand.base import Reach
from sim.scenario import actions as a


def _fail_ws_api(reach: Reach, action: a.FailWsApi, label: str) -> None:
    reach.faults.arm(
        FailedCall(
            label,
            call=action.method,
            status=action.status,
            code=action.code,
            message=action.message,
            after_ns=action.after_ns,
            applied=action.applied,
            **reach.limits(action),
        )
    )


def _mute_ws_api(reach: Reach, action: a.MuteWsApi, label: str) -> None:
    reach.faults.arm(
        UnansweredCall(label, call=action.method, applied=action.applied, **reach.limits(action))
    )


def _close_ws_api(reach: Reach, action: a.CloseWsApi, label: str) -> None:
    until_ns = reach.now_ns + action.for_ns
    fault = StreamOutage(label, until_ns=until_ns, node=action.node, is_ws_api=True)
    reach.faults.arm(fault)
    cut = reach.network.cut_streams(action.node, is_ws_api=True)
    if cut:
        reach.faults.act(fault, f"{cut} connections to the WebSocket API closed")


DO: dict[type[a.Action], Callable[[Reach, Any, str], None]] = {
    a.FailWsApi: _fail_ws_api,
    a.MuteWsApi: _mute_ws_api,
    a.CloseWsApi: _close_ws_api,
}
