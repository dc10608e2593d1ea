"""Scenarios and helpers of the tests of the command line and of the pytest plugin."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from sim.cli import main

LEFT_OPEN = """
format: 1
title: An order is sent and filled
shows: fill-lost
venue: {symbols: [BTCUSDT]}
node: {reconciliation_interval_secs: 30}
timeline:
  - {at: 1s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 2s, fill: {order: O-1, quantity: "1"}}
"""
"""The released engine closes this position when it reconciles again."""

PASSES = f"""{LEFT_OPEN}
  - {{at: 3s, submit: {{id: O-2, side: SELL, quantity: "1", type: MARKET}}}}
"""

FAILS = LEFT_OPEN + "  - {at: 20s, restart: {cache: kept}}\n"

KNOWN = FAILS.replace("shows: fill-lost", "shows: phantom-fill") + (
    "known: {stock: {fails: [phantom-fill, position-mismatch]}}\n"
)

INCONCLUSIVE = PASSES + "  - {at: 30s, drop_event: {order: O-1}}\n"

MALFORMED = PASSES.replace("quantity", "quantiy", 1)


def recon(*arguments: str) -> Result:
    """Call ``recon run``."""
    return CliRunner().invoke(main, ["run", *arguments])


def write(folder: Path, name: str, text: str) -> str:
    """Write a file into a folder and return its name there."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return name
