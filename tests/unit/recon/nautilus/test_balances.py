"""Giving positions the fills that a crash kept from them."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from recon.nautilus.balances import Balances


def torn(number: int, position_id: str, quantity: str) -> Any:
    """A fill of an order that a position lacks, as far as it is looked at."""
    order, fill = f"order {number}", SimpleNamespace(position_id=position_id)
    return Torn((order, fill, quantity))


class Torn(tuple[Any, ...]):
    """Three parts, of which the second and the quantity have names, too."""

    @property
    def fill(self) -> Any:
        return self[1]

    @property
    def signed(self) -> Decimal:
        return Decimal(self[2])


ONE, TWO, OTHER = torn(1, "P-1", "2"), torn(2, "P-1", "-0.5"), torn(3, "P-2", "4")


def repaired(
    *lacking: Any, dry_run: bool = False, is_last: bool = False, whole: tuple[str, ...] = ()
) -> list[Any]:
    """Repair what is torn, where the fills of some positions add up; return what was done."""
    done: list[Any] = []

    def replay(position_id: str, gained: Decimal) -> bool:
        done.append(("replay", position_id, gained))
        return position_id in whole

    whatever: Any = None
    book: Any = SimpleNamespace(holdings=SimpleNamespace(replay_with=replay))
    emitter: Any = SimpleNamespace(repair=lambda *torn: done.append(("repair", *torn)))
    balances = Balances(whatever, whatever, book, emitter, whatever, dry_run=dry_run)
    balances.repair(lacking, is_last=is_last)
    return done


def test_fills_that_are_the_last_are_applied_as_they_are():
    assert repaired(ONE, is_last=True) == [("repair", *ONE)]


def test_where_later_ones_stand_the_position_is_made_anew():
    assert repaired(ONE, TWO, whole=("P-1",)) == [("replay", "P-1", Decimal("1.5"))]


def test_where_it_cannot_be_they_are_applied_behind_the_later_ones():
    assert repaired(ONE, TWO) == [
        ("replay", "P-1", Decimal("1.5")),
        ("repair", *ONE),
        ("repair", *TWO),
    ]


def test_each_position_is_repaired_for_itself():
    assert repaired(ONE, OTHER, whole=("P-2",)) == [
        ("replay", "P-1", Decimal(2)),
        ("repair", *ONE),
        ("replay", "P-2", Decimal(4)),
    ]


@pytest.mark.parametrize("is_last", [False, True])
def test_a_dry_run_leaves_positions_alone(is_last: bool):
    assert repaired(ONE, dry_run=True, is_last=is_last) == []
