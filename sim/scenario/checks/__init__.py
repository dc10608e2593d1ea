"""What no type can say about a scenario: names that must exist, orders of events.

A check names what is wrong by its path in the file, in the file's own words;
the loader knows the line.  A scenario that passes can be run.
"""

from __future__ import annotations

from typing import Any

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from sim.scenario.checks.common import (
    Fail,
    check_claims,
    check_side,
    check_symbol,
    check_tick,
    symbol_of,
)
from sim.scenario.checks.timeline import TimelineCheck
from sim.scenario.errors import nearest
from sim.scenario.model import Broker, Node, Scenario
from sim.scenario.yaml_tree import Key, Path
from sim.venue.config import known_symbols

__all__ = ["Fail", "check"]


def check(scenario: Scenario, fail: Fail) -> None:
    """Call ``fail`` with the first thing that is wrong, or return."""
    _check_venue(scenario, fail)
    _check_node(scenario, fail)
    TimelineCheck(scenario, fail).check()
    _check_expect(scenario, fail)
    _check_known(scenario, fail)


def _check_venue(scenario: Scenario, fail: Fail) -> None:
    venue = scenario.venue
    for index, symbol in enumerate(venue.symbols):
        if symbol not in (known := known_symbols()):
            path = ("venue", "symbols", index)
            fail(path, f"the venue cannot list {symbol!r}", nearest(symbol, known))
    for symbol, price in venue.prices.items():
        check_symbol(scenario, symbol, ("venue", "prices", Key(symbol)), fail)
        check_tick(symbol, price, ("venue", "prices", symbol), fail)
    if venue.latency_ms is not None and venue.latency_ms[0] > venue.latency_ms[1]:
        fail(("venue", "latency_ms"), "latency_ms must be the least and the greatest, in order")


def _check_node(scenario: Scenario, fail: Fail) -> None:
    node = scenario.node
    check_claims(scenario, node.claims, ("node", "claims"), fail)
    for index, instrument in enumerate(node.instruments or ()):
        check_symbol(scenario, symbol_of(instrument), ("node", "instruments", index), fail)
    if node.broker is not None:
        _check_broker(scenario, node.broker, fail)
    if node.exec_engine:
        _check_exec_engine(node.exec_engine, fail)


def _check_broker(scenario: Scenario, broker: Broker, fail: Fail) -> None:
    if broker.venue == "BINANCE":
        hint = "leave 'broker' out for Binance's own adapter"
        fail(("node", "broker", "venue"), "a broker's venue is not BINANCE", hint)
    if scenario.venue.position_mode == "hedge":
        fail(("node", "broker"), "a broker nets its positions", "position_mode: one-way")


def _check_exec_engine(options: dict[str, Any], fail: Fail) -> None:
    # Imported here because it takes longer than reading a hundred files without this section.
    from nautilus_trader.common.config import msgspec_decoding_hook
    from nautilus_trader.config import LiveExecEngineConfig

    own = Node.__struct_fields__
    kinds = {
        field.name: field.type
        for field in msgspec.structs.fields(LiveExecEngineConfig)
        if field.name not in own
    }
    for name, value in options.items():
        path, key = ("node", "exec_engine", name), ("node", "exec_engine", Key(name))
        if name in own:
            fail(key, f"{name!r} is a word of node", "move it up, out of exec_engine")
        if name == "reconciliation":
            fail(key, "'reconciliation' is always on here", "it is what a run is about")
        if name not in kinds:
            fail(key, f"LiveExecEngineConfig has no option {name!r}", nearest(name, kinds))
        try:
            msgspec.convert(value, kinds[name], dec_hook=msgspec_decoding_hook)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            fail(path, f"{name}: {' '.join(str(error).split())}")


def _check_expect(scenario: Scenario, fail: Fail) -> None:
    expect = scenario.expect
    for symbol, legs in expect.venue_position.items():
        path: Path = ("expect", "venue_position", symbol)
        check_symbol(scenario, symbol, (*path[:-1], Key(symbol)), fail)
        for side, quantity in legs.items():
            if scenario.venue.position_mode == "hedge" and side == "BOTH":
                fail(path, "hedge mode has two legs", '{LONG: "1", SHORT: "0"}')
            check_side(scenario, side, (*path, side), fail)
            if (side == "LONG" and quantity < 0) or (side == "SHORT" and quantity > 0):
                sign = "negative" if side == "LONG" else "positive"
                fail((*path, side), f"a {side} leg is never {sign}")
    for index, adjustment in enumerate(expect.adjustments):
        path = ("expect", "adjustments", index)
        check_symbol(scenario, adjustment.symbol, (*path, "symbol"), fail)
        check_side(scenario, adjustment.position_side, path, fail)


def _check_known(scenario: Scenario, fail: Fail) -> None:
    for engine, entries in scenario.known.items():
        path: Path = ("known", engine)
        if engine == "recon":
            fail(("known", Key(engine)), "recon must pass", "known is refused for it")
        for index, entry in enumerate(entries):
            # The file may have the only entry without a list around it.
            entry_path: Path = path if len(entries) == 1 else (*path, index)
            try:
                SpecifierSet(entry.versions)
            except InvalidSpecifier:
                message = f"versions must be PEP 440 specifiers, not {entry.versions!r}"
                fail((*entry_path, "versions"), message, 'such as ">=1.222,<=1.231"')
