"""Handlers of the endpoints about orders and trades.

Rules:

* Commands meet the truth, reads meet the (possibly lagging) history.
* An order id prevails over a client order id when both are sent.
* Batch cancels answer in the order and number of what was asked, errors included.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from sim.venue import params as read
from sim.venue.calls import Backend, Call, symbol, symbol_or_none
from sim.venue.errors import Rejection, VenueUnsupported, malformed
from sim.venue.models import Order
from sim.venue.payloads import array, order_body, order_reply
from sim.venue.validation import check_notional, check_price, check_quantity, new_order

_BATCH_LIMIT = 10


def _ids(call: Call) -> tuple[int | None, str | None]:
    order_id = read.optional_integer(call.params, "orderId")
    client_order_id = call.params.get("origclientorderid") or None
    if order_id is None and client_order_id is None:
        raise Rejection(
            -1102,
            "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
        )
    return order_id, client_order_id


def _open_order(backend: Backend, call: Call, code: int) -> Order:
    """Return the open order that a command names, else raise that code."""
    name = symbol(backend, call)
    order_id, client_order_id = _ids(call)
    return _find_open(backend, call, name, order_id, client_order_id, code)


def _find_open(
    backend: Backend,
    call: Call,
    name: str,
    order_id: int | None,
    client_order_id: str | None,
    code: int,
) -> Order:
    holding = backend.exchange.holding(call.account, name)
    order = holding.find(order_id, client_order_id)
    if order is None or not order.current.is_open:
        raise Rejection(code)
    return order


def _reply(backend: Backend, order: Order) -> bytes:
    legacy = backend.exchange.config.legacy_order_response
    return order_reply(order, order.current, legacy=legacy)


def post_order(backend: Backend, call: Call) -> bytes:
    """POST order.  The default reply is an ACK: NEW and unfilled, even if it filled."""
    ticket = new_order(backend.exchange, call.account, call.params, backend.rng, call.now_ns)
    order = backend.exchange.submit(call.account, ticket, call.now_ns)
    if call.params.get("neworderresptype") == "RESULT":
        return _reply(backend, order)
    legacy = backend.exchange.config.legacy_order_response
    return order_reply(order, order.versions[0], legacy=legacy)


def test_order(backend: Backend, call: Call) -> bytes:
    """POST order/test: the validation without the order."""
    new_order(backend.exchange, call.account, call.params, backend.rng, call.now_ns)
    return b"{}"


def put_order(backend: Backend, call: Call) -> bytes:
    """PUT order: new quantity and price of an open LIMIT order."""
    order = _open_order(backend, call, -2013)
    side = read.required(call.params, "side").upper()
    quantity = read.required_decimal(call.params, "quantity")
    if call.params.get("pricematch", "NONE") not in ("", "NONE"):
        raise VenueUnsupported("priceMatch needs an order book, which this venue has not")
    price = read.required_decimal(call.params, "price")
    ticket = order.ticket
    if side != ticket.side:
        raise Rejection(-1117)
    if ticket.type != "LIMIT":
        raise Rejection(-5025)
    check_price(ticket.symbol, price)
    check_quantity(ticket.symbol, quantity)
    if not ticket.closes:
        check_notional(ticket.symbol, quantity * price)
    if (quantity, price) == (order.current.quantity, order.current.price):
        raise Rejection(-5027)
    if ticket.closes:
        leg = backend.exchange.closable(
            call.account, ticket.symbol.name, ticket.side, ticket.position_side
        )
        quantity = min(quantity, order.current.filled + max(Decimal(0), leg))
    backend.exchange.amend(order, quantity, price, call.now_ns)
    return _reply(backend, order)


def delete_order(backend: Backend, call: Call) -> bytes:
    """DELETE order."""
    order = _open_order(backend, call, -2011)
    backend.exchange.cancel(order, call.now_ns)
    return _reply(backend, order)


def delete_all_open_orders(backend: Backend, call: Call) -> bytes:
    """DELETE allOpenOrders of one symbol; nothing open is no error."""
    holding = backend.exchange.holding(call.account, symbol(backend, call))
    for order in list(holding.open.values()):
        backend.exchange.cancel(order, call.now_ns)
    return b'{"code":200,"msg":"The operation of cancel all open order is done."}'


def delete_batch_orders(backend: Backend, call: Call) -> bytes:
    """DELETE batchOrders: up to ten cancels, each with its own answer."""
    name = symbol(backend, call)
    order_ids = _listed(call, "orderIdList")
    client_ids = _listed(call, "origClientOrderIdList")
    wanted: list[tuple[int | None, str | None]]
    if order_ids:
        if not all(isinstance(value, int) or str(value).isdigit() for value in order_ids):
            raise malformed("orderIdList")
        wanted = [(int(value), None) for value in order_ids]
    else:
        wanted = [(None, str(value)) for value in client_ids]
    if not wanted:
        raise malformed("orderIdList")
    if len(wanted) > _BATCH_LIMIT:
        raise Rejection(-4083, "Invalid number of batch cancel orders.")
    answers = []
    for order_id, client_order_id in wanted:
        try:
            order = _find_open(backend, call, name, order_id, client_order_id, -2011)
        except Rejection as refused:
            answers.append(refused.body())
        else:
            backend.exchange.cancel(order, call.now_ns)
            answers.append(_reply(backend, order))
    return array(answers)


def _listed(call: Call, parameter: str) -> list[str | int]:
    text = call.params.get(parameter.lower(), "")
    if not text:
        return []
    try:
        # Some clients print the list in Python's manner, with single quotes.
        return msgspec.json.decode(text.replace("'", '"'), type=list[str | int])
    except msgspec.DecodeError:
        raise malformed(parameter) from None


def get_order(backend: Backend, call: Call) -> bytes:
    """GET order."""
    name = symbol(backend, call)
    order_id, client_order_id = _ids(call)
    return order_body(
        *backend.history.find_order(call.account, name, order_id, client_order_id, call.now_ns)
    )


def get_open_order(backend: Backend, call: Call) -> bytes:
    """GET openOrder: as GET order, but a closed order does not exist."""
    name = symbol(backend, call)
    order_id, client_order_id = _ids(call)
    order, version = backend.history.find_order(
        call.account, name, order_id, client_order_id, call.now_ns
    )
    if not version.is_open:
        raise Rejection(-2013)
    return order_body(order, version)


def get_open_orders(backend: Backend, call: Call) -> bytes:
    """GET openOrders, of one symbol or of all."""
    return backend.history.open_orders(call.account, symbol_or_none(backend, call), call.now_ns)


def get_all_orders(backend: Backend, call: Call) -> bytes:
    """GET allOrders of one symbol."""
    return backend.history.all_orders(
        call.account,
        symbol(backend, call),
        read.optional_integer(call.params, "orderId"),
        read.optional_integer(call.params, "startTime"),
        read.optional_integer(call.params, "endTime"),
        read.limit(call.params, 500, 1000),
        call.now_ns,
    )


def get_user_trades(backend: Backend, call: Call) -> bytes:
    """GET userTrades of one symbol."""
    return backend.history.user_trades(
        call.account,
        symbol(backend, call),
        read.optional_integer(call.params, "orderId"),
        read.optional_integer(call.params, "fromId"),
        read.optional_integer(call.params, "startTime"),
        read.optional_integer(call.params, "endTime"),
        read.limit(call.params, 500, 1000),
        call.now_ns,
    )


# -- conditional orders: none can be placed yet, so none exist


def post_algo_order(_backend: Backend, call: Call) -> bytes:
    """POST algoOrder."""
    raise VenueUnsupported(
        f"algo orders are not served yet (POST algoOrder, type {call.params.get('type')})"
    )


def get_algo_order(_backend: Backend, _call: Call) -> bytes:
    """GET algoOrder."""
    raise Rejection(-2013)


def delete_algo_order(_backend: Backend, _call: Call) -> bytes:
    """DELETE algoOrder."""
    raise Rejection(-2011)


def delete_algo_open_orders(backend: Backend, call: Call) -> bytes:
    """DELETE algoOpenOrders; nothing open is no error."""
    symbol(backend, call)
    return b'{"code":200,"msg":"The operation of cancel all open order is done."}'


def get_open_algo_orders(backend: Backend, call: Call) -> bytes:
    """GET openAlgoOrders."""
    symbol_or_none(backend, call)
    return b"[]"


def get_all_algo_orders(backend: Backend, call: Call) -> bytes:
    """GET allAlgoOrders of one symbol."""
    symbol(backend, call)
    return b"[]"
