"""The three ways in which the venue says no.

Rules:

* `Rejection` is Binance speaking to a client: an HTTP status and a body of
  ``{"code", "msg"}``.  It never leaves `Venue.handle`.
* `VenueError` is for whoever plays the world: it asked for something that cannot
  happen at a venue, such as a fill of a closed order.  A mistake in a scenario.
* `VenueInvariantError` is the fake contradicting itself.  A bug of the harness.
"""

from __future__ import annotations

import msgspec

# Binance's texts, verbatim; ``%s`` stands for what varies.
TEXTS: dict[int, str] = {
    -1000: "Unknown error, please check your request or try again later.",
    -1001: "Internal error; unable to process your request. Please try again.",
    -1002: "You are not authorized to execute this request.",
    -1003: (
        "Too many requests; current limit is %s requests per minute. "
        "Please use the websocket for live updates to avoid polling the API."
    ),
    -1006: "An unexpected response was received from the message bus. Execution status unknown.",
    -1007: (
        "Timeout waiting for response from backend server. "
        "Send status unknown; execution status unknown."
    ),
    -1008: (
        "Request throttled by system-level protection. "
        "Reduce-only/close-position orders are exempt. Please try again."
    ),
    -1015: "Too many new orders; current limit is %s orders per %s.",
    -1021: "Timestamp for this request is outside of the recvWindow.",
    -1022: "Signature for this request is not valid.",
    -1102: "Mandatory parameter '%s' was not sent, was empty/null, or malformed.",
    -1104: "Not all sent parameters were read; read '%s' parameter(s) but was sent '%s'.",
    -1106: "Parameter '%s' sent when not required.",
    -1111: "Precision is over the maximum defined for this asset.",
    -1114: "TimeInForce parameter sent when not required.",
    -1115: "Invalid timeInForce.",
    -1116: "Invalid orderType.",
    -1117: "Invalid side.",
    -1121: "Invalid symbol.",
    -1122: "Invalid symbol status.",
    -1125: "This listenKey does not exist.",
    -1127: "Lookup interval is too big. More than %s hours between startTime and endTime.",
    -1128: "Combination of optional parameters invalid.",
    -1130: "Data sent for parameter '%s' is not valid.",
    -1131: "recvWindow must be less than 60000.",
    -2007: "Invalid callBack rate.",
    -2011: "Unknown order sent.",
    -2013: "Order does not exist.",
    -2014: "API-key format invalid.",
    -2015: "Invalid API-key, IP, or permissions for action.",
    -2019: "Margin is insufficient.",
    -2021: "Order would immediately trigger.",
    -2022: "ReduceOnly Order is rejected.",
    -2023: "User in liquidation mode now.",
    -2025: "Reach max open order limit.",
    -2027: "Exceeded the maximum allowable position at current leverage.",
    -2028: "Leverage is smaller than permitted: insufficient margin balance.",
    -4001: "Price less than 0.",
    -4002: "Price greater than max price.",
    -4003: "Quantity less than or equal to zero.",
    -4004: "Quantity less than min quantity.",
    -4005: "Quantity greater than max quantity.",
    -4006: "Stop price less than zero.",
    -4013: "Price less than min price.",
    -4014: "Price not increased by tick size.",
    -4015: "Client order id length should be less than 36 chars.",
    -4016: "Limit price can't be higher than %s.",
    -4023: "Qty not increased by step size.",
    -4024: "Limit price can't be lower than %s.",
    -4028: "Leverage %s is not valid",
    -4045: "Reach max stop order limit.",
    -4046: "No need to change margin type.",
    -4047: "Margin type cannot be changed if there exists open orders.",
    -4048: "Margin type cannot be changed if there exists position.",
    -4049: "Add margin only support for isolated position.",
    -4050: "Cross balance insufficient.",
    -4051: "Isolated balance insufficient.",
    -4054: "Cannot add position margin: position is 0.",
    -4055: "Amount must be positive.",
    -4059: "No need to change position side.",
    -4060: "Invalid position side.",
    -4061: "Order's position side does not match user's setting.",
    -4067: "Position side cannot be changed if there exists open orders.",
    -4068: "Position side cannot be changed if there exists position.",
    -4082: "Invalid number of batch place orders.",
    -4083: "Invalid number of batch cancel orders.",
    -4109: "This account is inactive, please activate trading account first.",
    -4116: "ClientOrderId is duplicated.",
    -4118: "ReduceOnly Order Failed. Please check your existing position and open orders",
    -4120: (
        "Order type not supported for this endpoint. Please use the Algo Order API "
        "endpoints instead."
    ),
    -4130: (
        "An open stop or take profit order with GTE and closePosition in the direction is existing."
    ),
    -4131: "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
    -4135: "Invalid activation price.",
    -4136: "Target strategy invalid for orderType '%s',closePosition '%s'.",
    -4137: "Quantity must be zero with closePosition equals true.",
    -4138: "Reduce only must be true with closePosition equals true.",
    -4140: "Invalid symbol status for opening position.",
    -4141: "Symbol is closed.",
    -4161: "Leverage reduction is not supported in Isolated Margin Mode with open positions.",
    -4164: ("Order's notional must be no smaller than %s (unless you choose reduce only)."),
    -4165: "Maximum time interval is 7 days.",
    -4167: (
        "Unable to adjust to Multi-Assets mode with symbols of USD-M Futures under "
        "isolated-margin mode."
    ),
    -4168: "Unable to adjust to isolated-margin mode under the Multi-Assets mode.",
    -4170: "Unable to adjust Multi-Assets Mode with open orders in USD-M Futures.",
    -4171: "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
    -4192: "Trade forbidden due to Cooling-off Period.",
    -4400: (
        "Futures Trading Quantitative Rules violated, only reduceOnly order is allowed, "
        "please try again later."
    ),
    -4401: (
        "Futures Trading Risk Control Rules of large position holding violated, only "
        "reduceOnly order is allowed, please reduce the position."
    ),
    -4509: (
        "Time in Force (TIF) GTE can only be used with open positions. Please ensure that "
        "positions are available."
    ),
    -5021: (
        "Due to the order could not be filled immediately, the FOK order has been "
        "rejected. The order will not be recorded in the order history"
    ),
    -5022: (
        "Due to the order could not be executed as maker, the Post Only order will be "
        "rejected. The order will not be recorded in the order history"
    ),
    -5025: "Only limit order is supported.",
    -5026: "Exceed maximum modify order limit.",
    -5027: "No need to modify the order.",
    -5028: "Timestamp for this request is outside of the ME recvWindow.",
    -5040: (
        "The goodTillDate timestamp must be greater than the current time plus 600 "
        "seconds and smaller than 253402300799000"
    ),
}


