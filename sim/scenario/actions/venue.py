"""What happens at the venue, and what the user does there by hand."""

from __future__ import annotations

from typing import Annotated, ClassVar

from sim.scenario.actions.base import AccountAction, OfAccount, Order, VenueAction
from sim.scenario.values import (
    MAIN_ACCOUNT,
    Asset,
    Count,
    ExpiryReason,
    NotNegative,
    NotZero,
    OrderId,
    Price,
    Quantity,
    SelfTradePrevention,
    Status,
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


class Trigger(VenueAction, frozen=True, kw_only=True):
    """The venue triggers a conditional order, whatever the price is."""

    word: ClassVar[str] = "trigger"

    order: OrderId
    """The id of the order, whoever sent it."""


class Expire(VenueAction, frozen=True, kw_only=True):
    """The venue lets an order expire for a reason of its own."""

    word: ClassVar[str] = "expire"

    order: OrderId
    """The id of the order, whoever sent it."""
    reason: ExpiryReason = 0
    """The reason as the stream tells it, Binance's ``er``."""


class SymbolStatus(VenueAction, frozen=True, kw_only=True):
    """The venue halts a symbol, or lets it trade again."""

    word: ClassVar[str] = "symbol_status"

    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    status: Status
    """The new status."""


class Settle(VenueAction, frozen=True, kw_only=True):
    """The venue takes a symbol off its list: orders expire, positions are closed at a price."""

    word: ClassVar[str] = "settle"

    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    price: Price
    """The price of the settlement."""


class Fund(VenueAction, frozen=True, kw_only=True):
    """Funding of a symbol is due: longs pay shorts, or the reverse."""

    word: ClassVar[str] = "fund"

    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    rate: NotZero
    """The funding rate; positive is what longs pay."""


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
    """The new price, which triggers the conditional orders that wait for it."""
    mark: Price | None = None
    """The mark price, where it is not the last price."""


class WebSubmit(Order, VenueAction, frozen=True, kw_only=True):
    """The user sends an order by hand, in the venue's web interface."""

    word: ClassVar[str] = "web_submit"

    client_id: OrderId | None = None
    """The client order id; ``web_`` and its ``id`` when left out.  One that a closed order has
    may be used again, as at the venue."""
    self_trade_prevention: SelfTradePrevention | None = None
    """What happens when it meets an order of the same account; as Binance does it unasked (the
    older order expires) when left out."""
    account: OfAccount = MAIN_ACCOUNT
    """The account; ``main``, or the first by name, when left out."""


class WebModify(VenueAction, frozen=True, kw_only=True):
    """The user changes an order that rests by hand, a strategy's or an own one."""

    word: ClassVar[str] = "web_modify"

    order: OrderId
    """The id of the order."""
    quantity: Quantity | None = None
    """The new quantity, what is already filled included; as before when left out."""
    price: Price | None = None
    """The new limit price; as before when left out."""


class WebCancel(VenueAction, frozen=True, kw_only=True):
    """The user cancels an order by hand, a strategy's or an own one."""

    word: ClassVar[str] = "web_cancel"

    order: OrderId
    """The id of the order."""
