"""What every act of the world needs: the venue, the way to it, and whose orders are meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sim.faults import Faults
from sim.loops import Loop
from sim.scenario import actions as a
from sim.scenario.model import Scenario
from sim.transport.network import Network
from sim.venue import Venue
from sim.venue.models import Account

type Sent = a.Submit | a.WebSubmit


def venue_client_id(order: Sent) -> str:
    """Return the client order id under which the venue knows an order of the scenario."""
    if isinstance(order, a.WebSubmit):
        return order.client_id or f"web_{order.id}"
    return order.id


class Reach(msgspec.Struct, frozen=True):
    """All that the world can lay its hand on; ``orders`` are all of the scenario's."""

    loop: Loop
    venue: Venue
    network: Network
    faults: Faults
    scenario: Scenario
    orders: Mapping[str, Sent]

    @property
    def now_ns(self) -> int:
        return self.loop.now_ns

    def holder(self, action: a.AccountAction) -> Account:
        """Return the account that something happens to."""
        return self.venue.exchange.accounts[action.account]

    def change(self, act: Callable[..., None], *args: Any, **given: Any) -> None:
        """Have something done to the exchange, and told; raises `VenueError` when refused."""
        self.venue.change(self.now_ns, act, *args, **given)

    def client_id(self, order: str | None) -> str | None:
        """Return the venue's client order id of an order that a record names."""
        return None if order is None else venue_client_id(self.orders[order])

    def node(self, name: str | None) -> str | None:
        """Return the node that a fault is limited to; None where it is not, or is the only one."""
        return name if len(self.scenario.each_node) > 1 else None

    def whose(self, node: str | None, account: str | None) -> dict[str, Any]:
        """Return to which node and account a fault is limited, None where it is not."""
        node = self.node(node)
        keys = None if account is None else self.venue.api_keys(account)
        return {"node": node, "account": account, "api_keys": keys}

    def limits(self, action: a.Matched) -> dict[str, Any]:
        """Return how often and how long a fault hits what it matches."""
        return {
            **self.whose(action.node, action.account),
            "client": action.client,
            "skip": action.skip,
            "count": action.limit,
            "until_ns": None if action.for_ns is None else self.now_ns + action.for_ns,
            "probability": action.probability,
            "seed": action.seed or 0,
        }

    def order_of(self, name: str) -> dict[str, Any]:
        """Return how the venue finds an order that a record names."""
        order = self.orders[name]
        return {
            "account": self.scenario.account_of_order(order),
            "symbol": order.symbol,
            "client_order_id": venue_client_id(order),
            "now_ns": self.now_ns,
        }
