"""What holds of an opening balance for every history of a leg.

A history is replayed by another account of Binance's entry price than the module's own,
with fractions: nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import assume, event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from recon.core.facts import Side, Trade
from recon.core.opening import Holding, leave_all_as_it_was, opening_balance
from tests.properties.recon_strategies import trade

RELATIVE = Fraction(1, 10**9)
FLAT = (Fraction(0), Fraction(0))

type Leg = tuple[Fraction, Fraction]


def replay(leg: Leg, trades: Iterable[tuple[Decimal, Decimal]]) -> Leg:
    """The average of what enlarges, kept by what reduces, new where the side changes."""
    quantity, entry = leg
    for signed, price in ((Fraction(s), Fraction(p)) for s, p in trades):
        after = quantity + signed
        if quantity * signed >= 0:
            entry = (quantity * entry + signed * price) / after
        elif after * quantity < 0:
            entry = price
        elif not after:
            entry = Fraction(0)
        quantity = after
    return quantity, entry


def executed(trades: Iterable[Trade]) -> list[tuple[Decimal, Decimal]]:
    return [(trade.signed, trade.price) for trade in trades]


def holding(leg: Leg) -> Holding:
    """A leg as it is printed: with as many digits as a Decimal has."""
    quantity, entry = leg
    return Holding(
        Decimal(quantity.numerator) / Decimal(quantity.denominator),
        Decimal(entry.numerator) / Decimal(entry.denominator),
    )


def after(held: Holding, opening: Holding | None, window: Sequence[Trade]) -> Leg:
    """What the node holds once the opening balance and the trades of the window are booked."""
    booked = [] if opening is None else [opening]
    start = (Fraction(held.quantity), Fraction(held.entry_price))
    return replay(start, [*booked, *executed(window)])


def is_near(one: Fraction, other: Fraction) -> bool:
    return abs(one - other) <= RELATIVE * abs(other)


def told(trades: Iterable[Trade]) -> list[Trade]:
    """Trades with what Binance says that each of them realised."""
    found: list[Trade] = []
    leg = FLAT
    for made in trades:
        quantity, entry = leg
        signed = Fraction(made.signed)
        closed = min(abs(quantity), abs(signed)) if quantity * signed < 0 else Fraction(0)
        gained = closed * (Fraction(made.price) - entry) * (1 if quantity > 0 else -1)
        pnl = Decimal(gained.numerator) / Decimal(gained.denominator)
        found.append(replace(made, realized_pnl=round(pnl, 8)))
        leg = replay(leg, executed([made]))
    return found


@st.composite
def contacts(
    draw: st.DrawFn,
    *,
    has_held: bool = False,
    ends_flat: bool = False,
    keeps_side: bool = False,
) -> tuple[list[Trade], list[Trade], list[Trade]]:
    """A history in three parts: what the node has, what is older than the window, the window.

    A leg that keeps its side has something in the first parts, and is never flat after that.
    """
    mostly = draw(st.sampled_from([("BUY", "BUY", "SELL"), ("SELL", "SELL", "BUY")]))
    drawn = st.tuples(
        st.sampled_from(mostly),
        st.integers(1, 5).map(Decimal) | st.decimals("0.001", "1000", places=3),
        st.integers(1, 9).map(Decimal) | st.decimals("0.00001", "100000", places=5),
    )
    least = (1 + has_held) if keeps_side else 0
    found = draw(st.lists(drawn, min_size=least, max_size=10))
    # All of a leg may be less than one.  What is realised has too few digits for that.
    lot = Decimal(1) if ends_flat else draw(st.sampled_from([Decimal(1), Decimal("0.001")]))
    trades = [trade(100 + n, side, lot * size, at) for n, (side, size, at) in enumerate(found)]
    first = draw(st.integers(least - 1 if keeps_side else 0, len(trades))) if has_held else 0
    if keeps_side:
        first = min(first, len(trades) - 1)
    second = draw(st.integers(first + keeps_side, len(trades)))
    if keeps_side:
        quantity = Decimal(0)
        for n, made in enumerate(trades):
            after_it = quantity + made.signed
            if first <= n < second or (after_it > 0) is not (mostly[0] == "BUY") or not after_it:
                trades[n] = made = replace(made, side=mostly[0])
            quantity += made.signed
    if ends_flat and (end := sum(made.signed for made in trades)):
        side, price = ("SELL" if end > 0 else "BUY"), draw(st.integers(1, 9))
        trades.append(trade(100 + len(trades), side, abs(end), price))
    trades = told(trades)
    return trades[:first], trades[first:second], trades[second:]


def sides(leg: Leg, window: Sequence[Trade]) -> set[int]:
    """The sides on which a leg stands before the window and after each of its trades: -1, 0, 1."""
    found = [leg[0]]
    for made in window:
        found.append(found[-1] + Fraction(made.signed))
    return {(quantity > 0) - (quantity < 0) for quantity in found}


@given(contacts(has_held=True))
def test_the_quantity_is_the_venues(
    contact: tuple[list[Trade], list[Trade], list[Trade]],
) -> None:
    had, older, window = contact
    held = holding(replay(FLAT, executed(had)))
    venue = holding(replay(FLAT, executed([*had, *older, *window])))
    balance = opening_balance(venue, held, window)

    expected = venue.quantity - held.quantity - sum((t.signed for t in window), Decimal(0))
    if not expected:
        assert balance is None
        return
    assert balance is not None
    assert balance.quantity == expected == sum(t.signed for t in older)
    assert balance.entry_price.is_finite()
    assert balance.entry_price > 0
    assert after(held, balance, window)[0] == venue.quantity


@given(contacts(keeps_side=True))
def test_a_leg_that_keeps_its_side_gets_the_venues_entry_price(
    contact: tuple[list[Trade], list[Trade], list[Trade]],
) -> None:
    _, older, window = contact
    start = replay(FLAT, executed(older))
    assert len(sides(start, window)) == 1
    venue = replay(FLAT, executed([*older, *window]))
    balance = opening_balance(holding(venue), Holding(Decimal(0), Decimal(0)), window)

    assert balance is not None
    assert is_near(Fraction(balance.entry_price), start[1])
    assert is_near(after(Holding(Decimal(0), Decimal(0)), balance, window)[1], venue[1])


@given(contacts(has_held=True, keeps_side=True))
def test_a_leg_that_was_held_gets_the_venues_entry_price_where_any_price_gives_it(
    contact: tuple[list[Trade], list[Trade], list[Trade]],
) -> None:
    """The entry price grows with that of the opening balance: the smallest one tells."""
    had, older, window = contact
    before = replay(FLAT, executed(had))
    start = replay(before, executed(older))
    added = start[0] - before[0]
    assert added * before[0] > 0
    assert len(sides(start, window)) == 1
    venue = replay(FLAT, executed([*had, *older, *window]))
    held = holding(before)
    balance = opening_balance(holding(venue), held, window)

    assert balance is not None
    least = Holding(balance.quantity, Decimal("1e-9"))
    if after(held, least, window)[1] < venue[1] * (1 - RELATIVE):
        event("a price gives it")
        assert is_near(after(held, balance, window)[1], venue[1])
    else:
        event("no price gives it")
        assert balance.entry_price == holding(venue).entry_price or is_near(
            after(held, balance, window)[1], venue[1]
        )


@given(contacts(ends_flat=True))
def test_a_leg_that_is_flat_now_was_opened_at_what_its_first_reduction_realised(
    contact: tuple[list[Trade], list[Trade], list[Trade]],
) -> None:
    _, older, window = contact
    start = replay(FLAT, executed(older))
    assume(start[0])
    closing = "SELL" if start[0] > 0 else "BUY"
    balance = opening_balance(
        Holding(Decimal(0), Decimal(0)), Holding(Decimal(0), Decimal(0)), window
    )

    assert balance is not None
    first = next(made for made in window if made.side == closing)
    # What was realised is printed with eight digits, which a small trade multiplies.
    closed = min(first.quantity, abs(balance.quantity))
    error = Fraction(1, 10**8) / Fraction(closed)
    grown = Fraction(1) + sum(
        Fraction(made.quantity) for made in window[: window.index(first)]
    ) / abs(start[0])
    assert abs(Fraction(balance.entry_price) - start[1]) <= error * grown + RELATIVE * start[1]


@given(
    st.sampled_from(["BUY", "SELL"]),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(1, 9),
    st.lists(st.integers(1, 9), min_size=2, max_size=2),
)
def test_a_leg_that_was_flat_on_the_way_has_the_venues_entry_price(
    side: Side, before: int, now: int, entry: int, prices: list[int]
) -> None:
    """Exactly flat after one trade: what opened it again says nothing of what was before."""
    other: Side = "SELL" if side == "BUY" else "BUY"
    window = [trade(100, other, before, prices[0])]
    for again in (side, other):
        reopened = [*window, trade(101, again, now, prices[1])]
        venue = Holding(reopened[1].signed, Decimal(entry))
        balance = opening_balance(venue, Holding(Decimal(0), Decimal(0)), reopened)

        assert balance == Holding(-window[0].signed, Decimal(entry))


@given(
    st.sampled_from(["BUY", "SELL"]),
    st.integers(1, 5),
    st.lists(st.integers(1, 9), min_size=2, max_size=2, unique=True),
)
def test_what_is_held_of_a_leg_that_had_none_goes_at_the_price_of_its_first_trade(
    side: Side, quantity: int, prices: list[int]
) -> None:
    """Before the window the venue had nothing, which no trade reduces."""
    other: Side = "SELL" if side == "BUY" else "BUY"
    window = [trade(100, side, quantity, prices[0]), trade(101, other, quantity, prices[1])]
    for held in (Decimal(quantity), Decimal(-quantity)):
        balance = opening_balance(
            Holding(Decimal(0), Decimal(0)), Holding(held, Decimal(7)), window
        )

        assert balance == Holding(-held, Decimal(prices[0]))


@given(st.integers(-5, 5).filter(bool).map(Decimal), st.integers(1, 9).map(Decimal))
def test_a_leg_that_cost_nothing_more_has_the_venues_entry_price(
    quantity: Decimal, price: Decimal
) -> None:
    """Twice of what is held at half its price: the rest would have been for nothing."""
    balance = opening_balance(Holding(quantity * 2, price / 2), Holding(quantity, price), [])

    assert balance == Holding(quantity, price / 2)


@given(contacts(has_held=True), st.data())
def test_whatever_is_said_the_price_is_positive_and_the_quantity_what_is_missing(
    contact: tuple[list[Trade], list[Trade], list[Trade]], data: st.DataObject
) -> None:
    """Facts that do not belong together: a torn read, a venue that rounds or says nonsense."""
    had, _, window = contact
    held = holding(replay(FLAT, executed(had)))
    quantity = data.draw(st.just(Decimal(0)) | st.decimals("-1000", "1000", places=3))
    entry = data.draw(st.decimals("0", "100000", places=2))
    if quantity:
        assume(entry)
    nonsense = st.none() | st.decimals("-1e9", "1e9", places=8)
    window = [replace(made, realized_pnl=data.draw(nonsense)) for made in window]
    balance = opening_balance(Holding(quantity, entry), held, window)

    missing = quantity - held.quantity - sum((t.signed for t in window), Decimal(0))
    assert (balance is None) is (not missing)
    if balance is not None:
        assert balance.quantity == missing
        assert balance.entry_price.is_finite()
        assert balance.entry_price > 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("LONG", "SHORT")), st.sampled_from(("BUY", "SELL")), st.integers(1, 3)
        ),
        max_size=6,
    )
)
def test_legs_are_as_they_were_where_as_much_was_bought_as_sold_of_each(
    made: list[tuple[Any, Any, int]],
) -> None:
    trades = [
        trade(number, side, quantity, position_side=leg)
        for number, (leg, side, quantity) in enumerate(made)
    ]
    bought, sold = (
        {
            leg: sum(quantity for its, way, quantity in made if (its, way) == (leg, side))
            for leg in ("LONG", "SHORT")
        }
        for side in ("BUY", "SELL")
    )
    assert leave_all_as_it_was(trades) == (bought == sold)
