"""What no type can say about a scenario: names that must exist, orders of events.

A check names what is wrong by its path in the file, in the file's own words;
the loader knows the line.  A scenario that passes can be run.
"""

from __future__ import annotations

from decimal import Decimal

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from sim.scenario.checks.common import (
    Fail,
    check_account,
    check_claims,
    check_symbol,
    check_tick,
    node_path,
    symbol_of,
)
from sim.scenario.checks.modes import Modes
from sim.scenario.checks.options import check_options
from sim.scenario.checks.timeline import FARTHEST_NS, TimelineCheck
from sim.scenario.errors import nearest
from sim.scenario.model import Node, Scenario
from sim.scenario.values import PositionSide
from sim.scenario.yaml_tree import Key, Path
from sim.venue.config import known_symbols
from sim.venue.replies import has_text

__all__ = ["Fail", "check"]


def check(scenario: Scenario, fail: Fail) -> None:
    """Call ``fail`` with the first thing that is wrong, or return."""
    _check_venue(scenario, fail)
    for node in scenario.each_node:
        _check_node(scenario, node, fail)
    _check_expect(scenario, TimelineCheck(scenario, fail).check(), fail)
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
    for word in ("unknown_modify_code", "duplicate_algo_code"):
        if not has_text(code := getattr(venue.knobs, word)):
            fail(("venue", "knobs", word), f"no text is known for the code {code}")
    if venue.latency_ms is not None and venue.latency_ms[0] > venue.latency_ms[1]:
        fail(("venue", "latency_ms"), "latency_ms must be the least and the greatest, in order")

    _check_accounts(scenario, fail)


def _check_accounts(scenario: Scenario, fail: Fail) -> None:
    owners: dict[str, str] = {}
    for name, account in scenario.venue.each_account.items():
        for index, key in enumerate(account.keys):
            owner = owners.setdefault(key, name)
            if owner != name:
                path: Path = ("venue", "accounts", name)
                path = (*path, "keys", index) if scenario.venue.accounts[name].keys else path
                fail(path, f"account {owner!r} has an API key {key!r}, too", "name it otherwise")


def _check_node(scenario: Scenario, name: str, fail: Fail) -> None:
    node, where = scenario.each_node[name], node_path(scenario, name)
    if node.account is not None:
        check_account(scenario, node.account, (*where, "account"), fail)
    if node.accounts is not None:
        _check_several(scenario, node, where, fail)
    account = scenario.accounts_of(name)[0]
    keys = scenario.venue.each_account[account].keys
    if node.key is not None and node.key not in keys:
        hint = nearest(node.key, keys)
        fail((*where, "key"), f"account {account!r} has no API key {node.key!r}", hint)
    if node.starts_ns > FARTHEST_NS:
        fail((*where, "starts"), "the node starts in more than ten years")
    check_claims(scenario, name, node.claims, (*where, "claims"), fail)
    for index, instrument in enumerate(node.instruments or ()):
        check_symbol(scenario, symbol_of(instrument), (*where, "instruments", index), fail)
    if node.broker is not None:
        if node.broker.venue == "BINANCE":
            hint = "leave 'broker' out for Binance's own adapter"
            fail((*where, "broker", "venue"), "a broker's venue is not BINANCE", hint)
        if node.key_type != "hmac":
            fail((*where, "key_type"), "a broker signs with HMAC", "key_type: hmac")
        if scenario.venue.each_account[account].position_mode == "hedge":
            fail((*where, "broker"), "a broker nets its positions", "position_mode: one-way")
    check_options(node, where, fail)


def _check_several(scenario: Scenario, node: Node, where: Path, fail: Fail) -> None:
    """Check a node that trades on several accounts."""
    for index, account in enumerate(node.accounts or ()):
        check_account(scenario, account, (*where, "accounts", index), fail)
    for word in ("account", "key", "broker", "instruments"):
        if getattr(node, word) is not None:
            fail((*where, word), f"'accounts' and {word!r} exclude each other", "leave one out")
    if (option := "reconciliation_instrument_ids") in node.exec_engine:
        path = (*where, "exec_engine", Key(option))
        fail(path, f"'accounts' and {option!r} exclude each other", "leave one out")


def _check_expect(scenario: Scenario, modes: Modes, fail: Fail) -> None:
    expect, default = scenario.expect, scenario.venue.default_account
    path: Path = ("expect", "venue_position")
    _check_positions(scenario, modes, default, expect.venue_position, path, fail)
    for account, positions in expect.venue_positions.items():
        path = ("expect", "venue_positions")
        check_account(scenario, account, (*path, Key(account)), fail)
        if account == default and expect.venue_position:
            hint = "'venue_position' has them"
            fail((*path, Key(account)), f"the positions of {account!r} are given twice", hint)
        _check_positions(scenario, modes, account, positions, (*path, account), fail)
    for index, adjustment in enumerate(expect.adjustments):
        path = ("expect", "adjustments", index)
        check_account(scenario, adjustment.account, (*path, "account"), fail)
        check_symbol(scenario, adjustment.symbol, (*path, "symbol"), fail)
        modes.check_side(adjustment.account, adjustment.position_side, path, fail)


def _check_positions(
    scenario: Scenario,
    modes: Modes,
    account: str,
    positions: dict[str, dict[PositionSide, Decimal]],
    where: Path,
    fail: Fail,
) -> None:
    for symbol, legs in positions.items():
        path = (*where, symbol)
        check_symbol(scenario, symbol, (*where, Key(symbol)), fail)
        for side, quantity in legs.items():
            if modes.is_always("hedge", account) and side == "BOTH":
                fail(path, "hedge mode has two legs", '{LONG: "1", SHORT: "0"}')
            modes.check_side(account, side, (*path, side), fail)
            if (side == "LONG" and quantity < 0) or (side == "SHORT" and quantity > 0):
                sign = "negative" if side == "LONG" else "positive"
                fail((*path, side), f"a {side} leg is never {sign}")


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
