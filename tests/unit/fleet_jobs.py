"""Jobs for a fleet, apart from their tests: who runs them needs nothing else."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, NamedTuple


class Square(NamedTuple):
    """A job that says which process did it."""

    number: int

    def perform(self) -> tuple[int, int]:
        return self.number**2, os.getpid()

    def failed(self, error: str) -> tuple[int, str]:
        return self.number, error


class Exits(Square):
    def perform(self) -> tuple[int, int]:
        os._exit(self.number)


class Killed(Square):
    def perform(self) -> tuple[int, int]:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


class Raises(Square):
    def perform(self) -> tuple[int, int]:
        raise ArithmeticError


class NoPickle(Square):
    def __reduce__(self) -> Any:
        raise TypeError("this job stays here")


class EndsItsWorker(NamedTuple):
    """Kills the worker that its process belongs to, as often as there are marks to take."""

    folder: Path

    def perform(self) -> str:
        for mark in sorted(self.folder.iterdir()):
            mark.unlink()
            worker = os.getppid()
            os.kill(worker, signal.SIGKILL)
            while os.getppid() == worker:
                pass  # until it is gone it would see how this process ends
            os._exit(0)
        return "done"

    def failed(self, error: str) -> str:
        return error


class Waits(NamedTuple):
    """Marks that it began, and ends when there is something for it behind the gate."""

    mark: Path
    gate: Path

    def perform(self) -> None:
        self.mark.touch()
        with self.gate.open("rb", buffering=0) as gate:
            gate.read(1)

    def failed(self, error: str) -> None:
        raise AssertionError(error)
