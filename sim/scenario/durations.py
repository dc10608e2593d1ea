"""Durations as people write them: ``250ms``, ``1d2h30m``, ``-3d``.

In the model a duration is an integer number of nanoseconds.
"""

from __future__ import annotations

import re

UNITS_NS = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}

# Nine digits keep every part below 2.8 million years: sums stay small integers.
_PART = re.compile(r"([0-9]{1,9})(d|h|ms|m|us|s|ns)")


def parse_duration(text: str) -> int:
    """Return the nanoseconds of ``text``.

    Parts are whole numbers with a unit, the larger unit first, each unit once; a
    leading ``-`` negates the whole.  Raises `ValueError` with a message that can
    be shown to the user.
    """
    body = text.removeprefix("-")
    total = position = 0
    smallest_ns = 0
    while part := _PART.match(body, position):
        unit_ns = UNITS_NS[part[2]]
        if smallest_ns and unit_ns >= smallest_ns:
            raise ValueError(f"{text!r} is not a duration: larger units come first, each once")
        total += int(part[1]) * unit_ns
        smallest_ns = unit_ns
        position = part.end()
    if position == 0 or position != len(body):
        raise ValueError(
            f"{text[:40]!r} is not a duration: whole numbers with a unit of "
            "ns, us, ms, s, m, h or d, such as 250ms or 1h30m"
        )
    return -total if text.startswith("-") else total


def format_duration(nanoseconds: int) -> str:
    """Return the canonical text: the largest units first, no zero parts, ``0s`` for nothing."""
    parts = []
    rest = abs(nanoseconds)
    for unit, unit_ns in UNITS_NS.items():
        count, rest = divmod(rest, unit_ns)
        if count:
            parts.append(f"{count}{unit}")
    return ("-" if nanoseconds < 0 else "") + "".join(parts) if parts else "0s"
