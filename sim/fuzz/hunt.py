"""One piece of a campaign: draws stories for a while, and shrinks what it finds.

Rules:

* A failure is the first property that a story violates, in the order of the catalogue.  While it
  is shrunk, only violations of that property count.
* Shrinking has two parts.  Hypothesis makes the draw smaller, for `RUNS_AT_MOST` runs; then
  records and words are taken out of what is left as long as it fails (`smaller`).
* A run that the harness could not do is a failure of the harness, and is kept with its story, too.
* Hypothesis keeps failing draws in its example database.  They are tried again at the beginning of
  the next campaign (`Hunt.again`), and forgotten by it when they fail no more.
* One story of `SAMPLED` is handed back with its trace, to be run again elsewhere (`twice`).
"""

from __future__ import annotations

import contextlib
from collections import Counter
from functools import cache
from pathlib import Path
from unittest import SkipTest

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase
from hypothesis.errors import Flaky

from sim import engines
from sim.fuzz.draws import BACKEND
from sim.fuzz.mutations import mutations
from sim.fuzz.smaller import smaller
from sim.fuzz.states import reached
from sim.fuzz.stories import scenarios
from sim.fuzz.twice import Sample
from sim.report.result import Result, errored, result_of
from sim.runner import attempt
from sim.scenario import PROPERTIES, Scenario, dump, load, loads
from sim.stopwatch import wall_secs
from sim.trace import Row
from sim.world import run

RUNS_AT_MOST = 150
"""How many runs Hypothesis may take to shrink a failure."""

SAMPLED = 20
"""Of how many stories one is to be run twice: five of a hundred."""

_QUIET = settings(
    backend=BACKEND,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    print_blob=False,
)


class Found(msgspec.Struct, frozen=True):
    """A failure, as small as it could be made."""

    property: str
    """What is violated, or ``harness`` where the run could not be done."""
    text: str
    """The scenario, as a file."""
    message: str
    seed: int
    """The seed of the hunt that found it."""
    examples: int
    """After how many stories it was found."""
    runs: int
    """How many runs it took to shrink it."""


class Bag(msgspec.Struct):
    """What came of a piece of a campaign."""

    seeds: list[int] = []
    examples: int = 0
    secs: float = 0.0
    judged: Counter[str] = msgspec.field(default_factory=Counter)
    """How many stories judged each property."""
    acted: Counter[str] = msgspec.field(default_factory=Counter)
    """In how many stories each word had an effect."""
    states: Counter[str] = msgspec.field(default_factory=Counter)
    """In how many stories each rare state was reached."""
    samples: list[Sample] = []
    """Stories to be run again, with what came of them."""
    verdicts: Counter[str] = msgspec.field(default_factory=Counter)
    found: list[Found] = []
    error: str | None = None


class Trial(msgspec.Struct, frozen=True):
    """One run of a story, and what is counted of it."""

    result: Result
    acted: frozenset[str] = frozenset()
    """The words that had an effect."""
    states: frozenset[str] = frozenset()
    """The rare states that were reached."""
    rows: tuple[Row, ...] = ()

    @property
    def violated(self) -> tuple[str, ...]:
        """The properties that were violated, or ``harness``."""
        return self.result.violated if self.result.error is None else ("harness",)


class Hunt(msgspec.Struct, frozen=True, kw_only=True):
    """Draws stories for an engine, from a seed on: so many, or for so long.

    With ``given`` scenarios, by their paths, these are changed; else stories are new.  With
    ``again`` nothing is drawn but what the database keeps of earlier failures.
    """

    engine: str
    seed: int
    examples: int
    secs: float | None = None
    shrinks: int = RUNS_AT_MOST
    database: str | None = None
    given: tuple[str, ...] = ()
    again: bool = False

    def perform(self) -> Bag:
        """Hunt in this process."""
        bag = Bag()
        began = wall_secs()
        ends = None if self.secs is None else began + self.secs
        seed = self.seed
        while bag.examples < self.examples and (ends is None or wall_secs() < ends):
            bag.seeds.append(seed)
            _Chase(self, seed, bag, ends).run()
            seed += 1
            if self.again:
                break
        bag.secs = wall_secs() - began
        return bag

    def failed(self, error: str) -> Bag:
        """Return what came of it when the process that hunted has died."""
        return Bag(seeds=[self.seed], error=error)


class _Failure(Exception):
    """A story violates what is looked for."""


class _Over(BaseException):
    """Ends what Hypothesis does at once: it takes an exception for a failure, and no more."""


