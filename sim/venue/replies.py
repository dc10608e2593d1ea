"""The error answers of Binance by name, as its gateway, its firewall and its engine give them.

Rules:

* A name stands for a status, a code, a text and a form.  Without a code the body is no JSON.
* ``is_ambiguous`` says that a client cannot know by the answer whether it was carried out.
* What varies in a text (a limit, the end of a ban) is filled in when the answer is given.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sim.venue.config import VenueConfig
from sim.venue.errors import AHEAD, BANNED, TEXTS, text_of
from sim.venue.formats import to_ms
from sim.venue.wire import Headers, Response

type Form = Literal["json", "text", "html", "empty"]

ErrorName = Literal[
    "timestamp-too-old",
    "timestamp-ahead",
    "engine-window-over",
    "unknown-order",
    "no-such-order",
    "duplicate-client-order-id",
    "too-many-orders",
    "reduce-only-rejected",
    "position-side-mismatch",
    "post-only-rejected",
    "fill-or-kill-rejected",
    "margin-insufficient",
    "notional-too-small",
    "position-limit-exceeded",
    "bad-signature",
    "bad-api-key-format",
    "api-key-refused",
    "firewall",
    "timeout",
    "unexpected-response",
    "too-many-requests",
    "banned",
    "unknown-error",
    "service-unavailable",
    "throttled",
    "internal-error",
    "bad-gateway",
    "bad-gateway-empty",
    "gateway-timeout",
    "gateway-timeout-empty",
]


class ErrorReply(msgspec.Struct, frozen=True):
    """One kind of error answer.

    ``retry_after_secs`` is what its header says unless told otherwise, None for no header.
    ``spares_reducing`` says that it never meets cancels and orders that only close or reduce.
    """

    status: int
    code: int | None = None
    text: str = ""
    form: Form = "json"
    is_ambiguous: bool = False
    retry_after_secs: int | None = None
    spares_reducing: bool = False


def _page(title: str, server: str) -> str:
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>{server}</center>\r\n"
        "</body>\r\n</html>\r\n"
    )


ERROR_REPLIES: dict[ErrorName, ErrorReply] = {
    "timestamp-too-old": ErrorReply(400, -1021),
    "timestamp-ahead": ErrorReply(400, -1021, AHEAD),
    "engine-window-over": ErrorReply(400, -5028),
    "unknown-order": ErrorReply(400, -2011),
    "no-such-order": ErrorReply(400, -2013),
    "duplicate-client-order-id": ErrorReply(400, -4116),
    "too-many-orders": ErrorReply(429, -1015, retry_after_secs=10),
    "reduce-only-rejected": ErrorReply(400, -2022),
    "position-side-mismatch": ErrorReply(400, -4061),
    "post-only-rejected": ErrorReply(400, -5022),
    "fill-or-kill-rejected": ErrorReply(400, -5021),
    "margin-insufficient": ErrorReply(400, -2019),
    "notional-too-small": ErrorReply(400, -4164),
    "position-limit-exceeded": ErrorReply(400, -2027),
    "bad-signature": ErrorReply(400, -1022),
    "bad-api-key-format": ErrorReply(401, -2014),
    "api-key-refused": ErrorReply(401, -2015),
    "firewall": ErrorReply(403, None, _page("403 Forbidden", "CloudFront"), "html"),
    "timeout": ErrorReply(408, -1007, is_ambiguous=True),
    "unexpected-response": ErrorReply(503, -1006, is_ambiguous=True),
    "too-many-requests": ErrorReply(429, -1003, retry_after_secs=5),
    "banned": ErrorReply(418, -1003, BANNED, retry_after_secs=120),
    "unknown-error": ErrorReply(503, -1000, is_ambiguous=True),
    "service-unavailable": ErrorReply(503, None, "Service Unavailable.", "text"),
    "throttled": ErrorReply(503, -1008, spares_reducing=True),
    "internal-error": ErrorReply(503, -1001),
    "bad-gateway": ErrorReply(
        502, None, _page("502 Bad Gateway", "nginx"), "html", is_ambiguous=True
    ),
    "bad-gateway-empty": ErrorReply(502, None, "", "empty", is_ambiguous=True),
    "gateway-timeout": ErrorReply(
        504, None, _page("504 Gateway Time-out", "nginx"), "html", is_ambiguous=True
    ),
    "gateway-timeout-empty": ErrorReply(504, None, "", "empty", is_ambiguous=True),
}

_CONTENT: dict[Form, str] = {
    "json": "application/json",
    "text": "text/plain",
    "html": "text/html",
    "empty": "text/plain",
}


def reply_of(status: int, code: int | None, message: str | None = None) -> ErrorReply:
    """Return the error answer of that status and code; ``message`` is in place of its text.

    Without code and message it is the page that Binance's gateway has for the status, if any.
    Raises KeyError when the venue has no text for the code.
    """
    named = next((r for r in ERROR_REPLIES.values() if (r.status, r.code) == (status, code)), None)
    if message is not None:
        form: Form = "html" if code is None else "json"
        spares = named is not None and named.spares_reducing
        return ErrorReply(status, code, message, form, spares_reducing=spares)
    if named is not None:
        # What such an answer says about waiting is said only where it is asked for.
        return msgspec.structs.replace(named, retry_after_secs=None)
    return ErrorReply(status, code, form="empty") if code is None else _of_code(status, code)


def _of_code(status: int, code: int) -> ErrorReply:
    text_of(code)
    return ErrorReply(status, code, spares_reducing=code == -1008)


def has_text(code: int) -> bool:
    """Whether the venue has a text for that code."""
    return code in TEXTS


def response_of(
    reply: ErrorReply, config: VenueConfig, now_ns: int, retry_after_secs: int | None = None
) -> Response:
    """Return an error answer as it is given at an instant.

    ``retry_after_secs`` goes into the header in place of the answer's own.
    """
    secs = reply.retry_after_secs if retry_after_secs is None else retry_after_secs
    headers: Headers = (("Content-Type", _CONTENT[reply.form]),)
    if secs is not None:
        headers += (("Retry-After", str(secs)),)
    return Response(reply.status, headers, _body(reply, config, now_ns, secs))


def _body(reply: ErrorReply, config: VenueConfig, now_ns: int, secs: int | None) -> bytes:
    code, text = reply.code, reply.text
    if code == -1000 and config.unknown_error_code is None:
        return msgspec.json.encode({"msg": text or text_of(-1000)})
    if code is None:
        return text.encode()
    if text == BANNED:
        text %= to_ms(now_ns) + (secs or 0) * 1000
    elif not text:
        text = text_of(code, *_values(code, config))
    return msgspec.json.encode({"code": code, "msg": text})


def _values(code: int, config: VenueConfig) -> tuple[object, ...]:
    match code:
        case -1003:
            return (config.weight_limit_1m,)
        case -1015:
            return (config.order_limit_10s, "TEN_SECONDS")
    return ()
