"""What a scenario may say of the venue's rules: its limits, and what nobody knows for sure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from sim.scenario.values import Code, Count, Millis, OrderId, Price


class Limits(Struct, frozen=True, kw_only=True):
    """How much clients may ask of the venue."""

    weight_1m: Count = 2400
    """The weight of requests in a minute, of the one address that all clients share."""
    orders_10s: Count = 300
    """The orders in ten seconds, of one account."""
    orders_1m: Count = 1200
    """The orders in a minute, of one account."""
    ban_after: Count = 10
    """Which request past the limit of weight, in the same minute, has the address banned: for
    two minutes, and twice as long each next time."""


class Knobs(Struct, frozen=True, kw_only=True):
    """What Binance's documentation leaves open, or has changed; each as the venue is otherwise
    assumed to be when left out."""

    window_page: Literal["head", "tail"] = "head"
    """Which rows of a time window show that has more of them than fit on a page: the oldest, or
    the newest."""
    all_orders_window: Literal["created", "updated"] = "created"
    """Whether the window of allOrders is about when orders were made or last changed."""
    reused_client_id: Literal["newest", "oldest"] = "newest"
    """Which of several orders a client order id names that all have had."""
    unknown_modify_code: Code = -2013
    """The error code for the modification of an order that is not open."""
    duplicate_algo_code: Code = -4116
    """The error code for a conditional order whose client id another one has."""
    unknown_error_code: Code | None = -1000
    """The code in the body of "Unknown error, please check your request or try again later.";
    null is a body without one."""
    unknown_params: Literal["ignored", "refused"] = "ignored"
    """What becomes of requests with parameters that no endpoint has."""
    legacy_order_response: bool = False
    """Whether answers to commands still have ``avgPrice`` and ``cumQuote``."""
    strict_signature: bool = False
    """Whether a signature over the decoded parameters is refused."""
    trade_lite: bool = False
    """Whether a TRADE_LITE goes before the other events of each fill."""
    event_lead_ms: Millis = 3
    """How far the time at which an event is sent (``E``) is behind that of what it tells
    (``T``), at the most; with 0 they are the same."""
    replica_lag: Literal["none", "usual"] = "none"
    """Whether every answer is of a replica that is behind: by 20 ms in the middle, log-normal,
    two seconds at most."""
    hedge_positions: Literal["changed", "both"] = "changed"
    """Which legs of a symbol an ACCOUNT_UPDATE shows in hedge mode."""
    liquidation_rows: Literal["LIMIT", "LIQUIDATION"] = "LIMIT"
    """The type that lists of orders show of a liquidation, whose events say LIQUIDATION."""
    triggered_order_shows: Literal["plain", "conditional"] = "plain"
    """What the order looks like that a conditional order has become: like any other, or with
    the conditional type as its original one and the trigger as its stop price."""
    adl_client_id: OrderId = "adl_autoclose"
    """The client order id of deleveraging, which may have a suffix."""
    trades_kept_days: Count = 90
    """How long userTrades tells of a trade."""
    bnb_price: Price | None = None
    """What commissions in BNB are reckoned with; 600 when left out."""
