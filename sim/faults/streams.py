"""Faults of the connections of the user data stream, and of its keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.faults.base import Fault, Refusal
from sim.faults.frames import DroppedFrame
from sim.venue.wire import Request
from sim.venue.ws_api import PATH, VERB


class StreamOutage(Fault):
    """Streams are down, or the WebSocket API: open ones are cut by the world, new ones refused
    here."""

    def __init__(self, label: str, *, is_ws_api: bool = False, **limits: Any) -> None:
        super().__init__(label, **limits)
        self.is_ws_api = is_ws_api

    def on_handshake(self, client: str, node: str, now_ns: int) -> Refusal | None:
        if self.node not in (None, node):
            return None
        self.act("stream", now_ns)
        return Refusal()


class RefusedHandshake(Fault):
    """New stream connections fail, or are accepted and stay silent; open ones go on."""

    def __init__(
        self, label: str, *, refusal: Refusal, client: str | None = None, **limits: Any
    ) -> None:
        super().__init__(label, **limits)
        self._refusal = refusal
        self._client = client

    def on_handshake(self, client: str, node: str, now_ns: int) -> Refusal | None:
        if self._client not in (None, client) or self.node not in (None, node):
            return None
        if not self._hits():
            return None
        self.act("stream", now_ns)
        return self._refusal


class MutedStreams(DroppedFrame):
    """No frame arrives, while connections stay open and pings are answered."""


_FOR_A_KEY = (("POST", "/fapi/v1/listenKey"), (VERB, f"{PATH}/userDataStream.start"))


class RotatedKey(Fault):
    """The next request for a listen key gets another key; the one before lives on."""

    def __init__(self, label: str, *, retire: Callable[[str], bool], **limits: Any) -> None:
        super().__init__(label, count=1, **limits)
        self._retire = retire

    def on_request(self, request: Request, now_ns: int) -> None:
        if (request.method, request.path) not in _FOR_A_KEY:
            return
        if self._is_of(request) and self._retire(request.header("X-MBX-APIKEY") or ""):
            self.act("stream", now_ns)
