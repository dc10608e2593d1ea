"""What the parts of a teller have in common: each draws the words of one thing."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from sim.scenario import actions as a
from sim.scenario import model as m


class Part:
    """Draws words: the method that is called as a word returns its action, or None.

    None says that it cannot happen now.  Nothing is changed by drawing a word: what is drawn
    may be refused.  `note` hears of all that has become a record, whoever drew it.
    """

    now_ns: int
    """When what is drawn happens."""

    def __init__(self, draw: st.DrawFn, setting: m.Scenario, features: frozenset[str]) -> None:
        self._draw = draw
        self._setting = setting
        self._features = features

    def note(self, action: a.Action) -> None:
        """Take note of what a record changes for those after it."""
        raise NotImplementedError

    def one_of[T](self, of: Sequence[T]) -> T | None:
        """Draw one of several, None when there is none."""
        return self._draw(st.sampled_from(of)) if of else None
