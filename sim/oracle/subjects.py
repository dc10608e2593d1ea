"""What can differ between a node and the venue, and the venue's records by what names them."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal, NamedTuple

from sim.observation import NodeFill, Observation, VenueOrder, VenueTrade
from sim.oracle.scope import Leg, leg_of, venue_id
from sim.oracle.timelines import Text

type Key = tuple[str, str, int]
"""Account, symbol, and an id of the venue."""


class Subject(NamedTuple):
    """What can differ.

    ``id`` is (order id, trade id, side) of a fill, (position side,) of a leg, () of a symbol,
    and of an order (order id,) or, where the venue has none, (client order id,).
    """

    kind: Literal["fill", "order", "leg", "symbol"]
    account: str
    symbol: str
    id: tuple[int | str, ...] = ()

    def __str__(self) -> str:
        match self.kind:
            case "fill":
                return f"{self.symbol} ({self.account}): trade {self.id[1]} of order {self.id[0]}"
            case "order":
                return f"{self.symbol} ({self.account}): order {self.id[0]}"
            case "leg":
                return str(Leg(self.account, self.symbol, str(self.id[0])))
            case "symbol":
                return f"{self.symbol} ({self.account})"


def fill_subject(trade: VenueTrade) -> Subject:
    return Subject(
        "fill", trade.account, trade.symbol, (trade.order_id, trade.trade_id, trade.side)
    )


def order_subject(account: str, symbol: str, order_id: int | str) -> Subject:
    return Subject("order", account, symbol, (order_id,))


def leg_subject(leg: Leg) -> Subject:
    return Subject("leg", leg.account, leg.symbol, (leg.position_side,))


def symbol_subject(account: str, symbol: str) -> Subject:
    return Subject("symbol", account, symbol)


def claimed(fill: NodeFill) -> Subject | None:
    """The trade that a fill claims to be; None when its ids are none of a venue."""
    order_id, trade_id = venue_id(fill.venue_order_id), venue_id(fill.trade_id)
    if order_id is None or trade_id is None:
        return None
    return Subject("fill", fill.account, fill.symbol, (order_id, trade_id, fill.side))


def key_of(order: VenueOrder) -> Key:
    return order.account, order.symbol, order.order_id


class Venue:
    """The trades and orders of the venue, oldest first, by what they are looked up by."""

    def __init__(self, observation: Observation) -> None:
        self.trades: dict[Subject, VenueTrade] = {}
        self.trades_by_id: defaultdict[Key, list[VenueTrade]] = defaultdict(list)
        self.trades_by_order: defaultdict[Subject, list[VenueTrade]] = defaultdict(list)
        self.trades_by_leg: defaultdict[Leg, list[VenueTrade]] = defaultdict(list)
        for t in sorted(observation.trades, key=lambda t: t.time_ns):
            self.trades[fill_subject(t)] = t
            self.trades_by_id[t.account, t.symbol, t.trade_id].append(t)
            self.trades_by_order[order_subject(t.account, t.symbol, t.order_id)].append(t)
            self.trades_by_leg[leg_of(t)].append(t)

        self.orders: dict[Key, VenueOrder] = {}
        self.orders_by_client_id: defaultdict[Text, list[VenueOrder]] = defaultdict(list)
        for o in sorted(observation.orders, key=lambda o: o.created_ns):
            self.orders[key_of(o)] = o
            self.orders_by_client_id[o.account, o.symbol, o.client_order_id].append(o)
