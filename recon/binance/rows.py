"""The rows that Binance USD-M answers with, and the facts that they become.

Rules:

* Only what is needed is read, and it is read strictly: a missing field, another type, an
  unknown word or a number that is none (NaN) is a `msgspec.ValidationError` of the whole body.
* JSON strings become `Decimal` in msgspec, exactly; a price of zero means that there is none.
* Milliseconds become nanoseconds.
* Times, ids and words are the venue's; nothing is filled in that it did not say.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

from recon.core.facts import (
    ZERO,
    Leg,
    Positions,
    Side,
    Trade,
    VenueOrder,
    VenuePosition,
    VenueStatus,
)

MS_NS = 1_000_000

type PositionSide = Literal["BOTH", "LONG", "SHORT"]

type OrderStatus = Literal[
    "NEW",
    "PARTIALLY_FILLED",
    "FILLED",
    "CANCELED",
    "REJECTED",
    "EXPIRED",
    "EXPIRED_IN_MATCH",
    "NEW_INSURANCE",
    "NEW_ADL",
]

type AlgoStatus = Literal[
    "NEW", "CANCELED", "TRIGGERING", "TRIGGERED", "FINISHED", "REJECTED", "EXPIRED"
]

_STATUS: dict[str, VenueStatus] = {
    "NEW": "NEW",
    "PARTIALLY_FILLED": "PARTIALLY_FILLED",
    "FILLED": "FILLED",
    "CANCELED": "CANCELED",
    "REJECTED": "REJECTED",
    "EXPIRED": "EXPIRED",
    # Self-trade prevention ended it.
    "EXPIRED_IN_MATCH": "CANCELED",
    # Liquidation by the insurance fund and deleveraging: under way until they say FILLED.
    "NEW_INSURANCE": "NEW",
    "NEW_ADL": "NEW",
}

_ALGO_STATUS: dict[str, VenueStatus] = {
    "NEW": "NEW",
    "TRIGGERING": "NEW",
    "CANCELED": "CANCELED",
    "REJECTED": "REJECTED",
    "EXPIRED": "EXPIRED",
}
"""TRIGGERED and FINISHED say that there is another order, whose state counts."""


class TradeRow(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A row of GET userTrades."""

    symbol: str
    id: int
    order_id: int
    side: Side
    position_side: PositionSide
    qty: Decimal
    price: Decimal
    commission: Decimal
    commission_asset: str
    maker: bool
    time: int
    realized_pnl: Decimal | None = None


