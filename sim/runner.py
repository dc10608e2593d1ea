"""Runs as pieces of work: what is to be run, what came of it, how to repeat it."""

from __future__ import annotations

import contextlib
import shlex
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from sim import engines
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
    over_sockets: bool = False
    """Whether it is run in real time, over real sockets, with a real Redis."""

    @property
    def replay(self) -> str:
        """The command that repeats the run."""
        words = ["recon", "run", self.scenario.name, "--engine", self.engine]
        if self.over_sockets:
            words += ["--transport", "wire"]
        if self.seed is not None:
            words += ["--seed", str(self.seed)]
        return shlex.join(words)

    def perform(self) -> Outcome:
        """Run it in this process; whatever goes wrong in it is its outcome."""
        outcome = attempt(self._run, self.failed)
        if not self.twice or outcome.result.error is not None:
            return outcome
        again = attempt(self._run, self.failed).result
        return msgspec.structs.replace(outcome, again=again.error or again.digest)

    def _run(self) -> Outcome:
        if self.over_sockets:
            from sim.wire.world import run as run_over_sockets

            done = run_over_sockets(self.scenario, self.engine, seed=self.seed)
        else:
            done = run(self.scenario, engines.load(self.engine), seed=self.seed)
        result = result_of(done)
        return self.outcome(result, story(done.trace, result, done.origin_ns))

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


class Failed[T](Protocol):
    """Makes of an error what stands for a piece of work that failed."""

    def __call__(self, error: str, *, is_setup: bool = False) -> T: ...


def attempt[T](work: Callable[[], T], failed: Failed[T]) -> T:
    """Do a piece of work in this process; whatever goes wrong in it is what comes of it."""
    try:
        with _limited(REAL_LIMIT_SECS):
            return work()
    except (SetupError, engines.EngineError) as e:
        return failed(str(e), is_setup=True)
    except (HarnessError, TookTooLong) as e:
        return failed(str(e))
    except (Exception, SystemExit) as e:
        return failed(f"{type(e).__name__}: {e} ({_place(e)})")


def _place(error: BaseException) -> str:
    """Return where an error was raised: nobody foresaw it, and its traceback is not shown."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
