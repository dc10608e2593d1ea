"""The page on reconciling a node: what it shows is what happens."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import fields

import recon
from sim import engines
from sim.report.options import ADVICE, OPTIONS, PAGE, options, with_options
from sim.scenario import loads
from sim.world import run

ROOT = Path(__file__).parents[2]
TEXT = PAGE.read_text()
DEFAULTS = recon.ReconExecEngineConfig()


def test_the_tables_are_those_of_the_code():
    assert with_options(TEXT) == TEXT, "the page is stale: run `python -m sim.report.options`"


def test_a_page_without_markers_is_refused():
    with pytest.raises(ValueError, match="the page has no"):
        with_options(f"# Title\n{OPTIONS[1]}\n")


def test_every_kind_of_discrepancy_has_advice():
    assert set(ADVICE) == set(recon.KINDS)


def test_every_option_is_described_with_its_default():
    described = {option.name: option.default.strip('"') for option in options()}
    own = inspect.get_annotations(recon.ReconExecEngineConfig)

    assert set(own) - {"inflight_check_interval_ms"} <= set(described)
    for name, default in described.items():
        value = getattr(DEFAULTS, name)
        assert default == str(value) or float(default) == value, name


def test_what_the_page_calls_options_are_some():
    known = {field.name for field in fields(recon.ReconExecEngineConfig)}
    rows = re.findall(r"^\| `([a-z_]+)` \|", TEXT, re.MULTILINE)

    assert rows
    assert set(rows) - set(recon.KINDS) <= known


def test_the_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (PAGE.parent / target).exists(), target
    headings = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    links = re.findall(r"\]\(#([^)]+)\)", TEXT + "".join(ADVICE.values()))
    assert set(links) <= headings


INSTALLED = """
import os
for name in ("KEY", "SECRET"):
    os.environ[f"BINANCE_API_{name}"] = "x"
from nautilus_trader.live.node import TradingNode
TradingNode.run = lambda node: print("it runs")
"""


def test_the_code_installs():
    [code] = re.findall(r"```python\n(import recon.*?)```", TEXT, re.DOTALL)
    # Without the Redis that this machine may not have.
    code = re.sub(r"^    cache=.*\n", "", code, flags=re.MULTILINE)

    done = subprocess.run(
        [sys.executable, "-c", f"{INSTALLED}{code}print(hasattr(node.kernel, 'exec_engine'))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "it runs" in done.stdout
    assert "after a restart nothing will be known of fills that were applied" in done.stdout


# -- lines of the log ---------------------------------------------------------------


def texts() -> str:
    """All texts of `recon`."""
    return "\n".join(
        str(node.value)
        for path in sorted((ROOT / "recon").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
    )


SOURCE = texts()
LINES = [
    line
    for row in re.findall(r"^\| (?:(?:warning|error) \| )?(`.*?`) \| \w", TEXT, re.MULTILINE)
    for line in re.findall(r"`([^`]+)`", row)
    if " " in line
]


def test_lines_of_the_log_are_found():
    assert len(LINES) >= 10


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_log_is_one(line: str):
    line = line.replace(" (corrected): ", "corrected").replace(" (open): ", "open")

    for piece in re.split(r"\.\.\.|(?<=stops: )", line):
        assert piece.strip() in SOURCE


# -- what a start costs -----------------------------------------------------------------

WEIGHTS = {
    "income": 30,
    "positionRisk": 5,
    "openAlgoOrders": 40,
    "openOrders": 40,
    "userTrades": 5,
    "order": 1,
}
STORY = """
format: 1
title: A start
shows: fill-lost
venue: {symbols: [BTCUSDT]}
node: {reconciliation_lookback_mins: 1440}
timeline:
  - {at: -2h, web_submit: {id: W-1, side: BUY, quantity: "1", type: MARKET}}
  - {at: 60s, price: {price: "50000"}}
expect: {venue_position: {BTCUSDT: "1"}}
"""


def test_a_start_costs_what_the_page_says():
    done = run(loads(STORY, "x.yaml"), engines.load("recon"))
    began_ns = min(row.at_ns for row in done.trace.rows if row.subject.startswith("recon"))
    asked = Counter(
        row.subject.rpartition("/")[2]
        for row in done.trace.rows
        if row.subject.startswith("recon GET") and row.at_ns < began_ns + 30 * 10**9
    )
    weight = sum(WEIGHTS[path] * count for path, count in asked.items())

    assert f"takes {asked.total()} requests and a weight of {weight}" in TEXT.replace("\n", " ")
    always = dict.fromkeys(("income", "positionRisk", "openAlgoOrders", "openOrders"), 1)
    assert always.items() <= asked.items()
    assert f"| {len(always)} | {sum(WEIGHTS[path] for path in always)} |" in TEXT
