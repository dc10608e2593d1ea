"""The catalogue: what counts as exercised, and what `recon faults` says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sim.catalogue import Examination, Finding
from sim.cli import main
from sim.scenario import loads
from sim.scenario.actions import ACTIONS
from tests.unit.commands import MALFORMED, PASSES, write


def faults(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["faults", *arguments])


def examined(*records: str) -> Finding:
    text = PASSES + "".join(f"  - {record}\n" for record in records)
    return Examination(scenario=loads(text), engine="stock").perform()


def test_a_fault_that_changes_something_is_exercised():
    early = PASSES.replace("timeline:\n", "timeline:\n  - {at: 1s, drop_event: {order: O-1}}\n")
    found = Examination(scenario=loads(early), engine="stock").perform()

    assert found.exercised == ("drop_event", "submit", "fill")
    assert found.idle == ()


@pytest.mark.parametrize(
    "record",
    [
        pytest.param("{at: 30s, drop_event: {order: O-1}}", id="never acts"),
        pytest.param("{at: 30s, lag_reads: {by: 1ms, for: 40m}}", id="acts on every read"),
    ],
)
def test_a_fault_that_changes_nothing_is_found_out(record: str):
    """The second one says that it acts, and both make the run as it is longer."""
    found = examined(record)

    assert found.error is None
    assert found.idle == (ACTIONS[record.split()[2].rstrip(":")].word,)


def test_what_had_no_effect_is_not_exercised():
    found = examined("{at: 20s, web_cancel: {order: O-1}}")

    assert found.idle == ("web_cancel",)


def test_the_command_says_what_is_not_exercised(folder: Path):
    name = write(folder, "s.yaml", PASSES + "  - {at: 30s, drop_event: {order: O-1}}\n")
    result = faults(name, "--engine", "stock", "--ndjson", "out.ndjson")
    records = {
        record["word"]: record
        for record in map(json.loads, (folder / "out.ndjson").read_text().splitlines())
    }

    assert result.exit_code == 1
    assert "changes nothing in s.yaml" in result.output
    assert set(records) == set(ACTIONS)
    assert records["fill"]["exercised"]
    assert records["fill"]["scenarios"] == ["s.yaml"]
    assert not records["drop_event"]["exercised"]
    assert records["drop_event"]["idle"] == ["s.yaml"]
    assert records["drop_event"]["layer"] == "stream"


def test_it_is_good_when_all_is_exercised(folder: Path, monkeypatch: pytest.MonkeyPatch):
    for word in ACTIONS.keys() - {"submit", "fill"}:
        monkeypatch.delitem(ACTIONS, word)

    assert faults(write(folder, "s.yaml", PASSES), "--engine", "stock").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--engine", "nonsense"], "error: unknown engine 'nonsense'"),
        (["nowhere.yaml"], "error: nowhere.yaml: no such file or folder"),
        (["bad.yaml"], "error: bad.yaml:8:"),
    ],
)
def test_misuse_is_one_clear_error(folder: Path, arguments: list[str], said: str):
    write(folder, "bad.yaml", MALFORMED)
    result = faults(*arguments)

    assert result.exit_code == 2
    assert result.output.startswith(said)
