"""What strategies do."""

from __future__ import annotations

from typing import Annotated, ClassVar

from sim.scenario.actions.base import OfNode, Order, StrategyAction
from sim.scenario.values import (
    FIRST_NODE,
    AccountName,
    OrderId,
    Price,
    Quantity,
    StrategyId,
    Symbol,
)
from sim.scenario.words import Implied


class Submit(Order, StrategyAction, frozen=True, kw_only=True):
    """A strategy sends an order."""

    word: ClassVar[str] = "submit"

    strategy: Annotated[StrategyId, Implied("strategy")]
    """The strategy that sends it; the node's first when left out."""
    node: OfNode = FIRST_NODE
    """The node whose strategy it is; the first by name when left out."""
    account: AccountName | None = None
    """The account that it is for, of a node with several; its first when left out."""
    on_start: bool = False
    """Whether it is sent in the strategy's ``on_start``, the next time that this is called after
    ``at``: right when the node's startup reconciliation has ended."""


class OwnOrderAction(StrategyAction, frozen=True, kw_only=True):
    """What the strategy that submitted an order does about it."""

    order: OrderId
    """The id of the order."""


class Cancel(OwnOrderAction, frozen=True, kw_only=True):
    """The strategy cancels an order that it submitted."""

    word: ClassVar[str] = "cancel"


class CancelBatch(StrategyAction, frozen=True, kw_only=True):
    """A strategy cancels several of its orders of one symbol in one request."""

    word: ClassVar[str] = "cancel_batch"

    orders: tuple[OrderId, ...]
    """The ids of the orders."""


class CancelAll(StrategyAction, frozen=True, kw_only=True):
    """A strategy cancels all its open orders of a symbol."""

    word: ClassVar[str] = "cancel_all"

    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    strategy: Annotated[StrategyId, Implied("strategy")]
    """The strategy that cancels; the node's first when left out."""
    node: OfNode = FIRST_NODE
    """The node whose strategy it is; the first by name when left out."""
    account: AccountName | None = None
    """The account whose orders they are, of a node with several; its first when left out."""


class Query(OwnOrderAction, frozen=True, kw_only=True):
    """The strategy asks the venue how an order that it submitted stands."""

    word: ClassVar[str] = "query"


class Modify(OwnOrderAction, frozen=True, kw_only=True):
    """The strategy changes an order that rests: its quantity, its price or both."""

    word: ClassVar[str] = "modify"

    quantity: Quantity | None = None
    """The new quantity, what is already filled included; as before when left out."""
    price: Price | None = None
    """The new limit price; as before when left out."""
