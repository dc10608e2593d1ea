"""A scenario at the pace of real time: the same story, in seconds instead of minutes.

All durations of the story are divided by one number, so that the nodes compare themselves
with the venue every `INTERVAL_SECS`.  What cannot be hurried (a node's start, its stop) is
waited for while the story stands still, see `sim.wire.world`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict, fields, replace

from sim.scenario import actions as a
from sim.scenario import model as m
from sim.scenario.terms import Limits
from sim.wire.redis import available

INTERVAL_SECS = 5.0

MOST = 20.0
"""By how much a story is hurried at the most: answers still have to be faster than it."""

LONGEST_SECS = 60.0
"""How long the records of a story may take at that pace."""

ENGINE_TIMES = frozenset(
    {
        "read_lag_secs",
        "inflight_check_interval_secs",
        "inflight_timeout_ms",
        "inflight_check_interval_ms",
        "inflight_check_threshold_ms",
        "open_check_threshold_ms",
        "position_check_threshold_ms",
        "reconciliation_startup_delay_secs",
    }
)
"""The options of an engine that are times of the story, and no limits of the machine."""

OWN_TIMES = frozenset({"read_lag_secs", "inflight_check_interval_secs", "inflight_timeout_ms"})
"""Those of `recon`; its checks do not wait for the delay after a start, connections may take it."""


class Misfit(ValueError):
    """What cannot be run in real time, or not here."""


def fitting(scenarios: Sequence[m.Scenario]) -> list[m.Scenario]:
    """Return those scenarios that make sense in real time.

    Raises `Misfit` when none does, and where there is no Redis.
    """
    if (why := available()) is not None:
        raise Misfit(why)
    reasons = [misfit(scenario) for scenario in scenarios]
    fit = [scenario for scenario, why in zip(scenarios, reasons, strict=True) if why is None]
    if not fit:
        raise Misfit(f"no scenario here makes sense in real time: {next(filter(None, reasons))}")
    return fit


def misfit(scenario: m.Scenario) -> str | None:
    """Say why a scenario makes no sense in real time, None when it does."""
    spec = next(iter(scenario.each_node.values()))
    records = scenario.timeline
    if len(scenario.each_node) > 1:
        return "it has several nodes"
    if spec.broker is not None:
        return "its broker is a client of the harness's own"
    if any(record.at_ns < 0 for record in records):
        return "its past lies before the start"
    if any(
        isinstance(r.action, a.LoseWrites)
        or (isinstance(r.action, a.StopDatabase) and r.action.lose_ns)
        or getattr(r.action, "cache", "") in ("stale", "torn")
        for r in records
    ):
        return "its database is damaged by hand"
    if any((r.action.point or "").startswith("after write") for r in records):
        return "it acts inside of a write"
    if spec.starts_ns:
        return "its node starts late"
    if spec.reconciliation_lookback_mins is not None:
        return "it is about how far back a node looks"
    if any(name.endswith("_mins") for name in spec.exec_engine):
        return "its node does something by the minute, which cannot be hurried"
    last_ns = max((r.at_ns + r.action.lasts_ns for r in records), default=0)
    if (secs := last_ns / 1e9 / factor(scenario)) > LONGEST_SECS:
        return f"it takes {secs:.0f} s"
    return None


def factor(scenario: m.Scenario) -> float:
    """Return by how much a scenario is hurried."""
    spec = next(iter(scenario.each_node.values()))
    return min(max(spec.reconciliation_interval_secs / INTERVAL_SECS, 1.0), MOST)


def hurried(scenario: m.Scenario) -> m.Scenario:
    """Return a scenario whose times are divided by its factor.

    In a minute a client may ask as much more, unless its limits are what the scenario is about.
    """
    by = factor(scenario)

    def record(each: m.Record) -> m.Record:
        return m.Record(at_ns=round(each.at_ns / by), action=_hurried_action(each.action, by))

    quick = replace(scenario, timeline=tuple(map(record, scenario.timeline)))
    if scenario.venue.limits == Limits():
        quick = replace(quick, venue=replace(scenario.venue, limits=_limits(Limits(), by)))
    if scenario.nodes:
        return replace(quick, nodes={name: _node(n, by) for name, n in scenario.nodes.items()})
    return replace(quick, node=_node(scenario.node, by))


def _limits(limits: Limits, by: float) -> Limits:
    return replace(
        limits,
        weight_1m=round(limits.weight_1m * by),
        orders_10s=round(limits.orders_10s * by),
        orders_1m=round(limits.orders_1m * by),
    )


def _hurried_action(action: a.Action, by: float) -> a.Action:
    times = {
        field.name: max(round(value / by), 1)
        for field in fields(action)
        if field.name.endswith("_ns") and (value := getattr(action, field.name))
    }
    if isinstance(action, a.SkewClock):
        del times["by_ns"]  # which counts against recvWindow, and that is as it is
    return replace(action, **times)


def _node(spec: m.Node, by: float) -> m.Node:
    """What else is a time of the engine is divided with its defaults, see `hurried_config`."""
    options: dict[str, Any] = {
        "reconciliation_interval_secs": spec.reconciliation_interval_secs / by,
    }
    for name in ("open_check_interval_secs", "position_check_interval_secs"):
        value = getattr(spec, name)
        options[name] = value / by if isinstance(value, int | float) else value
    return replace(spec, **options)


def hurried_config[Config: msgspec.Struct](config: Config, by: float) -> Config:
    """Return the configuration of an engine, those options divided that are times of the story."""
    options = asdict(config)
    # The times of the stock checks are no options of an engine that has them off.
    own = OWN_TIMES if "read_lag_secs" in options else ENGINE_TIMES
    mine = {name: _divided(name, options[name], by) for name in own if options.get(name)}
    return replace(config, **mine)


def _divided(name: str, value: Any, by: float) -> Any:
    return max(round(value / by), 1) if name.endswith("_ms") else value / by
