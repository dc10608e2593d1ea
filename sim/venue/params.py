"""Parameters of a request: parsing, typed access, and the signature check.

Rules:

* Parameters come from the query string, a form body, or both; the query wins.  Names
  are compared without case, the first of a repeated name counts.
* The signature is over the raw query without ``signature`` and then the raw body without
  it, joined by nothing.  A signature over the decoded text is accepted too unless the venue
  is strict.
* Unknown parameters are ignored.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from urllib.parse import unquote_plus

from sim.venue.errors import Rejection, malformed
from sim.venue.keys import ApiKey

type Params = dict[str, str]

_INTEGER = re.compile(r"-?\d{1,19}")
_DECIMAL = re.compile(r"-?\d{1,20}(\.\d{1,20})?")


KNOWN = frozenset(
    [
        "activateprice",
        "algoid",
        "algotype",
        "amount",
        "asset",
        "autoclosetype",
        "batchorders",
        "callbackrate",
        "clientalgoid",
        "closeposition",
        "contracttype",
        "countdowntime",
        "dualsideposition",
        "endtime",
        "feeburn",
        "fromid",
        "goodtilldate",
        "incometype",
        "interval",
        "leverage",
        "limit",
        "listenkey",
        "margintype",
        "multiassetsmargin",
        "newclientorderid",
        "neworderresptype",
        "orderid",
        "orderidlist",
        "origclientorderid",
        "origclientorderidlist",
        "page",
        "pair",
        "period",
        "positionside",
        "price",
        "pricematch",
        "priceprotect",
        "quantity",
        "recvwindow",
        "reduceonly",
        "selftradepreventionmode",
        "side",
        "signature",
        "starttime",
        "stopprice",
        "symbol",
        "timeinforce",
        "timestamp",
        "triggerprice",
        "type",
        "workingtype",
    ]
)
"""Every parameter that any endpoint has, in lower case."""


def parse(query: str, body: bytes) -> Params:
    """Return the parameters by lower-case name."""
    found: Params = {}
    for raw in (query, body.decode("utf-8", "replace")) if body else (query,):
        if raw[:1] in ("{", "["):
            continue  # a JSON body is not a form
        for part in raw.split("&"):
            if not part:
                continue
            if "%" in part or "+" in part:
                part = unquote_plus(part)
            name, _, value = part.partition("=")
            found.setdefault(name.lower(), value)
    return found


def _unsigned(raw: str) -> str:
    if "ignature=" not in raw and "signature=" not in raw.lower():
        return raw
    return "&".join(
        part for part in raw.split("&") if part.partition("=")[0].lower() != "signature"
    )


def signature_is_valid(query: str, body: bytes, signature: str, key: ApiKey, strict: bool) -> bool:
    """Tell whether the request was signed with that key."""
    signed = _unsigned(query)
    if body:
        signed += _unsigned(body.decode("utf-8", "replace"))
    if key.has_signed(signed, signature):
        return True
    decoded = unquote_plus(signed)
    return not strict and decoded != signed and key.has_signed(decoded, signature)


def required(params: Params, name: str) -> str:
    """Return a mandatory parameter.  Raises Rejection -1102."""
    value = params.get(name.lower(), "")
    if not value:
        raise malformed(name)
    return value


def optional_integer(params: Params, name: str) -> int | None:
    """Return an integer parameter or None.  Raises Rejection -1102."""
    text = params.get(name.lower())
    if not text:
        return None
    if not _INTEGER.fullmatch(text):
        raise malformed(name)
    return int(text)


def required_decimal(params: Params, name: str) -> Decimal:
    """Return a mandatory decimal parameter.  Raises Rejection -1102."""
    text = required(params, name)
    if not _DECIMAL.fullmatch(text):
        raise malformed(name)
    try:
        return Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern admits numbers only
        raise malformed(name) from None


def boolean(params: Params, name: str) -> bool | None:
    """Return a boolean parameter written in any case, or None.  Raises -1102."""
    text = params.get(name.lower(), "").lower()
    if text in ("true", "false"):
        return text == "true"
    if text:
        raise malformed(name)
    return None


def limit(params: Params, default: int, maximum: int) -> int:
    """Return ``limit``.  Raises Rejection -1130 outside 1 to ``maximum``."""
    value = optional_integer(params, "limit")
    if value is None:
        return default
    if not 1 <= value <= maximum:
        raise Rejection(-1130, "Data sent for parameter 'limit' is not valid.")
    return value
