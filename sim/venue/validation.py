"""What Binance refuses before an order exists.

Rules:

* A refused order leaves nothing behind: no record, no id, no event.
* The checks run in a fixed order: words, position mode, ids, numbers, notional.  What
  depends on the account's position and open orders is checked by the exchange.
* Only LIMIT and MARKET orders are served here; conditional types belong to the algo
  endpoints (-4120).
"""

from __future__ import annotations

import random
import re
import string
from decimal import Decimal

from sim.venue import params as read
from sim.venue.config import SymbolConfig
from sim.venue.errors import Rejection, VenueUnsupported, malformed
from sim.venue.exchange import Exchange
from sim.venue.models import ZERO, Account, Ticket
from sim.venue.params import Params

_CLIENT_ORDER_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_CONDITIONAL = frozenset(
    {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"}
)
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

    Raises Rejection -4061 when the position side does not suit the account's mode, and
    -1106 for ``reduceOnly`` in hedge mode, whatever its value.
    """
    wanted = params.get("positionside", "").upper() or "BOTH"
    reduce_only = read.boolean(params, "reduceOnly")
    if not account.hedge:
        if wanted != "BOTH":
            raise Rejection(-4061)
        return "BOTH", bool(reduce_only), bool(reduce_only)
    if wanted not in ("LONG", "SHORT"):
        raise Rejection(-4061)
    if reduce_only is not None:
        raise Rejection(-1106, "Parameter 'reduceonly' sent when not required.")
    return wanted, False, (wanted == "LONG") == (side == "SELL")


def _time_in_force(params: Params, now_ms: int) -> tuple[str, int]:
    given = read.required(params, "timeInForce").upper()
    if given not in _TIMES_IN_FORCE:
        raise Rejection(-1115)
    if given != "GTD":
        return given, 0
    until = read.optional_integer(params, "goodTillDate")
    if until is None:
        raise malformed("goodTillDate")
    if not now_ms + _GOOD_TILL_MIN_MS < until < _GOOD_TILL_MAX_MS:
        raise Rejection(-5040)
    return given, until // 1000 * 1000  # second precision


def new_order(
    exchange: Exchange, account: Account, params: Params, rng: random.Random, now_ns: int
) -> Ticket:
    """Return the order that a request asks for; Rejection says why it may not be."""
    symbol = known_symbol(exchange, params)
    side = read.required(params, "side").upper()
    if side not in ("BUY", "SELL"):
        raise Rejection(-1117)
    kind = read.required(params, "type").upper()
    if kind in _CONDITIONAL:
        raise Rejection(-4120)
    if kind not in ("LIMIT", "MARKET"):
        raise Rejection(-1116)
    if params.get("pricematch", "NONE") not in ("", "NONE"):
        raise VenueUnsupported("priceMatch needs an order book, which this venue has not")
    if symbol.status != "TRADING":
        raise Rejection(-4140)
    leg, reduce_only, closes = position_side(account, side, params)
    chosen_id = client_order_id(params.get("newclientorderid"), rng)
    quantity = read.required_decimal(params, "quantity")
    time_in_force, good_till_ms, price = "GTC", 0, ZERO
    if kind == "LIMIT":
        time_in_force, good_till_ms = _time_in_force(params, now_ns // 1_000_000)
        price = read.required_decimal(params, "price")
        check_price(symbol, price)
    check_quantity(symbol, quantity)
    if not closes:
        check_notional(symbol, quantity * (price or exchange.prices[symbol.name]))
    return Ticket(
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
    )
