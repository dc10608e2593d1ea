"""What Hypothesis draws for the reconciliation's core: ids, trades, and stories of orders."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from recon.core.facts import ZERO, FillKey, Side, Trade, VenueOrder
from recon.core.orders import (
    ROUNDING_NS,
    Accept,
    Bounds,
    End,
    Fill,
    LocalOrder,
    Refuse,
    Step,
    Update,
)

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


# -- an order, at the venue and in the node -------------------------------------------------

STATES = """
INITIALIZED: DENIED EMULATED RELEASED SUBMITTED REJECTED ACCEPTED CANCELED EXPIRED TRIGGERED
EMULATED: CANCELED EXPIRED RELEASED
RELEASED: DENIED SUBMITTED CANCELED
SUBMITTED: PENDING_UPDATE PENDING_CANCEL REJECTED CANCELED ACCEPTED PARTIALLY_FILLED FILLED
ACCEPTED: REJECTED PENDING_UPDATE PENDING_CANCEL CANCELED TRIGGERED EXPIRED PARTIALLY_FILLED FILLED
CANCELED: PARTIALLY_FILLED FILLED
PENDING_UPDATE: REJECTED ACCEPTED CANCELED EXPIRED TRIGGERED SUBMITTED PENDING_UPDATE
PENDING_UPDATE: PENDING_CANCEL PARTIALLY_FILLED FILLED
PENDING_CANCEL: REJECTED PENDING_CANCEL CANCELED EXPIRED ACCEPTED PARTIALLY_FILLED FILLED
TRIGGERED: REJECTED PENDING_UPDATE PENDING_CANCEL CANCELED EXPIRED PARTIALLY_FILLED FILLED
PARTIALLY_FILLED: PENDING_UPDATE PENDING_CANCEL CANCELED EXPIRED PARTIALLY_FILLED FILLED
"""
"""Which state of an order may follow which in NautilusTrader."""

MAY_FOLLOW = frozenset(
    (state, following)
    for line in STATES.strip().splitlines()
    for state, _, others in [line.partition(": ")]
    for following in others.split()
)

PENDING = ("PENDING_CANCEL", "PENDING_UPDATE")
STANDING = ("ACCEPTED", "TRIGGERED")
ENDED = ("CANCELED", "REJECTED", "EXPIRED", "DENIED")

BOUNDS = Bounds(receive_window_ns=5 * SECOND_NS, read_lag_ns=LAG_NS)


class Violation(AssertionError):
    """Something that NautilusTrader's order would not take."""


class NodeOrder:
    """An order as NautilusTrader keeps it: its state machine, quantities and ids.

    ``previous`` is the state that it returns to when a request that is pending is refused.
    """

    def __init__(self, local: LocalOrder, previous: str) -> None:
        self.local = local
        self.previous = previous
        self.applied: list[Trade] = []

    def carry_out(self, step: Step, order_id: str, now_ns: int) -> None:
        """Do what follows as the events do that are made of it."""
        local = self.local
        match step:
            case Accept():
                self._become("ACCEPTED", now_ns, venue_order_id=order_id)
            case Update():
                status = self.previous if local.status == "PENDING_UPDATE" else local.status
                if status != local.status:
                    self._become(status, now_ns)
                self.local = replace(
                    self.local,
                    venue_order_id=local.venue_order_id and order_id,
                    quantity=step.quantity,
                    price=step.price,
                    trigger_price=step.trigger_price,
                    changed_ns=now_ns,
                )
            case Fill():
                filled = local.filled + step.trade.quantity
                if filled > local.quantity:
                    raise Violation(f"{filled} of {local.quantity} would be filled")
                if step.trade in self.applied:
                    raise Violation(f"{step.trade.key} is applied already")
                self.applied.append(step.trade)
                self._become(
                    "PARTIALLY_FILLED" if filled < local.quantity else "FILLED",
                    now_ns,
                    filled=filled,
                    venue_order_id=order_id,
                )
            case End():
                self._become(step.status, now_ns)
            case Refuse():
                if local.status not in ("PENDING_CANCEL", "PENDING_UPDATE"):
                    raise Violation("there is no request to refuse")
                self._become(self.previous, now_ns)
            case _:
                raise Violation(f"{step} is none of this order's")

    def _become(self, status: str, now_ns: int, **changes: Any) -> None:
        before = self.local.status
        if (before, status) not in MAY_FOLLOW:
            raise Violation(f"{before} cannot become {status}")
        # Back to SUBMITTED is a way of saying that the request is still pending.
        if (before, status) == ("PENDING_UPDATE", "SUBMITTED"):
            status = before
        if not before.startswith("PENDING"):
            self.previous = before
        self.local = replace(self.local, status=status, changed_ns=now_ns, **changes)


