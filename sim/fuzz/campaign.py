"""A campaign: hunts over processes or machines, what they have in common, and its end.

Rules:

* Each hunt has seeds of its own, so that it is the same wherever and whenever it is done.
* After each round some of its stories are run again in other processes; a difference ends the
  campaign: what is not deterministic cannot be replayed.
* What the database keeps of earlier campaigns is tried first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from typing import Protocol

import msgspec

from sim.fuzz.hunt import Bag, Found, Hunt
from sim.fuzz.twice import Again
from sim.workers import Task, outcomes_of

EXAMPLES_A_HUNT = 50
SECS_A_HUNT = 5.0
HUNTS_A_ROUND = 40
SAMPLES_AT_ONCE = 20
SEEDS_A_HUNT = 1000
"""How far the seeds of hunts are apart: more than a hunt can use, one for each thing found."""


class Spread(Protocol):
    """Does pieces of work somewhere, and yields their outcomes in the order of the pieces."""

    def __call__[T](self, jobs: Sequence[Task[T]], /) -> Iterator[T]: ...


class Here:
    """Over so many processes of this machine; one is this process itself."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def __call__[T](self, jobs: Sequence[Task[T]], /) -> Iterator[T]:
        return outcomes_of(jobs, self._workers)


class Tally(msgspec.Struct):
    """What came of a campaign so far."""

    examples: int = 0
    secs: float = 0.0
    """The time that hunts took, added up over processes."""
    judged: Counter[str] = msgspec.field(default_factory=Counter)
    acted: Counter[str] = msgspec.field(default_factory=Counter)
    states: Counter[str] = msgspec.field(default_factory=Counter)
    verdicts: Counter[str] = msgspec.field(default_factory=Counter)
    found: list[Found] = []
    twice: int = 0
    """How many stories were run twice."""
    differences: list[str] = []
    errors: list[str] = []

    def add(self, bag: Bag) -> None:
        """Add what came of a hunt."""
        self.examples += bag.examples
        self.secs += bag.secs
        for name in ("judged", "acted", "states", "verdicts"):
            getattr(self, name).update(getattr(bag, name))
        self.found += bag.found
        if bag.error is not None:
            self.errors.append(bag.error)


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """What is hunted, for how long, and by how many processes at once.

    ``secs`` is the time that it may take, ``examples`` how many stories it draws otherwise.
    """

    engine: str
    seed: int
    examples: int
    secs: float | None
    shrinks: int
    database: str | None
    given: tuple[str, ...]
    jobs: int

    def hunts(self) -> list[Hunt]:
        """Divide the campaign; the seeds of one hunt are next to each other."""
        if self.secs is None:
            full, rest = divmod(self.examples, EXAMPLES_A_HUNT)
            sizes = [EXAMPLES_A_HUNT] * full + ([rest] if rest else [])
            return [self._hunt(n, examples=size) for n, size in enumerate(sizes)]
        count = max(1, round(self.secs * self.jobs / SECS_A_HUNT))
        each = self.secs * self.jobs / count
        return [self._hunt(n, examples=10**9, secs=each) for n in range(count)]

    def _hunt(self, number: int, *, examples: int, secs: float | None = None) -> Hunt:
        return Hunt(
            engine=self.engine,
            seed=self.seed + SEEDS_A_HUNT * number,
            examples=examples,
            secs=secs,
            shrinks=self.shrinks,
            database=self.database,
            given=self.given,
        )

    def run(self, spread: Spread, tell: Callable[[Tally, Bag], None]) -> Tally:
        """Hunt until all is done or two runs of a story differ; ``tell`` hears of each hunt."""
        tally = Tally()
        kept = [msgspec.structs.replace(self._hunt(0, examples=10**9), again=True)]
        for hunts in (
            kept if self.database else (),
            *batched(self.hunts(), HUNTS_A_ROUND, strict=False),
        ):
            samples = []
            for bag in spread(hunts):
                tally.add(bag)
                samples += bag.samples
                tell(tally, bag)
            # Never where they ran first: a worker is made for these.
            again = [
                Again(self.engine, part) for part in batched(samples, SAMPLES_AT_ONCE, strict=False)
            ]
            for differences in outcomes_of(again, max(2, self.jobs)):
                tally.differences += differences
            tally.twice += len(samples)
            if tally.differences:
                break
        return tally
