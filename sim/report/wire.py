"""What both engines make of the long suite in virtual time and over sockets, beside each other.

``make wire`` runs the scenarios over real sockets, five times with `recon` and once with the
stock engine, and keeps a file of results for each run.  ``python -m sim.report.wire FOLDER``
reads them, runs the same scenarios in virtual time and writes the table of
`docs/verdicts-over-sockets.md`.

A verdict that differs has to have a reason in `REASONS`, or nothing is written and the command
fails; `recon` has to pass whatever the reason.  The page has a hash of the scenarios that it was
made from; a test compares it with the files as they are.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import msgspec

from sim.report.pages import between
from sim.report.readme import ENGINES, link_to
from sim.report.result import Result
from sim.runner import Job
from sim.scenario import load
from sim.workers import outcomes_of

PAGE = Path("docs/verdicts-over-sockets.md")

BEGIN = "<!-- verdicts: written by make wire -->"
END = "<!-- end of verdicts -->"

KILLS = "kills.txt"
"""Where ``make wire`` keeps what came of the kills."""

REASONS: dict[tuple[str, str], str] = {}
"""Why a verdict over sockets differs, by scenario and engine."""


class Unfit(ValueError):
    """The files are no results of the same scenarios, or what they say has no reason."""


class Violated(msgspec.Struct, frozen=True):
    """What is read of a violation."""

    property: str


class Verdict(msgspec.Struct, frozen=True):
    """What is read of one run's result: a line of NDJSON."""

    scenario: str
    engine: str
    verdict: str
    shows: str
    violations: tuple[Violated, ...] = ()
    reasons: tuple[str, ...] = ()
    error: str | None = None

    @property
    def word(self) -> str:
        """The verdict; a failure by the property that the scenario shows is told from others."""
        if self.verdict != "fail":
            return self.verdict
        is_shown = any(each.property == self.shows for each in self.violations)
        return "**fail**" if is_shown else "fail by others"

    @property
    def why(self) -> str:
        """What a run says of a verdict that nobody expected."""
        names = dict.fromkeys(each.property for each in self.violations)
        return "; ".join([*filter(None, [self.error]), *self.reasons, *names]) or "nothing"


type Runs = list[dict[str, Verdict]]
"""The verdicts of each run of the suite, by scenario."""


class Row(msgspec.Struct, frozen=True):
    """One scenario: the verdicts of both engines."""

    scenario: str
    virtual: dict[str, Verdict]
    wire: dict[str, tuple[Verdict, ...]]

    def differing(self, engine: str) -> list[Verdict]:
        """Return the runs over sockets whose verdict is not that of virtual time."""
        return [each for each in self.wire[engine] if each.word != self.virtual[engine].word]


def read(folder: Path) -> dict[str, Runs]:
    """Return the results of a folder by engine, a run for each file.

    Raises `Unfit` when there is none for an engine, or the runs are not of the same scenarios.
    """
    found = {
        engine: [_run(path) for path in sorted(folder.glob(f"{engine}-*.ndjson"))]
        for engine in ENGINES
    }
    missing = [engine for engine, runs in found.items() if not runs]
    if missing:
        raise Unfit(f"{folder} has no results of {' and '.join(missing)}; run `make wire`")
    first = found[ENGINES[0]][0]
    for engine, runs in found.items():
        for number, run in enumerate(runs, start=1):
            if unlike := sorted(run.keys() ^ first.keys()):
                raise Unfit(
                    f"{engine}-{number} is not of the same scenarios as {ENGINES[0]}-1: "
                    f"{', '.join(unlike)}; run `make wire`"
                )
    return found


def _run(path: Path) -> dict[str, Verdict]:
    lines = path.read_bytes().splitlines()
    verdicts = [msgspec.json.decode(line, type=Verdict) for line in lines]
    return {each.scenario: each for each in verdicts}


def in_virtual_time(names: Sequence[str]) -> dict[str, dict[str, Verdict]]:
    """Run scenarios in this process and its like; return the verdicts by engine."""
    scenarios = [load(Path(name)) for name in names]
    jobs = [
        Job(scenario=scenario, engine=engine, label=engine)
        for engine in ENGINES
        for scenario in scenarios
    ]
    found: dict[str, dict[str, Verdict]] = {engine: {} for engine in ENGINES}
    for outcome in outcomes_of(jobs, os.process_cpu_count() or 1):
        found[outcome.engine][outcome.result.scenario] = verdict_of(outcome.result)
    return found


def verdict_of(result: Result) -> Verdict:
    """Return what the page says of a run."""
    return Verdict(
        result.scenario,
        result.engine,
        result.verdict,
        result.shows,
        tuple(Violated(each.property) for each in result.violations),
        result.reasons,
        result.error,
    )


def rows_of(
    virtual: Mapping[str, Mapping[str, Verdict]], wire: Mapping[str, Runs]
) -> tuple[Row, ...]:
    """Return a row for each scenario that was run over sockets."""
    return tuple(
        Row(
            name,
            {engine: virtual[engine][name] for engine in wire},
            {engine: tuple(run[name] for run in runs) for engine, runs in wire.items()},
        )
        for name in wire[ENGINES[0]][0]
    )


