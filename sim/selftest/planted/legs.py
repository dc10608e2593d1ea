"""Bugs in positions: opening balances, hedge legs, and when a leg is judged."""

from __future__ import annotations

from typing import Any

from recon.core.facts import Leg, Positions
from recon.core.opening import Holding
from sim.selftest.planted.base import Planted, Sound, put, replace


class ShortLookback(Sound):
    """`recon`, sound, that looks back a minute when it starts without a ledger."""

    name = "recon-short-lookback"
    lookback_mins = 1


class OpensAtAPriceOfOne(Planted):
    """An opening balance is booked at a price of one."""

    name = "opens-at-a-price-of-one"
    breaks = ("position-mismatch",)
    within = 110
    features = ("kills", "by-hand")
    control = ShortLookback
    lookback_mins = 1

    def on_account(self, account: Any) -> None:
        def make(book: Any) -> Any:
            def booked(leg: Leg, balance: Holding, *args: Any) -> None:
                book(leg, balance._replace(entry_price=balance.quantity / balance.quantity), *args)

            return booked

        replace(account.legs._balances, "book_unexplained", make)


class OpensNothing(Planted):
    """On first contact a leg that is older than the history is left out."""

    name = "opens-nothing"
    breaks = ("position-mismatch", "alert-missing")
    within = 200
    features = ("kills", "by-hand")
    control = ShortLookback
    lookback_mins = 1

    def on_account(self, account: Any) -> None:
        def settle_it(leg: Leg, *_: Any) -> None:
            account.ledger.book(leg.symbol).settle(leg.position_side, self.now_ns())

        put(account.legs, "_open", settle_it)


class MergesHedgeLegs(Planted):
    """Fills of both legs that a read has shown are booked on one position."""

    name = "merges-hedge-legs"
    breaks = ("position-mismatch", "alert-false")
    within = 180
    features = ("kills", "silence")

    def on_account(self, account: Any) -> None:
        def make(position_id: Any) -> Any:
            return lambda instrument_id, _side: position_id(instrument_id, "BOTH")

        replace(account.venue, "position_id", make)


class NetsHedgeLegs(Planted):
    """Of two legs of a symbol the last one that was read stands for both."""

    name = "nets-hedge-legs"
    breaks = ("alert-false", "phantom-fill", "position-mismatch")
    within = 150
    features = ("kills", "silence")

    def on_account(self, account: Any) -> None:
        def make(read: Any) -> Any:
            async def positions() -> Positions:
                found: Positions = await read()
                last = {leg.symbol: leg for leg in found.legs}
                kept = {leg: at for leg, at in found.legs.items() if last[leg.symbol] == leg}
                return Positions(found.asked_ns, kept)

            return positions

        replace(account.venue.reader, "positions", make)


PLANTED: tuple[type[Planted], ...] = (
    OpensAtAPriceOfOne,
    OpensNothing,
    MergesHedgeLegs,
    NetsHedgeLegs,
)
