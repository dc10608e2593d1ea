"""Every scenario of the suite has the verdict that it claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim import engines
from sim.report.result import result_of
from sim.scenario import load
from sim.suite import scenario_files
from sim.world import run

FILES = scenario_files(())


@pytest.mark.parametrize("path", FILES, ids=[path.as_posix() for path in FILES])
def test_stock_does_what_the_file_says(path: Path):
    result = result_of(run(load(path), engines.load("stock")))

    assert result.expected, f"{result.verdict}: {result.violated} {result.reasons}"


def test_the_suite_is_not_all_of_one_kind():
    verdicts = {bool(load(path).known.get("stock")) for path in FILES}

    assert verdicts == {True, False}
