"""A scenario: who does what, when, and what must come of it.

The structs here and in `actions` are the one description of the format.  The
loader, the print and the reference are derived from them: a field's type says
what may stand in the file, the text under it says what it means.

Quantities and prices are `Decimal`, times integer nanoseconds counted from the
node's first start.  What a file may leave out is filled in by the loader, so a
scenario in memory says everything: no field means "the first symbol".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, get_args

from msgspec import UNSET, Struct, UnsetType, field
from packaging.specifiers import SpecifierSet

from sim.scenario.actions import Action, Order, Submit, WebSubmit
from sim.scenario.terms import Knobs, Limits
from sim.scenario.values import (
    FIRST_NODE,
    MAIN_ACCOUNT,
    AccountName,
    Asset,
    Count,
    Duration,
    EngineName,
    Instant,
    InstrumentId,
    KeyName,
    KeyType,
    Line,
    Millis,
    NodeName,
    NotNegative,
    NotZero,
    OptionName,
    PositionSide,
    Price,
    Seconds,
    Seed,
    SignedQuantity,
    Story,
    StrategyId,
    Symbol,
    VenueName,
)
from sim.scenario.words import Implied, Legs, OneOrMany, Unwritten

FORMAT = 1

BINANCE = "BINANCE"
"""The venue of the instruments, unless a node has several accounts."""

PositionMode = Literal["one-way", "hedge"]

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


class Record(Struct, frozen=True, kw_only=True):
    """One line of the timeline."""

    at_ns: Instant
    """When, counted from the node's first start; what lies before it is negative."""
    action: Action
    """What happens."""
    note: Line | None = None
    """A word of explanation for the reader."""


class Account(Struct, frozen=True, kw_only=True):
    """One of several accounts at the venue; what it leaves out is as the venue says."""

    position_mode: PositionMode | None = None
    """Whether long and short of a symbol are one position or two; the venue's when left out."""
    balances: dict[Asset, NotNegative] | None = None
    """Its wallet balances at the beginning; the venue's when left out."""
    keys: tuple[KeyName, ...] | None = None
    """The names of its API keys; one, called as the account, when left out."""


class Terms(NamedTuple):
    """An account with all that its description leaves out."""

    position_mode: PositionMode
    balances: dict[str, Decimal]
    keys: tuple[str, ...]


class Venue(Struct, frozen=True, kw_only=True):
    """The venue and its accounts as they are when the story begins."""

    position_mode: PositionMode = "one-way"
    """Whether long and short of a symbol are one position or two."""
    symbols: tuple[Symbol, ...]
    """The symbols that the venue lists."""
    prices: dict[Symbol, Price] = {}
    """Last and mark price of symbols at the beginning; the venue's default for the others."""
    balances: dict[Asset, NotNegative] = field(default_factory=lambda: {"USDT": Decimal(100000)})
    """The account's wallet balances at the beginning."""
    accounts: dict[AccountName, Account] = {}
    """The accounts by name, where there are several; one, ``main``, when left out."""
    fees: dict[Literal["maker", "taker"], NotNegative] = {}
    """The commission rates, ``{maker: "0", taker: "0"}``; 0.0002 and 0.0005 when left out."""
    latency_ms: tuple[Millis, Millis] | None = None
    """The least and the greatest time between the node and the venue, one way; 5 and 25 when
    left out."""
    limits: Limits = Limits()
    """How much clients may ask; Binance's limits when left out."""
    knobs: Knobs = Knobs()
    """What nobody knows of Binance for sure, by its own words."""

    @property
    def each_account(self) -> dict[str, Terms]:
        """The accounts by name, in the order of names, with all that they leave out."""
        given = self.accounts or {MAIN_ACCOUNT: Account()}
        return {
            name: Terms(
                given[name].position_mode or self.position_mode,
                self.balances if (own := given[name].balances) is None else own,
                given[name].keys or (name,),
            )
            for name in sorted(given)
        }

    @property
    def default_account(self) -> str:
        """The account that is meant where none is named: ``main``, else the first by name."""
        accounts = self.accounts or {MAIN_ACCOUNT: Account()}
        return MAIN_ACCOUNT if MAIN_ACCOUNT in accounts else min(accounts)


