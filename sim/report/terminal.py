"""Results on a terminal: progress while it runs, stories of failures, one table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.report.result import Result
from sim.report.story import Line

_STYLES = {"pass": "green", "fail": "red", "inconclusive": "yellow", "error": "bold red"}


PIPE_WIDTH = 240
"""How wide output may be that does not go to a terminal: lines stay whole."""


def console(*, stderr: bool) -> Console:
    """Return where results are printed."""
    made = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not made.is_terminal:
        made.width = max(made.width, PIPE_WIDTH)
    return made


def verdict_text(result: Result) -> Text:
    """Return the verdict in its colour, with a word on whether it was expected."""
    style = _STYLES[result.verdict]
    note = "" if result.verdict == "pass" and result.expected else " (known)"
    if not result.expected:
        note = " (UNEXPECTED)"
    return Text(f"{result.verdict}{note}", style=style)


def fills_text(result: Result) -> str:
    """Return how many of the venue's fills were applied, and what was wrong besides."""
    fills = result.fills
    parts = [f"{fills.applied}/{fills.venue}"]
    parts += [
        f"{count} {word}"
        for count, word in (
            (fills.lost, "lost"),
            (fills.duplicated, "twice"),
            (fills.phantom, "phantom"),
            (fills.opening, "opening"),
        )
        if count
    ]
    return ", ".join(parts)


def table(results: list[Result]) -> Table:
    """Return the table of all runs."""
    engines = {result.engine for result in results}
    versions = {result.nautilus_version for result in results}
    grid = Table(
        title=f"engine {', '.join(sorted(engines))} "
        f"on nautilus_trader {', '.join(sorted(versions))}",
        title_justify="left",
    )
    grid.add_column("scenario", no_wrap=True)
    grid.add_column("verdict", no_wrap=True)
    grid.add_column("violated", overflow="fold")
    grid.add_column("fills applied", overflow="fold")
    for result in results:
        grid.add_row(
            result.scenario,
            verdict_text(result),
            ", ".join(result.violated) or "-",
            fills_text(result),
        )
    return grid


def print_story(console: Console, result: Result, lines: list[Line], replay: str) -> None:
    """Print the story of a run that did not pass."""
    heading = Text(f"{result.scenario}: {result.title} [{result.engine}] ", style="bold")
    heading.append_text(verdict_text(result))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", no_wrap=True, min_width=10)
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row(line.at, line.text, style="red" if line.broken else "dim")
    for reason in result.reasons:
        grid.add_row("", f"inconclusive: {reason}", style="yellow")
    if result.error is not None:
        grid.add_row("", f"harness error: {result.error}", style="bold red")
    grid.add_row("", f"replay: {replay}", style="cyan")
    console.print(heading)
    console.print(grid)
    console.print()


def summary(results: list[Result]) -> str:
    """Return one line that counts verdicts and surprises."""
    counts = [
        f"{sum(result.verdict == verdict for result in results)} {word}"
        for verdict, word in (
            ("pass", "passed"),
            ("fail", "failed"),
            ("inconclusive", "inconclusive"),
            ("error", "harness errors"),
        )
        if any(result.verdict == verdict for result in results)
    ]
    surprises = sum(not result.expected for result in results)
    what = "all as expected" if not surprises else f"{surprises} not as expected"
    virtual_secs = sum(result.virtual_seconds for result in results)
    wall_secs = sum(result.wall_seconds for result in results)
    return (
        f"{len(results)} scenarios: {', '.join(counts)}; {what} "
        f"({virtual_secs:,.0f} virtual s in {wall_secs:.1f} s)"
    )
