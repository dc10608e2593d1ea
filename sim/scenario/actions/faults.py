"""What can go wrong between the node and the venue."""

from __future__ import annotations

from typing import ClassVar, Literal

from sim.scenario.actions.base import Fault
from sim.scenario.values import (
    READS,
    TRADE_READS,
    ClientName,
    Count,
    Duration,
    EventType,
    ExecutionType,
    HttpError,
    Line,
    Method,
    OrderId,
    Path,
    Period,
    Read,
    Skip,
    Symbol,
    TradeRead,
)


class Disconnect(Fault, frozen=True, kw_only=True):
    """The user data stream is cut and cannot be opened again for a while."""

    word: ClassVar[str] = "disconnect"

    for_ns: Period
    """How long the stream stays away."""


class ExpireListenKey(Fault, frozen=True, kw_only=True):
    """The venue lets the listen key expire before its time; the connection stays, silent."""

    word: ClassVar[str] = "expire_listen_key"

    notify: bool = True
    """Whether the venue says so in the stream."""


class EventFault(Fault, frozen=True, kw_only=True):
    """A fault of single events of the user data stream; those that match all that is given."""

    event: EventType | None = None
    """The event's type; any when left out."""
    execution: ExecutionType | None = None
    """The execution type of an order update; any when left out."""
    order: OrderId | None = None
    """The id of the order that it is about; any when left out."""
    symbol: Symbol | None = None
    """The symbol that it is about; any when left out."""
    client: ClientName | None = None
    """Whose connections it hits: ``nt`` is NautilusTrader's; all when left out."""
    count: Count | None = None
    """How many matching events it hits; one when neither this nor ``for`` is given."""
    for_ns: Period | None = None
    """How long it hits every matching event."""

    @property
    def limit(self) -> int | None:
        """How many events it hits; None when time alone decides."""
        return 1 if self.count is None and self.for_ns is None else self.count


class DropEvent(EventFault, frozen=True, kw_only=True):
    """Events get lost."""

    word: ClassVar[str] = "drop_event"


class DuplicateEvent(EventFault, frozen=True, kw_only=True):
    """Events arrive more than once."""

    word: ClassVar[str] = "duplicate_event"

    copies: Count = 1
    """How many copies follow each."""
    by_ns: Duration = 0
    """How long after the original the copies arrive."""


class DelayEvent(EventFault, frozen=True, kw_only=True):
    """Events arrive late: reads know before they do, and later events overtake them."""

    word: ClassVar[str] = "delay_event"

    by_ns: Period
    """How much later they arrive."""


class RequestFault(Fault, frozen=True, kw_only=True):
    """A fault of single requests; those that match all that is given."""

    method: Method | None = None
    """The HTTP method; any when left out."""
    path: Path | None = None
    """The path of the endpoint, such as ``/fapi/v3/positionRisk``; any when left out."""
    symbol: Symbol | None = None
    """The symbol that the request is about; any when left out."""
    client: ClientName | None = None
    """Whose requests it hits: ``nt`` is NautilusTrader's; all when left out."""
    skip: Skip = 0
    """How many matching requests it lets pass before it hits any."""
    count: Count | None = None
    """How many matching requests it hits; one when neither this nor ``for`` is given."""
    for_ns: Period | None = None
    """How long it hits every matching request."""

    @property
    def limit(self) -> int | None:
        """How many requests it hits; None when time alone decides."""
        return 1 if self.count is None and self.for_ns is None else self.count


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


class LagReads(Fault, frozen=True, kw_only=True):
    """Answers of the venue's read endpoints show an older state."""

    word: ClassVar[str] = "lag_reads"

    reads: tuple[Read, ...] = READS
    """Which endpoints lag, by the last part of their path; all when left out."""
    by_ns: Period
    """How old the state is that they show."""
    for_ns: Period
    """How long they lag."""


class HideTrades(Fault, frozen=True, kw_only=True):
    """Trades become visible late, after later ones: the reads of trades lack their rows."""

    word: ClassVar[str] = "hide_trades"

    order: OrderId | None = None
    """The order whose trades are hidden; give this or ``symbol``."""
    symbol: Symbol | None = None
    """The symbol whose trades are hidden."""
    for_ns: Period
    """How long; those made in that time are hidden until its end."""
    reads: tuple[TradeRead, ...] = TRADE_READS
    """Which endpoints lack them, by the last part of their path; both when left out."""
