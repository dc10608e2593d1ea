"""A deterministic, sans-I/O fake of Binance USD-M futures: bytes in, bytes out.

`Venue` is the whole of it; see `venue.py` for its rules.
"""

from sim.venue.config import (
    AccountConfig,
    SymbolConfig,
    VenueConfig,
    known_symbols,
    symbol_config,
)
from sim.venue.errors import VenueError, VenueInvariantError
from sim.venue.reads import Reads
from sim.venue.venue import Venue
from sim.venue.wire import Frame, Headers, Request, Response

__all__ = [
    "AccountConfig",
    "Frame",
    "Headers",
    "Reads",
    "Request",
    "Response",
    "SymbolConfig",
    "Venue",
    "VenueConfig",
    "VenueError",
    "VenueInvariantError",
    "known_symbols",
    "symbol_config",
]
