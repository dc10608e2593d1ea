"""The page on writing scenarios: what it shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim import engines
from sim.clock import START_NS
from sim.report.reference import PAGE, with_reference
from sim.report.result import result_of
from sim.report.story import story
from sim.scenario import ScenarioError, loads
from sim.world import run

TEXT = PAGE.read_text()
[FILE] = [block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if "title:" in block]


def test_the_words_are_those_of_the_model():
    assert with_reference(TEXT) == TEXT, "the page is stale: run `python -m sim.report.reference`"


def test_the_example_gives_what_the_page_says():
    done = run(loads(FILE), engines.load("stock"))
    result = result_of(done)
    [known] = re.findall(r"stock: \{fails: \[(.*?)\]", TEXT)

    assert result.violated == tuple(known.split(", "))
    assert not result.reasons

    told = [f"{line.at} {line.text}" for line in story(done.trace, result, START_NS)]
    whole = " ".join(" ".join(told).split())
    [shown] = re.findall(r"my-report.yaml\n\.\.\.\n(.*?)```", TEXT, re.DOTALL)
    for line in re.split(r"\n(?=\s*\d+\.\d+s)", shown.strip("\n")):
        assert " ".join(line.split()) in whole


def test_the_example_of_an_error_is_one():
    wrong = FILE.replace("execution: TRADE}", "execution: TRADE, order: O-9}")
    [shown] = re.findall(r"error: scenarios/inflight/my-report.yaml:(.*)", TEXT)

    with pytest.raises(ScenarioError) as refused:
        loads(wrong, "x.yaml")

    line, _, what = str(refused.value).removeprefix("x.yaml:").partition(":")
    assert int(line) == FILE[: FILE.index("drop_event")].count("\n") + 1
    assert f"{line}:{what}" == shown


def test_the_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (PAGE.parent / target).exists(), target


def test_the_editors_line_leads_to_the_schema():
    [line] = {line for line in TEXT.splitlines() if line.startswith("# yaml-language-server")}
    path = Path("scenarios/inflight") / line.partition("$schema=")[2]
    assert path.resolve() == Path("sim/scenario/scenario.schema.json").resolve()
