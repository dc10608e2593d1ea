"""The catalogue: every action and fault, and the scenarios that exercise it.

A fault is exercised by a scenario when leaving it out changes what happens there: what
clients ask and are answered, what they are sent, what the nodes make of it.  That the
fault was armed, and that it says that it acted, is no proof.  The two runs are the same
in all else: the records that are left out take their time, and what comes later than the
earlier of the two ends is not compared, since a run that had a late fault waits longer.

What is no fault is exercised when it had an effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

import msgspec

from sim import engines
from sim.runner import attempt
from sim.scenario import Scenario
from sim.scenario.actions import ACTIONS, Action, Fault, Layer
from sim.world import Run, run

LAYERS: tuple[str, ...] = get_args(Layer.__value__)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one scenario does for the words in it, with one engine."""

    scenario: str
    engine: str
    exercised: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    """The words that are in the file, and that it would be the same without."""
    error: str | None = None
    """Why not all of it could be found out."""
    is_setup: bool = False
    """Whether the scenario or the engine has to be changed."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One word of the catalogue, and the files that exercise it or only name it."""

    word: str
    layer: str
    is_fault: bool
    gist: str
    scenarios: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario whose words are to be tried with one engine."""

    scenario: Scenario
    engine: str
    """The engine as the command line names it."""
    words: frozenset[str] = frozenset(ACTIONS)
    """Which words are tried."""

    def perform(self) -> Finding:
        """Play the scenario as it is, and once more without each of its faults."""
        return attempt(self._examine, self.failed)

    def failed(self, error: str, *, is_setup: bool = False) -> Finding:
        """Return what is found when the run as it is failed."""
        return Finding(
            scenario=self.scenario.name, engine=self.engine, error=error, is_setup=is_setup
        )

    def _examine(self) -> Finding:
        whole = run(self.scenario, engines.load(self.engine))
        exercised: list[str] = []
        idle: list[str] = []
        for word in words_of(self.scenario):
            if word not in self.words:
                continue
            if issubclass(ACTIONS[word], Fault):
                acts = differ(whole, run(self.scenario, engines.load(self.engine), left_out=word))
            else:
                acts = word in whole.effective
            (exercised if acts else idle).append(word)
        return Finding(
            scenario=self.scenario.name,
            engine=self.engine,
            exercised=tuple(exercised),
            idle=tuple(idle),
        )


def words_of(scenario: Scenario) -> list[str]:
    """Return the words of a scenario's records, each once."""
    return list(dict.fromkeys(record.action.word for record in scenario.timeline))


def differ(one: Run, other: Run) -> bool:
    """Whether anything happens in one run, and not in the other, before both have ended."""
    until_ns = min(one.healed_ns, other.healed_ns)
    return list(one.trace.happenings(until_ns)) != list(other.trace.happenings(until_ns))


def catalogue(findings: Iterable[Finding]) -> list[Entry]:
    """Return all words with what was found of each, by layer."""
    exercised: dict[str, list[str]] = {}
    idle: dict[str, list[str]] = {}
    for finding in findings:
        for words, of in ((finding.exercised, exercised), (finding.idle, idle)):
            for word in words:
                of.setdefault(word, []).append(finding.scenario)
    return [
        _entry(word, action, exercised.get(word, ()), idle.get(word, ()))
        for word, action in sorted(ACTIONS.items(), key=lambda each: LAYERS.index(each[1].layer))
    ]


def _entry(word: str, action: type[Action], exercised: Sequence[str], idle: Sequence[str]) -> Entry:
    scenarios = tuple(dict.fromkeys(exercised))
    return Entry(
        word=word,
        layer=action.layer,
        is_fault=issubclass(action, Fault),
        gist=action.gist(),
        scenarios=scenarios,
        # What one engine does not notice, another may.
        idle=tuple(name for name in dict.fromkeys(idle) if name not in scenarios),
    )


def proofs(
    scenarios: Sequence[Scenario], engine_names: Sequence[str]
) -> Iterator[tuple[str, Finding | None]]:
    """Yield each word with the first finding that exercises it, None when there is none.

    The shortest scenarios are tried first, each with one engine after the other.
    """
    of_word: dict[str, list[Scenario]] = {}
    for scenario in sorted(scenarios, key=lambda each: len(each.timeline)):
        for word in words_of(scenario):
            of_word.setdefault(word, []).append(scenario)
    for word in ACTIONS:
        found = (
            Examination(scenario=each, engine=name, words=frozenset({word})).perform()
            for each in of_word.get(word, ())
            for name in engine_names
        )
        yield word, next((finding for finding in found if finding.exercised), None)
