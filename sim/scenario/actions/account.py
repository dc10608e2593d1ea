"""What happens to the account: by the venue's force, or by the user's settings."""

from __future__ import annotations

from typing import Annotated, ClassVar

from sim.scenario.actions.base import AccountAction
from sim.scenario.values import (
    AccountState,
    Leverage,
    MarginType,
    NotNegative,
    NotZero,
    PositionMode,
    PositionSide,
    Price,
    Quantity,
    Shape,
    Symbol,
)
from sim.scenario.words import Implied


class LegAction(AccountAction, frozen=True, kw_only=True):
    """Something that happens to one leg."""

    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    position_side: PositionSide = "BOTH"
    """The leg: LONG or SHORT in hedge mode, and only there."""


class Liquidate(LegAction, frozen=True, kw_only=True):
    """The venue closes a leg by force; open orders of the account expire before."""

    word: ClassVar[str] = "liquidate"

    slices: tuple[Quantity, ...]
    """The quantities of the trades, in order."""
    price: Price
    """The bankruptcy price, at which it trades; it need not be on the tick."""
    insured: NotNegative | None = None
    """How much of it the insurance fund takes, besides; none when left out."""
    fee: NotNegative | None = None
    """What goes to the insurance fund; nothing when left out."""
    shape: Shape = "trade"
    """How the stream tells of it: as trades after a NEW, or as ``CALCULATED`` and nothing
    before."""


class Deleverage(LegAction, frozen=True, kw_only=True):
    """The venue takes a part of a leg for somebody else's bankruptcy (ADL)."""

    word: ClassVar[str] = "deleverage"

    quantity: Quantity
    """How much."""
    price: Price
    """The price, which need not be on the tick."""
    shape: Shape = "calculated"
    """How the stream tells of it: as ``CALCULATED`` and nothing before, or as a trade."""


class MarginCall(LegAction, frozen=True, kw_only=True):
    """The venue warns that a leg is close to liquidation."""

    word: ClassVar[str] = "margin_call"


class AddMargin(LegAction, frozen=True, kw_only=True):
    """The user moves money to an isolated leg, or away from it."""

    word: ClassVar[str] = "add_margin"

    amount: NotZero
    """How much; negative is away from it."""


class SetLeverage(AccountAction, frozen=True, kw_only=True):
    """The user sets the leverage of a symbol."""

    word: ClassVar[str] = "leverage"

    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    leverage: Leverage
    """The new leverage."""


class SetMarginType(AccountAction, frozen=True, kw_only=True):
    """The user sets how the margin of a symbol is kept; needs no open order and no position."""

    word: ClassVar[str] = "margin_type"

    symbol: Annotated[Symbol, Implied("symbol")]
    """The venue symbol; the first of the venue's when left out."""
    type: MarginType
    """With the whole account's, or apart."""


class SetPositionMode(AccountAction, frozen=True, kw_only=True):
    """The user switches between one-way and hedge mode; no event tells of it."""

    word: ClassVar[str] = "position_mode"

    mode: PositionMode
    """The new mode; the venue refuses it while there are open orders or positions."""


class BurnBnb(AccountAction, frozen=True, kw_only=True):
    """The user has commissions paid in BNB, or no longer; no event tells of it."""

    word: ClassVar[str] = "burn_bnb"

    active: bool = True
    """Whether they are paid in BNB, as long as there is enough of it."""


class SetMultiAssets(AccountAction, frozen=True, kw_only=True):
    """The user switches multi-assets mode."""

    word: ClassVar[str] = "multi_assets"

    active: bool = True
    """Whether all assets count as margin."""


class Restrict(AccountAction, frozen=True, kw_only=True):
    """The venue holds the account back: it refuses orders, or those that open."""

    word: ClassVar[str] = "restrict"

    state: AccountState
    """What the account may do from now on; ``normal`` is everything."""
