"""A start makes many objects at once, and nearly all of them stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
            gc.enable()
