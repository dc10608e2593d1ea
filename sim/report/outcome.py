"""What came of one run, for whoever tells it."""

from __future__ import annotations

import msgspec

from sim.report.result import Result
from sim.report.story import Line


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job."""

    result: Result
    engine: str
    """The engine as the command line names it."""
    replay: str
    """The command that repeats the run."""
    story: tuple[Line, ...] = ()
    is_setup: bool = False
    """Whether the run could not begin: the scenario or the engine has to be changed."""
    again: str | None = None
    """What the repetition yielded: its digest, or why it has none."""

    @property
    def is_deterministic(self) -> bool:
        """Whether the repetition, if there was one, was the same run."""
        return self.again in (None, self.result.digest)
