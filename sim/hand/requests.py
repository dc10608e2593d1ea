"""Faults of requests: how each is armed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.faults import DelayedReply, FailedRequest, LostReply, TruncatedReply
from sim.hand.base import Reach
from sim.scenario import actions as a


def _asked(reach: Reach, action: a.RequestFault) -> dict[str, Any]:
    return {
        "method": action.method,
        "path": action.path,
        "symbol": action.symbol,
        **reach.limits(action),
    }


def _fail_request(reach: Reach, action: a.FailRequest, label: str) -> None:
    reach.faults.arm(
        FailedRequest(
            label,
            status=action.status,
            code=action.code,
            message=action.message,
            retry_after_secs=action.retry_after,
            after_ns=action.after_ns,
            applied=action.applied,
            **_asked(reach, action),
        ),
    )


def _lose_reply(reach: Reach, action: a.LoseReply, label: str) -> None:
    reach.faults.arm(
        LostReply(label, after_ns=action.after_ns, applied=action.applied, **_asked(reach, action))
    )


def _delay_reply(reach: Reach, action: a.DelayReply, label: str) -> None:
    reach.faults.arm(DelayedReply(label, by_ns=action.by_ns, **_asked(reach, action)))


def _truncate_reply(reach: Reach, action: a.TruncateReply, label: str) -> None:
    reach.faults.arm(TruncatedReply(label, **_asked(reach, action)))


DO: dict[type[a.Action], Callable[[Reach, Any, str], None]] = {
    a.FailRequest: _fail_request,
    a.LoseReply: _lose_reply,
    a.DelayReply: _delay_reply,
    a.TruncateReply: _truncate_reply,
}