class Broker(Struct, frozen=True, kw_only=True):
    """A generic execution client in place of Binance's, whose venue is not that of the
    instruments: a broker that routes to Binance."""

    venue: VenueName = "BROKER"
    """The client's own venue, which is its id and the issuer of its account, too."""
    positions: Literal["answers", "empty", "fails"] = "answers"
    """How it answers for positions: with what is held, with none ever, or with an exception."""
    default: bool = False
    """Whether orders reach it as the default route, and not as the route to BINANCE."""


class Node(Struct, frozen=True, kw_only=True):
    """The node under test, in the words of NautilusTrader's configuration."""

    account: AccountName | None = None
    """The account that it trades on; ``main``, or the first by name, when left out."""
    key: KeyName | None = None
    """The API key that it uses; the first of its account when left out."""
    key_type: KeyType = "hmac"
    """How that key signs.  With an Ed25519 key NautilusTrader logs on to the WebSocket API and
    starts its user data stream there; with an HMAC key it does so by REST."""
    accounts: tuple[AccountName, ...] | None = None
    """The accounts, in place of ``account``, where it trades on several by one client each.  The
    first is at the venue BINANCE; NautilusTrader has one client a venue, so ``second`` is at
    BINANCE_SECOND."""
    starts_ns: Duration = 0
    """When its first process begins; when the story does, ``0s``, when left out."""
    claims: dict[StrategyId, tuple[InstrumentId, ...]] = {}
    """The instruments whose external orders a strategy claims; at most one strategy for each."""
    strategies: Annotated[tuple[StrategyId, ...], Implied("strategies")] = ("S-001",)
    """The strategies that run; S-001 and those that claim something when left out."""
    instruments: tuple[InstrumentId, ...] | None = None
    """The instruments that the node loads; all of the venue's when left out."""
    reconciliation_interval_secs: Seconds = 300
    """How often the node compares itself with the venue."""
    reconciliation_lookback_mins: Count | None = None
    """How far back a start asks for history; seven days, as far as the venue goes, when left
    out.  An order that is older is not asked for."""
    open_check_interval_secs: Seconds | UnsetType | None = UNSET
    """The stock check of open orders; null is off, and the engine decides when left out."""
    position_check_interval_secs: Seconds | UnsetType | None = UNSET
    """The stock check of positions; null is off, and the engine decides when left out."""
    inflight_check_interval_ms: Count | UnsetType | None = UNSET
    """The stock check of orders in flight; null is off, and the engine decides when left out."""
    exec_engine: dict[OptionName, Any] = {}
    """Other options of NautilusTrader's LiveExecEngineConfig, by their own names."""
    exec_client: dict[OptionName, Any] = {}
    """Other options of the adapter's BinanceExecClientConfig, by their own names, such as
    ``max_retries``.  Those that hold words with values cannot be written."""
    broker: Broker | None = None
    """The broker that is the node's only execution client; Binance's adapter when left out."""


class Setting(Struct, frozen=True):
    """Where a story is set: what its records may leave out follows from this."""

    venue: Venue | None = None
    nodes: dict[str, Node] = field(default_factory=lambda: {FIRST_NODE: Node()})


def implied(by: str, siblings: Mapping[str, Any], setting: Setting) -> str | tuple[str, ...]:
    """Return what a field is when the file leaves it out, see `words.Implied`.

    ``siblings`` are the other fields of the same struct; those with a default may
    be absent.
    """
    venue, nodes = setting.venue, setting.nodes
    match by:
        case "symbol":
            assert venue is not None
            return venue.symbols[0]
        case "account":
            assert venue is not None
            return venue.default_account
        case "node":
            return min(nodes)
        case "strategy":
            # A node that does not exist is refused later.
            node = nodes.get(siblings.get("node", min(nodes)), Node())
            return node.strategies[0]
        case "strategies":
            return tuple(dict.fromkeys(("S-001", *sorted(siblings.get("claims", {})))))
        case _:
            raise ValueError(by)


