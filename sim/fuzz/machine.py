"""Stories as a state machine of Hypothesis, for tests that add rules or invariants of their own.

    class MyMachine(StoryMachine):
        engine = "my_package:my_engine"

    TestMyEngine = MyMachine.TestCase

Each rule tells one word, if it can happen then.  The world plays the story when it has been
told: a violation fails the test, and Hypothesis finds the shortest story that does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from sim.fuzz.checking import Worlds
from sim.fuzz.features import drawn, swarms, words_of
from sim.fuzz.setting import settings
from sim.fuzz.stories import Teller
from sim.report.result import Result
from sim.scenario import Scenario


class StoryMachine(RuleBasedStateMachine):
    """Tells a story word by word, and has it played at the end.

    Set ``engine`` to what is tried, and ``features`` to the sets of features of which a story
    has one.  ``story`` is what has been told so far.
    """

    engine: ClassVar[str] = "recon"
    features: ClassVar[st.SearchStrategy[frozenset[str]]] = swarms()

    may: frozenset[str] = frozenset()
    """The words of the story's features."""

    _teller: Teller | None = None

    @property
    def story(self) -> Scenario | None:
        """The story so far, None before it begins."""
        return None if self._teller is None else self._teller.story()

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Draw where the story is set, and which words it may have."""
        on = data.draw(self.features)
        self.may = frozenset(words_of(on))
        # What draws here has no signature of its own, and is called as the other is.
        draw = cast(st.DrawFn, data.draw)
        self._teller = Teller(draw, draw(settings(on)), on)

    def tell(self, word: str, data: st.DataObject) -> bool:
        """Add a record of a word, if it can happen now; say whether it can."""
        assert self._teller is not None, "a story begins with its setting"
        return self._teller.tell(word)

    def judged(self, result: Result) -> None:
        """Do more with what came of the story; it violates nothing."""

    def teardown(self) -> None:
        """Play what has been told."""
        if self._teller is not None and self._teller.records:
            self._teller.tell("start")
            self.judged(Worlds(self.engine).check(self._teller.story()).result)


def _rule(word: str) -> Callable[..., Any]:
    def tell(self: StoryMachine, data: st.DataObject) -> None:
        self.tell(word, data)

    tell.__name__ = word
    tell.__doc__ = f"Tell the word ``{word}``."
    return precondition(lambda self: word in self.may)(rule(data=st.data())(tell))


for _word in sorted(drawn()):
    setattr(StoryMachine, f"tell_{_word}", _rule(_word))
