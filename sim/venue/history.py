"""Read models: what a client may see of orders, trades and income, and when.

Rules:

* A read is the truth as it stood at ``now - lag``; the lag belongs to a read model and,
  optionally, to one symbol of it.  Commands (place, cancel) always meet the truth.
* A trade may be hidden for a while from userTrades, from income or from both, while later
  ones are visible.  What was ever visible stays so.
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
from collections.abc import Callable, Iterator

import msgspec

from sim.observation import VenueTrade
from sim.venue.config import DAY_NS
from sim.venue.errors import Rejection
from sim.venue.exchange import Exchange
from sim.venue.formats import MS_NS
from sim.venue.models import Account, Holding, Income, Order, OrderVersion
from sim.venue.payloads import array, income_body, order_body, trade_body

WINDOW_MS = 7 * DAY_NS // MS_NS
UNFILLED_RETENTION_NS = 3 * DAY_NS
ORDER_RETENTION_NS = 90 * DAY_NS
INCOME_RETENTION_NS = 90 * DAY_NS

MODELS = (
    "openOrders",
    "order",
    "allOrders",
    "openAlgoOrders",
    "algoOrder",
    "allAlgoOrders",
    "userTrades",
    "positionRisk",
    "account",
    "income",
)


class Hiding(msgspec.Struct, frozen=True, eq=False):
    """Trades that reads do not show yet: those since an instant of a symbol or of an order.

    ``withheld`` is called with the model, once for each answer that lacks a row by this.
    """

    models: tuple[str, ...]
    since_ns: int
    withheld: Callable[[str], None]
    symbol: str | None = None
    client_order_id: str | None = None

    def hides(self, trade: VenueTrade) -> bool:
        return (
            trade.time_ns >= self.since_ns
            and self.symbol in (None, trade.symbol)
            and self.client_order_id in (None, trade.client_order_id)
        )


class Reads:
    """How far each read model trails the truth.  Nothing lags and nothing is hidden at first."""

    def __init__(self) -> None:
        self._lags: dict[tuple[str, str | None], int] = {}
        self._begun: dict[str, list[int]] = {}
        self._hidings: list[Hiding] = []

    def hide(self, hiding: Hiding) -> None:
        """Hide trades until `show` is called with the same object."""
        self._hidings.append(hiding)

    def show(self, hiding: Hiding) -> None:
        self._hidings.remove(hiding)

    def visible[Row](
        self, model: str, rows: list[Row], trade_of: Callable[[Row], VenueTrade | None]
    ) -> list[Row]:
        """Return the rows of an answer that may be seen."""
        hidings = [hiding for hiding in self._hidings if model in hiding.models]
        for hiding in hidings:
            shown = [
                row for row in rows if (trade := trade_of(row)) is None or not hiding.hides(trade)
            ]
            if len(shown) < len(rows):
                hiding.withheld(model)
            rows = shown
        return rows

    def set_lag(self, model: str, lag_ns: int, symbol: str | None = None) -> None:
        """Let a model (of one symbol, or of all) trail by ``lag_ns`` nanoseconds.

        A lag of one symbol prevails over that of the model.  Raises ValueError for an
        unknown model or a negative lag.
        """
        if model not in MODELS:
            raise ValueError(f"unknown read model {model!r}; known are {', '.join(MODELS)}")
        if lag_ns < 0:
            raise ValueError(f"a read cannot run ahead: lag_ns is {lag_ns}")
        if lag_ns or symbol is not None:
            self._lags[model, symbol] = lag_ns
        else:
            self._lags.pop((model, None), None)

    def begin_lag(self, model: str, lag_ns: int) -> None:
        """Let a model trail until `end_lag`; of lags that overlap the longest counts."""
        self._begun.setdefault(model, []).append(lag_ns)
        self.set_lag(model, max(self._begun[model]))

    def end_lag(self, model: str, lag_ns: int) -> None:
        self._begun[model].remove(lag_ns)
        self.set_lag(model, max(self._begun[model], default=0))

    def clear(self, model: str | None = None, symbol: str | None = None) -> None:
        """Undo `set_lag`: of that model (and symbol), or of everything."""
        if model is None:
            self._lags.clear()
        else:
            self._lags.pop((model, symbol), None)

    def lag_ns(self, model: str, symbol: str | None = None) -> int:
        """Return the lag that a read of that model and symbol has now."""
        if not self._lags:
            return 0
        own = self._lags.get((model, symbol))
        return self._lags.get((model, None), 0) if own is None else own

    @property
    def lagging(self) -> bool:
        """Tell whether any read trails, or lacks a trade."""
        return bool(self._hidings) or any(self._lags.values())


class History:
    """The projections of the ledger that REST serves."""

    def __init__(self, exchange: Exchange, reads: Reads) -> None:
        self._exchange = exchange
        self.reads = reads
        self._tail = exchange.config.window_page == "tail"
        self._trades_kept_ns = exchange.config.trades_kept_days * DAY_NS

    # -- orders

    def open_orders(self, account: Account, symbol: str | None, now_ns: int) -> bytes:
        """Return the open orders, by symbol and id."""
        names = self._exchange.symbols if symbol is None else (symbol,)
        bodies: list[bytes] = []
        for name in names:
            holding = account.holdings.get(name)
            if holding is not None:
                lag_ns = self.reads.lag_ns("openOrders", name)
                bodies.extend(
                    order_body(order, version)
                    for order, version in open_as_of(holding, now_ns, lag_ns)
                )
        return array(bodies)

    def find_order(
        self,
        account: Account,
        symbol: str,
        order_id: int | None,
        client_order_id: str | None,
        now_ns: int,
    ) -> tuple[Order, OrderVersion]:
        """Return one order as it is visible.  Raises Rejection -2013."""
        holding = account.holdings.get(symbol)
        order = None if holding is None else holding.find(order_id, client_order_id)
        if order is None:
            raise Rejection(-2013)
        lag_ns = self.reads.lag_ns("order", symbol)
        version = order.as_of(now_ns - lag_ns) if lag_ns else order.current
        if version is None or not _is_retained(order, version, now_ns):
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
        holding = account.holdings.get(symbol)
        if holding is None:
            return b"[]"
        if window is None and order_id is None:
            window = (now_ns // MS_NS - WINDOW_MS, now_ns // MS_NS)
            newest = True
        else:
            newest = window is not None and order_id is None and self._tail
        low, high = 0, len(holding.orders)
        if window is not None:
            low = bisect_left(holding.created_times, window[0] * MS_NS)
            high = bisect_left(holding.created_times, (window[1] + 1) * MS_NS)
        if order_id is not None:
            low = max(low, bisect_left(holding.orders, order_id, key=_order_id))
        lag_ns = self.reads.lag_ns("allOrders", symbol)
        young = low < high and holding.created_times[low] >= now_ns - UNFILLED_RETENTION_NS
        if young and not lag_ns:  # nothing can be hidden: the usual case, and much faster
            orders = holding.orders[low:high]
            orders = orders[-limit:] if newest else orders[:limit]
            return array(
                [order.current.body or order_body(order, order.current) for order in orders]
            )
        rows: list[bytes] = []
        for index in reversed(range(low, high)) if newest else range(low, high):
            order = holding.orders[index]
            version = order.as_of(now_ns - lag_ns) if lag_ns else order.current
            if version is not None and _is_retained(order, version, now_ns):
                rows.append(order_body(order, version))
                if len(rows) == limit:
                    break
        return array(reversed(rows) if newest else rows)

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
        holding = account.holdings.get(symbol)
        if holding is None:
            return b"[]"
        times = holding.trade_times
        low = bisect_left(times, now_ns - self._trades_kept_ns)
        high = bisect_right(times, now_ns - self.reads.lag_ns("userTrades", symbol))
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
        rows = self.reads.visible("userTrades", rows, lambda trade: trade.record)
        rows = rows[-limit:] if newest else rows[:limit]
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
        rows = [
            row
            for row in account.income[low:high]
            if (symbol is None or row.symbol == symbol)
            and (kind is None or row.kind == kind)
            and self._income_is_visible(row, now_ns)
        ]
        rows = self.reads.visible("income", rows, lambda row: _trade_of(account, row))
        if page is not None:
            rows = rows[(page - 1) * limit : page * limit]
        elif start_ms is None and end_ms is None:
            rows = rows[-limit:]
        else:
            rows = rows[:limit]
        return array(map(income_body, rows))

    def _income_is_visible(self, row: Income, now_ns: int) -> bool:
        return row.time_ns <= now_ns - self.reads.lag_ns("income", row.symbol)


def _trade_of(account: Account, row: Income) -> VenueTrade | None:
    """Return the trade that an income row is about, None when it is about none."""
    if not row.trade_id:
        return None
    holding = account.holdings[row.symbol]
    return holding.trades[bisect_left(holding.trade_ids, row.trade_id)].record


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
