"""The table of verdicts over sockets: what is read, what needs a reason, what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from sim.report import wire
from sim.report.wire import (
    BEGIN,
    END,
    Row,
    Unfit,
    Verdict,
    Violated,
    idle,
    main,
    read,
    rows_of,
    table,
    unexplained,
)

GOOD = "scenarios/control/orders-and-fills.yaml"
BAD = "scenarios/restart/warm-after-a-fill.yaml"
SHOWS = {GOOD: "fill-lost", BAD: "phantom-fill"}


def verdict(scenario: str, engine: str, word: str = "pass", *violated: str, **more: Any) -> Verdict:
    violations = tuple(map(Violated, violated))
    return Verdict(scenario, engine, word, SHOWS[scenario], violations, **more)


def row(scenario: str, stock: list[Verdict], recon: list[Verdict], *, fails: bool = False) -> Row:
    expected = ("fail", SHOWS[scenario]) if fails else ("pass",)
    return Row(
        scenario,
        {
            "stock": verdict(scenario, "stock", *expected),
            "recon": verdict(scenario, "recon"),
        },
        {"stock": tuple(stock), "recon": tuple(recon)},
    )


def passing(scenario: str, engine: str, times: int) -> list[Verdict]:
    return [verdict(scenario, engine)] * times


def put(path: Path, *verdicts: Verdict) -> None:
    lines = [msgspec.json.encode(each).decode() + "\n" for each in verdicts]
    path.write_text("".join(lines))


@pytest.fixture(autouse=True)
def no_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run what is run in virtual time in this process: two scenarios are too few for more."""
    monkeypatch.setattr(wire.os, "process_cpu_count", lambda: 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with what two scenarios came to, as they do in virtual time."""
    put(
        tmp_path / "stock-1.ndjson",
        verdict(GOOD, "stock"),
        verdict(BAD, "stock", "fail", "phantom-fill", "position-mismatch"),
    )
    for number in (1, 2):
        put(tmp_path / f"recon-{number}.ndjson", verdict(GOOD, "recon"), verdict(BAD, "recon"))
    return tmp_path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return a page without a table."""
    path = tmp_path / "page.md"
    path.write_text(f"# A page\n\n{BEGIN}\n\nstale\n\n{END}\n\nAnd more.\n")
    return path


# -- what is written ----------------------------------------------------------------------


def test_a_page_is_written_from_what_was_kept(
    folder: Path, page: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "kills.txt").write_text("200 kills, 400 fills: 0 lost\n  more\n")

    assert main([str(folder), "--page", str(page)]) == 0

    text = page.read_text()
    assert text.startswith(f"# A page\n\n{BEGIN}\n\nInputs: `")
    assert text.endswith(f"{END}\n\nAnd more.\n")
    assert "SIGKILLs: 200 kills, 400 fills: 0 lost." in text
    assert "2 scenarios: `recon` passes 4 of 4 runs" in text
    assert "stock comes to the verdict of virtual time in 2 of 2" in text
    assert "| `fill-lost` | pass | pass | pass | pass 2/2 |  |" in text
    assert "| `phantom-fill` | **fail** | **fail** | pass | pass 2/2 |  |" in text
    assert "2 scenarios" in capsys.readouterr().out


def test_a_difference_stands_there_with_its_reason():
    differs = row(GOOD, [verdict(GOOD, "stock", "inconclusive")], passing(GOOD, "recon", 5))

    written = table([differs], {("control/orders-and-fills", "stock"): "the clock is real."})

    assert "| pass | inconclusive | pass | pass 5/5 | stock: the clock is real. |" in written


def test_runs_that_differ_from_each_other_are_counted():
    recon = [*passing(GOOD, "recon", 4), verdict(GOOD, "recon", "inconclusive")]
    written = table(
        [row(GOOD, passing(GOOD, "stock", 1), recon)],
        {("control/orders-and-fills", "recon"): "it was busy."},
    )

    assert "| pass 4/5, inconclusive 1/5 | recon: it was busy. |" in written


# -- what needs a reason ------------------------------------------------------------------


def test_a_difference_without_a_reason_ends_the_command_and_writes_nothing(
    folder: Path, page: Path, capsys: pytest.CaptureFixture[str]
):
    before = page.read_text()
    put(
        folder / "stock-1.ndjson",
        verdict(GOOD, "stock"),
        verdict(BAD, "stock", "inconclusive", reasons=("restart at 5s had no effect",)),
    )

    assert main([str(folder), "--page", str(page)]) == 1

    assert page.read_text() == before
    said = capsys.readouterr().err
    assert said.startswith("error: no reason is known for what differs:\n")
    assert (
        "restart/warm-after-a-fill with stock is **fail** in virtual time, and over sockets "
        "1 of 1 times inconclusive: restart at 5s had no effect"
    ) in said
    assert "orders-and-fills" not in said


def test_failing_by_another_property_is_a_difference():
    others = [verdict(BAD, "stock", "fail", "order-mismatch")]
    [said] = unexplained([row(BAD, others, passing(BAD, "recon", 5), fails=True)], {})

    assert "fail by others: order-mismatch" in said
    reasons = {("restart/warm-after-a-fill", "stock"): "luck."}
    assert unexplained([row(BAD, others, passing(BAD, "recon", 5), fails=True)], reasons) == []


@pytest.mark.parametrize("word", ["fail", "inconclusive", "error"])
def test_nothing_excuses_recon(word: str):
    recon = [*passing(GOOD, "recon", 4), verdict(GOOD, "recon", word, error="died")]
    reasons = {("control/orders-and-fills", "recon"): "it was busy."}

    [said] = unexplained([row(GOOD, passing(GOOD, "stock", 1), recon)], reasons)

    assert "1 of 5 times" in said
    assert "died" in said


def test_a_reason_that_is_not_needed_is_only_noted(
    folder: Path, page: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(wire, "REASONS", {("control/orders-and-fills", "stock"): "luck."})

    assert main([str(folder), "--page", str(page)]) == 0
    said = capsys.readouterr().out
    assert "note: control/orders-and-fills with stock has a reason to differ, and did not" in said


def test_a_reason_that_is_needed_is_not_noted():
    differs = row(GOOD, [verdict(GOOD, "stock", "inconclusive")], passing(GOOD, "recon", 5))

    assert idle([differs], {("control/orders-and-fills", "stock"): "luck."}) == []


# -- what is read -------------------------------------------------------------------------


def test_runs_of_other_scenarios_are_refused(folder: Path):
    put(folder / "recon-2.ndjson", verdict(GOOD, "recon"))

    with pytest.raises(Unfit, match=f"recon-2 is not of the same scenarios.*{BAD}"):
        read(folder)


def test_a_folder_without_results_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([str(tmp_path)]) == 1
    assert "has no results of stock and recon; run `make wire`" in capsys.readouterr().err


def test_what_is_no_result_is_said(folder: Path, page: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "recon-1.ndjson").write_text("{}\n")

    assert main([str(folder), "--page", str(page)]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_rows_are_in_the_order_of_the_runs(folder: Path):
    kept = read(folder)
    virtual = {engine: kept[engine][0] for engine in kept}

    assert [each.scenario for each in rows_of(virtual, kept)] == [GOOD, BAD]
