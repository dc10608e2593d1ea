"""The command line: ``recon run``.

Exit codes, highest first: 2 usage or bad scenario; 4 harness error; 5 not
deterministic; 1 a violation that `known` does not name, or a named one absent;
3 inconclusive; 0 all as expected.
"""

from __future__ import annotations

import contextlib
import gc
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sim import engines
from sim.clock import START_NS
from sim.node import SetupError
from sim.report import terminal
from sim.report.junit import junit_report
from sim.report.result import Result, errored, exit_code, result_of
from sim.report.story import Line, story
from sim.scenario import Scenario, ScenarioError, load
from sim.suite import scenario_files
from sim.world import HarnessError, run

USAGE_ERROR = 2
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nautilus-recon")
def main() -> None:
    """Reconciliation for NautilusTrader on Binance, and the simulation that proves it."""


@main.command("run")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--engine",
    "engine_name",
    default="stock",
    show_default=True,
    help="stock, stock-defaults or package.module:name.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Use this seed instead of the files' own.")
@click.option(
    "--ndjson",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one JSON object per run to this file; - is standard output.",
)
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a JUnit XML report to this file.",
)
@click.option("--twice", is_flag=True, help="Run everything twice and compare the digests.")
@click.option("--quiet", "-q", is_flag=True, help="No stories of failing runs.")
def run_command(
    paths: tuple[Path, ...],
    engine_name: str,
    seed: int | None,
    ndjson: Path | None,
    junit: Path | None,
    twice: bool,
    quiet: bool,
) -> None:
    """Run scenarios and say of each whether every fill arrived exactly once.

    PATHS are scenario files or folders of them; with none, the shipped suite.
    """
    to_stdout = ndjson is not None and str(ndjson) == "-"
    console = terminal.console(stderr=to_stdout)
    sys.path.insert(0, str(Path.cwd()))  # where a user's own engine lies
    try:
        engine = engines.load(engine_name)
        scenarios = [load(path) for path in scenario_files(paths)]
    except (engines.EngineError, ScenarioError, OSError) as e:
        _usage_error(str(e))
    results: list[Result] = []
    deterministic = True
    gc.freeze()
    with _output(ndjson) as lines, _output(junit) as report, _progress(console) as progress:
        task = progress.add_task("", total=len(scenarios))
        for scenario in scenarios:
            progress.update(task, description=scenario.name)
            try:
                result, told = _run_one(scenario, engine, seed)
            except SetupError as e:
                _usage_error(f"{scenario.name}: {e}")
            except KeyboardInterrupt:
                click.echo(f"interrupted in {scenario.name}", err=True)
                sys.exit(INTERRUPTED)
            if twice and result.error is None:
                again, _ = _run_one(scenario, engine, seed)
                if again.digest != result.digest:
                    deterministic = False
                    console.print(
                        f"{scenario.name}: not deterministic: {result.digest} {again.digest}",
                        style="bold red",
                    )
            results.append(result)
            if lines is not None:
                lines.write(msgspec.json.encode(result.record()).decode() + "\n")
            if result.verdict != "pass" and not quiet:
                terminal.print_story(
                    console, result, told, replay_command(scenario.name, engine_name, seed)
                )
            progress.advance(task)
        if report is not None:
            report.write(junit_report(results))
    console.print(terminal.table(results))
    console.print(terminal.summary(results))
    sys.exit(exit_code(results, deterministic=deterministic))


def _usage_error(message: str) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    sys.exit(USAGE_ERROR)


def _run_one(
    scenario: Scenario,
    engine: engines.MakeEngine,
    seed: int | None,
) -> tuple[Result, list[Line]]:
    try:
        done = run(scenario, engine, seed=seed)
        result = result_of(done)
    except HarnessError as e:
        return errored(scenario, engine().name, scenario.seed if seed is None else seed, str(e)), []
    return result, story(done.trace, result, START_NS)


def replay_command(scenario: str, engine_name: str, seed: int | None) -> str:
    """Return the command that repeats a run."""
    words = ["recon", "run", scenario, "--engine", engine_name]
    if seed is not None:
        words += ["--seed", str(seed)]
    return shlex.join(words)


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[IO[str] | None]:
    """Open a file for results; - is standard output, None no file at all."""
    if path is None:
        yield None
    elif str(path) == "-":
        yield sys.stdout
    else:
        try:
            file = path.open("w")
        except OSError as e:
            _usage_error(f"{path}: cannot be written: {e.strerror}")
        with file:
            yield file


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
