"""Results on a terminal: progress while it runs, stories of failures, one table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.report.result import Result

_STYLES = {"pass": "green", "fail": "red", "inconclusive": "yellow", "error": "bold red"}


def verdict_text(result: Result) -> Text:
    """Return the verdict in its colour, with a word on whether it was expected."""
    style = _STYLES[result.verdict]
    note = "" if result.verdict == "pass" and result.expected else " (known)"
    if not result.expected:
        note = " (UNEXPECTED)"
    return Text(f"{result.verdict}{note}", style=style)


def table(results: list[Result]) -> Table:
    """Return the table of all runs."""
    engines = {result.engine for result in results}
    versions = {result.nautilus_version for result in results}
    grid = Table(
        title=f"engine {', '.join(sorted(engines))} on nautilus_trader {', '.join(sorted(versions))}",
        title_justify="left",
    )
    grid.add_column("scenario", overflow="fold")
    grid.add_column("verdict", no_wrap=True)
    grid.add_column("violated", overflow="fold")
    grid.add_column("fills", justify="right", no_wrap=True)
    grid.add_column("lost", justify="right")
    grid.add_column("twice", justify="right")
    grid.add_column("phantom", justify="right")
    grid.add_column("virtual s", justify="right", no_wrap=True)
    grid.add_column("wall s", justify="right", no_wrap=True)
    for result in results:
        fills = result.fills
        grid.add_row(
            result.scenario,
            verdict_text(result),
            ", ".join(result.violated) or "-",
            f"{fills.applied}/{fills.venue}",
            str(fills.lost),
            str(fills.duplicated),
            str(fills.phantom),
            f"{result.virtual_seconds:.0f}",
            f"{result.wall_seconds:.2f}",
        )
    return grid


def print_story(console: Console, result: Result, lines: list[str], replay: str) -> None:
    """Print the story of a run that did not pass."""
    heading = Text(f"{result.scenario}: {result.title} [{result.engine}] ", style="bold")
    heading.append_text(verdict_text(result))
    console.print(heading)
    for line in lines:
        style = "red" if "✗" in line else "dim"
        console.print(Text(line, style=style), soft_wrap=True)
    for reason in result.reasons:
        console.print(Text(f"{'':>11}  inconclusive: {reason}", style="yellow"), soft_wrap=True)
    if result.error is not None:
        console.print(Text(f"{'':>11}  harness error: {result.error}", style="bold red"))
    console.print(Text(f"{'':>11}  replay: {replay}\n", style="cyan"), soft_wrap=True)


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
    return f"{len(results)} scenarios: {', '.join(counts)}; {what}"
