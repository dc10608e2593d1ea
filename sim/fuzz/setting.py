"""Where drawn stories are set: the venue, its accounts and knobs, and the nodes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st

from sim.fuzz.values import MINUTE_NS
from sim.scenario import model as m
from sim.scenario import values as v
from sim.scenario.terms import Knobs
from sim.venue.config import symbol_config

SYMBOLS = ("SOLUSDT", "ETHUSDT")
UNIT = Decimal("0.1")
"""The smallest fill; the others are it times a power of two."""

RICH = {"USDT": Decimal(100_000_000), "BNB": Decimal(1000)}
"""More than all orders of a story cost, and commissions in BNB."""

MODES: tuple[v.PositionMode, ...] = ("one-way", "one-way", "hedge")

KNOBS: dict[str, tuple[Any, ...]] = {
    "trade_lite": (True,),
    "hedge_positions": ("both",),
    "replica_lag": ("usual",),
    "triggered_order_shows": ("conditional",),
    "all_orders_window": ("updated",),
    "window_page": ("tail",),
    "liquidation_rows": ("LIQUIDATION",),
    "event_lead_ms": (0,),
    "legacy_order_response": (True,),
    "adl_client_id": ("adl_autoclose_1",),
    "reused_client_id": ("oldest",),
}
"""What of the venue's doubtful behaviour a story may have otherwise than is assumed."""


class Place(msgspec.Struct, frozen=True):
    """Where a strategy trades: a node, and the account that it is on."""

    node: str
    account: str


def places_of(scenario: m.Scenario) -> tuple[Place, ...]:
    """Return where strategies of a scenario trade."""
    return tuple(
        Place(node, account)
        for node in scenario.each_node
        for account in scenario.accounts_of(node)
    )


def price_of(symbol: str, scenario: m.Scenario, factor: str | Decimal = "1") -> Decimal:
    """Return what a symbol costs when the story begins times a factor, on its tick."""
    config = symbol_config(symbol)
    price = scenario.venue.prices.get(symbol, config.price) * Decimal(factor)
    return price.quantize(config.tick_size.normalize())


@st.composite
def settings(draw: st.DrawFn, on: frozenset[str]) -> m.Scenario:
    """Scenarios without any records, as the features that are on allow."""
    is_brokered = "broker" in on
    symbols = SYMBOLS if "two-symbols" in on else SYMBOLS[:1]
    second = "two-accounts" in on and not is_brokered
    interval_secs = draw(st.sampled_from((60.0, 30.0)))
    key_type: v.KeyType = "ed25519" if "websocket-api" in on and not is_brokered else "hmac"
    options = {"filter_unclaimed_external_orders": True} if "filtered" in on else {}
    lookbacks = (2, 5) if "lookback" in on else (None,)

    def node(account: str | None, strategies: tuple[str, ...]) -> m.Node:
        claimed = tuple(f"{symbol}-PERP.BINANCE" for symbol in symbols)
        owner = draw(st.sampled_from((*strategies, None)))
        return m.Node(
            account=account,
            key_type=key_type,
            claims={} if owner is None else {owner: claimed},
            strategies=strategies,
            starts_ns=draw(st.sampled_from((1, 5))) * MINUTE_NS if "late-start" in on else 0,
            reconciliation_interval_secs=interval_secs,
            reconciliation_lookback_mins=draw(st.sampled_from(lookbacks)),
            exec_engine=options,
            broker=m.Broker(default=draw(st.booleans())) if is_brokered else None,
        )

    strategies = ("S-001", "S-002") if "two-strategies" in on else ("S-001",)
    venue = m.Venue(
        position_mode="one-way" if is_brokered else draw(st.sampled_from(MODES)),
        symbols=symbols,
        balances=RICH,
        accounts={"main": m.Account(), "second": m.Account()} if second else {},
        fees=dict.fromkeys(("maker", "taker"), Decimal(0)) if "free" in on else {},
        knobs=Knobs(**draw(_turned())) if "knobs" in on else Knobs(),
    )
    both = {"A": node("main", strategies), "B": node("second", ("S-001",))} if second else {}
    return m.Scenario(
        title="Found by fuzzing",
        shows="fill-lost",
        seed=draw(st.integers(0, 999)),
        venue=venue,
        timeline=(),
        node=m.Node() if both else node(None, strategies),
        nodes=both,
    )


@st.composite
def _turned(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(KNOBS)), min_size=1, max_size=3, unique=True))
    return {name: draw(st.sampled_from(KNOBS[name])) for name in names}
