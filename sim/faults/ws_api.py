"""Faults of the WebSocket API: how its requests are answered."""

from __future__ import annotations

from typing import Any

import msgspec

from sim.faults.base import Applied, Substitute
from sim.faults.requests import Interception
from sim.venue.wire import Response
from sim.venue.ws_api import PATH, VERB


class CallFault(Interception):
    """A fault of requests of the WebSocket API, of one method or of all."""

    def __init__(self, label: str, *, call: str | None = None, **limits: Any) -> None:
        path = None if call is None else f"{PATH}/{call}"
        super().__init__(label, method=VERB, path=path, **limits)


class FailedCall(CallFault):
    """A request of the WebSocket API answered with an error."""

    def __init__(
        self,
        label: str,
        *,
        status: int,
        code: int,
        message: str,
        after_ns: int = 0,
        applied: Applied = "never",
        **wanted: Any,
    ) -> None:
        super().__init__(label, **wanted)
        body = msgspec.json.encode({"code": code, "msg": message})
        self._substitute = Substitute(Response(status, (), body), applied, after_ns)

    @property
    def echo_ns(self) -> int:
        return self._substitute.after_ns

    def distortion(self, now_ns: int) -> Substitute:
        return self._substitute


class UnansweredCall(CallFault):
    """A request of the WebSocket API that is never answered, on a connection that stands."""

    def __init__(self, label: str, *, applied: Applied, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._applied = applied

    def distortion(self, now_ns: int) -> Substitute:
        return Substitute(None, self._applied)
