"""What checks have in common: how one fails, and the names that every part may use."""

from __future__ import annotations

from decimal import Decimal
from typing import NoReturn, Protocol

from sim.scenario.errors import nearest
from sim.scenario.model import Scenario, venues_of
from sim.scenario.yaml_tree import Key, Path
from sim.venue.config import symbol_config


class Fail(Protocol):
    """Ends the check: ``path`` is where, ``message`` and ``hint`` say what."""

    def __call__(self, path: Path, message: str, hint: str = "", /) -> NoReturn: ...


def check_symbol(scenario: Scenario, symbol: str, path: Path, fail: Fail) -> None:
    if symbol not in (symbols := scenario.venue.symbols):
        fail(path, f"{symbol!r} is not in venue.symbols", nearest(symbol, symbols))


def check_tick(symbol: str, price: Decimal | None, path: Path, fail: Fail) -> None:
    # Only what is traded: an order off the tick is the venue's to refuse.
    tick = symbol_config(symbol).tick_size
    if price is not None and price % tick:
        fail(path, f"{symbol} does not trade at {price:f}", f"its tick is {tick.normalize():f}")


def check_node(scenario: Scenario, node: str, path: Path, fail: Fail) -> None:
    if node not in (nodes := scenario.each_node):
        fail(path, f"there is no node {node!r}", nearest(node, nodes))


def check_account(scenario: Scenario, account: str, path: Path, fail: Fail) -> None:
    if account not in (accounts := scenario.venue.each_account):
        fail(path, f"{account!r} is not in venue.accounts", nearest(account, accounts))


def node_path(scenario: Scenario, node: str) -> Path:
    """Return where the file describes a node."""
    return ("nodes", node) if scenario.nodes else ("node",)


def dotted(path: Path) -> str:
    return ".".join(map(str, path))


def check_strategy(scenario: Scenario, node: str, strategy: str, path: Path, fail: Fail) -> None:
    strategies = scenario.each_node[node].strategies
    if strategy not in strategies:
        where = dotted(node_path(scenario, node))
        fail(path, f"{strategy!r} is not in {where}.strategies", nearest(strategy, strategies))


def check_claims(
    scenario: Scenario, node: str, claims: dict[str, tuple[str, ...]], where: Path, fail: Fail
) -> None:
    claimed_by: dict[str, str] = {}
    for strategy, instruments in claims.items():
        check_strategy(scenario, node, strategy, (*where, Key(strategy)), fail)
        for index, instrument in enumerate(instruments):
            path = (*where, strategy, index)
            owner = claimed_by.setdefault(instrument, strategy)
            if owner != strategy:
                fail(path, f"{instrument} is already claimed by {owner}")
            check_instrument(scenario, node, instrument, path, fail)


def symbol_of(instrument: str) -> str:
    return instrument.partition("-PERP.")[0]


def check_instrument(
    scenario: Scenario, node: str, instrument: str, path: Path, fail: Fail
) -> None:
    check_symbol(scenario, symbol_of(instrument), path, fail)
    venue = instrument.partition("-PERP.")[2]
    venues = venues_of(scenario.accounts_of(node)).values()
    if venue not in venues:
        fail(path, f"the node has no account at the venue {venue!r}", nearest(venue, venues))
