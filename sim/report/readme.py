"""What the suite shows, in pages: ``python -m sim.report.readme`` writes them anew.

The suite is run with both engines.  The README has a line for each folder of scenarios, and
`scenarios/README.md` one for each scenario; a test compares both with a real run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
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

README = Path("README.md")
SUITE = Path("scenarios")
SUITE_PAGE = SUITE / "README.md"

FOLDERS = {
    "account": "funding, commissions in BNB, settings, self-trades, an account that is held back",
    "attack": "what was tried to break `recon`: kills inside of writes, reads that disagree",
    "conditional": "stops, take-profits, trailing stops and what they become; other kinds of order",
    "control": "all that goes well, and must go on going well",
    "disconnect": "streams that are cut, and what happens meanwhile",
    "drift": "answers that say what no documentation does",
    "errors": "the venue's errors, its limits and its clock",
    "forced": "liquidation, deleveraging and settlement",
    "hedge": "two legs of one symbol",
    "history": "what lies before the window, behind the page or out of reach",
    "inflight": "requests whose answers are lost, late or wrong",
    "issues": "bug reports, on the releases that had them",
    "manual": "orders by hand",
    "reads": "answers of replicas that are behind, torn, short or repeated",
    "restart": "processes that end and begin, with the cache kept, stale, torn or lost",
    "several": "several nodes, accounts and keys",
    "startup": "starts that fail, or find what was in flight",
    "stream": "half-open sockets, silence, bursts, wrong order, lost keys",
    "venue_mismatch": "a broker whose venue is not that of its instruments",
    "ws_api": "Ed25519 keys and the WebSocket API",
}
"""What the scenarios of each folder are about."""


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


def summary(results: Mapping[str, Sequence[Result]]) -> str:
    """Return a table of the folders in Markdown, from the suite's results by engine."""
    by_folder = [
        {folder: list(runs) for folder, runs in groupby(found, folder_of)}
        for found in results.values()
    ]
    lines = [
        f"| scenarios | about | {' | '.join(f'{engine} passes' for engine in results)} |",
        f"|---|---|{'---|' * len(results)}",
    ]
    for folder in by_folder[0]:
        cells = " | ".join(passes(found[folder]) for found in by_folder)
        lines.append(f"| [{folder}](scenarios/{folder}) | {FOLDERS[folder]} | {cells} |")
    lines.append(f"| all | | {' | '.join(passes(found) for found in results.values())} |")
    return "\n".join(lines)


def folder_of(result: Result) -> str:
    """Return the folder of the suite in which a scenario is."""
    return Path(result.scenario).parts[1]


def passes(results: Sequence[Result]) -> str:
    """Return how many of some runs passed."""
    return f"{sum(result.verdict == 'pass' for result in results)} of {len(results)}"


def suite_table(results: Mapping[str, Sequence[Result]]) -> str:
    """Return a table of all scenarios in Markdown, for the suite's own page."""
    engines = " | ".join(f"{engine} | fills" for engine in results)
    lines = [
        f"| scenario | what it tells | shows | {engines} |",
        f"|---|---|---|{'---|---|' * len(results)}",
    ]
    for runs in zip(*results.values(), strict=True):
        first = runs[0]
        cells = " | ".join(f"{verdict_cell(run)} | {fills_text(run)}" for run in runs)
        link = link_to(first.scenario, SUITE_PAGE)
        lines.append(f"| {link} | {first.title} | `{first.shows}` | {cells} |")
    return "\n".join(lines)


def verdict_cell(result: Result) -> str:
    """Return a verdict with what was violated; what the scenario shows comes first, in bold."""
    if not result.violated:
        return result.verdict
    names = [f"`{name}`" for name in result.violated if name != result.shows]
    if result.shows in result.violated:
        names.insert(0, f"**`{result.shows}`**")
    return f"{result.verdict}: {', '.join(names)}"


def link_to(scenario: str, page: Path) -> str:
    """Return a link from a page to a scenario file, by its short name."""
    path = Path(scenario)
    name = path.relative_to(SUITE).with_suffix("").as_posix()
    return f"[{name}]({path.relative_to(page.parent, walk_up=True).as_posix()})"


def with_table(page: str, table: str) -> str:
    """Return a page with the suite's table between its markers.

    Raises `ValueError` when a marker is missing.
    """
    return between(page, BEGIN, END, table)


def main() -> int:
    """Write the pages of this checkout."""
    results = suite_results()
    for path, table in ((README, summary(results)), (SUITE_PAGE, suite_table(results))):
        path.write_text(with_table(path.read_text(), table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
