"""What a reader of a venue has to offer.

One rule above all: *unknown is not empty*.  A read returns all that was asked for, or it
raises `ReadError`.  A failed, truncated or half-paged read never looks like an answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from recon.core.facts import OpenOrders, Positions, Trade, VenueOrder


class ReadError(RuntimeError):
    """A read that has not been answered, or not completely; nothing follows from it.

    Parameters
    ----------
    what
        What was asked, in words for a log line; without keys or signatures.
    why
        What came instead.
    not_before_ns
        Until when the venue wants no requests, by the node's clock; 0 if it has not said so.
    is_final
        Whether to ask again is of no use: the key is wrong, the address does not exist.
    """

    def __init__(
        self,
        what: str,
        why: str,
        *,
        not_before_ns: int = 0,
        is_final: bool = False,
    ) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why
        self.not_before_ns = not_before_ns
        self.is_final = is_final


class VenueReader(Protocol):
    """Reads one account of one venue, completely.  Everything raises `ReadError`."""

    async def positions(self) -> Positions:
        """Return all legs that are not flat."""

    async def open_orders(self) -> OpenOrders:
        """Return all orders that are open, conditional ones included."""

    async def order(
        self, symbol: str, *, order_id: str | None = None, client_order_id: str | None = None
    ) -> VenueOrder | None:
        """Return one order by the venue's id or, without one, by the client's.

        None says that the venue has answered that it does not exist.
        """

    async def orders_from(self, symbol: str, order_id: str) -> Sequence[VenueOrder]:
        """Return the orders of a symbol from an id on, of any state, oldest first.

        What the venue no longer serves is missing.
        """

    async def trades_of(self, symbol: str, order_id: str) -> Sequence[Trade]:
        """Return all trades of one order that the venue serves, oldest first."""

    def trades_from(self, symbol: str, sequence: int) -> AsyncIterator[Sequence[Trade]]:
        """Yield the trades of a symbol from a sequence on, inclusive, oldest first, in pages.

        The end of the iteration says that the read is complete.
        """

    def trades_since(self, symbol: str, start_ns: int) -> AsyncIterator[Sequence[Trade]]:
        """Yield the trades of a symbol from an instant on, oldest first, in pages.

        The end of the iteration says that the read is complete.
        """

    async def last_traded_ns(self, start_ns: int, end_ns: int) -> dict[str, int]:
        """Return when the account has last traded each symbol in a time, by its income."""

    async def aclose(self) -> None:
        """Let go of connections."""
