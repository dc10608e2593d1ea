"""Read models of conditional orders: what a client may see of them, and when.

Windows and retention are those of the other orders (see `history`).
"""

from __future__ import annotations

from bisect import bisect_left

from sim.venue.algo_models import AlgoOrder, AlgoVersion
from sim.venue.errors import Rejection
from sim.venue.exchange import Exchange
from sim.venue.formats import MS_NS
from sim.venue.history import (
    ORDER_RETENTION_NS,
    UNFILLED_RETENTION_NS,
    WINDOW_MS,
    window_of,
)
from sim.venue.models import Account
from sim.venue.payloads import algo_body, array
from sim.venue.reads import Reads, Row

type Version = tuple[AlgoOrder, AlgoVersion]
"""An order as an answer shows it."""


class AlgoHistory:
    """The projections of conditional orders that REST serves."""

    def __init__(self, exchange: Exchange, reads: Reads) -> None:
        self._exchange = exchange
        self._reads = reads

    def find(
        self, account: Account, algo_id: int | None, client_id: str | None, now_ns: int
    ) -> tuple[AlgoOrder, AlgoVersion]:
        """Return one order as it is visible.  Raises Rejection -2013."""
        order = self._exchange.algos.find(account.name, algo_id, client_id)
        version = None if order is None else self._visible("algoOrder", order, now_ns)
        if order is None or version is None:
            raise Rejection(-2013)
        if not self._reads.visible("algoOrder", [(order, version)], _about):
            raise Rejection(-2013)
        return order, version

    def open_orders(
        self, account: Account, symbol: str | None, algo_id: int | None, now_ns: int
    ) -> bytes:
        """Return the orders that wait, by symbol and id."""
        found: list[Version] = []
        for name in self._exchange.symbols if symbol is None else (symbol,):
            holding = self._exchange.algos.holding(account.name, name)
            lags = self._reads.lag_ns("openAlgoOrders", name)
            for order in holding.orders if lags else tuple(holding.open.values()):
                version = self._visible("openAlgoOrders", order, now_ns)
                if version is not None and version.is_open and algo_id in (None, order.algo_id):
                    found.append((order, version))
        found = self._reads.visible("openAlgoOrders", found, _about)
        return array(algo_body(order, version) for order, version in found)

    def all_orders(
        self,
        account: Account,
        symbol: str,
        algo_id: int | None,
        start_ms: int | None,
        end_ms: int | None,
        limit: int,
        now_ns: int,
    ) -> bytes:
        """Return orders of any state, ascending.  Raises Rejection -4165."""
        window = window_of(start_ms, end_ms, shorter_than_limit=True)
        orders = self._exchange.algos.holding(account.name, symbol).orders
        newest = window is None and algo_id is None
        if newest:
            window = (now_ns // MS_NS - WINDOW_MS, now_ns // MS_NS)
        if algo_id is not None:
            orders = orders[bisect_left(orders, algo_id, key=lambda each: each.algo_id) :]
        found: list[Version] = []
        for order in orders:
            version = self._visible("allAlgoOrders", order, now_ns)
            created_ms = order.created_ns // MS_NS
            inside = window is None or window[0] <= created_ms <= window[1]
            if version is not None and inside:
                found.append((order, version))
        found = self._reads.visible("allAlgoOrders", found, _about)
        limit = self._reads.page_limit("allAlgoOrders", symbol, limit, len(found))
        page = found[-limit:] if newest else found[:limit]
        return array(algo_body(order, version) for order, version in page)

    def _visible(self, model: str, order: AlgoOrder, now_ns: int) -> AlgoVersion | None:
        lag_ns = self._reads.lag_ns(model, order.ticket.symbol.name)
        version = order.as_of(now_ns - lag_ns) if lag_ns else order.current
        if version is None or version.is_open:
            return version
        age_ns = now_ns - order.created_ns
        unfilled = version.status in ("CANCELED", "EXPIRED", "REJECTED") or not version.executed
        kept_ns = UNFILLED_RETENTION_NS if unfilled else ORDER_RETENTION_NS
        return version if age_ns <= kept_ns else None


def _about(shown: Version) -> Row:
    order = shown[0]
    ticket = order.ticket
    return Row(
        symbol=ticket.symbol.name,
        client_order_id=ticket.client_algo_id,
        position_side=ticket.position_side,
        made_ns=order.created_ns,
    )
