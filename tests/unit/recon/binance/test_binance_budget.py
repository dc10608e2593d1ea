"""Weight is counted by the venue's minute, shared, and never overrun."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon.binance import WeightBudget
from recon.binance.budget import BAN_NS, LEAST_PAUSE_NS, LIGHT_WEIGHT, MINUTE_NS

SECOND_NS = 1_000_000_000
NOW_NS = 1_000 * MINUTE_NS + 30 * SECOND_NS
NEXT_NS = 1_001 * MINUTE_NS


def spent(weight: int, used: int | None = None, now_ns: int = NOW_NS) -> WeightBudget:
    """Return a budget of 80 a minute, 90 for what is light, of which a request has used some."""
    budget = WeightBudget(100)
    budget.send(weight)
    budget.answered(weight, now_ns, now_ns, used)
    return budget


def test_what_fits_goes_at_once_and_what_does_not_waits_for_the_next_minute():
    budget = spent(40, used=40)

    assert budget.ready_ns(40, NOW_NS) == NOW_NS
    assert budget.ready_ns(41, NOW_NS) == NEXT_NS
    assert budget.ready_ns(41, NEXT_NS) == NEXT_NS


def test_what_others_use_counts():
    budget = spent(5, used=72)

    assert budget.ready_ns(8, NOW_NS) == NOW_NS
    assert budget.ready_ns(9, NOW_NS) == NEXT_NS


def test_what_is_light_goes_on_for_half_as_much_more():
    """So a comparison that has read the lists can ask for what differs."""
    budget = spent(5, used=80)

    assert budget.ready_ns(6, NOW_NS) == NEXT_NS
    assert budget.ready_ns(5, NOW_NS) == NOW_NS
    assert spent(5, used=86).ready_ns(5, NOW_NS) == NEXT_NS


def test_what_is_under_way_counts():
    budget = spent(5, used=5)
    budget.send(70)

    assert budget.used(NOW_NS) == 75
    assert budget.ready_ns(6, NOW_NS) == NEXT_NS
    assert budget.ready_ns(6, NEXT_NS) == NEXT_NS, "70 are under way, and may be of either minute"


def test_what_is_lost_counts_until_the_venue_says_more():
    budget = spent(30)
    assert budget.used(NOW_NS) == 30
    budget.send(5)
    budget.answered(5, NOW_NS, NOW_NS, 35)

    assert budget.used(NOW_NS) == 35


def test_answers_that_overtake_each_other_do_not_lower_what_is_used():
    budget = WeightBudget(100)
    budget.send(10)
    budget.send(10)
    budget.answered(10, NOW_NS, NOW_NS, 20)
    budget.answered(10, NOW_NS, NOW_NS, 10)

    assert budget.used(NOW_NS) == 20


@pytest.mark.parametrize(("after_ns", "used"), [(0, 70), (1, 3)])
def test_who_asks_later_and_is_told_of_less_is_in_the_venues_next_minute(after_ns: int, used: int):
    """Ours is not over: the clock that it goes by is not the venue's."""
    budget = spent(5, used=70)
    budget.send(2)
    budget.answered(2, NOW_NS + after_ns, NOW_NS + 9, 3)

    assert budget.used(NOW_NS + 9) == used


def test_what_was_asked_before_that_answer_does_not_lower_what_is_used_further():
    budget = spent(5, used=70)
    for after_ns, said in ((1, 3), (9, 2)):
        budget.send(2)
        budget.answered(2, NOW_NS + after_ns, NOW_NS + 9, said)

    assert budget.used(NOW_NS + 9) == 3


def test_an_answer_to_the_minute_before_says_nothing_of_this_one():
    budget = WeightBudget(100)
    budget.send(5)
    budget.answered(5, NEXT_NS - 1, NEXT_NS, 79)

    assert budget.used(NEXT_NS) == 5
    assert budget.ready_ns(40, NEXT_NS) == NEXT_NS


def test_a_request_that_is_heavier_than_the_share_goes_when_nothing_is_used():
    budget = WeightBudget(40)

    assert budget.ready_ns(40, NOW_NS) == NOW_NS
    budget.send(1)
    budget.answered(1, NOW_NS, NOW_NS, 1)
    assert budget.ready_ns(40, NOW_NS) == NEXT_NS


@pytest.mark.parametrize("status", [418, 429])
def test_retry_after_stops_everything(status: int):
    budget = WeightBudget()
    budget.refused(status, 7, NOW_NS)

    assert budget.blocked_until_ns == NOW_NS + 7 * SECOND_NS
    assert budget.ready_ns(1, NOW_NS) == NOW_NS + 7 * SECOND_NS
    assert budget.ready_ns(1, NOW_NS + 7 * SECOND_NS) == NOW_NS + 7 * SECOND_NS


def test_without_retry_after_429_means_the_next_minute_and_418_a_ban():
    budget = WeightBudget()
    budget.refused(429, None, NOW_NS)
    assert budget.blocked_until_ns == NEXT_NS
    budget.refused(429, None, NEXT_NS - 1)
    assert budget.blocked_until_ns == NEXT_NS - 1 + LEAST_PAUSE_NS
    budget.refused(418, None, NOW_NS)
    assert budget.blocked_until_ns == NOW_NS + BAN_NS


def test_a_shorter_block_does_not_lift_a_longer_one():
    budget = WeightBudget()
    budget.refused(418, 3_600, NOW_NS)
    budget.refused(429, 1, NOW_NS)

    assert budget.blocked_until_ns == NOW_NS + 3_600 * SECOND_NS


@pytest.mark.parametrize(("limit", "share"), [(0, 80), (2400, 0), (2400, 101)])
def test_a_budget_of_nothing_is_refused(limit: int, share: int):
    with pytest.raises(ValueError, match="no budget"):
        WeightBudget(limit, share)


@given(st.lists(st.tuples(st.sampled_from([1, 5, 30, 40]), st.integers(0, 20)), max_size=60))
def test_nobody_who_asks_first_overruns(requests: list[tuple[int, int]]):
    """Requests one by one, each after a pause: no minute has more than its share, nor of what is
    heavy more than its own."""
    budget, now_ns = WeightBudget(100), NOW_NS
    minutes: dict[int, int] = {}
    for weight, pause_secs in requests:
        now_ns += pause_secs * SECOND_NS
        while (ready_ns := budget.ready_ns(weight, now_ns)) > now_ns:
            now_ns = ready_ns
        minute = now_ns // MINUTE_NS
        minutes[minute] = minutes.get(minute, 0) + weight
        assert minutes[minute] <= (90 if weight <= LIGHT_WEIGHT else 80)
        budget.send(weight)
        budget.answered(weight, now_ns, now_ns, minutes[minute])