class OrderRow(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A row of GET openOrders and allOrders, and the answer of GET order."""

    symbol: str
    order_id: int
    client_order_id: str
    side: Side
    position_side: PositionSide
    type: str
    time_in_force: str
    status: OrderStatus
    orig_qty: Decimal
    executed_qty: Decimal
    price: Decimal
    reduce_only: bool
    time: int
    update_time: int
    avg_price: Decimal = ZERO
    stop_price: Decimal = ZERO
    working_type: str | None = None
    price_rate: Decimal | None = None
    good_till_date: int | None = None


class AlgoRow(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A row of GET openAlgoOrders, and the answer of GET algoOrder.

    ``algo_id`` is its order id.  It triggers at ``trigger_price`` or, trailing, begins to trail at
    ``activate_price``.  What does not apply is missing, null or an empty string.
    """

    symbol: str
    algo_id: int
    client_algo_id: str
    order_type: str
    side: Side
    position_side: PositionSide
    time_in_force: str
    algo_status: AlgoStatus
    create_time: int
    update_time: int
    quantity: str | None = None
    price: str | None = None
    trigger_price: str | None = None
    activate_price: str | None = None
    callback_rate: str | None = None
    working_type: str | None = None
    reduce_only: bool | None = None
    good_till_date: int | None = None
    actual_order_id: str | None = None


class Triggered(NamedTuple):
    """A conditional order that is done: ``order_id`` is of the order that it became.

    None where the venue does not say.
    """

    status: str
    order_id: str | None


class PositionRow(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A row of GET v3/positionRisk."""

    symbol: str
    position_side: PositionSide
    position_amt: Decimal
    entry_price: Decimal
    update_time: int


class IncomeRow(msgspec.Struct, frozen=True, gc=False):
    """A row of GET income."""

    symbol: str
    time: int
    income_type: str = msgspec.field(name="incomeType")

    @property
    def is_of_a_trade(self) -> bool:
        """Whether it was booked with a trade, at its time."""
        return self.income_type in ("COMMISSION", "REALIZED_PNL")


_trades = msgspec.json.Decoder(list[TradeRow]).decode
_orders = msgspec.json.Decoder(list[OrderRow]).decode
_order = msgspec.json.Decoder(OrderRow).decode
_conditional_orders = msgspec.json.Decoder(list[AlgoRow]).decode
_conditional_order = msgspec.json.Decoder(AlgoRow).decode
_positions = msgspec.json.Decoder(list[PositionRow]).decode
_income = msgspec.json.Decoder(list[IncomeRow]).decode


def trades(body: bytes, _asked_ns: int, *, symbol: str) -> list[Trade]:
    """Return the trades of a page of userTrades, as they stand.

    Raises `msgspec.DecodeError`, also when the rows are of another symbol or not ascending.
    """
    facts: list[Trade] = []
    append = facts.append
    last = -1
    for row in _trades(body):
        number = row.id
        if row.symbol != symbol or number < last:
            raise msgspec.ValidationError(f"trade {number} of {row.symbol} is out of place")
        last = number
        if not (
            row.qty.is_finite()
            and row.qty > ZERO
            and row.price.is_finite()
            and row.commission.is_finite()
            and (row.realized_pnl is None or row.realized_pnl.is_finite())
        ):
            raise _no_number(f"trade {number}")
        append(
            Trade(
                symbol,
                str(row.order_id),
                str(number),
                number,
                row.side,
                row.position_side,
                row.qty,
                row.price,
                row.commission,
                row.commission_asset,
                row.maker,
                row.time * MS_NS,
                row.realized_pnl,
            )
        )
    return facts


def orders(body: bytes, asked_ns: int) -> list[VenueOrder]:
    """Return the orders of openOrders or allOrders.  Raises `msgspec.DecodeError`."""
    return [_order_of(row, asked_ns) for row in _orders(body)]


def order(body: bytes, asked_ns: int) -> VenueOrder:
    """Return the order of GET order.  Raises `msgspec.DecodeError`."""
    return _order_of(_order(body), asked_ns)


def _order_of(row: OrderRow, asked_ns: int) -> VenueOrder:
    price, average, trigger = row.price, row.avg_price, row.stop_price
    quantity, filled, rate = row.orig_qty, row.executed_qty, row.price_rate
    if not (
        quantity.is_finite()
        and filled.is_finite()
        and price.is_finite()
        and average.is_finite()
        and trigger.is_finite()
        and (rate is None or rate.is_finite())
    ):
        raise _no_number(f"order {row.order_id}")
    return VenueOrder(
        row.symbol,
        str(row.order_id),
        row.client_order_id,
        row.side,
        row.position_side,
        row.type,
        row.time_in_force,
        _STATUS[row.status],
        quantity,
        filled,
        price or None,
        average or None,
        row.reduce_only,
        row.time * MS_NS,
        row.update_time * MS_NS,
        asked_ns,
        trigger or None,
        # The venue names a price to trigger by for every order, also where nothing triggers.
        row.working_type if trigger or rate else None,
        rate or None,
        row.good_till_date * MS_NS if row.good_till_date else None,
    )


def conditional_orders(body: bytes, asked_ns: int) -> tuple[int, list[VenueOrder]]:
    """Return when they were asked for, and the orders of openAlgoOrders that have not triggered.

    Raises `msgspec.DecodeError`.
    """
    found = _conditional_orders(body)
    return asked_ns, [_order_of_algo(r, asked_ns) for r in found if r.algo_status in _ALGO_STATUS]


def conditional_order(body: bytes, asked_ns: int) -> VenueOrder | Triggered:
    """Return the order of GET algoOrder, or what it became.  Raises `msgspec.DecodeError`."""
    row = _conditional_order(body)
    if row.algo_status in _ALGO_STATUS:
        return _order_of_algo(row, asked_ns)
    return Triggered(row.algo_status, row.actual_order_id or None)


def _order_of_algo(row: AlgoRow, asked_ns: int) -> VenueOrder:
    return VenueOrder(
        row.symbol,
        str(row.algo_id),
        row.client_algo_id,
        row.side,
        row.position_side,
        row.order_type,
        row.time_in_force,
        _ALGO_STATUS[row.algo_status],
        # An order that closes whatever is held has no quantity.
        _number(row.quantity) or ZERO,
        ZERO,
        _number(row.price),
        None,
        bool(row.reduce_only),
        row.create_time * MS_NS,
        row.update_time * MS_NS,
        asked_ns,
        _number(row.trigger_price) or _number(row.activate_price),
        row.working_type,
        _number(row.callback_rate),
        row.good_till_date * MS_NS if row.good_till_date else None,
    )


def positions(body: bytes, asked_ns: int) -> Positions:
    """Return the legs that are not flat.  Raises `msgspec.DecodeError`."""
    legs: dict[Leg, VenuePosition] = {}
    for row in _positions(body):
        leg = Leg(row.symbol, row.position_side)
        if not (row.position_amt.is_finite() and row.entry_price.is_finite()):
            raise _no_number(f"position {leg}")
        if not row.position_amt:
            continue
        if leg in legs:
            raise msgspec.ValidationError(f"position {leg} is there twice")
        legs[leg] = VenuePosition(
            row.symbol,
            row.position_side,
            row.position_amt,
            row.entry_price,
            row.update_time * MS_NS,
        )
    return Positions(asked_ns, legs)


def income(body: bytes, _asked_ns: int) -> list[IncomeRow]:
    """Return the rows of income.  Raises `msgspec.DecodeError`."""
    return _income(body)


def _number(text: str | None) -> Decimal | None:
    """Return a number that is not zero, None for one that does not apply."""
    if not text:
        return None
    number = msgspec.convert(text, Decimal)
    if not number.is_finite():
        raise _no_number(text)
    return number or None


def _no_number(where: str) -> msgspec.ValidationError:
    return msgspec.ValidationError(f"{where} has a quantity or price that is no number")
