"""Faults of requests: how each is armed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from sim.faults import (
    Alteration,
    AlteredHeader,
    AlteredReply,
    DelayedReply,
    FailedRequest,
    Fault,
    GarbledReply,
    LostReply,
    QueuedOrders,
    Throttled,
    impaired_by,
)
from sim.hand.base import Reach
from sim.scenario import actions as a
from sim.venue.clocks import Skew
from sim.venue.replies import ERROR_REPLIES, ErrorReply, reply_of, response_of
from sim.venue.wire import Request


def _asked(reach: Reach, action: a.RequestFault) -> dict[str, Any]:
    return {
        "method": action.method,
        "path": action.path,
        "symbol": action.symbol,
        **reach.limits(action),
    }


def error_reply(action: a.FailRequest) -> ErrorReply:
    """Return the error answer that a record asks for."""
    if action.error is not None:
        reply = ERROR_REPLIES[action.error]
        return reply if action.message is None else replace(reply, text=action.message)
    assert action.status is not None
    return reply_of(action.status, action.code, action.message)


def _fail_request(reach: Reach, action: a.FailRequest, label: str) -> None:
    reply, config = error_reply(action), reach.venue.config
    spares = action.spares_reducing
    reach.faults.arm(
        FailedRequest(
            label,
            answer=lambda now_ns: response_of(reply, config, now_ns, action.retry_after),
            spares_reducing=reply.spares_reducing if spares is None else spares,
            after_ns=action.after_ns,
            applied=action.applied,
            late_ns=action.late_ns,
            **_asked(reach, action),
        ),
    )


def _lose_reply(reach: Reach, action: a.LoseReply, label: str) -> None:
    reach.faults.arm(
        LostReply(
            label,
            after_ns=action.after_ns,
            applied=action.applied,
            late_ns=action.late_ns,
            **_asked(reach, action),
        )
    )


def _delay_reply(reach: Reach, action: a.DelayReply, label: str) -> None:
    reach.faults.arm(DelayedReply(label, by_ns=action.by_ns, **_asked(reach, action)))


def _garble_reply(reach: Reach, action: a.GarbleReply, label: str) -> None:
    reach.faults.arm(GarbledReply(label, how=action.how, **_asked(reach, action)))


def _alter_reply(reach: Reach, action: a.AlterReply, label: str) -> None:
    asked = _asked(reach, action)
    if action.header is not None:
        value = None if action.drop else str(action.to)
        reach.faults.arm(AlteredHeader(label, header=action.header, value=value, **asked))
        return
    assert action.field is not None
    path = tuple(action.field.split("."))
    if action.drop:
        change = Alteration(path, "drop")
    elif action.append is not UNSET:
        change = Alteration(path, "append", action.append)
    else:
        change = Alteration(path, "set", action.to)
    reach.faults.arm(AlteredReply(label, alter=change, **asked))


def _throttle(reach: Reach, action: a.Throttle, label: str) -> None:
    reach.faults.arm(
        Throttled(
            label,
            answer=partial(_limited, reach),
            escalates_after=action.escalates_after,
            ban_ns=action.ban_ns,
            **_asked(reach, action),
        )
    )


def _limited(reach: Reach, now_ns: int, is_banned: bool, left_ns: int) -> Any:
    reply = ERROR_REPLIES["banned" if is_banned else "too-many-requests"]
    return response_of(reply, reach.venue.config, now_ns, -(-left_ns // 1_000_000_000))


def _skew_clock(reach: Reach, action: a.SkewClock, label: str) -> None:
    until_ns = reach.now_ns + action.for_ns
    fault = Fault(label, until_ns=until_ns)
    reach.faults.arm(fault)

    def acted(request: Request) -> None:
        what = f"{request.speaker} {request.method} {request.path}"
        reach.faults.act(fault, what, impaired_by(request))

    skew = Skew(action.by_ns, acted, told_only=action.told_only)
    reach.venue.clock.begin(skew)
    reach.loop.call_at_ns(until_ns, reach.venue.clock.end, skew)


def _delay_orders(reach: Reach, action: a.DelayOrders, label: str) -> None:
    reach.faults.arm(QueuedOrders(label, by_ns=action.by_ns, **_asked(reach, action)))


DO: dict[type[a.Action], Callable[[Reach, Any, str], None]] = {
    a.FailRequest: _fail_request,
    a.LoseReply: _lose_reply,
    a.DelayReply: _delay_reply,
    a.GarbleReply: _garble_reply,
    a.AlterReply: _alter_reply,
    a.Throttle: _throttle,
    a.SkewClock: _skew_clock,
    a.DelayOrders: _delay_orders,
}
