"""The opening balance of a leg: what the window of trades cannot explain.

Rules of this file:

1. Its quantity is the venue's position, minus what the node holds, minus the trades that
   are still to be applied.  Zero needs none.
2. It stands before those trades.  Its price is the one that makes the entry price, after
   all of them are replayed, the venue's.
3. Where no price can do that, because the leg was flat or changed sides on the way, the
   venue's entry price stands for it; where the leg is flat at the venue now, what the
   first trade that reduced it realised tells the price; where nothing does, that trade's
   own price.

Entry prices are those of Binance: the average of what opened and enlarged the leg, left
alone by what reduces it, and begun anew when it changes sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from recon.core.facts import ZERO, Trade


class Holding(NamedTuple):
    """A leg as somebody holds it: signed quantity and entry price."""

    quantity: Decimal
    entry_price: Decimal


def opening_balance(venue: Holding, held: Holding, trades: Sequence[Trade]) -> Holding | None:
    """Return what has to stand before the trades, None when nothing has to.

    Parameters
    ----------
    venue
        The leg at the venue, after all of the trades.
    held
        The leg in the node, before any of the trades.
    trades
        The trades of the leg that the node lacks, oldest first.
    """
    quantity = venue.quantity - held.quantity - sum((t.signed for t in trades), ZERO)
    if not quantity:
        return None
    price = _solved(venue, held, quantity, trades)
    if price is None or price <= 0:
        price = venue.entry_price or _told(quantity + held.quantity, trades) or held.entry_price
    return Holding(quantity, price)


def leave_all_as_it_was(trades: Sequence[Trade]) -> bool:
    """Whether every leg of the trades has the same quantity after them as before."""
    return all(
        not sum(trade.signed for trade in trades if trade.leg == leg)
        for leg in {trade.leg for trade in trades}
    )


def _solved(
    venue: Holding, held: Holding, opening: Decimal, trades: Sequence[Trade]
) -> Decimal | None:
    """Go backwards from the venue's entry price, None where there is no way."""
    after, entry = venue
    if not after:
        return None
    for trade in reversed(trades):
        before = after - trade.signed
        if not _same_side(before, after):
            return None
        if abs(before) < abs(after):
            entry = (entry * abs(after) - trade.price * trade.quantity) / abs(before)
        after = before
    if not held.quantity:
        return entry
    if not (_same_side(held.quantity, after) and _same_side(opening, after)):
        return None
    return (entry * after - held.entry_price * held.quantity) / opening


def _told(quantity: Decimal, trades: Sequence[Trade]) -> Decimal | None:
    """What the trade that first reduces a quantity says of its entry price.

    It tells the average of the quantity and of what was added to it by then.
    """
    added = cost = ZERO
    for trade in trades:
        if _same_side(trade.signed, quantity):
            added += trade.signed
            cost += trade.signed * trade.price
            continue
        closed = min(trade.quantity, abs(quantity + added))
        if trade.realized_pnl is None or not closed:
            return trade.price
        gained = trade.realized_pnl / closed
        average = trade.price - gained if quantity > 0 else trade.price + gained
        price = (average * (quantity + added) - cost) / quantity
        return price if price > 0 else trade.price
    return None


def _same_side(one: Decimal, other: Decimal) -> bool:
    return (one > 0 and other > 0) or (one < 0 and other < 0)