class _Chase:
    """Stories of one seed, until one fails and is shrunk."""

    def __init__(self, hunt: Hunt, seed: int, bag: Bag, ends: float | None) -> None:
        self._hunt = hunt
        self._engine = hunt.engine
        self._seed = seed
        self._bag = bag
        self._left = hunt.examples - bag.examples
        self._shrinks = hunt.shrinks
        self._ends = ends
        self._property = ""
        self._smallest: tuple[Scenario, str] | None = None
        self._examples = 0
        self._runs = 0

    def run(self) -> None:
        stories = mutations(_loaded(self._hunt.given)) if self._hunt.given else scenarios()
        first = Phase.reuse if self._hunt.again else Phase.generate

        # The seed would turn the database off, if it came last.
        @settings(
            _QUIET,
            max_examples=self._left,
            database=open_database(self._hunt.database, self._engine),
            phases=(first, Phase.shrink),
        )
        @seeded(self._seed)
        @given(stories)
        def hunt(scenario: Scenario) -> None:
            if self._judge(scenario):
                raise _Failure

        # Hypothesis skips a test when its database has nothing to try again.
        with contextlib.suppress(_Failure, _Over, Flaky, SkipTest):
            hunt()
        if self._smallest is None:
            return
        scenario = smaller(self._smallest[0], self._fails)
        message = self._smallest[1]
        self._bag.found.append(
            Found(
                property=self._property,
                text=kept(scenario, self._property),
                message=message,
                seed=self._seed,
                examples=self._examples,
                runs=self._runs,
            )
        )

    def _judge(self, scenario: Scenario) -> bool:
        """Whether a story fails in the way that is looked for."""
        if self._smallest is None:
            if self._ends is not None and wall_secs() > self._ends:
                raise _Over
            self._examples += 1
            self._bag.examples += 1
        elif self._runs >= self._shrinks:
            raise _Over
        else:
            self._runs += 1
        trial = tried(scenario, self._engine)
        if self._smallest is None:
            self._count(scenario, trial)
        if not trial.violated or self._property not in ("", *trial.violated):
            return False
        self._property = self._property or min(trial.violated, key=_rank)
        if self._smallest is None or _size(scenario) <= _size(self._smallest[0]):
            self._smallest = scenario, _message(trial.result, self._property)
        return True

    def _fails(self, scenario: Scenario) -> bool:
        """Whether a story that is smaller fails in the same way."""
        self._runs += 1
        trial = tried(scenario, self._engine)
        if self._property not in trial.violated:
            return False
        self._smallest = scenario, _message(trial.result, self._property)
        return True

    def _count(self, scenario: Scenario, trial: Trial) -> None:
        bag, result = self._bag, trial.result
        bag.verdicts[result.verdict] += 1
        bag.judged.update(name for name in PROPERTIES if name not in result.unexercised)
        bag.acted.update(trial.acted)
        bag.states.update(trial.states)
        if bag.examples % SAMPLED == 1:
            bag.samples.append(Sample.of(dump(scenario), result, trial.rows))


def tried(scenario: Scenario, engine: str) -> Trial:
    """Run a scenario as its file would be."""

    def play() -> Trial:
        done = run(loads(dump(scenario), "drawn.yaml"), engines.load(engine))
        return Trial(result_of(done), done.effective, reached(done), tuple(done.trace.rows))

    def failed(error: str, *, is_setup: bool = False) -> Trial:
        return Trial(errored(scenario, engine, scenario.seed, error))

    return attempt(play, failed)


@cache
def _loaded(paths: tuple[str, ...]) -> tuple[Scenario, ...]:
    return tuple(load(Path(path)) for path in paths)


def open_database(name: str | None, engine: str) -> ExampleDatabase | None:
    """Return Hypothesis's database of a name: a folder, or a Redis server by its URL.

    Each engine has failures of its own.  Raises `ValueError` for a URL of another scheme or
    where the client of Redis is missing.
    """
    if name is None:
        return None
    if "://" not in name:
        return DirectoryBasedExampleDatabase(Path(name) / engine.replace(":", "."))
    if not name.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError(f"a database is a folder or the URL of a Redis server, not {name!r}")
    try:
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis
    except ImportError:
        raise ValueError("a database at a Redis server needs nautilus-recon[redis]") from None
    return RedisExampleDatabase(Redis.from_url(name), key_prefix=f"recon:{engine}:".encode())


def kept(scenario: Scenario, property_: str) -> str:
    """Return the file of a failure."""
    shows = property_ if property_ in PROPERTIES else "crash"
    return dump(msgspec.structs.replace(scenario, shows=shows))


def _message(result: Result, property_: str) -> str:
    if result.error is not None:
        return result.error
    return next(v.message for v in result.violations if v.property == property_)


def _rank(property_: str) -> int:
    return PROPERTIES.index(property_) if property_ in PROPERTIES else -1


def _size(scenario: Scenario) -> tuple[int, int]:
    return len(scenario.timeline), len(dump(scenario))
