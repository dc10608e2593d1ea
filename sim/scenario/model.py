"""A scenario: who does what, when, and what must come of it.

This is the one description of the format.  The loader, the print and the
reference are derived from the structs below: a field's type says what may stand
in the file, the text under it says what it means.  To add an action, add one
struct with a `word`.

Quantities and prices are `Decimal`, times integer nanoseconds counted from the
node's first start.  What a file may leave out is filled in by the loader, so a
scenario in memory says everything: no field means "the first symbol".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, get_args

from msgspec import UNSET, Meta, Struct, UnsetType, field
from packaging.specifiers import SpecifierSet

from sim.scenario.words import (
    Implied,
    Legs,
    OneOrMany,
    Pattern,
    Prose,
    Quoted,
    Sign,
    Span,
    Unwritten,
)

FORMAT = 1

Property = Literal[
    "fill-lost",
    "fill-duplicated",
    "phantom-fill",
    "fill-wrong",
    "order-mismatch",
    "false-terminal",
    "position-mismatch",
    "not-idempotent",
    "not-converged",
    "too-slow",
    "alert-missing",
    "alert-false",
    "stopped",
    "crash",
]
PROPERTIES: tuple[str, ...] = get_args(Property)

Quantity = Annotated[Decimal, Quoted(Sign.POSITIVE)]
SignedQuantity = Annotated[Decimal, Quoted(Sign.ANY)]
Price = Annotated[Decimal, Quoted(Sign.POSITIVE)]
Duration = Annotated[int, Span(Sign.NOT_NEGATIVE)]
Period = Annotated[int, Span(Sign.POSITIVE)]
Count = Annotated[int, Meta(ge=1)]
Line = Annotated[str, Prose()]
Side = Literal["BUY", "SELL"]
OrderType = Literal["LIMIT", "MARKET"]
PositionSide = Literal["BOTH", "LONG", "SHORT"]
Cache = Literal["kept", "lost"]

# The venue takes client order ids of this form and no other.
OrderId = Annotated[
    str, Pattern("an order id of up to 36 letters, digits and ._:/-", r"[A-Za-z0-9._:/-]{1,36}")
]
Symbol = Annotated[str, Pattern("a venue symbol such as BTCUSDT", r"[A-Z0-9_]{2,30}")]
Asset = Annotated[str, Pattern("an asset such as USDT", r"[A-Z0-9]{1,20}")]
StrategyId = Annotated[
    str, Pattern("a strategy id such as S-001", r"[A-Za-z0-9]{1,30}(-[A-Za-z0-9]{1,30})+")
]
InstrumentId = Annotated[
    str, Pattern("an instrument id such as BTCUSDT-PERP.BINANCE", r"[A-Z0-9_]{2,30}-PERP\.BINANCE")
]
EngineName = Annotated[
    str, Pattern("an engine name of lower-case letters, digits and _.:-", r"[a-z0-9_.:-]{1,80}")
]
Path = Annotated[str, Pattern("a path such as /fapi/v1/order", r"/[A-Za-z0-9/_.-]{0,99}")]
OptionName = Annotated[str, Pattern("an option name", r"[a-z][a-z0-9_]{0,79}")]


class Action(Struct, frozen=True, kw_only=True):
    """Something that happens at a point in time."""

    word: ClassVar[str]
    """The action's word in the file; only what can stand in one has it."""


class StrategyAction(Action, frozen=True, kw_only=True):
    """A strategy in the node does something; needs a running node."""


class VenueAction(Action, frozen=True, kw_only=True):
    """Something happens at the venue, without the node."""


class NodeAction(Action, frozen=True, kw_only=True):
    """The process of the node ends or begins."""


class Fault(Action, frozen=True, kw_only=True):
    """A view of the truth or the way to it is distorted; the truth is not."""


class Submit(StrategyAction, frozen=True, kw_only=True):
    """A strategy sends an order."""

    word: ClassVar[str] = "submit"

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


class WebSubmit(VenueAction, frozen=True, kw_only=True):
    """The user sends an order by hand, in the venue's web interface."""

    word: ClassVar[str] = "web_submit"

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

    event: (
        Literal[
            "ORDER_TRADE_UPDATE",
            "ACCOUNT_UPDATE",
            "TRADE_LITE",
            "ACCOUNT_CONFIG_UPDATE",
            "ALGO_UPDATE",
            "MARGIN_CALL",
            "listenKeyExpired",
        ]
        | None
    ) = None
    """The event's type; any when left out."""
    execution: Literal["NEW", "CANCELED", "CALCULATED", "EXPIRED", "TRADE", "AMENDMENT"] | None = (
        None
    )
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
    status: Annotated[int, Meta(ge=400, le=599)]
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


Read = Literal[
    "positionRisk", "userTrades", "openOrders", "order", "allOrders", "account", "income"
]
READS: tuple[Read, ...] = get_args(Read)


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


class Record(Struct, frozen=True, kw_only=True):
    """One line of the timeline."""

    at_ns: Annotated[int, Span(Sign.ANY)]
    """When, counted from the node's first start; what lies before it is negative."""
    action: Action
    """What happens."""
    note: Line | None = None
    """A word of explanation for the reader."""


