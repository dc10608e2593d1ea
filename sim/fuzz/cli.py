"""``recon fuzz`` and ``recon replay``."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import click
from rich.console import Console

from sim import engines
from sim.fuzz.campaign import Campaign, Here, Spread, Tally
from sim.fuzz.found import keep, move_into
from sim.fuzz.hunt import RUNS_AT_MOST, Bag, open_database
from sim.fuzz.progress import progress, summary
from sim.fuzz.states import missing
from sim.report.result import result_of
from sim.scenario import ScenarioError, load
from sim.scenario.durations import parse_duration
from sim.suite import scenario_files
from sim.world import run

USAGE_ERROR, HARNESS_ERROR, NOT_DETERMINISTIC, VIOLATION, UNCOVERED = 2, 4, 5, 1, 3
FOUND, SUITE = Path("scenarios/found"), Path("scenarios/fuzzed")


@click.command("fuzz")
@click.option("--engine", default="recon", show_default=True, metavar="NAME", help="What is tried.")
@click.option("--seed", type=click.IntRange(min=0), help="Where stories begin; new if left out.")
@click.option("--examples", type=click.IntRange(min=1), help="How many stories; 1000 if left out.")
@click.option("--for", "duration", metavar="TIME", help="How long instead, such as 60s or 10m.")
@click.option(
    "--from",
    "given",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="Change given scenarios a little, instead of new stories; may be repeated.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOUND,
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
@click.option(
    "--database",
    metavar="FOLDER|URL",
    default=".hypothesis/recon-fuzz",
    show_default=True,
    help="Where Hypothesis keeps failing draws: a folder, a Redis server's URL, or 'none'.",
)
@click.option(
    "--require-coverage", is_flag=True, help="Fail when a rare state was reached by no story."
)
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, help="How many processes.")
@click.option("--on", metavar="ADDRESS", help="A scheduler of Dask, whose workers hunt instead.")
def fuzz_command(
    engine: str,
    seed: int | None,
    examples: int | None,
    duration: str | None,
    given: tuple[Path, ...],
    out: Path,
    shrinks: int,
    database: str,
    require_coverage: bool,
    jobs: int,
    on: str | None,
) -> None:
    """Draw stories; shrink those that fail and keep them as scenario files.

    Exits with 0 when nothing failed, 1 when something did, 2 on a usage error, 3 when a rare
    state was never reached and has to be, 4 when the harness failed, 5 when two runs of one
    story differ.
    """
    if examples is not None and duration is not None:
        raise click.UsageError("--examples and --for exclude each other")
    try:
        has_alerts = engines.load(engine)().alerts is not None
        secs = None if duration is None else parse_duration(duration) / 1e9
        keeps = None if database == "none" else database
        open_database(keeps, engine)
        paths = tuple(str(path) for path in scenario_files(given)) if given else ()
        for path in paths:
            load(Path(path))
    except (engines.EngineError, ScenarioError, ValueError, FileNotFoundError) as e:
        raise click.UsageError(str(e)) from None
    if seed is None:
        seed = secrets.randbelow(2**32)  # sim-ok: a campaign of its own, which prints it
    if on is not None and "://" not in on:
        raise click.UsageError(f"--on takes an address such as tcp://10.0.0.7:8786, not {on!r}")
    click.echo(f"recon fuzz --engine {engine} --seed {seed}")
    campaign = Campaign(
        engine=engine,
        seed=seed,
        examples=examples or 1000,
        secs=secs,
        shrinks=shrinks,
        database=keeps,
        given=paths,
        jobs=jobs,
    )
    tally = _led(campaign, Here(jobs) if on is None else _fleet(on), out)
    console = Console(highlight=False)
    summary(console, tally)
    for text in (*tally.differences, *tally.errors):
        click.echo(text, err=True)
    unreached = missing(tally.states, alerts=has_alerts) if require_coverage else []
    for name in unreached:
        click.echo(f"never reached: {name}", err=True)
    sys.exit(_code(tally, unreached))


def _led(campaign: Campaign, spread: Spread, out: Path) -> Tally:
    """Run a campaign, show how it goes and keep what it finds."""
    console = Console(stderr=True, highlight=False)
    with progress(console) as shown:

        def tell(tally: Tally, bag: Bag) -> None:
            for found in bag.found:
                path = keep(found, campaign.engine, out)
                click.echo(f"{path} ({found.examples} examples, {found.runs} runs to shrink it)")
                click.echo(f"  {found.message}")
                click.echo(f"  replay: recon run {path} --engine {campaign.engine}")
            shown.update(tally)

        return campaign.run(spread, tell)


def _fleet(address: str) -> Spread:
    try:
        from sim.fleet import Fleet
    except ImportError:
        raise click.UsageError("--on needs nautilus-recon[fleet]") from None
    return Fleet(address)


def _code(tally: Tally, unreached: list[str]) -> int:
    kinds = {found.property for found in tally.found}
    if tally.errors or "harness" in kinds:
        return HARNESS_ERROR
    if tally.differences:
        return NOT_DETERMINISTIC
    if kinds:
        return VIOLATION
    return UNCOVERED if unreached else 0


@click.command("replay")
@click.argument("folder", type=click.Path(path_type=Path, exists=True), default=FOUND)
@click.option("--engine", default="recon", show_default=True, metavar="NAME", help="What is tried.")
@click.option(
    "--move",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Move what is fixed into this folder of the suite; asked for on a terminal if left out.",
)
def replay_command(folder: Path, engine: str, move: Path | None) -> None:
    """Say of each failure that is kept whether it is FIXED or STILL FAILING.

    Exits with 0 when all are fixed, 1 when one is not, 2 on a usage error.
    """
    try:
        make = engines.load(engine)
        scenarios = [load(path) for path in scenario_files([folder])]
    except (engines.EngineError, ScenarioError, FileNotFoundError) as e:
        raise click.UsageError(str(e)) from None
    fixed: list[Path] = []
    for scenario in scenarios:
        violated = result_of(run(scenario, make)).violated
        is_failing = scenario.shows in violated
        if not violated:
            fixed.append(Path(scenario.name))
        others = [name for name in violated if name != scenario.shows]
        click.echo(
            f"{'STILL FAILING' if is_failing else 'FIXED':13} {scenario.name}"
            + (f" (and violates {', '.join(others)})" if others else "")
        )
    _offer(fixed, move)
    sys.exit(VIOLATION if len(fixed) < len(scenarios) else 0)


def _offer(fixed: list[Path], to: Path | None) -> None:
    """Move what is fixed to where the suite keeps it, if that is wanted."""
    if not fixed:
        return
    if to is None and not sys.stdin.isatty():
        click.echo(f"{len(fixed)} fixed; --move {SUITE} makes them part of the suite")
        return
    if to is None:
        if not click.confirm(f"Move {len(fixed)} fixed to {SUITE}?"):
            return
        to = SUITE
    for path in fixed:
        click.echo(f"moved to {move_into(path, to)}")
