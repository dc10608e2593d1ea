"""Whose an order is that the node does not have.

1. The strategy's whose tag the client order id carries, as NautilusTrader makes such ids,
   when a strategy with that tag is registered: after a lost cache own orders return.
2. Else the strategy's that claims external orders of the instrument.
3. Else ``EXTERNAL``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from nautilus_trader.model.identifiers import InstrumentId, StrategyId

from recon.core.facts import VenueOrder
from recon.nautilus.holdings import EXTERNAL

_OWN_ID = re.compile(r"O-\d{8}-\d{6}-(?P<trader>[^-]+)-(?P<strategy>[^-]+)-\d+")
"""A client order id as NautilusTrader's generator makes it, by default with hyphens."""


class Ownership:
    """Knows claims, strategies and filters of a node.

    Parameters
    ----------
    claim
        Returns the strategy that claims an instrument, or None.
    strategy_ids
        Returns the strategies that are registered.
    trader_tag
        The tag of the node's trader id.
    filters_unclaimed
        Whether orders that nobody owns are none of the node's business.
    filtered
        Client order ids that are none of the node's business.
    """

    def __init__(
        self,
        claim: Callable[[InstrumentId], StrategyId | None],
        strategy_ids: Callable[[], list[StrategyId]],
        trader_tag: str,
        *,
        filters_unclaimed: bool,
        filtered: Collection[str],
    ) -> None:
        self.claim = claim
        self._strategy_ids = strategy_ids
        self._trader_tag = trader_tag
        self._filters_unclaimed = filters_unclaimed
        self._filtered = frozenset(filtered)

    def of(self, order: VenueOrder, instrument_id: InstrumentId) -> StrategyId:
        """Return the strategy that an order belongs to."""
        return self._by_tag(order.client_order_id) or self.claim(instrument_id) or EXTERNAL

    def is_filtered(self, order: VenueOrder, owner: StrategyId) -> bool:
        """Whether an order is none of the node's business."""
        if order.client_order_id in self._filtered:
            return True
        return self._filters_unclaimed and owner == EXTERNAL

    def _by_tag(self, client_order_id: str) -> StrategyId | None:
        found = _OWN_ID.fullmatch(client_order_id)
        if found is None or found["trader"] != self._trader_tag:
            return None
        matching: list[Any] = [
            strategy_id
            for strategy_id in self._strategy_ids()
            if strategy_id.get_tag() == found["strategy"]
        ]
        return matching[0] if len(matching) == 1 else None
