"""``recon bisect`` and ``recon new-issue``: from a report to the release that broke it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from sim import releases
from sim.bisect import BisectError, first_change
from sim.new_issue import NewIssueError, new_issue
from sim.patches import VERSIONS
from sim.releases import ReleaseError, Run
from sim.scenario import ScenarioError, load

USAGE_ERROR = 2
NOTHING_FOUND = 3


@click.command("bisect")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--engine", default="stock", show_default=True, metavar="NAME", help="What runs.")
@click.option("--good", metavar="RELEASE", help="One on which the property holds.")
@click.option("--bad", metavar="RELEASE", help="One that violates it.")
def bisect_command(path: Path, engine: str, good: str | None, bad: str | None) -> None:
    """Find the first release on which what a scenario shows holds, or no longer does.

    PATH is a scenario file.  The releases are those that the simulation knows, each in an
    environment that is made when it is needed, kept, and takes some 700 MB.

    Exits with 0 when a change is found, 2 on a usage error, 3 when nothing changes.
    """
    try:
        scenario = load(path)
    except ScenarioError as e:
        _fail(str(e))
    click.echo(f"{path}: {scenario.title}; does '{scenario.shows}' hold with {engine}?")

    def judge(release: str) -> Run:
        python = releases.python_of(release, lambda: _progress(f"{release}  makes an environment"))
        run = releases.judge(release, path, engine, python)
        word = {None: f"says nothing: {run.reason}", True: "holds", False: "violated"}[run.holds]
        others = [name for name in run.violated if name != scenario.shows]
        click.echo(f"{release}  {word}" + (f" (besides: {', '.join(others)})" if others else ""))
        return run

    try:
        change = first_change(VERSIONS, judge, good=good, bad=bad)
        if change is None:
            click.echo("the verdict is the same on all releases that were tried")
            sys.exit(NOTHING_FOUND)
        for run in change:
            click.echo(f"\non {run.release}:")
            click.echo(releases.story(path, engine, releases.python_of(run.release)))
        click.echo(f"'{scenario.shows}': {change}")
    except (BisectError, ReleaseError) as e:
        _fail(str(e))


@click.command("new-issue")
@click.argument("number", type=click.IntRange(min=1))
@click.option("--project", default="NautilusTrader", show_default=True, help="Whose issue it is.")
@click.option("--name", default="short-name", show_default=True, help="The rest of the file name.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("scenarios/issues"),
    show_default=True,
    help="Where the file is written.",
)
def new_issue_command(number: int, project: str, name: str, folder: Path) -> None:
    """Write a commented scenario file for the issue NUMBER, which runs as it is.

    Exits with 0 when it is written, and with 2 when there is such a file.
    """
    try:
        path = new_issue(number, project, name, folder)
    except NewIssueError as e:
        _fail(str(e))
    click.echo(f"{path}\n\nnext: edit it, then\n  recon run {path}\n  recon bisect {path}")


def _progress(text: str) -> None:
    click.echo(text, err=True)


def _fail(text: str) -> NoReturn:
    click.echo(f"error: {text}", err=True)
    sys.exit(USAGE_ERROR)