class Story(msgspec.Struct, frozen=True):
    """One order, as the venue showed it when asked, and as the node holds it.

    ``lacking`` are those trades that were read and that the node lacks, and ``now_ns`` is
    when all was read.  ``previous`` is the state before the node's request that is pending.
    """

    local: LocalOrder
    previous: str
    venue: VenueOrder
    lacking: tuple[Trade, ...]
    now_ns: int

    @property
    def gained(self) -> Decimal:
        return sum((made.quantity for made in self.lacking), ZERO)

    @property
    def is_complete(self) -> bool:
        """Whether the trades that are known add up to what the venue has executed."""
        return self.local.filled + self.local.prior + self.gained >= self.venue.filled

    @property
    def is_late(self) -> bool:
        """Whether the node knew something newer than what the venue showed."""
        return (
            self.local.changed_ns > self.venue.asked_ns
            or self.venue.updated_ns < self.local.told_ns - ROUNDING_NS
        )


@st.composite
def stories(draw: st.DrawFn, *, is_late: bool = False) -> Story:
    """Any state of the node beside any state of the venue that can stand beside it.

    Trades are one lot each.  The node has some of the first ones and, if it saw them, some
    of the later ones; a venue that shows an order open may be behind with what it executed.
    """
    made = draw(st.integers(0, 4))
    total = draw(st.integers(max(made, 1), 5))
    seconds = st.integers(0, 200).map(lambda secs: START_NS + secs * SECOND_NS)
    trades = [
        trade(100 + n, quantity=1, time_ns=START_NS + (10 + n) * SECOND_NS) for n in range(made)
    ]
    prior = draw(st.integers(0, made)) if draw(st.booleans()) else 0
    has = [draw(st.booleans()) for _ in trades[prior:]]
    held = [one for one, is_held in zip(trades[prior:], has, strict=True) if is_held]
    lacks = [one for one, is_held in zip(trades[prior:], has, strict=True) if not is_held]
    served = draw(st.just(len(lacks)) | st.integers(0, len(lacks)))
    shown = made
    if is_late or draw(st.booleans()):
        shown = min(draw(st.just(made) | st.integers(0, made)), total - 1)
        status = "PARTIALLY_FILLED" if shown else "NEW"
    elif made == total:
        status = "FILLED"
    else:
        status = draw(st.sampled_from(["CANCELED", "EXPIRED", *([] if made else ["REJECTED"])]))
    updated_ns = draw(seconds)
    venue = VenueOrder(
        symbol="BTCUSDT",
        order_id="1",
        client_order_id="O-1",
        side="BUY",
        position_side="BOTH",
        type="LIMIT",
        time_in_force="GTC",
        status=status,
        quantity=Decimal(total),
        filled=Decimal(shown),
        price=Decimal(50_000),
        average_price=None,
        reduce_only=False,
        created_ns=START_NS,
        updated_ns=updated_ns,
        asked_ns=draw(seconds.filter(lambda ns: ns >= updated_ns)),
    )
    # What the node thinks of its terms may be older than what the venue made of them.
    quantity = draw(st.just(total) | st.integers(max(len(held), 1), total + 2))
    if held and len(held) >= quantity:
        state, previous = "FILLED", "ACCEPTED"
    elif held:
        state = draw(st.sampled_from(["PARTIALLY_FILLED", *PENDING, "CANCELED", "EXPIRED"]))
        previous = "PARTIALLY_FILLED"
    else:
        state = draw(st.sampled_from(["INITIALIZED", "SUBMITTED", *STANDING, *PENDING, *ENDED]))
        previous = draw(st.sampled_from(["SUBMITTED", "ACCEPTED"]))
    has_id = bool(held or prior) or state in (*STANDING, "EXPIRED", "CANCELED")
    if state in PENDING:
        has_id = has_id or previous != "SUBMITTED"
    if has_id and previous == "SUBMITTED":
        previous = "ACCEPTED"
    if prior and not held and state in ("INITIALIZED", "SUBMITTED", "DENIED", "REJECTED"):
        state = "ACCEPTED"
    local = LocalOrder(
        client_order_id="O-1",
        venue_order_id="1" if has_id else None,
        symbol="BTCUSDT",
        side="BUY",
        status=state,
        quantity=Decimal(quantity),
        filled=Decimal(len(held)),
        price=Decimal(draw(st.sampled_from([50_000, 50_000, 49_000]))),
        is_conditional=False,
        changed_ns=venue.asked_ns + 1 if is_late and draw(st.booleans()) else draw(seconds),
        told_ns=draw(st.just(0) | seconds) if has_id else 0,
        requested_ns=draw(seconds),
        prior=Decimal(prior),
    )
    if is_late and local.changed_ns <= venue.asked_ns:
        local = replace(local, told_ns=updated_ns + SECOND_NS)
    return Story(
        local,
        previous,
        venue,
        tuple(lacks[:served]),
        max(venue.asked_ns, local.changed_ns) + draw(st.integers(0, 5)) * SECOND_NS,
    )
