"""How a rare state is registered: a name, and what shows in a run that it was reached."""

from __future__ import annotations

from collections.abc import Callable

from sim.fuzz.evidence import Evidence

type Test = Callable[[Evidence], bool]

CHECK = "check"
"""The kind of a call that is a periodic comparison."""

STATES: dict[str, Test] = {}


def state(name: str) -> Callable[[Test], Test]:
    """Register what shows a state, under its name."""

    def register(test: Test) -> Test:
        assert name not in STATES, f"there are two states {name!r}"
        STATES[name] = test
        return test

    return register


def simple(name: str, test: Test) -> None:
    """Register a state that is one expression."""
    state(name)(test)
