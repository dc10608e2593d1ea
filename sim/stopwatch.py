"""Real time: for what is printed beside a result, and for what runs over real sockets."""

from __future__ import annotations

import time


def wall_secs() -> float:
    """Return seconds of the wall clock, from an arbitrary beginning."""
    return elapsed_ns() / 1e9


def elapsed_ns() -> int:
    """Return nanoseconds from an arbitrary beginning, which never go back."""
    return time.monotonic_ns()  # sim-ok: see above


def unix_ns() -> int:
    """Return nanoseconds since the Unix epoch, as far as the machine knows."""
    return time.time_ns()  # sim-ok: see above


def cpu_secs() -> float:
    """Return the seconds of processor time that this process has used."""
    return time.process_time()  # sim-ok: see above
