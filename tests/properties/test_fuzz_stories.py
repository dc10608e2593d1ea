"""The stories of the fuzzer: all are valid, and all that may happen happens in some."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from sim.fuzz import scenarios
from sim.fuzz.features import CORE, EXCLUDED, FEATURES, SETTINGS, undrawn, words_of
from sim.fuzz.setting import UNIT
from sim.scenario import Scenario, dump, loads
from sim.scenario import actions as a

ALL = FEATURES | SETTINGS
WORDS = sorted({word for words in ALL.values() for word in words} | {*CORE})
ANY = settings(
    max_examples=3000,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def told(scenario: Scenario) -> list[str]:
    return [record.action.word for record in scenario.timeline]


@settings(max_examples=60, deadline=None)
@given(scenarios())
def test_each_is_valid_and_is_its_print(scenario: Scenario):
    assert loads(dump(scenario), "drawn.yaml") == scenario


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(ALL)).map(lambda name: frozenset((name,))), st.data())
def test_a_feature_that_is_off_is_off(features: frozenset[str], data: st.DataObject):
    scenario = data.draw(scenarios(st.just(features)))
    # How stories begin and end is the same for all.
    assert {*told(scenario)} <= {*words_of(features), "web_submit", "start"}


@settings(max_examples=60, deadline=None)
@given(scenarios())
def test_a_wrong_position_names_the_fills(scenario: Scenario):
    fills = [r.action.quantity for r in scenario.timeline if isinstance(r.action, a.Fill)]
    units = [int(quantity / UNIT) for quantity in fills]

    assert len(set(units)) == len(units)
    assert all(unit.bit_count() == 1 for unit in units)


def test_every_word_is_drawn_or_is_said_not_to_be():
    assert undrawn() == set()
    assert not set(EXCLUDED) & set(WORDS)
    assert {*EXCLUDED} | {*WORDS} == set(a.ACTIONS)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_happens(word: str):
    features = frozenset(name for name, words in ALL.items() if word in words)
    scenario = find(scenarios(st.just(features)), lambda s: word in told(s), settings=ANY)

    assert word in told(scenario)


def test_orders_are_as_large_as_their_fills():
    scenario = find(
        scenarios(), lambda s: told(s).count("fill") >= 2 and "submit" in told(s), settings=ANY
    )
    for record in scenario.timeline:
        if isinstance(record.action, a.Order):
            assert record.action.quantity % UNIT == Decimal(0)
