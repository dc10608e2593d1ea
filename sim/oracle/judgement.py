"""What a run is told: findings, the verdict of each property, the verdict of the run."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

from sim.observation import NodeFill

Outcome = Literal["pass", "fail", "unexercised", "not-applicable"]
RunVerdict = Literal["pass", "fail", "inconclusive"]


class Violation(msgspec.Struct, frozen=True):
    """One breach of one property.

    ``message`` is one sentence for a human; ``at_ns`` is the instant it is about: that of the
    trade, of the publication, or of the end of the process whose final state was judged.
    """

    property: str
    message: str
    at_ns: int


class Verdict(msgspec.Struct, frozen=True):
    """What became of one property; ``subjects`` counts what was judged by it."""

    property: str
    outcome: Outcome
    subjects: int


class FillCounts(msgspec.Struct, frozen=True):
    """The ledgers in numbers.

    ``venue`` counts the trades in scope and ``applied`` those of them that the last process of
    the node holds, once for each node that should hold them.  ``lost``, ``duplicated`` and
    ``phantom`` count violations, ``opening`` the exempt fills.
    """

    venue: int
    applied: int
    lost: int
    duplicated: int
    phantom: int
    opening: int


class Judgement(msgspec.Struct, frozen=True):
    """Everything the oracle has to say about one run.

    ``exempt`` lists the fills without a trade that were allowed: opening balances and declared
    adjustments.  ``reasons`` says why the run proves less than it should; only a run without
    violations becomes inconclusive by them.
    """

    verdict: RunVerdict
    properties: tuple[Verdict, ...]
    violations: tuple[Violation, ...]
    fills: FillCounts
    exempt: tuple[NodeFill, ...]
    reasons: tuple[str, ...]


class Finding(NamedTuple):
    """One property's part of a judgement, before it is counted."""

    property: str
    subjects: int
    violations: Sequence[Violation]

    def verdict(self) -> Verdict:
        outcome: Outcome = "fail" if self.violations else "pass" if self.subjects else "unexercised"
        return Verdict(self.property, outcome, self.subjects)


def plain(number: Decimal) -> str:
    """A number as traders write it: no exponent, no trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed_words(quantity: Decimal) -> str:
    """A signed quantity as the order that would cause it."""
    return f"{'BUY' if quantity > 0 else 'SELL'} {plain(abs(quantity))}"
