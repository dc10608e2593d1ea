"""``recon bisect``: the first release on which the verdict of a scenario changes.

Between two releases whose verdicts differ, the one in the middle is tried, and so on.  A
release on which the run says nothing (it is inconclusive, or ends in an error) is passed over.
Where the oldest and the newest agree, each release between them is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sim.releases import Run

type Judge = Callable[[str], Run]
"""Runs the scenario on a release."""


class BisectError(ValueError):
    """What was said of a release is not so."""


class Change(NamedTuple):
    """Two releases with different verdicts and none between them that has one."""

    before: Run
    after: Run

    def __str__(self) -> str:
        now, then = ("holds", "is violated") if self.after.holds else ("is violated", "holds")
        return (
            f"{self.after.release} is the first on which it {now}; "
            f"on {self.before.release} it {then}"
        )


def first_change(
    releases: Sequence[str], judge: Judge, *, good: str | None = None, bad: str | None = None
) -> Change | None:
    """Return where the verdict changes, None where it nowhere does.

    Parameters
    ----------
    releases
        All releases, oldest first.
    good, bad
        A release on which the property is known to hold, and one on which it is not;
        the oldest and the newest when left out.

    Raises
    ------
    BisectError
        When ``good`` violates the property or ``bad`` does not, or either is unknown.
    """
    for release in (good, bad):
        if release is not None and release not in releases:
            raise BisectError(f"{release} is not known; known are {', '.join(releases)}")
    ends = [release for release in (good, bad) if release is not None]
    runs = {release: judge(release) for release in ends}
    for release, holds in ((good, True), (bad, False)):
        if release is not None and runs[release].holds is not holds:
            what = _words(runs[release])
            raise BisectError(f"{release} was said to be {'good' if holds else 'bad'}, and {what}")
    low, high = _span(releases, ends)
    return _search(releases[low : high + 1], judge, runs)


def _span(releases: Sequence[str], ends: Sequence[str]) -> tuple[int, int]:
    """Return the first and the last of the releases that are searched."""
    places = sorted(releases.index(release) for release in ends)
    if len(places) == 2:
        return places[0], places[1]
    return 0, len(releases) - 1


def _search(releases: Sequence[str], judge: Judge, runs: dict[str, Run]) -> Change | None:
    def run_of(release: str) -> Run:
        if release not in runs:
            runs[release] = judge(release)
        return runs[release]

    known = [run for run in (run_of(releases[0]), run_of(releases[-1])) if run.holds is not None]
    if len(known) < 2 or known[0].holds == known[1].holds:
        return _scan(releases, run_of)
    low, high = 0, len(releases) - 1
    while high - low > 1:
        middle = (low + high) // 2
        between = sorted(range(low + 1, high), key=lambda place: abs(place - middle))
        found = next((p for p in between if run_of(releases[p]).holds is not None), None)
        if found is None:
            break
        if run_of(releases[found]).holds == run_of(releases[low]).holds:
            low = found
        else:
            high = found
    return Change(run_of(releases[low]), run_of(releases[high]))


def _scan(releases: Sequence[str], run_of: Judge) -> Change | None:
    before: Run | None = None
    for release in releases:
        run = run_of(release)
        if run.holds is None:
            continue
        if before is not None and before.holds != run.holds:
            return Change(before, run)
        before = run
    return None


def _words(run: Run) -> str:
    if run.holds is None:
        return f"says nothing: {run.reason}"
    return "the property holds there" if run.holds else "violates the property"
