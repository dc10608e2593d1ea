"""How an `Observation` is derived from a scenario and from what the network carried."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.clock import NS_PER_SEC
from sim.observation import Call
from sim.scenario import model as m
from sim.transport.network import Exchange


def visibility(scenario: m.Scenario) -> dict[str, Any]:
    """Return which symbols and orders are the node's business, in `Observation`'s words."""
    node, listed = scenario.node, scenario.venue.symbols
    loaded = listed if node.instruments is None else symbols_of(node.instruments)
    only = node.exec_engine.get("reconciliation_instrument_ids")
    return {
        "symbols": tuple(
            name for name in listed if name in loaded and (not only or name in symbols_of(only))
        ),
        "unloaded": tuple(name for name in listed if name not in loaded),
        "filters_unclaimed": bool(node.exec_engine.get("filter_unclaimed_external_orders", False)),
        "filtered": frozenset(node.exec_engine.get("filtered_client_order_ids") or ()),
    }


def symbols_of(instruments: Iterable[str]) -> set[str]:
    """Return the venue's symbols of NautilusTrader's instrument ids."""
    return {instrument.partition("-PERP.")[0] for instrument in instruments}


PAUSE_NS = NS_PER_SEC
"""What lies between two checks, at the least: reads closer together are of one."""


def checks_are_apart(node: m.Node) -> bool:
    """Whether the checks of a node are rare enough to be told from each other."""
    inflight_ms = node.inflight_check_interval_ms
    intervals_secs = (
        node.reconciliation_interval_secs,
        node.open_check_interval_secs,
        node.position_check_interval_secs,
        inflight_ms / 1000 if isinstance(inflight_ms, int) else None,
    )
    return all(
        secs * NS_PER_SEC > PAUSE_NS for secs in intervals_secs if isinstance(secs, int | float)
    )


def checks_of(reads: Iterable[Exchange]) -> list[Call]:
    """Return the periodic checks: bursts of reads with less than `PAUSE_NS` between two.

    A burst in which the venue asked the client to wait is none: how long it takes is
    the venue's doing.
    """
    bursts: list[list[Exchange]] = []
    until_ns = 0
    for read in sorted(reads, key=lambda e: e.began_ns):
        if not bursts or read.began_ns > until_ns + PAUSE_NS:
            bursts.append([])
        bursts[-1].append(read)
        until_ns = max(until_ns, read.ended_ns or read.began_ns)
    return [
        Call(
            "check",
            burst[0].began_ns,
            None if any(e.ended_ns is None for e in burst) else max(e.ended_ns or 0 for e in burst),
        )
        for burst in bursts
        if not any(e.limited for e in burst)
    ]
