"""What happens at the venue, and what the user does there by hand."""

from __future__ import annotations

from typing import Annotated, ClassVar

from sim.scenario.actions.base import AccountAction, OfAccount, Order, VenueAction
from sim.scenario.values import (
    MAIN_ACCOUNT,
    Asset,
    Count,
    NotNegative,
    NotZero,
    OrderId,
    Price,
    Quantity,
    Symbol,
)
from sim.scenario.words import Implied


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


class Transfer(AccountAction, frozen=True, kw_only=True):
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

    account: OfAccount = MAIN_ACCOUNT
    """The account; ``main``, or the first by name, when left out."""


class WebCancel(VenueAction, frozen=True, kw_only=True):
    """The user cancels an order by hand, a strategy's or an own one."""

    word: ClassVar[str] = "web_cancel"

    order: OrderId
    """The id of the order."""
