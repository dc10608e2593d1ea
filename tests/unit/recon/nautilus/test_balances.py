"""Giving a position the fills that a crash kept from it."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from recon.core.facts import Leg
from recon.core.opening import Holding
from recon.nautilus.balances import Balances

LEG = Leg("BTCUSDT", "BOTH")
TORN: Any = [("order", "fill", "quantity")]


def repaired(*, dry_run: bool = False, is_last: bool = False, adds_up: bool = True) -> list[Any]:
    """Repair a leg that holds 1 and lacks 2; return what was done."""
    done: list[Any] = []

    def replay(leg: Leg, expected: Decimal) -> bool:
        done.append(("replay", leg, expected))
        return adds_up

    holdings = SimpleNamespace(
        holding=lambda leg: Holding(Decimal(1), Decimal(50)), replay_as=replay
    )
    whatever: Any = None
    book: Any = SimpleNamespace(holdings=holdings)
    emitter: Any = SimpleNamespace(repair=lambda *torn: done.append(("repair", *torn)))
    balances = Balances(whatever, whatever, book, emitter, whatever, dry_run=dry_run)
    balances.repair(LEG, Decimal(2), TORN, is_last=is_last)
    return done


REPLAYED = ("replay", LEG, Decimal(3))
REPAIRED = ("repair", *TORN[0])


def test_fills_that_are_the_last_are_applied_as_they_are():
    assert repaired(is_last=True) == [REPAIRED]


def test_where_later_ones_stand_the_position_is_made_anew():
    assert repaired() == [REPLAYED]


def test_where_it_cannot_be_they_are_applied_behind_the_later_ones():
    assert repaired(adds_up=False) == [REPLAYED, REPAIRED]


@pytest.mark.parametrize("is_last", [False, True])
def test_a_dry_run_leaves_the_position_alone(is_last: bool):
    assert repaired(dry_run=True, is_last=is_last) == []
