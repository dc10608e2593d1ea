"""Bug reports that the installed release still has: each is caught by its own defect.

Most stories that end with an open position break on it through gap G1, too.  So each is told
once more with G1 repaired in memory: what it shows must still be broken.
"""

from __future__ import annotations

from pathlib import Path

import nautilus_trader
import pytest

from sim.report.issues import ISSUES
from sim.report.result import result_of
from sim.scenario import Scenario, load
from sim.suite import scenario_files
from sim.world import run
from tests.scenarios.test_gaps import WITHOUT_G1

IS_G1 = "4736-warm-restart-flattens.yaml"
"""The report of G1 itself."""


def fails_here(scenario: Scenario) -> bool:
    entries = [e for e in scenario.known.get("stock", ()) if e.covers(nautilus_trader.__version__)]
    return any(scenario.shows in entry.fails for entry in entries)


STORIES = [path for path in scenario_files([ISSUES]) if fails_here(load(path))]


@pytest.mark.parametrize(
    "path", [path for path in STORIES if path.name != IS_G1], ids=lambda path: path.name
)
def test_a_report_is_not_of_g1(path: Path):
    scenario = load(path)
    result = result_of(run(scenario, WITHOUT_G1))

    assert scenario.shows in result.violated
    assert not result.reasons


def test_the_report_of_g1_is():
    [path] = [path for path in STORIES if path.name == IS_G1]
    assert result_of(run(load(path), WITHOUT_G1)).verdict == "pass"


def test_how_an_issue_is_replayed_ends_with_the_file_that_is_shipped():
    page = Path("docs/replay-an-issue.md").read_text()
    shipped = (ISSUES / "3104-long-lived-short-leg.yaml").read_text()
    story, known = (block.partition("```")[0] for block in page.split("```yaml\n")[1:])

    assert story + known == shipped
