"""Operating-system processes, as far as the simulation knows them.

Code belongs to the process that is named in its context.  asyncio copies the
context into every task and callback, so that all that a process has set going is
known to be its own, and can end with it.
"""

from __future__ import annotations

from contextvars import ContextVar


class ProcessExited(BaseException):
    """Ends the callback in which a simulated process ends: nothing after it is done."""


class Process:
    """One process; ``alive`` until it is killed, exits or crashes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True

    @property
    def node_name(self) -> str:
        """The node whose process it is."""
        return self.name.partition("#")[0]

    def __repr__(self) -> str:
        return f"Process({self.name!r}, {'alive' if self.alive else 'dead'})"


PROCESS: ContextVar[Process | None] = ContextVar("PROCESS", default=None)
"""The process in which the current code runs; None is the world outside."""


def refuse_the_dead(process: Process | None) -> None:
    """Raise `ProcessExited` when the process has ended in the midst of a callback.

    The world calls this at its doors, for a callback may go on for a while (a
    ``finally``, an exception that somebody catches) after its process has ended.
    """
    if process is not None and not process.alive:
        raise ProcessExited
