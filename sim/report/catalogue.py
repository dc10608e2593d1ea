"""The catalogue on a terminal and as records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from sim.catalogue import Entry

NAMES_AT_MOST = 2


def record(entry: Entry) -> dict[str, Any]:
    """Return the object that stands for a word in NDJSON."""
    plain: dict[str, Any] = msgspec.to_builtins(entry)
    return {**plain, "exercised": bool(entry.scenarios)}


def table(entries: Sequence[Entry], *, verbose: bool) -> Table:
    """Return the words as a table; ``verbose`` names all scenarios, also the idle ones."""
    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    grid.add_column("name", no_wrap=True)
    grid.add_column("layer", no_wrap=True)
    grid.add_column("what it does or distorts", ratio=1)
    grid.add_column("files", justify="right", no_wrap=True)
    grid.add_column("exercised by", ratio=1, overflow="fold")
    for entry in entries:
        grid.add_row(
            entry.word,
            entry.layer,
            entry.gist,
            str(len(entry.scenarios)),
            _names(entry, verbose=verbose),
        )
    return grid


def _names(entry: Entry, *, verbose: bool) -> Text:
    shown = entry.scenarios if verbose else entry.scenarios[:NAMES_AT_MOST]
    lines = list(shown) or ["none"]
    if rest := len(entry.scenarios) - len(shown):
        lines.append(f"and {rest} more")
    if verbose or not entry.scenarios:
        lines += [f"changes nothing in {name}" for name in entry.idle]
    return Text("\n".join(lines), style="" if entry.scenarios else "red")


def summary(entries: Sequence[Entry]) -> str:
    """Return one line that names what nothing exercises."""
    missing = [entry.word for entry in entries if not entry.scenarios]
    said = f"{len(entries)} words: {len(entries) - len(missing)} exercised"
    return f"{said}; not exercised: {', '.join(missing)}" if missing else said
