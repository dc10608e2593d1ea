"""Which orders that were never sent are kept back by the node on purpose."""

from types import SimpleNamespace
from typing import Any

import pytest

from recon.nautilus.accounts import waits_here


def an_order(**details: Any) -> Any:
    known = {
        "client_order_id": "O-2",
        "parent_order_id": None,
        "exec_algorithm_id": None,
        "exec_spawn_id": None,
    }
    return SimpleNamespace(**{**known, **details})


def cache_of(**parent: Any) -> Any:
    known = {"is_closed": False, "filled_qty": 0}
    found = SimpleNamespace(**{**known, **parent}) if parent else None
    return SimpleNamespace(order=lambda name: found)


def test_an_order_of_its_own_is_not():
    assert not waits_here(cache_of(), an_order())


@pytest.mark.parametrize(
    ("parent", "waits"),
    [
        ({"filled_qty": 0}, True),
        ({"filled_qty": 1}, False),
        ({"is_closed": True}, False),
        ({}, False),
    ],
)
def test_a_child_is_while_its_parent_lives_unfilled(parent: dict[str, Any], waits: bool):
    assert waits_here(cache_of(**parent), an_order(parent_order_id="O-1")) is waits


@pytest.mark.parametrize(("spawn_id", "waits"), [(None, True), ("O-2", True), ("O-1", False)])
def test_an_order_to_be_split_up_is_and_its_parts_are_not(spawn_id: str | None, waits: bool):
    order = an_order(exec_algorithm_id="TWAP", exec_spawn_id=spawn_id)
    assert waits_here(cache_of(), order) is waits
