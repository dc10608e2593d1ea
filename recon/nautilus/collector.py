"""Reads what a reconciliation needs of one symbol: its trades, and orders.

What is read is compared with the node only so far as to know what else has to be asked.
Nothing is changed here but the ledger, which learns of fills that the node had loaded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import structs
from nautilus_trader.model.orders import Order

from recon.core.facts import ZERO, OpenOrders, Trade, VenueOrder
from recon.core.ledger import Ledger
from recon.core.opening import leave_all_as_it_was
from recon.nautilus.book import Book
from recon.nautilus.venue import Venue

FORGETS_AFTER_NS = 24 * 60 * 60 * 1_000_000_000
"""How old a trade is at least that the venue serves no more."""

FEW = 5
"""Up to how many orders of a symbol are asked for one by one, and not by the page."""


class TradesRead(msgspec.Struct):
    """The trades of one symbol that the node lacks, from one complete read.

    ``calm_ns`` is when the youngest trade was made that no read can hide any more, and
    ``cursor`` where the next read may begin, if all of these are applied; None when there
    is no such trade.  ``is_behind`` says that the account's income tells of a trade that is
    younger than all that were shown.
    """

    calm_ns: int
    lacking: list[Trade] = []
    cursor: int | None = None
    is_behind: bool = False


class OrdersRead(msgspec.Struct):
    """Orders of one symbol; ``absent`` are those of the node that the venue does not have."""

    orders: dict[str, VenueOrder]
    absent: list[tuple[Order, int]]


class Collector:
    """Reads the symbols of one account.

    ``unsent`` are orders that were loaded without a word about whether they were sent.  Without
    a ledger history is read from a lookback ago, or from what the orders that were loaded tell of
    last, at most ``longest_ns`` ago.
    """

    def __init__(
        self,
        venue: Venue,
        book: Book,
        ledger: Ledger,
        now_ns: Callable[[], int],
        lookback_ns: int,
        longest_ns: int,
        unsent: Sequence[Order],
    ) -> None:
        self.unsent = unsent
        self._venue = venue
        self._book = book
        self._ledger = ledger
        self._now_ns = now_ns
        self._lookback_ns = lookback_ns
        self._longest_ns = longest_ns
        # An order that was loaded without a ledger tells of a past that was not dealt with whole.
        self._told_ns = book.told_ns()

    def since_ns(self, began_ns: int) -> int:
        """Return from when on trades are asked for where there is no cursor."""
        if self._ledger.complete_until_ns:
            return self._ledger.complete_until_ns
        since_ns = began_ns - self._lookback_ns
        if self._told_ns is None or self._told_ns >= since_ns:
            return since_ns
        return max(self._told_ns, min(since_ns, began_ns - self._longest_ns))

    async def trades(self, symbol: str, began_ns: int, last_traded_ns: int = 0) -> TradesRead:
        """Read the trades of a symbol; its income says when it was last traded."""
        book = self._ledger.book(symbol)
        reader = self._venue.reader
        read = TradesRead(self._now_ns() - self._venue.bounds.read_lag_ns)
        book.begin(self.since_ns(began_ns))
        earlier: list[Trade] = []
        back_ns = book.since_ns
        if book.is_unread and self._ledger.first_contact_ns:
            back_ns = min(back_ns, self._ledger.first_contact_ns - self._lookback_ns)
        if book.cursor is None:
            pages = reader.trades_since(symbol, back_ns)
            # Older ones the venue may have forgotten, of which its income still tells.
            may_lack_ns = max(book.since_ns, began_ns - FORGETS_AFTER_NS)
            read.is_behind = last_traded_ns > may_lack_ns
        else:
            pages = reader.trades_from(symbol, book.cursor)
        async for page in pages:
            if page[-1].time_ns >= last_traded_ns:
                read.is_behind = False
            for trade in reversed(page):
                if trade.time_ns <= read.calm_ns:
                    read.cursor = trade.sequence + 1
                    break
            if back_ns < book.origin_ns:
                earlier += [trade for trade in page if trade.time_ns < book.origin_ns]
            read.lacking += self.lacking(symbol, page)
        # Nothing had named the symbol when all was compared, so that it was flat by then.  What
        # was bought and sold before that counts, unless the history begins in the midst of it.
        if earlier and leave_all_as_it_was(earlier):
            book.reach_back(back_ns)
            read.lacking = self.lacking(symbol, earlier) + read.lacking
        return read

    def lacking(self, symbol: str, trades: Sequence[Trade]) -> list[Trade]:
        """Return those trades that are in neither the ledger nor an order of the node."""
        book = self._ledger.book(symbol)
        if self._book.is_blank(symbol) and not book.ahead and book.cursor is None:
            return [trade for trade in trades if trade.time_ns >= book.origin_ns]
        instrument_id = self._venue.instrument_id(symbol)
        lacking: list[Trade] = []
        for trade in trades:
            key = trade.key
            if key in book.ahead:
                continue
            order = self._book.holder(instrument_id, trade.order_id, trade.trade_id)
            if order is not None:
                # Loaded, and a crash kept it from the ledger; perhaps from the position, too.
                self._book.holdings.unrecorded.add(trade.leg)
                if not self._book.holdings.is_torn(order, trade):
                    book.record(key, trade.sequence)
                continue
            # Before the cursor all was dealt with, unless the node has the order and it lacks
            # the trade, which was shown too late then.
            if book.has(key, trade.sequence) and self._book.is_gone(instrument_id, trade.order_id):
                continue
            if trade.time_ns >= book.origin_ns:
                lacking.append(trade)
        return lacking

    async def orders(
        self,
        symbol: str,
        trades: Sequence[Trade],
        open_orders: OpenOrders,
        *,
        is_start: bool,
    ) -> OrdersRead:
        """Read the orders that trades or orders of the node call for."""
        read = OrdersRead({}, [])
        for (name, order_id), order in open_orders.orders.items():
            if name == symbol:
                read.orders[order_id] = order
        wanted: dict[str, Order | None] = {
            trade.order_id: None for trade in trades if trade.order_id not in read.orders
        }
        nameless: list[Order] = []
        for order in self._own_orders(symbol, is_start=is_start):
            if order.venue_order_id is None:
                nameless.append(order)
            elif (order_id := order.venue_order_id.value) not in read.orders and (
                order_id in wanted or order.last_event.ts_init < open_orders.asked_ns
            ):
                wanted[order_id] = order
        reader = self._venue.reader
        asked_ns = self._now_ns()
        if len(wanted) > FEW:
            first = min(wanted, key=_in_order)
            for found in await reader.orders_from(symbol, first):
                if found.order_id in wanted:
                    read.orders[found.order_id] = found
        missing = [order_id for order_id in wanted if order_id not in read.orders]
        answers = await gathered(*(partial(reader.order, symbol, order_id=i) for i in missing))
        for order_id, answer in zip(missing, answers, strict=True):
            local = wanted[order_id]
            if answer is not None and local is not None and self._is_anothers(local, answer):
                answer = _never_more(answer, order_id)
            if answer is not None:
                read.orders[order_id] = answer
            elif local is not None:
                read.absent.append((local, asked_ns))
        answers = await gathered(
            *(
                partial(reader.order, symbol, client_order_id=o.client_order_id.value)
                for o in nameless
            )
        )
        for order, answer in zip(nameless, answers, strict=True):
            if answer is not None:
                read.orders[answer.order_id] = answer
            else:
                read.absent.append((order, asked_ns))
        await self._drop_triggered(symbol, read.orders, open_orders)
        return read

    async def _drop_triggered(
        self, symbol: str, orders: dict[str, VenueOrder], open_orders: OpenOrders
    ) -> None:
        """Drop conditional orders that a list shows and that are another order by now.

        The list may be behind.  What a conditional order becomes has its client id.
        """
        by_client_id: dict[str, set[str]] = {}
        for order_id, order in orders.items():
            by_client_id.setdefault(order.client_order_id, set()).add(order_id)
        doubtful = [
            order_id
            for order_id, order in orders.items()
            if (symbol, order_id) in open_orders.orders
            and order.client_order_id
            and len(by_client_id[order.client_order_id]) > 1
        ]
        reader = self._venue.reader
        answers = await gathered(*(partial(reader.order, symbol, order_id=i) for i in doubtful))
        for order_id, answer in zip(doubtful, answers, strict=True):
            if answer is not None and answer.order_id != order_id:
                del orders[order_id]

    def _is_anothers(self, order: Order, venue: VenueOrder) -> bool:
        """Whether what an order is at the venue has another id, and is another order here."""
        if venue.order_id == order.venue_order_id.value:
            return False
        holder = self._book.find(order.instrument_id, venue.order_id, None)
        return holder is not None and holder.client_order_id != order.client_order_id

    def _own_orders(self, symbol: str, *, is_start: bool) -> list[Order]:
        """Return the orders of the node that a reconciliation has to settle."""
        instrument_id = self._venue.instrument_id(symbol)
        orders = [
            *self._book.unsettled(instrument_id),
            *(o for o in self._book.unsent(self.unsent) if o.instrument_id == instrument_id),
        ]
        return [o for o in orders if is_start or o.venue_order_id is not None]


async def gathered(*reads: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Wait for all reads to end, then return their answers or raise the first failure.

    One that is cancelled before it begins was never made.
    """
    answers = await asyncio.gather(*map(_outcome, reads))
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


async def _outcome(read: Callable[[], Awaitable[Any]]) -> Any:
    """Return an answer, or the failure: who waits may be gone before all have ended."""
    try:
        return await read()
    except Exception as e:
        return e


def _never_more(venue: VenueOrder, order_id: str) -> VenueOrder:
    """Return a conditional order as one that is over and has never filled.

    It was taken from a list that was behind, beside the order that it had become.
    """
    return structs.replace(
        venue, order_id=order_id, status="CANCELED", filled=ZERO, average_price=None
    )


def _in_order(order_id: str) -> tuple[int, str]:
    return (int(order_id), "") if order_id.isdigit() else (0, order_id)
