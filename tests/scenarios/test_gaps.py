"""The known gaps of the released engine: each is caught by the property that describes it.

Most stories of gaps end with an open position, and there gap G1 (a symbol asked for under
two spellings) breaks much besides.  So each story is also told to the released engine with
that one defect repaired in memory: what it shows must still be broken, or the story tells
of G1 and of nothing else.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nautilus_trader.config import TradingNodeConfig

from sim import engines
from sim.report.gaps import GAPS, UNSHOWN, path_of
from sim.report.repairs import REPAIRS, without
from sim.report.result import result_of
from sim.scenario import Scenario, load, loads
from sim.suite import scenario_files
from sim.world import run

WITHOUT_G1 = without("G1")


def referred(path: Path) -> list[str]:
    """The gaps that a scenario refers to."""
    return re.findall(r"\bG\d+\b", load(path).reference or "")


@pytest.mark.parametrize("gap", GAPS)
def test_a_gap_is_caught_by_what_its_scenario_shows(gap: str):
    path = path_of(GAPS[gap])
    scenario = load(path)
    assert gap in referred(path)

    # Of G1 itself nothing is left when it is repaired.
    for engine in (engines.load("stock"), *([WITHOUT_G1] if gap != "G1" else [])):
        result = result_of(run(scenario, engine))
        assert scenario.shows in result.violated
        assert not result.reasons


def test_each_gap_that_a_scenario_refers_to_is_in_the_table_or_said_not_to_be():
    found = {gap for path in scenario_files(()) for gap in referred(path)}

    assert found <= set(GAPS) | set(UNSHOWN)
    assert not set(GAPS) & set(UNSHOWN)


@pytest.mark.parametrize("gap", ["G18", "G33", "G45"])
def test_what_breaks_beside_a_gap_that_is_not_shown_is_g1(gap: str):
    """The page says so of scenarios that refer to a gap which no property of them judges."""
    [path] = [path for path in scenario_files(()) if referred(path) == [gap]]
    assert path.as_posix().removesuffix(".yaml").removeprefix("scenarios/") in UNSHOWN[gap]

    assert result_of(run(load(path), engines.load("stock"))).violated
    assert result_of(run(load(path), WITHOUT_G1)).verdict == "pass"


@pytest.mark.parametrize(
    "name",
    ["restart/warm-after-a-fill", "disconnect/open-position", "disconnect/fill-while-disconnected"],
)
def test_with_the_spelling_repaired_gap_g1_is_gone(name: str):
    scenario = load(f"scenarios/{name}.yaml")

    assert "phantom-fill" in result_of(run(scenario, engines.load("stock"))).violated
    assert result_of(run(scenario, WITHOUT_G1)).verdict == "pass"


@pytest.mark.parametrize("gap", REPAIRS)
def test_with_a_gap_repaired_what_shows_it_is_gone(gap: str):
    """What is left beside it is G1."""
    scenario = load(path_of(GAPS[gap]))

    assert scenario.shows in result_of(run(scenario, engines.load("stock"))).violated
    assert scenario.shows not in result_of(run(scenario, without(gap))).violated
    assert result_of(run(scenario, without("G1", gap))).verdict == "pass"


def told_with(gap: str, old: str, new: str) -> Scenario:
    """The scenario of a gap, with another value in one place."""
    text = path_of(GAPS[gap]).read_text()
    assert text.count(old) == 1
    return loads(text.replace(old, new))


@pytest.mark.parametrize(
    ("gap", "old", "new"),
    [
        ("G32", "for: 4m", "for: 150s"),  # two checks instead of three
        ("G49", "weight_1m: 200", "weight_1m: 2400"),
    ],
)
def test_with_a_little_less_of_its_cause_a_gap_is_not_seen(gap: str, old: str, new: str):
    assert result_of(run(told_with(gap, old, new), WITHOUT_G1)).verdict == "pass"


# -- gaps that no property judges, with what is seen of them --------------------------


def test_gap_g29_is_seen_in_the_events_only():
    """A stale answer has an order accepted that is filled; its state is not changed by it."""
    scenario = load("scenarios/inflight/stale-answer-about-a-filled-order.yaml")
    done = run(scenario, engines.load("stock"))
    (process,) = done.observation.incarnations
    filled = next(n for n, e in enumerate(process.events) if e.status == "FILLED")

    again = [e for e in process.events[filled + 1 :] if e.kind == "OrderAccepted"]
    assert [(e.client_order_id, e.status) for e in again] == [("O-1", "FILLED")] * len(again)
    assert again


def test_gap_g33_is_seen_in_the_time_that_a_start_takes():
    """A start waits for a slow read beyond its own time limit; the fault excuses it."""
    done = run(load("scenarios/startup/slow-read.yaml"), engines.load("stock"))
    (_, second) = done.observation.incarnations
    (startup, *_) = second.calls

    assert startup.ended_ns is not None
    assert (startup.ended_ns - startup.began_ns) / 1e9 > TradingNodeConfig().timeout_reconciliation
    assert "too-slow" not in result_of(done).violated
