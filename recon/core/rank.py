"""The order in which the venue made the trades of a leg."""

from __future__ import annotations

from recon.core.orders import ROUNDING_NS

type Rank = tuple[int, int, str, bool]
"""What orders the fills of a leg as the venue made them."""


def rank(time_ns: int, trade_id: str, *, is_maker: bool) -> Rank:
    """Return the place of a fill among those of its leg.

    The venue prints milliseconds (see `ROUNDING_NS`), and its trade ids grow.  Two orders of
    one account that traded with each other have one trade: the side that rested comes first.
    """
    return (time_ns + ROUNDING_NS) // 1_000_000, len(trade_id), trade_id, not is_maker