class Adjustment(Struct, frozen=True, kw_only=True):
    """A fill without a trade that the scenario declares to be right."""

    symbol: Symbol
    """The venue symbol."""
    quantity: NotZero
    """How much the position is changed by, signed."""
    position_side: PositionSide = "BOTH"
    """The leg: LONG or SHORT in hedge mode, and only there."""
    account: Annotated[AccountName, Implied("account")] = MAIN_ACCOUNT
    """The account; ``main``, or the first by name, when left out."""


class Expect(Struct, frozen=True, kw_only=True):
    """What is true at the venue in the end: the guard that the story happened."""

    venue_position: dict[Symbol, Annotated[dict[PositionSide, SignedQuantity], Legs()]] = {}
    """The signed quantity of positions, ``{BTCUSDT: "-1"}``; in hedge mode that of each leg,
    ``{BTCUSDT: {LONG: "1", SHORT: "-2"}}``.  What is not named is not compared.  Where there are
    several accounts it is that of ``main``, or of the first by name."""
    venue_positions: dict[
        AccountName, dict[Symbol, Annotated[dict[PositionSide, SignedQuantity], Legs()]]
    ] = {}
    """The same for accounts by name: ``{second: {BTCUSDT: "-1"}}``."""
    adjustments: tuple[Adjustment, ...] = ()
    """Fills without a trade that are right here."""


class Known(Struct, frozen=True, kw_only=True):
    """What an engine is known to get wrong in this scenario."""

    fails: tuple[Property, ...]
    """Exactly the properties that it violates; at another seed only what the file shows is
    compared, and that nothing crashes."""
    versions: Line = ""
    """The NautilusTrader versions that this is about, as PEP 440 specifiers; any when left out."""

    def covers(self, nautilus_version: str) -> bool:
        """Whether this is about that version of NautilusTrader."""
        return SpecifierSet(self.versions).contains(nautilus_version, prereleases=True)


def venues_of(accounts: Sequence[str]) -> dict[str, str]:
    """Return the venue at which a node has each of its accounts."""
    first, *others = accounts
    return {first: BINANCE, **{name: f"{BINANCE}_{name.upper()}" for name in others}}


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
    story: Story | None = None
    """The story at length."""
    reference: Line | None = None
    """Where it comes from: an issue, a gap, a report."""
    shows: Property
    """The property that the file exists for."""
    seed: Seed = 1
    """Where all randomness of the run comes from."""
    venue: Venue
    """The venue at the beginning."""
    node: Node = Node()
    """The node under test."""
    nodes: dict[NodeName, Node] = {}
    """The nodes by name, where there are several; one, ``A``, when left out."""
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

    @property
    def each_node(self) -> dict[str, Node]:
        """The nodes by name, in the order of names."""
        nodes = self.nodes or {FIRST_NODE: self.node}
        return {name: nodes[name] for name in sorted(nodes)}

    @property
    def setting(self) -> Setting:
        """Where it is set."""
        return Setting(self.venue, self.each_node)

    def accounts_of(self, node: str) -> tuple[str, ...]:
        """Return the accounts that a node trades on, the one that is meant by default first."""
        spec = self.each_node[node]
        return spec.accounts or (spec.account or self.venue.default_account,)

    def account_of_order(self, order: Order) -> str:
        """Return the account that an order of the timeline is sent for."""
        if isinstance(order, Submit):
            return order.account or self.accounts_of(order.node)[0]
        assert isinstance(order, WebSubmit)
        return order.account

    def line(self, record: int) -> int:
        """Return the line of a record of the timeline, 0 when it was not read from a text."""
        lines = self.source.record_lines
        return lines[record] if record < len(lines) else 0
