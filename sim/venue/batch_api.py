"""Handlers of the batch endpoints: several orders in one request.

Rules:

* The answer has the order and number of what was asked, each with its own result or error.
* At most five are placed or modified at once, at most ten cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from sim.venue.calls import Backend, Call, LeavingNothing, symbol
from sim.venue.errors import Rejection, malformed
from sim.venue.orders_api import find_open, post_order, put_order, reply
from sim.venue.params import Params
from sim.venue.payloads import array

_PLACED_AT_MOST = 5
_CANCELLED_AT_MOST = 10


def post_batch_orders(backend: Backend, call: Call) -> bytes:
    """POST batchOrders: place up to five orders."""
    return _each(backend, call, post_order)


def put_batch_orders(backend: Backend, call: Call) -> bytes:
    """PUT batchOrders: modify up to five orders."""
    return _each(backend, call, put_order)


def _each(backend: Backend, call: Call, handler: Callable[[Backend, Call], bytes]) -> bytes:
    text = call.params.get("batchorders", "")
    try:
        asked = msgspec.json.decode(text, type=list[dict[str, Any]])
    except (msgspec.DecodeError, RecursionError):
        raise malformed("batchOrders") from None
    if not 1 <= len(asked) <= _PLACED_AT_MOST:
        raise Rejection(-4082)
    calls = [Call(call.account, _params(each), call.now_ns) for each in asked]
    return array(_answers(backend, (partial(handler, backend, each) for each in calls)))


def _params(order: dict[str, Any]) -> Params:
    """Return the parameters of one order of the JSON text, as a query would have them."""
    return {
        name.lower(): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in order.items()
        if value is not None
    }


def _answers(backend: Backend, asked: Iterable[Callable[[], bytes]]) -> list[bytes]:
    answers = []
    for ask in asked:
        try:
            with LeavingNothing(backend.exchange):
                answers.append(ask())
        except Rejection as refused:
            answers.append(refused.body())
    return answers


def delete_batch_orders(backend: Backend, call: Call) -> bytes:
    """DELETE batchOrders: cancel up to ten orders of a symbol."""
    name = symbol(backend, call)
    order_ids = _listed(call, "orderIdList")
    wanted: list[tuple[int | None, str | None]]
    if order_ids:
        if not all(isinstance(value, int) or str(value).isdigit() for value in order_ids):
            raise malformed("orderIdList")
        wanted = [(int(value), None) for value in order_ids]
    else:
        wanted = [(None, str(value)) for value in _listed(call, "origClientOrderIdList")]
    if not wanted:
        raise malformed("orderIdList")
    if len(wanted) > _CANCELLED_AT_MOST:
        raise Rejection(-4083)

    def cancel(order_id: int | None, client_order_id: str | None) -> bytes:
        order = find_open(backend, call, name, order_id, client_order_id, -2011)
        backend.exchange.cancel(order, call.now_ns)
        return reply(backend, order)

    return array(_answers(backend, (partial(cancel, *ids) for ids in wanted)))


def _listed(call: Call, parameter: str) -> list[str | int]:
    text = call.params.get(parameter.lower(), "")
    if not text:
        return []
    try:
        # Some clients print the list in Python's manner, with single quotes.
        return msgspec.json.decode(text.replace("'", '"'), type=list[str | int])
    except (msgspec.DecodeError, RecursionError):
        raise malformed(parameter) from None
