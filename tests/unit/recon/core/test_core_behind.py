"""Since when an order has been behind."""

from __future__ import annotations

from recon.core.behind import Behind

S = 1_000_000_000


def test_an_event_alone_is_behind_since_it_happened():
    assert Behind().since("O-1", 10 * S, 14 * S) == 10 * S


def test_what_happened_before_the_last_late_event_came_is_of_one_time_with_it():
    behind = Behind()
    behind.since("O-1", 10 * S, 14 * S)
    assert behind.since("O-1", 13 * S, 17 * S) == 10 * S
    assert behind.since("O-1", 16 * S, 18 * S) == 10 * S
    assert behind.since("O-1", 18 * S, 20 * S) == 18 * S


def test_what_overtook_does_not_hide_what_happened_earlier():
    behind = Behind()
    behind.since("O-1", 12 * S, 14 * S)
    assert behind.since("O-1", 9 * S, 15 * S) == 9 * S


def test_orders_are_apart_and_usual_delays_are_forgotten():
    behind = Behind()
    behind.since("O-1", 10 * S, 14 * S)
    assert behind.since("O-2", 13 * S, 13 * S + 1) == 13 * S
    assert behind.since("O-1", 20 * S, 20 * S + 1) == 20 * S
    assert behind.since("O-1", 20 * S, 26 * S) == 20 * S
