"""Handlers of the public endpoints: time, symbols, and a market of one price.

Rules:

* The market is the last price that the world has set: best bid and ask lie one tick
  below and above it; there are no candles and no public trades.
* The symbol part of exchangeInfo is encoded once per set of symbols and process.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from sim.venue.calls import Backend, Call, symbol, symbol_or_none
from sim.venue.config import SymbolConfig
from sim.venue.formats import fixed, padded, to_ms
from sim.venue.margin import OPEN_ORDERS_AT_MOST
from sim.venue.payloads import encode

_DELIVERY_MS = 4_133_404_802_000
_ONBOARD_MS = 1_569_398_400_000
_FUNDING_PERIOD_MS = 8 * 3_600_000


def get_ping(_backend: Backend, _call: Call) -> bytes:
    """GET ping."""
    return b"{}"


def get_time(_backend: Backend, call: Call) -> bytes:
    """GET time."""
    return b'{"serverTime":%d}' % to_ms(call.now_ns)


def get_exchange_info(backend: Backend, call: Call) -> bytes:
    """GET exchangeInfo."""
    config = backend.exchange.config
    statuses = backend.exchange.statuses
    symbols = tuple(
        msgspec.structs.replace(symbol, status=statuses[symbol.name])
        if symbol.name in statuses
        else symbol
        for symbol in config.symbols
    )
    tail = _exchange_info_tail(
        symbols, config.weight_limit_1m, config.order_limit_1m, config.order_limit_10s
    )
    return b'{"timezone":"UTC","serverTime":%d,%b' % (to_ms(call.now_ns), tail)


@lru_cache(maxsize=64)
def _exchange_info_tail(
    symbols: tuple[SymbolConfig, ...], weight_1m: int, orders_1m: int, orders_10s: int
) -> bytes:
    assets = dict.fromkeys(symbol.quote_asset for symbol in symbols)
    body = {
        "futuresType": "U_MARGINED",
        "rateLimits": [
            _rate_limit("REQUEST_WEIGHT", "MINUTE", 1, weight_1m),
            _rate_limit("ORDERS", "MINUTE", 1, orders_1m),
            _rate_limit("ORDERS", "SECOND", 10, orders_10s),
        ],
        "exchangeFilters": [],
        "assets": [
            {"asset": asset, "marginAvailable": True, "autoAssetExchange": "-100"}
            for asset in assets
        ],
        "symbols": [_symbol_info(symbol) for symbol in symbols],
    }
    return encode(body)[1:]  # without the brace: the server time goes in front


def _rate_limit(kind: str, interval: str, number: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


def _symbol_info(symbol: SymbolConfig) -> dict[str, Any]:
    lot = {
        "minQty": f"{symbol.min_quantity:f}",
        "maxQty": f"{symbol.max_quantity:f}",
        "stepSize": f"{symbol.step_size:f}",
    }
    return {
        "symbol": symbol.name,
        "pair": symbol.name,
        "contractType": "PERPETUAL",
        "deliveryDate": _DELIVERY_MS,
        "onboardDate": _ONBOARD_MS,
        "status": symbol.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": symbol.base_asset,
        "quoteAsset": symbol.quote_asset,
        "marginAsset": symbol.quote_asset,
        "pricePrecision": symbol.price_precision,
        "quantityPrecision": symbol.quantity_precision,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": fixed(symbol.trigger_protect, 4),
        "liquidationFee": "0.012000",
        "marketTakeBound": "0.30",
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": f"{symbol.min_price:f}",
                "maxPrice": f"{symbol.max_price:f}",
                "tickSize": f"{symbol.tick_size:f}",
            },
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": OPEN_ORDERS_AT_MOST},
            {"filterType": "MIN_NOTIONAL", "notional": f"{symbol.min_notional:f}"},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": fixed(symbol.multiplier_up, 4),
                "multiplierDown": fixed(symbol.multiplier_down, 4),
                "multiplierDecimal": "4",
            },
            {
                "filterType": "POSITION_RISK_CONTROL",
                "positionControlSide": "NONE",
                "notional": "0",
            },
        ],
        "orderTypes": [
            "LIMIT",
            "MARKET",
            "STOP",
            "STOP_MARKET",
            "TAKE_PROFIT",
            "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }


# -- prices


def _quotes(backend: Backend, name: str) -> tuple[str, str, str]:
    """Return best bid, last price and best ask as text."""
    config = backend.exchange.symbols[name]
    last, tick = backend.exchange.prices[name], config.tick_size
    bid, ask = max(tick, last - tick), last + tick
    return (
        padded(bid, config.price_precision),
        padded(last, config.price_precision),
        padded(ask, config.price_precision),
    )


def _one_or_all(backend: Backend, call: Call, row: Any) -> bytes:
    wanted = symbol_or_none(backend, call)
    if wanted is not None:
        return encode(row(wanted))
    return encode([row(name) for name in backend.exchange.symbols])


def get_price(backend: Backend, call: Call) -> bytes:
    """GET ticker/price."""

    def row(name: str) -> dict[str, Any]:
        _, last, _ = _quotes(backend, name)
        return {"symbol": name, "price": last, "time": to_ms(call.now_ns)}

    return _one_or_all(backend, call, row)


def get_book_ticker(backend: Backend, call: Call) -> bytes:
    """GET ticker/bookTicker."""

    def row(name: str) -> dict[str, Any]:
        bid, _, ask = _quotes(backend, name)
        now_ms = to_ms(call.now_ns)
        return {
            "lastUpdateId": now_ms,
            "symbol": name,
            "bidPrice": bid,
            "bidQty": "1",
            "askPrice": ask,
            "askQty": "1",
            "time": now_ms,
        }

    return _one_or_all(backend, call, row)


def get_ticker_24h(backend: Backend, call: Call) -> bytes:
    """GET ticker/24hr: a day in which nothing happened."""

    def row(name: str) -> dict[str, Any]:
        _, last, _ = _quotes(backend, name)
        now_ms = to_ms(call.now_ns)
        return {
            "symbol": name,
            "priceChange": "0",
            "priceChangePercent": "0",
            "weightedAvgPrice": last,
            "prevClosePrice": last,
            "lastPrice": last,
            "lastQty": "0",
            "openPrice": last,
            "highPrice": last,
            "lowPrice": last,
            "volume": "0",
            "quoteVolume": "0",
            "openTime": now_ms - 86_400_000,
            "closeTime": now_ms,
            "firstId": 0,
            "lastId": 0,
            "count": 0,
        }

    return _one_or_all(backend, call, row)


def get_premium_index(backend: Backend, call: Call) -> bytes:
    """GET premiumIndex: mark and index price, funding is zero."""

    def row(name: str) -> dict[str, Any]:
        price = fixed(backend.exchange.price_of(name, "MARK_PRICE"), 8)
        now_ms = to_ms(call.now_ns)
        return {
            "symbol": name,
            "markPrice": price,
            "indexPrice": price,
            "estimatedSettlePrice": price,
            "lastFundingRate": "0.00000000",
            "nextFundingTime": (now_ms // _FUNDING_PERIOD_MS + 1) * _FUNDING_PERIOD_MS,
            "interestRate": "0.00010000",
            "time": now_ms,
        }

    return _one_or_all(backend, call, row)


def get_depth(backend: Backend, call: Call) -> bytes:
    """GET depth: one level on each side."""
    bid, _, ask = _quotes(backend, symbol(backend, call))
    now_ms = to_ms(call.now_ns)
    return encode(
        {
            "lastUpdateId": now_ms,
            "E": now_ms,
            "T": now_ms,
            "bids": [[bid, "1"]],
            "asks": [[ask, "1"]],
        }
    )


def get_nothing(backend: Backend, call: Call) -> bytes:
    """Answer lists that are always empty here: trades, candles, funding rates."""
    symbol_or_none(backend, call)
    return b"[]"
