"""Handlers of the endpoints about conditional ("algo") orders.

Rules:

* An algo id prevails over a client algo id when both are sent; no symbol is needed for one.
* Commands meet the truth, reads the (possibly lagging) history.
"""

from __future__ import annotations

from sim.venue import params as read
from sim.venue.algo_validation import new_algo_order
from sim.venue.calls import Backend, Call, symbol, symbol_or_none
from sim.venue.errors import Rejection
from sim.venue.payloads import algo_body, algo_reply, encode


def _ids(call: Call) -> tuple[int | None, str | None]:
    algo_id = read.optional_integer(call.params, "algoId")
    client_id = call.params.get("clientalgoid") or None
    if algo_id is None and client_id is None:
        raise Rejection(
            -1102, "Param 'algoId' or 'clientAlgoId' must be sent, but both were empty/null!"
        )
    return algo_id, client_id


def post_algo_order(backend: Backend, call: Call) -> bytes:
    """POST algoOrder."""
    ticket = new_algo_order(backend.exchange, call.account, call.params, backend.rng, call.now_ns)
    return algo_reply(backend.exchange.algos.place(call.account, ticket, call.now_ns))


def delete_algo_order(backend: Backend, call: Call) -> bytes:
    """DELETE algoOrder: cancel one that waits; ``code`` is text in this answer."""
    order = backend.exchange.algos.waiting(call.account.name, *_ids(call))
    if order is None:
        raise Rejection(-2011)
    backend.exchange.algos.cancel(order, call.now_ns)
    return encode(
        {
            "algoId": order.algo_id,
            "clientAlgoId": order.ticket.client_algo_id,
            "code": "200",
            "msg": "success",
        }
    )


def delete_algo_open_orders(backend: Backend, call: Call) -> bytes:
    """DELETE algoOpenOrders of one symbol; nothing open is no error."""
    algos = backend.exchange.algos
    for order in list(algos.holding(call.account.name, symbol(backend, call)).open.values()):
        algos.cancel(order, call.now_ns)
    return b'{"code":200,"msg":"The operation of cancel all open order is done."}'


def get_algo_order(backend: Backend, call: Call) -> bytes:
    """GET algoOrder."""
    order, version = backend.algo_history.find(call.account, *_ids(call), call.now_ns)
    return algo_body(order, version)


def get_open_algo_orders(backend: Backend, call: Call) -> bytes:
    """GET openAlgoOrders, of one symbol or of all, or one by its id."""
    return backend.algo_history.open_orders(
        call.account,
        symbol_or_none(backend, call),
        read.optional_integer(call.params, "algoId"),
        call.now_ns,
    )


def get_all_algo_orders(backend: Backend, call: Call) -> bytes:
    """GET allAlgoOrders of one symbol."""
    return backend.algo_history.all_orders(
        call.account,
        symbol(backend, call),
        read.optional_integer(call.params, "algoId"),
        read.optional_integer(call.params, "startTime"),
        read.optional_integer(call.params, "endTime"),
        read.limit(call.params, 500, 1000),
        call.now_ns,
    )
