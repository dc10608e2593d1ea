"""What can happen in a scenario, one struct for each action.

To add an action, add a struct with a `word`; loader, print and reference follow.
The bases say who acts.  Durations are integer nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from msgspec import Struct

from sim.scenario.values import (
    READS,
    Cache,
    Count,
    Duration,
    EventType,
    ExecutionType,
    HttpError,
    Line,
    OrderId,
    OrderType,
    Path,
    Period,
    PositionSide,
    Price,
    Quantity,
    Read,
    Side,
    StrategyId,
    Symbol,
)
from sim.scenario.words import Implied


class Action(Struct, frozen=True, kw_only=True):
    """Something that happens at a point in time."""

    word: ClassVar[str]
    """The action's word in the file; only what can stand in one has it."""

    @property
    def lasts_ns(self) -> int:
        """How long it lasts; what is not a fault or a downtime is an instant."""
        lasts_ns: list[int | None] = [
            getattr(self, n, None) for n in ("for_ns", "down_ns", "by_ns")
        ]
        return next((ns for ns in lasts_ns if ns), 0)


class StrategyAction(Action, frozen=True, kw_only=True):
    """A strategy in the node does something; needs a running node."""


class VenueAction(Action, frozen=True, kw_only=True):
    """Something happens at the venue, without the node."""


class NodeAction(Action, frozen=True, kw_only=True):
    """The process of the node ends or begins."""


class Fault(Action, frozen=True, kw_only=True):
    """A view of the truth or the way to it is distorted; the truth is not."""


class Order(Action, frozen=True, kw_only=True):
    """Somebody sends an order."""

    id: OrderId
    """The client order id, unique in the file."""
    side: Side
    """The order's side."""
    quantity: Quantity
    """How much, in the base asset."""
    price: Price | None = None
    """The limit price; a LIMIT order needs it, a MARKET order has none."""
    type: OrderType = "LIMIT"
    """The order's type."""
    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    position_side: PositionSide = "BOTH"
    """The leg that the order is for: LONG or SHORT in hedge mode, and only there."""


class Submit(Order, StrategyAction, frozen=True, kw_only=True):
    """A strategy sends an order."""

    word: ClassVar[str] = "submit"

    strategy: Annotated[StrategyId, Implied("strategy")]
    """The strategy that sends it; the node's first when left out."""


class Cancel(StrategyAction, frozen=True, kw_only=True):
    """The strategy cancels an order that it submitted."""

    word: ClassVar[str] = "cancel"

    order: OrderId
    """The id of the order."""


class Fill(VenueAction, frozen=True, kw_only=True):
    """The venue executes an order, or a part of it, as one trade."""

    word: ClassVar[str] = "fill"

    order: OrderId
    """The id of the order, whoever sent it."""
    quantity: Quantity
    """How much is traded; the fills of an order never exceed its quantity."""
    price: Price | None = None
    """The trade's price; when left out the order's, or the market's for a MARKET order."""
    maker: bool = True
    """Whether the order was resting; decides the fee and the liquidity side."""


class SetPrice(VenueAction, frozen=True, kw_only=True):
    """The market moves: last and mark price of a symbol."""

    word: ClassVar[str] = "price"

    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    price: Price
    """The new price."""


class WebSubmit(Order, VenueAction, frozen=True, kw_only=True):
    """The user sends an order by hand, in the venue's web interface."""

    word: ClassVar[str] = "web_submit"


class WebCancel(VenueAction, frozen=True, kw_only=True):
    """The user cancels an order by hand, a strategy's or an own one."""

    word: ClassVar[str] = "web_cancel"

    order: OrderId
    """The id of the order."""


class Stop(NodeAction, frozen=True, kw_only=True):
    """The node is stopped in good order."""

    word: ClassVar[str] = "stop"


class Kill(NodeAction, frozen=True, kw_only=True):
    """The process of the node ends between two instructions; nothing is written any more."""

    word: ClassVar[str] = "kill"


class Start(NodeAction, frozen=True, kw_only=True):
    """A node that is down starts again."""

    word: ClassVar[str] = "start"

    cache: Cache = "kept"
    """Whether the new process loads what the old one wrote, or starts from nothing."""


class Restart(NodeAction, frozen=True, kw_only=True):
    """The node goes down and comes back."""

    word: ClassVar[str] = "restart"

    cache: Cache = "kept"
    """Whether the new process loads what the old one wrote, or starts from nothing."""
    by: Literal["stop", "kill"] = "stop"
    """How the old process ends."""
    down_ns: Duration = 1_000_000_000
    """How long the node is down."""


class Disconnect(Fault, frozen=True, kw_only=True):
    """The user data stream is cut and cannot be opened again for a while."""

    word: ClassVar[str] = "disconnect"

    for_ns: Period
    """How long the stream stays away."""


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
    count: Count = 1
    """How many matching events it hits, the first ones from here on."""


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
    """Events arrive late; others overtake them."""

    word: ClassVar[str] = "delay_event"

    by_ns: Period
    """How much later they arrive."""


class FailRequest(Fault, frozen=True, kw_only=True):
    """Requests of the node are answered with an error, whatever the venue does with them."""

    word: ClassVar[str] = "fail_request"

    method: Literal["GET", "POST", "PUT", "DELETE"] | None = None
    """The HTTP method; any when left out."""
    path: Path
    """The path of the endpoint."""
    symbol: Symbol | None = None
    """The symbol that the request is about; any when left out."""
    status: HttpError
    """The HTTP status of the answer."""
    code: int | None = None
    """The venue's error code, such as -1003; none when left out."""
    message: Line | None = None
    """The venue's error text."""
    count: Count | None = None
    """How many matching requests fail; one when neither this nor ``for`` is given."""
    for_ns: Period | None = None
    """How long every matching request fails."""
    applied: Literal["never", "before", "after"] = "never"
    """Whether the venue carries the request out all the same, before or after it answers."""

    @property
    def limit(self) -> int | None:
        """How many requests fail; None when time alone decides."""
        return 1 if self.count is None and self.for_ns is None else self.count


class LagReads(Fault, frozen=True, kw_only=True):
    """Answers of the venue's read endpoints show an older state."""

    word: ClassVar[str] = "lag_reads"

    reads: tuple[Read, ...] = READS
    """Which endpoints lag, by the last part of their path; all when left out."""
    by_ns: Period
    """How old the state is that they show."""
    for_ns: Period
    """How long they lag."""


def _actions(base: type[Action]) -> Iterator[tuple[str, type[Action]]]:
    for cls in base.__subclasses__():
        if "word" in vars(cls):
            yield cls.word, cls
        yield from _actions(cls)


ACTIONS: dict[str, type[Action]] = dict(_actions(Action))
"""Every action by its word, in the order in which they are defined above."""
