"""Paging through what Binance keeps of trades, orders and income, without gaps.

Rules:

* By id a page is the last one when it tells nothing new: when it has nothing, or nothing but the
  id from which the reading began, where the one before had ended.  One that is short of rows is
  no end yet: the venue may have lowered what it gives at once, or broken off.
* By id: ``fromId`` and ``orderId`` mean "from that id on", oldest first.  Of a self-trade both
  sides have one id, so a page of trades begins with the id that ended the one before; what is
  there twice is dropped.
  What is there from before the id that was asked for is passed over: it ended the page before.
  It takes the place of another row, so that such a page without news is no end yet.
* By time: windows of less than seven days, which is the longest that the venue serves.  Whether
  a window with more rows than fit shows the oldest or the newest is not documented, and how many
  fit may be less than was asked for: a window says only that its first row is not before the
  first in truth.  That it is the first is known when nothing shows before it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence

from recon.binance.rows import MS_NS, IncomeRow
from recon.core.facts import FillKey, Trade, VenueOrder
from recon.core.port import ReadError

DAY_MS = 86_400_000
WINDOW_MS = 7 * DAY_MS - 1
"""From the first to the last millisecond of a window."""

CLOCK_SLACK_MS = 60_000
"""How far the venue's clock may be ahead of ours without our knowing."""

type TradesFrom = Callable[[int], Awaitable[Sequence[Trade]]]
"""Asks for the page of trades from an id on."""

type TradesBetween = Callable[[int, int], Awaitable[Sequence[Trade]]]
"""Asks for the page of trades of a window: first and last millisecond."""

type OrdersFrom = Callable[[int], Awaitable[Sequence[VenueOrder]]]
"""Asks for the page of orders from an id on."""

type IncomeBetween = Callable[[int, int, int | None], Awaitable[Sequence[IncomeRow]]]
"""Asks for rows of income: first and last millisecond, and the number of the page or None."""


