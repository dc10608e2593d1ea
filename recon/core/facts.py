"""What was read: facts of the venue and of the node, as plain data.

Rules of this file:

1. A fact is positive.  That something could not be read is no fact; a reader raises
   `recon.core.port.ReadError` instead, and nothing follows from it.
2. Facts of the venue are of one account; who keeps several accounts keeps them apart.
3. A *symbol* is the venue's own name of a contract ("BTCUSDT").  A *position side* is
   the venue's name of a leg: BOTH in one-way mode, LONG or SHORT in hedge mode.
4. Times are nanoseconds since the Unix epoch, quantities and prices `Decimal`.
5. What was asked is stamped with the local time at which it was *asked*: what changed
   here since then is not judged by it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

type Side = Literal["BUY", "SELL"]

type VenueStatus = Literal["NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "REJECTED"]
"""What the venue says of an order.  Readers map what is finer (EXPIRED_IN_MATCH) to these."""

OPEN: frozenset[str] = frozenset({"NEW", "PARTIALLY_FILLED"})

ZERO = Decimal(0)


class FillKey(NamedTuple):
    """What makes a fill the same fill, within an account.

    The side belongs to it: of a self-trade both sides have one trade id.
    """

    symbol: str
    order_id: str
    trade_id: str
    side: Side


class Leg(NamedTuple):
    """What the venue keeps one position for, within an account."""

    symbol: str
    position_side: str

    def __str__(self) -> str:
        return f"{self.symbol} {self.position_side}"


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One execution at the venue, from the account's side.

    ``sequence`` orders the trades of a symbol: a cursor is a sequence.  On Binance it is
    the trade id; where ids are no numbers, the time in nanoseconds.  ``realized_pnl`` is
    what the venue says that the trade realised, None where it does not say.
    """

    symbol: str
    order_id: str
    trade_id: str
    sequence: int
    side: Side
    position_side: str
    quantity: Decimal
    price: Decimal
    commission: Decimal
    commission_asset: str
    is_maker: bool
    time_ns: int
    realized_pnl: Decimal | None = None

    @property
    def key(self) -> FillKey:
        # `_make` is the quicker way by far.
        return FillKey._make((self.symbol, self.order_id, self.trade_id, self.side))

    @property
    def leg(self) -> Leg:
        return Leg(self.symbol, self.position_side)

    @property
    def signed(self) -> Decimal:
        """The quantity, negative when sold."""
        return self.quantity if self.side == "BUY" else -self.quantity


class VenueOrder(msgspec.Struct, frozen=True, gc=False):
    """One order as the venue shows it.

    ``type`` and ``time_in_force`` are the venue's own words, which only the one who makes
    an order of it has to understand.  ``price`` is None where the order has none, and so
    are ``trigger_price``, ``callback_rate_percent`` and ``good_till_ns``.  ``filled`` is
    what the venue says is executed: a check, never a fill.
    """

    symbol: str
    order_id: str
    client_order_id: str
    side: Side
    position_side: str
    type: str
    time_in_force: str
    status: VenueStatus
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    average_price: Decimal | None
    reduce_only: bool
    created_ns: int
    updated_ns: int
    asked_ns: int
    trigger_price: Decimal | None = None
    trigger_by: str | None = None
    callback_rate_percent: Decimal | None = None
    good_till_ns: int | None = None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


class VenuePosition(msgspec.Struct, frozen=True, gc=False):
    """One leg that is not flat at the venue; ``quantity`` is signed.

    ``updated_ns`` is when the venue last changed it, 0 where it does not say.
    """

    symbol: str
    position_side: str
    quantity: Decimal
    entry_price: Decimal
    updated_ns: int

    @property
    def leg(self) -> Leg:
        return Leg(self.symbol, self.position_side)


class Positions(msgspec.Struct, frozen=True):
    """All legs of the account that are not flat, from one complete read.

    ``is_complete`` says that a leg which is absent is flat.  A venue that cannot tell an
    empty answer from none says nothing of the legs that it does not name.
    """

    asked_ns: int
    legs: dict[Leg, VenuePosition]
    is_complete: bool = True

    def updated_ns(self, leg: Leg) -> int:
        """Return when the venue last changed a leg, 0 where it does not say."""
        at_venue = self.legs.get(leg)
        return 0 if at_venue is None else at_venue.updated_ns


class OpenOrders(msgspec.Struct, frozen=True):
    """All open orders of the account by (symbol, order id), from one complete read."""

    asked_ns: int
    orders: dict[tuple[str, str], VenueOrder]
