"""What tests of others use: worlds that play stories, and a machine that tells them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from sim.engines import EngineError
from sim.fuzz import StoryMachine, Violated, Worlds
from sim.fuzz.features import drawn
from sim.scenario import ScenarioError, loads

TEXT = """
format: 1
title: A story
shows: fill-lost
venue: {symbols: [SOLUSDT]}
node: {reconciliation_interval_secs: 60}
timeline:
  - {at: 1s, drop_event: {event: ORDER_TRADE_UPDATE, execution: TRADE}}
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "150"}}
  - {at: 4s, fill: {order: O-1, quantity: "1"}}
"""


@pytest.mark.parametrize("form", ["text", "file", "scenario"])
def test_a_story_is_played_in_whatever_form(form: str, tmp_path: Path):
    file = tmp_path / "story.yaml"
    file.write_text(TEXT)
    story = {"text": TEXT, "file": file, "scenario": loads(TEXT, "story.yaml")}[form]
    outcome = Worlds().play(story)

    assert outcome.result.verdict == "pass"
    assert outcome.result.fills.applied == 1


def test_a_violation_fails_with_the_story_and_its_file():
    with pytest.raises(Violated) as caught:
        Worlds("stock-defaults").check(loads(TEXT, "story.yaml"))

    told = str(caught.value)
    assert "✗ fill-lost" in told
    assert loads(told[told.index("format: 1") :], "told.yaml") == loads(TEXT, "story.yaml")


def test_the_engine_of_a_call_goes_before_that_of_the_worlds():
    worlds = Worlds("stock-defaults")

    assert worlds.check(TEXT, "recon").result.engine == "recon"
    assert worlds.play(TEXT).result.violated


def fails_to_start(node: object) -> None:
    raise KeyError("planted")


def test_a_harness_that_fails_is_told_too():
    with pytest.raises(Violated, match="planted"):
        Worlds(f"{__name__}:fails_to_start").check(TEXT)


def test_what_is_wrong_is_said_at_once():
    with pytest.raises(ScenarioError):
        Worlds().play("format: 1\n")
    with pytest.raises(EngineError):
        Worlds("rocen").play(TEXT)


def test_the_fixture_is_for_everybody(recon_world: Worlds):
    assert isinstance(recon_world, Worlds)
    assert recon_world.engine == "recon"


# -- the machine --------------------------------------------------------------------------

FEW = settings(
    max_examples=20, deadline=None, stateful_step_count=6, database=None, derandomize=True
)


def test_each_word_has_a_rule():
    rules = {name.removeprefix("tell_") for name in vars(StoryMachine) if name.startswith("tell_")}

    assert rules == drawn()


def test_a_machine_plays_what_it_has_told():
    judged = []

    class Told(StoryMachine):
        features = st.just(frozenset({"by-hand"}))

        def judged(self, result):
            assert self.story is not None
            words = {record.action.word for record in self.story.timeline}
            judged.append((result.engine, words))

    run_state_machine_as_test(Told, settings=FEW)

    assert judged
    assert {engine for engine, _ in judged} == {"recon"}
    allowed = {"submit", "fill", "web_submit", "web_cancel", "web_modify"}
    assert all(words <= allowed for _, words in judged)


def crashes(node) -> None:
    def on_event(event) -> None:
        raise KeyError("planted")

    node.kernel.msgbus.subscribe("events.order.*", on_event)


def test_a_machine_fails_with_its_story():
    class Failing(StoryMachine):
        engine = f"{__name__}:crashes"
        features = st.just(frozenset({"cancellations"}))

    with pytest.raises(Violated) as caught:
        run_state_machine_as_test(Failing, settings=settings(FEW, phases=(Phase.generate,)))

    told = str(caught.value)
    assert "KeyError: 'planted'" in told
    assert "submit" in told[told.index("timeline:") :]