def windows(start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last milliseconds of windows that cover a time, oldest first."""
    while start_ms <= end_ms:
        yield start_ms, min(start_ms + WINDOW_MS, end_ms)
        start_ms += WINDOW_MS + 1


async def trades_from(ask: TradesFrom, trade_id: int) -> AsyncGenerator[Sequence[Trade]]:
    """Yield all trades from an id on, once each, in pages."""
    begin = last = trade_id
    known: frozenset[FillKey] = frozenset()
    while True:
        page = await ask(trade_id)
        fresh = [
            t for t in page if t.sequence > last or (t.sequence == last and t.key not in known)
        ]
        begins_before = bool(page) and page[0].sequence < trade_id
        if fresh:
            yield fresh
            if fresh[-1].sequence > last:
                known = frozenset()
            last = fresh[-1].sequence
            known |= {t.key for t in fresh if t.sequence == last}
            if begins_before or last > trade_id:
                trade_id = last
            elif last == begin:
                return  # most often: nothing has been traded since the last reading
            else:
                # A page of one id: there are two sides at most, so it holds them all.
                trade_id = last + 1
        elif begins_before and trade_id == last:
            trade_id = last + 1  # no row may have had a place behind those two
        else:
            return


async def orders_from(ask: OrdersFrom, order_id: int) -> list[VenueOrder]:
    """Return all orders from an id on, oldest first."""
    found: list[VenueOrder] = []
    while True:
        page = await ask(order_id)
        found += page
        if not page:
            return found
        order_id = int(page[-1].order_id) + 1


async def first_trade_id(
    between: TradesBetween,
    from_id: TradesFrom,
    start_ms: int,
    now_ms: Callable[[], int],
    page_limit: int,
) -> int | None:
    """Return the id of the first trade from an instant on, None when there is none by now.

    Looks through windows until one has a trade, and then before that trade.  If there are others,
    or the window is full, the first is looked for by halving; the first look goes up to the first
    row that was shown, which settles it on a venue that shows the oldest.  ``now_ms`` is asked
    after each window: how far the venue's clock is ahead may be known only then.
    """
    first_ms = start_ms
    while True:
        page = await between(first_ms, first_ms + WINDOW_MS)
        first = _first_since(page, first_ms)
        if first is not None:
            if len(page) < page_limit and await _is_first(between, first_ms, first):
                return first.sequence
            limit = min(len(page), page_limit)
            return await _first_of_many(between, from_id, first_ms, first, limit)
        first_ms += WINDOW_MS + 1
        if first_ms > now_ms() + CLOCK_SLACK_MS:
            return None


async def _is_first(between: TradesBetween, start_ms: int, known: Trade) -> bool:
    """Whether no trade shows between an instant and the millisecond of a known one."""
    before_ms = known.time_ns // MS_NS - 1
    if before_ms < start_ms:
        return True
    return _first_since(await between(start_ms, before_ms), start_ms) is None


async def _first_of_many(
    between: TradesBetween, from_id: TradesFrom, low_ms: int, known: Trade, page_limit: int
) -> int:
    """Return the id of the first trade from ``low_ms`` on; ``known`` is one of them."""
    middle_ms = known.time_ns // MS_NS
    while True:
        page = await between(low_ms, middle_ms)
        first = _first_since(page, low_ms)
        if first is not None and len(page) < page_limit:
            return first.sequence
        if first is not None:
            known = min(known, first, key=_sequence)
            if low_ms == middle_ms:
                return await _first_by_id(from_id, low_ms, known.sequence)
        else:
            low_ms = middle_ms + 1
        if low_ms > known.time_ns // MS_NS:
            raise ReadError(
                f"trades of {known.symbol}", f"trade {known.trade_id} was shown and then was not"
            )
        middle_ms = (low_ms + known.time_ns // MS_NS) // 2


async def _first_by_id(from_id: TradesFrom, start_ms: int, known_id: int) -> int:
    """Return the id of the first trade from ``start_ms`` on, between 0 and a known one.

    For a millisecond with more trades than fit on a page, where time cannot tell them apart.
    """
    low_id = 0
    while low_id < known_id:
        middle_id = (low_id + known_id) // 2
        page = [t for t in await from_id(middle_id) if t.sequence >= middle_id]
        inside = next((t for t in page if t.time_ns >= start_ms * MS_NS), None)
        if inside is not None and inside is not page[0]:
            return inside.sequence
        if inside is not None:
            # All ids from the middle on are inside: the first is there or before it.
            known_id = min(known_id, middle_id)
        else:
            low_id = page[-1].sequence + 1 if page else middle_id + 1
    return known_id


def _first_since(page: Sequence[Trade], start_ms: int) -> Trade | None:
    """Return the first row of a page that is of the time asked for."""
    return next((t for t in page if t.time_ns // MS_NS >= start_ms), None)


def _sequence(trade: Trade) -> int:
    return trade.sequence


async def last_traded_ns(
    ask: IncomeBetween, start_ms: int, end_ms: int, page_limit: int
) -> dict[str, int]:
    """Return when each symbol was last traded, by the income of a time in milliseconds.

    The next page begins with the millisecond that ended the last one: there is no cursor, and
    the number of a page shifts when a row appears late.  Only a millisecond that fills a whole
    page is read by page numbers.
    """
    found: dict[str, int] = {}
    for first_ms, last_ms in windows(start_ms, end_ms):
        begin_ms = first_ms
        while begin_ms <= last_ms:
            rows = await ask(begin_ms, last_ms, None)
            _note(found, rows)
            if len(rows) < page_limit:
                break
            newest_ms = max(row.time for row in rows)
            if newest_ms > begin_ms:
                begin_ms = newest_ms
                continue
            number = 1
            while len(rows) >= page_limit:
                rows = await ask(begin_ms, begin_ms, number)
                _note(found, rows)
                number += 1
            begin_ms += 1
    return found


def _note(found: dict[str, int], rows: Sequence[IncomeRow]) -> None:
    for row in rows:
        at_ns = row.time * MS_NS
        if row.symbol and row.is_of_a_trade and at_ns > found.get(row.symbol, -1):
            found[row.symbol] = at_ns
