"""A trading node that installs only `recon` gets nothing of the harness.

An environment is made that holds what the package's own requirements need, found by
following the metadata of what is installed, and nothing else: neither the extras nor the
standard tools of this environment, and of this checkout the folder ``recon`` alone.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Run without `site`: the standard library, then the made environment, and nothing else.
PROBE = """
import sys
sys.path.append(sys.argv[1])
{body}
"""

INSTALL = """
from nautilus_trader.adapters.binance import (
    BINANCE, BinanceAccountType, BinanceExecClientConfig, BinanceLiveExecClientFactory,
)
from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode

import recon

node = TradingNode(TradingNodeConfig(
    logging=LoggingConfig(log_level="ERROR"),
    exec_engine=recon.ReconExecEngineConfig(),
    exec_clients={BINANCE: BinanceExecClientConfig(
        api_key="made-up",
        api_secret="made-up",
        account_type=BinanceAccountType.USDT_FUTURES,
        base_url_http="http://127.0.0.1:9",
    )},
))
node.add_exec_client_factory(BINANCE, BinanceLiveExecClientFactory)
node.build()
recon.install(node)
assert "recon.nautilus.watch" in sys.modules
recon.uninstall(node)
harness = {"sim", "hypothesis", "pytest", "polars", "rich", "ruamel", "respx", "freezegun"}
print(sorted(name for name in sys.modules if name.partition(".")[0] in harness))
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed() -> dict[str, metadata.Distribution]:
    """What the package requires, directly or not, without extras."""
    found: dict[str, metadata.Distribution] = {}
    left = [Requirement(text) for text in PROJECT["dependencies"]]
    while left:
        requirement = left.pop()
        name = normal(requirement.name)
        if name in found:
            continue
        found[name] = distribution = metadata.distribution(requirement.name)
        for text in distribution.requires or ():
            further = Requirement(text)
            if further.marker is None or further.marker.evaluate({"extra": ""}):
                left.append(further)
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with links to what is needed, and to `recon`."""
    folder = tmp_path_factory.mktemp("environment")
    (folder / "recon").symlink_to(ROOT / "recon")
    for distribution in needed().values():
        for file in distribution.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (folder / top).exists():
                (folder / top).symlink_to(Path(str(distribution.locate_file(top))))
    return folder


def run(environment: Path, body: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROBE.format(body=body), str(environment)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_node_with_recon_alone_is_built_without_the_harness(environment: Path):
    done = run(environment, INSTALL)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("module", ["sim", "hypothesis", "polars", "pytest", "ruamel.yaml"])
def test_the_harness_is_not_there(environment: Path, module: str):
    """The negation: that environment could not have imported it."""
    assert run(environment, f"import {module}").returncode != 0
