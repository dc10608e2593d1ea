"""What the command line runs: which scenarios, with which engines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sim.cli import main
from tests.unit.commands import FAILS, KNOWN, MALFORMED, PASSES, recon, write


@pytest.fixture
def three(folder: Path) -> Path:
    """Return a folder with three scenarios."""
    write(folder, "scenarios/a.yaml", PASSES)
    write(folder, "scenarios/b/known.yaml", KNOWN)
    write(folder, "scenarios/c.yaml", PASSES.replace("fill-lost", "order-mismatch"))
    return folder


def ran(folder: Path, *arguments: str) -> list[tuple[str, str]]:
    """Return the scenario and the engine of each run."""
    recon(*arguments, "--ndjson", "out.ndjson")
    records = map(json.loads, (folder / "out.ndjson").read_text().splitlines())
    return [(record["scenario"].removeprefix("scenarios/"), record["engine"]) for record in records]


def test_scenarios_are_selected_by_what_they_show(three: Path):
    assert ran(three, "--property", "phantom-fill") == [("b/known.yaml", "stock")]
    assert ran(three, "--property", "order-mismatch", "--property", "fill-lost") == [
        ("a.yaml", "stock"),
        ("c.yaml", "stock"),
    ]


@pytest.mark.parametrize("command", ["run", "list"])
def test_a_selection_of_nothing_is_a_usage_error(three: Path, command: str):
    arguments = [command, "--property", "crash", "--property", "fill-wrong"]
    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 2
    assert result.output == "error: no scenario here shows crash or fill-wrong\n"


def test_scenarios_are_listed(three: Path):
    result = CliRunner().invoke(main, ["list"])

    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "scenarios/a.yaml        fill-lost       An order is sent and filled",
        "scenarios/b/known.yaml  phantom-fill    An order is sent and filled",
        "scenarios/c.yaml        order-mismatch  An order is sent and filled",
    ]


def test_a_selection_is_listed(three: Path):
    result = CliRunner().invoke(main, ["list", "scenarios/b", "--property", "phantom-fill"])

    assert result.output == "scenarios/b/known.yaml  phantom-fill  An order is sent and filled\n"


def test_a_bad_file_is_not_listed(folder: Path):
    result = CliRunner().invoke(main, ["list", write(folder, "s.yaml", MALFORMED)])

    assert result.exit_code == 2
    assert result.output.startswith("error: s.yaml:8:")


BOTH = ("--engine", "stock-defaults", "--engine", "stock", "--engine", "stock-defaults")


def test_each_engine_runs_everything_once(three: Path):
    assert ran(three, "scenarios/a.yaml", "scenarios/c.yaml", *BOTH) == [
        ("a.yaml", "stock-defaults"),
        ("c.yaml", "stock-defaults"),
        ("a.yaml", "stock"),
        ("c.yaml", "stock"),
    ]


def test_each_engine_has_a_table(folder: Path):
    output = recon(write(folder, "s.yaml", PASSES), *BOTH).output
    headings = [line.split(" on ")[0] for line in output.splitlines() if " on " in line]

    assert headings == ["engine stock-defaults", "engine stock"]
    assert "2 runs: 2 passed; all as expected" in output


def replays(result: Result) -> list[str]:
    """Return the commands that stories end with."""
    lines = (line.partition("replay: ") for line in result.output.splitlines())
    return [command.strip() for _, found, command in lines if found]


def test_each_story_names_its_own_engine(folder: Path):
    assert replays(recon(write(folder, "s.yaml", FAILS), *BOTH)) == [
        "recon run s.yaml --engine stock-defaults",
        "recon run s.yaml --engine stock",
    ]


class Renamed:
    """An engine whose name is not what it is loaded by."""

    name = "somebody"

    def configure(self, config: object, spec: object) -> object:
        return config


def test_the_replay_command_names_an_engine_as_it_is_loaded(folder: Path):
    name = f"{__name__}:Renamed"
    result = recon(write(folder, "s.yaml", FAILS), "--engine", name)

    assert "[somebody] fail" in result.output
    assert replays(result) == [f"recon run s.yaml --engine {name}"]
