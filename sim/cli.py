"""The command line: ``recon run``, ``recon list`` and ``recon faults``; see `cli_releases`, too.

Exit codes of a run, highest first: 2 usage or bad scenario; 4 harness error; 5 not
deterministic; 1 a violation that `known` does not name, or a named one absent;
3 inconclusive; 0 all as expected.
"""

from __future__ import annotations

import contextlib
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import IO, NoReturn, Protocol

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sim import engines
from sim.catalogue import Examination, Finding, catalogue
from sim.cli_jobs import Jobs
from sim.cli_releases import bisect_command, new_issue_command
from sim.crash.cli import crash_command
from sim.fuzz.cli import fuzz_command, replay_command
from sim.report import catalogue as catalogue_report
from sim.report import terminal
from sim.report.junit import junit_report
from sim.report.outcome import Outcome
from sim.report.result import exit_code
from sim.report.story import Line, shortened
from sim.runner import Job
from sim.scenario import PROPERTIES, Scenario, ScenarioError, load
from sim.selftest.cli import selftest_command
from sim.serve.cli import serve_command
from sim.suite import scenario_files
from sim.workers import Task, outcomes_of

USAGE_ERROR = 2
INTERRUPTED = 130


Command = Callable[..., None]


def _selection(command: Command) -> Command:
    """Add the parameters that select scenarios."""
    properties = click.option(
        "--property",
        "properties",
        multiple=True,
        type=click.Choice(PROPERTIES),
        metavar="NAME",
        help="Only scenarios that show this property; may be repeated.",
    )
    paths = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
    return paths(properties(command))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nautilus-recon")
def main() -> None:
    """Reconciliation for NautilusTrader on Binance, and the simulation that proves it."""


main.add_command(bisect_command)
main.add_command(new_issue_command)
main.add_command(crash_command)
main.add_command(fuzz_command)
main.add_command(replay_command)
main.add_command(selftest_command)
main.add_command(serve_command)


@main.command("list")
@_selection
def list_command(paths: tuple[Path, ...], properties: tuple[str, ...]) -> None:
    """List scenarios: file, the property that it shows, title.

    PATHS are scenario files or folders of them; with none, the shipped suite.
    """
    scenarios = _selected(paths, properties)
    names = max(len(scenario.name) for scenario in scenarios)
    shown = max(len(scenario.shows) for scenario in scenarios)
    for s in scenarios:
        click.echo(f"{s.name:{names}}  {s.shows:{shown}}  {s.title}")


@main.command("faults")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--engine",
    "engine_names",
    multiple=True,
    default=("recon", "stock"),
    show_default=True,
    metavar="NAME",
    help="stock, stock-defaults, recon or package.module:name; may be repeated.",
)
@click.option(
    "--jobs",
    "-j",
    "workers",
    type=Jobs(),
    metavar="N",
    default=1,
    show_default=True,
    help="How many processes run scenarios; 0 or auto is one for each CPU.",
)
@click.option(
    "--ndjson",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one JSON object per word to this file; - is standard output.",
)
@click.option("--verbose", "-v", is_flag=True, help="Name all scenarios, also the idle ones.")
def faults_command(
    paths: tuple[Path, ...],
    engine_names: tuple[str, ...],
    workers: int,
    ndjson: Path | None,
    verbose: bool,
) -> None:
    """List the catalogue of faults and actions, and which scenarios exercise each.

    PATHS are scenario files or folders of them; with none, the shipped suite.  Each
    scenario is played as it is, and again without each of its faults: a fault is
    exercised where that changes what happens, with any of the engines.  What is no fault
    is exercised where it had an effect.

    Exits with 0 when all is exercised, 1 when something is not, 2 on a usage error or bad
    scenario, 4 when the harness failed.
    """
    console = terminal.console(stderr=str(ndjson) == "-")
    names = _labels(engine_names)
    scenarios = _selected(paths, ())
    jobs = [Examination(scenario=each, engine=name) for name in names for each in scenarios]
    findings: list[Finding] = []
    with _output(ndjson) as lines:
        _run_all(jobs, workers, console, findings.append)
        entries = catalogue(findings)
        if lines is not None:
            for entry in entries:
                record = catalogue_report.record(entry)
                lines.write(msgspec.json.encode(record).decode() + "\n")
    console.print(catalogue_report.table(entries, verbose=verbose))
    console.print(catalogue_report.summary(entries))
    failed = [finding for finding in findings if finding.error is not None]
    for finding in failed:
        click.echo(f"error: {finding.scenario}: {finding.error}", err=True)
    if failed:
        sys.exit(USAGE_ERROR if any(finding.is_setup for finding in failed) else 4)
    sys.exit(0 if all(entry.scenarios for entry in entries) else 1)


