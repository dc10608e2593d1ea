"""The README says what is true: its tables are those of a real run of the suite."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.report import gaps
from sim.report.gaps import GAPS, gap_table, path_of, with_gaps
from sim.report.readme import BEGIN, suite_results, suite_table, with_table

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text()


def test_the_suites_table_is_of_a_real_run():
    assert with_table(TEXT, suite_table(suite_results())) == TEXT, (
        "the README's table is stale: run `python -m sim.report.readme`"
    )


def test_the_table_of_gaps_is_of_a_real_run():
    assert with_gaps(TEXT, gap_table(suite_results())) == TEXT, (
        "the README's table is stale: run `python -m sim.report.gaps`"
    )


@pytest.mark.parametrize("gap", GAPS)
def test_stock_has_each_gap_and_recon_has_not(gap: str):
    found = {
        engine: next(r for r in results if r.scenario == path_of(GAPS[gap]).as_posix())
        for engine, results in suite_results().items()
    }

    assert found["stock"].shows in found["stock"].violated
    assert found["recon"].verdict == "pass"


@pytest.mark.parametrize("begin", [BEGIN, gaps.BEGIN])
def test_a_readme_without_markers_is_refused(begin: str):
    for write in (with_table, with_gaps):
        with pytest.raises(ValueError, match="the page has no"):
            write(f"# Title\n{begin}\n", "table")


def test_writing_twice_is_writing_once():
    for write in (with_table, with_gaps):
        assert write(write(TEXT, "table"), "table") == write(TEXT, "table")


def test_the_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)[)#]", TEXT):
        assert (README.parent / target).exists(), target
