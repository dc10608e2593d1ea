"""A past for the benchmark: what an account has traded before a node starts.

Two shapes: ``growing`` is one BUY order after the other on one position, ``round_trips`` is BUY
and SELL in turn, a closed position for each two orders; the last one is a BUY, so that a position
is left, without which the released engine does not ask at all.  Every order is LIMIT and filled
by one trade.  Where there are several symbols they take turns.

All of it lies in 20 hours before `START_NS`, so that a day of lookback finds it.  Before the
start nothing is traded for `CALM_NS`: how many trades are so young that they are read again
depends on how dense a history is, and not on how long.  What is traded later comes `LATER_NS`
after the start, one trade every minute.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from sim.clock import NS_PER_SEC, START_NS
from sim.venue import Venue
from sim.venue.config import AccountConfig, SymbolConfig, VenueConfig, symbol_config

type Shape = Literal["growing", "round_trips"]

SPAN_NS = 20 * 3_600 * NS_PER_SEC
CALM_NS = 120 * NS_PER_SEC
LATER_NS = 600 * NS_PER_SEC
MINUTE_NS = 60 * NS_PER_SEC
LOT = Decimal("0.001")
LOTS = 50
TICKS = 20_000
STRIDE = 7_919
"""How far apart consecutive prices are, in ticks: no two of a day are the same."""


class Past(msgspec.Struct, frozen=True):
    """What was traded: ``fills`` before the start, ``later`` after it."""

    shape: Shape
    fills: int
    later: int = 0
    symbols: int = 1


def contracts(count: int) -> tuple[SymbolConfig, ...]:
    """Return as many contracts: BTCUSDT, and others that differ from it by their names."""
    first = symbol_config("BTCUSDT")
    others = (
        msgspec.structs.replace(first, name=f"B{n:02d}USDT", base_asset=f"B{n:02d}")
        for n in range(1, count)
    )
    return (first, *others)


def venue_config(past: Past) -> VenueConfig:
    """Return the venue on which that was traded."""
    # Large enough for whatever the past has grown to.
    account = AccountConfig(balances={"USDT": Decimal(10**12)})
    return VenueConfig(
        symbols=contracts(past.symbols), accounts=(account,), max_notional=Decimal(10**12)
    )


def trade(venue: Venue, past: Past) -> None:
    """Let it all happen on a venue that nothing has happened on."""
    symbols = venue.config.symbols
    account = venue.config.accounts[0]
    step_ns = SPAN_NS // max(past.fills, 1)
    for number in range(past.fills):
        symbol = symbols[number % len(symbols)]
        at_ns = START_NS - CALM_NS - SPAN_NS + number * step_ns
        is_buy = past.shape == "growing" or number % 2 == 0 or number == past.fills - 1
        _trade(venue, account, symbol, number, at_ns, is_buy=is_buy)
    for number in range(past.later):
        at_ns = START_NS + LATER_NS + number * MINUTE_NS
        _trade(venue, account, symbols[0], number, at_ns, is_buy=True)
    venue.take_frames()


def _trade(
    venue: Venue,
    account: AccountConfig,
    symbol: SymbolConfig,
    number: int,
    at_ns: int,
    *,
    is_buy: bool,
) -> None:
    quantity = LOT * (LOTS + number // 2 % LOTS)  # the same for both orders of a round trip
    order = venue.web_submit(
        account.name,
        symbol.name,
        side="BUY" if is_buy else "SELL",
        quantity=quantity,
        price=symbol.price + symbol.tick_size * (number * STRIDE % TICKS),
        now_ns=at_ns,
    )
    venue.fill(account.name, symbol.name, quantity=quantity, order_id=order.order_id, now_ns=at_ns)
