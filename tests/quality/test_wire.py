"""The tests of a Binance know nothing of how it is reached, so that they fit any that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality.test_house import LINES_AT_MOST, begins, imports, relative

WIRE = Path(__file__).parents[1] / "wire"
HOUSES = {"in_process.py", "over_sockets.py", "conftest.py"}
"""Where it is said how the venue is reached, and which way is taken."""

ABOUT_SOCKETS = {
    "ccxt_clients.py",
    "nautilus_clients.py",
    "printed.py",
    "test_hardness.py",
    "test_redis_audit.py",
    "test_redis_restarts.py",
    "test_scenarios_over_sockets.py",
    "test_serve_command.py",
}
"""What is about the server, and what runs over it."""

ABOUT_CLIENTS = ("decoding_", "test_decoding_")
"""What is about what real clients make of the fake's payloads, and not about a Binance."""

FILES = [
    path
    for path in sorted(WIRE.glob("*.py"))
    if path.name not in HOUSES | ABOUT_SOCKETS and not path.name.startswith(ABOUT_CLIENTS)
]


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_test_of_a_binance_knows_only_a_binance(path: Path):
    assert begins(imports(path), "sim", "recon", "tests.wire.in_process") == set()


@pytest.mark.parametrize("path", sorted(WIRE.glob("*.py")), ids=relative)
def test_a_file_of_them_is_one_room(path: Path):
    assert len(path.read_text().splitlines()) <= LINES_AT_MOST


def test_there_are_such_tests():
    assert any(path.name.startswith("test_") for path in FILES)
