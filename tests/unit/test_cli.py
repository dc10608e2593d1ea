"""The command line: what it prints, writes and returns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from sim.cli import main

PASSES = """
format: 1
title: An order is sent and filled
shows: fill-lost
venue: {symbols: [BTCUSDT]}
node: {reconciliation_interval_secs: 30}
timeline:
  - {at: 1s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 2s, fill: {order: O-1, quantity: "1"}}
"""

FAILS = PASSES + "  - {at: 20s, restart: {cache: kept}}\n"

KNOWN = FAILS.replace("shows: fill-lost", "shows: phantom-fill") + (
    "known: {stock: {fails: [phantom-fill, position-mismatch]}}\n"
)

INCONCLUSIVE = PASSES + "  - {at: 30s, drop_event: {order: O-1}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recon(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", *arguments])


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return name


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        pytest.param(PASSES, 0, "1 passed; all as expected", id="pass"),
        pytest.param(KNOWN, 0, "1 failed; all as expected", id="known failure"),
        pytest.param(FAILS, 1, "1 failed; 1 not as expected", id="new failure"),
        pytest.param(
            PASSES + "known: {stock: {fails: [fill-lost]}}\n",
            1,
            "1 passed; 1 not as expected",
            id="known failure that is gone",
        ),
        pytest.param(INCONCLUSIVE, 3, "1 inconclusive; 1 not as expected", id="inconclusive"),
        pytest.param(
            KNOWN + 'expect: {venue_position: {BTCUSDT: "2"}}\n',
            1,
            "1 failed; 1 not as expected",
            id="known failure of a story that did not happen",
        ),
        pytest.param(
            PASSES.replace("quantity", "quantiy", 1),
            2,
            "error: s.yaml:8:",
            id="bad scenario",
        ),
        pytest.param(
            PASSES.replace("node: {", "node: {exec_engine: {qsize: 0}, "),
            2,
            "error: s.yaml:6:29: qsize: Expected `int` >= 1",
            id="refused option",
        ),
    ],
)
def test_exit_codes(folder: Path, text: str, code: int, said: str):
    result = recon(write(folder, "s.yaml", text))

    assert result.exit_code == code, result.output
    assert said in result.output


def test_the_highest_class_decides(folder: Path):
    names = [write(folder, "a.yaml", INCONCLUSIVE), write(folder, "b.yaml", FAILS)]

    assert recon(*names).exit_code == 1


def test_a_bad_file_stops_before_anything_runs(folder: Path):
    names = [write(folder, "a.yaml", PASSES), write(folder, "b.yaml", "format: 2\n")]
    result = recon(*names, "--ndjson", "out.ndjson")

    assert result.exit_code == 2
    assert not (folder / "out.ndjson").exists()
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.yaml"], "nowhere.yaml: no such file or folder"),
        (["."], "no scenario file (*.yaml) in this folder"),
        (["--engine", "nonsense"], "unknown engine 'nonsense'; use stock, stock-defaults or"),
        (["--engine", "no.such:thing"], "cannot import no.such"),
        (["--engine", "sim.engines:nothing"], "sim.engines has no 'nothing'"),
        (["--engine", "sim.trace:Trace"], "is none: it has neither 'configure' nor 'attach'"),
        (["--engine", "sim.engines:Attached"], "cannot be made: TypeError"),
        (["--sed", "1"], "No such option '--sed'. Did you mean '--seed'?"),
        (["--seed", "-1"], "-1 is not in the range"),
    ],
)
def test_usage_errors(folder: Path, arguments: list[str], said: str):
    result = recon(*arguments)

    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize("option", ["--ndjson", "--junit"])
def test_a_report_that_cannot_be_written_stops_before_anything_runs(folder: Path, option: str):
    result = recon(write(folder, "s.yaml", PASSES), option, "nowhere/report")

    assert result.exit_code == 2
    assert result.output == "error: nowhere/report: cannot be written: No such file or directory\n"


def test_a_failing_run_is_told_as_a_story(folder: Path):
    result = recon(write(folder, "s.yaml", FAILS))
    lines = result.output.splitlines()

    assert lines[0] == "s.yaml: An order is sent and filled [stock] fail (UNEXPECTED)"
    assert any('{at: 2s, fill: {order: O-1, quantity: "1"}}' in line for line in lines)
    assert any("✗ phantom-fill: BTCUSDT" in line for line in lines)
    assert any("replay: recon run s.yaml --engine stock" in line for line in lines)


def test_a_passing_run_is_not_told(folder: Path):
    assert "replay" not in recon(write(folder, "s.yaml", PASSES)).output


def test_stories_can_be_left_out(folder: Path):
    assert "replay" not in recon(write(folder, "s.yaml", FAILS), "--quiet").output


def test_the_replay_command_carries_the_seed(folder: Path):
    result = recon(write(folder, "s.yaml", FAILS), "--seed", "9")

    assert "replay: recon run s.yaml --engine stock --seed 9" in result.output


def record(folder: Path, text: str, *arguments: str) -> dict[str, Any]:
    recon(write(folder, "s.yaml", text), "--ndjson", "out.ndjson", *arguments)
    (line,) = (folder / "out.ndjson").read_text().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_of_ndjson_holds_the_contract(folder: Path):
    found = record(folder, FAILS)

    assert found["scenario"] == "s.yaml"
    assert found["engine"] == "stock"
    assert found["nautilus_version"] == "1.231.0"
    assert (found["seed"], found["verdict"], found["expected"]) == (1, "fail", False)
    assert found["shows"] == "fill-lost"
    assert set(found["fills"]) == {
        "venue",
        "applied",
        "lost",
        "duplicated",
        "phantom",
        "opening",
    }
    assert set(found["violations"][0]) == {"property", "message", "at"}
    assert {v["property"] for v in found["violations"]} == {"phantom-fill", "position-mismatch"}
    assert found["virtual_seconds"] > 60
    assert found["wall_seconds"] > 0
    assert len(found["digest"]) == 32


def test_ndjson_to_standard_output_is_nothing_else(folder: Path):
    result = recon(write(folder, "s.yaml", PASSES), "--ndjson", "-")

    assert json.loads(result.stdout)["verdict"] == "pass"
    assert "1 passed" in result.stderr


def test_a_junit_report_has_a_case_for_each_run(folder: Path):
    texts = {"pass": PASSES, "known": KNOWN, "new": FAILS, "none": INCONCLUSIVE}
    names = [write(folder, f"{name}.yaml", text) for name, text in texts.items()]
    recon(*names, "--junit", "out.xml")
    suite = ElementTree.parse(folder / "out.xml").getroot()
    cases = {case.attrib["name"]: [child.tag for child in case] for case in suite}

    assert cases == {
        "pass.yaml": [],
        "known.yaml": [],
        "new.yaml": ["failure"],
        "none.yaml": ["skipped"],
    }
    counted = {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": "4", "failures": "1", "errors": "0", "skipped": "1"}
    assert "phantom-fill" in "".join(suite.itertext())


def test_another_seed_is_another_run_and_the_same_seed_the_same(folder: Path):
    one, two = record(folder, PASSES, "--seed", "5"), record(folder, PASSES, "--seed", "6")

    assert one["seed"] == 5
    assert one["digest"] == record(folder, PASSES, "--seed", "5")["digest"]
    assert one["digest"] != two["digest"]


def test_on_another_seed_only_what_is_shown_decides(folder: Path):
    exact = KNOWN.replace("fails: [phantom-fill, position-mismatch]", "fails: [phantom-fill]")

    assert not record(folder, exact)["expected"]
    assert record(folder, exact, "--seed", "5")["expected"]


def test_on_another_seed_a_failure_that_nobody_knows_is_not_expected(folder: Path):
    assert not record(folder, FAILS, "--seed", "5")["expected"]


def test_a_run_is_repeated_on_request(folder: Path):
    assert recon(write(folder, "s.yaml", PASSES), "--twice").exit_code == 0


def test_a_run_that_differs_from_its_repetition_has_its_own_exit_code(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    calls = iter(range(100))
    monkeypatch.setattr("sim.trace.Trace.digest", lambda self: f"digest-{next(calls)}")
    result = recon(write(folder, "s.yaml", PASSES), "--twice")

    assert result.exit_code == 5
    assert "not deterministic" in result.output


def test_a_failing_harness_has_its_own_exit_code(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(self: Any) -> None:
        raise ZeroDivisionError("the fake is broken")

    monkeypatch.setattr("sim.venue.Venue.check_invariants", broken)
    result = recon(write(folder, "s.yaml", PASSES))

    assert result.exit_code == 4
    assert "harness error: ZeroDivisionError: the fake is broken" in result.output


def attach_only(node: Any) -> None:
    """An engine may be a plain function."""
    assert node.kernel.exec_engine is not None


def test_a_function_is_an_engine(folder: Path):
    name = write(folder, "s.yaml", PASSES)

    assert recon(name, "--engine", f"{__name__}:attach_only").exit_code == 0


class OnlyAttaches:
    """Everything but a hook may be left out."""

    def attach(self, node: Any) -> None:
        assert node.kernel.exec_engine is not None


def test_an_engine_may_leave_out_what_it_does_not_need(folder: Path):
    result = recon(write(folder, "s.yaml", PASSES), "--engine", f"{__name__}:OnlyAttaches")

    assert result.exit_code == 0
    assert "OnlyAttaches" in result.output


def broken_attach(node: Any) -> None:
    raise KeyError("nothing here")


def test_an_engine_that_fails_to_attach_is_named(folder: Path):
    result = recon(write(folder, "s.yaml", PASSES), "--engine", f"{__name__}:broken_attach")

    assert result.exit_code == 2
    assert "broken_attach' failed in attach: KeyError: 'nothing here'" in result.output
