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
    text = f"{value:f}"
    whole, _, part = text.partition(".")
    digits = len(part)
    if len(whole) > _WHOLE_DIGITS or digits > FIXED_PRECISION or whole[0] == "-":
        return Quantity.from_str(text)
    return Quantity.from_raw(int(whole + part) * _SCALES[digits], digits)


def price_of(value: Decimal) -> Price:
    """Return a price; raises ValueError for a number that is none."""
    text = f"{value:f}"
    whole, _, part = text.partition(".")
    digits = len(part)
    if len(whole) > _WHOLE_DIGITS or digits > FIXED_PRECISION:
        return Price.from_str(text)
    return Price.from_raw(int(whole + part) * _SCALES[digits], digits)
