"""The long suite over sockets, over and over: ``python -m sim.wire.suite FOLDER PATHS...``.

All runs share their processes, whose start costs seconds of CPU each.  Each run leaves a file of
results in the folder, like those of ``recon run --ndjson``.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec

from sim.report import terminal
from sim.report.outcome import Outcome
from sim.report.story import shortened
from sim.runner import Job
from sim.scenario import Scenario, ScenarioError, load
from sim.stopwatch import wall_secs
from sim.suite import scenario_files
from sim.wire.pace import Misfit, fitting
from sim.workers import outcomes_of


def runs(times: dict[str, int]) -> dict[str, str]:
    """Return the engine of each run by the run's name."""
    return {
        f"{engine}-{number}": engine
        for engine, how_often in times.items()
        for number in range(1, how_often + 1)
    }


def outcomes(
    scenarios: Sequence[Scenario], engines: dict[str, str], workers: int
) -> Iterator[tuple[str, Outcome]]:
    """Run scenarios once in each run; yield the run's name with each outcome."""
    named = [(run, scenario) for run in engines for scenario in scenarios]
    jobs = [
        Job(scenario=scenario, engine=engines[run], label=engines[run], over_sockets=True)
        for run, scenario in named
    ]
    found = outcomes_of(jobs, workers)
    for (run, _), outcome in zip(named, found, strict=True):
        yield run, outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite so often, and say what came of each run.  `recon` has to pass everything."""
    parser = argparse.ArgumentParser(prog="python -m sim.wire.suite", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the results are kept")
    parser.add_argument("paths", type=Path, nargs="*", help="scenario files or folders of them")
    parser.add_argument("--recon", type=int, default=5, help="how often with recon")
    parser.add_argument("--stock", type=int, default=1, help="how often with the stock engine")
    parser.add_argument("--jobs", type=int, default=12, help="how many scenarios at once")
    chosen = parser.parse_intermixed_args(arguments)
    try:
        scenarios = fitting([load(path) for path in scenario_files(chosen.paths)])
    except (Misfit, ScenarioError, OSError) as e:
        click.echo(f"error: {e}", err=True)
        return 2
    engines = runs({"stock": chosen.stock, "recon": chosen.recon})
    counts: dict[str, Counter[str]] = {run: Counter() for run in engines}
    chosen.folder.mkdir(parents=True, exist_ok=True)
    console = terminal.console(stderr=False)
    began = wall_secs()
    with contextlib.ExitStack() as stack:
        files = {
            run: stack.enter_context((chosen.folder / f"{run}.ndjson").open("w")) for run in engines
        }
        for run, outcome in outcomes(scenarios, engines, chosen.jobs):
            result = outcome.result
            files[run].write(msgspec.json.encode(result.record()).decode() + "\n")
            counts[run][result.verdict] += 1
            if not result.expected:
                terminal.print_story(console, result, shortened(outcome.story), outcome.replay)
            if counts[run].total() == len(scenarios):
                files[run].flush()
                said = ", ".join(f"{count} {word}" for word, count in sorted(counts[run].items()))
                click.echo(f"{run}: {said}; {wall_secs() - began:.0f} s since the beginning")
    passed = all(set(counts[run]) <= {"pass"} for run in engines if engines[run] == "recon")
    return 0 if passed and not any(each["error"] for each in counts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
