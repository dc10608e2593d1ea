"""Crash points: all that happens has a name, and a kill there is judged for what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.events import OrderAccepted, OrderFilled

from sim import engines
from sim.clock import START_NS
from sim.crash.fates import FATES, killed
from sim.crash.kept import keep
from sim.crash.points import Passed, record
from sim.crash.runs import Crash, Tallied, crashes
from sim.recon_engine import Recon
from sim.report.result import result_of
from sim.scenario import Scenario, dump, load, loads
from sim.scenario.points import parse_point
from sim.world import World, run

ROOT = Path(__file__).parents[2] / "scenarios"

STORY = """
format: 1
title: An order is filled
shows: fill-lost
venue: {symbols: [BTCUSDT]}
node: {reconciliation_interval_secs: 60}
timeline:
  - {at: -1h, price: {price: "51000"}}
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 5s, fill: {order: O-1, quantity: "1"}}
expect: {venue_position: {BTCUSDT: "1"}}
known: {stock: {fails: [fill-lost]}}
"""

MANY = (
    "restart/warm-after-a-fill.yaml",
    "several/joins-a-trading-account.yaml",
    "disconnect/duplicated-fill-event.yaml",
    "ws_api/socket-closed.yaml",
    "conditional/stop-market-live.yaml",
)
"""Several processes, several nodes, copies of events, requests by WebSocket, other events."""


@pytest.fixture
def story() -> Scenario:
    return loads(STORY, "story.yaml")


class Half(Recon):
    """Keeps a record in two writes, and cannot start with the first one alone."""

    name = "half"
    alerts = None

    def attach(self, node: Any) -> None:
        cache = node.cache
        if cache.get("mine") == b"half":
            raise ValueError("what I have kept is not whole")
        super().attach(node)

        def on_event(event: Any) -> None:
            if isinstance(event, OrderAccepted | OrderFilled):
                cache.add("mine", b"half" if isinstance(event, OrderAccepted) else b"whole")

        node.kernel.msgbus.subscribe("events.order.*", on_event)


def passed_in(scenario: Scenario, engine: str = "recon") -> tuple[Passed, ...]:
    return record(scenario, engines.load(engine)).points


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("engine", ["recon", "stock"])
def test_each_point_is_reached_where_it_was_passed(name: str, engine: str):
    scenario = load(ROOT / name)
    make = engines.load(engine)
    recording = record(scenario, make)
    world = World(scenario, make, scenario.seed)
    begin = world.points.begin

    def arm(node: str) -> None:
        begin(node)
        for each in recording.points:
            if each.node == node:
                point = parse_point(each.point)
                world.points.arm(point, f"!{each.point}", lambda: None, node=node)

    world.points.begin = arm  # type: ignore[method-assign]
    done = world.run()
    reached = [
        (row.at_ns - START_NS, row.subject.removeprefix("!"), row.details)
        for row in done.trace.rows
        if row.kind == "point" and row.subject.startswith("!")
    ]

    passed = [(each.at_ns, each.point, each.process) for each in recording.points]
    assert sorted(reached) == sorted(passed)
    assert len({each.point for each in recording.points}) == len(passed) > 100


@pytest.mark.parametrize("name", MANY)
def test_all_that_happens_has_a_name(name: str):
    scenario = load(ROOT / name)
    recording = record(scenario, engines.load("recon"))
    rows = [row for row in recording.run.trace.rows if row.at_ns <= recording.run.healed_ns]
    of_moment = [parse_point(each.point).moment for each in recording.points]
    starts_ns = min(node.starts_ns for node in scenario.each_node.values())

    assert recording.unnamed == 0
    # The trace, which knows nothing of points, has a row for each request of a node.
    asked = [row for row in rows if row.kind == "request" and row.at_ns >= START_NS + starts_ns]
    assert of_moment.count("after request") == len(asked)
    assert of_moment.count("before request") == len(asked)
    assert of_moment.count("after write") > 0
    assert 0 < of_moment.count("after event") <= sum(row.kind == "frame" for row in rows)


def test_each_write_is_a_point(story: Scenario):
    world = World(story, engines.load("recon"), story.seed)
    done = world.run()
    written = [write.at_ns for write in world.nodes[0].log.writes if write.at_ns <= done.healed_ns]
    points = [each for each in passed_in(story) if each.point.startswith("after write")]

    assert [each.at_ns + START_NS for each in points] == written
    assert points[0].point == "after write 1 of currencies:BTC"
    assert "after write 4 of orders:O-1" in [each.point for each in points]


def test_the_points_are_the_same_again(story: Scenario):
    assert passed_in(story) == passed_in(story)


def test_a_recording_changes_nothing(story: Scenario):
    make = engines.load("recon")
    assert record(story, make).run.trace.digest() == run(story, make).trace.digest()


def test_a_killed_story_is_a_file(story: Scenario):
    points = passed_in(story)
    made = [killed(story, passed, fate) for passed in points for fate in FATES]
    scenarios = [each[0] for each in made if each is not None]
    records = [each[0].timeline[each[1]] for each in made if each is not None]

    assert len(scenarios) == len({dump(each) for each in scenarios})
    for scenario in scenarios:
        assert loads(dump(scenario), "x.yaml") == scenario
        assert not scenario.known
        assert not scenario.expect.venue_position
    assert {record.at_ns for record in records} == {0}
    assert [each.action.word for each in scenarios[0].timeline] == [
        *("price", "restart", "submit", "fill"),
    ]


def test_fates_that_lose_nothing_are_skipped(story: Scenario):
    by_name = {each.point: each for each in passed_in(story)}
    first = by_name["before request 1 of nt GET /fapi/v1/exchangeInfo"]
    filling = by_name["after write 4 of orders:O-1"]
    late = [each for each in by_name.values() if each.at_ns > 90_000_000_000]

    assert (first.lose_ns, first.tear) == (None, None)
    assert filling.lose_ns == 2_000_000_000
    assert filling.tear is None, "there is one write, and nothing would be lost of it"
    assert late
    assert all(each.tear is None for each in late)
    kinds = {fate: killed(story, first, fate) is not None for fate in FATES}
    assert kinds == {"kept": True, "stale": False, "torn": False, "lost": True}


def test_every_length_is_torn(story: Scenario):
    torn = [
        made[0].timeline[made[1]].action
        for passed in passed_in(story)
        if (made := killed(story, passed, "torn")) is not None
    ]
    assert {action.order for action in torn} == {"O-1"}
    assert {action.keep for action in torn} == set(range(1, 11))


@pytest.mark.parametrize("fate", FATES)
def test_what_an_engine_loses_is_found_exactly_there(fate: Any, story: Scenario):
    engine = f"{__name__}:Half"
    points = passed_in(story, engine)
    names = [each.point for each in points]
    # From the write of the half until that of the whole: these are the states it cannot load.
    first = names.index("after write 1 of general:mine")
    last = names.index("after write 2 of general:mine")
    half_ns, whole_ns = points[first].at_ns, points[last].at_ns
    assert last - first > 10
    near = points[first - 4 : last + 4 : 4 if fate == "lost" else 1]
    made = {kill.passed.point: kill for kill in crashes(story, engine, near, [fate])}
    results = {point: kill.perform() for point, kill in made.items()}
    found = [point for point, result in results.items() if "crash" in result.violated]

    assert not [result.error for result in results.values() if result.error]
    match fate:
        case "kept":
            assert found == names[first:last]
        case "stale":
            until_ns = {each.point: each.at_ns - (each.lose_ns or 0) for each in near}
            assert found == [name for name in made if half_ns < until_ns[name] <= whole_ns]
        case "torn":
            # Whatever is torn of the fill, the whole record comes after it.
            assert found == list(made)
        case "lost":
            assert found == []
    assert (fate == "lost") == (not found)
    assert {v.property for r in results.values() for v in r.violations} <= {"crash", "stopped"}


def test_recon_is_right_at_each_point_of_a_fill(story: Scenario):
    filling = [each for each in passed_in(story) if 4_900_000_000 < each.at_ns < 6_500_000_000]
    tallied = Tallied()
    for kill in crashes(story, "recon", filling, FATES):
        result = kill.perform()
        assert result.error is None
        assert result.violated == (), (kill.passed.point, kill.fate)
        tallied.take(result)

    assert len(filling) >= 15
    assert tallied.runs > 3 * len(filling)
    assert tallied.verdicts["pass"] == tallied.runs


def test_a_kept_violation_fails_as_it_says(story: Scenario, tmp_path: Path):
    engine = f"{__name__}:Half"
    point = "after write 1 of general:mine"
    [passed] = [each for each in passed_in(story, engine) if each.point == point]
    kill = Crash(scenario=story, engine=engine, passed=passed, fate="kept")
    result = kill.perform()
    path = keep(kill, result, tmp_path)
    text = path.read_text()
    kept = load(path)
    again = result_of(run(kept, engines.load(engine)))

    assert text.startswith(f"# story.yaml: A#0 is killed {point}, the cache is kept\n# ")
    assert f"# replay: recon run {path} --engine {engine}\n" in text
    assert path.name.startswith("crash-")
    assert kept.shows == "crash"
    assert again.violated == result.violated
    assert keep(kill, result, tmp_path) == path


def test_a_story_that_goes_on_without_its_order_is_inconclusive(story: Scenario):
    point = "after write 1 of orders:O-1"
    [passed] = [each for each in passed_in(story) if each.point == point]
    tallied = Tallied()
    tallied.take(Crash(scenario=story, engine="recon", passed=passed, fate="kept").perform())

    assert tallied.verdicts == {"inconclusive": 1}
    assert tallied.reasons["fill had no effect: main has no order O-1 on BTCUSDT"] == 1
