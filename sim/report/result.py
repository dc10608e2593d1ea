"""The result of one run: what a line of NDJSON, a row of a table and an exit code say."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import nautilus_trader

from sim.observation import NodeFill
from sim.oracle import FillCounts, Violation, judge
from sim.scenario import Scenario
from sim.world import Run

type Outcome = Literal["pass", "fail", "inconclusive", "error"]

REFERENCE_VERSION = "1.231.0"
"""The NautilusTrader release on which `known` lists every violated property."""


NO_FILLS = FillCounts(venue=0, applied=0, lost=0, duplicated=0, phantom=0, opening=0)


NEVER_FORGIVEN = frozenset({"crash", "stopped", "not-converged"})
"""What no other seed or release excuses."""


class Startup(msgspec.Struct, frozen=True, kw_only=True):
    """What one startup reconciliation took: the venue's time, and this machine's.

    The CPU seconds include those of the simulation around it.  ``process`` is whose it was:
    the node and the number of its process.
    """

    process: str = ""
    virtual_seconds: float
    cpu_seconds: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one run.

    ``expected`` is true when the verdict is what the scenario's `known` says for
    this engine and version, or a plain pass where it says nothing.  ``error`` is
    the harness's own failure, in which case nothing else was judged.
    """

    scenario: str
    title: str
    engine: str
    nautilus_version: str
    seed: int
    verdict: Outcome
    expected: bool
    shows: str
    violations: tuple[Violation, ...] = ()
    unexercised: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    fills: FillCounts = NO_FILLS
    exempt: tuple[NodeFill, ...] = ()
    startups: tuple[Startup, ...] = ()
    virtual_seconds: float = 0.0
    wall_seconds: float = 0.0
    digest: str = ""
    error: str | None = None

    @property
    def violated(self) -> tuple[str, ...]:
        """The properties that were violated, each once, in the order of the catalogue."""
        return tuple(dict.fromkeys(violation.property for violation in self.violations))

    def record(self) -> dict[str, Any]:
        """Return the object that stands for this run in NDJSON."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        for violation, source in zip(plain["violations"], self.violations, strict=True):
            violation["at"] = source.at_ns
            del violation["at_ns"]
        if self.error is None:
            del plain["error"]
        return plain


def result_of(run: Run) -> Result:
    """Judge a run."""
    scenario = run.scenario
    judgement = judge(run.observation, scenario.shows)
    violated = {violation.property for violation in judgement.violations}
    version = nautilus_trader.__version__
    return Result(
        scenario=scenario.name,
        title=scenario.title,
        engine=run.engine,
        nautilus_version=version,
        seed=run.seed,
        verdict=judgement.verdict,
        # A story that did not happen shows nothing, whatever else went wrong in it.
        expected=not judgement.reasons
        and (
            is_expected(scenario, run.engine, version, run.seed, judgement.verdict, violated)
            or (not run.is_repeatable and may_be(scenario, run.engine, version, judgement.verdict))
        ),
        shows=scenario.shows,
        violations=judgement.violations,
        unexercised=tuple(
            verdict.property for verdict in judgement.properties if verdict.outcome == "unexercised"
        ),
        reasons=judgement.reasons,
        fills=judgement.fills,
        exempt=judgement.exempt,
        startups=_startups(run),
        virtual_seconds=run.virtual_ns / 1e9,
        wall_seconds=round(run.wall_secs, 4),
        digest=run.trace.digest() if run.is_repeatable else "",
    )


def _startups(run: Run) -> tuple[Startup, ...]:
    return tuple(
        Startup(process=process, virtual_seconds=virtual_ns / 1e9, cpu_seconds=cpu_secs)
        for process, virtual_ns, cpu_secs in run.startups
    )


def errored(scenario: Scenario, engine: str, seed: int, error: str) -> Result:
    """Return the result of a run in which the harness failed."""
    return Result(
        scenario=scenario.name,
        title=scenario.title,
        engine=engine,
        nautilus_version=nautilus_trader.__version__,
        seed=seed,
        verdict="error",
        expected=False,
        shows=scenario.shows,
        error=error,
    )


def is_expected(
    scenario: Scenario,
    engine: str,
    version: str,
    seed: int,
    verdict: str,
    violated: set[str],
) -> bool:
    """Whether a verdict is what the scenario says of the engine.

    On the reference release and at the file's own seed `known` names exactly what
    is violated.  Elsewhere only the property that the file shows decides: whether it
    is violated is as certain as `known` says, what else is violated is not; but no
    node falls over unless `known` says that it does.
    """
    known = [entry for entry in scenario.known.get(engine, ()) if entry.covers(version)]
    if not known:
        return verdict == "pass"
    if version == REFERENCE_VERSION and seed == scenario.seed:
        return any(violated == set(entry.fails) for entry in known)
    return any(
        (scenario.shows in violated) == (scenario.shows in entry.fails)
        and not NEVER_FORGIVEN & violated - set(entry.fails)
        for entry in known
    )


def may_be(scenario: Scenario, engine: str, version: str, verdict: str) -> bool:
    """Whether a verdict in real time, where nothing is exact, contradicts the scenario.

    An engine of which it knows a failure may fail by other properties, or be lucky.
    """
    known = any(entry.covers(version) for entry in scenario.known.get(engine, ()))
    return known and verdict in ("pass", "fail")


def exit_code(results: list[Result], *, deterministic: bool = True) -> int:
    """Return the exit code of a command: the highest class that any run fell into."""
    if any(result.verdict == "error" for result in results):
        return 4
    if not deterministic:
        return 5
    if any(not result.expected and result.verdict != "inconclusive" for result in results):
        return 1
    if any(not result.expected for result in results):
        return 3
    return 0
