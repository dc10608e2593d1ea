"""``recon crash``."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import click
import msgspec
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sim import engines
from sim.crash.fates import DOWN_NS, FATES
from sim.crash.kept import keep
from sim.crash.points import Recording, record
from sim.crash.runs import Crash, Tallied, crashes
from sim.report import terminal
from sim.report.result import Result, result_of
from sim.runner import attempt
from sim.scenario import Scenario, ScenarioError, load
from sim.scenario.durations import format_duration, parse_duration
from sim.scenario.values import Cache
from sim.suite import scenario_files
from sim.workers import outcomes_of

USAGE_ERROR, HARNESS_ERROR, VIOLATION, INTERRUPTED = 2, 4, 1, 130
REASONS_SHOWN = 6


class _Setup(Exception):
    """A scenario or an engine has to be changed."""


class _Broken(Exception):
    """The harness could not run a scenario as it is."""


class _Plan(msgspec.Struct):
    """One scenario with one engine: where it is killed, and what has come of it so far."""

    scenario: Scenario
    engine: str
    base: Result
    passed: int
    unnamed: int
    points: int
    kills: list[Crash]
    of_fate: dict[Cache, Tallied]
    kept: Counter[str] = msgspec.field(default_factory=Counter)
    files: list[str] = []
    errors: list[str] = []

    @property
    def name(self) -> str:
        return f"{self.scenario.name} [{self.engine}]"


@click.command("crash")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--engine",
    "engine_names",
    multiple=True,
    default=("recon",),
    show_default=True,
    metavar="NAME",
    help="stock, stock-defaults, recon or package.module:name; may be repeated.",
)
@click.option(
    "--fate",
    "fates",
    multiple=True,
    type=click.Choice(FATES),
    help="What becomes of the cache; may be repeated, all of them when left out.",
)
@click.option("--point", default="", metavar="TEXT", help="Only points with TEXT in their names.")
@click.option(
    "--down",
    default=format_duration(DOWN_NS),
    show_default=True,
    metavar="TIME",
    help="How long the node is down, such as 1s or 2m.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("scenarios/found"),
    show_default=True,
    help="Where violations are kept.",
)
@click.option(
    "--keep",
    "most",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many are kept for each file, engine and property.",
)
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, help="How many processes.")
def crash_command(
    paths: tuple[Path, ...],
    engine_names: tuple[str, ...],
    fates: tuple[Cache, ...],
    point: str,
    down: str,
    out: Path,
    most: int,
    jobs: int,
) -> None:
    """Kill the node at every step of a scenario, restart it, and judge each.

    PATHS are scenario files or folders of them.  Each is run as it is, to see what happens in
    it; then once for each of these points and each fate of the cache: kept, stale, torn and
    lost.  What is violated is kept as a scenario file.

    Exits with 0 when nothing is violated, 1 when something is, 2 on a usage error or bad
    scenario, 4 when the harness failed.
    """
    sys.path.insert(0, str(Path.cwd()))  # where a user's own engine lies
    try:
        down_ns = parse_duration(down)
        plans = [
            _plan(scenario, engine, fates or FATES, point, down_ns)
            for scenario in [load(path) for path in scenario_files(paths)]
            for engine in dict.fromkeys(engine_names)
        ]
    except (engines.EngineError, ScenarioError, OSError, ValueError, _Setup) as e:
        _end(str(e), USAGE_ERROR)
    except _Broken as e:
        _end(str(e), HARNESS_ERROR)
    if not any(plan.kills for plan in plans):
        _end("there is no such point", USAGE_ERROR)
    console = terminal.console(stderr=False)
    for plan in _performed(plans, jobs, out, most):
        _tell(console, plan)
    _sum_up(console, plans)
    if any(plan.errors for plan in plans):
        sys.exit(HARNESS_ERROR)
    sys.exit(VIOLATION if any(each.violated for each in _tallies(plans)) else 0)


def _plan(
    scenario: Scenario, engine: str, fates: Sequence[Cache], point: str, down_ns: int
) -> _Plan:
    """Run a scenario as it is and find out where it can be killed."""
    make = engines.load(engine)

    def failed(error: str, *, is_setup: bool = False) -> Recording:
        raise (_Setup if is_setup else _Broken)(f"{scenario.name} [{engine}]: {error}")

    made = attempt(lambda: record(scenario, make), failed)
    points = [each for each in made.points if point in each.point]
    kills = list(crashes(scenario, engine, points, fates, down_ns))
    runs = Counter(kill.fate for kill in kills)
    return _Plan(
        scenario=scenario,
        engine=engine,
        base=result_of(made.run),
        passed=len(made.points),
        unnamed=made.unnamed,
        points=len(points),
        kills=kills,
        of_fate={
            fate: Tallied(skipped=len(points) - runs[fate]) for fate in FATES if fate in fates
        },
    )


def _performed(plans: Sequence[_Plan], jobs: int, out: Path, most: int) -> Iterator[_Plan]:
    """Run all kills, and yield each plan when its last one is over."""
    kills = [kill for plan in plans for kill in plan.kills]
    bars = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[violated]} violated"),
        console=bars,
        transient=True,
        disable=not bars.is_terminal,
    )
    violated = 0
    try:
        with progress, contextlib.closing(outcomes_of(kills, jobs)) as results:
            task = progress.add_task("", total=len(kills), violated=0)
            for plan in plans:
                progress.update(task, description=plan.name)
                for kill in plan.kills:
                    result = next(results)
                    violated += bool(result.violations)
                    _take(plan, kill, result, out, most)
                    progress.update(task, advance=1, violated=violated)
                if progress.disable:
                    click.echo(_state(plan), err=True)
                progress.stop()  # what is told of the plan is not to run into the bar
                yield plan
                progress.start()
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)


def _take(plan: _Plan, kill: Crash, result: Result, out: Path, most: int) -> None:
    plan.of_fate[kill.fate].take(result)
    if result.error is not None:
        plan.errors.append(f"{kill.passed.point}, {kill.fate}: {result.error}")
    elif result.violations:
        first = result.violated[0]
        plan.kept[first] += 1
        if plan.kept[first] <= most:
            plan.files.append(f"{keep(kill, result, out)}  {kill.passed.point}, {kill.fate}")


def _state(plan: _Plan) -> str:
    runs = sum(each.runs for each in plan.of_fate.values())
    fails = sum(each.verdicts["fail"] for each in plan.of_fate.values())
    return f"{plan.name}: {plan.points} points, {runs} runs, {fails} violated"


def _tell(console: Console, plan: _Plan) -> None:
    """Print what came of one scenario with one engine."""
    chosen = "" if plan.points == plan.passed else f" of {plan.passed}"
    unnamed = f", {plan.unnamed} happenings without a name" if plan.unnamed else ""
    violated = f", violates {', '.join(plan.base.violated)}" if plan.base.violated else ""
    console.print(
        f"{plan.name}: {plan.points}{chosen} points{unnamed}; "
        f"without a kill: {plan.base.verdict}{violated}"
    )
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("cache")
    for column in ("runs", "skipped", "pass", "inconclusive", "fail", "error"):
        table.add_column(column, justify="right")
    table.add_column("runs that violate")
    for fate, each in plan.of_fate.items():
        verdicts = (each.verdicts[name] for name in ("pass", "inconclusive", "fail", "error"))
        table.add_row(
            fate, *map(str, (each.runs, each.skipped, *verdicts)), _listed(each.violated) or "-"
        )
    console.print(table)
    reasons = sum((each.reasons for each in plan.of_fate.values()), Counter[str]())
    for reason, count in reasons.most_common(REASONS_SHOWN):
        console.print(f"  inconclusive {count}: {reason}")
    for error in plan.errors:
        console.print(f"  error: {error}")
    for file in plan.files:
        console.print(f"  kept: {file}")
    if (others := sum(plan.kept.values()) - len(plan.files)) > 0:
        console.print(f"  not kept: {others} more")


def _sum_up(console: Console, plans: Sequence[_Plan]) -> None:
    for engine in dict.fromkeys(plan.engine for plan in plans):
        own = [plan for plan in plans if plan.engine == engine]
        tallies = _tallies(own)
        verdicts = sum((each.verdicts for each in tallies), Counter[str]())
        violated = sum((each.violated for each in tallies), Counter[str]())
        console.print(
            f"{engine}: {len(own)} scenarios, {sum(plan.points for plan in own)} points, "
            f"{sum(each.runs for each in tallies)} runs: {_listed(verdicts)}; "
            f"violated: {_listed(violated) or 'nothing'}"
        )


def _tallies(plans: Sequence[_Plan]) -> list[Tallied]:
    return [each for plan in plans for each in plan.of_fate.values()]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _end(text: str, code: int) -> NoReturn:
    click.echo(f"error: {text}" if code != INTERRUPTED else text, err=True)
    sys.exit(code)
