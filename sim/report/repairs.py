"""Gaps of the released engine, each repaired in memory: what goes away with one is due to it.

A repair does what the gap keeps from being done, or keeps the engine from doing what the gap
consists of.  It is made on the objects of one node, and says nothing of how it ought to be done
in the release.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from decimal import Decimal
from functools import partial
from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import GenerateFillReports
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.events import OrderRejected
from nautilus_trader.model.identifiers import VenueOrderId

from sim import engines

type Repair = Callable[[TradingNode], None]

_READS = (
    "generate_order_status_reports",
    "generate_fill_reports",
    "generate_position_status_reports",
)

_REFUSALS = ("-2010", "-2019", "-2021", "-2022", "-4", "-5022", "-1111", "-1116")
"""How the codes begin with which Binance says that it has not taken an order."""


def ask_once(node: TradingNode) -> None:
    """G1: ask for each symbol under the venue's spelling only."""

    def spelt_as_the_venue_does(original: Any) -> Any:
        symbols = original()
        names = [symbol.removesuffix("-PERP") for symbol in symbols]
        symbols.clear()
        symbols.update(names)  # the set itself: its order comes from the seed
        return symbols

    for client in _clients(node):
        if hasattr(client, "_get_cache_active_symbols"):  # a broker asks for instruments
            _replace(client, "_get_cache_active_symbols", spelt_as_the_venue_does)


def raise_what_failed(node: TradingNode) -> None:
    """G4: a read of which a request has failed fails."""
    failures: ContextVar[list[Exception]] = ContextVar("failures")

    async def noting(original: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await original(*args, **kwargs)
        except Exception as e:
            failures.get([]).append(e)
            raise

    async def raising(original: Any, *args: Any, **kwargs: Any) -> Any:
        failed: list[Exception] = []
        token = failures.set(failed)
        try:
            answer = await original(*args, **kwargs)
        finally:
            failures.reset(token)
        if failed:
            raise failed[0]
        return answer

    noted: set[int] = set()
    for client in _clients(node):
        http = getattr(client, "_http_client", None)
        if http is None:
            continue
        for name in _READS:
            _replace(client, name, raising)
        if id(http) not in noted:
            noted.add(id(http))
            _replace(http, "send_request", noting)


def compare_legs(node: TradingNode) -> None:
    """G7: a position is compared leg by leg."""
    engine = _engine(node)
    reported: dict[Any, dict[str, Decimal]] = {}

    async def remembering(original: Any, *args: Any, **kwargs: Any) -> Any:
        reported.clear()
        return await original(*args, **kwargs)

    async def read(original: Any, *args: Any, **kwargs: Any) -> Any:
        reports = await original(*args, **kwargs)
        for report in reports:
            leg = "LONG" if report.signed_decimal_qty > 0 else "SHORT"
            if report.signed_decimal_qty:
                reported.setdefault(report.instrument_id, {})[leg] = report.signed_decimal_qty
        return reports

    def differs(original: Any, positions: Any, report: Any, instrument_id: Any) -> bool:
        held: dict[str, Decimal] = {}
        for position in positions:
            leg = "LONG" if position.signed_decimal_qty() > 0 else "SHORT"
            held[leg] = held.get(leg, Decimal(0)) + position.signed_decimal_qty()
        return held != reported.get(instrument_id, {})

    for client in _clients(node):
        _replace(client, "generate_position_status_reports", read)
    _replace(engine, "_query_position_status_reports", remembering)
    _replace(engine, "_check_position_discrepancy", differs)


def make_nothing_up(node: TradingNode) -> None:
    """G21: no fill is made up from an executed quantity."""

    def leaves(original: Any, order: Any, report: Any, *rest: Any) -> bool:
        if report.filled_qty > order.filled_qty:
            return True
        return bool(original(order, report, *rest))

    _replace(_engine(node), "_handle_fill_quantity_mismatch", leaves)


def ask_before_the_end(node: TradingNode) -> None:
    """G22: an order ends when the fills that it lacks have been asked for."""
    engine = _engine(node)
    asked: set[Any] = set()

    async def ask(report: Any) -> None:
        command = GenerateFillReports(
            instrument_id=report.instrument_id,
            venue_order_id=report.venue_order_id,
            start=None,
            end=None,
            command_id=UUID4(),
            ts_init=node.kernel.clock.timestamp_ns(),
        )
        trades = [
            trade
            for client in _clients(node)
            for trade in await client.generate_fill_reports(command)
            if trade.venue_order_id == report.venue_order_id
        ]
        engine._reconcile_order_report(report, trades)

    def ends(original: Any, order: Any, report: Any, trades: Any, *rest: Any) -> Any:
        known = order.filled_qty + sum(
            trade.last_qty for trade in trades if trade.trade_id not in order.trade_ids
        )
        is_end = report.order_status in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
        if not (is_end and order.is_open and report.filled_qty > known) or report.id in asked:
            return original(order, report, trades, *rest)
        asked.add(report.id)
        assert isinstance(report.venue_order_id, VenueOrderId)
        node.kernel.loop.create_task(ask(report))
        return True

    _replace(engine, "_handle_order_status_transitions", ends)


def want_a_refusal(node: TradingNode) -> None:
    """G23: for want of an answer an order is left as it is."""
    engine = _engine(node)

    def nothing(original: Any, order: Any) -> None:
        engine._clear_recon_tracking(order.client_order_id)

    async def nothing_yet(original: Any, order: Any) -> None:
        nothing(original, order)

    def unless_unsure(original: Any, event: Any) -> None:
        is_sure = not isinstance(event, OrderRejected) or any(
            f"'code': {code}" in event.reason for code in _REFUSALS
        )
        if is_sure:
            original(event)

    _replace(engine, "_resolve_inflight_order", nothing)
    _replace(engine, "_resolve_order_not_found_at_venue", nothing_yet)
    node.kernel.msgbus.deregister(endpoint="ExecEngine.process", handler=engine.process)
    node.kernel.msgbus.register(
        endpoint="ExecEngine.process", handler=partial(unless_unsure, engine.process)
    )


REPAIRS: Mapping[str, Repair] = {
    "G1": ask_once,
    "G4": raise_what_failed,
    "G7": compare_legs,
    "G21": make_nothing_up,
    "G22": ask_before_the_end,
    "G23": want_a_refusal,
}
"""The repairs by gap."""


def without(*gaps: str) -> engines.MakeEngine:
    """Return the released engine without some of its gaps.

    Raises `KeyError` for a gap that has no repair.
    """
    repairs = [REPAIRS[gap] for gap in gaps]

    def attach(node: TradingNode) -> None:
        for repair in repairs:
            repair(node)

    return partial(engines.Attached, f"stock-without-{'-'.join(gaps).lower()}", attach)


def _engine(node: TradingNode) -> Any:
    return node.kernel.exec_engine


def _clients(node: TradingNode) -> list[Any]:
    return list(_engine(node)._clients.values())


def _replace(owner: Any, name: str, by: Callable[..., Any]) -> None:
    """Put a function in the place of a method, which it is given first."""
    original = getattr(owner, name)
    replacement = partial(by, original)
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return await replacement(*args, **kwargs)

        setattr(owner, name, awaited)
    else:
        setattr(owner, name, replacement)
