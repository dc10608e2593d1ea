"""``recon selftest``: whether planted bugs are found."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.table import Table

from sim import engines
from sim.report import terminal
from sim.workers import outcomes_of

if TYPE_CHECKING:
    from sim.selftest.planted.base import Planted
    from sim.selftest.search import Catch

VIOLATION, USAGE_ERROR, HARNESS_ERROR = 1, 2, 4

_STYLES = {"caught": "green", "survives": "red", "caught by another": "red", "error": "bold red"}


@click.command("selftest")
@click.option(
    "--engine",
    "names",
    multiple=True,
    metavar="NAME",
    help="A planted bug, by its name or as package.module:Class; may be repeated; all if left out.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="Where stories begin; the one that the bounds are stated for if left out.",
)
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, help="How many processes.")
def selftest_command(names: tuple[str, ...], seed: int | None, jobs: int) -> None:
    """Plant bugs in recon, and draw stories until each is found.

    Prints of each bug what it breaks, which property has caught it, after how many stories, and
    within how many it has to be.

    Exits with 0 when all are caught in time by a property that they break, 1 when one survives
    or is caught by another property, 2 on a usage error, 4 when the harness failed.
    """
    try:
        engines.load("recon")
    except engines.EngineError as e:
        raise click.UsageError(str(e)) from None
    # Imported here: the other commands run on releases, too, of which `recon` cannot be.
    from sim.selftest.search import SEED, Search

    planted = _chosen(names)
    searches = [Search(each, SEED if seed is None else seed) for each in planted]
    catches: list[Catch] = []
    for catch in outcomes_of(searches, jobs):
        catches.append(catch)
        progress = f"{len(catches)} of {len(searches)}"
        click.echo(f"{progress}: {catch.name} {catch.verdict}, {catch.examples} stories", err=True)
    _print(catches)
    if any(catch.verdict == "error" for catch in catches):
        sys.exit(HARNESS_ERROR)
    sys.exit(0 if all(catch.verdict == "caught" for catch in catches) else VIOLATION)


def _chosen(names: Sequence[str]) -> list[type[Planted]]:
    from sim.selftest.planted import PLANTED

    known = {planted.name: planted for planted in PLANTED}
    return [known.get(name) or _loaded(name) for name in names] or list(PLANTED)


def _loaded(name: str) -> type[Planted]:
    """Return somebody's own planted bug."""
    from sim.selftest.planted.base import Planted

    module_name, _, attribute = name.partition(":")
    if not attribute:
        raise click.UsageError(f"no planted bug is called '{name}'; see `recon selftest`")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as e:
        raise click.UsageError(f"'{name}' cannot be loaded: {e}") from None
    if not (inspect.isclass(found) and issubclass(found, Planted)):
        raise click.UsageError(f"'{name}' is no `Planted` of sim.selftest.planted.base")
    return found


def _print(catches: Sequence[Catch]) -> None:
    console = terminal.console(stderr=False)
    table = Table(box=box.SIMPLE, pad_edge=False)
    for title in ("planted bug", "what is broken", "breaks", "verdict", "caught by"):
        table.add_column(title, overflow="fold")
    for title in ("after", "within"):
        table.add_column(title, justify="right")
    for catch in catches:
        table.add_row(
            catch.name,
            catch.bug,
            ", ".join(catch.breaks),
            catch.verdict,
            ", ".join(catch.by),
            str(catch.examples),
            str(catch.within),
            style=None if catch.verdict == "caught" else _STYLES[catch.verdict],
        )
    console.print(table)
    for catch in catches:
        if catch.error is not None:
            console.print(f"error: {catch.name}, story {catch.examples}: {catch.error}")
        for number, violated in catch.unsound:
            console.print(
                f"{catch.name}: without the bug story {number} fails as well "
                f"({', '.join(violated)}); it was passed over"
            )
    caught = sum(catch.verdict == "caught" for catch in catches)
    examples = sum(catch.examples for catch in catches)
    console.print(f"{caught} of {len(catches)} planted bugs caught, with {examples} stories")
