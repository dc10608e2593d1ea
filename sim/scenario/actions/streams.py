"""What can go wrong with the user data stream: its connections, its key and its events."""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, UnsetType

from sim.scenario.actions.base import Fault, Layer, Matched, OfAccount
from sim.scenario.values import (
    MAIN_ACCOUNT,
    ClientName,
    CloseCode,
    Count,
    Duration,
    EventOrder,
    EventType,
    ExecutionType,
    FieldPath,
    HttpError,
    Json,
    Line,
    NodeName,
    OrderId,
    Period,
    Symbol,
)
from sim.venue.config import VenueConfig


class StreamFault(Fault, frozen=True, kw_only=True):
    """A fault of the user data stream."""

    layer: ClassVar[Layer] = "stream"


class Disconnect(StreamFault, frozen=True, kw_only=True):
    """The user data stream is cut and cannot be opened again for a while."""

    word: ClassVar[str] = "disconnect"

    for_ns: Period
    """How long the stream stays away."""
    code: CloseCode = 1006
    """The code of the close frame; 1006 says that there was none."""
    node: NodeName | None = None
    """The node whose streams are cut; all nodes' when left out."""


class OpenStreams(StreamFault, frozen=True, kw_only=True):
    """A fault of the streams that are open, and not of those that are opened later."""

    client: ClientName | None = None
    """Whose they are: ``nt`` is NautilusTrader's client; all when left out."""
    node: NodeName | None = None
    """The node whose they are; all nodes' when left out."""

    print_last: ClassVar[tuple[str, ...]] = ("client", "node", "point")


class HalfOpen(OpenStreams, frozen=True, kw_only=True):
    """Nothing passes on the streams that are open, either way, and neither side is told.

    The venue closes a stream when its pings have had no answer for ten minutes.  The client
    hears of that when the way is open again.
    """

    word: ClassVar[str] = "half_open"

    for_ns: Period | None = None
    """How long nothing passes; until the venue gives the stream up when left out."""

    @property
    def lasts_ns(self) -> int:
        """How long it lasts: at the most until a ping that is still to come is given up."""
        return self.for_ns or VenueConfig().ping_interval_ns + VenueConfig().pong_timeout_ns


class MuteStreams(OpenStreams, frozen=True, kw_only=True):
    """Streams stay open and alive, and no event comes."""

    word: ClassVar[str] = "mute_streams"

    for_ns: Period
    """How long none comes."""


class ShutDownStreams(OpenStreams, frozen=True, kw_only=True):
    """The venue says that it shuts the streams down, and then closes them; they can be reopened."""

    word: ClassVar[str] = "shut_down_streams"

    by_ns: Duration = 10_000_000_000
    """How long before the close they are told with a ``serverShutdown``."""


class RefuseStreams(StreamFault, Matched, frozen=True, kw_only=True):
    """New streams cannot be opened, or are opened and stay silent; open ones go on."""

    word: ClassVar[str] = "refuse_streams"

    status: HttpError | None = None
    """The status of the answer; there is none when left out."""
    after_ns: Duration = 0
    """How long it takes until the client knows."""
    dead_key: bool = False
    """Whether the stream is opened all the same, as with a listen key that is gone."""


class RotateListenKey(StreamFault, frozen=True, kw_only=True):
    """The next request for a listen key gets another one; the one before lives on with its streams.

    Nobody extends the one before any more: an hour after its last extension it expires.
    """

    word: ClassVar[str] = "rotate_listen_key"

    account: OfAccount = MAIN_ACCOUNT
    """The account whose key it is; ``main``, or the first by name, when left out."""


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


class HoldEvents(EventFault, frozen=True, kw_only=True):
    """Events are held back and arrive all at once, in order.

    They arrive when ``for`` is over, or when ``count`` are held.
    """

    word: ClassVar[str] = "hold_events"


class ReorderEvents(EventFault, frozen=True, kw_only=True):
    """The events of a stretch of time arrive at its end in another order.

    ``count`` and ``skip`` count stretches.
    """

    word: ClassVar[str] = "reorder_events"

    window_ns: Period
    """How long a stretch is, from the first event that it holds."""
    into: EventOrder = "reversed"
    """The other order: the last first, or one that ``seed`` decides."""
    within_type: bool = False
    """Whether only events of one type change places."""

    @property
    def lasts_ns(self) -> int:
        """How long it lasts, with the stretch that begins at its very end."""
        return super().lasts_ns + self.window_ns


class AlterEvent(EventFault, frozen=True, kw_only=True):
    """One field of events says something else, or is missing."""

    word: ClassVar[str] = "alter_event"

    field: FieldPath
    """The field: names and numbers of items from 0 with dots between, ``*`` for each item, such
    as ``o.f`` or ``a.B.0.wb``."""
    to: Json | UnsetType = UNSET
    """What it becomes, in JSON's kinds of values; give this or ``drop``."""
    drop: bool = False
    """Whether it is left out."""


class InjectEvent(OpenStreams, frozen=True, kw_only=True):
    """A text frame arrives on streams that the venue has not sent: garbage, or an unknown event."""

    word: ClassVar[str] = "inject_event"

    text: Line
    """What it says, as it stands on the wire."""
    size: Count | None = None
    """How many characters it has, filled up with spaces; as many as ``text`` when left out."""
