"""How Binance prints numbers and instants.

Rules:

* REST pads to the symbol's precision ("50000.00", "0.010"); the user stream trims
  zeros ("50000", "0.01").  Both are plain decimals, never exponents.
* Payload times are milliseconds, the floor of the venue's nanoseconds.
"""

from __future__ import annotations

from decimal import Decimal

MS_NS = 1_000_000


def plain(value: Decimal) -> str:
    """Return the number without trailing zeros and without an exponent."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: Decimal) -> str:
    """Return an amount without trailing zeros, rounded to the eight decimals that Binance keeps."""
    return plain(round(value, 8))


def fixed(value: Decimal, decimals: int) -> str:
    """Return the number rounded to exactly that many decimals; zero has no sign."""
    text = f"{value:.{decimals}f}"
    return text[1:] if text[0] == "-" and not text.strip("-0.") else text


def padded(value: Decimal, decimals: int) -> str:
    """Return the number with at least that many decimals, never rounded."""
    text = plain(value)
    have = len(text) - text.find(".") - 1 if "." in text else 0
    return text if have >= decimals else fixed(value, decimals)


def to_ms(time_ns: int) -> int:
    """Return the millisecond in which that instant lies."""
    return time_ns // MS_NS


def average(value: Decimal | None, price_precision: int) -> str:
    """Return an average price as Binance prints it: three more decimals than a price."""
    return fixed(value or Decimal(0), price_precision + 3)
