"""The WebSocket API: requests and their answers on one connection, ``/ws-fapi/v1``.

Rules:

* One text frame is one request, ``{"id", "method", "params"}``; one answer has its id as it
  was sent, a status, and a result or an error.  What is not of this form is answered too,
  with -1135, under the id if that could be read.
* Each method of ``METHODS`` is what a REST endpoint is: the same handler, checks, weight and
  order count, through the same `Gateway`.  Nothing is decided here.
* A session is one connection's.  ``session.logon`` takes an Ed25519 key; from then on
  requests need neither key nor signature, and one that names a key counts for itself.
* A signature is over ``name=value`` of all parameters but itself, by name, joined by ``&``.
* An opened connection costs 5 of the address's weight, heard or not.
* Events do not come here: a listen key opens the stream that has them.

Nobody outside knows what the venue calls a method that it does not have; -1020 is taken.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, quote

import msgspec

from sim.venue import params as read
from sim.venue.calls import Backend, Call
from sim.venue.config import VenueConfig
from sim.venue.errors import HandshakeRefused, Rejection, malformed
from sim.venue.formats import to_ms
from sim.venue.keys import ApiKey
from sim.venue.rest import KEY, PUBLIC, ROUTES, SIGNED, Gateway, Route
from sim.venue.wire import Request, Response

PATH = "/ws-fapi/v1"
"""Where the WebSocket API is."""

VERB = "WS"
"""What stands for the HTTP method in a `Request` that is one of the WebSocket API."""

type Id = str | int | None

_ID = re.compile(r"[a-zA-Z0-9_-]{1,36}")

_encode = msgspec.json.Encoder().encode


def _nothing(backend: Backend, call: Call) -> bytes:
    return b"{}"


HANDSHAKE = Route(_nothing, PUBLIC, 5)

METHODS: dict[str, Route] = {
    "session.logon": Route(_nothing, SIGNED, 2),
    "session.status": Route(_nothing, PUBLIC, 2),
    "session.logout": Route(_nothing, PUBLIC, 2),
    "userDataStream.start": Route(ROUTES["POST", "/fapi/v1/listenKey"].handler, KEY, 5),
    "userDataStream.ping": Route(ROUTES["PUT", "/fapi/v1/listenKey"].handler, KEY, 1),
    "userDataStream.stop": Route(ROUTES["DELETE", "/fapi/v1/listenKey"].handler, KEY, 1),
    **{
        name: ROUTES[verb, f"/fapi/{path}"]
        for name, verb, path in (
            ("order.place", "POST", "v1/order"),
            ("order.modify", "PUT", "v1/order"),
            ("order.cancel", "DELETE", "v1/order"),
            ("order.status", "GET", "v1/order"),
            ("algoOrder.place", "POST", "v1/algoOrder"),
            ("algoOrder.cancel", "DELETE", "v1/algoOrder"),
            ("account.status", "GET", "v2/account"),
            ("account.balance", "GET", "v2/balance"),
            ("account.position", "GET", "v2/positionRisk"),
            ("v2/account.status", "GET", "v3/account"),
            ("v2/account.balance", "GET", "v3/balance"),
            ("v2/account.position", "GET", "v3/positionRisk"),
            ("depth", "GET", "v1/depth"),
            ("ticker.price", "GET", "v1/ticker/price"),
            ("ticker.book", "GET", "v1/ticker/bookTicker"),
        )
    },
}


class Session:
    """One connection, and who has logged on to it."""

    __slots__ = ("authorized_ms", "client", "connected_ms", "key", "shows_limits")

    def __init__(self, client: str, connected_ms: int, shows_limits: bool) -> None:
        self.client = client
        self.connected_ms = connected_ms
        self.shows_limits = shows_limits
        self.key: str | None = None
        self.authorized_ms: int | None = None


class Asked(msgspec.Struct, frozen=True):
    """One request as it was read; ``params`` as text, in the order of their names."""

    id: Id
    method: str
    params: dict[str, str]

    @property
    def signed_text(self) -> str:
        """What a signature has to be over."""
        return "&".join(f"{name}={text}" for name, text in self._unsigned())

    @property
    def query(self) -> str:
        """The parameters as a query."""
        return "&".join(f"{name}={quote(text, safe='')}" for name, text in self._unsigned())

    def _unsigned(self) -> list[tuple[str, str]]:
        return [(name, text) for name, text in self.params.items() if name != "signature"]


class Unreadable(Exception):
    """A frame that is no request; ``id`` is its id as far as it has a proper one."""

    def __init__(self, text: str, id: Id = None) -> None:  # noqa: A002 - the venue's word
        super().__init__(text)
        self.id = id


def is_ws_api(url_path_and_query: str) -> bool:
    """Whether a connection to that URL is one to the WebSocket API."""
    return url_path_and_query.partition("?")[0].rstrip("/") == PATH


def ask(text: str) -> Asked:
    """Return the request that a text frame is.  Raises `Unreadable`."""
    try:
        frame = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise Unreadable("Invalid JSON Request") from None
    if not isinstance(frame, dict):
        raise Unreadable("Invalid JSON Request")
    given, method, params = frame.get("id"), frame.get("method"), frame.get("params")
    if isinstance(given, bool) or not isinstance(given, str | int | None):
        raise Unreadable("Invalid 'id' in JSON request; expected an integer, a string or null.")
    if isinstance(given, str) and not _ID.fullmatch(given):
        raise Unreadable(
            "Invalid 'id' in JSON request; expected an integer, a string matching "
            "'^[a-zA-Z0-9-_]{1,36}$', or null."
        )
    if not isinstance(method, str):
        raise Unreadable("Invalid 'method' in JSON request; expected a string.", given)
    if not isinstance(params, dict | None):
        raise Unreadable("Invalid 'params' in JSON request; expected an object.", given)
    texts = {name: _text(value) for name, value in sorted((params or {}).items())}
    return Asked(given, method, texts)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else _encode(value).decode()


def envelope(
    id: Id,  # noqa: A002 - the venue's word
    response: Response,
    limits: list[dict[str, Any]] | None = None,
    now_ms: int = 0,
) -> str:
    """Return the text frame that answers with what a REST call would have been answered.

    Where that has a Retry-After this has the instants of the answer and of the next try.
    """
    answer: dict[str, Any] = {"id": id, "status": response.status}
    if response.status == 200:
        answer["result"] = msgspec.Raw(response.body)
    else:
        answer["error"] = msgspec.json.decode(response.body)
        if wait_secs := response.header("Retry-After"):
            retry_ms = now_ms + int(wait_secs) * 1000
            answer["error"]["data"] = {"serverTime": now_ms, "retryAfter": retry_ms}
    if limits is not None:
        answer["rateLimits"] = limits
    return _encode(answer).decode()


def answer_with(text: str, response: Response) -> str:
    """Return the frame that answers a request, which is a text frame, with that."""
    try:
        return envelope(ask(text).id, response)
    except Unreadable as e:
        return envelope(e.id, response)


class WsApi:
    """The connections to the WebSocket API of one venue."""

    def __init__(self, gateway: Gateway, config: VenueConfig) -> None:
        self._gateway = gateway
        self._config = config
        self._sessions: dict[int, Session] = {}

    def shake_hands(self, client: str, now_ns: int) -> None:
        """Count a handshake.  Raises `HandshakeRefused` where the address has no weight left."""
        request = Request("GET", PATH, client=client)
        response = self._gateway.serve(HANDSHAKE, request, now_ns)
        if response.status != 200:
            raise HandshakeRefused(response.status)

    def open(self, connection_id: int, url: str, client: str, now_ns: int) -> None:
        """Begin a session, with nobody logged on."""
        shown = parse_qs(url.partition("?")[2]).get("returnRateLimits", ["true"])
        self._sessions[connection_id] = Session(client, to_ms(now_ns), shown[0] != "false")

    def close(self, connection_id: int) -> None:
        """End the session of a connection, if it has one."""
        self._sessions.pop(connection_id, None)

    def request(self, connection_id: int, text: str) -> Request | None:
        """Return the request that a frame on a connection is, for faults and points to look at.

        None where the connection is another one, and where the frame is no request.
        """
        session = self._sessions.get(connection_id)
        try:
            return None if session is None else _request(session, ask(text))
        except Unreadable:
            return None

    def answer(self, connection_id: int, text: str, now_ns: int) -> str | None:
        """Answer a text frame; None where the connection is none of this API."""
        session = self._sessions.get(connection_id)
        if session is None:
            return None
        try:
            asked = ask(text)
        except Unreadable as e:
            return _refusal(e.id, -1135, str(e))
        route = METHODS.get(asked.method)
        if route is None:
            return _refusal(asked.id, -1020, "This operation is not supported.")

        def is_proven(key: ApiKey) -> bool:
            if asked.method == "session.logon" and key.key_type != "ed25519":
                raise Rejection(-4056, "Invalid api key type.")
            if session.key == key.api_key and "signature" not in asked.params:
                return True
            return key.has_signed(asked.signed_text, read.required(asked.params, "signature"))

        if asked.method == "session.logon" and not asked.params.get("apiKey"):
            return _refusal(asked.id, -1102, malformed("apiKey").text)
        response = self._gateway.serve(route, _request(session, asked), now_ns, is_proven)
        if response.status == 200 and asked.method.startswith("session."):
            body = self._session(session, asked, to_ms(now_ns))
            response = msgspec.structs.replace(response, body=body)
        shows = asked.params.get("returnRateLimits", str(session.shows_limits)).lower() == "true"
        limits = self._limits(response) if shows else None
        return envelope(asked.id, response, limits, to_ms(now_ns))

    def _session(self, session: Session, asked: Asked, now_ms: int) -> bytes:
        """Do what a method of the session does, once it is admitted, and return its result."""
        if asked.method == "session.logon":
            session.key, session.authorized_ms = asked.params["apiKey"], now_ms
            session.shows_limits = asked.params.get("returnRateLimits", "true") == "true"
        elif asked.method == "session.logout":
            session.key = session.authorized_ms = None
        result = {
            "apiKey": session.key,
            "authorizedSince": session.authorized_ms,
            "connectedSince": session.connected_ms,
            "returnRateLimits": session.shows_limits,
            "serverTime": now_ms,
        }
        return _encode(result)

    def _limits(self, response: Response) -> list[dict[str, Any]]:
        config = self._config
        counted = (
            ("X-MBX-USED-WEIGHT-1M", "REQUEST_WEIGHT", "MINUTE", 1, config.weight_limit_1m),
            ("X-MBX-ORDER-COUNT-10S", "ORDERS", "SECOND", 10, config.order_limit_10s),
            ("X-MBX-ORDER-COUNT-1M", "ORDERS", "MINUTE", 1, config.order_limit_1m),
        )
        return [
            {
                "rateLimitType": kind,
                "interval": interval,
                "intervalNum": number,
                "limit": limit,
                "count": int(count),
            }
            for header, kind, interval, number, limit in counted
            if (count := response.header(header)) is not None
        ]


def _request(session: Session, asked: Asked) -> Request:
    key = asked.params.get("apiKey") or session.key
    headers = () if key is None else (("X-MBX-APIKEY", key),)
    path = f"{PATH}/{asked.method}"
    return Request(VERB, path, asked.query, headers, client=session.client)


def _refusal(id: Id, code: int, text: str) -> str:  # noqa: A002 - the venue's word
    return envelope(id, Response(400, (), Rejection(code, text).body()))
