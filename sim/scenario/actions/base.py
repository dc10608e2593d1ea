"""What every action has, and who acts."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from msgspec import Struct

from sim.scenario.values import (
    FIRST_NODE,
    MAIN_ACCOUNT,
    AccountName,
    ClientName,
    Count,
    NodeName,
    OrderId,
    OrderType,
    Period,
    PointName,
    PositionSide,
    Price,
    PriceMatch,
    Probability,
    Quantity,
    Seed,
    Side,
    Skip,
    Symbol,
    TimeInForce,
    WorkingType,
)
from sim.scenario.words import Implied

OfNode = Annotated[NodeName, Implied("node")]
"""The node that acts, or with which something is done."""

OfAccount = Annotated[AccountName, Implied("account")]
"""The account that something happens to."""

LASTING = ("for_ns", "down_ns", "by_ns", "after_ns", "late_ns", "ban_ns")
"""The fields that say how long an action lasts, or how much later it takes effect."""

type Layer = Literal["strategy", "node", "venue", "request", "read", "stream", "ws-api"]
"""Where something happens: who acts, or what a fault stands in the way of."""


class Action(Struct, frozen=True, kw_only=True):
    """Something that happens at a point in time."""

    word: ClassVar[str]
    """The action's word in the file; only what can stand in one has it."""

    layer: ClassVar[Layer]
    """Where it happens; the base of a family says it for all of them."""

    print_last: ClassVar[tuple[str, ...]] = ("node", "account", "point")
    """The fields that a print and a reference name after those of the action itself."""

    point: PointName | None = None
    """The named point at which it happens, counted from ``at``; at once when left out."""

    @classmethod
    def gist(cls) -> str:
        """Return the first sentence of what is written about it: what it does or distorts."""
        return re.split(r"(?<=\.)\s+(?=[A-Z`]|$)", " ".join((cls.__doc__ or "").split()))[0]

    @property
    def lasts_ns(self) -> int:
        """How long it lasts; what is not a fault or a downtime is an instant."""
        # What acts to the very end of its time takes effect so much later.
        parts = (getattr(self, n, None) for n in LASTING)
        return sum(ns for ns in parts if ns)


class StrategyAction(Action, frozen=True, kw_only=True):
    """A strategy in the node does something; needs a running node."""

    layer: ClassVar[Layer] = "strategy"


class VenueAction(Action, frozen=True, kw_only=True):
    """Something happens at the venue, without the node."""

    layer: ClassVar[Layer] = "venue"


class AccountAction(VenueAction, frozen=True, kw_only=True):
    """Something happens to one account at the venue."""

    account: OfAccount = MAIN_ACCOUNT
    """The account; ``main``, or the first by name, when left out."""


class NodeAction(Action, frozen=True, kw_only=True):
    """The process of the node ends or begins."""

    layer: ClassVar[Layer] = "node"

    node: OfNode = FIRST_NODE
    """The node; the first by name when left out."""


class Fault(Action, frozen=True, kw_only=True):
    """A view of the truth or the way to it is distorted; the truth is not.

    Inherit from the fault of a layer, such as `ReadFault`, and not from this.
    """


class Matched(Fault, frozen=True, kw_only=True):
    """A fault of single requests or events: those that match all that is given."""

    client: ClientName | None = None
    """Whose it hits: ``nt`` is NautilusTrader's client; all when left out."""
    node: NodeName | None = None
    """The node whose it hits; all nodes' when left out."""
    account: AccountName | None = None
    """The account whose it hits; all accounts' when left out."""
    skip: Skip = 0
    """How many that match it lets pass before it hits any."""
    count: Count | None = None
    """How many it hits; one when neither this nor ``for`` is given."""
    for_ns: Period | None = None
    """How long it hits every one that matches."""
    probability: Probability | None = None
    """The chance with which it hits one that matches; it hits each when left out."""
    seed: Seed | None = None
    """Where that chance comes from, apart from the scenario's seed; 0 when left out."""

    print_last: ClassVar[tuple[str, ...]] = (
        "client",
        "node",
        "account",
        "skip",
        "count",
        "for_ns",
        "probability",
        "seed",
        "point",
    )

    @property
    def limit(self) -> int | None:
        """How many it hits; None when time alone decides."""
        return 1 if self.count is None and self.for_ns is None else self.count


class Order(Action, frozen=True, kw_only=True):
    """Somebody sends an order."""

    id: OrderId
    """The client order id, unique in the file."""
    side: Side
    """The order's side."""
    quantity: Quantity
    """How much, in the base asset."""
    price: Price | None = None
    """The limit price; a LIMIT, STOP or TAKE_PROFIT order needs it, others have none."""
    type: OrderType = "LIMIT"
    """The order's type, as Binance names it."""
    trigger: Price | None = None
    """The price that triggers a conditional order; a trailing stop has none."""
    working_type: WorkingType = "CONTRACT_PRICE"
    """Which price triggers a conditional order: the last one, or the mark price."""
    callback_rate: Quantity | None = None
    """How far a trailing stop trails, in percent."""
    activate: Price | None = None
    """The price from which on a trailing stop trails; at once when left out."""
    close_position: bool = False
    """Whether a STOP_MARKET or TAKE_PROFIT_MARKET order closes whatever its leg holds when it
    triggers; its quantity is then only the sender's own idea."""
    price_match: PriceMatch | None = None
    """The price that the venue gives a limited order, in place of ``price``."""
    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    position_side: PositionSide = "BOTH"
    """The leg that the order is for: LONG or SHORT in hedge mode, and only there."""
    reduce_only: bool = False
    """Whether it may only shrink a position; one-way mode only, as at the venue."""
    time_in_force: TimeInForce = "GTC"
    """How long an order stands: GTC rests, IOC and FOK meet the ``depth`` or expire, GTD ends
    by itself, GTE_GTC (of a conditional order by hand) ends with its position."""
    good_till_ns: Period | None = None
    """How long a GTD order stands from ``at`` on; at least ten minutes."""
    post_only: bool = False
    """Whether a LIMIT order may only rest; the venue refuses it when it would execute at once."""

    @property
    def is_conditional(self) -> bool:
        """Whether it waits for a price before it is an order."""
        return self.type not in ("LIMIT", "MARKET")

    @property
    def is_limited(self) -> bool:
        """Whether it has a limit price."""
        return self.type in ("LIMIT", "STOP", "TAKE_PROFIT")
