"""The pages say what is true: their tables are those of a real run of the suite."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.report import gaps
from sim.report.gaps import GAPS, GAPS_PAGE, gap_table, path_of, with_gaps
from sim.report.readme import (
    BEGIN,
    FOLDERS,
    README,
    SUITE,
    SUITE_PAGE,
    suite_results,
    suite_table,
    summary,
    with_table,
)

ROOT = Path(__file__).parents[2]
PAGES = [README, SUITE_PAGE, *(path.relative_to(ROOT) for path in ROOT.glob("docs/*.md"))]


def text_of(page: Path) -> str:
    return (ROOT / page).read_text()


def test_the_readmes_table_is_of_a_real_run():
    text = text_of(README)
    assert with_table(text, summary(suite_results())) == text, (
        "the README's table is stale: run `python -m sim.report.readme`"
    )


def test_the_suites_table_is_of_a_real_run():
    text = text_of(SUITE_PAGE)
    assert with_table(text, suite_table(suite_results())) == text, (
        "the suite's table is stale: run `python -m sim.report.readme`"
    )


def test_the_table_of_gaps_is_of_a_real_run():
    text = text_of(GAPS_PAGE)
    assert with_gaps(text, gap_table(suite_results())) == text, (
        "the table of gaps is stale: run `python -m sim.report.gaps`"
    )


def test_each_folder_of_scenarios_is_said_to_be_about_something():
    files = (path.relative_to(ROOT / SUITE) for path in (ROOT / SUITE).rglob("*.yaml"))
    assert {path.parts[0] for path in files} == set(FOLDERS)


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


@pytest.mark.parametrize(("page", "write"), [(README, with_table), (GAPS_PAGE, with_gaps)])
def test_writing_twice_is_writing_once(page: Path, write: Callable[[str, str], str]):
    text = text_of(page)
    assert write(write(text, "table"), "table") == write(text, "table")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_links_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#:]+)[)#]", text_of(page)):
        assert (ROOT / page.parent / target).exists(), target
