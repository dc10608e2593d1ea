"""What happened in a run, as canonical rows, and their digest.

A row is a time and a few strings.  It holds nothing that differs between two
runs of the same inputs: no object addresses, no event ids that NautilusTrader
draws at random and that nothing depends on, no wall time.  Two runs are the same
when their digests are.
"""

from __future__ import annotations

import hashlib

import msgspec


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One thing that happened: when, what kind, who or where, and the details."""

    at_ns: int
    kind: str
    subject: str
    details: str


class Trace:
    """The rows of one run, in the order in which they happened."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, at_ns: int, kind: str, subject: str, details: str = "") -> None:
        self.rows.append(Row(at_ns, kind, subject, details))

    def digest(self) -> str:
        """Return 32 hexadecimal digits that stand for all rows."""
        encoder = msgspec.json.Encoder()
        state = hashlib.blake2b(digest_size=16)
        for row in self.rows:
            state.update(encoder.encode(row))
            state.update(b"\n")
        return state.hexdigest()
