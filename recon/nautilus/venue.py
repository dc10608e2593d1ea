"""What differs between the clients of a node: names, ids, and how orders are described."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec
from nautilus_trader.model.enums import OrderSide, OrderType, TimeInForce
from nautilus_trader.model.events import OrderExpired, OrderRejected
from nautilus_trader.model.identifiers import InstrumentId, PositionId
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from recon.core.facts import VenueOrder
from recon.core.orders import Bounds
from recon.core.port import VenueReader

SIDES = {"BUY": OrderSide.BUY, "SELL": OrderSide.SELL}


class Description(msgspec.Struct, frozen=True):
    """An order of the venue in NautilusTrader's words; ``options`` as it wants them."""

    type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    options: dict[str, Any]


class Venue(Protocol):
    """One execution client of a node, as `recon` sees it."""

    @property
    def reader(self) -> VenueReader:
        """What reads it."""

    @property
    def bounds(self) -> Bounds:
        """How long its answers may take and be behind."""

    @property
    def limits(self) -> str | None:
        """What cannot be promised here, in one line; None where everything can."""

    @property
    def fills_are_complete(self) -> bool:
        """Whether a fill event of the client has the venue's own price and commission."""

    @property
    def expired_is_canceled(self) -> bool:
        """Whether an order that expired is shown as cancelled."""

    def is_final(self, event: OrderRejected | OrderExpired, order: Order) -> bool:
        """Whether an end that the client tells of is the venue's own word on an order."""

    def deadline(self, at_ns: int) -> AbstractContextManager[None]:
        """Let what is read in a block fail by an instant, rather than wait for a limit."""

    def instrument_id(self, symbol: str) -> InstrumentId:
        """Return the node's id of a symbol."""

    def symbol(self, instrument_id: InstrumentId) -> str:
        """Return the venue's name of an instrument."""

    def sequence(self, trade_id: str, time_ns: int) -> int | None:
        """Return where a trade stands among those of its symbol, None for what is none."""

    def position_id(self, instrument_id: InstrumentId, position_side: str) -> PositionId | None:
        """Return the id under which the live stream books a leg; None: the node decides."""

    def position_side(self, position: Position) -> str:
        """Return the leg that a position of the node belongs to."""

    def describe(self, order: VenueOrder) -> Description:
        """Return an order in NautilusTrader's words.

        Raises `Indescribable` for one that NautilusTrader has no words for.
        """


class Indescribable(ValueError):
    """An order of the venue that NautilusTrader cannot represent."""
