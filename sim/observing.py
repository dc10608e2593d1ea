"""How an `Observation` is derived from a scenario and from what the network carried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any

from msgspec.structs import asdict, replace

from sim.clock import NS_PER_SEC
from sim.observation import (
    Alert,
    Call,
    HedgeSpan,
    Impairment,
    Incarnation,
    NodeEvent,
    NodeOrder,
    Sight,
    State,
    VenueOrder,
    VenuePosition,
)
from sim.oracle.scope import DAY_NS, SERVED_WITHOUT_TIMES_NS
from sim.process import Process
from sim.scenario import model as m
from sim.transport.network import Exchange
from sim.venue.models import Account


def sight_of(scenario: m.Scenario, name: str) -> Sight:
    """Return what a node may see, and how it is set."""
    node, listed = scenario.each_node[name], scenario.venue.symbols
    lookback_ns = _lookback_ns(node, scenario.venue)
    loaded = listed if node.instruments is None else symbols_of(node.instruments)
    only = node.exec_engine.get("reconciliation_instrument_ids")
    return Sight(
        accounts=scenario.accounts_of(name),
        symbols=tuple(
            symbol
            for symbol in listed
            if symbol in loaded and (not only or symbol in symbols_of(only))
        ),
        unloaded=tuple(symbol for symbol in listed if symbol not in loaded),
        lookback_ns=lookback_ns,
        interval_ns=round(node.reconciliation_interval_secs * NS_PER_SEC),
        filters_unclaimed=bool(node.exec_engine.get("filter_unclaimed_external_orders", False)),
        nets=node.broker is not None,
        filtered=frozenset(node.exec_engine.get("filtered_client_order_ids") or ()),
    )


def _lookback_ns(node: m.Node, venue: m.Venue) -> int | None:
    """Return how far back a node asks, or the venue serves; None for what it serves unasked."""
    kept_ns = venue.knobs.trades_kept_days * DAY_NS
    if node.reconciliation_lookback_mins is None:
        return kept_ns if kept_ns < SERVED_WITHOUT_TIMES_NS else None
    return min(node.reconciliation_lookback_mins * 60 * NS_PER_SEC, kept_ns)


def sights_of(scenario: m.Scenario) -> dict[str, Any]:
    """Return what the nodes may see, in `Observation`'s words."""
    sights = {name: sight_of(scenario, name) for name in scenario.each_node}
    first = next(iter(sights.values()))
    words = asdict(first)
    del words["accounts"]
    # One node on the only account sees everything.
    is_alone = len(sights) == len(scenario.venue.each_account) == 1
    return {**words, "sights": {} if is_alone else sights}


def hedged_spans(accounts: Mapping[str, Account]) -> tuple[HedgeSpan, ...]:
    """Return when which accounts were in hedge mode."""
    found = []
    for name, account in accounts.items():
        # Each switch is to the other mode, so the last tells the first.
        began_hedged = account.hedge != bool(len(account.switches_ns) % 2)
        bounds = [0, *account.switches_ns] if began_hedged else account.switches_ns
        found += [
            HedgeSpan(name, from_ns, until_ns)
            for from_ns, until_ns in zip_longest(bounds[::2], bounds[1::2])
        ]
    return tuple(found)


def unexpected(scenario: m.Scenario, positions: tuple[VenuePosition, ...]) -> list[str]:
    """Compare the venue's positions with those that the scenario expects."""
    held = {(p.account, p.symbol, p.position_side): p.quantity for p in positions}
    default, expect = scenario.venue.default_account, scenario.expect
    expected = {default: expect.venue_position, **expect.venue_positions}
    several = len(scenario.venue.each_account) > 1
    return [
        f"the venue holds {held.get((account, symbol, side), 0)} {symbol} ({side})"
        f"{f' on account {account}' if several else ''}, not {quantity}"
        for account, symbols in expected.items()
        for symbol, legs in symbols.items()
        for side, quantity in legs.items()
        if held.get((account, symbol, side), 0) != quantity
    ]


def symbols_of(instruments: Iterable[str]) -> set[str]:
    """Return the venue's symbols of NautilusTrader's instrument ids."""
    return {instrument.partition("-PERP.")[0] for instrument in instruments}


def unanswered_by_brokers(scenario: m.Scenario, ended_ns: int) -> tuple[Impairment, ...]:
    """Return whose query of positions is never answered, since its broker does not know."""
    return tuple(
        Impairment("read", 0, ended_ns, name)
        for name, node in scenario.each_node.items()
        if node.broker is not None and node.broker.positions == "fails"
    )


def limits_of(reads: Iterable[Exchange]) -> tuple[Impairment, ...]:
    """Return when the venue refused reads because there had been too many, and asked to wait."""
    return tuple(
        Impairment("read", read.began_ns, read.ended_ns + read.wait_ns)
        for read in reads
        if read.wait_ns and read.ended_ns is not None
    )


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


def checks_of(
    incarnation: Incarnation, process: Process, node: m.Node, reads: Iterable[Exchange]
) -> list[Call]:
    """Return the checks that a process made once it was ready; none where they cannot be told."""
    ready_ns = incarnation.ready_ns
    if ready_ns is None or not checks_are_apart(node):
        return []
    return bursts_of(r for r in reads if r.process is process and r.began_ns >= ready_ns)


def bursts_of(reads: Iterable[Exchange]) -> list[Call]:
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
        if not any(e.wait_ns for e in burst)
    ]


def with_final_ids(incarnation: Incarnation, orders: Iterable[VenueOrder]) -> Incarnation:
    """Return a process in which each order has the last of its ids at the venue.

    A conditional order has two: its own, and that of the order which it becomes.
    """
    final = {
        (order.account, order.symbol, str(each)): str(order.order_id)
        for order in orders
        if order.algo_id
        for each in (order.algo_id, order.order_id)
    }
    if not final:
        return incarnation

    def number(each: NodeOrder | NodeEvent | Alert) -> str | None:
        return final.get((each.account, each.symbol, each.venue_order_id))

    def renamed[Named: NodeOrder | NodeEvent](each: Named) -> Named:
        last = number(each)
        if last is None:
            return each
        return replace(each, venue_order_id=last, held_id=int(each.venue_order_id))

    def state(of: State) -> State:
        return replace(of, orders=tuple(map(renamed, of.orders)))

    reread = incarnation.final_read
    return replace(
        incarnation,
        loaded=state(incarnation.loaded),
        events=tuple(map(renamed, incarnation.events)),
        final=state(incarnation.final),
        alerts=tuple(
            each if (last := number(each)) is None else replace(each, venue_order_id=last)
            for each in incarnation.alerts
        ),
        final_read=None if reread is None else tuple(map(renamed, reread)),
    )
