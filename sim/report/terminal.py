"""Results on a terminal: stories of what did not pass, tables that fit its width, one sum."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.report.result import Result
from sim.report.story import Line
from sim.scenario import PROPERTIES

_STYLES = {"pass": "green", "fail": "red", "inconclusive": "yellow", "error": "bold red"}


PIPE_WIDTH = 240
"""How wide output may be that does not go to a terminal: lines stay whole."""

_HEADER = ("scenario", "verdict", "violated", "fills")

_GAPS = 3 * 2 + 1
"""What stands between the four columns of a table, and what Rich counts after the last."""

_LONGEST_PROPERTY = max(map(len, PROPERTIES)) + len(",")
_LEAST_NAME = 12


def console(*, stderr: bool) -> Console:
    """Return where results are printed."""
    made = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not made.is_terminal:
        made.width = max(made.width, PIPE_WIDTH)
    return made


def _verdict_words(result: Result) -> list[str]:
    if result.verdict == "error":
        return ["error"]
    if not result.expected:
        return [result.verdict, "(UNEXPECTED)"]
    return [result.verdict] if result.verdict == "pass" else [result.verdict, "(known)"]


def verdict_text(result: Result) -> Text:
    """Return the verdict in its colour, with a word on whether it was expected."""
    return Text(" ".join(_verdict_words(result)), style=_STYLES[result.verdict])


def _fills_words(result: Result) -> list[str]:
    fills = result.fills
    return [f"{fills.applied}/{fills.venue}"] + [
        f"{count} {word}"
        for count, word in (
            (fills.lost, "lost"),
            (fills.duplicated, "twice"),
            (fills.phantom, "phantom"),
            (fills.opening, "opening"),
        )
        if count
    ]


def fills_text(result: Result) -> str:
    """Return how many of the venue's fills were applied, and what was wrong besides."""
    return ", ".join(_fills_words(result))


def print_table(console: Console, results: Sequence[Result]) -> None:
    """Print the runs of one engine as a table that fits the terminal.

    The folder that all scenarios share stands in the heading only.  Where the rows
    do not fit, violated properties are wrapped and each count of fills gets a line.
    """
    folder = _common_folder([result.scenario for result in results])
    inside = f", in {folder}" if folder else ""
    versions = ", ".join(sorted({result.nautilus_version for result in results}))
    console.print(Text(f"engine {results[0].engine} on nautilus_trader {versions}{inside}"))
    console.print(_table(results, folder, console.width))
    console.print()


def _table(results: Sequence[Result], folder: str, width: int) -> Table:
    for comma, space in ((", ", " "), ("\n", " "), ("\n", "\n")):
        rows = [
            (
                _short(result.scenario, folder),
                space.join(_verdict_words(result)),
                ", ".join(result.violated) or "-",
                comma.join(_fills_words(result)),
            )
            for result in results
        ]
        names, verdicts, violated, fills = map(_widest, zip(_HEADER, *rows, strict=True))
        rest = width - _GAPS - verdicts - fills
        if names + (violated if comma == ", " else min(violated, _LONGEST_PROPERTY)) <= rest:
            break
    names = min(names, max(rest - _LONGEST_PROPERTY, _LEAST_NAME))
    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    grid.add_column(_HEADER[0], overflow="fold", width=names)
    grid.add_column(_HEADER[1], no_wrap=True)
    grid.add_column(_HEADER[2], overflow="fold", max_width=max(rest - names, _LONGEST_PROPERTY))
    grid.add_column(_HEADER[3], no_wrap=True)
    for result, (name, verdict, what, count) in zip(results, rows, strict=True):
        judged = (what, count) if result.error is None else (result.error, "-")
        grid.add_row(name, Text(verdict, style=_STYLES[result.verdict]), *judged)
    return grid


def _common_folder(names: Sequence[str]) -> str:
    folders = [str(PurePath(name).parent) for name in names]
    if len({os.path.isabs(folder) for folder in folders}) > 1:
        return ""
    folder = os.path.commonpath(folders)
    return "" if folder == "." else folder


def _short(name: str, folder: str) -> str:
    return name.removeprefix(f"{folder}/" if folder else "").removesuffix(".yaml")


def _widest(texts: Iterable[str]) -> int:
    return max(line for text in texts for line in map(cell_len, text.split("\n")))


def print_story(console: Console, result: Result, lines: Sequence[Line], replay: str) -> None:
    """Print the story of a run; where no terminal is, without blanks at the ends of lines."""
    if console.is_terminal:
        _print_story(console, result, lines, replay)
    else:
        console.print(story_text(result, lines, replay), soft_wrap=True)
        console.print()


def _print_story(console: Console, result: Result, lines: Sequence[Line], replay: str) -> None:
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


def story_text(result: Result, lines: Sequence[Line], replay: str) -> str:
    """Return what `print_story` prints, as plain text."""
    file = io.StringIO()
    plain = Console(
        file=file,
        width=PIPE_WIDTH,
        color_system=None,
        highlight=False,
        emoji=False,
        markup=False,
    )
    _print_story(plain, result, lines, replay)
    return "\n".join(line.rstrip() for line in file.getvalue().strip().split("\n"))


def summary(results: Sequence[Result]) -> str:
    """Return one line that counts verdicts and surprises."""
    counts = [
        f"{count} {word}"
        for verdict, word in (
            ("pass", "passed"),
            ("fail", "failed"),
            ("inconclusive", "inconclusive"),
            ("error", "in error"),
        )
        if (count := sum(result.verdict == verdict for result in results))
    ]
    surprises = sum(not result.expected for result in results)
    what = "all as expected" if not surprises else f"{surprises} not as expected"
    virtual_secs = sum(result.virtual_seconds for result in results)
    wall_secs = sum(result.wall_seconds for result in results)
    runs = f"{len(results)} run" + ("s" if len(results) > 1 else "")
    took = f"{virtual_secs:,.0f} virtual s in {wall_secs:.1f} s"
    startups = [startup for result in results for startup in result.startups]
    if startups:
        virtual = max(startup.virtual_seconds for startup in startups)
        cpu = max(startup.cpu_seconds for startup in startups)
        took += f"; a startup took at most {virtual:.1f} virtual s and {cpu:.2f} CPU s"
    return f"{runs}: {', '.join(counts)}; {what} ({took})"
