"""The long suite over sockets: each run has its file, and one that fails hides none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from sim.report.outcome import Outcome
from sim.runner import Job
from sim.wire import suite
from sim.wire.suite import main

FILE = "scenarios/control/orders-and-fills.yaml"


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return the verdicts of each engine, which a test may set."""
    chosen = {"stock": ["pass"], "recon": ["pass", "pass"]}

    def outcomes_of(jobs: Sequence[Job], _: int) -> Iterator[Outcome]:
        assert all(job.over_sockets for job in jobs)
        for job in jobs:
            outcome = job.failed("made up")
            result = msgspec.structs.replace(
                outcome.result,
                verdict=chosen[job.engine].pop(0),
                error=None,
            )
            yield msgspec.structs.replace(outcome, result=result)

    monkeypatch.setattr(suite, "fitting", list)
    monkeypatch.setattr(suite, "outcomes_of", outcomes_of)
    return chosen


def arguments(folder: Path) -> list[str]:
    return [str(folder), "--recon", "2", "--stock", "1", FILE]


def test_each_run_has_a_file_of_its_results(
    tmp_path: Path, verdicts: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
):
    assert main(arguments(tmp_path)) == 0

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "recon-1.ndjson",
        "recon-2.ndjson",
        "stock-1.ndjson",
    ]
    line = json.loads((tmp_path / "recon-2.ndjson").read_text())
    assert (line["scenario"], line["engine"], line["verdict"]) == (FILE, "recon", "pass")
    assert "recon-2: 1 pass; " in capsys.readouterr().out


@pytest.mark.parametrize("verdict", ["fail", "inconclusive", "error"])
def test_a_run_of_recon_that_does_not_pass_fails_the_suite_at_its_end(
    tmp_path: Path, verdicts: dict[str, list[str]], verdict: str
):
    verdicts["recon"][0] = verdict

    assert main(arguments(tmp_path)) == 1
    assert (tmp_path / "recon-2.ndjson").read_text()


def test_what_stock_gets_wrong_is_for_the_table_to_judge(
    tmp_path: Path, verdicts: dict[str, list[str]]
):
    verdicts["stock"][0] = "fail"

    assert main(arguments(tmp_path)) == 0


def test_a_path_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(tmp_path), str(tmp_path / "nothing.yaml")]) == 2
    assert "error: " in capsys.readouterr().err