@main.command("run")
@_selection
@click.option(
    "--engine",
    "engine_names",
    multiple=True,
    default=("stock",),
    show_default=True,
    metavar="NAME",
    help="stock, stock-defaults, recon or package.module:name; may be repeated.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Use this seed instead of the files' own.")
@click.option(
    "--jobs",
    "-j",
    "workers",
    type=Jobs(),
    metavar="N",
    default=1,
    show_default=True,
    help="How many processes run scenarios; 0 or auto is one for each CPU.",
)
@click.option(
    "--ndjson",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one JSON object per run to this file; - is standard output.",
)
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a JUnit XML report to this file; - is standard output.",
)
@click.option("--twice", is_flag=True, help="Run everything twice and compare the digests.")
@click.option(
    "--transport",
    type=click.Choice(("virtual", "wire")),
    default="virtual",
    show_default=True,
    help="In virtual time, or those that make sense over real sockets, in real time.",
)
@click.option("--story", is_flag=True, help="Tell every run as a story, also one that passes.")
@click.option("--quiet", "-q", is_flag=True, help="No stories at all.")
def run_command(
    paths: tuple[Path, ...],
    properties: tuple[str, ...],
    engine_names: tuple[str, ...],
    seed: int | None,
    workers: int,
    ndjson: Path | None,
    junit: Path | None,
    twice: bool,
    transport: str,
    story: bool,
    quiet: bool,
) -> None:
    """Run scenarios and say of each whether every fill arrived exactly once.

    PATHS are scenario files or folders of them; with none, the shipped suite.  A run
    that is not as its file says is told as a story; so is any that fails when it is
    the only one.
    """
    to_stdout = [path for path in (ndjson, junit) if str(path) == "-"]
    if len(to_stdout) > 1:
        _usage_error("--ndjson and --junit cannot both go to standard output")
    if ndjson is not None and ndjson == junit:
        _usage_error("--ndjson and --junit cannot both go to one file")
    console = terminal.console(stderr=bool(to_stdout))
    labels = _labels(engine_names)
    scenarios = _selected(paths, properties)
    if over_sockets := transport == "wire":
        if twice:
            _usage_error("--twice compares digests, and in real time there are none")
        scenarios = _of_real_time(scenarios)
    jobs = [
        Job(
            scenario=scenario,
            engine=name,
            label=label,
            seed=seed,
            twice=twice,
            over_sockets=over_sockets,
        )
        for name, label in labels.items()
        for scenario in scenarios
    ]
    with _output(ndjson) as lines, _output(junit) as report:
        outcomes: list[Outcome] = []

        def take(outcome: Outcome) -> None:
            outcomes.append(outcome)
            if lines is not None:
                lines.write(msgspec.json.encode(outcome.result.record()).decode() + "\n")
            # A failure that the file knows is no news among others.
            failed = outcome.result.verdict != "pass"
            news = failed and (not outcome.result.expected or len(jobs) == 1)
            told = outcome.story if story else shortened(outcome.story)
            _tell(console, outcome, told if (news or story) and not quiet else None)

        try:
            _run_all(jobs, workers, console, take)
        finally:  # an interrupt loses none of what is known by then
            if report is not None:
                report.write(junit_report(outcomes))
    _conclude(console, outcomes)


