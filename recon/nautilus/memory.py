"""A start makes many objects at once, and nearly all of them stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 50_000
"""From how many new objects on it is felt that they are walked."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python's cycle collector from looking for garbage in this block.

    It would walk all that a start has made again and again, and find nothing: orders and
    events have no cycles.  What is let go is freed all the same, by its reference count.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            _grow_old()
            gc.enable()


def _grow_old() -> None:
    """Count what is there among the oldest, as if it had been walked and had stayed.

    Else the next object that anybody makes lets the collector walk all of it as young.  What
    an application has frozen would be thawed, so there it is left to the collector.
    """
    if gc.get_count()[0] >= MANY and not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