class Venue(Struct, frozen=True, kw_only=True):
    """The venue and the account as they are when the story begins."""

    position_mode: Literal["one-way", "hedge"] = "one-way"
    """Whether long and short of a symbol are one position or two."""
    symbols: tuple[Symbol, ...]
    """The symbols that the venue lists."""
    prices: dict[Symbol, Price] = {}
    """Last and mark price of symbols at the beginning; the venue's default for the others."""
    balances: dict[Asset, Annotated[Decimal, Quoted(Sign.NOT_NEGATIVE)]] = field(
        default_factory=lambda: {"USDT": Decimal(100000)}
    )
    """The account's wallet balances at the beginning."""
    latency_ms: tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]] | None = None
    """The least and the greatest time between the node and the venue, one way."""


Seconds = Annotated[float, Meta(gt=0)]


class Node(Struct, frozen=True, kw_only=True):
    """The node under test, in the words of NautilusTrader's configuration."""

    claims: dict[StrategyId, tuple[InstrumentId, ...]] = {}
    """The instruments whose external orders a strategy claims; at most one strategy for each."""
    strategies: Annotated[tuple[StrategyId, ...], Implied("strategies")] = ("S-001",)
    """The strategies that run; S-001 and those that claim something when left out."""
    reconciliation_interval_secs: Seconds = 300
    """How often the node compares itself with the venue."""
    reconciliation_lookback_mins: Annotated[int, Meta(ge=1)] | None = None
    """How far back a start asks for history; null for all that the venue serves."""
    open_check_interval_secs: Seconds | UnsetType | None = UNSET
    """The stock check of open orders; null is off, and the engine decides when left out."""
    position_check_interval_secs: Seconds | UnsetType | None = UNSET
    """The stock check of positions; null is off, and the engine decides when left out."""
    inflight_check_interval_ms: Count | UnsetType | None = UNSET
    """The stock check of orders in flight; null is off, and the engine decides when left out."""
    exec_engine: dict[OptionName, Any] = {}
    """Other options of NautilusTrader's LiveExecEngineConfig, by their own names."""


def implied(
    by: str, siblings: Mapping[str, Any], venue: Venue | None, node: Node | None
) -> str | tuple[str, ...]:
    """Return what a field is when the file leaves it out, see `words.Implied`.

    ``siblings`` are the other fields of the same struct; those with a default may
    be absent.
    """
    match by:
        case "symbol":
            assert venue is not None
            return venue.symbols[0]
        case "strategy":
            assert node is not None
            return node.strategies[0]
        case "strategies":
            return tuple(dict.fromkeys(("S-001", *sorted(siblings.get("claims", {})))))
        case _:
            raise ValueError(by)


class Adjustment(Struct, frozen=True, kw_only=True):
    """A fill without a trade that the scenario declares to be right."""

    symbol: Symbol
    """The venue symbol."""
    quantity: Annotated[Decimal, Quoted(Sign.NOT_ZERO)]
    """How much the position is changed by, signed."""
    position_side: PositionSide = "BOTH"
    """The leg: LONG or SHORT in hedge mode, and only there."""


class Expect(Struct, frozen=True, kw_only=True):
    """What is true at the venue in the end: the guard that the story happened."""

    venue_position: dict[Symbol, Annotated[dict[PositionSide, SignedQuantity], Legs()]] = {}
    """The signed quantity of positions: one for a symbol, in hedge mode one for each leg."""
    adjustments: tuple[Adjustment, ...] = ()
    """Fills without a trade that are right here."""


class Known(Struct, frozen=True, kw_only=True):
    """What an engine is known to get wrong in this scenario."""

    fails: tuple[Property, ...]
    """Exactly the properties that it violates, at the file's seed."""
    versions: Line = ""
    """The NautilusTrader versions that this is about, as PEP 440 specifiers; any when left out."""

    def covers(self, nautilus_version: str) -> bool:
        """Whether this is about that version of NautilusTrader."""
        return SpecifierSet(self.versions).contains(nautilus_version, prereleases=True)


class Source(Struct, frozen=True, eq=False):
    """Where a scenario was read; no part of what it says.

    Any two are equal, so that a scenario equals its own print wherever that is kept.
    """

    name: str = "<scenario>"
    record_lines: tuple[int, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source)

    def __hash__(self) -> int:
        return 0


class Scenario(Struct, frozen=True, kw_only=True):
    """One story, told to the end, and the property that it is told for."""

    title: Line
    """The story in one sentence."""
    story: Annotated[str, Prose(lines=True)] | None = None
    """The story at length."""
    reference: Line | None = None
    """Where it comes from: an issue, a gap, a report."""
    shows: Property
    """The property that the file exists for."""
    seed: Annotated[int, Meta(ge=0)] = 1
    """Where all randomness of the run comes from."""
    venue: Venue
    """The venue at the beginning."""
    node: Node = Node()
    """The node under test."""
    timeline: tuple[Record, ...]
    """What happens, in the order of time."""
    expect: Expect = Expect()
    """What is true at the venue in the end."""
    known: dict[EngineName, Annotated[tuple[Known, ...], OneOrMany()]] = {}
    """What engines are known to get wrong; never `recon`, which must pass."""
    source: Annotated[Source, Unwritten()] = Source()
    """Where it was read."""

    @property
    def name(self) -> str:
        """The file, as it was named when it was read."""
        return self.source.name

    def line(self, record: int) -> int:
        """Return the line of a record of the timeline, 0 when it was not read from a text."""
        lines = self.source.record_lines
        return lines[record] if record < len(lines) else 0
