"""The property false-terminal."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sim.observation import NodeEvent, State, VenueOrder
from sim.oracle import Judgement
from tests.unit.oracle.observations import (
    END,
    SECOND,
    START,
    judged,
    known,
    observe,
    outcome,
    process,
    subjects,
    venue_order,
)

CREATED = START + 5 * SECOND
CLOSED = START + 60 * SECOND
RESTING = venue_order(5, created=CREATED)
DONE = venue_order(5, "CANCELED", created=CREATED, updated=CLOSED)


def shown(
    status: str, at: int, venue_order_id: str = "5", client_order_id: str = "O-5"
) -> NodeEvent:
    return NodeEvent(
        at_ns=at,
        kind="OrderEvent",
        account="main",
        symbol="BTCUSDT",
        client_order_id=client_order_id,
        venue_order_id=venue_order_id,
        status=status,
    )


def verdict(order: VenueOrder, *events: NodeEvent, loaded: State | None = None) -> Judgement:
    node = process(State(orders=(known(order),)), events, loaded)
    return judged(observe([], node, orders=(order,)))


def is_wrong(order: VenueOrder, *events: NodeEvent, loaded: State | None = None) -> bool:
    return outcome(verdict(order, *events, loaded=loaded), "false-terminal") == "fail"


@pytest.mark.parametrize("status", ["REJECTED", "CANCELED", "EXPIRED", "FILLED"])
def test_a_live_order_must_not_be_shown_as_done(status: str) -> None:
    judgement = verdict(RESTING, shown(status, CREATED + SECOND))
    assert outcome(judgement, "false-terminal") == "fail"
    [violation] = [v for v in judgement.violations if v.property == "false-terminal"]
    assert violation.at_ns == CREATED + SECOND
    assert violation.message == (
        f"BTCUSDT (main): order 5 (O-5) is shown {status} as O-5 by process 0 of node n1 "
        "while it is live at the venue."
    )


@pytest.mark.parametrize("status", ["ACCEPTED", "PARTIALLY_FILLED", "PENDING_CANCEL", "SUBMITTED"])
def test_an_order_that_is_not_done_may_be_shown_in_any_way(status: str) -> None:
    judgement = verdict(RESTING, shown(status, CREATED + SECOND))
    assert outcome(judgement, "false-terminal") == "pass"


@pytest.mark.parametrize(
    ("at", "wrong"),
    [(CREATED - 1, False), (CREATED, True), (CLOSED - 1, True), (CLOSED, False), (END, False)],
)
def test_it_is_judged_at_the_events_of_the_process(at: int, wrong: bool) -> None:
    assert is_wrong(DONE, shown("CANCELED", at)) == wrong
    assert subjects(verdict(DONE, shown("CANCELED", at)), "false-terminal") == 1


def test_an_order_given_up_before_the_venue_took_it_is_wrong_at_the_next_event() -> None:
    early = shown("REJECTED", CREATED - SECOND, venue_order_id="")
    assert not is_wrong(DONE, early)
    assert is_wrong(DONE, early, shown("ACCEPTED", CREATED + 1, "6", "O-6"))
    assert not is_wrong(DONE, early, shown("ACCEPTED", CLOSED, "6", "O-6"))


def test_an_order_that_opens_again_in_time_is_not_wrong() -> None:
    early = shown("CANCELED", CREATED - SECOND)
    assert not is_wrong(RESTING, early, shown("PARTIALLY_FILLED", CREATED + 1))


def test_a_loaded_order_is_wrong_at_the_first_event() -> None:
    loaded = State(orders=(known(RESTING, status="REJECTED"),))
    assert not is_wrong(RESTING, loaded=loaded)
    assert is_wrong(RESTING, shown("ACCEPTED", CREATED + 1, "6", "O-6"), loaded=loaded)


def test_a_continuation_order_speaks_for_its_original() -> None:
    original = shown("REJECTED", CREATED - 2 * SECOND)
    assert not is_wrong(
        RESTING,
        original,
        shown("ACCEPTED", CREATED - SECOND, "5", "O-5-C"),
        shown("PARTIALLY_FILLED", CREATED + SECOND, "5", "O-5-C"),
    )
    assert is_wrong(RESTING, original, shown("FILLED", CREATED + SECOND, "5", "O-5-C"))


def test_an_order_under_a_made_up_id_is_none_of_the_venues() -> None:
    event = shown("FILLED", CREATED + SECOND, "S-77")
    assert outcome(verdict(RESTING, event), "false-terminal") == "unexercised"


def test_an_order_is_known_by_its_client_id_until_it_has_one_of_the_venues() -> None:
    assert is_wrong(RESTING, shown("REJECTED", CREATED + SECOND, ""))
    other = replace(RESTING, order_id=9)
    assert not is_wrong(other, shown("CANCELED", CREATED + SECOND, "5"))


def test_an_order_is_told_once_for_each_process() -> None:
    events = [shown("REJECTED", CREATED + n * SECOND) for n in (1, 2, 3)]
    judgement = verdict(RESTING, *events)
    assert len([v for v in judgement.violations if v.property == "false-terminal"]) == 1


def test_an_event_of_an_order_that_the_cache_does_not_have_shows_nothing() -> None:
    assert not is_wrong(RESTING, shown("", CREATED + SECOND))
