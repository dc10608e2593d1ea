"""Whatever is done to the venue, its books add up and its views agree with its truth."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.venue import Venue, VenueConfig, VenueError, symbol_config

START_NS = 1_700_000_000_000_000_000

QUANTITIES = st.integers(1, 30).map(lambda steps: Decimal(steps) / 100)
PRICES = st.integers(490_000, 510_000).map(lambda ticks: Decimal(ticks) / 10)
LEGS = st.sampled_from(["LONG", "SHORT"])
SUBMITS = st.tuples(
    st.just("submit"), st.sampled_from(["BUY", "SELL"]), QUANTITIES, st.none() | PRICES,
    st.booleans(), LEGS,
)  # fmt: skip
FILLS = st.tuples(st.just("fill"), st.integers(0, 50), QUANTITIES, PRICES, st.booleans())
CANCELS = st.tuples(st.just("cancel"), st.integers(0, 50))
PRICED = st.tuples(st.just("price"), PRICES)
STEPS = st.lists(st.one_of(SUBMITS, FILLS, CANCELS, PRICED), max_size=40)


def play(venue: Venue, steps: list[tuple[Any, ...]], hedge: bool) -> int:
    """Do all that is possible of the steps; return the time afterwards."""
    now_ns = START_NS
    for step in steps:
        now_ns += 700_000_000
        try:
            match step:
                case ("submit", side, quantity, price, reduce_only, leg):
                    venue.web_submit(
                        "main", "BTCUSDT", side=side, quantity=quantity, price=price,
                        position_side=leg if hedge else None,
                        reduce_only=reduce_only and not hedge, now_ns=now_ns,
                    )  # fmt: skip
                case ("fill", index, quantity, price, maker):
                    order = venue.orders()[index]
                    venue.fill(
                        "main", "BTCUSDT", order_id=order.order_id, quantity=quantity,
                        price=price, maker=maker, now_ns=now_ns,
                    )  # fmt: skip
                case ("cancel", index):
                    order = venue.orders()[index]
                    venue.web_cancel("main", "BTCUSDT", order_id=order.order_id, now_ns=now_ns)
                case ("price", price):
                    venue.set_price("BTCUSDT", price, now_ns)
        except (VenueError, IndexError):
            continue
    return now_ns


@pytest.mark.parametrize("mode", ["one-way", "hedge"])
@given(steps=STEPS, seed=st.integers(0, 3))
def test_the_books_add_up(mode: str, steps: list[tuple[Any, ...]], seed: int) -> None:
    config = VenueConfig(position_mode=mode, symbols=(symbol_config("BTCUSDT"),))
    venue = Venue(config, random.Random(seed))
    now_ns = play(venue, steps, mode == "hedge")
    venue.check_invariants()
    held: dict[str, Decimal] = {}
    for trade in venue.trades():
        signed = trade.quantity if trade.side == "BUY" else -trade.quantity
        held[trade.position_side] = held.get(trade.position_side, Decimal(0)) + signed
    assert {leg.position_side: leg.quantity for leg in venue.positions()} == {
        side: quantity for side, quantity in held.items() if quantity
    }
    for side, quantity in held.items():
        assert venue.position_at("main", "BTCUSDT", side, now_ns).quantity == quantity
    twin = Venue(config, random.Random(seed))
    play(twin, steps, mode == "hedge")
    assert (twin.trades(), twin.orders()) == (venue.trades(), venue.orders())
