"""What a list of events has lost, and where that belongs."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence


def merged[Held, Known](
    held: Sequence[tuple[str, Held]], known: Sequence[tuple[str, Known]], noted: Container[str]
) -> list[Held | Known]:
    """Return what a list holds, with what it lacks of the noted, each in its place among the known.

    Both are sequences of ids with what they stand for, each in the order in which it happened.
    """
    place = {name: number for number, (name, _) in enumerate(known)}
    ids = {name for name, _ in held}
    whole: list[Held | Known] = []
    done = 0

    def lacking(end: int) -> Iterator[Known]:
        return (each for name, each in known[done:end] if name in noted and name not in ids)

    for name, each in held:
        number = place.get(name, -1)
        if number >= done:
            whole += lacking(number)
            done = number + 1
        whole.append(each)
    return [*whole, *lacking(len(known))]
