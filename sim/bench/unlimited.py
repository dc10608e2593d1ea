"""A venue that serves all of a history at once, as Binance does not.

The released engine asks for trades and orders without a limit and takes the first page for all
there is.  With Binance's pages it is fast, and wrong.  Its cost for the whole history shows
only where an answer has all rows.
"""

from __future__ import annotations

import random

from sim.venue import Venue, VenueConfig
from sim.venue.account_view import AccountView
from sim.venue.algo_history import AlgoHistory
from sim.venue.calls import Backend
from sim.venue.history import History
from sim.venue.models import Account
from sim.venue.rest import Gateway

ALL = 1 << 62
WEEK_MS = 7 * 86_400_000


class UnlimitedHistory(History):
    """A history whose windows may be of any length and whose pages have all rows."""

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
        first, last = _unlimited(start_ms, end_ms)
        order_id = 0 if start_ms is None and order_id is None else order_id
        return super().all_orders(account, symbol, order_id, first, last, ALL, now_ns)

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
        first, last = _unlimited(start_ms, end_ms)
        from_id = 0 if start_ms is None and order_id is None and from_id is None else from_id
        return super().user_trades(account, symbol, order_id, from_id, first, last, ALL, now_ns)


def _unlimited(start_ms: int | None, end_ms: int | None) -> tuple[int | None, int | None]:
    """Return a window that the history takes; its rows all lie within two days."""
    if start_ms is None:
        return None, None
    return start_ms, min(start_ms + WEEK_MS - 1, end_ms or ALL)


class UnlimitedVenue(Venue):
    """A venue with such a history, and without a limit of weight."""

    def __init__(self, config: VenueConfig, rng: random.Random) -> None:
        super().__init__(config, rng)
        history = UnlimitedHistory(self.exchange, self.reads)
        view = AccountView(self.exchange, self.reads)
        algos = AlgoHistory(self.exchange, self.reads)
        self._gateway = Gateway(Backend(self.exchange, history, algos, view, self.streams, rng))
