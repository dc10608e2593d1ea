"""What can go wrong with requests on their way to the venue and back."""

from __future__ import annotations

from typing import ClassVar, Literal

from sim.scenario.actions.base import Layer, Matched
from sim.scenario.values import (
    Count,
    Duration,
    HttpError,
    Line,
    Method,
    Path,
    Period,
    Symbol,
)


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

    applied: Literal["never", "before", "after"] = "never"
    """Whether the venue carries the request out all the same, before or after it answers."""
    status: HttpError
    """The HTTP status of the answer."""
    code: int | None = None
    """The venue's error code, such as -1003; none when left out."""
    message: Line | None = None
    """The venue's error text."""
    after_ns: Duration = 0
    """How much later than usual the answer arrives."""
    retry_after: Count | None = None
    """The seconds in the answer's Retry-After header; no such header when left out."""


class LoseReply(RequestFault, frozen=True, kw_only=True):
    """The answers of requests never arrive; the client sees its connection break."""

    word: ClassVar[str] = "lose_reply"

    applied: Literal["never", "before", "after"] = "before"
    """Whether the venue gets the request (never: it is lost as well), and if it carries it out
    before or after the client sees the connection break."""
    after_ns: Duration = 1_000_000_000
    """How long the client waits until it sees the connection break."""


class DelayReply(RequestFault, frozen=True, kw_only=True):
    """The venue's answers arrive late: what they say was true when they were made."""

    word: ClassVar[str] = "delay_reply"

    by_ns: Period
    """How much later they arrive."""


class TruncateReply(RequestFault, frozen=True, kw_only=True):
    """The venue's answers break off in the middle: half of the body, with a good status."""

    word: ClassVar[str] = "truncate_reply"
