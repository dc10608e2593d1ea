"""Bugs in reading: what is taken for an answer, and how far is read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from recon.core.facts import Positions, Trade, VenueOrder
from recon.core.orders import Bounds
from recon.core.port import ReadError
from sim.scenario.actions import FailRequest
from sim.selftest.planted.base import Planted, Sound, put, replace

ROWS = 2
"""How long pages are: a story has too few fills for two of a thousand rows."""

OUTAGE_NS = 90_000_000_000
"""How long reads of one kind fail: longer than the longest interval between comparisons."""


class SmallPages(Sound):
    """`recon`, sound, that asks for pages of two rows."""

    name = "recon-small-pages"

    def on_account(self, account: Any) -> None:
        put(account.venue.reader, "_page_limit", ROWS)


def _outage(path: str) -> FailRequest:
    """Return the fault by which a path of the venue cannot be read for a while."""
    return FailRequest(path=path, client=Sound.name, status=503, for_ns=OUTAGE_NS)


class WithoutPositions(Sound):
    """`recon`, sound, while /fapi/v3/positionRisk fails."""

    name = "recon-without-positionRisk"
    trouble = _outage("/fapi/v3/positionRisk")


class FailedPositionsAreFlat(Planted):
    """A read of positions that fails says that all legs are flat."""

    name = "failed-positions-are-flat"
    breaks = ("position-mismatch", "phantom-fill", "alert-false")
    within = 30
    features = ("kills",)
    control = WithoutPositions
    trouble = WithoutPositions.trouble

    def on_account(self, account: Any) -> None:
        def make(read: Any) -> Any:
            async def positions() -> Positions:
                try:
                    found: Positions = await read()
                except ReadError:
                    return Positions(self.now_ns(), {})
                return found

            return positions

        replace(account.venue.reader, "positions", make)


class WithoutOrders(Sound):
    """`recon`, sound, while /fapi/v1/order fails."""

    name = "recon-without-order"
    trouble = _outage("/fapi/v1/order")


class FailedOrderIsNone(Planted):
    """A read of one order that fails says that the venue does not have it."""

    name = "failed-order-is-none"
    breaks = ("false-terminal", "order-mismatch", "alert-false")
    within = 80
    features = ("requests", "silence")
    control = WithoutOrders
    trouble = WithoutOrders.trouble

    def on_account(self, account: Any) -> None:
        def make(read: Any) -> Any:
            async def order(symbol: str, **ids: str | None) -> VenueOrder | None:
                try:
                    found: VenueOrder | None = await read(symbol, **ids)
                except ReadError:
                    return None
                return found

            return order

        replace(account.venue.reader, "order", make)


class FirstPageOnly(Planted):
    """A page of trades is taken for all of them."""

    name = "first-page-only"
    breaks = ("fill-lost", "phantom-fill", "alert-missing")
    within = 70
    features = ("kills",)
    control = SmallPages

    def on_account(self, account: Any) -> None:
        put(account.venue.reader, "_page_limit", ROWS)

        def make(read: Any) -> Any:
            async def pages(symbol: str, since: int) -> AsyncGenerator[list[Trade]]:
                async with aclosing(read(symbol, since)) as all_:
                    async for page in all_:
                        yield page
                        return

            return pages

        replace(account.venue.reader, "trades_from", make)


class SkipsARowBetweenPages(Planted):
    """The last row of a full page is left to the next page, which begins after it."""

    name = "skips-a-row-between-pages"
    breaks = ("fill-lost", "phantom-fill")
    within = 70
    features = ("kills",)
    control = SmallPages

    def on_account(self, account: Any) -> None:
        put(account.venue.reader, "_page_limit", ROWS)

        def make(read: Any) -> Any:
            async def pages(symbol: str, since: int) -> AsyncGenerator[list[Trade]]:
                is_first = True
                async with aclosing(read(symbol, since)) as all_:
                    async for page in all_:
                        yield page[:-1] if is_first and len(page) == ROWS else page
                        is_first = False

            return pages

        replace(account.venue.reader, "trades_from", make)


class NoConditionalOrders(Planted):
    """Conditional orders are not asked for, neither all nor one."""

    name = "no-conditional-orders"
    breaks = ("order-mismatch", "alert-missing", "alert-false")
    within = 20
    features = ("conditional", "kills")

    def on_account(self, account: Any) -> None:
        async def none(*_: Any) -> None:
            return None

        def make(read: Any) -> Any:
            async def get(path: str, *args: Any, **kwargs: Any) -> Any:
                if path == "/fapi/v1/openAlgoOrders":
                    return self.now_ns(), []
                return await read(path, *args, **kwargs)

            return get

        put(account.venue.reader, "_conditional_order", none)
        replace(account.venue.reader._http, "get", make)


class NoHistory(Planted):
    """On first contact history begins with the process, and not a lookback before it."""

    name = "no-history"
    breaks = ("fill-lost", "phantom-fill", "position-mismatch")
    within = 70
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        put(account._collector, "_lookback_ns", 0)


class NoReadIsBehind(Planted):
    """No read is taken to be behind the truth: the settle time is zero."""

    name = "no-read-is-behind"
    breaks = ("fill-lost", "order-mismatch", "false-terminal")
    within = 160
    features = ("reads", "silence")

    def on_account(self, account: Any) -> None:
        put(account.venue, "bounds", Bounds(account.venue.bounds.receive_window_ns, 0))
        put(account.legs, "_read_lag_ns", 0)


PLANTED: tuple[type[Planted], ...] = (
    FailedPositionsAreFlat,
    FailedOrderIsNone,
    FirstPageOnly,
    SkipsARowBetweenPages,
    NoConditionalOrders,
    NoHistory,
    NoReadIsBehind,
)
