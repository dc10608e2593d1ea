"""Properties of an engine of one's own, tried with stories that Hypothesis draws.

    pytest examples/test_fuzz_my_engine.py

Each story is played by a world: the real NautilusTrader engine and adapter and a fake Binance, on
a virtual clock.  A story that violates a property fails the test, shrunk, with the scenario file
that repeats it.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.fuzz import StoryMachine, Worlds, mutations, scenarios
from sim.report.result import Result
from sim.scenario import Scenario, load

GIVEN = [load(path) for path in sorted(Path("scenarios/control").glob("*.yaml"))]

few = settings(
    max_examples=5,
    deadline=None,
    # One fixture for all stories is right: it keeps nothing between two of them.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@few
@given(story=scenarios(st.just(frozenset({"kills", "disconnections"}))))
def test_every_fill_is_applied_once(recon_world: Worlds, story: Scenario) -> None:
    """Whatever is cut and killed."""
    fills = recon_world.check(story).result.fills

    assert fills.lost == fills.duplicated == 0


@few
@given(story=mutations(GIVEN))
def test_what_is_like_a_known_story(recon_world: Worlds, story: Scenario) -> None:
    """A known story with something else happening around it."""
    recon_world.check(story)


class ByHand(StoryMachine):
    """A story that is told by rules; a subclass may add rules and invariants."""

    features = st.just(frozenset({"by-hand", "cancellations"}))

    def judged(self, result: Result) -> None:
        """Look at what came of a story, which violates none of the properties."""
        assert result.fills.phantom == 0


TestByHand = ByHand.TestCase
TestByHand.settings = settings(few, stateful_step_count=8)
