"""What a venue is made of before anything happens on it.

Rules:

* A configuration is frozen data.  Two venues with equal configurations and equal
  seeds behave alike, byte for byte.
* Symbols come from a catalogue of real contracts, so that a scenario names
  ``BTCUSDT`` and gets its real tick, step and minimum notional.
* Prices, quantities and rates are `Decimal`; durations carry their unit.
"""

from __future__ import annotations

import difflib
from decimal import Decimal
from typing import Literal

import msgspec

from sim.venue.keys import ApiKey

type PositionMode = Literal["one-way", "hedge"]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
DAY_NS = 24 * 60 * MINUTE_NS


class SymbolConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One perpetual contract.

    ``price`` is the last price when the venue opens.  ``price_precision`` and
    ``quantity_precision`` are the number of decimals that Binance accepts and
    prints; the tick may be coarser than the precision (BTCUSDT: 0.10 and 2).
    ``status`` other than TRADING refuses orders.  The multipliers say how far beyond the mark
    price an order may execute (PERCENT_PRICE); ``trigger_protect`` how far last and mark
    price may be apart, as a part of the latter, when an order with ``priceProtect`` triggers.
    """

    name: str
    base_asset: str
    quote_asset: str
    tick_size: Decimal
    step_size: Decimal
    price_precision: int
    quantity_precision: int
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    min_price: Decimal
    max_price: Decimal
    price: Decimal
    status: str = "TRADING"
    multiplier_up: Decimal = Decimal("1.1")
    multiplier_down: Decimal = Decimal("0.9")
    trigger_protect: Decimal = Decimal("0.05")


def _contract(
    base: str,
    quote: str,
    *,
    price: str,
    tick: str,
    price_precision: int,
    max_price: str,
    step: str,
    max_quantity: str,
    min_notional: str,
) -> SymbolConfig:
    step_size = Decimal(step)
    exponent = step_size.normalize().as_tuple().exponent
    return SymbolConfig(
        name=base + quote,
        base_asset=base,
        quote_asset=quote,
        tick_size=Decimal(tick),
        step_size=step_size,
        price_precision=price_precision,
        quantity_precision=max(0, -int(exponent)),
        min_quantity=step_size,
        max_quantity=Decimal(max_quantity),
        min_notional=Decimal(min_notional),
        min_price=Decimal(tick),
        max_price=Decimal(max_price),
        price=Decimal(price),
    )


# Ticks, steps and minimum notionals as the live venue publishes them, give or take its
# revisions; nothing in the harness depends on their being today's.
_CATALOGUE: dict[str, SymbolConfig] = {
    symbol.name: symbol
    for symbol in (
        _contract(
            "BTC", "USDT", price="50000", tick="0.10", price_precision=2, max_price="4529764",
            step="0.001", max_quantity="1000", min_notional="100",
        ),
        _contract(
            "ETH", "USDT", price="3000", tick="0.01", price_precision=2, max_price="306177",
            step="0.001", max_quantity="10000", min_notional="20",
        ),
        _contract(
            "SOL", "USDT", price="150", tick="0.0100", price_precision=4, max_price="6857",
            step="0.01", max_quantity="1000000", min_notional="5",
        ),
        _contract(
            "XRP", "USDT", price="0.5000", tick="0.0001", price_precision=4, max_price="100000",
            step="0.1", max_quantity="10000000", min_notional="5",
        ),
        _contract(
            "CTK", "USDT", price="0.40000", tick="0.00010", price_precision=5, max_price="1000",
            step="1", max_quantity="1000000", min_notional="5",
        ),
        _contract(
            "BNB", "USDT", price="600", tick="0.010", price_precision=3, max_price="100000",
            step="0.01", max_quantity="100000", min_notional="5",
        ),
        _contract(
            "BTC", "USDC", price="50000", tick="0.1", price_precision=1, max_price="4529764",
            step="0.001", max_quantity="1000", min_notional="50",
        ),
    )
}  # fmt: skip


def known_symbols() -> tuple[str, ...]:
    """Return the names in the catalogue, in its order."""
    return tuple(_CATALOGUE)


def symbol_config(name: str) -> SymbolConfig:
    """Return the contract of that name; ValueError names the nearest known one."""
    found = _CATALOGUE.get(name)
    if found is None:
        nearest = difflib.get_close_matches(name.upper(), _CATALOGUE, n=1, cutoff=0.0)
        raise ValueError(
            f"unknown symbol {name!r}: did you mean {nearest[0]}? "
            f"Known are {', '.join(_CATALOGUE)}",
        )
    return found


class AccountConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One futures account and its API keys, of which it has one or several.

    The first one is ``api_key``, an HMAC key; the others are of either type.  ``balances`` is
    asset to wallet balance; without a ``position_mode`` it is the venue's.
    """

    name: str = "main"
    api_key: str = "main-api-key"
    api_secret: str = "main-api-secret"  # noqa: S105 - opens nothing
    more_keys: tuple[ApiKey, ...] = ()
    position_mode: PositionMode | None = None
    balances: dict[str, Decimal] = msgspec.field(
        default_factory=lambda: {"USDT": Decimal(1_000_000), "USDC": Decimal(1_000_000)},
    )

    @property
    def keys(self) -> tuple[ApiKey, ...]:
        """Its API keys, the first one first."""
        return (ApiKey(self.api_key, self.api_secret), *self.more_keys)


class VenueConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The whole venue.

    ``weight_limit_1m``, ``order_limit_10s`` and ``order_limit_1m`` are Binance's
    limits: request weight for the one address that all clients share, and orders
    per account; the ``ban_after``-th request past the limit of one minute is answered with a
    ban.  ``trade_lite`` also sends TRADE_LITE before each fill.
    ``legacy_order_response`` brings back ``avgPrice`` and ``cumQuote`` in order
    replies.  ``strict_signature`` refuses a signature made over the decoded
    parameters.  ``window_page`` says which rows a time window with more rows than
    ``limit`` returns: the oldest ("head") or the newest ("tail").  ``bnb_price`` is what
    commissions in BNB are reckoned with.  ``triggered_order_shows`` says what the order looks
    like that a conditional order has become: like any other ("plain"), or with the conditional
    type as its original one and the trigger as its stop price.  ``liquidation_rows`` is the type
    that lists of orders show of a liquidation, whose events say LIQUIDATION.
    ``adl_client_id`` is the client order id of deleveraging, which may have a suffix.
    ``hedge_positions`` says which legs of a symbol an ACCOUNT_UPDATE tells of in hedge mode:
    the one that "changed", or "both".  ``reused_client_id`` says which order a client id names
    that several have had.  ``unknown_modify_code`` refuses to modify an order that is not open,
    ``duplicate_algo_code`` a conditional order whose client id is taken.
    ``trades_kept_days`` is how long userTrades tells of a trade.
    ``all_orders_window`` says what the window of allOrders is about, ``unknown_params`` what
    becomes of a parameter that no endpoint has, ``event_lead_ms`` how far ``E`` of an event is
    behind ``T`` at the most, ``replica_lag`` whether every answer is a little behind (see `reads`).
    ``unknown_error_code`` is the code of the answer "Unknown error, please check your request
    or try again later.", None for none.

    ``max_notional`` is the largest position on a symbol, at any leverage.

    A stream connection is closed ``connection_life_ns`` after it was opened, and when a ping,
    of which one comes every ``ping_interval_ns``, has had no pong for ``pong_timeout_ns``.
    ``messages_per_second`` is what its client may send, ``streams_per_connection`` what it carries.
    """

    position_mode: PositionMode = "one-way"
    symbols: tuple[SymbolConfig, ...] = (_CATALOGUE["BTCUSDT"],)
    accounts: tuple[AccountConfig, ...] = (AccountConfig(),)
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.0005")
    leverage: int = 20
    max_notional: Decimal = Decimal(40_000_000)
    listen_key_validity_ns: int = 60 * MINUTE_NS
    connection_life_ns: int = DAY_NS
    ping_interval_ns: int = 3 * MINUTE_NS
    pong_timeout_ns: int = 10 * MINUTE_NS
    messages_per_second: int = 10
    streams_per_connection: int = 1024
    weight_limit_1m: int = 2400
    order_limit_10s: int = 300
    order_limit_1m: int = 1200
    ban_after: int = 10
    trade_lite: bool = False
    legacy_order_response: bool = False
    strict_signature: bool = False
    window_page: Literal["head", "tail"] = "head"
    bnb_price: Decimal = Decimal(600)
    triggered_order_shows: Literal["plain", "conditional"] = "plain"
    liquidation_rows: Literal["LIMIT", "LIQUIDATION"] = "LIMIT"
    adl_client_id: str = "adl_autoclose"
    hedge_positions: Literal["changed", "both"] = "changed"
    reused_client_id: Literal["newest", "oldest"] = "newest"
    unknown_modify_code: int = -2013
    duplicate_algo_code: int = -4116
    trades_kept_days: int = 90
    unknown_error_code: int | None = -1000
    all_orders_window: Literal["created", "updated"] = "created"
    unknown_params: Literal["ignored", "refused"] = "ignored"
    event_lead_ms: int = 3
    replica_lag: Literal["none", "usual"] = "none"

    def __post_init__(self) -> None:
        if not self.accounts or not self.symbols:
            raise ValueError("a venue needs at least one account and one symbol")
        for kind, names in (
            ("account", [account.name for account in self.accounts]),
            ("api_key", [key.api_key for account in self.accounts for key in account.keys]),
            ("symbol", [symbol.name for symbol in self.symbols]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"two entries share one {kind}: {', '.join(names)}")
