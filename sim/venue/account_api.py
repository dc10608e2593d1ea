"""Handlers of the endpoints about the account: money, positions, settings, listen keys.

Rules:

* Money, positions and income are read through lagging views; settings never lag.
"""

from __future__ import annotations

from typing import Any

from sim.venue import params as read
from sim.venue import settings
from sim.venue.calls import Backend, Call, symbol, symbol_or_none
from sim.venue.errors import Rejection, malformed
from sim.venue.formats import plain
from sim.venue.margin import MAINTENANCE_RATE
from sim.venue.payloads import encode

_SUCCESS = b'{"code":200,"msg":"success"}'


def get_account_v2(backend: Backend, call: Call) -> bytes:
    """GET /fapi/v2/account."""
    return backend.view.account(call.account, call.now_ns, version=2)


def get_account_v3(backend: Backend, call: Call) -> bytes:
    """GET /fapi/v3/account."""
    return backend.view.account(call.account, call.now_ns, version=3)


def get_balance(backend: Backend, call: Call) -> bytes:
    """GET balance, versions 2 and 3."""
    return backend.view.balance(call.account, call.now_ns)


def get_position_risk_v2(backend: Backend, call: Call) -> bytes:
    """GET /fapi/v2/positionRisk: flat symbols included."""
    name = symbol_or_none(backend, call)
    return backend.view.position_risk(call.account, name, call.now_ns, every_symbol=True)


def get_position_risk_v3(backend: Backend, call: Call) -> bytes:
    """GET /fapi/v3/positionRisk: only what is in use."""
    name = symbol_or_none(backend, call)
    return backend.view.position_risk(call.account, name, call.now_ns, every_symbol=False)


def get_symbol_config(backend: Backend, call: Call) -> bytes:
    """GET symbolConfig, of one symbol or of all."""
    wanted = symbol_or_none(backend, call)
    account = call.account
    return encode(
        [
            {
                "symbol": name,
                "marginType": account.margin_types.get(name, "CROSSED"),
                "isAutoAddMargin": False,
                "leverage": account.leverage.get(name, backend.exchange.config.leverage),
                "maxNotionalValue": plain(backend.exchange.config.max_notional),
            }
            for name in backend.exchange.symbols
            if wanted in (None, name)
        ]
    )


def get_dual_side(_backend: Backend, call: Call) -> bytes:
    """GET positionSide/dual: whether the account is in hedge mode."""
    return encode({"dualSidePosition": call.account.hedge})


def post_dual_side(backend: Backend, call: Call) -> bytes:
    """POST positionSide/dual."""
    wanted = read.boolean(call.params, "dualSidePosition")
    if wanted is None:
        raise malformed("dualSidePosition")
    settings.set_hedge(backend.exchange, call.account, wanted, call.now_ns)
    return _SUCCESS


def post_leverage(backend: Backend, call: Call) -> bytes:
    """POST leverage."""
    name = symbol(backend, call)
    leverage = read.optional_integer(call.params, "leverage")
    if leverage is None:
        raise malformed("leverage")
    settings.set_leverage(backend.exchange, call.account, name, leverage, call.now_ns)
    return encode(
        {
            "symbol": name,
            "leverage": leverage,
            "maxNotionalValue": plain(backend.exchange.config.max_notional),
        }
    )


def post_margin_type(backend: Backend, call: Call) -> bytes:
    """POST marginType."""
    name = symbol(backend, call)
    wanted = read.required(call.params, "marginType").upper()
    if wanted not in ("CROSSED", "ISOLATED"):
        raise malformed("marginType")
    settings.set_margin_type(backend.exchange, call.account, name, wanted, call.now_ns)
    return _SUCCESS


def get_multi_assets(_backend: Backend, call: Call) -> bytes:
    """GET multiAssetsMargin."""
    return encode({"multiAssetsMargin": call.account.multi_assets})