AHEAD = "Timestamp for this request was 1000ms ahead of the server's time."
"""The other text of -1021."""

BANNED = (
    "Way too many requests; IP banned until %s. "
    "Please use the websocket for live updates to avoid bans."
)
"""The text of -1003 with status 418; the instant is in milliseconds."""

# What stands in a text where nothing better is known.
_TYPICAL: dict[int, tuple[str, ...]] = {
    -1003: ("2400",),
    -1015: ("300", "TEN_SECONDS"),
    -1102: ("timestamp",),
    -1104: ("9", "10"),
    -1106: ("reduceonly",),
    -1127: ("168",),
    -1130: ("limit",),
    -4016: ("55000",),
    -4024: ("45000",),
    -4028: ("126",),
    -4136: ("LIMIT", "true"),
    -4164: ("5",),
}


def text_of(code: int, *values: object) -> str:
    """Return the text of a code; what varies in it is as given, or typical.

    Raises KeyError for a code of which no text is known.
    """
    text = TEXTS[code]
    return text % (values or _TYPICAL.get(code, ())) if "%s" in text else text


class VenueError(Exception):
    """The world asked the venue for something that cannot happen there."""


class VenueInvariantError(Exception):
    """The venue's own books do not add up: a bug of the harness, never of a client."""


class HandshakeRefused(Exception):
    """A WebSocket handshake that the venue answers with an HTTP ``status`` of its own."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the handshake was answered {status}")
        self.status = status


class Rejection(Exception):
    """An error answer of Binance: ``code`` and ``text`` of the body, HTTP ``status``."""

    def __init__(
        self,
        code: int,
        text: str | None = None,
        status: int = 400,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.code = code
        self.text = text_of(code) if text is None else text
        self.status = status
        self.headers = headers
        super().__init__(f"{code} {self.text}")

    def body(self) -> bytes:
        """Return the JSON body of the answer."""
        return msgspec.json.encode({"code": self.code, "msg": self.text})


def malformed(name: str) -> Rejection:
    """Return -1102, the answer to a missing or unreadable mandatory parameter."""
    return Rejection(-1102, text_of(-1102, name))
