"""The table of the suite in the README: ``python -m sim.report.readme`` writes it anew.

It is made by running the suite with both engines, between two markers, and a test compares.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from sim.report.pages import between
from sim.report.result import Result
from sim.report.terminal import fills_text
from sim.runner import Job
from sim.scenario import load
from sim.suite import scenario_files
from sim.workers import outcomes_of

BEGIN = "<!-- suite: written by python -m sim.report.readme -->"
END = "<!-- end of suite -->"

ENGINES = ("stock", "recon")


@cache
def suite_results() -> dict[str, list[Result]]:
    """Run the shipped suite with both engines, once in a process."""
    return results_of(scenario_files(()))


def results_of(paths: Sequence[Path]) -> dict[str, list[Result]]:
    """Run scenarios with both engines on all processors; return the results by engine."""
    scenarios = [load(path) for path in paths]
    jobs = [
        Job(scenario=scenario, engine=engine, label=engine)
        for engine in ENGINES
        for scenario in scenarios
    ]
    found: dict[str, list[Result]] = {engine: [] for engine in ENGINES}
    for outcome in outcomes_of(jobs, os.process_cpu_count() or 1):
        found[outcome.engine].append(outcome.result)
    return found


def suite_table(results: Mapping[str, list[Result]]) -> str:
    """Return the suite's table in Markdown, from its results by engine."""
    sums = "; ".join(
        f"{engine} passes {sum(result.verdict == 'pass' for result in found)} of {len(found)}"
        for engine, found in results.items()
    )
    engines = " | ".join(f"{engine} | fills" for engine in results)
    lines = [
        f"{sums[0].upper()}{sums[1:]}.",
        "",
        f"| scenario | what it tells | shows | {engines} |",
        f"|---|---|---|{'---|---|' * len(results)}",
    ]
    for runs in zip(*results.values(), strict=True):
        first = runs[0]
        cells = " | ".join(f"{verdict_cell(run)} | {fills_text(run)}" for run in runs)
        lines.append(f"| {link(first.scenario)} | {first.title} | `{first.shows}` | {cells} |")
    return "\n".join(lines)


def verdict_cell(result: Result) -> str:
    """Return a verdict with what was violated; what the scenario shows comes first, in bold."""
    if not result.violated:
        return result.verdict
    names = [f"`{name}`" for name in result.violated if name != result.shows]
    if result.shows in result.violated:
        names.insert(0, f"**`{result.shows}`**")
    return f"{result.verdict}: {', '.join(names)}"


def link(scenario: str) -> str:
    """Return a link to a scenario file, by its short name."""
    return f"[{scenario.removeprefix('scenarios/').removesuffix('.yaml')}]({scenario})"


def with_table(readme: str, table: str) -> str:
    """Return the README with the table between its markers.

    Raises `ValueError` when a marker is missing.
    """
    return between(readme, BEGIN, END, table)


def main() -> int:
    """Write the README of this checkout."""
    path = Path("README.md")
    path.write_text(with_table(path.read_text(), suite_table(suite_results())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
