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
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Literal

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from sim.fuzz import scenarios
from sim.fuzz.draws import BACKEND
from sim.fuzz.hunt import tried
from sim.scenario import Scenario, dump
from sim.selftest.planted.base import Planted, Sound

SEED = 0
"""Where the stories begin that the bounds are stated for."""

STORIES_A_BLOCK = 50
"""How many stories are drawn at once, some of them the same."""

BLOCKS = 20
"""After how many blocks a search ends, however many it is to find."""

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
    unsound: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """The stories that the sound engine fails, too, by number, with what it violates."""
    error: str | None = None

    @property
    def by(self) -> tuple[str, ...]:
        """The properties that have caught it."""
        right = tuple(name for name in self.violated if name in self.breaks)
        return right or self.violated


class Search(msgspec.Struct, frozen=True):
    """Looks for one bug; a piece of work that another process may do."""

    planted: type[Planted]
    seed: int = SEED

    def perform(self) -> Catch:
        """Run the stories one after the other until one fails."""
        planted = self.planted
        unsound: list[tuple[int, tuple[str, ...]]] = []
        drawn = islice(stories(self.seed, planted.features), planted.within)
        for number, drawn_story in enumerate(drawn, start=1):
            story = planted.told(drawn_story)
            result = tried(story, reference(planted)).result
            if result.error is not None:
                return self._catch("error", number, error=result.error)
            if not result.violated:
                continue
            sound = tried(story, reference(planted.control)).result
            if sound.error is not None:
                return self._catch("error", number, error=sound.error)
            if sound.violated:
                unsound.append((number, tuple(sound.violated)))
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
        unsound: tuple[tuple[int, tuple[str, ...]], ...] = (),
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


def stories(seed: int, features: tuple[str, ...] = ()) -> Iterator[Scenario]:
    """Yield stories that differ from each other, the same ones each time.

    ``features`` are those that they have, all of them; with none each has a swarm of its own.
    """
    known: set[str] = set()
    for n in range(BLOCKS):
        for story in _block(seed + n, features):
            print_ = dump(story)
            if print_ not in known:
                known.add(print_)
                yield story


@cache
def _block(seed: int, features: tuple[str, ...]) -> tuple[Scenario, ...]:
    """Draw the next stories.  Hypothesis cannot be suspended, and all at once would take long."""
    drawn: list[Scenario] = []

    @seeded(seed)
    @settings(
        backend=BACKEND,
        database=None,
        deadline=None,
        max_examples=STORIES_A_BLOCK,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios(st.just(frozenset(features)) if features else None))
    def draw(story: Scenario) -> None:
        drawn.append(story)

    draw()
    return tuple(drawn)
