"""What is installed where: a trading node gets no test tools, a clone gets pinned ones."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = (ROOT / "requirements.txt").read_text()

NO_CLICK = """
import sys
sys.modules["click"] = None
from sim.__main__ import main
main()
"""


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[ ]", requirement)[0].lower() for requirement in requirements}


def test_a_trading_node_installs_no_test_tools():
    assert names(PROJECT["dependencies"]) == {"httpx", "msgspec", "nautilus_trader"}


def test_everything_that_is_asked_for_is_pinned_with_hashes():
    asked = [*PROJECT["dependencies"]]
    for extra in PROJECT["optional-dependencies"].values():
        asked += extra
    pinned = set(re.findall(r"^([a-z0-9-]+)==", PINS, flags=re.MULTILINE))

    assert {re.sub(r"[_.]", "-", name) for name in names(asked)} <= pinned
    assert PINS.count("--hash=sha256:") >= len(pinned)


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements-tox.txt",
        "requirements/mutants.txt",
        "pyproject.toml",
        "tox.ini",
        "Makefile",
    ],
)
def test_no_index_is_named(name: str):
    named = re.findall(
        r"https?://\S+|--(?:extra-)?index-url|--find-links", (ROOT / name).read_text()
    )

    assert named == []


def test_the_command_says_what_has_to_be_installed():
    done = subprocess.run(
        [sys.executable, "-c", NO_CLICK],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr == (
        "error: click is not installed; the simulation is an extra of this package: "
        "install it as nautilus-recon[sim]\n"
    )
