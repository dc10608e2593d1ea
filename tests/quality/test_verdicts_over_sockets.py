"""The page of verdicts over sockets is of the files as they are, and `recon` passes all of it."""

from __future__ import annotations

import re
import shlex

import pytest

from sim.releases import ROOT
from sim.report.readme import suite_results
from sim.report.wire import BEGIN, END, PAGE, REASONS, inputs_hash, short, verdict_of
from sim.scenario import load
from sim.suite import scenario_files
from sim.wire.pace import misfit

RUNS = 5
"""How often `recon` is run."""

TEXT = (ROOT / PAGE).read_text()
PART = TEXT.partition(BEGIN)[2].partition(END)[0]
FOUND = re.findall(r"^\| \[[^\]]+\]\(\.\./scenarios/([^)]+)\) \| (.*) \|$", PART, re.M)
ROWS = {f"scenarios/{path}": cells.split(" | ") for path, cells in FOUND}


def selected() -> list[str]:
    """Return the scenarios that `make wire` runs: those of its selection that fit."""
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    words = re.search(r"^WIRE :=(.*)$", makefile, re.M)
    assert words is not None
    folders = re.search(r"addprefix scenarios/,([^)]*)", words[1])
    files = re.search(r"wildcard ([^)]*)", words[1])
    assert folders is not None
    assert files is not None
    paths = [ROOT / "scenarios" / name for name in shlex.split(folders[1])]
    paths += [path for each in shlex.split(files[1]) for path in sorted(ROOT.glob(each))]
    found = [path.relative_to(ROOT) for path in scenario_files(paths)]
    return [path.as_posix() for path in found if misfit(load(path)) is None]


def test_the_page_is_of_the_files_as_they_are():
    assert list(ROWS) == selected(), "the page is stale: run `make wire`"
    assert f"Inputs: `{inputs_hash(list(ROWS))}`" in PART, "the page is stale: run `make wire`"


def test_there_are_enough_of_them():
    assert len(ROWS) >= 40


@pytest.mark.parametrize("name", ROWS)
def test_recon_passes_in_all_its_runs(name: str):
    _, _, _, virtual, wire, _ = ROWS[name]

    assert virtual == "pass"
    count = re.fullmatch(r"pass (\d+)/(\d+)", wire)
    assert count is not None
    assert count[1] == count[2]
    assert int(count[2]) >= RUNS


def test_verdicts_in_virtual_time_are_of_a_real_run():
    for column, engine in ((1, "stock"), (3, "recon")):
        found = {each.scenario: verdict_of(each).word for each in suite_results()[engine]}
        assert {name: cells[column] for name, cells in ROWS.items()} == {
            name: found[name] for name in ROWS
        }, f"the page is stale for {engine}: run `make wire`"


@pytest.mark.parametrize("name", ROWS)
def test_what_differs_has_its_reason(name: str):
    shows, stock_virtual, stock_wire, *_, remark = (cell.strip() for cell in ROWS[name])

    assert shows == f"`{load(ROOT / name).shows}`"
    assert (stock_virtual != stock_wire) == bool(remark)
    if remark:
        assert remark == f"stock: {REASONS[short(name), 'stock']}"


def test_a_reason_is_of_a_scenario_that_there_is():
    assert {name for name, _ in REASONS} <= {short(name) for name in ROWS}
    assert {engine for _, engine in REASONS} <= {"stock"}


def test_processes_were_killed_and_nothing_was_lost():
    kills = re.search(r"^SIGKILLs: (\d+) kills, .*$", PART, re.M)
    assert kills is not None
    assert int(kills[1]) >= 200 * 0.9, "a machine that is busy may be late for some"
    assert kills[0].endswith(": 0 lost, 0 duplicated, 0 phantom; 0 violations.")
