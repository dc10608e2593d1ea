"""Kills as pieces of work, and what came of those of one scenario with one engine."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from sim import engines
from sim.crash.fates import DOWN_NS, killed
from sim.crash.points import Passed
from sim.report.result import Result, errored, result_of
from sim.runner import attempt
from sim.scenario import Scenario, dump, loads
from sim.scenario.durations import format_duration
from sim.scenario.values import Cache
from sim.world import HarnessError, run


class Crash(msgspec.Struct, frozen=True, kw_only=True):
    """One kill of one scenario, to be run with one engine."""

    scenario: Scenario
    """The scenario without the kill."""
    engine: str
    """The engine as the command line names it."""
    passed: Passed
    fate: Cache
    down_ns: int = DOWN_NS

    @property
    def text(self) -> str:
        """The scenario with the kill, as a file."""
        return dump(self._killed()[0])

    def perform(self) -> Result:
        """Run it in this process, as its file would be."""
        return attempt(self._run, self.failed)

    def failed(self, error: str, *, is_setup: bool = False) -> Result:
        """Return what came of it when nothing could be judged."""
        return errored(self.scenario, self.engine, self.scenario.seed, error)

    def _killed(self) -> tuple[Scenario, int]:
        made = killed(self.scenario, self.passed, self.fate, self.down_ns)
        assert made is not None
        return made

    def _run(self) -> Result:
        scenario, place = self._killed()
        scenario = loads(dump(scenario), self.scenario.name)
        result = result_of(run(scenario, engines.load(self.engine)))
        at = format_duration(scenario.timeline[place].at_ns)
        label = f"restart at {at} (line {scenario.line(place)}) had no effect"
        for reason in result.reasons:
            if reason.startswith(label):
                raise HarnessError(f"{self.passed.point}, {self.fate}: {reason}")
        return result


def crashes(
    scenario: Scenario,
    engine: str,
    points: Sequence[Passed],
    fates: Sequence[Cache],
    down_ns: int = DOWN_NS,
) -> Iterator[Crash]:
    """Yield the kills of a scenario: at each point, with each fate that its cache can have."""
    for passed in points:
        for fate in fates:
            if killed(scenario, passed, fate, down_ns) is not None:
                yield Crash(
                    scenario=scenario, engine=engine, passed=passed, fate=fate, down_ns=down_ns
                )


class Tallied(msgspec.Struct):
    """What came of the kills with one fate."""

    runs: int = 0
    skipped: int = 0
    verdicts: Counter[str] = msgspec.field(default_factory=Counter)
    violated: Counter[str] = msgspec.field(default_factory=Counter)
    """How many runs violated each property."""
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    """Why runs without a violation were inconclusive; a run may have several reasons."""

    def take(self, result: Result) -> None:
        """Count one run."""
        self.runs += 1
        self.verdicts[result.verdict] += 1
        self.violated.update(result.violated)
        if result.verdict == "inconclusive":
            self.reasons.update(list(dict.fromkeys(map(_kind, result.reasons))))


def _kind(reason: str) -> str:
    """Return a reason without the time and line of its record."""
    return re.sub(r" at \S+( \(line \d+\))?(?= (had no effect|never acted))", "", reason)
