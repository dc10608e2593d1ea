"""The kinds of values that stand in a scenario file.

Each is a plain type with a mark from `words` that says how it is written.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta

from sim.scenario.points import POINT
from sim.scenario.words import AnyJson, Pattern, Prose, Quoted, Sign, Span

Quantity = Annotated[Decimal, Quoted(Sign.POSITIVE)]
NotNegative = Annotated[Decimal, Quoted(Sign.NOT_NEGATIVE)]
NotZero = Annotated[Decimal, Quoted(Sign.NOT_ZERO)]
SignedQuantity = Annotated[Decimal, Quoted(Sign.ANY)]
Price = Annotated[Decimal, Quoted(Sign.POSITIVE)]
Instant = Annotated[int, Span(Sign.ANY)]
Duration = Annotated[int, Span(Sign.NOT_NEGATIVE)]
Period = Annotated[int, Span(Sign.POSITIVE)]
Offset = Annotated[int, Span(Sign.NOT_ZERO)]
Seconds = Annotated[float, Meta(gt=0)]
Millis = Annotated[int, Meta(ge=0)]
Seed = Annotated[int, Meta(ge=0)]
Probability = Annotated[float, Meta(gt=0, le=1)]
Skip = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
PageRows = Annotated[int, Meta(ge=2)]
Line = Annotated[str, Prose()]
Story = Annotated[str, Prose(lines=True)]
CloseCode = Annotated[int, Meta(ge=1000, le=4999)]
HttpError = Annotated[int, Meta(ge=400, le=599)]
Code = Annotated[int, Meta(ge=-9999, le=-1000)]
Side = Literal["BUY", "SELL"]
OrderType = Literal[
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
]
PriceMatch = Literal[
    "OPPONENT",
    "OPPONENT_5",
    "OPPONENT_10",
    "OPPONENT_20",
    "QUEUE",
    "QUEUE_5",
    "QUEUE_10",
    "QUEUE_20",
]
SelfTradePrevention = Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"]
WorkingType = Literal["CONTRACT_PRICE", "MARK_PRICE"]
PositionSide = Literal["BOTH", "LONG", "SHORT"]
Cache = Literal["kept", "stale", "torn", "lost"]
TimeInForce = Literal["GTC", "IOC", "FOK", "GTD", "GTE_GTC"]
Shape = Literal["trade", "calculated"]
Status = Literal["TRADING", "TRADING_HALT", "PENDING_TRADING", "PRE_SETTLE", "SETTLING", "CLOSE"]
AccountState = Literal[
    "normal",
    "inactive",
    "unauthorized",
    "reduce-only",
    "large-position",
    "liquidation",
    "cooling-off",
]
MarginType = Literal["CROSSED", "ISOLATED"]
PositionMode = Literal["one-way", "hedge"]
ExpiryReason = Annotated[int, Meta(ge=0, le=11)]
Leverage = Annotated[int, Meta(ge=1, le=125)]
KeyType = Literal["hmac", "ed25519"]
EventOrder = Literal["reversed", "shuffled"]
Method = Literal["GET", "POST", "PUT", "DELETE"]
WsMethod = Literal[
    "session.logon",
    "session.status",
    "session.logout",
    "userDataStream.start",
    "userDataStream.ping",
    "userDataStream.stop",
    "order.place",
    "order.modify",
    "order.cancel",
    "order.status",
    "algoOrder.place",
    "algoOrder.cancel",
    "account.status",
    "account.balance",
    "account.position",
    "v2/account.status",
    "v2/account.balance",
    "v2/account.position",
    "depth",
    "ticker.price",
    "ticker.book",
]

# The venue takes client order ids of this form and no other.
OrderId = Annotated[
    str, Pattern("an order id of up to 36 letters, digits and ._:/-", r"[A-Za-z0-9._:/-]{1,36}")
]
Symbol = Annotated[str, Pattern("a venue symbol such as BTCUSDT", r"[A-Z0-9_]{2,30}")]
Asset = Annotated[str, Pattern("an asset such as USDT", r"[A-Z0-9]{1,20}")]
StrategyId = Annotated[
    str, Pattern("a strategy id such as S-001", r"[A-Za-z0-9]{1,30}(-[A-Za-z0-9]{1,30})+")
]
InstrumentId = Annotated[
    str,
    Pattern(
        "an instrument id such as BTCUSDT-PERP.BINANCE",
        r"[A-Z0-9_]{2,30}-PERP\.BINANCE(_[A-Z0-9_]{1,20})?",
    ),
]
AccountName = Annotated[str, Pattern("an account's name such as main", r"[a-z][a-z0-9_]{0,19}")]
KeyName = Annotated[str, Pattern("an API key's name such as trading", r"[a-z][a-z0-9_]{0,19}")]
NodeName = Annotated[str, Pattern("a node's name such as B", r"[A-Z][A-Za-z0-9]{0,9}")]
VenueName = Annotated[str, Pattern("a name of a venue such as BROKER", r"[A-Z][A-Z0-9_]{1,19}")]
EngineName = Annotated[
    str, Pattern("an engine name of lower-case letters, digits and _.:-", r"[a-z0-9_.:-]{1,80}")
]
Path = Annotated[str, Pattern("a path such as /fapi/v1/order", r"/[A-Za-z0-9/_.-]{0,99}")]
FieldPath = Annotated[
    str,
    Pattern(
        "a field such as symbols.0.timeInForce",
        r"([A-Za-z0-9_-]{1,40}|\*)(\.([A-Za-z0-9_-]{1,40}|\*)){0,9}",
    ),
]
HeaderName = Annotated[
    str, Pattern("a header's name such as X-MBX-USED-WEIGHT-1M", r"[A-Za-z][A-Za-z0-9-]{0,59}")
]
Json = Annotated[Any, AnyJson()]
ClientName = Annotated[str, Pattern("a client's name such as nt", r"[a-z][a-z0-9_]{0,19}")]
PointName = Annotated[
    str,
    Pattern("a point such as before reply 2 of GET /fapi/v1/order or after write 3", POINT),
]
OptionName = Annotated[str, Pattern("an option name", r"[a-z][a-z0-9_]{0,79}")]

MAIN_ACCOUNT = "main"
"""How the only account is called."""

FIRST_NODE = "A"
"""How the only node is called."""

EventType = Literal[
    "ORDER_TRADE_UPDATE",
    "ACCOUNT_UPDATE",
    "TRADE_LITE",
    "ACCOUNT_CONFIG_UPDATE",
    "ALGO_UPDATE",
    "MARGIN_CALL",
    "listenKeyExpired",
    "serverShutdown",
    "CONDITIONAL_ORDER_TRIGGER_REJECT",
    "STRATEGY_UPDATE",
    "GRID_UPDATE",
]
OrderExecution = Literal["NEW", "CANCELED", "CALCULATED", "EXPIRED", "TRADE", "AMENDMENT"]
AlgoStatus = Literal[
    "NEW", "CANCELED", "TRIGGERING", "TRIGGERED", "FINISHED", "REJECTED", "EXPIRED"
]
EXECUTIONS: dict[str, tuple[str, ...]] = {
    "ORDER_TRADE_UPDATE": get_args(OrderExecution),
    "ALGO_UPDATE": get_args(AlgoStatus),
}
"""What an event of that type may say has happened."""

ExecutionType = Literal[
    "NEW",
    "CANCELED",
    "CALCULATED",
    "EXPIRED",
    "TRADE",
    "AMENDMENT",
    "TRIGGERING",
    "TRIGGERED",
    "FINISHED",
    "REJECTED",
]
Read = Literal[
    "positionRisk",
    "userTrades",
    "openOrders",
    "order",
    "allOrders",
    "openAlgoOrders",
    "algoOrder",
    "allAlgoOrders",
    "account",
    "income",
]
READS: tuple[Read, ...] = get_args(Read)
PagedRead = Literal["userTrades", "allOrders", "allAlgoOrders", "income"]
TradeRead = Literal["userTrades", "income"]
TRADE_READS: tuple[TradeRead, ...] = get_args(TradeRead)
