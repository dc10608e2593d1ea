"""Real time, for what is printed beside a result and is never part of it."""

from __future__ import annotations

import time


def wall_secs() -> float:
    """Return seconds of the wall clock, from an arbitrary beginning."""
    return time.perf_counter()  # sim-ok: see above


def cpu_secs() -> float:
    """Return the seconds of processor time that this process has used."""
    return time.process_time()  # sim-ok: see above
