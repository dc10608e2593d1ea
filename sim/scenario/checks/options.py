"""Checks of the options that a node hands over to NautilusTrader by their own names."""

from __future__ import annotations

from typing import Any

import msgspec

from sim.scenario.checks.common import Fail
from sim.scenario.errors import nearest
from sim.scenario.model import Node
from sim.scenario.yaml_tree import Key, Path

ACCESS = frozenset(
    {
        "account_type",
        "api_key",
        "api_secret",
        "base_url_http",
        "base_url_ws",
        "base_url_ws_stream",
        "environment",
        "instrument_provider",
        "key_type",
        "proxy_url",
        "routing",
        "transport_backend",
        "us",
        "venue",
    }
)
"""Options of the execution client that say where it connects, and as whom."""


def check_options(node: Node, where: Path, fail: Fail) -> None:
    """Check ``exec_engine`` and ``exec_client`` of a node."""
    if node.exec_engine:
        _check_exec_engine(node.exec_engine, (*where, "exec_engine"), fail)
    if node.exec_client:
        if node.broker is not None:
            what = "'broker' and 'exec_client' exclude each other"
            fail((*where, "exec_client"), what, "these are options of Binance's adapter")
        _check_exec_client(node.exec_client, (*where, "exec_client"), fail)


def _check_exec_engine(options: dict[str, Any], where: Path, fail: Fail) -> None:
    # Imported here because it takes longer than reading a hundred files without this section.
    from nautilus_trader.config import LiveExecEngineConfig

    own = Node.__struct_fields__
    for name in options:
        if name in own:
            hint = "move it up, out of exec_engine"
            fail((*where, Key(name)), f"{name!r} is a word of node", hint)
        if name == "reconciliation":
            hint = "it is what a run is about"
            fail((*where, Key(name)), "'reconciliation' is always on here", hint)
    _check_each(LiveExecEngineConfig, frozenset(own), options, where, fail)


def _check_exec_client(options: dict[str, Any], where: Path, fail: Fail) -> None:
    from nautilus_trader.adapters.binance import BinanceExecClientConfig

    for name in options:
        if name in ACCESS:
            what = f"{name!r} is set here: where a client connects, and as whom"
            fail((*where, Key(name)), what, "leave it out")
    _check_each(BinanceExecClientConfig, ACCESS, options, where, fail)


def _check_each(
    config: type[msgspec.Struct],
    taken: frozenset[str],
    options: dict[str, Any],
    where: Path,
    fail: Fail,
) -> None:
    from nautilus_trader.common.config import msgspec_decoding_hook

    fields = msgspec.structs.fields(config)
    kinds = {field.name: field.type for field in fields if field.name not in taken}
    for name, value in options.items():
        if name not in kinds:
            what = f"{config.__name__} has no option {name!r}"
            fail((*where, Key(name)), what, nearest(name, kinds))
        try:
            msgspec.convert(value, kinds[name], dec_hook=msgspec_decoding_hook)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            fail((*where, name), f"{name}: {' '.join(str(error).split())}")
