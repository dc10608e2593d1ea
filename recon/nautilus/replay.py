"""Brings a position to the order in which the venue made its trades.

NautilusTrader books fills as they come.  One that is found after later ones leaves the
right quantity and, where the leg was reduced in between, another entry price than the
venue's.  Its position is made anew then, from the fills that the node's orders hold, in
the venue's order and from the last moment at which the leg was flat.

No event tells of it: the fills were all published, and the quantity has not changed.

A crash may come before it, or in the midst of it, since each fill is a write.  A start finds
what it leaves (`Holdings.half_made`, `Holdings.unmade_fills`) and makes the position again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import LiquiditySide, OmsType, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.objects import Money, Quantity
from nautilus_trader.model.position import Position

from recon.core.facts import ZERO
from recon.core.rank import Rank, rank


def rank_of(fill: OrderFilled) -> Rank:
    """Return the place of a fill event among those of its leg."""
    is_maker = fill.liquidity_side == LiquiditySide.MAKER
    return rank(fill.ts_event, fill.trade_id.value, is_maker=is_maker)


def is_late(position: Position | None, its: Rank) -> bool:
    """Whether a position has had a fill that comes after one of that rank."""
    return position is not None and rank_of(position.last_event) > its


def is_in_order(position: Position) -> bool:
    """Whether a position has had its fills in the order in which the venue made the trades."""
    ranks = [rank_of(fill) for fill in position.events]
    return ranks == sorted(ranks)


def replay(cache: Any, position: Position, fills: Iterable[OrderFilled], expected: Decimal) -> bool:
    """Make a position anew of all fills of its leg; False when they do not add up.

    ``fills`` are those of all orders of the node on the leg, in any order, ``expected`` is
    the signed quantity that they have to come to.  Where orders were purged they do not,
    and the position is left as it is.
    """
    ordered = sorted(fills, key=rank_of)
    quantity = since = ZERO
    first = 0
    for number, fill in enumerate(ordered, start=1):
        quantity += signed(fill)
        if not quantity and number < len(ordered):
            first, since = number, quantity
    if quantity - since != expected:
        return False
    instrument = cache.instrument(position.instrument_id)
    made: Position | None = None
    for fill in ordered[first:]:
        for part in _parts(made, fill):
            if made is None or made.is_closed:
                made = Position(instrument, part)
                cache.add_position(made, OmsType.HEDGING)
            else:
                made.apply(part)
                cache.update_position(made)
    return True


def part_of(fill: OrderFilled, quantity: Quantity) -> OrderFilled:
    """Return a fill of the same trade with a part of its quantity and commission."""
    share = quantity.as_decimal() / fill.last_qty.as_decimal()
    return OrderFilled.from_dict(
        {
            **OrderFilled.to_dict(fill),
            "last_qty": str(quantity),
            "commission": str(Money(fill.commission * share, fill.commission.currency)),
            "event_id": UUID4().value,
        }
    )


def _parts(position: Position | None, fill: OrderFilled) -> Iterator[OrderFilled]:
    """Split a fill that turns a position around, as the engine does."""
    if (
        position is None
        or position.is_closed
        or not position.is_opposite_side(fill.order_side)
        or fill.last_qty <= position.quantity
    ):
        yield fill
        return
    closing = position.quantity
    yield part_of(fill, closing)
    yield part_of(fill, fill.last_qty - closing)


def signed(fill: OrderFilled) -> Decimal:
    """Return the quantity of a fill, negative when sold."""
    quantity: Decimal = fill.last_qty.as_decimal()
    return quantity if fill.order_side == OrderSide.BUY else -quantity
