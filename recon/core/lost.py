"""What a list of events has lost, and where that belongs."""

from __future__ import annotations

from collections.abc import Container, Sequence
from operator import itemgetter


def merged[Held, Known](
    held: Sequence[tuple[str, Held]], known: Sequence[tuple[str, Known]], noted: Container[str]
) -> list[Held | Known]:
    """Return what a list holds, with what it lacks of the noted, each in its place among the known.

    Both are sequences of ids with what they stand for, each in the order in which it happened.
    """
    place = {name: number for number, (name, _) in enumerate(known)}
    ids = {name for name, _ in held}
    placed: list[tuple[int, Held | Known]] = []
    at = 0
    for name, each in held:
        at = place.get(name, at)  # what is not known stands behind what is known before it
        placed.append((at, each))
    for name, missing in known:
        if name in noted and name not in ids:
            placed.append((place[name], missing))
    placed.sort(key=itemgetter(0))
    return [each for _, each in placed]
