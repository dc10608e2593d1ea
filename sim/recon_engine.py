"""The engine `recon`: this project's own, installed as a user installs it."""

from __future__ import annotations

from typing import Any

from msgspec import structs
from nautilus_trader.config import TradingNodeConfig
from nautilus_trader.live.node import TradingNode

import recon
from sim import database_line
from sim.engines import StockDefaults
from sim.scenario.model import Node as NodeSpec
from sim.transport.httpx import simulated_transport
from sim.transport.network import NETWORK

SERVED_WITHOUT_TIMES_MINS = 7 * 24 * 60
"""Binance USD-M, "Account Trade List": without times the last seven days are served."""

NAME = "recon"


def install(node: TradingNode) -> Any:
    """Install `recon` in a node of the harness.

    In a simulated run its requests go over the simulated network, and its question whether the
    database is there to the simulated one; elsewhere over its own sockets.
    """
    if NETWORK.get(None) is None:
        return recon.install(node)
    transport = simulated_transport(NAME)
    return recon.install(node, transport=transport, connect=database_line.connect)


class Recon(StockDefaults):
    """`recon`, installed as a user installs it."""

    name = NAME
    alerts: str | None = recon.TOPIC

    def configure(self, config: TradingNodeConfig, spec: NodeSpec) -> TradingNodeConfig:
        options = structs.asdict(config.exec_engine)
        for name in recon.REPLACED:
            options.pop(name, None)
        options["reconciliation_interval_secs"] = spec.reconciliation_interval_secs
        if spec.reconciliation_lookback_mins is None:
            # What the released engine asks for without a lookback, and so the scenario's scope.
            options["reconciliation_lookback_mins"] = SERVED_WITHOUT_TIMES_MINS
        engine = recon.ReconExecEngineConfig(**options)
        return structs.replace(config, exec_engine=engine)

    def attach(self, node: TradingNode) -> None:
        install(node)
