"""Runs as pieces of work: what is to be run, what came of it, how to repeat it."""

from __future__ import annotations

import contextlib
import shlex
import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sim import engines
from sim.clock import START_NS
from sim.node import SetupError
from sim.report.outcome import Outcome
from sim.report.result import Result, errored, result_of
from sim.report.story import Line, story
from sim.scenario import Scenario
from sim.world import HarnessError, run


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario to be run with one engine."""

    scenario: Scenario
    engine: str
    """The engine as the command line names it."""
    label: str
    """The engine as results name it."""
    seed: int | None = None
    """Used instead of the scenario's own."""
    twice: bool = False
    """Whether the run is repeated, to compare the digests."""

    @property
    def replay(self) -> str:
        """The command that repeats the run."""
        words = ["recon", "run", self.scenario.name, "--engine", self.engine]
        if self.seed is not None:
            words += ["--seed", str(self.seed)]
        return shlex.join(words)

    def failed(self, error: str, *, is_setup: bool = False) -> Outcome:
        """Return what came of it when nothing could be judged."""
        seed = self.scenario.seed if self.seed is None else self.seed
        result = errored(self.scenario, self.label, seed, error)
        return self.outcome(result, is_setup=is_setup)

    def outcome(
        self,
        result: Result,
        story: Sequence[Line] = (),
        *,
        is_setup: bool = False,
    ) -> Outcome:
        """Return what came of it."""
        return Outcome(
            result=result,
            engine=self.engine,
            replay=self.replay,
            story=tuple(story),
            is_setup=is_setup,
        )


REAL_LIMIT_SECS = 600
"""How long a run may take in real time: an engine that computes for ever must not hang a suite."""


class TookTooLong(KeyboardInterrupt):
    """Ends a run that would not end.  asyncio lets nothing else through that a callback raises."""


@contextlib.contextmanager
def _limited(secs: float) -> Iterator[None]:
    """Raise `TookTooLong` in what runs here after so long; only a main thread can be limited."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: Any) -> None:
        raise TookTooLong(f"the run did not end within {secs:g} s of real time")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, secs)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def perform(job: Job) -> Outcome:
    """Run a job in this process; whatever goes wrong in it is its outcome."""
    outcome = _once(job)
    if not job.twice or outcome.result.error is not None:
        return outcome
    again = _once(job).result
    return msgspec.structs.replace(outcome, again=again.error or again.digest)


def _once(job: Job) -> Outcome:
    try:
        with _limited(REAL_LIMIT_SECS):
            done = run(job.scenario, engines.load(job.engine), seed=job.seed)
        result = result_of(done)
        told = story(done.trace, result, START_NS)
    except (SetupError, engines.EngineError) as e:
        return job.failed(str(e), is_setup=True)
    except (HarnessError, TookTooLong) as e:
        return job.failed(str(e))
    except (Exception, SystemExit) as e:
        return job.failed(f"{type(e).__name__}: {e} ({_place(e)})")
    return job.outcome(result, told)


def _place(error: BaseException) -> str:
    """Return where an error was raised: nobody foresaw it, and its traceback is not shown."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