def get_account_config(_backend: Backend, call: Call) -> bytes:
    """GET accountConfig."""
    return encode(
        {
            "feeTier": 0,
            "canTrade": call.account.state != "inactive",
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": call.account.hedge,
            "updateTime": 0,
            "multiAssetsMargin": call.account.multi_assets,
            "tradeGroupId": -1,
        }
    )


def post_multi_assets(backend: Backend, call: Call) -> bytes:
    """POST multiAssetsMargin."""
    wanted = read.boolean(call.params, "multiAssetsMargin")
    if wanted is None:
        raise malformed("multiAssetsMargin")
    settings.set_multi_assets(backend.exchange, call.account, wanted, call.now_ns)
    return _SUCCESS


def post_position_margin(backend: Backend, call: Call) -> bytes:
    """POST positionMargin: move money to an isolated leg (type 1), or from it (type 2)."""
    name = symbol(backend, call)
    amount = read.required_decimal(call.params, "amount")
    kind = read.optional_integer(call.params, "type")
    if kind not in (1, 2):
        raise malformed("type")
    if amount <= 0:
        raise Rejection(-4055)
    side = call.params.get("positionside", "").upper() or "BOTH"
    moved = amount if kind == 1 else -amount
    settings.add_margin(backend.exchange, call.account, name, side, moved, call.now_ns)
    return encode(
        {"amount": float(amount), "code": 200, "msg": "Successfully modify position margin.",
         "type": kind}
    )  # fmt: skip


def get_fee_burn(_backend: Backend, call: Call) -> bytes:
    """GET feeBurn: whether commissions are paid in BNB."""
    return encode({"feeBurn": call.account.burns_bnb})


def post_fee_burn(backend: Backend, call: Call) -> bytes:
    """POST feeBurn."""
    wanted = read.boolean(call.params, "feeBurn")
    if wanted is None:
        raise malformed("feeBurn")
    settings.set_fee_burn(backend.exchange, call.account, wanted)
    return _SUCCESS


def get_commission_rate(backend: Backend, call: Call) -> bytes:
    """GET commissionRate of one symbol."""
    config = backend.exchange.config
    return encode(
        {
            "symbol": symbol(backend, call),
            "makerCommissionRate": plain(config.maker_fee),
            "takerCommissionRate": plain(config.taker_fee),
        }
    )


def get_leverage_bracket(backend: Backend, call: Call) -> bytes:
    """GET leverageBracket: one bracket, whatever the notional."""
    wanted = symbol_or_none(backend, call)
    bracket: dict[str, Any] = {
        "bracket": 1,
        "initialLeverage": settings.MAX_LEVERAGE,
        "notionalCap": int(backend.exchange.config.max_notional),
        "notionalFloor": 0,
        "maintMarginRatio": float(MAINTENANCE_RATE),
        "cum": 0.0,
    }
    return encode(
        [
            {"symbol": name, "notionalCoef": 1.0, "brackets": [bracket]}
            for name in backend.exchange.symbols
            if wanted in (None, name)
        ]
    )


def get_income(backend: Backend, call: Call) -> bytes:
    """GET income, of one symbol or of the whole account."""
    page = read.optional_integer(call.params, "page")
    if page is not None and page < 1:
        raise malformed("page")
    return backend.history.income(
        call.account,
        symbol_or_none(backend, call),
        call.params.get("incometype") or None,
        read.optional_integer(call.params, "startTime"),
        read.optional_integer(call.params, "endTime"),
        page,
        read.limit(call.params, 100, 1000),
        call.now_ns,
    )


def post_listen_key(backend: Backend, call: Call) -> bytes:
    """POST listenKey: the live key, extended, or a new one."""
    key = backend.streams.start_key(call.account, call.now_ns, call.api_key)
    return encode({"listenKey": key})


def put_listen_key(backend: Backend, call: Call) -> bytes:
    """PUT listenKey."""
    key = backend.streams.extend_key(call.account, call.now_ns, call.api_key)
    return encode({"listenKey": key})


def delete_listen_key(backend: Backend, call: Call) -> bytes:
    """DELETE listenKey."""
    backend.streams.end_key(call.account, call.api_key)
    return b"{}"
