"""Handlers of the endpoints about orders and trades.

Rules:

* Commands meet the truth, reads meet the (possibly lagging) history.
* An order id prevails over a client order id when both are sent.
"""

from __future__ import annotations

from sim.venue import params as read
from sim.venue.calls import Backend, Call, symbol, symbol_or_none
from sim.venue.errors import Rejection, malformed
from sim.venue.models import ZERO, Order, OrderVersion
from sim.venue.payloads import amendment_rows, encode, order_body, order_reply
from sim.venue.validation import amended, new_order, side_of, words_of_price


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
    return find_open(backend, call, name, order_id, client_order_id, code)


def find_open(
    backend: Backend,
    call: Call,
    name: str,
    order_id: int | None,
    client_order_id: str | None,
    code: int,
) -> Order:
    holding = backend.exchange.holding(call.account, name)
    order = holding.find_to_change(order_id, client_order_id)
    if order is None or not order.current.is_open:
        raise Rejection(code)
    return order


def reply(backend: Backend, order: Order) -> bytes:
    legacy = backend.exchange.config.legacy_order_response
    return order_reply(order, order.current, legacy=legacy)


def post_order(backend: Backend, call: Call) -> bytes:
    """POST order.  The default reply is an ACK: NEW and unfilled, even if it filled."""
    ticket = new_order(backend.exchange, call.account, call.params, backend.rng, call.now_ns)
    order = backend.exchange.submit(call.account, ticket, call.now_ns)
    if call.params.get("neworderresptype") == "RESULT":
        return reply(backend, order)
    legacy = backend.exchange.config.legacy_order_response
    return order_reply(order, order.versions[0], legacy=legacy)


def test_order(backend: Backend, call: Call) -> bytes:
    """POST order/test: the validation and the answer, without the order."""
    ticket = new_order(backend.exchange, call.account, call.params, backend.rng, call.now_ns)
    version = OrderVersion(call.now_ns, "NEW", "NEW", ticket.quantity, ticket.price, ZERO, ZERO)
    return reply(backend, Order(call.account.name, 0, ticket, version))


def put_order(backend: Backend, call: Call) -> bytes:
    """PUT order: new quantity and price of an open LIMIT order."""
    exchange = backend.exchange
    order = _open_order(backend, call, exchange.config.unknown_modify_code)
    symbol, side = order.ticket.symbol, order.ticket.side
    if side_of(call.params) != side:
        raise Rejection(-1117)
    if order.ticket.type != "LIMIT":
        raise Rejection(-5025)
    asked = read.required_decimal(call.params, "quantity")
    price, _ = words_of_price(exchange, symbol, side, call.params)
    quantity = amended(exchange, call.account, order, asked, price)
    exchange.amend(order, quantity, price, call.now_ns)
    return reply(backend, order)


def get_order_amendments(backend: Backend, call: Call) -> bytes:
    """GET orderAmendment: what each amendment of an order changed, the newest first."""
    name = symbol(backend, call)
    order_id, client_order_id = _ids(call)
    holding = backend.exchange.holding(call.account, name)
    order = holding.find(order_id, client_order_id)
    start_ms = read.optional_integer(call.params, "startTime") or 0
    end_ms = read.optional_integer(call.params, "endTime")
    limit = read.limit(call.params, 50, 100)
    rows = [] if order is None else amendment_rows(order)
    return encode(
        [
            row
            for row in rows
            if start_ms <= row["time"] and (end_ms is None or row["time"] <= end_ms)
        ][:limit]
    )


def post_countdown(backend: Backend, call: Call) -> bytes:
    """POST countdownCancelAll: cancel a symbol's orders unless this is sent again in time."""
    name = symbol(backend, call)
    countdown_ms = read.optional_integer(call.params, "countdownTime")
    if countdown_ms is None or countdown_ms < 0:
        raise malformed("countdownTime")
    if countdown_ms:
        call.account.countdowns[name] = call.now_ns + countdown_ms * 1_000_000
    else:
        call.account.countdowns.pop(name, None)
    return encode({"symbol": name, "countdownTime": str(countdown_ms)})


def delete_order(backend: Backend, call: Call) -> bytes:
    """DELETE order."""
    order = _open_order(backend, call, -2011)
    backend.exchange.cancel(order, call.now_ns)
    return reply(backend, order)


def delete_all_open_orders(backend: Backend, call: Call) -> bytes:
    """DELETE allOpenOrders of one symbol; nothing open is no error."""
    backend.exchange.cancel_all(call.account, symbol(backend, call), call.now_ns)
    return b'{"code":200,"msg":"The operation of cancel all open order is done."}'


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
