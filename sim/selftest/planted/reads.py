"""Bugs in reading: what is taken for an answer, and how far is read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from recon.core.facts import OpenOrders, Positions, Trade, VenueOrder
from recon.core.orders import Bounds
from recon.core.port import ReadError
from sim.selftest.planted.base import Instead, Planted, Sound, put, replace

ROWS = 2
"""The shortest page that `recon` takes: a story has too few fills for more than one of a thousand."""


class SmallPages(Sound):
    """`recon`, sound, that asks for pages of two rows."""

    name = "recon-small-pages"

    def on_account(self, account: Any) -> None:
        put(account.venue.reader, "_page_limit", ROWS)


class FailedPositionsAreFlat(Planted):
    """A read of positions that fails says that all legs are flat."""

    name = "failed-positions-are-flat"
    breaks = ("position-mismatch", "phantom-fill", "alert-false")
    within = 400

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


class FailedTradesAreNone(Planted):
    """A read of trades that fails says that there are none, or no more."""

    name = "failed-trades-are-none"
    breaks = ("fill-lost",)
    within = 400

    def on_account(self, account: Any) -> None:
        def make(read: Any) -> Any:
            async def pages(symbol: str, since: int) -> AsyncGenerator[list[Trade]]:
                try:
                    async for page in read(symbol, since):
                        yield page
                except ReadError:
                    return

            return pages

        for name in ("trades_since", "trades_from"):
            replace(account.venue.reader, name, make)


class FailedOpenOrdersAreNone(Planted):
    """A read of open orders that fails says that none are open."""

    name = "failed-open-orders-are-none"
    breaks = ("order-mismatch", "alert-missing")
    within = 400

    def on_account(self, account: Any) -> None:
        def make(read: Any) -> Any:
            async def open_orders() -> OpenOrders:
                try:
                    found: OpenOrders = await read()
                except ReadError:
                    return OpenOrders(self.now_ns(), {})
                return found

            return open_orders

        replace(account.venue.reader, "open_orders", make)


class FailedOrderIsNone(Planted):
    """A read of one order that fails says that the venue does not have it."""

    name = "failed-order-is-none"
    breaks = ("false-terminal",)
    within = 400

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
    """Of the trades of a symbol only the first page is read."""

    name = "first-page-only"
    breaks = ("fill-lost",)
    within = 400
    control = SmallPages

    def on_account(self, account: Any) -> None:
        put(account.venue.reader, "_page_limit", ROWS)

        def make(read: Any) -> Any:
            async def pages(symbol: str, since: int) -> AsyncGenerator[list[Trade]]:
                async for page in read(symbol, since):
                    yield page
                    return

            return pages

        for name in ("trades_since", "trades_from"):
            replace(account.venue.reader, name, make)


class SkipsARowBetweenPages(Planted):
    """The next page of trades begins two ids after the end of the last one."""

    name = "skips-a-row-between-pages"
    breaks = ("fill-lost",)
    within = 400
    control = SmallPages

    def on_account(self, account: Any) -> None:
        put(account.venue.reader, "_page_limit", ROWS)

        def make(read: Any) -> Any:
            async def pages(symbol: str, since: int) -> AsyncGenerator[list[Trade]]:
                first = True
                async for page in read(symbol, since):
                    fresh = page if first else page[1:]
                    first = False
                    if fresh:
                        yield fresh

            return pages

        for name in ("trades_since", "trades_from"):
            replace(account.venue.reader, name, make)


class NoConditionalOrders(Planted):
    """Conditional orders are not asked for, neither all nor one."""

    name = "no-conditional-orders"
    breaks = ("order-mismatch", "false-terminal", "alert-false")
    within = 400

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


class FlatSymbolsAreNotRead(Planted):
    """Income is not asked for, so that a symbol that is flat again stays unknown."""

    name = "flat-symbols-are-not-read"
    breaks = ("fill-lost",)
    within = 400

    def on_account(self, account: Any) -> None:
        async def last_traded_ns(_start_ns: int, _end_ns: int) -> dict[str, int]:
            return {}

        put(account.venue.reader, "last_traded_ns", last_traded_ns)


class NoHistory(Planted):
    """On first contact history begins with the process, and not a lookback before it."""

    name = "no-history"
    breaks = ("fill-lost", "phantom-fill", "position-mismatch")
    within = 400

    def on_account(self, account: Any) -> None:
        put(account._collector, "_lookback_ns", 0)


class CursorDoesNotTrail(Planted):
    """The cursor goes to the last trade that is shown, however young it is."""

    name = "cursor-does-not-trail"
    breaks = ("fill-lost",)
    within = 400

    def on_account(self, account: Any) -> None:
        bounds = Bounds(account.venue.bounds.receive_window_ns, 0)
        put(account._collector, "_venue", Instead(account.venue, bounds=bounds))


class NoReadIsBehind(Planted):
    """No read is taken to be behind the truth: the settle time is zero."""

    name = "no-read-is-behind"
    breaks = ("fill-lost", "false-terminal", "alert-false")
    within = 400

    def on_account(self, account: Any) -> None:
        put(account.venue, "bounds", Bounds(account.venue.bounds.receive_window_ns, 0))
        put(account.legs, "_read_lag_ns", 0)
