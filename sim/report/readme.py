"""The table of the suite in the README: ``python -m sim.report.readme`` writes it anew.

It is made by running the suite, between two markers, and a test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sim import engines
from sim.report.pages import between
from sim.report.result import Result, result_of
from sim.report.terminal import fills_text
from sim.scenario import load
from sim.suite import scenario_files
from sim.world import run

BEGIN = "<!-- suite: written by python -m sim.report.readme -->"
END = "<!-- end of suite -->"


def suite_results() -> list[Result]:
    """Run the shipped suite with the stock engine."""
    stock = engines.load("stock")
    return [result_of(run(load(path), stock)) for path in scenario_files(())]


def suite_table(results: list[Result]) -> str:
    """Return the suite's table in Markdown."""
    lines = [
        "| scenario | what it tells | shows | stock | violated | fills applied |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        others = [f"`{name}`" for name in result.violated if name != result.shows]
        if result.shows in result.violated:
            others.insert(0, f"**`{result.shows}`**")
        lines.append(
            f"| [{_short(result)}]({result.scenario}) | {result.title} | `{result.shows}` "
            f"| {result.verdict} | {', '.join(others) or '-'} | {fills_text(result)} |",
        )
    return "\n".join(lines)


def with_table(readme: str, table: str) -> str:
    """Return the README with the table between its markers.

    Raises `ValueError` when a marker is missing.
    """
    return between(readme, BEGIN, END, table)


def _short(result: Result) -> str:
    return result.scenario.removeprefix("scenarios/").removesuffix(".yaml")


def main() -> int:
    """Write the README of this checkout."""
    path = Path("README.md")
    path.write_text(with_table(path.read_text(), suite_table(suite_results())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
