"""The command line: what it prints, writes and returns."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.unit.commands import FAILS, INCONCLUSIVE, KNOWN, MALFORMED, PASSES, recon, write


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
            MALFORMED,
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
        (
            ["--engine", "nonsense"],
            "unknown engine 'nonsense'; use stock, stock-defaults, recon",
        ),
        (["--engine", "no.such:thing"], "cannot import no.such"),
        (["--engine", "sim.engines:nothing"], "sim.engines has no 'nothing'"),
        (["--engine", "sim.trace:Trace"], "is none: it has neither 'configure' nor 'attach'"),
        (["--engine", "sim.engines:Attached"], "cannot be made: TypeError"),
        (["--sed", "1"], "No such option '--sed'. Did you mean '--seed'?"),
        (["--seed", "-1"], "-1 is not in the range"),
        (["--jobs", "some"], "'some' is not a valid integer"),
        (["--jobs", "-1"], "-1 is not in the range"),
        (["--property", "nonsense"], "'nonsense' is not one of 'fill-lost'"),
        (["--ndjson", "-", "--junit", "-"], "cannot both go to standard output"),
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


def test_a_known_failure_is_told_when_it_is_the_only_run(folder: Path):
    known, unknown = write(folder, "k.yaml", KNOWN), write(folder, "u.yaml", FAILS)

    assert "replay: recon run k.yaml" in recon(known).output
    both = recon(known, unknown).output
    assert "replay: recon run k.yaml" not in both
    assert "replay: recon run u.yaml" in both


def test_a_startup_is_told_with_its_times(folder: Path):
    printed = recon(write(folder, "s.yaml", PASSES)).output

    assert re.search(r"a startup took at most 0\.\d virtual s and \d+\.\d\d CPU s\)", printed)


def test_any_run_is_told_on_request(folder: Path):
    told = recon(write(folder, "s.yaml", PASSES), "--story").output.splitlines()

    assert told[0] == "s.yaml: An order is sent and filled [stock] pass"
    assert any("OrderFilled O-1" in line for line in told)
    assert all(line == line.rstrip() for line in told if line[:1] == " ")


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


def junit(folder: Path, texts: dict[str, str], *arguments: str) -> ElementTree.Element:
    names = [write(folder, f"{name}.yaml", text) for name, text in texts.items()]
    recon(*names, "--junit", "out.xml", *arguments)
    return ElementTree.parse(folder / "out.xml").getroot()


def test_a_junit_report_has_a_case_for_each_run(folder: Path):
    suite = junit(folder, {"pass": PASSES, "known": KNOWN, "new": FAILS, "none": INCONCLUSIVE})
    cases = {
        case.attrib["name"]: [(found.tag, found.attrib["type"]) for found in case] for case in suite
    }

    assert cases == {
        "pass.yaml": [],
        "known.yaml": [],
        "new.yaml": [("failure", "fail")],
        "none.yaml": [("failure", "inconclusive")],
    }
    counted = {name: suite.attrib[name] for name in ("tests", "failures", "errors")}
    assert counted == {"tests": "4", "failures": "2", "errors": "0"}


def test_a_failure_in_junit_says_why_and_how_to_repeat_it(folder: Path):
    text = KNOWN + 'expect: {venue_position: {BTCUSDT: "2"}}\n'
    (found,) = junit(folder, {"s": text}, "--seed", "3").iter("failure")
    assert found.text is not None
    lines = found.text.splitlines()

    assert found.attrib["message"].startswith("fail, not as expected: violated phantom-fill")
    assert lines[0].startswith("phantom-fill: BTCUSDT")
    assert lines[-2] == "inconclusive: the venue holds 1 BTCUSDT (BOTH), not 2"
    assert lines[-1] == "replay: recon run s.yaml --engine stock --seed 3"


def refuses(node: Any) -> None:
    raise ValueError("nothing\x1b here")


def test_an_error_in_junit_is_valid_xml_whatever_it_says(folder: Path):
    (found,) = junit(folder, {"s": PASSES}, "--engine", f"{__name__}:refuses").iter("error")

    assert found.attrib["type"] == "error"
    assert "failed in attach: ValueError: nothing\ufffd here" in found.attrib["message"]


def test_a_run_that_differs_from_its_repetition_fails_in_junit(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    calls = iter(range(100))
    monkeypatch.setattr("sim.trace.Trace.digest", lambda self: f"digest-{next(calls)}")
    (found,) = junit(folder, {"s": PASSES}, "--twice").iter("failure")

    assert found.attrib["type"] == "not-deterministic"
    assert found.attrib["message"] == "not deterministic: digest-0 and digest-1"


def test_junit_to_standard_output_is_nothing_else(folder: Path):
    result = recon(write(folder, "s.yaml", PASSES), "--junit", "-")

    assert ElementTree.fromstring(result.stdout.encode()).attrib["tests"] == "1"
    assert "1 passed" in result.stderr


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


def dislikes_thirty(node: Any) -> None:
    if node.kernel.exec_engine.open_check_interval_secs == 30:
        raise KeyError("nothing here")


REFUSED = f"engine '{__name__}:dislikes_thirty' failed in attach: KeyError: 'nothing here'"


def test_what_cannot_be_set_up_does_not_drop_the_other_results(folder: Path):
    others = PASSES.replace("interval_secs: 30", "interval_secs: 31")
    names = [
        write(folder, name, text)
        for name, text in (("a.yaml", others), ("b.yaml", PASSES), ("c.yaml", others))
    ]
    reports = ("--ndjson", "out.ndjson", "--junit", "out.xml")
    result = recon(*names, "--engine", f"{__name__}:dislikes_thirty", *reports)
    records = [json.loads(line) for line in (folder / "out.ndjson").read_text().splitlines()]

    assert result.exit_code == 2
    assert result.stderr == f"error: b.yaml: {REFUSED}\n"
    assert [(r["scenario"], r["verdict"], r.get("error")) for r in records] == [
        ("a.yaml", "pass", None),
        ("b.yaml", "error", REFUSED),
        ("c.yaml", "pass", None),
    ]
    (row,) = [line for line in result.stdout.splitlines() if line.startswith("b ")]
    assert row.split()[1] == "error"
    assert REFUSED in row
    assert "3 runs: 2 passed, 1 in error; 1 not as expected" in result.stdout
    assert ElementTree.parse(folder / "out.xml").getroot().attrib["errors"] == "1"
    assert "replay" not in result.stdout


def test_an_error_that_nobody_foresaw_is_the_harness_s(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*arguments: Any) -> None:
        raise ZeroDivisionError("nobody foresaw it")

    monkeypatch.setattr("sim.report.result.judge", broken)
    result = recon(write(folder, "s.yaml", PASSES))

    assert result.exit_code == 4
    assert "harness error: ZeroDivisionError: nobody foresaw it (test_cli.py:" in result.stdout


def test_every_bad_file_is_named(folder: Path):
    write(folder, "a.yaml", MALFORMED)
    write(folder, "b.yaml", PASSES)
    write(folder, "c.yaml", MALFORMED)
    result = recon(".")
    lines = result.output.splitlines()

    assert result.exit_code == 2
    assert [line.partition(":8:")[0] for line in lines] == ["error: a.yaml", "error: c.yaml"]


def test_two_reports_do_not_go_to_one_file(folder: Path):
    result = recon(write(folder, "s.yaml", PASSES), "--ndjson", "out", "--junit", "out")

    assert result.exit_code == 2
    assert result.output == "error: --ndjson and --junit cannot both go to one file\n"


@pytest.mark.parametrize("option", ["--ndjson", "--junit"])
def test_a_full_disk_is_told_in_one_line(folder: Path, option: str):
    result = recon(write(folder, "s.yaml", PASSES), option, "/dev/full")

    assert result.exit_code == 2
    assert "error: /dev/full: cannot be written: No space left on device" in result.output
