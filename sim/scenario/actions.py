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
    Asset,
    Cache,
    ClientName,
    Count,
    Duration,
    EventType,
    ExecutionType,
    HttpError,
    InstrumentId,
    Line,
    Method,
    NotNegative,
    NotZero,
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
    TimeInForce,
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
            getattr(self, n, None) for n in ("for_ns", "down_ns", "by_ns", "after_ns")
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
    reduce_only: bool = False
    """Whether it may only shrink a position; one-way mode only, as at the venue."""
    time_in_force: TimeInForce = "GTC"
    """How long a LIMIT order stands: GTC rests, IOC and FOK meet the ``depth`` or expire."""
    post_only: bool = False
    """Whether a LIMIT order may only rest; the venue refuses it when it would execute at once."""


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


class CancelAll(StrategyAction, frozen=True, kw_only=True):
    """A strategy cancels all its open orders of a symbol, in one request."""

    word: ClassVar[str] = "cancel_all"

    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    strategy: Annotated[StrategyId, Implied("strategy")]
    """The strategy that cancels; the node's first when left out."""


class Modify(StrategyAction, frozen=True, kw_only=True):
    """The strategy changes an order that rests: its quantity, its price or both."""

    word: ClassVar[str] = "modify"

    order: OrderId
    """The id of the order."""
    quantity: Quantity | None = None
    """The new quantity, what is already filled included; as before when left out."""
    price: Price | None = None
    """The new limit price; as before when left out."""


class Fill(VenueAction, frozen=True, kw_only=True):
    """The venue executes an order, or a part of it, as one trade or several."""

    word: ClassVar[str] = "fill"

    order: OrderId
    """The id of the order, whoever sent it."""
    quantity: Quantity
    """How much each trade is; the fills of an order never exceed its quantity."""
    price: Price | None = None
    """The trade's price; when left out the order's."""
    maker: bool = True
    """Whether the order was resting; decides the fee and the liquidity side."""
    times: Count = 1
    """How many such trades there are, one after the other at the same instant."""


class Depth(VenueAction, frozen=True, kw_only=True):
    """The other side of the market: how much of it orders find that execute at once.

    Without it a MARKET order finds enough, and an IOC or FOK order nothing.  What is
    taken is gone; a fill by name is apart from it.
    """

    word: ClassVar[str] = "depth"

    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    quantity: NotNegative
    """How much there is from now on, at the last price."""


class Transfer(VenueAction, frozen=True, kw_only=True):
    """Money moves into the futures wallet or out of it."""

    word: ClassVar[str] = "transfer"

    asset: Asset = "USDT"
    """The asset."""
    amount: NotZero
    """How much; negative is out of it."""


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


class Comeback(NodeAction, frozen=True, kw_only=True):
    """A new process of the node begins."""

    cache: Cache = "kept"
    """What it loads: all writes (kept), none (lost), all but the last (stale, torn)."""
    lose_ns: Period | None = None
    """Of a stale cache: how long before the end of the last process its writes are lost."""
    order: OrderId | None = None
    """Of a torn cache: the order in whose last fill the writes break off."""
    keep: Count | None = None
    """Of a torn cache: how many writes of that fill survive."""
    claims: dict[StrategyId, tuple[InstrumentId, ...]] | None = None
    """The claims from now on, in place of those before; unchanged when left out."""


class Start(Comeback, frozen=True, kw_only=True):
    """A node that is down starts again."""

    word: ClassVar[str] = "start"


class Restart(Comeback, frozen=True, kw_only=True):
    """The node goes down and comes back."""

    word: ClassVar[str] = "restart"

    by: Literal["stop", "kill"] = "stop"
    """How the old process ends."""
    down_ns: Duration = 1_000_000_000
    """How long the node is down."""


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
    """Events arrive late, so that reads run ahead of them; other events overtake them."""

    word: ClassVar[str] = "delay_event"

    by_ns: Period
    """How much later they arrive."""


class RequestFault(Fault, frozen=True, kw_only=True):
    """A fault of single requests; those that match all that is given."""

    method: Method | None = None
    """The HTTP method; any when left out."""
    path: Path
    """The path of the endpoint."""
    symbol: Symbol | None = None
    """The symbol that the request is about; any when left out."""
    client: ClientName | None = None
    """Whose requests it hits: ``nt`` is NautilusTrader's; all when left out."""
    count: Count | None = None
    """How many matching requests it hits; one when neither this nor ``for`` is given."""
    for_ns: Period | None = None
    """How long it hits every matching request."""
    applied: Literal["never", "before", "after"]
    """Whether the venue carries the request out all the same, before or after it answers."""

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
