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
    reach.venue.set_price(action.symbol, action.price, reach.now_ns, mark=action.mark)


def _web_submit(reach: Reach, action: a.WebSubmit, label: str) -> None:
    params = params_of(action, reach.now_ns)
    reach.venue.web_place(action.account, params, reach.now_ns, conditional=action.is_conditional)


def params_of(action: a.WebSubmit, now_ns: int) -> dict[str, str]:
    """Return the parameters with which the venue is asked for an order by hand."""
    time_in_force = "GTX" if action.post_only else action.time_in_force
    given = {
        "symbol": action.symbol,
        "side": action.side,
        "type": action.type,
        "quantity": None if action.close_position else f"{action.quantity:f}",
        "price": None if action.price is None else f"{action.price:f}",
        "timeInForce": time_in_force if action.is_limited or action.is_conditional else None,
        "positionSide": None if action.position_side == "BOTH" else action.position_side,
        "reduceOnly": "true" if action.reduce_only else None,
        "priceMatch": action.price_match,
        "selfTradePreventionMode": action.self_trade_prevention,
        "goodTillDate": None
        if action.good_till_ns is None
        else str((now_ns + action.good_till_ns) // 1_000_000),
    }
    if action.is_conditional:
        given |= {
            "algoType": "CONDITIONAL",
            "clientAlgoId": venue_client_id(action),
            "triggerPrice": None if action.trigger is None else f"{action.trigger:f}",
            "workingType": action.working_type,
            "closePosition": "true" if action.close_position else None,
            "callbackRate": None if action.callback_rate is None else f"{action.callback_rate:f}",
            "activatePrice": None if action.activate is None else f"{action.activate:f}",
        }
    else:
        given["newClientOrderId"] = venue_client_id(action)
    return {name: value for name, value in given.items() if value is not None}


def _web_modify(reach: Reach, action: a.WebModify, label: str) -> None:
    reach.venue.web_modify(
        **reach.order_of(action.order), quantity=action.quantity, price=action.price
    )


def _trigger(reach: Reach, action: a.Trigger, label: str) -> None:
    reach.venue.trigger(**reach.order_of(action.order))


def _expire(reach: Reach, action: a.Expire, label: str) -> None:
    reach.venue.expire(**reach.order_of(action.order), reason=action.reason)


def _web_cancel(reach: Reach, action: a.WebCancel, label: str) -> None:
    reach.venue.web_cancel(**reach.order_of(action.order))


DO: dict[type[a.Action], Callable[[Reach, Any, str], None]] = {
    a.Fill: _fill,
    a.Depth: _depth,
    a.Transfer: _transfer,
    a.SetPrice: _price,
    a.WebSubmit: _web_submit,
    a.WebModify: _web_modify,
    a.WebCancel: _web_cancel,
    a.Trigger: _trigger,
    a.Expire: _expire,
}