def _of_real_time(scenarios: list[Scenario]) -> list[Scenario]:
    """Return those that make sense over sockets, and say how many do not."""
    try:
        from sim.wire.pace import Misfit, fitting
    except ModuleNotFoundError as e:
        _usage_error(f"{e.name} is not installed: --transport wire needs nautilus-recon[redis]")
    try:
        fit = fitting(scenarios)
    except Misfit as e:
        _usage_error(str(e))
    if left_out := len(scenarios) - len(fit):
        click.echo(f"{left_out} of {len(scenarios)} scenarios make no sense in real time", err=True)
    return fit


def _usage_error(message: str) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    sys.exit(USAGE_ERROR)


def _labels(engine_names: Sequence[str]) -> dict[str, str]:
    """Return what the engines call themselves; each is loaded to see that it is one."""
    sys.path.insert(0, str(Path.cwd()))  # where a user's own engine lies
    try:
        return {name: engines.load(name)().name for name in engine_names}
    except engines.EngineError as e:
        _usage_error(str(e))


def _selected(paths: Sequence[Path], properties: Sequence[str]) -> list[Scenario]:
    scenarios: list[Scenario] = []
    refused: list[str] = []
    try:
        files = scenario_files(paths)
    except OSError as e:
        _usage_error(str(e))
    for path in files:
        try:
            scenarios.append(load(path))
        except (ScenarioError, OSError) as e:
            refused.append(str(e))
    if refused:
        _usage_error("\nerror: ".join(refused))
    if not properties:
        return scenarios
    selected = [scenario for scenario in scenarios if scenario.shows in properties]
    if not selected:
        _usage_error(f"no scenario here shows {' or '.join(dict.fromkeys(properties))}")
    return selected


class _Named[T](Task[T], Protocol):
    """A task of one scenario."""

    @property
    def scenario(self) -> Scenario: ...


def _run_all[T](
    jobs: Sequence[_Named[T]],
    workers: int,
    console: Console,
    take: Callable[[T], None],
) -> None:
    """Run the jobs, with a bar on a terminal; an interrupt ends the command."""
    upcoming = deque(job.scenario.name for job in jobs)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    try:
        with progress, contextlib.closing(outcomes_of(jobs, workers)) as outcomes:
            task = progress.add_task(upcoming[0], total=len(jobs))
            for outcome in outcomes:
                take(outcome)
                upcoming.popleft()
                progress.update(task, advance=1, description=upcoming[0] if upcoming else "")
    except KeyboardInterrupt:
        click.echo(" in ".join(["interrupted", *upcoming][:2]), err=True)
        sys.exit(INTERRUPTED)


def _tell(console: Console, outcome: Outcome, story: Sequence[Line] | None) -> None:
    """Print what has to be said of a run before the tables, and its story if there is any."""
    result = outcome.result
    if not outcome.is_deterministic:
        console.print(
            f"{result.scenario}: not deterministic: {result.digest} {outcome.again}",
            style="bold red",
        )
    if story is not None and not outcome.is_setup:
        terminal.print_story(console, result, story, outcome.replay)


def _conclude(console: Console, outcomes: Sequence[Outcome]) -> NoReturn:
    """Print the tables and what could not be set up; end the command."""
    results = [outcome.result for outcome in outcomes]
    for _, of_engine in groupby(outcomes, lambda outcome: outcome.engine):
        terminal.print_table(console, [outcome.result for outcome in of_engine])
    console.print(terminal.summary(results))
    refused = [f"{o.result.scenario}: {o.result.error}" for o in outcomes if o.is_setup]
    if refused:
        _usage_error("\nerror: ".join(dict.fromkeys(refused)))
    sys.exit(exit_code(results, deterministic=all(o.is_deterministic for o in outcomes)))


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[IO[str] | None]:
    """Open a file for results; - is standard output, None no file at all."""
    if path is None:
        yield None
    elif str(path) == "-":
        yield sys.stdout
    else:
        try:
            with path.open("w", encoding="utf-8") as file:
                yield file
        except OSError as e:
            _usage_error(f"{path}: cannot be written: {e.strerror}")
