"""Jobs on a fleet of machines, by Dask: each runs where a worker is free.

A worker of Dask runs what it is given in a thread.  A run needs a process, because it
changes what is global, is timed by a signal, and may end its process.  So a worker has a
process of its own for each job that it does at a time, and keeps it for the next one.
What ends such a process ends no worker: it is known which job it was.

The machines need the same Python, packages and checkout as this one: a digest is of one build.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence

from distributed import Client

from sim.workers import Task, ended

_SERVE = """
import sys
from multiprocessing.connection import Connection
from sim.workers import serve
serve(Connection(int(sys.argv[1])))
"""


def outcomes_of_fleet[T](jobs: Sequence[Task[T]], address: str) -> Generator[T]:
    """Run jobs on a fleet and yield their outcomes in order, each as soon as all before are known.

    ``address`` is that of Dask's scheduler ("tcp://10.0.0.7:8786").  Raises `OSError` when
    none answers.  A job whose worker is gone is done again by another; how often that may
    happen before it has failed is the scheduler's (``distributed.scheduler.allowed-failures``).
    Closing the iterator takes back what is not begun.
    """
    with Client(address, set_as_default=False) as client:
        futures = client.map(_performed, jobs, pure=False)
        for job, future in zip(jobs, futures, strict=True):
            try:
                outcome = future.result()
            except Exception as e:
                outcome = job.failed(f"the fleet has not done this run: {e}")
            future.release()
            yield outcome


class Fleet:
    """Does jobs on the fleet at an address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __call__[T](self, jobs: Sequence[Task[T]], /) -> Iterator[T]:
        return outcomes_of_fleet(jobs, self._address)


class _Process:
    """A process of a worker that runs jobs; it ends when its worker does."""

    def __init__(self) -> None:
        self.connection, theirs = multiprocessing.Pipe()
        number = theirs.fileno()
        # `multiprocessing` would refuse: a worker is a daemon in its words.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", _SERVE, str(number)],
            pass_fds=[number],
            start_new_session=True,  # no Ctrl-C reaches it
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        theirs.close()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> str:
        """Wait for its end and say how it ended."""
        self.connection.close()
        return ended(self._process.wait())


_idle: list[_Process] = []
"""Those of this worker that have no job."""


def _performed[T](job: Task[T]) -> T:
    """Run one job, on a worker."""
    process = _free()
    try:
        process.connection.send(job)
        outcome: T = process.connection.recv()
    except (EOFError, OSError):
        return job.failed(f"the process of this run {process.end()}")
    _idle.append(process)
    return outcome


def _free() -> _Process:
    while True:
        try:
            process = _idle.pop()
        except IndexError:
            return _Process()
        if process.is_alive:
            return process
        process.end()  # it ended after its last job
