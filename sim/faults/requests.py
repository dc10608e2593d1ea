"""Faults of requests: their answers, and the state that reads show."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from sim.faults.base import Applied, Distortion, Fault, Late, Queued, Substitute
from sim.venue.params import parse
from sim.venue.wire import Request, Response
from sim.venue.ws_api import PATH, VERB


class RequestFault(Fault):
    """A fault of REST calls, chosen by what they ask for."""

    def __init__(
        self,
        label: str,
        *,
        path: str | None = None,
        method: str | None = None,
        symbol: str | None = None,
        client: str | None = None,
        **limits: Any,
    ) -> None:
        super().__init__(label, **limits)
        self._path = path
        self._method = method
        self._symbol = symbol
        self._client = client

    def _matches(self, request: Request) -> bool:
        """Whether a request is one of those that it is about."""
        return (
            # It is about REST calls, or about those of the WebSocket API.
            (request.method == VERB) == (self._method == VERB)
            and self._path in (None, request.path)
            and self._method in (None, request.method)
            and self._client in (None, request.client)
            and (self._symbol is None or self._symbol in symbols_of(request))
            and self._is_of(request)
        )


class Interception(RequestFault, ABC):
    """A fault that decides what becomes of a request before the venue has acted on it."""

    def on_request(self, request: Request, now_ns: int) -> Distortion | None:
        if not (self._matches(request) and self._is_open_to(request) and self._hits()):
            return None
        self.act(impaired_by(request), now_ns)
        return self.distortion(now_ns)

    def _is_open_to(self, request: Request) -> bool:
        """Whether it may hit a request that matches."""
        return True

    @abstractmethod
    def distortion(self, now_ns: int) -> Distortion:
        """Return what becomes of the request or of its answer."""


def symbols_of(request: Request) -> list[str]:
    """Return the symbols that a request names, in its query or in its form."""
    return [
        symbol
        for text in (request.query, request.body.decode(errors="replace"))
        for symbol in parse_qs(text).get("symbol", [])
    ]


def impaired_by(request: Request) -> str:
    """Return what a node lacks when a request fails, as `Impairment.kind`."""
    if request.method == VERB:
        return _impaired_by_call(request.path.removeprefix(f"{PATH}/"))
    if request.path.endswith("/listenKey"):
        return "stream"
    return "read" if request.method == "GET" else "command"


def _impaired_by_call(method: str) -> str:
    if method.startswith(("session.", "userDataStream.")):
        return "stream"
    is_order = method.startswith(("order.", "algoOrder.")) and not method.endswith(".status")
    return "command" if is_order else "read"


ENGINE_PATHS = frozenset(
    f"/fapi/v1/{name}"
    for name in ("order", "batchOrders", "allOpenOrders", "algoOrder", "algoOpenOrders")
)
"""What places, changes and cancels orders, when it is no GET."""


def is_order_command(request: Request) -> bool:
    """Whether a request goes to the matching engine."""
    return request.method != "GET" and request.path in ENGINE_PATHS


def only_reduces(request: Request) -> bool:
    """Whether a request cancels, or places an order that can only close or reduce a leg."""
    if request.method == "DELETE":
        return request.path in ENGINE_PATHS
    asked = parse(request.query, request.body)
    leg = (asked.get("side", "").upper(), asked.get("positionside", "").upper())
    return (
        asked.get("reduceonly", "").lower() == "true"
        or asked.get("closeposition", "").lower() == "true"
        or leg in (("SELL", "LONG"), ("BUY", "SHORT"))
    )


class FailedRequest(Interception):
    """A REST call answered with an error: one of Binance's own, see `sim.venue.replies`.

    Parameters
    ----------
    answer
        Makes the answer of the instant at which it is given.
    spares_reducing
        Whether it lets through what cancels, closes or reduces.
    after_ns, applied, late_ns
        See `Substitute`.
    """

    def __init__(
        self,
        label: str,
        *,
        answer: Callable[[int], Response],
        spares_reducing: bool = False,
        after_ns: int = 0,
        applied: Applied = "never",
        late_ns: int = 0,
        **wanted: Any,
    ) -> None:
        super().__init__(label, **wanted)
        self._answer = answer
        self._spares_reducing = spares_reducing
        self._applied = applied
        self._after_ns = after_ns
        self._late_ns = late_ns

    @property
    def echo_ns(self) -> int:
        return self._after_ns + self._late_ns

    def _is_open_to(self, request: Request) -> bool:
        return not (self._spares_reducing and only_reduces(request))

    def distortion(self, now_ns: int) -> Substitute:
        return Substitute(self._answer(now_ns), self._applied, self._after_ns, self._late_ns)


class LostReply(Interception):
    """A REST call whose answer never arrives; the connection breaks after a while."""

    def __init__(
        self, label: str, *, after_ns: int, applied: Applied, late_ns: int = 0, **wanted: Any
    ) -> None:
        super().__init__(label, **wanted)
        self._after_ns = after_ns
        self._applied = applied
        self._late_ns = late_ns

    @property
    def echo_ns(self) -> int:
        return self._after_ns + self._late_ns

    def distortion(self, now_ns: int) -> Substitute:
        return Substitute(None, self._applied, self._after_ns, self._late_ns)


PATIENCE_NS = 10_000_000_000
"""How long a client may wait for an answer before it asks again."""


class DelayedReply(Interception):
    """A REST call whose answer arrives late; it says what was true when it was made."""

    def __init__(self, label: str, *, by_ns: int, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._by_ns = by_ns

    @property
    def echo_ns(self) -> int:
        return self._by_ns

    @property
    def lingers_ns(self) -> int:
        return min(self._by_ns, PATIENCE_NS)

    def distortion(self, now_ns: int) -> Late:
        return Late(self._by_ns)


class QueuedOrders(Interception):
    """Requests that place, change or cancel orders wait before the matching engine has them."""

    def __init__(self, label: str, *, by_ns: int, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._by_ns = by_ns

    @property
    def echo_ns(self) -> int:
        return self._by_ns

    def _is_open_to(self, request: Request) -> bool:
        return is_order_command(request)

    def distortion(self, now_ns: int) -> Queued:
        return Queued(self._by_ns)


class Throttled(Interception):
    """Requests are answered with 429 for a time; who goes on has the whole address banned.

    Parameters
    ----------
    answer
        Makes the answer of an instant: whether it is a ban, and how long it will last.
    escalates_after
        How many are answered with 429 before the next one begins a ban; None is all.
    ban_ns
        How long the ban lasts, in which nothing is heard, whatever it is about.
    """

    def __init__(
        self,
        label: str,
        *,
        answer: Callable[[int, bool, int], Response],
        escalates_after: int | None,
        ban_ns: int,
        **wanted: Any,
    ) -> None:
        super().__init__(label, **wanted)
        self._answer = answer
        self._escalates_after = escalates_after
        self._ban_ns = ban_ns
        self._banned_until_ns = 0

    def on_request(self, request: Request, now_ns: int) -> Distortion | None:
        if now_ns >= self._banned_until_ns:
            if not (self._matches(request) and self._hits()):
                return None
            if self.activations == self._escalates_after:
                self._banned_until_ns = now_ns + self._ban_ns
                self._until_ns = max(self._until_ns or 0, self._banned_until_ns)
        self.act(impaired_by(request), now_ns)
        return self.distortion(now_ns)

    def distortion(self, now_ns: int) -> Substitute:
        is_banned = now_ns < self._banned_until_ns
        until_ns = self._banned_until_ns if is_banned else self._until_ns
        assert until_ns is not None
        return Substitute(self._answer(now_ns, is_banned, until_ns - now_ns), "never")
