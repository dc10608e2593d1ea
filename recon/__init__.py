"""Order reconciliation for a live NautilusTrader node: every fill applied exactly once.

    import recon

    node = TradingNode(TradingNodeConfig(exec_engine=recon.ReconExecEngineConfig(), ...))
    node.add_exec_client_factory(...)
    node.build()
    recon.install(node)
    node.run()

Discrepancies are published on the node's message bus under `TOPIC`, as `Discrepancy`, and
each comparison with the venue under `COMPARISONS`, as `Comparison`; when the database of the
cache is gone, is back, or has lost something, that is a `DatabaseState` under `DATABASE`.
"""

from recon.alerts import (
    COMPARISONS,
    DATABASE,
    KINDS,
    TOPIC,
    Comparison,
    DatabaseState,
    Discrepancy,
)
from recon.config import REPLACED, ConfigError, ReconExecEngineConfig
from recon.nautilus.attach import InstallError, install, supports, uninstall

__all__ = [
    "COMPARISONS",
    "DATABASE",
    "KINDS",
    "REPLACED",
    "TOPIC",
    "Comparison",
    "ConfigError",
    "DatabaseState",
    "Discrepancy",
    "InstallError",
    "ReconExecEngineConfig",
    "install",
    "supports",
    "uninstall",
]
