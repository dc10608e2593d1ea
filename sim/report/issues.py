"""Bug reports on the releases that had them: the page `scenarios/issues/README.md`.

``make versions`` runs the scenarios of issues on each of four releases, in an environment of
its own, and writes the page from what came of it::

    python -m sim.report.issues --measure FOLDER   on one release: writes FOLDER/<release>.json
    python -m sim.report.issues FOLDER             on the newest: measures it, writes the page

The page has a hash of what it was made from; a test compares it with the files as they are.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click
import msgspec
import nautilus_trader

from sim import engines
from sim.releases import ROOT
from sim.report.pages import between
from sim.report.result import Result
from sim.runner import Job
from sim.scenario import load
from sim.stopwatch import wall_secs
from sim.suite import scenario_files
from sim.workers import outcomes_of

ISSUES = Path("scenarios/issues")
GUARDS = ISSUES / "guards"
PAGE = ISSUES / "README.md"

BEGIN = "<!-- matrix: written by make versions -->"
END = "<!-- end of matrix -->"

COMPARED = ("1.221.0", "1.222.0", "1.226.0", "1.231.0")
"""The releases whose stock engines are compared."""

WARM = ("3046-fills-replayed-from-the-cache", "3081-flip-then-restart")
"""The reports of warm restarts, which are run with a real Redis too."""

OLDEST_FOR_RECON = "1.227.0"
"""The oldest release that `recon` is for."""


class Verdict(msgspec.Struct, frozen=True):
    """What one scenario came to."""

    verdict: str
    is_shown: bool
    """Whether it violates the property that it shows."""
    is_expected: bool
    said: str = ""
    """What is wrong, where it is the property that is shown."""


class Measured(msgspec.Struct, frozen=True):
    """What came of everything on one release; verdicts are by scenario."""

    release: str
    hash: str
    stock: dict[str, Verdict] = {}
    stock_secs: float = 0.0
    recon: dict[str, Verdict] = {}
    """Of the whole suite, and of nothing where `recon` is not for the release."""
    redis: dict[str, Verdict] = {}
    """Of `WARM` with the stock engine, over real sockets and with a real Redis."""


def inputs_hash() -> str:
    """Return a hash of what decides the verdicts: stories, replaced names, pinned packages."""
    pinned = [ROOT / "requirements" / f"nautilus-{release}.txt" for release in COMPARED[:-1]]
    replaced = [ROOT / "sim" / "patches.py", ROOT / "sim" / "replacements.py"]
    common = [ROOT / "requirements" / "common.txt"]
    state = hashlib.blake2b(digest_size=12)
    for path in (*sorted((ROOT / ISSUES).rglob("*.yaml")), *common, *pinned, *replaced):
        state.update(f"{path.relative_to(ROOT).as_posix()}\n".encode() + path.read_bytes())
    return state.hexdigest()


def measure() -> Measured:
    """Run the issues with the stock engine on this release, and the suite with `recon`."""
    began = wall_secs()
    stock = _run("stock", scenario_files([ISSUES]))
    took_secs = wall_secs() - began
    try:
        engines.load("recon")
        recon = _run("recon", scenario_files([]))
    except engines.EngineError:
        recon = {}
    return Measured(
        release=nautilus_trader.__version__,
        hash=inputs_hash(),
        stock=stock,
        stock_secs=took_secs,
        recon=recon,
        redis=_run("stock", [ISSUES / f"{name}.yaml" for name in WARM], over_sockets=True),
    )


def _run(engine: str, paths: Sequence[Path], *, over_sockets: bool = False) -> dict[str, Verdict]:
    jobs = [
        Job(scenario=load(path), engine=engine, label=engine, over_sockets=over_sockets)
        for path in paths
    ]
    workers = max(2, os.process_cpu_count() or 1)  # a panic of Rust code ends its process
    results = [outcome.result for outcome in outcomes_of(jobs, workers)]
    return {result.scenario: verdict_of(result) for result in results}


def verdict_of(result: Result) -> Verdict:
    """Return what the page says of a run."""
    said = (each.message for each in result.violations if each.property == result.shows)
    is_shown = result.shows in result.violated
    return Verdict(result.verdict, is_shown, result.expected, next(said, ""))


def matrix(found: Mapping[str, Measured]) -> str:
    """Return the tables in Markdown, from what was measured by release."""
    newest = found[COMPARED[-1]]
    names = [path.as_posix() for path in scenario_files([ISSUES])]
    is_guard = {name: Path(name).is_relative_to(GUARDS) for name in names}
    head = " | ".join(COMPARED)
    lines = [
        f"Inputs: `{newest.hash}`. "
        f"{_count(newest.recon.values())} scenarios of the whole suite pass with `recon` on "
        f"{newest.release}, {_count(found[OLDEST_FOR_RECON].recon.values())} on "
        f"{OLDEST_FOR_RECON}.",
    ]
    for title, guards in (("", False), ("### Guards", True)):
        if guards:
            lines += [
                "",
                title,
                "",
                "What no release was seen to get wrong, and should not begin to.",
            ]
        lines += [
            "",
            f"| report | what should hold | shows | {head} | recon |",
            f"|---|---|---|{'---|' * len(COMPARED)}---|",
        ]
        for name in names:
            if is_guard[name] is guards:
                lines.append(_row(name, found))
    return "\n".join([*lines, *_with_redis(found), *_in_words(found)])


def _with_redis(found: Mapping[str, Measured]) -> list[str]:
    lines = [
        "",
        "### With a real Redis",
        "",
        "The reports of warm restarts, over real sockets, with the node in a process of its own",
        "and its cache in a `redis-server`.",
        "",
        f"| report | {' | '.join(COMPARED)} |",
        f"|---|{'---|' * len(COMPARED)}",
    ]
    for name in WARM:
        path = (ISSUES / f"{name}.yaml").as_posix()
        cells = (cell(found[release].redis[path]) for release in COMPARED)
        lines.append(f"| {load(path).reference} | {' | '.join(cells)} |")
    return lines


def _in_words(found: Mapping[str, Measured]) -> list[str]:
    """Return what is wrong by each report on the oldest release that fails."""
    lines = ["", "### In words", ""]
    for path in scenario_files([ISSUES]):
        for release in COMPARED:
            of = found[release].stock[path.as_posix()]
            if of.is_shown:
                lines.append(f"* {load(path).reference}, on {release}: {of.said}")
                break
    return lines


def _row(name: str, found: Mapping[str, Measured]) -> str:
    scenario = load(name)
    cells = [cell(found[release].stock[name]) for release in COMPARED]
    ours = found[COMPARED[-1]].recon[name].verdict
    link = f"[{scenario.reference}]({Path(name).relative_to(ISSUES).as_posix()})"
    return f"| {link} | {scenario.title} | `{scenario.shows}` | {' | '.join(cells)} | {ours} |"


def cell(of: Verdict) -> str:
    """Return a verdict in a word: that of the property that is shown, or of the others."""
    if of.is_shown:
        return "**fails**"
    return {"pass": "passes", "fail": "holds"}.get(of.verdict, of.verdict)


def _count(verdicts: Iterable[Verdict]) -> str:
    of = list(verdicts)
    return f"{sum(each.verdict == 'pass' for each in of)} of {len(of)}"


def unexpected(found: Mapping[str, Measured]) -> list[str]:
    """Return the runs that are not as their files say, and those of `recon` that do not pass."""
    return [
        f"{release} {engine}: {name} ({verdict.verdict})"
        for release, measured in found.items()
        for engine, verdicts in (
            ("stock", measured.stock),
            ("recon", measured.recon),
            ("stock with a real Redis", measured.redis),
        )
        for name, verdict in verdicts.items()
        if not verdict.is_expected
    ]


def with_matrix(page: str, tables: str) -> str:
    """Return the page with its tables.  Raises `ValueError` when a marker is missing."""
    return between(page, BEGIN, END, tables)


def main() -> int:
    """Measure one release, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where what was measured is kept")
    parser.add_argument("--measure", action="store_true", help="measure this release only")
    options = parser.parse_args()
    measured = measure()
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / f"{measured.release}.json").write_bytes(msgspec.json.encode(measured))
    click.echo(f"{measured.release}: {len(measured.stock)} issues in {measured.stock_secs:.0f} s")
    if options.measure:
        return 0
    found = {}
    for path in sorted(options.folder.glob("*.json")):
        each = msgspec.json.decode(path.read_bytes(), type=Measured)
        if each.hash == measured.hash:
            found[each.release] = each
    if missing := {*COMPARED, OLDEST_FOR_RECON} - set(found):
        click.echo(
            f"error: nothing was measured on {', '.join(sorted(missing))}; run `make versions`"
        )
        return 2
    PAGE.write_text(with_matrix(PAGE.read_text(), matrix(found)))
    wrong = unexpected(found)
    click.echo("\n".join(wrong or [f"all is as the files say; {PAGE} is written"]))
    total_secs = sum(each.stock_secs for each in found.values())
    click.echo(f"{total_secs:.0f} s for the issues on {len(found)} releases")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
