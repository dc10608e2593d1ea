"""What can go wrong with the user data stream: its connections, its key and its events."""

from __future__ import annotations

from typing import ClassVar

from sim.scenario.actions.base import Fault, Layer, Matched, OfAccount
from sim.scenario.values import (
    MAIN_ACCOUNT,
    Count,
    Duration,
    EventType,
    ExecutionType,
    NodeName,
    OrderId,
    Period,
    Symbol,
)


class StreamFault(Fault, frozen=True, kw_only=True):
    """A fault of the user data stream."""

    layer: ClassVar[Layer] = "stream"


class Disconnect(StreamFault, frozen=True, kw_only=True):
    """The user data stream is cut and cannot be opened again for a while."""

    word: ClassVar[str] = "disconnect"

    for_ns: Period
    """How long the stream stays away."""
    node: NodeName | None = None
    """The node whose streams are cut; all nodes' when left out."""


class ExpireListenKey(StreamFault, frozen=True, kw_only=True):
    """The venue lets the listen key expire before its time; the connection stays, silent."""

    word: ClassVar[str] = "expire_listen_key"

    notify: bool = True
    """Whether the venue says so in the stream."""
    account: OfAccount = MAIN_ACCOUNT
    """The account whose key it is; ``main``, or the first by name, when left out."""


class EventFault(StreamFault, Matched, frozen=True, kw_only=True):
    """A fault of single events of the user data stream; those that match all that is given."""

    event: EventType | None = None
    """The event's type; any when left out."""
    execution: ExecutionType | None = None
    """The execution type of an order update, or the status of a conditional order's; any when
    left out."""
    order: OrderId | None = None
    """The id of the order that it is about; any when left out."""
    symbol: Symbol | None = None
    """The symbol that it is about; any when left out."""


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
