"""When two average prices are the same.

NautilusTrader keeps averages as doubles and the venue prints them rounded, so they agree within
1e-9 relative plus half a unit of the venue's last printed digit.

How many digits are printed depends on the field.  Where the observation holds fewer, the
number is exact and not rounded (an entry at ``Decimal("50000")`` is not known to half a dollar
only), so a unit is never taken to be coarser than the field's shortest print.
"""

from __future__ import annotations

from decimal import Decimal

# Binance USD-M prints ``avgPrice`` with five decimals or more and ``entryPrice`` with eight to
# eleven, depending on the symbol and on whether the average is a short number.
AVERAGE_PRICE_DECIMALS = 5
ENTRY_PRICE_DECIMALS = 8

_RELATIVE = Decimal("1e-9")


def same_price(node: Decimal, venue: Decimal, printed_decimals: int) -> bool:
    exponent = venue.as_tuple().exponent
    assert isinstance(exponent, int), "an average price is a finite number"
    half_unit = Decimal(5).scaleb(min(exponent, -printed_decimals) - 1)
    return abs(node - venue) <= abs(venue) * _RELATIVE + half_unit
