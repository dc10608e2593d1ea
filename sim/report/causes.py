"""What kept failures of the released engine are due to: ``python -m sim.report.causes [PATH ...]``.

Each scenario is run with the released engine, and with gaps of that repaired in memory
(`sim.report.repairs`): one, else two, else all.  A violation is due to the fewest without
which it is not seen: of that property, on that trade or order if it is about one, since what goes
wrong beside it may have other causes.  What is left with all of them repaired is due to something
else.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from sim import engines
from sim.report.gaps import GAPS
from sim.report.repairs import REPAIRS, without
from sim.report.result import result_of
from sim.scenario import Scenario, load
from sim.suite import scenario_files
from sim.world import Run, run

type Causes = frozenset[str]
"""Gaps that are all needed; none for what is due to something else."""

type Violated = tuple[str, str]
"""A property, and the trade or the order on which it is violated, if it is one."""

KEPT = "scenarios/found"

_SUBJECT = re.compile(r"(trade|order) \d+")


def causes_of(scenario: Scenario) -> dict[Violated, list[Causes]]:
    """Return for each violation the smallest sets of gaps that it is due to.

    With one of several sets any of them repaired is enough.
    """
    violated = _violated(run(scenario, engines.load("stock")))
    found: dict[Violated, list[Causes]] = {each: [] for each in violated}
    for sets in _sets():
        unexplained = [each for each in violated if not found[each]]
        if not unexplained:
            break
        for gaps in sets:
            still = _violated(run(scenario, without(*gaps)))
            for each in unexplained:
                if each not in still:
                    found[each].append(frozenset(gaps))
    return {each: causes or [frozenset()] for each, causes in found.items()}


def _violated(played: Run) -> list[Violated]:
    """What is violated, each once."""
    violations = result_of(played).violations
    return list(dict.fromkeys((each.property, _subject(each.message)) for each in violations))


def _subject(message: str) -> str:
    found = _SUBJECT.search(message)
    return "" if found is None else found[0]


def _sets() -> Iterator[list[tuple[str, ...]]]:
    """Sets of gaps of the same size, small ones first."""
    for size in (1, 2, len(REPAIRS)):
        yield list(combinations(REPAIRS, size))


def table(paths: Sequence[Path]) -> str:
    """Return the table in Markdown: properties and causes, and how many files show them."""
    files: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path in paths:
        found = causes_of(load(path))
        for each in {(name, _text(causes)): None for (name, _), causes in found.items()}:
            files[each].append(path)
    lines = ["| property | due to | stories | such as |", "|---|---|---|---|"]
    for (name, text), its in sorted(files.items(), key=lambda item: (item[0][0], -len(item[1]))):
        lines.append(f"| `{name}` | {text} | {len(its)} | {its[0].name} |")
    seen = {gap for _, text in files for gap in REPAIRS if gap in text.replace(",", "").split()}
    lines += [""] + [f"* {gap}: {GAPS[gap].what}" for gap in REPAIRS if gap in seen]
    return "\n".join(lines)


def _text(causes: Sequence[Causes]) -> str:
    texts = [" with ".join(g for g in REPAIRS if g in gaps) for gaps in causes]
    return ", or ".join(texts) or "something else"


def main(arguments: Sequence[str]) -> int:
    """Print the table of the files that are named, or of what campaigns have kept."""
    sys.stdout.write(table(scenario_files(map(Path, arguments or (KEPT,)))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
