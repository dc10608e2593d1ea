"""Several processes: all is as with one, and what happens to a process is known."""

from __future__ import annotations

import json
import os
import posix
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sim.cli import Jobs
from tests.unit.commands import FAILS, INCONCLUSIVE, KNOWN, PASSES, recon, write

ROOT = Path(__file__).parents[2]

REAL_TIME = re.compile(
    r'(?<="wall_seconds":)[\d.]+|(?<="cpu_seconds":)[\d.]+|(?<= time=")[\d.]+'
    r"|(?<= in )[\d.]+(?= s[;)])|(?<= and )[\d.]+(?= CPU s)"
)


def dislikes_ten(node: Any) -> None:
    """Differs by the scenario in what it does."""
    if node.kernel.exec_engine.open_check_interval_secs == 10:
        raise KeyError("nothing here")


def every(secs: int, text: str = PASSES) -> str:
    return text.replace("interval_secs: 30", f"interval_secs: {secs}")


def run(folder: Path, jobs: int, *arguments: str) -> tuple[Result, list[str]]:
    """Return the result of a command and all that it printed or wrote, without real times."""
    reports = ("--ndjson", "out.ndjson", "--junit", "out.xml")
    result = recon(*arguments, *reports, "--jobs", str(jobs))
    written = [(folder / name).read_text() for name in ("out.ndjson", "out.xml")]
    return result, [REAL_TIME.sub("0", text) for text in (result.stdout, result.stderr, *written)]


def test_all_is_as_with_one_process(folder: Path):
    texts = [FAILS, PASSES, every(10), KNOWN, INCONCLUSIVE, every(60, FAILS), PASSES]
    for number, text in enumerate(texts):
        write(folder, f"{number}.yaml", text)
    arguments = (".", "--engine", f"{__name__}:dislikes_ten", "--engine", "stock", "--twice")
    one, told = run(folder, 1, *arguments)
    three, told_by_three = run(folder, 3, *arguments)

    assert told_by_three == told
    assert one.exit_code == three.exit_code == 2
    assert told[1].startswith("error: 2.yaml: engine")
    assert "14 runs: 5 passed, 6 failed, 2 inconclusive, 1 in error" in told[0]


def test_digests_are_those_of_one_process(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(ROOT)
    records = []
    for jobs in ("1", "2"):
        path = tmp_path / jobs
        recon(
            "scenarios/disconnect",
            "scenarios/restart",
            "--quiet",
            "--ndjson",
            str(path),
            "--jobs",
            jobs,
        )
        lines = map(json.loads, path.read_text().splitlines())
        records.append([(record["scenario"], record["digest"]) for record in lines])

    assert records[0] == records[1]
    assert all(digest for _, digest in records[0])


def is_killed_at_ten(node: Any) -> None:
    if node.kernel.exec_engine.open_check_interval_secs == 10:
        os.kill(os.getpid(), signal.SIGKILL)


def exits_at_ten(node: Any) -> None:
    """Exits by a name that no run replaces."""
    if node.kernel.exec_engine.open_check_interval_secs == 10:
        posix._exit(7)


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (is_killed_at_ten, "the process of this run was ended by SIGKILL"),
        (exits_at_ten, "the process of this run exited with 7"),
    ],
)
def test_a_process_that_dies_is_a_harness_error_of_its_run(folder: Path, engine: Any, said: str):
    for number, secs in enumerate([20, 10, 20, 10, 20]):
        write(folder, f"{number}.yaml", every(secs))
    result, _ = run(folder, 2, ".", "--engine", f"{__name__}:{engine.__name__}")
    records = [json.loads(line) for line in (folder / "out.ndjson").read_text().splitlines()]

    assert result.exit_code == 4
    assert [record["verdict"] for record in records] == ["pass", "error", "pass", "error", "pass"]
    assert {record.get("error") for record in records} == {None, said}
    assert result.output.count(f"harness error: {said}") == 2
    assert f"replay: recon run 1.yaml --engine {__name__}:{engine.__name__}" in result.output


BLOCKS = """
import os, signal

def attach(node):
    os.write(os.open("began", os.O_WRONLY), b".")
    signal.pause()
"""


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("ends", [os.kill, os.killpg], ids=["the command", "its group"])
def test_an_interrupt_ends_all_processes(folder: Path, jobs: int, ends: Any):
    names = [write(folder, name, PASSES) for name in ("a.yaml", "b.yaml")]
    write(folder, "blocks.py", BLOCKS)
    os.mkfifo("began")
    began = os.open("began", os.O_RDWR)
    command = [sys.executable, "-m", "sim", "run", *names, "--engine", "blocks:attach"]
    with subprocess.Popen(
        [*command, "--jobs", str(jobs), "--junit", "out.xml"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        for _ in range(jobs):
            # Standard error is ready when the command fails or ends.
            ready, _, _ = select.select([began, process.stderr], [], [])
            assert ready == [began], process.stderr.read()
            os.read(began, 1)
        ends(process.pid, signal.SIGINT)
        # It is at its end when the last process that holds it is.
        said = process.stderr.read()
    os.close(began)

    assert said == "interrupted in a.yaml\n"
    assert process.returncode == 130
    assert 'tests="0"' in (folder / "out.xml").read_text()


HEARS = """
import signal

def attach(node):
    if signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
        raise RuntimeError("an interrupt would be heard")
"""


@pytest.mark.parametrize(("jobs", "code"), [(1, 2), (2, 0)])
def test_no_interrupt_is_heard_by_workers(folder: Path, jobs: int, code: int):
    names = [write(folder, name, PASSES) for name in ("a.yaml", "b.yaml")]
    write(folder, "hears.py", HEARS)
    # In a fresh process: what starts together with its first worker must not undo this.
    command = [sys.executable, "-m", "sim", "run", *names, "--engine", "hears:attach"]
    done = subprocess.run(
        [*command, "--jobs", str(jobs)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )

    assert done.returncode == code, done.stderr


@pytest.mark.parametrize("value", ["auto", "0"])
def test_there_may_be_a_process_for_each_cpu(value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.process_cpu_count", lambda: 5)

    assert Jobs().convert(value, None, None) == 5
