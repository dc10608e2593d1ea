"""Seeded randomness, one stream for each purpose.

Purposes do not share a generator, so that removing a fault from a scenario does
not shift the latencies of the requests around it, and a shrunk scenario stays
close to the one that it came from.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any


class Streams:
    """The generators of one run, made when they are first asked for."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, random.Random] = {}

    def __getitem__(self, purpose: str) -> random.Random:
        stream = self._streams.get(purpose)
        if stream is None:
            # A string seeds through SHA-512, the same in every process.
            stream = self._streams[purpose] = random.Random(f"{self.seed}/{purpose}")  # noqa: S311
        return stream


class SeededSet[T](set[T]):
    """A set that is iterated in an order that the seed decides.

    A plain set of strings is iterated by hash, which CPython salts anew in each
    process.  This one orders the same elements by a keyed hash of their text: as
    arbitrary, as stable within a process, and repeatable.
    """

    def __init__(self, elements: set[T], key: str) -> None:
        super().__init__(elements)
        self._key = key
        self._salt = hashlib.blake2b(key.encode(), digest_size=16).digest()

    def __iter__(self) -> Iterator[T]:
        return iter(sorted(set.__iter__(self), key=self._rank))

    def __sub__(self, other: Any) -> SeededSet[T]:
        return SeededSet(set(set.__iter__(self)).difference(set.__iter__(other)), self._key)

    def _rank(self, element: T) -> bytes:
        return hashlib.blake2b(str(element).encode(), key=self._salt, digest_size=8).digest()
