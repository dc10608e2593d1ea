"""Draws stories until a planted bug shows, and says whether it showed as it should.

Rules:

* All bugs are tried with the same stories, in the same order: those of one seed, which are the
  stories of ``recon fuzz``.
* The first story that a bug fails decides.  One of the properties that the bug breaks must be
  among those that the story violates, else the bug is *caught by another* property.
* The sound engine of the same settings must pass that story.  One that it fails, too, proves
  nothing of the bug: it is passed over, and reported.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Literal

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from sim.fuzz import scenarios
from sim.fuzz.hunt import played
from sim.scenario import Scenario
from sim.selftest.planted.base import Planted, Sound

SEED = 0
"""Where the stories begin that the bounds are stated for."""

STORIES = 400
"""How many stories there are.  Hypothesis draws others when it is asked for another number."""

type Verdict = Literal["caught", "survives", "caught by another", "error"]


class Catch(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the search for one bug."""

    name: str
    bug: str
    breaks: tuple[str, ...]
    within: int
    verdict: Verdict
    violated: tuple[str, ...] = ()
    """What the first story that fails violates."""
    examples: int = 0
    """After how many stories that was, or how many there were."""
    unsound: tuple[int, ...] = ()
    """The numbers of the stories that the sound engine fails, too."""
    error: str | None = None

    @property
    def by(self) -> tuple[str, ...]:
        """The properties that have caught it."""
        right = tuple(name for name in self.violated if name in self.breaks)
        return right or self.violated

    @property
    def is_right(self) -> bool:
        """Whether the bug was caught as it should be."""
        return self.verdict == "caught" and not self.unsound


class Search(msgspec.Struct, frozen=True):
    """Looks for one bug; a piece of work that another process may do."""

    planted: type[Planted]
    seed: int = SEED

    def perform(self) -> Catch:
        """Run the stories one after the other until one fails."""
        planted, unsound = self.planted, []
        for number, drawn in enumerate(stories(self.seed)[: planted.within], start=1):
            story = planted.told(drawn)
            result, _ = played(story, reference(planted))
            if result.error is not None:
                return self._catch("error", number, error=result.error)
            if not result.violated:
                continue
            sound, _ = played(story, reference(planted.control))
            if sound.error is not None or sound.violated:
                unsound.append(number)
                continue
            is_right = any(name in planted.breaks for name in result.violated)
            verdict: Verdict = "caught" if is_right else "caught by another"
            return self._catch(
                verdict, number, violated=tuple(result.violated), unsound=tuple(unsound)
            )
        return self._catch("survives", planted.within, unsound=tuple(unsound))

    def failed(self, error: str) -> Catch:
        """Return what came of it when the process that searched has died."""
        return self._catch("error", 0, error=error)

    def _catch(
        self,
        verdict: Verdict,
        examples: int,
        *,
        violated: tuple[str, ...] = (),
        unsound: tuple[int, ...] = (),
        error: str | None = None,
    ) -> Catch:
        return Catch(
            name=self.planted.name,
            bug=bug_of(self.planted),
            breaks=self.planted.breaks,
            within=self.planted.within,
            verdict=verdict,
            examples=examples,
            violated=violated,
            unsound=unsound,
            error=error,
        )


def reference(engine: type[Sound]) -> str:
    """Return the name by which `sim.engines` loads an engine."""
    return f"{engine.__module__}:{engine.__name__}"


def bug_of(planted: type[Planted]) -> str:
    """Return the sentence that says what is broken."""
    return (inspect.getdoc(planted) or "").partition("\n")[0].rstrip(".")


@lru_cache(maxsize=1)
def stories(seed: int) -> tuple[Scenario, ...]:
    """Return the stories of a seed, always the same ones."""
    drawn: list[Scenario] = []

    @seeded(seed)
    @settings(
        database=None,
        deadline=None,
        max_examples=STORIES,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios())
    def draw(story: Scenario) -> None:
        drawn.append(story)

    draw()
    return tuple(drawn)
