"""Numbers of the venue as NautilusTrader's prices and quantities, with the digits they have.

``from_str`` makes the same of the same digits and takes several times as long, which tells
where a history of many thousand trades is applied.
"""

from __future__ import annotations

from decimal import Decimal

from nautilus_trader.model.objects import FIXED_PRECISION, Price, Quantity

_SCALES = [10 ** (FIXED_PRECISION - digits) for digits in range(FIXED_PRECISION + 1)]
"""What a number of so many digits after its point is multiplied with, to be a raw value."""

_WHOLE_DIGITS = 9
"""Up to how many digits before the point a number is in the range of any build."""


def quantity_of(value: Decimal) -> Quantity:
    """Return a quantity; raises ValueError for a number that is none."""
    scaled = _scaled(value)
    return Quantity.from_str(f"{value:f}") if scaled is None else Quantity.from_raw(*scaled)


def price_of(value: Decimal) -> Price:
    """Return a price; raises ValueError for a number that is none."""
    scaled = _scaled(value)
    return Price.from_str(f"{value:f}") if scaled is None else Price.from_raw(*scaled)


def _scaled(value: Decimal) -> tuple[int, int] | None:
    """Return the raw value and the digits of a number as most are, None for any other."""
    whole, _, part = str(value).partition(".")
    figures, digits = whole + part, len(part)
    if len(whole) > _WHOLE_DIGITS or digits > FIXED_PRECISION or not figures.isdecimal():
        return None
    return int(figures) * _SCALES[digits], digits
