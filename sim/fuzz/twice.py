"""Stories that are run twice, in different processes: a difference is told by its first row."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import zip_longest

import msgspec

from sim import engines
from sim.report.result import Result
from sim.scenario import loads
from sim.trace import Row
from sim.world import run


class Sample(msgspec.Struct, frozen=True):
    """A story that was run, and the trace of the run, packed."""

    text: str
    digest: str
    packed: bytes

    @classmethod
    def of(cls, text: str, result: Result, rows: Sequence[Row]) -> Sample:
        """Return the sample of a run."""
        return cls(text, result.digest, zlib.compress(msgspec.msgpack.encode(rows)))

    @property
    def rows(self) -> list[Row]:
        return msgspec.msgpack.decode(zlib.decompress(self.packed), type=list[Row])


class Again(msgspec.Struct, frozen=True):
    """Runs samples a second time; to be performed in another process than the first."""

    engine: str
    samples: tuple[Sample, ...]

    def perform(self) -> list[str]:
        """Return what differs, a paragraph for each story that does."""
        found = []
        for sample in self.samples:
            if not sample.digest:
                continue  # it could not be run, which is told elsewhere
            again = run(loads(sample.text, "drawn.yaml"), engines.load(self.engine)).trace
            if again.digest() != sample.digest:
                found.append(f"{difference(sample.rows, again.rows)}\n{sample.text}")
        return found

    def failed(self, error: str) -> list[str]:
        """Return what came of it when the process that did it has died."""
        return [error]


def difference(first: Sequence[Row], second: Sequence[Row]) -> str:
    """Say where two runs of one story part."""
    for number, (one, other) in enumerate(zip_longest(first, second), 1):
        if one != other:
            return f"row {number} of the trace differs:\n  {_told(one)}\n  {_told(other)}"
    return "the traces are the same, and their digests differ"


def _told(row: Row | None) -> str:
    if row is None:
        return "(the run has ended)"
    return f"{row.at_ns} {row.kind} {row.subject} {row.details} {row.mark}".rstrip()
