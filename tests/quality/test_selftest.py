"""The stories' own test: bugs that are planted in recon are found, each by what it breaks."""

from __future__ import annotations

import inspect
from itertools import islice
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sim.cli import main
from sim.fuzz.features import FEATURES
from sim.fuzz.hunt import tried
from sim.scenario import PROPERTIES
from sim.selftest import planted as modules
from sim.selftest.planted import PLANTED
from sim.selftest.planted.base import Planted, Sound, put
from sim.selftest.planted.conduct import AlertsNothing
from sim.selftest.search import SEED, Search, reference, stories

BOUND_AT_MOST = 400
MODULES = (
    modules.conduct,
    modules.fills,
    modules.legs,
    modules.memory,
    modules.orders,
    modules.reads,
)
CONTROLS = sorted({planted.control for planted in PLANTED}, key=lambda control: control.name)


def selftest(*planted: type[Planted] | str) -> Result:
    names = [each if isinstance(each, str) else reference(each) for each in planted]
    return CliRunner().invoke(main, ["selftest", *(f"--engine={name}" for name in names)])


# -- the bugs --------------------------------------------------------------------------


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_is_caught_in_time_by_what_it_breaks(planted: type[Planted]):
    catch = Search(planted).perform()

    assert catch.verdict == "caught", catch
    assert catch.examples <= planted.within
    assert not catch.unsound, "recon fails a story without any bug"


def test_each_bug_is_listed_and_says_what_it_is():
    written = {
        found
        for module in MODULES
        for found in vars(module).values()
        if inspect.isclass(found) and issubclass(found, Planted) and "name" in vars(found)
    }

    assert written == set(PLANTED)
    assert len({planted.name for planted in PLANTED}) == len(PLANTED) >= 24
    for planted in PLANTED:
        assert inspect.getdoc(planted) != inspect.getdoc(Planted)
        assert planted.breaks
        assert set(planted.breaks) <= set(PROPERTIES)
        assert len(planted.breaks) <= 3
        assert planted.within <= BOUND_AT_MOST
        assert set(planted.features) <= set(FEATURES)


def test_a_bug_and_its_control_are_tried_alike():
    for planted in PLANTED:
        assert planted.lookback_mins == planted.control.lookback_mins
        assert planted.trouble == planted.control.trouble


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_an_engine_without_a_bug_passes(control: type[Sound]):
    [features, *_] = [planted.features for planted in PLANTED if planted.control is control]
    for story in islice(stories(SEED, features), 8):
        result = tried(control.told(story), reference(control)).result

        assert result.error is None
        assert not result.violated


def test_what_bugs_are_planted_in_is_recon():
    for story in islice(stories(SEED), 5):
        assert tried(story, reference(Sound)).result.digest == tried(story, "recon").result.digest


def test_nothing_of_a_bug_is_left_for_the_next_run():
    [story] = islice(stories(SEED, ("kills", "by-hand")), 5, 6)
    before = tried(story, "recon").result.digest
    for planted in PLANTED:
        tried(planted.told(story), reference(planted))

        assert tried(story, "recon").result.digest == before, planted.name


# -- the search ------------------------------------------------------------------------


class BreaksNothing(Planted):
    """Nothing is broken."""

    name = "breaks-nothing"
    breaks = ("fill-lost",)
    within = 5


class BreaksAnother(AlertsNothing):
    """Something else is broken than is said."""

    name = "breaks-another"
    breaks = ("crash",)


class Silent(Sound):
    """Not sound at all: it tells nothing."""

    name = "silent"

    def on_node(self, installation: Any) -> None:
        AlertsNothing.on_node(self, installation)


class FailsAnyway(AlertsNothing):
    """Its control fails as well."""

    name = "fails-anyway"
    control = Silent
    within = 10


class IsNotThere(Planted):
    """What it replaces has another name."""

    name = "is-not-there"
    breaks = ("fill-lost",)
    within = 2

    def on_account(self, account: Any) -> None:
        put(account.venue.reader, "read_positions", None)


def test_a_bug_that_survives_fails_the_command():
    done = selftest(BreaksNothing)

    assert done.exit_code == 1
    assert "survives" in done.output
    assert "0 of 1 planted bugs caught, with 5 stories" in done.output


def test_a_bug_that_another_property_catches_fails_the_command():
    done = selftest(BreaksAnother, "alerts-nothing")

    assert done.exit_code == 1
    assert "caught by another" in done.output
    assert "1 of 2 planted bugs caught" in done.output


def test_a_story_that_fails_anyway_is_no_catch():
    catch = Search(FailsAnyway).perform()

    assert catch.verdict == "survives"
    assert catch.unsound
    assert all("alert-missing" in violated for _, violated in catch.unsound)
    assert "without the bug story" in selftest(FailsAnyway).output


def test_a_bug_that_is_planted_nowhere_is_an_error():
    done = selftest(IsNotThere)

    assert done.exit_code == 4
    assert "has no attribute 'read_positions'" in done.output


def test_bugs_that_are_caught_pass_the_command():
    done = selftest("alerts-nothing", "updates-anyway")

    assert done.exit_code == 0, done.output
    assert "2 of 2 planted bugs caught" in done.output
    assert "No discrepancy is told" in done.output
    assert "alert-missing" in done.output
    assert str(AlertsNothing.within) in done.output


def test_a_search_is_the_same_again():
    assert Search(AlertsNothing).perform() == Search(AlertsNothing).perform()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("alerts-nothin", "no planted bug is called 'alerts-nothin'"),
        ("sim.selftest.planted.base:Nobody", "cannot be loaded"),
        ("sim.selftest.planted.base:Sound", "is no `Planted`"),
    ],
)
def test_a_wrong_name_says_so(name: str, message: str):
    done = selftest(name)

    assert done.exit_code == 2
    assert message in done.output
