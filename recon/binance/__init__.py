"""Reads one Binance USD-M futures account completely, over httpx.

`BinanceReader` is the `recon.core.port.VenueReader` of this venue.  Unknown is not empty: a read
returns all that was asked for, or raises `ReadError`.
"""

from recon.binance.access import Access
from recon.binance.budget import WeightBudget
from recon.binance.http import BinanceHttp, deadline
from recon.binance.reader import BinanceReader
from recon.core.port import ReadError

__all__ = [
    "Access",
    "BinanceHttp",
    "BinanceReader",
    "ReadError",
    "WeightBudget",
    "deadline",
]
