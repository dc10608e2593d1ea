"""Binance USD-M as a client of the node."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any

from nautilus_trader.adapters.binance.common.enums import BinanceAccountType
from nautilus_trader.adapters.binance.common.symbol import BinanceSymbol
from nautilus_trader.adapters.binance.config import BinanceExecClientConfig
from nautilus_trader.model.enums import OrderType, TimeInForce
from nautilus_trader.model.events import OrderExpired, OrderRejected
from nautilus_trader.model.identifiers import InstrumentId, PositionId, Symbol
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from recon.binance import BinanceHttp, BinanceReader, deadline
from recon.core.facts import VenueOrder
from recon.core.orders import Bounds
from recon.nautilus.venue import Description, Indescribable

AMBIGUOUS = frozenset({-1000, -1001, -1006, -1007, -4116})
"""Codes that do not say whether an order was taken: an unknown error, a disconnection, an
unexpected answer, a time-out, and a duplicate id, which after a retry is the order's own."""

_CODE = re.compile(r"""['"]code['"]: (-?\d+)""")

# An enum is asked for a member by name: that is felt where many thousand orders are described.
_MARKET = OrderType.MARKET
_LIMIT = OrderType.LIMIT
_TRAILING = OrderType.TRAILING_STOP_MARKET
_PLAIN = (_LIMIT, _MARKET)
_PRICED = (_LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED)
_GTC = TimeInForce.GTC
_GTD = TimeInForce.GTD

_TYPES = {
    "LIMIT": _LIMIT,
    "MARKET": _MARKET,
    "STOP": OrderType.STOP_LIMIT,
    "STOP_MARKET": OrderType.STOP_MARKET,
    "TAKE_PROFIT": OrderType.LIMIT_IF_TOUCHED,
    "TAKE_PROFIT_MARKET": OrderType.MARKET_IF_TOUCHED,
    "TRAILING_STOP_MARKET": _TRAILING,
}
_TIMES_IN_FORCE = {"IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
"""Everything else holds until it is cancelled, GTD only where the venue says until when."""

_TRIGGERS = {"MARK_PRICE": "MARK_PRICE", "CONTRACT_PRICE": "LAST_PRICE"}
_LEGS = ("BOTH", "LONG", "SHORT")
_PERCENT_IN_BASIS_POINTS = 100


class BinanceVenue:
    """One Binance USD-M account, read over its REST API."""

    limits = None

    def __init__(
        self,
        client: Any,
        config: BinanceExecClientConfig,
        http: BinanceHttp,
        read_lag_ns: int,
    ) -> None:
        self.reader = BinanceReader(http)
        self.bounds = Bounds(config.recv_window_ms * 1_000_000, read_lag_ns)
        self.fills_are_complete = not config.use_trade_lite
        self.expired_is_canceled = config.treat_expired_as_canceled
        self._client = client
        self._venue = client.venue
        self._uses_position_ids = config.use_position_ids
        self._instrument_ids: dict[str, InstrumentId] = {}
        self._symbols: dict[InstrumentId, str] = {}
        self._position_ids: dict[tuple[InstrumentId, str], PositionId] = {}

    def is_final(self, event: OrderRejected | OrderExpired, order: Order) -> bool:
        if isinstance(event, OrderExpired) or order.venue_order_id is not None:
            return False
        if event.due_post_only:
            return True
        found = _CODE.search(event.reason or "")
        return found is not None and int(found[1]) not in AMBIGUOUS

    def deadline(self, at_ns: int) -> AbstractContextManager[None]:
        return deadline(at_ns)

    def instrument_id(self, symbol: str) -> InstrumentId:
        found = self._instrument_ids.get(symbol)
        if found is None:
            name = BinanceSymbol(symbol).parse_as_nautilus(BinanceAccountType.USDT_FUTURES)
            found = self._instrument_ids[symbol] = InstrumentId(Symbol(name), self._venue)
        return found

    def symbol(self, instrument_id: InstrumentId) -> str:
        found = self._symbols.get(instrument_id)
        if found is None:
            found = self._symbols[instrument_id] = str(BinanceSymbol(instrument_id.symbol.value))
        return found

    def sequence(self, trade_id: str, time_ns: int) -> int | None:
        return int(trade_id) if trade_id.isdecimal() and trade_id.isascii() else None

    def position_id(self, instrument_id: InstrumentId, position_side: str) -> PositionId | None:
        if not self._uses_position_ids:
            return None
        leg = (instrument_id, position_side)
        found = self._position_ids.get(leg)
        if found is None:
            found = self._position_ids[leg] = PositionId(f"{instrument_id}-{position_side}")
        return found

    def position_side(self, position: Position) -> str:
        suffix = str(position.id.value.rpartition("-")[2])
        if suffix in _LEGS:
            return suffix
        if not getattr(self._client, "_is_dual_side_position", False):
            return "BOTH"
        return "LONG" if position.signed_qty > 0 else "SHORT"

    def describe(self, order: VenueOrder) -> Description:
        kind = _TYPES.get(order.type)
        if kind is None:
            # Liquidations and what Binance may come to add: by whether there is a price.
            kind = _MARKET if order.price is None else _LIMIT
        if not order.quantity:
            raise Indescribable("it closes a position of any size, and so has no quantity")
        options: dict[str, Any] = {}
        is_timed = (
            order.time_in_force == "GTD" and order.good_till_ns is not None and kind is not _MARKET
        )
        time_in_force = _GTD if is_timed else _TIMES_IN_FORCE.get(order.time_in_force, _GTC)
        if kind is not _MARKET:
            options["expire_time_ns"] = order.good_till_ns if is_timed else 0
        if kind in _PRICED:
            if order.price is None:
                raise Indescribable(f"it is of the type {order.type} and has no price")
            options["price"] = f"{order.price:f}"
        if kind not in _PLAIN:
            options["trigger_type"] = _TRIGGERS.get(order.trigger_by or "", "LAST_PRICE")
            if order.trigger_price is not None:
                options["trigger_price"] = f"{order.trigger_price:f}"
            elif kind is not _TRAILING:
                raise Indescribable(f"it is of the type {order.type} and has no trigger price")
        if kind is _TRAILING:
            offset = (order.callback_rate_percent or 0) * _PERCENT_IN_BASIS_POINTS
            options["trailing_offset"] = f"{offset:f}"
            options["trailing_offset_type"] = "BASIS_POINTS"
            options["activation_price"] = None
        return Description(
            kind,
            time_in_force,
            order.time_in_force == "GTX" and kind is _LIMIT,
            options,
        )