def unexplained(rows: Sequence[Row], reasons: Mapping[tuple[str, str], str]) -> list[str]:
    """Return what differs without a reason, and what there is no reason for: `recon` fails."""
    found: list[str] = []
    for row in rows:
        for engine in row.wire:
            others = row.differing(engine)
            if engine == "recon":
                others = [each for each in row.wire[engine] if each.verdict != "pass"]
            elif (short(row.scenario), engine) in reasons:
                continue
            if others:
                said = dict.fromkeys(f"{each.word}: {each.why}" for each in others)
                found.append(
                    f"{short(row.scenario)} with {engine} is {row.virtual[engine].word} in virtual "
                    f"time, and over sockets {len(others)} of {len(row.wire[engine])} times "
                    f"{' / '.join(said)}"
                )
    return found


def idle(rows: Sequence[Row], reasons: Mapping[tuple[str, str], str]) -> list[str]:
    """Return what has a reason to differ and did not this time."""
    differing = [
        (short(row.scenario), engine)
        for row in rows
        for engine in row.wire
        if row.differing(engine)
    ]
    return [f"{name} with {engine}" for name, engine in reasons if (name, engine) not in differing]


def short(scenario: str) -> str:
    """Return the short name of a scenario file: its folder and its stem."""
    path = Path(scenario)
    return f"{path.parent.name}/{path.stem}"


def inputs_hash(names: Sequence[str]) -> str:
    """Return a hash of scenario files: of what is told."""
    state = hashlib.blake2b(digest_size=12)
    for name in sorted(names):
        state.update(f"{name}\n".encode() + Path(name).read_bytes())
    return state.hexdigest()


def table(rows: Sequence[Row], reasons: Mapping[tuple[str, str], str], kills: str = "") -> str:
    """Return what stands between the markers, in Markdown."""
    runs = {engine: len(rows[0].wire[engine]) for engine in ENGINES}
    alike = sum(not row.differing("stock") for row in rows)
    passed = sum(each.verdict == "pass" for row in rows for each in row.wire["recon"])
    lines = [
        f"Inputs: `{inputs_hash([row.scenario for row in rows])}`. {len(rows)} scenarios: `recon` "
        f"passes {passed} of {len(rows) * runs['recon']} runs over sockets; "
        f"stock comes to the verdict of virtual time in {alike} of {len(rows)}.",
        *(["", f"SIGKILLs: {kills}."] if kills else []),
        "",
        "| scenario | shows | stock virtual | stock wire | recon virtual | recon wire | remark |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [
            cell for engine in ENGINES for cell in (row.virtual[engine].word, _wire(row, engine))
        ]
        remarks = [
            f"{engine}: {reasons[short(row.scenario), engine]}"
            for engine in ENGINES
            if row.differing(engine)
        ]
        shows = f"`{row.virtual[ENGINES[0]].shows}`"
        link = link_to(row.scenario, PAGE)
        lines.append(f"| {link} | {shows} | {' | '.join(cells)} | {' '.join(remarks)} |")
    return "\n".join(lines)


def _wire(row: Row, engine: str) -> str:
    """Return the verdicts over sockets: a single one, or how often there was each."""
    verdicts = row.wire[engine]
    if len(verdicts) == 1:
        return verdicts[0].word
    counts = Counter(each.word for each in verdicts)
    return ", ".join(f"{word} {count}/{len(verdicts)}" for word, count in counts.items())


def with_verdicts(page: str, part: str) -> str:
    """Return the page with its table.  Raises `ValueError` when a marker is missing."""
    return between(page, BEGIN, END, part)


def write(folder: Path, page: Path, reasons: Mapping[tuple[str, str], str]) -> Sequence[Row]:
    """Write the table of a folder's results into a page; return its rows.

    Raises `Unfit` when it cannot be, and then nothing is written.
    """
    wire = read(folder)
    rows = rows_of(in_virtual_time(list(wire[ENGINES[0]][0])), wire)
    if wrong := unexplained(rows, reasons):
        raise Unfit("no reason is known for what differs:\n  " + "\n  ".join(wrong))
    kills = folder / KILLS
    said = kills.read_text().partition("\n")[0] if kills.exists() else ""
    page.write_text(with_verdicts(page.read_text(), table(rows, reasons, said)))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page from what ``make wire`` has kept."""
    parser = argparse.ArgumentParser(prog="python -m sim.report.wire", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the results over sockets are kept")
    parser.add_argument("--page", type=Path, default=PAGE, help="what the table is written into")
    options = parser.parse_args(arguments)
    try:
        rows = write(options.folder, options.page, REASONS)
    except (Unfit, OSError, msgspec.DecodeError) as e:
        click.echo(f"error: {e}", err=True)
        return 1
    for each in idle(rows, REASONS):
        click.echo(f"note: {each} has a reason to differ, and did not this time")
    click.echo(f"{len(rows)} scenarios; {options.page} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
