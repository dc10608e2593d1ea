"""What makes facts the same, and which comes first: keys, legs, ranks, and what came late."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recon.core.behind import USUAL_NS, Behind
from recon.core.facts import OPEN, FillKey, Leg, Positions, VenuePosition
from recon.core.orders import ROUNDING_NS
from recon.core.rank import rank
from tests.properties.recon_strategies import (
    SECOND_NS,
    SIDES,
    START_NS,
    Story,
    ids,
    sequences,
    stories,
    trade,
)

OF_A_KEY = ("symbol", "order_id", "trade_id", "side")
OF_A_LEG = ("symbol", "position_side")

symbols = st.sampled_from(["BTCUSDT", "ETHUSDT", "BOTH"])
position_sides = st.sampled_from(["BOTH", "LONG", "SHORT"])

changes = st.fixed_dictionaries(
    {},
    optional={
        "symbol": symbols,
        "order_id": ids,
        "trade_id": ids,
        "side": st.sampled_from(SIDES),
        "position_side": position_sides,
        "sequence": sequences,
        "price": st.integers(1, 9).map(Decimal),
        "is_maker": st.booleans(),
    },
)
"""What may be said otherwise of a trade."""


@given(changes, changes)
def test_a_fill_is_the_same_by_what_makes_its_key_and_by_nothing_else(
    said: dict[str, Any], otherwise: dict[str, Any]
) -> None:
    one = replace(trade(100), **said)
    other = replace(one, **otherwise)

    assert one.key == FillKey(one.symbol, one.order_id, one.trade_id, one.side)
    assert (one.key == other.key) is all(
        getattr(one, name) == getattr(other, name) for name in OF_A_KEY
    )
    assert (one.leg == other.leg) is all(
        getattr(one, name) == getattr(other, name) for name in OF_A_LEG
    )


@given(symbols, position_sides, st.integers(-9, 9).map(Decimal))
def test_a_position_and_its_trades_are_of_one_leg(
    symbol: str, position_side: str, quantity: Decimal
) -> None:
    position = VenuePosition(symbol, position_side, quantity, Decimal(1), 7)
    made = trade(1, symbol=symbol, position_side=position_side)
    positions = Positions(9, {position.leg: position})

    assert position.leg == made.leg == Leg(symbol, position_side)
    assert str(made.leg) == f"{symbol} {position_side}"
    assert positions.updated_ns(made.leg) == 7
    assert positions.updated_ns(Leg("another", position_side)) == 0


@given(st.lists(st.tuples(st.sampled_from(SIDES), st.integers(1, 9)), max_size=8))
def test_signed_quantities_add_up_to_what_was_bought_less_what_was_sold(
    made: list[tuple[Any, int]],
) -> None:
    net = sum(trade(n, side, quantity).signed for n, (side, quantity) in enumerate(made))
    bought, sold = (sum(q for side, q in made if side == one) for one in SIDES)

    assert net == bought - sold


@given(stories())
def test_an_order_is_open_at_the_venue_until_it_has_ended_there(story: Story) -> None:
    ended = ("FILLED", "CANCELED", "EXPIRED", "REJECTED")

    assert story.venue.is_open is (story.venue.status not in ended)
    assert story.venue.is_open is (story.venue.status in OPEN)


# -- which comes first ----------------------------------------------------------------------

printed = st.tuples(
    st.integers(0, 2) | st.integers(0, 10**9),
    st.sampled_from([9, 10, 11]) | st.integers(0, 200),
    st.booleans(),
)
"""A fill: its milliseconds, its trade id, and whether its side rested."""


@given(
    st.lists(
        st.tuples(
            printed,
            st.sampled_from([-ROUNDING_NS, ROUNDING_NS - 1])
            | st.integers(-ROUNDING_NS, ROUNDING_NS - 1),
        ),
        min_size=2,
        max_size=6,
    )
)
def test_fills_are_ranked_by_millisecond_then_id_then_the_side_that_rested(
    drawn: list[tuple[tuple[int, int, bool], int]],
) -> None:
    """However far from the millisecond a float has put the time."""
    ranks = [
        rank(START_NS + ms * 1_000_000 + off, str(trade_id), is_maker=is_maker)
        for (ms, trade_id, is_maker), off in drawn
    ]
    places = [(ms, trade_id, 0 if is_maker else 1) for (ms, trade_id, is_maker), _ in drawn]
    for one, its in zip(ranks, places, strict=True):
        for other, others in zip(ranks, places, strict=True):
            assert (one < other) is (its < others)
            assert (one == other) is (its == others)


# -- what came late -------------------------------------------------------------------------

HALF_NS = USUAL_NS // 2


def behind_since(events: list[tuple[int, int]]) -> int:
    """Since when a node is behind by the last of some events: when it happened, when it came.

    It goes on from the one before if that came late, and had not come when this happened.
    """
    *earlier, (happened, _) = events
    if earlier:
        since, came = behind_since(earlier), earlier[-1][1]
        if came - since > USUAL_NS and happened < came:
            return min(since, happened)
    return happened


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.integers(0, 6)),
        max_size=8,
    ),
    st.sampled_from([0, 1]),
)
def test_an_order_is_behind_since_the_first_of_what_came_late_without_a_break(
    drawn: list[tuple[str, int, int]], more_ns: int
) -> None:
    behind = Behind()
    now = START_NS
    events: dict[str, list[tuple[int, int]]] = {"a": [], "b": []}
    for order_id, pause, delay in drawn:
        now += pause * HALF_NS
        happened, came = now - delay * HALF_NS - more_ns, now
        events[order_id].append((happened, came))
        assert behind.since(order_id, happened, came) == behind_since(events[order_id])


@given(st.integers(0, 10 * SECOND_NS))
def test_nothing_is_remembered_of_what_was_not_late(delay_ns: int) -> None:
    """The second event happened before the first came, which had taken no longer than usual."""
    behind = Behind()
    behind.since("1", START_NS, START_NS + USUAL_NS)
    happened = START_NS + USUAL_NS - 1

    assert behind.since("1", happened, happened + delay_ns) == happened
