"""Jobs in several processes, with their outcomes in the order of the jobs.

Each worker has one job at a time and a pipe of its own, so that it is known which
job a worker died of.  No Ctrl-C reaches a worker: this process ends it.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Protocol

_spawning = multiprocessing.get_context("spawn")


class Task[T](Protocol):
    """A piece of work that another process may do."""

    def perform(self) -> T:
        """Do it and return what came of it, whatever goes wrong."""
        ...

    def failed(self, error: str) -> T:
        """Return what came of it when the process that did it has died."""
        ...


def outcomes_of[T](jobs: Sequence[Task[T]], workers: int) -> Generator[T]:
    """Run jobs and yield their outcomes in order, each as soon as all before it are known.

    One worker is this process itself.  Closing the iterator ends the others.
    """
    if workers > 1:
        yield from _in_processes(jobs, workers)
        return
    gc.freeze()
    yield from (job.perform() for job in jobs)


def _in_processes[T](jobs: Sequence[Task[T]], workers: int) -> Iterator[T]:
    waiting = deque(enumerate(jobs))
    done: dict[int, T] = {}
    idle: list[_Worker[T]] = []
    busy: dict[Connection, _Worker[T]] = {}
    reported = 0
    try:
        while reported < len(jobs):
            while waiting and len(busy) < workers:
                worker = idle.pop() if idle else _Worker()
                if not worker.is_alive:  # it ended after its last job
                    worker.finish()
                    worker = _Worker()
                busy[worker.connection] = worker
                worker.begin(*waiting.popleft())
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                worker = busy[connection]
                done[worker.number] = worker.outcome()
                del busy[connection]
                if worker.is_alive:
                    idle.append(worker)
            while reported in done:
                yield done.pop(reported)
                reported += 1
        while idle:
            idle[-1].finish()
            idle.pop()
    finally:
        for worker in (*idle, *busy.values()):
            worker.kill()


class _Worker[T]:
    """One process that runs jobs, from the outside."""

    def __init__(self) -> None:
        self.connection, theirs = _spawning.Pipe()
        self.number = 0
        self._process = _spawning.Process(target=serve, args=(theirs,))
        with _blocked_interrupts():
            self._process.start()
        theirs.close()

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def begin(self, number: int, job: Task[T]) -> None:
        """Hand over a job; `connection` has something to read when it is over."""
        self.number, self._job = number, job
        with contextlib.suppress(OSError):  # it is dead, as `outcome` will find
            self.connection.send(job)

    def outcome(self) -> T:
        """Return what came of the job: if the worker died, that it did."""
        try:
            outcome: T = self.connection.recv()
        except (EOFError, OSError):
            self.finish()
            return self._job.failed(f"the process of this run {self._end()}")
        return outcome

    def finish(self) -> None:
        """Let the process end of itself, so that what its engines wrote is flushed."""
        self.connection.close()
        self._process.join()

    def kill(self) -> None:
        """End the process whatever it does."""
        self._process.kill()
        self.finish()

    def _end(self) -> str:
        code = self._process.exitcode
        assert code is not None
        return ended(code)


def ended(code: int) -> str:
    """Say how a process ended, by its exit code: below zero it is the signal."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"


def serve(connection: Connection) -> None:
    """Run jobs until nobody sends any more."""
    gc.freeze()
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(connection.recv().perform())


@contextlib.contextmanager
def _blocked_interrupts() -> Iterator[None]:
    """Start a process in here to make it deaf to Ctrl-C; what this process gets is delayed.

    The resource tracker of `multiprocessing` must run before: its start unblocks.
    """
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
