"""The rules of the house, as tests: what may be imported where, and what decides nothing.

A run must not depend on the wall clock, on global randomness or on the order of a
set.  The names that would let it are banned from `sim`; a line that needs one says
why behind ``# sim-ok:``, and the number of such lines may only go down.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIM = sorted((ROOT / "sim").rglob("*.py"))
RECON = sorted((ROOT / "recon").rglob("*.py"))

BANNED = re.compile(
    r"\btime\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|process_time|sleep)\b"
    r"|\bdatetime\.(now|utcnow|today)\b|\bdate\.today\b"
    r"|\brandom\.(random|randint|randrange|choice|choices|shuffle|sample|uniform|seed)\b"
    r"|\buuid\.?uuid[14]\b|\bsecrets\.|\bos\.urandom\b"
    r"|\bthreading\.Thread\b|\basyncio\.run\(|\bhash\(",
)
ESCAPE = "# sim-ok:"
ESCAPES_AT_MOST = 4
REAL_TIME = ("sim/serve/", "sim/wire/")
"""What runs in real time, on event loops of its own; no simulated run imports it."""
LINES_AT_MOST = 400


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def is_of_real_time(path: Path, line: str) -> bool:
    """Whether a line starts an event loop where there is no virtual one."""
    return "asyncio.run(" in line and relative(path).startswith(REAL_TIME)


def begins(modules: set[str], *roots: str) -> set[str]:
    return {m for m in modules if any(m == root or m.startswith(f"{root}.") for root in roots)}


@pytest.mark.parametrize("path", SIM, ids=relative)
def test_nothing_that_differs_between_runs_is_asked(path: Path):
    lines = path.read_text().splitlines()
    found = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(lines, start=1)
        if BANNED.search(line) and ESCAPE not in line and not is_of_real_time(path, line)
    ]

    assert found == []


def test_the_escapes_only_become_fewer():
    lines = [line for path in SIM for line in path.read_text().splitlines() if ESCAPE in line]

    assert all(line.partition(ESCAPE)[2].strip() for line in lines)
    assert len(lines) <= ESCAPES_AT_MOST


def test_no_simulated_run_imports_what_runs_in_real_time():
    program = "import sys, sim.runner; print(*(m for m in sys.modules if m.startswith('sim.')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert begins(set(done.stdout.split()), "sim.serve", "sim.wire", "sim.transport.wire") == set()


@pytest.mark.parametrize("path", SIM, ids=relative)
def test_no_set_is_walked_where_it_is_made(path: Path):
    """Catches the plain cases: a loop or a join right over a set display or call."""

    def is_set(node: ast.AST) -> bool:
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        return isinstance(node, ast.Set | ast.SetComp) or (
            named and node.func.id in ("set", "frozenset")
        )

    walked = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.For) and is_set(node.iter))
        or (
            isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp)
            and any(is_set(generator.iter) for generator in node.generators)
        )
    ]

    assert walked == []


@pytest.mark.parametrize("path", SIM + RECON, ids=relative)
def test_a_file_is_one_room(path: Path):
    assert len(path.read_text().splitlines()) <= LINES_AT_MOST


@pytest.mark.parametrize("path", RECON, ids=relative)
def test_the_production_package_knows_nothing_of_the_simulation(path: Path):
    assert begins(imports(path), "sim", "pytest", "hypothesis", "polars", "freezegun") == set()


VENUE = [path for path in SIM if path.is_relative_to(ROOT / "sim" / "venue")]


@pytest.mark.parametrize("path", VENUE, ids=relative)
def test_the_venue_does_no_input_or_output(path: Path):
    known = imports(path)

    assert begins(known, "asyncio", "socket", "httpx", "nautilus_trader", "threading") == set()
    assert begins(known, "sim") == begins(known, "sim.venue", "sim.observation")


ORACLE = [path for path in SIM if path.is_relative_to(ROOT / "sim" / "oracle")]


@pytest.mark.parametrize("path", ORACLE, ids=relative)
def test_the_oracle_sees_an_observation_and_nothing_else(path: Path):
    known = imports(path)

    assert begins(known, "nautilus_trader", "asyncio") == set()
    assert begins(known, "sim") == begins(known, "sim.oracle", "sim.observation", "sim.scenario")


CORE = [path for path in RECON if path.is_relative_to(ROOT / "recon" / "core")]


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_the_core_decides_and_does_nothing_else(path: Path):
    known = imports(path)

    assert begins(known, "nautilus_trader", "httpx", "asyncio", "socket", "threading") == set()
    assert begins(known, "recon") == begins(known, "recon.core")
    lines = path.read_text().splitlines()
    assert [line.strip() for line in lines if BANNED.search(line)] == []


EVERYTHING = """
import importlib, pkgutil, sys, recon
for found in pkgutil.walk_packages(recon.__path__, "recon."):
    importlib.import_module(found.name)
print(*sorted(sys.modules))
"""


def test_the_production_package_reaches_the_simulation_by_no_way():
    """In a process of its own, because this one knows both."""
    command = [sys.executable, "-W", "error", "-c", EVERYTHING]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = set(loaded.stdout.split())

    assert len(begins(names, "recon")) == len(RECON)
    assert begins(names, "sim", "tests", "pytest", "hypothesis") == set()
