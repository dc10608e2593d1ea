"""What the node holds of one account: its positions, by legs.

The leg of a position is what the venue keeps one position for; several positions of the
node may stand for one leg.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import AccountId, InstrumentId, PositionId, StrategyId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from recon.core.facts import ZERO, FillKey, Leg, Trade
from recon.core.opening import Holding
from recon.nautilus.replay import is_in_order, rank_of, replay, signed
from recon.nautilus.venue import Venue

EXTERNAL = StrategyId("EXTERNAL")
"""Whose a fill is that no strategy has asked for or claims."""


class Torn(NamedTuple):
    """A fill that its order has and its position lacks, or this much of it."""

    order: Order
    fill: OrderFilled
    quantity: Quantity

    @property
    def signed(self) -> Decimal:
        """The quantity, negative when sold."""
        quantity: Decimal = self.quantity.as_decimal()
        return quantity if self.fill.order_side == OrderSide.BUY else -quantity


class Holdings:
    """The positions of one account in the node's cache.

    ``torn_trades`` are trades that were read of the venue, that an order of the node has and
    its position lacks.  ``unrecorded`` are the legs of trades that an order has, and that a
    crash has kept from the ledger.
    """

    def __init__(
        self,
        cache: Any,
        venue: Venue,
        account_id: AccountId,
        is_mine: Callable[[Order], bool],
    ) -> None:
        self._cache = cache
        self._venue = venue
        self._account_id = account_id
        self._is_mine = is_mine
        self.torn_trades: dict[FillKey, tuple[Trade, Torn]] = {}
        self.unrecorded: set[Leg] = set()

    def positions(self, leg: Leg) -> list[Position]:
        """Return the open positions of a leg."""
        instrument_id = self._venue.instrument_id(leg.symbol)
        return [
            position
            for position in self._cache.positions_open(instrument_id=instrument_id)
            if position.account_id == self._account_id
            and self._venue.position_side(position) == leg.position_side
        ]

    def all_positions(self, leg: Leg) -> list[Position]:
        """Return the positions of a leg, closed ones included."""
        instrument_id = self._venue.instrument_id(leg.symbol)
        return [
            position
            for position in self._cache.positions(instrument_id=instrument_id)
            if position.account_id == self._account_id
            and self._venue.position_side(position) == leg.position_side
        ]

    def fills_of_positions(self, leg: Leg, trade_ids: Collection[str]) -> set[tuple[str, str]]:
        """Return trade id and side of those trades that the positions of a leg have."""
        return {
            (fill.trade_id.value, "BUY" if fill.is_buy else "SELL")
            for position in self.all_positions(leg)
            for fill in position.events
            if fill.trade_id.value in trade_ids
        }

    def holding(self, leg: Leg) -> Holding:
        """Return what the positions of a leg add up to, with their average entry price."""
        quantity = cost = ZERO
        for position in self.positions(leg):
            signed = position.signed_decimal_qty()
            quantity += signed
            cost += signed * Decimal(repr(position.avg_px_open))
        return Holding(quantity, cost / quantity if quantity else ZERO)

    def legs(self) -> list[Leg]:
        """Return the legs that are not flat here."""
        found = {
            Leg(self._venue.symbol(position.instrument_id), self._venue.position_side(position))
            for position in self._cache.positions_open()
            if position.account_id == self._account_id
        }
        return sorted(found)

    def owner(self, leg: Leg, claim: StrategyId | None) -> StrategyId:
        """Return the strategy that a fill without an order of the node's belongs to."""
        if claim is not None:
            return claim
        for position in self.positions(leg):
            return position.strategy_id
        return EXTERNAL

    def position(self, leg: Leg) -> Position | None:
        """Return the position, open or closed, under whose id the stream books a leg."""
        position_id = self._venue.position_id(
            self._venue.instrument_id(leg.symbol), leg.position_side
        )
        return None if position_id is None else self._cache.position(position_id)

    def booked(self, leg: Leg) -> list[Position]:
        """Return the positions, open or closed, under which fills of a leg are booked.

        There is one where the venue names it, else one for each strategy that has traded.
        """
        instrument_id = self._venue.instrument_id(leg.symbol)
        if self._venue.position_id(instrument_id, leg.position_side) is None:
            return self.all_positions(leg)
        position = self.position(leg)
        return [] if position is None else [position]

    def replay(self, leg: Leg) -> None:
        """Make the positions of a leg anew in the venue's order of their fills.

        One is left as it is when its fills are not all here.
        """
        for position in self.booked(leg):
            self._replay(position, position.signed_decimal_qty())

    def replay_with(self, position_id: PositionId | None, gained: Decimal) -> bool:
        """Make a position anew with fills that come to a quantity; False where they do not."""
        position = None if position_id is None else self._cache.position(position_id)
        if position is None:
            return False
        return self._replay(position, position.signed_decimal_qty() + gained)

    def _replay(self, position: Position, expected: Decimal) -> bool:
        fills = (fill for _, fill in self._fills(position.instrument_id))
        its = (fill for fill in fills if fill.position_id == position.id)
        return replay(self._cache, position, its, expected)

    def half_made(self, symbol: str) -> list[Leg]:
        """Return the legs of a symbol whose position a crash has kept from being made anew.

        A late fill is booked as it comes; when all are, the position is made anew.  Before that
        it is out of order, and in the midst of that it lacks fills, which may come to nothing.
        The ledger is told last, so only legs that are `unrecorded` need be looked at.
        """
        legs = (leg for leg in sorted(self.unrecorded) if leg.symbol == symbol)
        return [leg for leg in legs if any(map(self._is_half_made, self.booked(leg)))]

    def _is_half_made(self, position: Position) -> bool:
        its = (pair for pair in self._fills(position.instrument_id) if _is_of(position, pair))
        return position.is_open and (not is_in_order(position) or bool(_unmade(position, its)))

    def _fills(self, instrument_id: InstrumentId) -> Iterator[tuple[Order, OrderFilled]]:
        for order in self._cache.orders(instrument_id=instrument_id):
            if self._is_mine(order):
                for event in order.events:
                    if isinstance(event, OrderFilled):
                        yield order, event

    def is_torn(self, order: Order, trade: Trade) -> bool:
        """Whether an order has a trade that its position lacks; it is kept in mind, then."""
        torn = self.torn(order, trade.trade_id)
        if torn is None:
            self.torn_trades.pop(trade.key, None)
        else:
            self.torn_trades[trade.key] = (trade, torn)
        return torn is not None

    def torn(self, order: Order, trade_id: str) -> Torn | None:
        """Return a fill of an order that its position lacks, None where it has it."""
        for fill in reversed(order.events):
            if isinstance(fill, OrderFilled) and fill.trade_id.value == trade_id:
                break
        else:
            return None
        position = self._cache.position(fill.position_id) if fill.position_id else None
        if position is None:
            return Torn(order, fill, fill.last_qty)
        if fill.trade_id in position.trade_ids:
            rest = _second_half(position, fill)
            return None if rest is None else Torn(order, fill, rest)
        if self._was_closed_since(position, fill):
            return None
        return Torn(order, fill, fill.last_qty)

    def _was_closed_since(self, position: Position, fill: OrderFilled) -> bool:
        """Whether a position was opened after a fill, when all before had closed it.

        They came before it, or they are before it in the venue's order where it was made anew.
        """
        its = [
            other
            for _, other in self._fills(position.instrument_id)
            if other.position_id == position.id
        ]
        return _closes(its, position, fill, _arrival_of) or _closes(its, position, fill, rank_of)

    def torn_fills(self, leg: Leg) -> list[Torn]:
        """Return what of the fills of orders, in order, their positions lack.

        A crash keeps a suffix of all writes from the database: a fill can be missing in its
        position only if none that came after it is there.  Of a fill that turned a position
        around, which is written as two, the second half may be missing alone.
        """
        torn: list[Torn] = []
        for own_id, pairs in self._fills_by_position(leg).items():
            pairs.sort(key=lambda pair: (pair[1].ts_init, pair[1].ts_event))
            torn += _lacking(self._cache.position(own_id), pairs)
        return torn

    def unmade_fills(self, leg: Leg) -> list[Torn]:
        """Return what a position lacks if a crash came while it was made anew, see `replay`.

        That writes its fills in the order of the venue, and not in that in which they came.
        """
        by_position = self._fills_by_position(leg)
        return [
            torn
            for position in self.booked(leg)
            for torn in _unmade(position, by_position.get(position.id, []))
        ]

    def _fills_by_position(self, leg: Leg) -> dict[Any, list[tuple[Order, OrderFilled]]]:
        instrument_id = self._venue.instrument_id(leg.symbol)
        position_id = self._venue.position_id(instrument_id, leg.position_side)
        by_position: dict[Any, list[tuple[Order, OrderFilled]]] = {}
        for order, fill in self._fills(instrument_id):
            if position_id is None or fill.position_id == position_id:
                by_position.setdefault(fill.position_id, []).append((order, fill))
        return by_position


