"""What can go wrong with requests on their way to the venue and back."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import UNSET, UnsetType

from sim.scenario.actions.base import Fault, Layer, Matched
from sim.scenario.values import (
    Count,
    Duration,
    FieldPath,
    HeaderName,
    HttpError,
    Json,
    Line,
    Method,
    Offset,
    Path,
    Period,
    Symbol,
)
from sim.venue.replies import ErrorName


class RequestFault(Matched, frozen=True, kw_only=True):
    """A fault of single requests; those that match all that is given."""

    layer: ClassVar[Layer] = "request"

    method: Method | None = None
    """The HTTP method; any when left out."""
    path: Path | None = None
    """The path of the endpoint, such as ``/fapi/v3/positionRisk``; any when left out."""
    symbol: Symbol | None = None
    """The symbol that the request is about; any when left out."""


class FailRequest(RequestFault, frozen=True, kw_only=True):
    """Requests are answered with an error, whatever the venue does with them."""

    word: ClassVar[str] = "fail_request"

    error: ErrorName | None = None
    """Which of Binance's error answers; give this or ``status``."""
    status: HttpError | None = None
    """The HTTP status of the answer."""
    code: int | None = None
    """The venue's error code, such as -1003; none when left out."""
    message: Line | None = None
    """The venue's error text; Binance's own for the error, or for status and code, when left
    out."""
    applied: Literal["never", "before", "after"] = "never"
    """Whether the venue carries the request out all the same, before or after it answers."""
    late_ns: Duration = 0
    """With ``applied: after``, how much later than the answer; once its recvWindow is over the
    venue does not carry it out."""
    after_ns: Duration = 0
    """How much later than usual the answer arrives."""
    retry_after: Count | None = None
    """The seconds in the answer's Retry-After header; with ``status``, no such header when left
    out."""
    spares_reducing: bool | None = None
    """Whether cancels and orders that only close or reduce are let through; as Binance does
    with the error when left out."""


class LoseReply(RequestFault, frozen=True, kw_only=True):
    """The answers of requests never arrive; the client sees its connection break."""

    word: ClassVar[str] = "lose_reply"

    applied: Literal["never", "before", "after"] = "before"
    """Whether the venue gets the request (never: it is lost as well), and if it carries it out
    before or after the client sees the connection break."""
    late_ns: Duration = 0
    """With ``applied: after``, how much later than that; once its recvWindow is over the venue
    does not carry it out."""
    after_ns: Duration = 1_000_000_000
    """How long the client waits until it sees the connection break."""


class DelayReply(RequestFault, frozen=True, kw_only=True):
    """The venue's answers arrive late: what they say was true when they were made."""

    word: ClassVar[str] = "delay_reply"

    by_ns: Period
    """How much later they arrive."""


class GarbleReply(RequestFault, frozen=True, kw_only=True):
    """The venue's answers arrive with a good status and another body."""

    word: ClassVar[str] = "garble_reply"

    how: Literal["truncated", "empty", "html", "text", "not-json", "garbage"] = "truncated"
    """What arrives: half of the body, nothing, a page, two letters of plain text, what begins
    as JSON and is none, or bytes that are no text."""


class AlterReply(RequestFault, frozen=True, kw_only=True):
    """A field or a header of the venue's good answers is another than it was."""

    word: ClassVar[str] = "alter_reply"

    field: FieldPath | None = None
    """The field: names and numbers of items from 0 with dots between, ``*`` for each item, such
    as ``symbols.0.timeInForce``; give this or ``header``."""
    header: HeaderName | None = None
    """The header, such as X-MBX-USED-WEIGHT-1M."""
    to: Json | UnsetType = UNSET
    """What it becomes, in JSON's kinds of values; give one of this, ``append`` and ``drop``."""
    append: Json | UnsetType = UNSET
    """What is put at the end of a list."""
    drop: bool = False
    """Whether it is left out."""


class Throttle(RequestFault, frozen=True, kw_only=True):
    """Requests are answered with 429 for a time, and with 418 when a client goes on asking."""

    word: ClassVar[str] = "throttle"

    escalates_after: Count | None = None
    """After how many of these answers the address is banned; never when left out."""
    ban_ns: Period = 120_000_000_000
    """How long it is banned: no request is heard, of whatever kind."""


class SkewClock(Fault, frozen=True, kw_only=True):
    """The venue's gateway has a wrong clock: it refuses timestamps that are right."""

    word: ClassVar[str] = "skew_clock"
    layer: ClassVar[Layer] = "request"

    by_ns: Offset
    """How far it is ahead of the right time, or behind when negative."""
    for_ns: Period
    """How long."""
    told_only: bool = False
    """Whether only the time is wrong that it tells, and not the one that it compares with."""

    @property
    def lasts_ns(self) -> int:
        return self.for_ns


class DelayOrders(RequestFault, frozen=True, kw_only=True):
    """What places, changes or cancels orders waits in a queue before the matching engine; what
    has waited for longer than its recvWindow is refused (-5028)."""

    word: ClassVar[str] = "delay_orders"

    by_ns: Period
    """How long each waits."""
