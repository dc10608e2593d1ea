"""Rare states of reads, streams and settings, and of alerts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.fuzz.evidence import Evidence
from sim.fuzz.states.base import CHECK, STATES, Test, simple, state
from sim.fuzz.states.fills import heard
from sim.recorder import STARTUP


def _reads_failed_during(kind: str) -> Test:
    return lambda seen: any(
        r.failed and r.method == "GET" and seen.during_calls(kind, r.at_ns) for r in seen.requests
    )


def _reads_lagged_during(kind: str) -> Test:
    return lambda seen: any(
        call.kind == kind and seen.impaired("lag", call.began_ns, call.ended_ns or life.ended_ns)
        for life in seen.lives
        for call in life.calls
    )


simple("a read failed during a start", _reads_failed_during(STARTUP))
simple("a read failed during a check", _reads_failed_during(CHECK))
simple("answers showed the past during a start", _reads_lagged_during(STARTUP))
simple("answers showed the past during a check", _reads_lagged_during(CHECK))


def _answered(*statuses: str) -> Test:
    return lambda seen: any(r.status in statuses for r in seen.requests)


simple("the venue refused requests because there were too many", _answered("429", "418"))
simple("a stream was gone and came back", lambda seen: bool(seen.gaps))


@state("answers lagged behind a fill that the stream had told of")
def _(seen: Evidence) -> bool:
    return any(
        heard(seen, fill)
        and seen.impaired("lag", fill.at_ns, fill.at_ns)
        and any(r.path.endswith("userTrades") and r.at_ns > fill.at_ns for r in seen.requests)
        for _, fill in seen.applied
    )


def _acted(*words: str) -> Test:
    return lambda seen: any(word in seen.words for word in words)


simple("a listen key expired", _acted("expire_listen_key"))
simple("nothing was heard on an open stream", _acted("half_open", "mute_streams"))
simple("the clock was wrong", _acted("skew_clock"))
simple("pages were short", _acted("shorten_pages"))
simple("trades were hidden from reads", _acted("hide_trades", "omit_rows"))


@state("the mode was switched, and orders were sent after it")
def _(seen: Evidence) -> bool:
    return "position_mode" in seen.words and bool(seen.orders)


@state("a node came back while reads failed")
def _(seen: Evidence) -> bool:
    return any(
        life.number and seen.impaired("read", life.started_ns, life.started_ns)
        for life in seen.lives
    )


def _alerted(test: Callable[[Any], bool]) -> Test:
    return lambda seen: any(test(alert) for life in seen.lives for alert in life.alerts)


ALERTS = {
    "an alert named a fill": _alerted(lambda alert: bool(alert.trade_id)),
    "an alert named an order": _alerted(
        lambda alert: not alert.trade_id and bool(alert.client_order_id or alert.venue_order_id)
    ),
    "an alert named a leg": _alerted(
        lambda alert: bool(alert.position_side) and not alert.client_order_id
    ),
}
STATES |= ALERTS
