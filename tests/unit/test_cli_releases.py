"""`recon bisect` and `recon new-issue`."""

from __future__ import annotations

from pathlib import Path

import nautilus_trader
import pytest
from click.testing import CliRunner, Result

from sim import engines, releases
from sim.cli import main
from sim.report.result import result_of
from sim.scenario import load
from sim.world import run

HERE = nautilus_trader.__version__
STORY = """\
format: 1
title: An order fills
shows: fill-lost
venue: {symbols: [BTCUSDT]}
timeline:
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 5s, fill: {order: O-1, quantity: "1"}}
"""


def recon(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "story.yaml"
    path.write_text(STORY)
    return path


# -- bisect ----------------------------------------------------------------------------


def test_a_scenario_is_judged_where_it_is_told_to(file: Path):
    python = releases.python_of(HERE)
    assert releases.judge(HERE, file, "recon", python) == releases.Run(HERE, True)


def test_what_is_violated_is_told(file: Path):
    file.write_text(STORY + "  - {at: 60s, restart: {}}\n")
    python = releases.python_of(HERE)
    found = releases.judge(HERE, file, "stock", python)

    assert found == releases.Run(HERE, True, ("phantom-fill", "position-mismatch"))
    assert "✗ phantom-fill" in releases.story(file, "stock", python)


def test_a_run_that_says_nothing_has_a_reason(file: Path):
    [fill] = [line for line in STORY.splitlines(keepends=True) if "fill:" in line]
    file.write_text(STORY.replace(fill, ""))
    found = releases.judge(HERE, file, "stock", releases.python_of(HERE))

    assert found.holds is None
    assert "had nothing to judge" in found.reason


def test_a_bad_scenario_says_so_on_the_release(file: Path):
    file.write_text("format: 1\n")
    found = releases.judge(HERE, file, "stock", releases.python_of(HERE))

    assert found.holds is None
    assert str(file) in found.reason


def test_an_unknown_release_is_refused():
    with pytest.raises(releases.ReleaseError, match=r"nautilus_trader 1\.2\.3 is not known"):
        releases.python_of("1.2.3")


def test_an_environment_that_cannot_be_made_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(releases, "ROOT", tmp_path)
    with pytest.raises(releases.ReleaseError, match=r"here is no tox\.ini"):
        releases.python_of("1.222.0")

    (tmp_path / "tox.ini").write_text(
        "[tox]\nskipsdist = true\n[testenv]\nskip_install = true\ndeps = -r none.txt\n"
    )
    built: list[str] = []
    with pytest.raises(releases.ReleaseError, match=r"nautilus_trader 1\.222\.0 cannot be made"):
        releases.python_of("1.222.0", lambda: built.append("1.222.0"))
    assert built == ["1.222.0"]


def test_bisect_prints_verdicts_both_stories_and_the_answer(
    file: Path, monkeypatch: pytest.MonkeyPatch
):
    """The environments are made up here; what they are asked and what is printed is not."""

    def judge(release: str, *_: object) -> releases.Run:
        is_good = release >= "1.224.0"
        return releases.Run(release, is_good, () if is_good else ("fill-lost", "crash"))

    monkeypatch.setattr(releases, "python_of", lambda *_: Path("python"))
    monkeypatch.setattr(releases, "judge", judge)
    monkeypatch.setattr(releases, "story", lambda *_: "the story\n")
    result = recon("bisect", str(file))

    assert result.exit_code == 0, result.output
    assert "1.221.0  violated (besides: crash)\n" in result.output
    assert "1.231.0  holds\n" in result.output
    assert result.output.count("the story") == 2
    assert result.output.endswith(
        "'fill-lost': 1.224.0 is the first on which it holds; on 1.223.0 it is violated\n"
    )


def test_bisect_ends_with_three_when_nothing_changes(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(releases, "python_of", lambda *_: Path("python"))
    monkeypatch.setattr(releases, "judge", lambda release, *_: releases.Run(release, True))
    result = recon("bisect", str(file))

    assert result.exit_code == 3
    assert "the same on all releases that were tried" in result.output


@pytest.mark.parametrize("option", ["--good", "--bad"])
def test_bisect_refuses_what_it_does_not_know(file: Path, option: str):
    result = recon("bisect", str(file), option, "1.2.3")

    assert result.exit_code == 2
    assert "error: 1.2.3 is not known; known are 1.221.0" in result.output


def test_bisect_refuses_a_bad_scenario(file: Path):
    file.write_text(STORY.replace("shows", "show"))
    result = recon("bisect", str(file))

    assert result.exit_code == 2
    assert f"error: {file}:3:1: unknown word 'show'" in result.output


# -- new-issue -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "name", "reference"),
    [
        (("815",), "0815-short-name.yaml", "NautilusTrader #815"),
        (("3104", "--name", "long-lived-leg"), "3104-long-lived-leg.yaml", "NautilusTrader #3104"),
        (("9", "--project", "Lean.IB"), "lean.ib-9-short-name.yaml", "Lean.IB #9"),
    ],
)
def test_a_new_issue_runs_as_it_is(
    tmp_path: Path, args: tuple[str, ...], name: str, reference: str
):
    result = recon("new-issue", *args, "--folder", str(tmp_path / "issues"))
    path = tmp_path / "issues" / name

    assert result.exit_code == 0, result.output
    assert f"recon run {path}" in result.output
    scenario = load(path)
    assert scenario.reference == reference
    done = result_of(run(scenario, engines.load("recon")))
    assert done.verdict == "pass"


def test_every_line_of_the_template_that_is_commented_out_can_be_used(tmp_path: Path):
    recon("new-issue", "1", "--folder", str(tmp_path))
    path = tmp_path / "0001-short-name.yaml"
    path.write_text(path.read_text().replace("  # - {", "  - {"))

    assert len(load(path).timeline) == 5


def test_an_issue_that_has_a_file_is_refused(tmp_path: Path):
    (tmp_path / "guards").mkdir()
    (tmp_path / "guards" / "0007-another-name.yaml").touch()
    result = recon("new-issue", "7", "--folder", str(tmp_path))

    assert result.exit_code == 2
    assert "error: there is a file of that issue: " in result.output


@pytest.mark.parametrize("option", [("--name", "Two words"), ("--project", "a/b")])
def test_what_makes_no_file_name_is_refused(tmp_path: Path, option: tuple[str, str]):
    result = recon("new-issue", "7", *option, "--folder", str(tmp_path))

    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []
