"""Read models: what a client may see of orders, trades and income, and when.

Rules:

* What stands between the truth and an answer is told in `reads`.
* Windows: allOrders and userTrades look back 7 days when no time is given, and return
  the newest rows; ``startTime`` alone means the 7 days after it, ``endTime`` alone the
  7 days before it; a longer window is refused (-4165).  In a window with more rows than
  ``limit`` the oldest are returned (or the newest, see `VenueConfig.window_page`).
* ``orderId`` (allOrders) and ``fromId`` (userTrades) mean "that id and above", oldest
  first; ``fromId`` cannot be combined with times (-1128).
* Retention: orders cancelled or expired without a fill vanish 3 days after creation,
  all orders after 90 days, trades after 90 days (see `VenueConfig.trades_kept_days`), income
  after 90 days.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from sim.venue.config import DAY_NS
from sim.venue.errors import Rejection
from sim.venue.exchange import Exchange
from sim.venue.formats import MS_NS
from sim.venue.models import Account, Holding, Income, Order, OrderVersion, Trade
from sim.venue.payloads import array, income_body, order_body, trade_body
from sim.venue.reads import Reads, Row

type Version = tuple[Order, OrderVersion]
"""An order as an answer shows it."""

WINDOW_MS = 7 * DAY_NS // MS_NS
UNFILLED_RETENTION_NS = 3 * DAY_NS
ORDER_RETENTION_NS = 90 * DAY_NS
INCOME_RETENTION_NS = 90 * DAY_NS


class History:
    """The projections of the ledger that REST serves."""

    def __init__(self, exchange: Exchange, reads: Reads) -> None:
        self._exchange = exchange
        self.reads = reads
        self._config = exchange.config
        self._tail = exchange.config.window_page == "tail"
        self._trades_kept_ns = exchange.config.trades_kept_days * DAY_NS

    # -- orders

    def open_orders(self, account: Account, symbol: str | None, now_ns: int) -> bytes:
        """Return the open orders, by symbol and id."""
        names = self._exchange.symbols if symbol is None else (symbol,)
        found: list[Version] = []
        for name in names:
            lag_ns = self.reads.lag_ns("openOrders", name)
            holding = account.holdings.get(name)
            if holding is not None:
                found.extend(open_as_of(holding, now_ns, lag_ns))
        found = self.reads.visible("openOrders", found, _about_order)
        return array(order_body(order, version) for order, version in found)

    def find_order(
        self,
        account: Account,
        symbol: str,
        order_id: int | None,
        client_order_id: str | None,
        now_ns: int,
    ) -> tuple[Order, OrderVersion]:
        """Return one order as it is visible.  Raises Rejection -2013."""
        lag_ns = self.reads.lag_ns("order", symbol)
        holding = account.holdings.get(symbol)
        order = None if holding is None else holding.find(order_id, client_order_id)
        if order is None:
            raise Rejection(-2013)
        version = order.as_of(now_ns - lag_ns) if lag_ns else order.current
        if version is None or not _is_retained(order, version, now_ns):
            raise Rejection(-2013)
        if not self.reads.visible("order", [(order, version)], _about_order):
            raise Rejection(-2013)
        return order, version

    def all_orders(
        self,
        account: Account,
        symbol: str,
        order_id: int | None,
        start_ms: int | None,
        end_ms: int | None,
        limit: int,
        now_ns: int,
    ) -> bytes:
        """Return orders of any state.  Raises Rejection -4165."""
        window = window_of(start_ms, end_ms, shorter_than_limit=True)
        lag_ns = self.reads.lag_ns("allOrders", symbol)
        holding = account.holdings.get(symbol)
        if holding is None:
            return b"[]"
        if window is None and order_id is None:
            window = (now_ns // MS_NS - WINDOW_MS, now_ns // MS_NS)
            newest = True
        else:
            newest = window is not None and order_id is None and self._tail
        if not self.reads.show_the_present or self._config.all_orders_window == "updated":
            found = self._orders_shown(holding, order_id, window, now_ns, lag_ns)
            found = self.reads.visible("allOrders", found, _about_order)
            found = self._page("allOrders", symbol, found, limit, newest=newest)
            return array(order_body(order, version) for order, version in found)
        low, high = 0, len(holding.orders)
        if window is not None:
            low = bisect_left(holding.created_times, window[0] * MS_NS)
            high = bisect_left(holding.created_times, (window[1] + 1) * MS_NS)
        if order_id is not None:
            low = max(low, bisect_left(holding.orders, order_id, key=_order_id))
        young = low < high and holding.created_times[low] >= now_ns - UNFILLED_RETENTION_NS
        if young:  # nothing is too old to be served: the usual case, and much faster
            orders = holding.orders[low:high]
            orders = orders[-limit:] if newest else orders[:limit]
            return array(
                [order.current.body or order_body(order, order.current) for order in orders]
            )
        rows: list[bytes] = []
        for index in reversed(range(low, high)) if newest else range(low, high):
            order = holding.orders[index]
            if _is_retained(order, order.current, now_ns):
                rows.append(order_body(order, order.current))
                if len(rows) == limit:
                    break
        return array(reversed(rows) if newest else rows)

    def _orders_shown(
        self,
        holding: Holding,
        order_id: int | None,
        window: tuple[int, int] | None,
        now_ns: int,
        lag_ns: int,
    ) -> list[Version]:
        """Return the orders of an id and above, and of a window, as they were."""
        found = []
        for order in holding.orders:
            version = order.as_of(now_ns - lag_ns)
            if version is None or not _is_retained(order, version, now_ns):
                continue
            by_update = self._config.all_orders_window == "updated"
            at_ms = (version.time_ns if by_update else order.created_ns) // MS_NS
            inside = window is None or window[0] <= at_ms <= window[1]
            if inside and (order_id is None or order.order_id >= order_id):
                found.append((order, version))
        return found

    def _page[T](
        self, model: str, symbol: str | None, rows: list[T], limit: int, *, newest: bool
    ) -> list[T]:
        limit = self.reads.page_limit(model, symbol, limit, len(rows))
        return rows[-limit:] if newest else rows[:limit]

    # -- trades

    def user_trades(
        self,
        account: Account,
        symbol: str,
        order_id: int | None,
        from_id: int | None,
        start_ms: int | None,
        end_ms: int | None,
        limit: int,
        now_ns: int,
    ) -> bytes:
        """Return executions, ascending by id.  Raises Rejection -1128 or -4165."""
        if from_id is not None and not (start_ms is None and end_ms is None):
            raise Rejection(-1128)
        window = window_of(start_ms, end_ms, shorter_than_limit=False)
        lag_ns = self.reads.lag_ns("userTrades", symbol)
        holding = account.holdings.get(symbol)
        if holding is None:
            return b"[]"
        times = holding.trade_times
        low = kept = bisect_left(times, now_ns - self._trades_kept_ns)
        high = bisect_right(times, now_ns - lag_ns)
        newest = False
        if from_id is not None:
            low = max(low, bisect_left(holding.trade_ids, from_id))
        elif window is not None:
            low = max(low, bisect_left(times, window[0] * MS_NS))
            high = min(high, bisect_left(times, (window[1] + 1) * MS_NS))
            newest = self._tail
        elif order_id is None:
            low = max(low, bisect_left(times, now_ns - WINDOW_MS * MS_NS))
            newest = True
        rows = holding.trades[low:high] if high > low else []
        if order_id is not None:
            rows = [trade for trade in rows if trade.record.order_id == order_id]
        rows = self.reads.visible("userTrades", rows, _about_trade)
        if rows and not newest and order_id is None:
            before = holding.trades[low - 1] if low > kept else None
            rows = self.reads.repeated("userTrades", symbol, before) + rows
        rows = self._page("userTrades", symbol, rows, limit, newest=newest)
        return array([trade.body or trade_body(trade, holding.symbol) for trade in rows])

    # -- income

    def income(
        self,
        account: Account,
        symbol: str | None,
        kind: str | None,
        start_ms: int | None,
        end_ms: int | None,
        page: int | None,
        limit: int,
        now_ns: int,
    ) -> bytes:
        """Return income rows, ascending by time; a page counts from the oldest row.

        Without times: the last 7 days, and without a page the newest rows of them.
        There is no cursor: rows that appear late shift the pages.
        """
        oldest_ns = now_ns - INCOME_RETENTION_NS
        end_ns = now_ns + 1 if end_ms is None else (end_ms + 1) * MS_NS
        if start_ms is not None:
            oldest_ns = max(oldest_ns, start_ms * MS_NS)
        elif end_ms is None:
            oldest_ns = now_ns - WINDOW_MS * MS_NS
        low = bisect_left(account.income_times, oldest_ns)
        high = bisect_left(account.income_times, end_ns)

        def is_asked_for(row: Income) -> bool:
            return (
                symbol in (None, row.symbol)
                and kind in (None, row.kind)
                and row.time_ns <= now_ns - self.reads.lag_ns("income", row.symbol)
            )

        rows = [row for row in account.income[low:high] if is_asked_for(row)]
        rows = self.reads.visible("income", rows, lambda row: _about_income(account, row))
        newest = page is None and start_ms is None and end_ms is None
        first = 0 if page is None else (page - 1) * limit
        shown = rows[first:]
        if shown and not newest and self.reads.lagging:
            earlier = rows[:first] or [r for r in account.income[:low] if is_asked_for(r)]
            before = earlier[-1] if earlier else None
            shown = self.reads.repeated("income", symbol, before) + shown
        shown = self._page("income", symbol, shown, limit, newest=newest)
        return array(map(income_body, shown))


def _about_order(shown: Version) -> Row:
    ticket = shown[0].ticket
    return Row(
        symbol=ticket.symbol.name,
        client_order_id=ticket.client_order_id,
        position_side=ticket.position_side,
        made_ns=shown[0].created_ns,
    )


def _about_trade(trade: Trade) -> Row:
    record = trade.record
    return Row(
        symbol=record.symbol,
        client_order_id=record.client_order_id,
        position_side=record.position_side,
        made_ns=record.time_ns,
    )


def _about_income(account: Account, row: Income) -> Row:
    if not row.trade_id:
        return Row(symbol=row.symbol or None, asset=row.asset, made_ns=row.time_ns)
    holding = account.holdings[row.symbol]
    return _about_trade(holding.trades[bisect_left(holding.trade_ids, row.trade_id)])


def open_as_of(holding: Holding, now_ns: int, lag_ns: int) -> Iterator[tuple[Order, OrderVersion]]:
    """Yield the orders that were open at ``now - lag``, by id."""
    if not lag_ns:
        for order in holding.open.values():
            yield order, order.current
        return
    at_ns = now_ns - lag_ns
    # What closed since then was perhaps still open; what closed before was not.
    recent = holding.closed[bisect_right(holding.closed_times, at_ns) :]
    for order in sorted((*holding.open.values(), *recent), key=_order_id):
        version = order.as_of(at_ns)
        if version is not None and version.is_open:
            yield order, version


def _order_id(order: Order) -> int:
    return order.order_id


def _is_retained(order: Order, version: OrderVersion, now_ns: int) -> bool:
    age_ns = now_ns - order.created_ns
    if version.is_open:
        return True
    if not version.filled and age_ns > UNFILLED_RETENTION_NS:
        return False
    return age_ns <= ORDER_RETENTION_NS


def window_of(
    start_ms: int | None, end_ms: int | None, *, shorter_than_limit: bool
) -> tuple[int, int] | None:
    """Return the inclusive window in milliseconds, None when no time was given."""
    if start_ms is None and end_ms is None:
        return None
    if start_ms is None:
        assert end_ms is not None
        return end_ms - WINDOW_MS, end_ms
    if end_ms is None:
        return start_ms, start_ms + WINDOW_MS
    span_ms = end_ms - start_ms
    too_long = span_ms >= WINDOW_MS if shorter_than_limit else span_ms > WINDOW_MS
    if span_ms < 0 or too_long:
        raise Rejection(-4165)
    return start_ms, end_ms
