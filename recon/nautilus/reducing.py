"""Fills that reduce, where NautilusTrader nets positions, each under its strategy's name.

The venue nets an account: what a strategy reduces may be the position of another one, or of
nobody; and what nobody here has asked for reduces what a strategy holds.  The engine books a
fill under the position of the order's own strategy, and has a guard, since 1.228, that drops a
reduce-only fill from positions where that one is not open.  The order has the fill then, and
no position ever gets it.

Rules of this file:

1. Before the engine takes a fill of an order that is reduce-only, or nobody's, the fill belongs
   to its own strategy's position if it reduces that one, else to one of the account that it
   reduces.  The engine books a fill on one position: one that is larger than each reduces none.
2. It is looked at when the fill is applied, not when it is heard of: fills that come before it
   open and close positions.
3. A trade is a fact.  Where there is nothing to reduce here, because of what the node has yet
   to hear, the fill opens a position, as any other does.  What is heard then makes up for it.
   What is nobody's stays where its order was put, see `recon.nautilus.adopter`.
4. Where positions are not netted by strategy, the fill says what it belongs to.
"""

from __future__ import annotations

from typing import Any

from nautilus_trader.model.enums import OmsType
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import AccountId
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from recon.nautilus.holdings import EXTERNAL


class Reducing:
    """Gives fills of one account the positions that they reduce."""

    def __init__(
        self, engine: Any, cache: Any, account_id: AccountId, *, dry_run: bool = False
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._account_id = account_id
        self._dry_run = dry_run

    def assign(self, fill: OrderFilled) -> None:
        """Have the engine book a fill that it is about to apply on the position it reduces."""
        order = self._cache.order(fill.client_order_id)
        if not self._is_concerned(order, fill):
            return
        own_id = self._engine._determine_netting_position_id(fill)
        indexed_id = self._cache.position_id(fill.client_order_id) or own_id
        indexed = self._cache.position(indexed_id)
        if _takes(indexed, fill):
            return
        position, owner = self._reduced(fill), fill.strategy_id
        position_id = own_id
        if position is not None:
            position_id, owner = position.id, position.strategy_id
        elif indexed_id == own_id or not order.is_reduce_only:
            return
        # The engine goes by what the order is indexed with, if it is.
        self._cache.add_position_id(
            position_id, fill.instrument_id.venue, fill.client_order_id, owner
        )

    def complete(self, fill: OrderFilled) -> None:
        """Book a fill, which the engine has just published, if it was dropped from positions."""
        if not self._is_concerned(self._cache.order(fill.client_order_id), fill):
            return
        position = self._cache.position(fill.position_id)
        if position is not None and (position.is_open or fill.trade_id in position.trade_ids):
            return
        instrument = self._cache.instrument(fill.instrument_id)
        if not instrument.is_spread():
            self._engine._open_position(instrument, position, fill, OmsType.NETTING)

    def _is_concerned(self, order: Order | None, fill: OrderFilled) -> bool:
        return bool(
            not self._dry_run
            and order is not None
            and (order.is_reduce_only or order.strategy_id == EXTERNAL)
            and self._engine._determine_oms_type(fill) == OmsType.NETTING
        )

    def _reduced(self, fill: OrderFilled) -> Position | None:
        """Return the position that a fill reduces, nobody's before a strategy's."""
        open_positions = self._cache.positions_open(instrument_id=fill.instrument_id)
        found = [
            position
            for position in open_positions
            if position.account_id == self._account_id and _reduces(position, fill)
        ]
        found.sort(key=lambda p: (p.strategy_id != EXTERNAL, p.ts_opened, p.id.value))
        return found[0] if found else None


def _takes(position: Position | None, fill: OrderFilled) -> bool:
    """Whether the position that the engine would book a fill on can have it.

    A strategy's own that is on the fill's side already is the engine's business.
    """
    if position is None or position.is_closed:
        return False
    return bool(
        _reduces(position, fill)
        or (
            position.strategy_id == fill.strategy_id
            and not position.is_opposite_side(fill.order_side)
        )
    )


def _reduces(position: Position, fill: OrderFilled) -> bool:
    """Whether a fill reduces a position, and does not turn it around."""
    return bool(position.is_opposite_side(fill.order_side) and fill.last_qty <= position.quantity)