def _arrival_of(fill: OrderFilled) -> int:
    arrived_ns: int = fill.ts_init
    return arrived_ns


def _closes(
    fills: Iterable[OrderFilled],
    position: Position,
    fill: OrderFilled,
    place_of: Callable[[OrderFilled], Any],
) -> bool:
    """Whether the fills before a position's first one, among which is ``fill``, add up to zero."""
    opened = position.events[0]
    place = place_of(opened)
    if place <= place_of(fill):
        return False
    before = (signed(other) for other in fills if place_of(other) <= place)
    return bool(sum(before, ZERO) == signed(opened))


def _is_of(position: Position, pair: tuple[Order, OrderFilled]) -> bool:
    return bool(pair[1].position_id == position.id)


def _unmade(position: Position, pairs: Iterable[tuple[Order, OrderFilled]]) -> list[Torn]:
    """Return the fills of a position, in the venue's order, that come after the last it has."""
    return _lacking(position, sorted(pairs, key=lambda pair: rank_of(pair[1])))


def _lacking(position: Position | None, pairs: list[tuple[Order, OrderFilled]]) -> list[Torn]:
    """Return the fills that come after the last one which a position has, or half of that."""
    held = set() if position is None else set(position.trade_ids)
    last = max((n for n, (_, fill) in enumerate(pairs) if fill.trade_id in held), default=-1)
    if position is not None and last < 0:
        return []
    torn: list[Torn] = []
    if position is not None and last == len(pairs) - 1:
        order, fill = pairs[last]
        rest = _second_half(position, fill)
        if rest is not None:
            torn.append(Torn(order, fill, rest))
    return torn + [Torn(order, fill, fill.last_qty) for order, fill in pairs[last + 1 :]]


def _second_half(position: Position, fill: OrderFilled) -> Quantity | None:
    """Return what is missing of a fill that turned a position around, None if nothing is."""
    if not position.is_closed or fill.trade_id != position.last_trade_id:
        return None
    rest = fill.last_qty - position.last_event.last_qty
    return rest if rest > 0 else None
