"""A fleet: a real scheduler and real workers of Dask, in processes of this machine."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
from click.testing import CliRunner
from distributed import LocalCluster

from sim.cli import main
from sim.fleet import outcomes_of_fleet
from sim.runner import Job
from sim.scenario import load
from sim.workers import outcomes_of
from tests.unit.commands import FAILS, PASSES, write
from tests.unit.fleet_jobs import EndsItsWorker, Exits, Killed, NoPickle, Raises, Square, Waits

CONFIG = {
    "distributed.scheduler.allowed-failures": 1,
    "distributed.worker.memory.terminate": False,
}


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[str]:
    """A scheduler and its workers, one job each at a time; all of it is gone afterwards."""
    with (
        dask.config.set(CONFIG),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=":0", processes=True
        ) as running,
    ):
        yield running.scheduler_address


@pytest.fixture(scope="module")
def fleet() -> Iterator[str]:
    with cluster(2) as address:
        yield address


def test_outcomes_come_in_the_order_of_the_jobs_from_several_processes(fleet: str):
    found = list(outcomes_of_fleet([Square(n) for n in range(20)], fleet))

    assert [square for square, _ in found] == [n * n for n in range(20)]
    assert 1 <= len({process for _, process in found} - {os.getpid()}) <= 2


def test_no_jobs_have_no_outcomes(fleet: str):
    assert list(outcomes_of_fleet([], fleet)) == []


@pytest.mark.parametrize(
    ("job", "error"),
    [
        (Exits(7), "the process of this run exited with 7"),
        (Killed(7), "the process of this run was ended by SIGKILL"),
        (Raises(7), "the process of this run exited with 1"),
    ],
)
def test_what_ends_its_process_has_failed_as_without_a_fleet_and_nothing_else_has(
    fleet: str, job: Square, error: str
):
    jobs = [Square(1), job, Square(2), Square(3)]
    found = list(outcomes_of_fleet(jobs, fleet))

    assert found[1] == (7, error)
    assert [found[n][0] for n in (0, 2, 3)] == [1, 4, 9]
    assert list(outcomes_of([job], 2)) == [found[1]]


def test_what_cannot_be_sent_is_told_before_anything_runs(fleet: str):
    with pytest.raises(TypeError, match=r"this job stays here|Could not serialize"):
        list(outcomes_of_fleet([Square(1), NoPickle(2)], fleet))


def test_a_job_whose_worker_is_gone_is_done_by_another_and_nothing_is_lost(
    fleet: str, tmp_path: Path
):
    (tmp_path / "once").touch()
    jobs = [Square(1), EndsItsWorker(tmp_path), *(Square(n) for n in range(2, 10))]
    first, end, *others = outcomes_of_fleet(jobs, fleet)

    assert first[0] == 1
    assert end == "done"
    assert [square for square, _ in others] == [n * n for n in range(2, 10)]
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_ends_one_worker_after_the_other_has_failed(fleet: str, tmp_path: Path):
    for n in range(10):
        (tmp_path / str(n)).touch()
    (end,) = outcomes_of_fleet([EndsItsWorker(tmp_path)], fleet)

    assert end.startswith("the fleet has not done this run: ")
    assert len(list(tmp_path.iterdir())) == 8


def test_a_process_ends_with_its_worker():
    with cluster(1) as address:
        ((_, process),) = outcomes_of_fleet([Square(1)], address)
        handle = os.pidfd_open(process)
    try:
        ended, _, _ = select.select([handle], [], [], 60)
    finally:
        os.close(handle)

    assert ended == [handle]


def test_what_is_not_begun_is_taken_back_when_nobody_wants_more(fleet: str, tmp_path: Path):
    marks, gate = tmp_path / "marks", tmp_path / "gate"
    marks.mkdir()
    os.mkfifo(gate)
    waiting = [Waits(marks / str(n), gate) for n in range(20)]
    outcomes = outcomes_of_fleet([Square(0), *waiting], fleet)
    next(outcomes)
    outcomes.close()
    opened = os.open(gate, os.O_RDWR)
    try:
        os.write(opened, b"x" * len(waiting))
        list(outcomes_of_fleet([Square(n) for n in range(4)], fleet))
    finally:
        os.close(opened)

    assert len(list(marks.iterdir())) < len(waiting)


def test_runs_are_the_same_on_a_fleet(fleet: str, folder: Path):
    for number, text in enumerate([PASSES, FAILS]):
        write(folder, f"{number}.yaml", text)
    scenarios = [load(folder / "0.yaml"), load(folder / "1.yaml")]
    jobs = [Job(scenario=each, engine="stock", label="stock") for each in scenarios]
    digests = [outcome.result.digest for outcome in outcomes_of(jobs, 1)]

    assert [outcome.result.digest for outcome in outcomes_of_fleet(jobs, fleet)] == digests
    assert len(set(digests)) == 2


def test_that_nobody_answers_is_an_error():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "100ms"}),
        pytest.raises(OSError, match="Timed out"),
    ):
        list(outcomes_of_fleet([Square(1)], "tcp://127.0.0.1:9"))


def test_a_campaign_hunts_on_a_fleet(fleet: str, tmp_path: Path):
    call = ("fuzz", "--seed", "5", "--examples", "52", "--database", "none", "--out", str(tmp_path))
    told = []
    for where in (("--jobs", "1"), ("--on", fleet)):
        done = CliRunner().invoke(main, [*call, *where])
        assert done.exit_code == 0, done.output
        told.append(done.stdout)

    assert "judged: fill-lost" in told[0]
    assert told[0] == told[1]


def test_an_address_has_a_scheme():
    done = CliRunner().invoke(main, ["fuzz", "--on", "somewhere"])

    assert done.exit_code == 2
    assert "tcp://10.0.0.7:8786, not 'somewhere'" in done.output
