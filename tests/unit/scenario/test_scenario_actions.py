"""What each action must say of itself, whoever adds it."""

from __future__ import annotations

from typing import get_args

import pytest

from sim.scenario.actions import ACTIONS, Action, Fault, Layer, NodeAction, StrategyAction
from sim.scenario.actions.base import Matched, VenueAction

LAYERS: tuple[str, ...] = get_args(Layer.__value__)
ALL = [pytest.param(action, id=word) for word, action in ACTIONS.items()]


@pytest.mark.parametrize("action", ALL)
def test_each_action_has_a_layer(action: type[Action]):
    hint = f"let {action.__name__} inherit from a base that has one: RequestFault, ReadFault, ..."

    assert getattr(action, "layer", None) in LAYERS, hint


@pytest.mark.parametrize("action", ALL)
def test_each_action_says_in_a_sentence_what_it_does(action: type[Action]):
    assert vars(action).get("__doc__"), "its own docstring"
    assert action.gist().endswith(".")
    assert len(action.gist()) > len("It acts.")


def test_a_gist_is_the_first_sentence_on_one_line():
    class Long(Fault, frozen=True, kw_only=True):
        """What is wrong, e.g. with
        a request.  And more of it.

        And more.
        """

    class Silent(Long, frozen=True, kw_only=True):
        pass

    assert Long.gist() == "What is wrong, e.g. with a request."
    assert Silent.gist() == ""


@pytest.mark.parametrize("base", [Fault, Matched])
def test_a_fault_is_in_no_layer_by_itself(base: type[Action]):
    """Else a fault whose base was forgotten would be filed somewhere, wrongly."""
    assert not hasattr(base, "layer")


@pytest.mark.parametrize(
    ("base", "layer"),
    [(StrategyAction, "strategy"), (VenueAction, "venue"), (NodeAction, "node")],
)
def test_who_acts_is_the_layer_of_what_is_no_fault(base: type[Action], layer: str):
    found = {action.layer for action in ACTIONS.values() if issubclass(action, base)}

    assert found == {layer}
