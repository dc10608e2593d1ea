"""What Binance refuses before a conditional order exists."""

from __future__ import annotations

import random
from decimal import Decimal

from sim.venue import params as read
from sim.venue.admission import check_may_trade
from sim.venue.algo_models import LIMITED, TAKES_PROFIT, TRAILING, AlgoTicket
from sim.venue.errors import TEXTS, Rejection
from sim.venue.exchange import Exchange
from sim.venue.models import ZERO, Account
from sim.venue.params import Params
from sim.venue.validation import (
    CONDITIONAL,
    check_notional,
    check_price,
    check_quantity,
    client_order_id,
    good_till,
    known_symbol,
    position_side,
    price_match,
    self_trade_prevention,
    side_of,
    words_of_price,
)

_TIMES_IN_FORCE = frozenset({"GTC", "IOC", "FOK", "GTX", "GTD", "GTE_GTC"})
_WORKING_TYPES = ("CONTRACT_PRICE", "MARK_PRICE")
_CLOSES_ALL = frozenset({"STOP_MARKET", "TAKE_PROFIT_MARKET"})
_LEAST_RATE, _GREATEST_RATE = Decimal("0.1"), Decimal(20)


def new_algo_order(
    exchange: Exchange, account: Account, params: Params, rng: random.Random, now_ns: int
) -> AlgoTicket:
    """Return the conditional order that a request asks for; Rejection says why it may not be."""
    symbol = known_symbol(exchange, params)
    if read.required(params, "algoType").upper() != "CONDITIONAL":
        raise Rejection(-1130, "Data sent for parameter 'algoType' is not valid.")
    side = side_of(params)
    kind = read.required(params, "type").upper()
    if kind not in CONDITIONAL:
        raise Rejection(-1116)
    close_position = bool(read.boolean(params, "closePosition"))
    if close_position and kind not in _CLOSES_ALL:
        raise Rejection(-4136, TEXTS[-4136] % (kind, "true"))
    leg, reduce_only, closes = position_side(account, side, params)
    if close_position and read.boolean(params, "reduceOnly") is False:
        raise Rejection(-4138)
    check_may_trade(exchange, account, symbol.name, closes=closes or close_position)
    quantity = _quantity(params, close_position)
    time_in_force = params.get("timeinforce", "").upper() or "GTC"
    if time_in_force not in _TIMES_IN_FORCE:
        raise Rejection(-1115)
    _check_leg(exchange, account, symbol.name, side, kind, leg, time_in_force, close_position)
    price, match, trigger = ZERO, price_match(params), ZERO
    if kind in LIMITED:
        price, match = words_of_price(exchange, symbol, side, params)
        if match != "NONE":
            price = ZERO  # it is known when the order triggers
    if kind != TRAILING:
        trigger = read.required_decimal(params, "triggerPrice")
        if trigger <= 0:
            raise Rejection(-4006)
        check_price(symbol, trigger)
    if not close_position:
        check_quantity(symbol, quantity)
        if not closes:
            check_notional(symbol, quantity * (price or trigger or exchange.prices[symbol.name]))
    activate, rate = (
        _trail(exchange, symbol.name, side, params) if kind == TRAILING else (ZERO, ZERO)
    )
    return AlgoTicket(
        symbol=symbol,
        side=side,
        type=kind,
        time_in_force=time_in_force,
        quantity=quantity,
        price=price,
        trigger_price=trigger,
        position_side=leg,
        reduce_only=reduce_only,
        closes=closes or close_position,
        close_position=close_position,
        client_algo_id=client_order_id(params.get("clientalgoid"), rng),
        working_type=_working_type(params),
        price_match=match,
        price_protect=bool(read.boolean(params, "priceProtect")),
        self_trade_prevention=self_trade_prevention(params, "NONE"),
        activate_price=activate,
        callback_rate=rate,
        good_till_ms=good_till(params, now_ns // 1_000_000) if time_in_force == "GTD" else 0,
    )


def _quantity(params: Params, close_position: bool) -> Decimal:
    if not close_position:
        return read.required_decimal(params, "quantity")
    if params.get("quantity"):
        raise Rejection(-4137)
    return ZERO


def _check_leg(
    exchange: Exchange,
    account: Account,
    symbol: str,
    side: str,
    kind: str,
    position_side: str,
    time_in_force: str,
    close_position: bool,
) -> None:
    """Raise Rejection -4509 without the leg that an order lives by, -4130 if another closes it.

    One of GTE_GTC needs an open leg, one that closes its position a leg to close; of those
    there may be one that stops it and one that takes its profit.
    """
    if close_position:
        is_without = not exchange.closable(account, symbol, side, position_side)
    else:
        leg = exchange.leg(account, symbol, position_side).current
        is_without = time_in_force == "GTE_GTC" and not leg.quantity
    if is_without:
        raise Rejection(-4509)
    same = (side, position_side, kind in TAKES_PROFIT)
    if close_position and any(
        (other.ticket.side, other.ticket.position_side, other.ticket.type in TAKES_PROFIT) == same
        for other in exchange.algos.holding(account.name, symbol).open.values()
        if other.ticket.close_position
    ):
        raise Rejection(-4130)


def _working_type(params: Params) -> str:
    given = params.get("workingtype", "").upper() or "CONTRACT_PRICE"
    if given not in _WORKING_TYPES:
        raise Rejection(-4031, f"Invalid parameter working type: {given}")
    return given


def _trail(exchange: Exchange, symbol: str, side: str, params: Params) -> tuple[Decimal, Decimal]:
    """Return where a trailing stop begins to trail, and how far it trails in percent."""
    rate = read.required_decimal(params, "callbackRate")
    if not _LEAST_RATE <= rate <= _GREATEST_RATE:
        raise Rejection(-2007)
    if not params.get("activateprice"):
        return ZERO, rate
    activate = read.required_decimal(params, "activatePrice")
    check_price(exchange.symbols[symbol], activate)
    last = exchange.prices[symbol]
    if activate > last if side == "BUY" else activate < last:
        raise Rejection(-4135)
    return activate, rate
