"""The README says what is true: its table is that of a real run."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.report.readme import BEGIN, suite_results, suite_table, with_table

README = Path(__file__).parents[2] / "README.md"


def test_the_suites_table_is_of_a_real_run():
    text = README.read_text()

    assert with_table(text, suite_table(suite_results())) == text, (
        "the README's table is stale: run `python -m sim.report.readme`"
    )


def test_a_readme_without_markers_is_refused():
    with pytest.raises(ValueError, match="the page has no"):
        with_table(f"# Title\n{BEGIN}\n", "table")


def test_writing_twice_is_writing_once():
    text = README.read_text()

    assert with_table(with_table(text, "table"), "table") == with_table(text, "table")
