"""The market, and what the user does by hand on the venue's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.hand.base import Reach, venue_client_id
from sim.scenario import actions as a


def _fill(reach: Reach, action: a.Fill, label: str) -> None:
    for _ in range(action.times):
        reach.venue.fill(
            **reach.order_of(action.order),
            quantity=action.quantity,
            price=action.price,
            maker=action.maker,
        )


def _depth(reach: Reach, action: a.Depth, label: str) -> None:
    reach.venue.set_depth(action.symbol, action.quantity, reach.now_ns)


def _transfer(reach: Reach, action: a.Transfer, label: str) -> None:
    reach.venue.transfer(action.account, action.asset, action.amount, reach.now_ns)


def _price(reach: Reach, action: a.SetPrice, label: str) -> None:
    reach.venue.set_price(action.symbol, action.price, reach.now_ns)


def _web_submit(reach: Reach, action: a.WebSubmit, label: str) -> None:
    reach.venue.web_submit(
        action.account,
        action.symbol,
        client_order_id=venue_client_id(action),
        side=action.side,
        order_type=action.type,
        quantity=action.quantity,
        price=action.price,
        position_side=action.position_side,
        reduce_only=action.reduce_only,
        time_in_force="GTX" if action.post_only else action.time_in_force,
        now_ns=reach.now_ns,
    )


def _web_cancel(reach: Reach, action: a.WebCancel, label: str) -> None:
    reach.venue.web_cancel(**reach.order_of(action.order))


DO: dict[type[a.Action], Callable[[Reach, Any, str], None]] = {
    a.Fill: _fill,
    a.Depth: _depth,
    a.Transfer: _transfer,
    a.SetPrice: _price,
    a.WebSubmit: _web_submit,
    a.WebCancel: _web_cancel,
}
