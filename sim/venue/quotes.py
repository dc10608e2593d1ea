"""The market of this venue: one price for each symbol, and a book made up around it.

The n-th best bid lies n ticks below the last price, the n-th best ask n ticks above it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sim.venue.config import SymbolConfig

if TYPE_CHECKING:
    from sim.venue.exchange import Exchange

PRICE_MATCHES = frozenset(
    f"{kind}{level}" for kind in ("OPPONENT", "QUEUE") for level in ("", "_5", "_10", "_20")
)
"""The values of ``priceMatch``, apart from NONE."""


def best(exchange: Exchange, symbol: SymbolConfig, side: str, level: int = 1) -> Decimal:
    """Return the price of a level of the book: of its bids for BUY, its asks for SELL."""
    last = exchange.prices[symbol.name]
    away = level * symbol.tick_size
    return max(symbol.tick_size, last - away) if side == "BUY" else last + away


def matched_price(exchange: Exchange, symbol: SymbolConfig, side: str, match: str) -> Decimal:
    """Return the price that the venue gives an order: its own side's, or the opponent's."""
    kind, _, level = match.partition("_")
    if kind == "OPPONENT":
        side = "SELL" if side == "BUY" else "BUY"
    return best(exchange, symbol, side, int(level or 1))
