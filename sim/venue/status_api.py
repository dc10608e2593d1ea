"""Handlers of endpoints that only tell: forced orders, the queue of deleveraging, limits."""

from __future__ import annotations

from sim.venue import params as read
from sim.venue.calls import Backend, Call, symbol, symbol_or_none
from sim.venue.config import DAY_NS
from sim.venue.errors import malformed
from sim.venue.formats import MS_NS, plain, to_ms
from sim.venue.ledger import AccountEntry
from sim.venue.payloads import array, encode, order_body

_FORCED_KEPT_NS = 7 * DAY_NS
_LOCKED_MS = 600_000
_KINDS = {"LIQUIDATION": "autoclose-", "ADL": "adl_autoclose"}


def get_force_orders(backend: Backend, call: Call) -> bytes:
    """GET forceOrders: the orders of liquidations and deleveraging of the last seven days."""
    wanted = symbol_or_none(backend, call)
    kind = call.params.get("autoclosetype", "").upper()
    if kind and kind not in _KINDS:
        raise malformed("autoCloseType")
    prefixes = (_KINDS[kind],) if kind else tuple(_KINDS.values())
    start_ns = (read.optional_integer(call.params, "startTime") or 0) * MS_NS
    end_ms = read.optional_integer(call.params, "endTime")
    end_ns = call.now_ns if end_ms is None else (end_ms + 1) * MS_NS - 1
    start_ns = max(start_ns, call.now_ns - _FORCED_KEPT_NS)
    found = [
        order
        for name, holding in call.account.holdings.items()
        if wanted in (None, name)
        for order in holding.orders
        if order.ticket.client_order_id.startswith(prefixes)
        and start_ns <= order.created_ns <= end_ns
    ]
    found.sort(key=lambda order: order.created_ns)
    limit = read.limit(call.params, 50, 100)
    return array(order_body(order, order.current) for order in found[-limit:])


def get_adl_quantile(backend: Backend, call: Call) -> bytes:
    """GET adlQuantile: where open legs stand in the queue of deleveraging, always 1 here."""
    wanted = symbol_or_none(backend, call)
    rows = []
    for name in backend.exchange.symbols:
        holding = call.account.holdings.get(name)
        held = [
            side
            for side, leg in (holding.legs.items() if holding is not None else ())
            if leg.current.quantity
        ]
        if held and wanted in (None, name):
            queue = {side: int(side in held) for side in ("LONG", "SHORT", "BOTH")}
            if call.account.hedge and not call.account.isolates(name):
                # Crossed legs stand in the queue as one; HEDGE only says so.
                queue = {"LONG": 1, "SHORT": 1, "HEDGE": 0}
            rows.append({"symbol": name, "adlQuantile": queue})
    return encode(rows)


def get_trading_status(backend: Backend, call: Call) -> bytes:
    """GET apiTradingStatus: which quantitative rules hold the account back, if any do."""
    symbol_or_none(backend, call)
    violated = {
        "isLocked": True,
        "plannedRecoverTime": to_ms(call.now_ns) + _LOCKED_MS,
        "indicator": "TMV",  # too many violations, by the whole account
        "value": 10,
        "triggerValue": 1,
    }
    is_locked = call.account.state == "reduce-only"
    indicators = {"ACCOUNT": [violated]} if is_locked else {}
    return encode({"indicators": indicators, "updateTime": to_ms(call.now_ns)})


def get_rate_limits(backend: Backend, call: Call) -> bytes:
    """GET rateLimit/order: how many orders the account may send."""
    config = backend.exchange.config
    return encode(
        [
            {
                "rateLimitType": "ORDERS",
                "interval": interval,
                "intervalNum": number,
                "limit": limit,
            }
            for interval, number, limit in (
                ("SECOND", 10, config.order_limit_10s),
                ("MINUTE", 1, config.order_limit_1m),
            )
        ]
    )


def get_margin_history(backend: Backend, call: Call) -> bytes:
    """GET positionMargin/history: what moved to and from isolated legs of a symbol."""
    name = symbol(backend, call)
    limit = read.limit(call.params, 500, 500)
    rows = [
        {
            "symbol": name,
            "type": 1 if entry.moved > 0 else 2,
            "deltaType": "USER_ADJUST",
            "amount": plain(abs(entry.moved)),
            "asset": entry.changes[0][0],
            "time": to_ms(entry.time_ns),
            "positionSide": entry.legs[0][0].position_side,
        }
        for entry in backend.exchange.ledger
        if isinstance(entry, AccountEntry)
        and entry.reason == "MARGIN_TRANSFER"
        and entry.account == call.account.name
        and entry.legs[0][0].symbol.name == name
    ]
    return encode(rows[-limit:])
