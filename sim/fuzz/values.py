"""What the fields of actions may hold in a drawn story, by their types.

Values are those that make trouble: outages as long as a check, delays on both sides of the
venue's windows and of the settle time, endpoints that a reconciliation reads.
"""

from __future__ import annotations

from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from msgspec import UnsetType

from sim.scenario import values as v

MS_NS = 1_000_000
SECOND_NS = 1_000 * MS_NS
MINUTE_NS = 60 * SECOND_NS

GAPS_NS = (
    *(n * MS_NS for n in (1, 20, 50, 100, 250, 500)),
    *(n * SECOND_NS for n in (1, 2, 3, 5, 8, 15, 30, 61)),
    2 * MINUTE_NS,
    5 * MINUTE_NS,
)
"""How far apart records may be."""

LONG_NS = (5 * SECOND_NS, 31 * SECOND_NS, 61 * SECOND_NS, 2 * MINUTE_NS, 5 * MINUTE_NS)
"""How long a fault lasts that hits what happens seldom."""

SOON_NS = (MS_NS, 10 * MS_NS, 20 * MS_NS, 50 * MS_NS, 100 * MS_NS, 500 * MS_NS, 2 * SECOND_NS)
"""How soon something comes that something else is in the way of."""

POINTS = (
    *(f"after write {n}" for n in (1, 2, 3, 5)),
    *(f"after write {n} of orders" for n in (1, 2, 3)),
    *(f"{moment} 1 of POST /fapi/v1/order" for moment in ("before request", "after request")),
    *(f"{moment} 1 of POST /fapi/v1/order" for moment in ("before reply", "after reply")),
    *(f"{moment} 1 of ORDER_TRADE_UPDATE TRADE" for moment in ("before event", "after event")),
    "after event 1 of ACCOUNT_UPDATE",
    "after reply 1 of GET /fapi/v1/userTrades",
    "before reply 1 of GET /fapi/v3/positionRisk",
)
"""Where a process is killed."""

PERIODS_NS = tuple(gap for gap in GAPS_NS if gap >= 50 * MS_NS)

PATHS = (
    "/fapi/v1/order",
    "/fapi/v1/algoOrder",
    "/fapi/v1/openOrders",
    "/fapi/v1/openAlgoOrders",
    "/fapi/v1/allOrders",
    "/fapi/v1/allAlgoOrders",
    "/fapi/v1/userTrades",
    "/fapi/v1/income",
    "/fapi/v1/listenKey",
    "/fapi/v1/exchangeInfo",
    "/fapi/v3/positionRisk",
)
FIELDS = ("*.executedQty", "*.avgPrice", "*.status", "status", "symbols.0.status", "o.X", "a.P")

# Not a dictionary: `Annotated` types may hold what cannot be hashed.
BY_TYPE: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (bool, st.booleans()),
    # None that says that there is no such order: that would be a lie.
    (int, st.sampled_from((-1003, -1007, -1001))),
    (v.Price, st.sampled_from((90, 120, 150, 151, 180)).map(Decimal)),
    (v.NotNegative, st.sampled_from((0, 1, 1024)).map(Decimal)),
    (v.NotZero, st.sampled_from(("0.0001", "-0.0003", "50", "-50")).map(Decimal)),
    (v.Quantity, st.sampled_from((1, 2, 4, 8)).map(Decimal)),
    (v.Duration, st.just(0) | st.sampled_from(PERIODS_NS)),
    (v.Period, st.sampled_from(PERIODS_NS)),
    (v.Instant, st.sampled_from(PERIODS_NS)),
    (v.Offset, st.sampled_from((-7, -2, 2, 7)).map(lambda secs: secs * SECOND_NS)),
    (v.Seed, st.integers(0, 9)),
    (v.Skip, st.integers(0, 3)),
    (v.Count, st.integers(1, 3)),
    (v.PageRows, st.integers(2, 3)),
    (v.Probability, st.sampled_from((0.25, 0.5, 1.0))),
    (v.Line, st.just('{"e": "STRATEGY_UPDATE"}')),
    (v.ExpiryReason, st.integers(0, 11)),
    (v.Leverage, st.sampled_from((5, 10, 50))),
    (v.HttpError, st.sampled_from((400, 429, 500, 502, 503))),
    (v.Json, st.sampled_from((None, "RPI", 3, "0"))),
    (v.FieldPath, st.sampled_from(FIELDS)),
    (v.HeaderName, st.just("X-MBX-USED-WEIGHT-1M")),
    (v.CloseCode, st.sampled_from((1000, 1001, 1006))),
    (v.Asset, st.sampled_from(("USDT", "BNB"))),
    (v.ClientName, st.sampled_from(("nt", "recon"))),
    (v.Path, st.sampled_from(PATHS)),
]


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The kinds of which a field may hold one, without what says how it may be left out."""
    if isinstance(kind, UnionType) or get_origin(kind) is Union:
        return tuple(each for each in get_args(kind) if each not in (type(None), UnsetType))
    marks = getattr(kind, "__metadata__", ())
    if len(marks) < 2:
        return (kind,)
    # A checker reads the brackets as an annotation, and this is a value.
    return (Annotated[kind.__origin__, marks[0]],)  # type: ignore[misc]


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type that means the same in every story.  Raises `LookupError` for others."""
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    parts: tuple[Any, ...] = get_args(kind)
    if get_origin(kind) is tuple:
        return st.lists(of_type(parts[0]), min_size=1, max_size=3, unique=True).map(tuple)
    for type_, values in BY_TYPE:
        if type_ == kind:
            return values
    raise LookupError(f"nothing is drawn for a field of the type {kind}")
