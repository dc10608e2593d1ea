"""Faults of requests: their answers, and the state that reads show."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import parse_qs

import msgspec

from sim.faults.base import Applied, Cut, Distortion, Fault, Late, Substitute
from sim.venue.wire import Request, Response
from sim.venue.ws_api import PATH, VERB


class RequestFault(Fault, ABC):
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

    def on_request(self, request: Request, now_ns: int) -> Distortion | None:
        if (request.method == VERB) != (self._method == VERB):
            return None  # a fault is of REST calls, or of those of the WebSocket API
        if self._path is not None and request.path != self._path:
            return None
        if self._method is not None and request.method != self._method:
            return None
        if self._client is not None and request.client != self._client:
            return None
        if self._symbol is not None and self._symbol not in symbols_of(request):
            return None
        if not self._is_of(request) or not self._hits():
            return None
        self.act(impaired_by(request), now_ns)
        return self.distortion()

    @abstractmethod
    def distortion(self) -> Distortion:
        """Return what becomes of the answer."""


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


class FailedRequest(RequestFault):
    """A REST call answered with an error status."""

    def __init__(
        self,
        label: str,
        *,
        status: int,
        code: int | None = None,
        message: str | None = None,
        retry_after_secs: int | None = None,
        after_ns: int = 0,
        applied: Applied = "never",
        **wanted: Any,
    ) -> None:
        super().__init__(label, **wanted)
        self._applied = applied
        self._after_ns = after_ns
        if code is None:
            content, body = "text/html", (message or "").encode()
        else:
            content = "application/json"
            body = msgspec.json.encode({"code": code, "msg": message or "Injected error."})
        headers = [("Content-Type", content)]
        if retry_after_secs is not None:
            headers.append(("Retry-After", str(retry_after_secs)))
        self._response = Response(status, tuple(headers), body)

    @property
    def echo_ns(self) -> int:
        return self._after_ns

    def distortion(self) -> Substitute:
        return Substitute(self._response, self._applied, self._after_ns)


class LostReply(RequestFault):
    """A REST call whose answer never arrives; the connection breaks after a while."""

    def __init__(self, label: str, *, after_ns: int, applied: Applied, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._after_ns = after_ns
        self._applied = applied

    @property
    def echo_ns(self) -> int:
        return self._after_ns

    def distortion(self) -> Substitute:
        return Substitute(None, self._applied, self._after_ns)


class DelayedReply(RequestFault):
    """A REST call whose answer arrives late; it says what was true when it was made."""

    def __init__(self, label: str, *, by_ns: int, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._by_ns = by_ns

    @property
    def echo_ns(self) -> int:
        return self._by_ns

    def distortion(self) -> Late:
        return Late(self._by_ns)


class TruncatedReply(RequestFault):
    """A REST call whose answer breaks off: half of it arrives, and says that all is well."""

    def distortion(self) -> Cut:
        return Cut()


class ReadLag(Fault):
    """Reads show the past; the world sets the lag, and what is read in it is counted here."""

    def __init__(self, label: str, *, reads: tuple[str, ...], until_ns: int) -> None:
        super().__init__(label, until_ns=until_ns)
        self._reads = reads

    def on_request(self, request: Request, now_ns: int) -> None:
        if request.method == "GET" and request.path.rpartition("/")[2] in self._reads:
            self.act("lag", now_ns)
