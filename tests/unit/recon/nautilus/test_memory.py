"""A start and Python's cycle collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from recon.nautilus.memory import MANY, uncollected


@pytest.fixture
def walks() -> Iterator[list[int]]:
    """Generations that the collector walks."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            seen.append(info["generation"])

    gc.unfreeze()  # a command that a test has called in this process may have frozen all
    gc.collect()
    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


def _make(count: int) -> list[list[int]]:
    return [[] for _ in range(count)]


def test_what_is_made_in_the_block_is_not_walked(walks: list[int]) -> None:
    with uncollected():
        made = _make(2 * MANY)
        del walks[:]
    few = _make(100)
    assert walks == []
    assert gc.isenabled()
    assert made
    assert few


def test_the_collector_goes_on_afterwards(walks: list[int]) -> None:
    with uncollected():
        pass
    kept = _make(2 * MANY)
    assert walks
    assert kept


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_an_application_has_frozen_stays_frozen() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with uncollected():
            made = _make(2 * MANY)
        assert gc.get_freeze_count() == frozen
        assert made
    finally:
        gc.unfreeze()


def test_cycles_of_the_block_are_collected_in_the_end() -> None:
    class Node:
        alive = 0

        def __init__(self) -> None:
            self.me = self
            Node.alive += 1

        def __del__(self) -> None:
            Node.alive -= 1

    with uncollected():
        kept = _make(2 * MANY)
        Node()
        assert Node.alive == 1
    gc.collect()
    assert Node.alive == 0
    assert kept
