"""What Hypothesis draws for the reconciliation's core: ids, trades, and stories of orders."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import strategies as st

from recon.core.facts import FillKey, Side, Trade

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS
LAG_NS = 60 * SECOND_NS

SIDES: tuple[Side, ...] = ("BUY", "SELL")

words = st.text(st.characters(codec="utf-8"), max_size=12)

odd_ids = st.one_of(
    st.sampled_from(["", "0", "00", "007", "-7", "+7", " 7", "7 ", "1_000", "²", "٣", "1e3"]),
    st.integers(0, 10**40).map(str),
    st.integers(2**63 - 2, 2**64 + 2).map(str),
    words,
)
"""Ids as no venue should give them: no numbers, odd numbers, far too large ones."""

ids = st.one_of(st.integers(0, 10**12).map(str), odd_ids)

sequences = st.one_of(st.integers(0, 40), st.integers(0, 2**62))


@st.composite
def fills(
    draw: st.DrawFn, symbol: str = "BTCUSDT", max_size: int = 10
) -> list[tuple[FillKey, int]]:
    """Fills of one symbol, by key: often of one sequence, or both sides of one trade."""
    drawn = st.tuples(ids, ids | st.none(), st.sampled_from(SIDES), sequences, st.booleans())
    found: dict[FillKey, int] = {}
    for order_id, trade_id, side, sequence, has_both in draw(st.lists(drawn, max_size=max_size)):
        for one in SIDES if has_both else (side,):
            key = FillKey(symbol, order_id, str(sequence) if trade_id is None else trade_id, one)
            found.setdefault(key, sequence)
    return list(found.items())


def trade(
    sequence: int,
    side: Side = "BUY",
    quantity: str | int | Decimal = 1,
    price: str | int | Decimal = 50_000,
    *,
    symbol: str = "BTCUSDT",
    order_id: str = "1",
    time_ns: int = START_NS,
    position_side: str = "BOTH",
    realized_pnl: Decimal | None = None,
) -> Trade:
    """Return a trade that differs from others in what is said of it."""
    return Trade(
        symbol=symbol,
        order_id=order_id,
        trade_id=str(sequence),
        sequence=sequence,
        side=side,
        position_side=position_side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        commission=Decimal(0),
        commission_asset="USDT",
        is_maker=False,
        time_ns=time_ns,
        realized_pnl=realized_pnl,
    )


def orderings[T](items: Sequence[T]) -> st.SearchStrategy[list[T]]:
    """All of some items in any order, some of them more than once."""
    repeated = st.lists(st.sampled_from(items), max_size=5) if items else st.just([])
    return repeated.flatmap(lambda again: st.permutations([*items, *again]))
