"""What tests of others use: a story is played, and a violation fails the test with its story."""

from __future__ import annotations

from pathlib import Path

from sim import engines
from sim.report.outcome import Outcome
from sim.report.terminal import story_text
from sim.runner import Job
from sim.scenario import Scenario, dump, load, loads


class Violated(AssertionError):
    """A story that violates a property; ``str`` of it is the story, and the file to keep."""


class Worlds:
    """Makes a world for each story: the fixture ``recon_world`` of the plugin for pytest.

    ``engine`` is the name of the engine that reconciles, as the command line takes it.
    """

    def __init__(self, engine: str = "recon") -> None:
        self.engine = engine

    def play(self, story: Scenario | Path | str, engine: str | None = None) -> Outcome:
        """Play a scenario, a file or its text to the end, and judge it.

        Raises `ScenarioError` for a text that is no scenario and `EngineError` for a name that
        is no engine.  What the harness itself fails at is in ``result.error``.
        """
        name = engine or self.engine
        label = engines.load(name)().name
        match story:
            case Path():
                scenario = load(story)
            case str():
                scenario = loads(story, "told.yaml")
            case _:
                # As its file would be, so that it can be replayed from that.
                scenario = loads(dump(story), "drawn.yaml")
        return Job(scenario=scenario, engine=name, label=label).perform()

    def check(self, story: Scenario | Path | str, engine: str | None = None) -> Outcome:
        """Play a story; raise `Violated` when a property is, or when the harness fails."""
        outcome = self.play(story, engine)
        result = outcome.result
        if result.error is not None:
            raise Violated(result.error)
        if result.violations:
            text = dump(story) if isinstance(story, Scenario) else str(story)
            told = story_text(result, outcome.story, outcome.replay)
            raise Violated(f"{told}\n\n{text}")
        return outcome
