"""``recon fuzz`` and ``recon replay``."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from pathlib import Path

import click
from rich.console import Console

from sim import engines
from sim.fuzz.found import keep
from sim.fuzz.hunt import RUNS_AT_MOST, Bag, Hunt
from sim.report.result import result_of
from sim.scenario import PROPERTIES, ScenarioError, load
from sim.scenario.durations import parse_duration
from sim.suite import scenario_files
from sim.workers import outcomes_of
from sim.world import run

USAGE_ERROR, HARNESS_ERROR, VIOLATION = 2, 4, 1

EXAMPLES_A_HUNT = 100
SECS_A_HUNT = 5.0


@click.command("fuzz")
@click.option("--engine", default="recon", show_default=True, metavar="NAME", help="What is tried.")
@click.option("--seed", type=click.IntRange(min=0), help="Where stories begin; new if left out.")
@click.option("--examples", type=click.IntRange(min=1), help="How many stories; 1000 if left out.")
@click.option("--for", "duration", metavar="TIME", help="How long instead, such as 60s or 10m.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("scenarios/found"),
    show_default=True,
    help="Where failures are kept.",
)
@click.option(
    "--shrinks",
    type=click.IntRange(min=0),
    default=RUNS_AT_MOST,
    show_default=True,
    help="How many runs Hypothesis may take to shrink a failure, before records are taken out.",
)
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, help="How many processes.")
def fuzz_command(
    engine: str,
    seed: int | None,
    examples: int | None,
    duration: str | None,
    out: Path,
    shrinks: int,
    jobs: int,
) -> None:
    """Draw stories until one fails; shrink it and keep it as a scenario file.

    Exits with 0 when nothing failed, 1 when something did, 2 on a usage error, 4 when the
    harness failed.
    """
    if examples is not None and duration is not None:
        raise click.UsageError("--examples and --for exclude each other")
    try:
        engines.load(engine)
        secs = None if duration is None else parse_duration(duration) / 1e9
    except (engines.EngineError, ValueError) as e:
        raise click.UsageError(str(e)) from None
    if seed is None:
        seed = secrets.randbelow(2**32)  # sim-ok: a campaign of its own, which prints it
    click.echo(f"recon fuzz --engine {engine} --seed {seed}")
    bags: list[Bag] = []
    for bag in outcomes_of(_hunts(engine, seed, examples or 1000, secs, jobs, shrinks), jobs):
        bags.append(bag)
        for found in bag.found:
            path = keep(found, engine, out)
            click.echo(f"{path} ({found.examples} examples, {found.runs} runs to shrink it)")
            click.echo(f"  {found.message}\n  replay: recon run {path} --engine {engine}")
        _progress(bags)
    _summary(bags)
    if any(bag.error for bag in bags):
        click.echo("\n".join(bag.error for bag in bags if bag.error), err=True)
        sys.exit(HARNESS_ERROR)
    kinds = {found.property for bag in bags for found in bag.found}
    sys.exit(HARNESS_ERROR if "harness" in kinds else VIOLATION if kinds else 0)


def _hunts(
    engine: str, seed: int, examples: int, secs: float | None, jobs: int, shrinks: int
) -> list[Hunt]:
    """Divide a campaign into hunts; the seeds of one are next to each other."""
    if secs is not None:
        count = max(1, round(secs * jobs / SECS_A_HUNT))
        each = secs * jobs / count
        return [Hunt(engine, seed + 1000 * n, 10**9, each, shrinks) for n in range(count)]
    sizes = [EXAMPLES_A_HUNT] * (examples // EXAMPLES_A_HUNT)
    sizes += [examples % EXAMPLES_A_HUNT] if examples % EXAMPLES_A_HUNT else []
    return [Hunt(engine, seed + 1000 * n, size, None, shrinks) for n, size in enumerate(sizes)]


def _progress(bags: list[Bag]) -> None:
    examples, secs = sum(bag.examples for bag in bags), sum(bag.secs for bag in bags)
    found = sum(len(bag.found) for bag in bags)
    rate = examples / secs if secs else 0.0
    click.echo(f"{examples} examples, {rate:.1f} a second and process, {found} found", err=True)


def _summary(bags: list[Bag]) -> None:
    judged, acted, verdicts, found = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for bag in bags:
        judged += bag.judged
        acted += bag.acted
        verdicts += bag.verdicts
        found.update(each.property for each in bag.found)
    console = Console(highlight=False)
    console.print(f"verdicts: {_listed(verdicts)}")
    console.print(f"judged: {', '.join(f'{name} {judged[name]}' for name in PROPERTIES)}")
    console.print(f"had an effect: {_listed(acted)}")
    console.print(f"found: {_listed(found) or 'nothing'}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


@click.command("replay")
@click.argument(
    "folder", type=click.Path(path_type=Path, exists=True), default=Path("scenarios/found")
)
@click.option("--engine", default="recon", show_default=True, metavar="NAME", help="What is tried.")
def replay_command(folder: Path, engine: str) -> None:
    """Say of each failure that is kept whether it is FIXED or STILL FAILING.

    Exits with 0 when all are fixed, 1 when one is not, 2 on a usage error.
    """
    try:
        make = engines.load(engine)
        scenarios = [load(path) for path in scenario_files([folder])]
    except (engines.EngineError, ScenarioError, FileNotFoundError) as e:
        raise click.UsageError(str(e)) from None
    failing = 0
    for scenario in scenarios:
        result = result_of(run(scenario, make))
        is_failing = scenario.shows in result.violated
        failing += is_failing
        others = [name for name in result.violated if name != scenario.shows]
        click.echo(
            f"{'STILL FAILING' if is_failing else 'FIXED':13} {scenario.name}"
            + (f" (and violates {', '.join(others)})" if others else "")
        )
    sys.exit(VIOLATION if failing else 0)
