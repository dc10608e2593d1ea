"""The page of bug reports is of the files as they are, and each is what it says."""

from __future__ import annotations

import re
from pathlib import Path

import nautilus_trader
import pytest

from sim.patches import VERSIONS
from sim.releases import ROOT, name_of
from sim.report.issues import (
    COMPARED,
    GUARDS,
    ISSUES,
    PAGE,
    WARM,
    cell,
    inputs_hash,
    verdict_of,
)
from sim.report.readme import suite_results
from sim.scenario import load
from sim.suite import scenario_files

TEXT = PAGE.read_text()
ROWS = dict(re.findall(r"^\| \[[^\]]+\]\(([^)]+)\) \|.*?\| `[a-z-]+` \| (.*) \|$", TEXT, re.M))
FILES = scenario_files([ISSUES])
REPORTS = [path for path in FILES if not path.is_relative_to(GUARDS)]


def name(path: Path) -> str:
    return path.relative_to(ISSUES).as_posix()


def cells(path: Path) -> list[str]:
    return ROWS[name(path)].split(" | ")


def test_the_page_is_of_the_files_as_they_are():
    assert f"Inputs: `{inputs_hash()}`" in TEXT, "the page is stale: run `make versions`"
    assert list(ROWS) == sorted(ROWS, key=lambda row: (row.startswith("guards/"), row))
    assert set(ROWS) == {name(path) for path in FILES}


def test_there_are_enough_of_them():
    assert len(REPORTS) >= 27


@pytest.mark.parametrize("path", REPORTS, ids=name)
def test_a_report_fails_on_a_release_and_recon_passes_it(path: Path):
    *stock, recon = cells(path)

    assert len(stock) == len(COMPARED)
    assert "**fails**" in stock
    assert recon == "pass"


@pytest.mark.parametrize("path", [path for path in FILES if path not in REPORTS], ids=name)
def test_a_guard_fails_nowhere(path: Path):
    *stock, recon = cells(path)

    assert "**fails**" not in stock
    assert recon == "pass"


def test_the_column_of_the_installed_release_is_of_a_real_run():
    column = COMPARED.index(nautilus_trader.__version__)
    found = {result.scenario: result for result in suite_results()["stock"]}

    for path in FILES:
        assert cells(path)[column] == cell(verdict_of(found[path.as_posix()])), path


@pytest.mark.parametrize("stem", WARM)
def test_a_warm_restart_fails_with_a_real_redis_where_it_fails_without(stem: str):
    path = ISSUES / f"{stem}.yaml"
    [line] = re.findall(rf"^\| {load(path).reference} \| ([^\n[]*) \|$", TEXT, re.M)
    *stock, _ = cells(path)

    assert line.split(" | ") == stock


def test_what_a_file_knows_of_a_release_is_what_the_page_says():
    """Elsewhere than on the newest, `known` decides by the property that is shown."""
    for path in REPORTS:
        scenario = load(path)
        for release, said in zip(COMPARED, cells(path), strict=False):
            entries = [e for e in scenario.known.get("stock", ()) if e.covers(release)]
            is_known = any(scenario.shows in entry.fails for entry in entries)
            assert is_known == (said == "**fails**"), (path, release)


def test_issue_3104_has_the_reporters_numbers():
    [line] = [line for line in TEXT.splitlines() if line.startswith("* NautilusTrader #3104")]
    assert "on 1.221.0" in line
    assert "at node A the position is 75 instead of -65" in line


def test_issue_3042_is_open_on_one_release_and_closed_on_another():
    [path] = [path for path in REPORTS if path.name.startswith("3042-")]
    said = dict(zip(COMPARED, cells(path), strict=False))

    assert said["1.222.0"] == "**fails**"
    assert said["1.231.0"] != "**fails**"


def test_each_release_has_its_pins():
    pinned = {path.stem for path in (ROOT / "requirements").glob("nautilus-*.txt")}
    assert pinned == {name_of(release) for release in VERSIONS if release != VERSIONS[-1]}

    factors = re.search(r"testenv:nautilus-\{(.*)\}", (ROOT / "tox.ini").read_text())
    assert factors is not None
    assert factors[1].split(",") == list(VERSIONS[:-1])
    for release in VERSIONS[:-1]:
        text = (ROOT / "requirements" / f"{name_of(release)}.txt").read_text()
        assert f"nautilus-trader=={release} " in text or f"nautilus_trader=={release} " in text
