"""What Binance refuses before an order exists.

Rules:

* A refused order leaves nothing behind: no record, no id, no event.
* The checks run in a fixed order: words, symbol and account, position mode, ids, numbers,
  notional, margin.  What depends on the leg itself is checked by the exchange.
* Only LIMIT and MARKET orders are taken here; conditional types belong to the algo
  endpoints (-4120).
"""

from __future__ import annotations

import random
import re
import string
from decimal import Decimal

from sim.venue import params as read
from sim.venue.admission import check_band, check_market_band, check_may_trade
from sim.venue.config import SymbolConfig
from sim.venue.errors import TEXTS, Rejection, malformed
from sim.venue.exchange import Exchange
from sim.venue.margin import check_margin
from sim.venue.matching import MODES
from sim.venue.models import ZERO, Account, Order, Ticket
from sim.venue.params import Params
from sim.venue.quotes import PRICE_MATCHES, matched_price

CONDITIONAL = frozenset(
    {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"}
)
AMENDMENTS_AT_MOST = 10_000

_CLIENT_ORDER_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_TIMES_IN_FORCE = frozenset({"GTC", "IOC", "FOK", "GTX", "GTD"})
_GOOD_TILL_MIN_MS = 600_000
_GOOD_TILL_MAX_MS = 253_402_300_799_000
_ID_ALPHABET = string.ascii_letters + string.digits


def known_symbol(exchange: Exchange, params: Params) -> SymbolConfig:
    """Return the symbol of a request.  Raises Rejection -1102 or -1121."""
    found = exchange.symbols.get(read.required(params, "symbol"))
    if found is None:
        raise Rejection(-1121)
    return found


def random_client_id(rng: random.Random, prefix: str = "") -> str:
    """Return a client order id as the venue makes them up, 22 characters long."""
    return prefix + "".join(rng.choices(_ID_ALPHABET, k=22 - len(prefix)))


def check_quantity(symbol: SymbolConfig, quantity: Decimal) -> None:
    """Raise Rejection -4003, -1111, -4023, -4004 or -4005 for a bad quantity."""
    if quantity <= 0:
        raise Rejection(-4003)
    if -int(quantity.normalize().as_tuple().exponent) > symbol.quantity_precision:
        raise Rejection(-1111)
    if quantity % symbol.step_size:
        raise Rejection(-4023)
    if quantity < symbol.min_quantity:
        raise Rejection(-4004)
    if quantity > symbol.max_quantity:
        raise Rejection(-4005)


def check_price(symbol: SymbolConfig, price: Decimal) -> None:
    """Raise Rejection -4001, -1111, -4014, -4013 or -4002 for a bad price."""
    if price <= 0:
        raise Rejection(-4001)
    if -int(price.normalize().as_tuple().exponent) > symbol.price_precision:
        raise Rejection(-1111)
    if price % symbol.tick_size:
        raise Rejection(-4014)
    if price < symbol.min_price:
        raise Rejection(-4013)
    if price > symbol.max_price:
        raise Rejection(-4002)


def check_notional(symbol: SymbolConfig, notional: Decimal) -> None:
    """Raise Rejection -4164 for an order that is too small."""
    if notional < symbol.min_notional:
        raise Rejection(
            -4164,
            f"Order's notional must be no smaller than {symbol.min_notional:f} "
            "(unless you choose reduce only).",
        )


def client_order_id(given: str | None, rng: random.Random) -> str:
    """Return the client order id to use.  Raises Rejection -4015 or -1100."""
    if not given:
        return random_client_id(rng)
    if len(given) > 36:
        raise Rejection(-4015)
    if not _CLIENT_ORDER_ID.fullmatch(given):
        raise Rejection(
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'; "
            "legal range is '^[\\.A-Z\\:/a-z0-9_-]{1,36}$'.",
        )
    return given


def position_side(account: Account, side: str, params: Params) -> tuple[str, bool, bool]:
    """Return position side, reduce-only, and whether the order only closes.

    Raises Rejection -4060 for a position side that there is not, -4061 when it does not suit
    the account's mode, and -1106 for ``reduceOnly`` in hedge mode, whatever its value.
    """
    wanted = params.get("positionside", "").upper() or "BOTH"
    if wanted not in ("BOTH", "LONG", "SHORT"):
        raise Rejection(-4060)
    reduce_only = read.boolean(params, "reduceOnly")
    if not account.hedge:
        if wanted != "BOTH":
            raise Rejection(-4061)
        return "BOTH", bool(reduce_only), bool(reduce_only)
    if wanted not in ("LONG", "SHORT"):
        raise Rejection(-4061)
    if reduce_only is not None:
        raise Rejection(-1106, TEXTS[-1106] % "reduceonly")
    return wanted, False, (wanted == "LONG") == (side == "SELL")


def words_of_price(
    exchange: Exchange, symbol: SymbolConfig, side: str, params: Params
) -> tuple[Decimal, str]:
    """Return limit and price match of an order that has a limit.

    Raises Rejection -1102, -1106, -1130, and those of `check_price` and `check_band`.
    """
    match = price_match(params)
    if match == "NONE":
        price = read.required_decimal(params, "price")
    elif params.get("price"):
        raise Rejection(-1106, TEXTS[-1106] % "price")
    else:
        price = matched_price(exchange, symbol, side, match)
    check_price(symbol, price)
    check_band(exchange, symbol.name, side, price)
    return price, match


def price_match(params: Params) -> str:
    """Return ``priceMatch``, NONE when it is not sent.  Raises Rejection -1130."""
    match = params.get("pricematch", "").upper() or "NONE"
    if match != "NONE" and match not in PRICE_MATCHES:
        raise Rejection(-1130, "Data sent for parameter 'priceMatch' is not valid.")
    return match


def self_trade_prevention(params: Params, default: str) -> str:
    """Return ``selfTradePreventionMode``.  Raises Rejection -1130."""
    mode = params.get("selftradepreventionmode", "").upper() or default
    if mode not in MODES:
        raise Rejection(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
    return mode


def good_till(params: Params, now_ms: int) -> int:
    """Return when a GTD order ends, in ms.  Raises Rejection -1102 or -5040."""
    until = read.optional_integer(params, "goodTillDate")
    if until is None:
        raise malformed("goodTillDate")
    if not now_ms + _GOOD_TILL_MIN_MS < until < _GOOD_TILL_MAX_MS:
        raise Rejection(-5040)
    return until // 1000 * 1000  # second precision


def side_of(params: Params) -> str:
    """Return ``side``.  Raises Rejection -1102 or -1117."""
    side = read.required(params, "side").upper()
    if side not in ("BUY", "SELL"):
        raise Rejection(-1117)
    return side


def _time_in_force(params: Params, now_ms: int) -> tuple[str, int]:
    given = read.required(params, "timeInForce").upper()
    if given not in _TIMES_IN_FORCE:
        raise Rejection(-1115)
    return given, good_till(params, now_ms) if given == "GTD" else 0


def new_order(
    exchange: Exchange, account: Account, params: Params, rng: random.Random, now_ns: int
) -> Ticket:
    """Return the order that a request asks for; Rejection says why it may not be."""
    symbol = known_symbol(exchange, params)
    side = side_of(params)
    kind = read.required(params, "type").upper()
    if kind in CONDITIONAL:
        raise Rejection(-4120)
    if kind not in ("LIMIT", "MARKET"):
        raise Rejection(-1116)
    if read.boolean(params, "closePosition"):
        raise Rejection(-4136, TEXTS[-4136] % (kind, "true"))
    leg, reduce_only, closes = position_side(account, side, params)
    check_may_trade(exchange, account, symbol.name, closes=closes)
    chosen_id = client_order_id(params.get("newclientorderid"), rng)
    mode = params.get("selftradepreventionmode")
    stp = self_trade_prevention(params, "EXPIRE_MAKER")
    quantity = read.required_decimal(params, "quantity")
    time_in_force, good_till_ms, price, match = "GTC", 0, ZERO, "NONE"
    if kind == "LIMIT":
        time_in_force, good_till_ms = _time_in_force(params, now_ns // 1_000_000)
        price, match = words_of_price(exchange, symbol, side, params)
    elif params.get("timeinforce"):
        raise Rejection(-1106, TEXTS[-1106] % "timeInForce")
    else:
        check_market_band(exchange, symbol.name, side)
    check_quantity(symbol, quantity)
    if not closes:
        check_notional(symbol, quantity * (price or exchange.prices[symbol.name]))
    ticket = Ticket(
        symbol=symbol,
        side=side,
        type=kind,
        time_in_force=time_in_force,
        quantity=quantity,
        price=price,
        position_side=leg,
        reduce_only=reduce_only,
        closes=closes,
        client_order_id=chosen_id,
        good_till_ms=good_till_ms,
        price_match=match,
        self_trade_prevention=stp,
        meets_own=bool(mode),
    )
    check_margin(exchange, account, ticket, quantity, price or exchange.prices[symbol.name])
    return ticket


def amended(
    exchange: Exchange, account: Account, order: Order, quantity: Decimal, price: Decimal
) -> Decimal:
    """Return the quantity that an open order gets when it is asked to have these.

    One that may only close is clipped to its leg.  Raises Rejection -5025 for an order without
    a limit, -5027 when nothing changes, -5026 for one amendment too many, and those of a new
    order.
    """
    ticket, now = order.ticket, order.current
    name = ticket.symbol.name
    if ticket.type != "LIMIT":
        raise Rejection(-5025)
    check_may_trade(exchange, account, name, closes=ticket.closes)
    check_price(ticket.symbol, price)
    check_band(exchange, name, ticket.side, price)
    check_quantity(ticket.symbol, quantity)
    if not ticket.closes:
        check_notional(ticket.symbol, quantity * price)
    if (quantity, price) == (now.quantity, now.price):
        raise Rejection(-5027)
    if len(order.versions) > AMENDMENTS_AT_MOST and order.amendments >= AMENDMENTS_AT_MOST:
        raise Rejection(-5026)
    if ticket.closes:
        leg = exchange.closable(account, name, ticket.side, ticket.position_side)
        quantity = min(quantity, now.filled + leg)
    if quantity > now.filled:
        check_margin(exchange, account, ticket, quantity - now.filled, price, order)
    return quantity
