"""What happened in a run, as canonical rows, and their digest.

A row is a time and a few strings.  It holds nothing that differs between two
runs of the same inputs: no object addresses, no event ids that NautilusTrader
draws at random and that nothing depends on, no wall time.  Two runs are the same
when their digests are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

DOINGS = frozenset({"record", "fault", "point"})
"""The kinds of rows that tell what the world did, whether or not anything came of it."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One thing that happened: when, what kind, who or where, and the details.

    ``mark`` is what the world says of its own hand in it: that an answer is a fault's, or
    where the venue's ledger stood when a fault acted.
    """

    at_ns: int
    kind: str
    subject: str
    details: str
    mark: str = ""


class Trace:
    """The rows of one run, in the order in which they happened."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, at_ns: int, kind: str, subject: str, details: str = "", mark: str = "") -> None:
        self.rows.append(Row(at_ns, kind, subject, details, mark))

    def happenings(self, until_ns: int) -> Iterator[Row]:
        """Yield what clients and nodes did and saw before an instant, without any mark.

        What the world says of itself is left out: two runs whose happenings are the same
        are the same for all who take part in them.
        """
        for row in self.rows:
            if row.kind not in DOINGS and row.at_ns < until_ns:
                yield msgspec.structs.replace(row, mark="") if row.mark else row

    def digest(self) -> str:
        """Return 32 hexadecimal digits that stand for all rows."""
        encoder = msgspec.json.Encoder()
        state = hashlib.blake2b(digest_size=16)
        for row in self.rows:
            state.update(encoder.encode(row))
            state.update(b"\n")
        return state.hexdigest()
