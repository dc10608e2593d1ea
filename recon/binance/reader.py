"""Reads one Binance USD-M account completely: the `VenueReader` of this venue.

Rules:

* Every method returns all that was asked for or raises `ReadError`; a page that fails makes
  the whole read fail, and an answer that contradicts the question is a failure.
* Weights are those of Binance's documentation, for the parameters that are sent.
* Conditional orders have lived apart since 2025-12 (``algoOrder``).  They are orders here, under
  their own id until they trigger; then the order that they became speaks for them.
* What the venue keeps no longer is missing: trades for six months, income for three, orders for
  ninety days and those that ended unfilled for three.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial

from recon.binance import history, rows
from recon.binance.http import BinanceHttp, Params
from recon.binance.rows import MS_NS, IncomeRow
from recon.core.facts import OpenOrders, Positions, Trade, VenueOrder
from recon.core.port import ReadError

PAGE_LIMIT = 1_000
"""The most rows that the venue gives to one request, of trades, orders and income."""

TRADES_KEPT_MS = 183 * history.DAY_MS
INCOME_KEPT_MS = 92 * history.DAY_MS
"""At least as long as the venue keeps them; to look further back finds nothing."""

ORDER = "/fapi/v1/order"
OPEN_ORDERS = "/fapi/v1/openOrders"
ALL_ORDERS = "/fapi/v1/allOrders"
ALGO_ORDER = "/fapi/v1/algoOrder"
OPEN_ALGO_ORDERS = "/fapi/v1/openAlgoOrders"
USER_TRADES = "/fapi/v1/userTrades"
POSITION_RISK = "/fapi/v3/positionRisk"
INCOME = "/fapi/v1/income"


class BinanceReader:
    """Reads one account.  Every method that reads raises `ReadError`.

    Parameters
    ----------
    http
        Signed reads of the account; closed by `aclose`.
    page_limit
        How many rows to ask for at once, 2 to 1000.  One is too few: both sides of a self-trade
        have the same id.
    """

    def __init__(self, http: BinanceHttp, *, page_limit: int = PAGE_LIMIT) -> None:
        if not 2 <= page_limit <= PAGE_LIMIT:
            raise ValueError(f"a page has 2 to {PAGE_LIMIT} rows, not {page_limit}")
        self._http = http
        self._page_limit = page_limit

    def __repr__(self) -> str:
        return f"BinanceReader({self._http!r})"

    async def positions(self) -> Positions:
        """Return all legs that are not flat."""
        return await self._http.get(POSITION_RISK, rows.positions, weight=5)

    async def open_orders(self) -> OpenOrders:
        """Return all orders that are open, conditional ones included.

        Conditional orders are read first: one that triggers meanwhile is found as the order
        that it became, and then counts as that.
        """
        asked_ns, conditional = await self._http.get(
            OPEN_ALGO_ORDERS, rows.conditional_orders, weight=40
        )
        found = await self._http.get(OPEN_ORDERS, rows.orders, weight=40)
        became = {(order.symbol, order.client_order_id) for order in found}
        found += [o for o in conditional if (o.symbol, o.client_order_id) not in became]
        orders = {(order.symbol, order.order_id): order for order in found if order.is_open}
        return OpenOrders(asked_ns, orders)

    async def order(
        self, symbol: str, *, order_id: str | None = None, client_order_id: str | None = None
    ) -> VenueOrder | None:
        """Return one order by the venue's id or, without one, by the client's.

        None says that the venue has answered that it does not exist, neither as an order nor
        as a conditional one.
        """
        if order_id is None and client_order_id is None:
            raise ValueError("an order is asked for by one of its ids")
        plain = await self._plain_order(symbol, order_id, client_order_id)
        return plain or await self._conditional_order(symbol, order_id, client_order_id)

    async def orders_from(self, symbol: str, order_id: str) -> Sequence[VenueOrder]:
        """Return the orders of a symbol from an id on, of any state, oldest first."""
        return await history.orders_from(
            partial(self._orders_page, symbol), _venue_id(ALL_ORDERS, symbol, order_id)
        )

    async def trades_of(self, symbol: str, order_id: str) -> Sequence[Trade]:
        """Return all trades of one order that the venue serves, oldest first.

        Which of them a full page shows is not documented; they are then looked for among all
        trades of the symbol since the order was made.
        """
        page = await self._trades_page(
            symbol, {"orderId": _venue_id(USER_TRADES, symbol, order_id)}
        )
        if any(trade.order_id != order_id for trade in page):
            raise ReadError(f"GET {USER_TRADES} {symbol}", f"trades of others than {order_id}")
        if len(page) < self._page_limit:
            return page
        order = await self._plain_order(symbol, order_id, None)
        if order is None:
            why = f"order {order_id} has more trades than a page, and is not served"
            raise ReadError(f"GET {ORDER} {symbol}", why)
        found: list[Trade] = []
        async with aclosing(self.trades_since(symbol, order.created_ns)) as pages:
            async for trades in pages:
                found += [trade for trade in trades if trade.order_id == order_id]
        return found

    async def trades_from(self, symbol: str, sequence: int) -> AsyncGenerator[Sequence[Trade]]:
        """Yield the trades of a symbol from a trade id on, inclusive, oldest first, in pages.

        The end of the iteration says that the read is complete.
        """
        ask = partial(self._trades_from_page, symbol)
        async with aclosing(history.trades_from(ask, sequence)) as pages:
            async for page in pages:
                yield page

    async def trades_since(self, symbol: str, start_ns: int) -> AsyncGenerator[Sequence[Trade]]:
        """Yield the trades of a symbol from an instant on, oldest first, in pages.

        The venue dates trades to the millisecond: one that it dates before ``start_ns`` is not
        yielded.  The end of the iteration says that the read is complete.
        """
        first = await history.first_trade_id(
            partial(self._trades_between, symbol),
            partial(self._trades_from_page, symbol),
            max(-(-start_ns // MS_NS), self._venue_now_ms() - TRADES_KEPT_MS),
            self._venue_now_ms,
            self._page_limit,
        )
        if first is None:
            return
        async with aclosing(self.trades_from(symbol, first)) as pages:
            async for page in pages:
                yield page

    async def last_traded_ns(self, start_ns: int, end_ns: int) -> dict[str, int]:
        """Return when the account has last traded each symbol in a time, by its income.

        A trade leaves a row there if it paid a commission, or earned or lost something.
        """
        return await history.last_traded_ns(
            self._income_page,
            max(start_ns // MS_NS, self._venue_now_ms() - INCOME_KEPT_MS),
            end_ns // MS_NS,
            self._page_limit,
        )

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._http.aclose()

    def _venue_now_ms(self) -> int:
        return self._http.venue_now_ns() // MS_NS

    # -- orders

    async def _plain_order(
        self, symbol: str, order_id: str | None, client_order_id: str | None
    ) -> VenueOrder | None:
        params = _ids(ORDER, symbol, "orderId", order_id, "origClientOrderId", client_order_id)
        order = await self._http.find(ORDER, rows.order, weight=1, params=params)
        if order is not None:
            _check(ORDER, symbol, order, order_id, client_order_id)
        return order

    async def _conditional_order(
        self, symbol: str, order_id: str | None, client_order_id: str | None
    ) -> VenueOrder | None:
        params = _ids(ALGO_ORDER, symbol, "algoId", order_id, "clientAlgoId", client_order_id)
        found = await self._http.find(ALGO_ORDER, rows.conditional_order, weight=1, params=params)
        if not isinstance(found, rows.Triggered):
            if found is not None:
                _check(ALGO_ORDER, symbol, found, order_id, client_order_id)
            return found
        became = None
        if found.order_id is not None:
            became = await self._plain_order(symbol, found.order_id, None)
        if became is None:
            why = f"it is {found.status}, and the order that it became is not served"
            raise ReadError(f"GET {ALGO_ORDER} {symbol}", why)
        return became

    async def _orders_page(self, symbol: str, order_id: int) -> list[VenueOrder]:
        params: Params = {"symbol": symbol, "orderId": order_id, "limit": self._page_limit}
        page = await self._http.get(ALL_ORDERS, rows.orders, weight=5, params=params)
        last = order_id - 1
        for order in page:
            number = int(order.order_id)
            if order.symbol != symbol or number <= last:
                why = f"order {number} of {order.symbol} is out of place"
                raise ReadError(f"GET {ALL_ORDERS} {symbol}", why)
            last = number
        return page

    # -- trades

    async def _trades_page(self, symbol: str, wanted: dict[str, int]) -> list[Trade]:
        params: Params = {"symbol": symbol, **wanted, "limit": self._page_limit}
        decode = partial(rows.trades, symbol=symbol)
        return await self._http.get(USER_TRADES, decode, weight=5, params=params)

    async def _trades_from_page(self, symbol: str, trade_id: int) -> list[Trade]:
        page = await self._trades_page(symbol, {"fromId": trade_id})
        if page and page[-1].sequence < trade_id:
            why = f"trade {page[-1].trade_id} is before {trade_id}, from which they were asked for"
            raise ReadError(f"GET {USER_TRADES} {symbol}", why)
        return page

    async def _trades_between(self, symbol: str, first_ms: int, last_ms: int) -> list[Trade]:
        page = await self._trades_page(symbol, {"startTime": first_ms, "endTime": last_ms})
        # What ended the page before may begin this one.
        if page and not first_ms <= page[-1].time_ns // MS_NS <= last_ms:
            why = f"trade {page[-1].trade_id} is not of the time that was asked for"
            raise ReadError(f"GET {USER_TRADES} {symbol}", why)
        return page

    # -- income

    async def _income_page(
        self, first_ms: int, last_ms: int, number: int | None
    ) -> list[IncomeRow]:
        params: dict[str, str | int] = {
            "startTime": first_ms,
            "endTime": last_ms,
            "limit": self._page_limit,
        }
        if number is not None:
            params["page"] = number
        return await self._http.get(INCOME, rows.income, weight=30, params=params)


def _ids(
    path: str,
    symbol: str,
    name: str,
    order_id: str | None,
    client_name: str,
    client_order_id: str | None,
) -> dict[str, str | int]:
    if order_id is not None:
        return {"symbol": symbol, name: _venue_id(path, symbol, order_id)}
    assert client_order_id is not None
    return {"symbol": symbol, client_name: client_order_id}


def _venue_id(path: str, symbol: str, text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    raise ReadError(f"GET {path} {symbol}", f"{text!r} is no id of this venue", is_final=True)


def _check(
    path: str,
    symbol: str,
    order: VenueOrder,
    order_id: str | None,
    client_order_id: str | None,
) -> None:
    wanted = client_order_id if order_id is None else order_id
    shown = order.client_order_id if order_id is None else order.order_id
    if (order.symbol, shown) != (symbol, wanted):
        raise ReadError(f"GET {path} {symbol}", f"order {shown} was shown instead of {wanted}")
