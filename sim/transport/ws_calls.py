"""Requests of the WebSocket API on their way: text frames both ways, and faults between.

A request and its answer are each a frame of their own.  Faults see the request as one whose
method is ``WS`` and whose path is that of the API and its method.  An answer that is lost just
never comes; the connection stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from sim.clock import VirtualLoop
from sim.faults import Cut, Faults, Late, Substitute
from sim.points import Points
from sim.trace import Trace
from sim.venue.wire import Request
from sim.venue.ws_api import answer_with

if TYPE_CHECKING:
    from sim.transport.socket import Socket
    from sim.venue import Venue

type Send = Callable[..., int]
"""Calls something after so many ns and one way's latency; returns when that is."""


class WsCalls:
    """Carries what comes and goes on the connections to the WebSocket API."""

    def __init__(
        self,
        loop: VirtualLoop,
        venue: Venue,
        faults: Faults,
        trace: Trace,
        points: Points,
        send: Send,
        flush: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._venue = venue
        self._faults = faults
        self._trace = trace
        self._points = points
        self._send = send
        self._flush = flush

    def arrive(self, socket: Socket, text: str) -> None:
        """Take a frame that has arrived at the venue, and send the answer on its way."""
        now_ns = self._loop.now_ns
        asked = self._venue.request_in(socket.connection_id, text)
        if asked is None:
            asked = Request("WS", "", client=socket.client)  # no fault is about such
        if socket.node:
            asked = msgspec.structs.replace(asked, node=socket.node)
        self._points.happens("before request", socket.process, asked)
        fault = self._faults.on_request(asked, now_ns)
        answer: str | None
        late_ns = 0
        if isinstance(fault, Substitute):
            if fault.applied == "before":
                self._venue.answer(socket.connection_id, text, now_ns)
            response, late_ns = fault.response, fault.after_ns
            answer = None if response is None else answer_with(text, response)
        else:
            answer = self._venue.answer(socket.connection_id, text, now_ns)
            if isinstance(fault, Late):
                late_ns = fault.by_ns
            if isinstance(fault, Cut) and answer is not None:
                answer = answer[: len(answer) // 2]
        self._flush()
        said = "lost" if answer is None else answer
        self._trace.add(
            now_ns,
            "request",
            f"{socket.speaker} {asked.method} {asked.path}",
            f"{asked.query} -> {said}{' (fault)' if fault else ''}",
        )
        if answer is not None:
            socket.busy_until_ns = max(
                socket.busy_until_ns, self._send(late_ns, self._deliver, socket, asked, answer)
            )
        if isinstance(fault, Substitute) and fault.applied == "after":
            self._send(fault.after_ns, self._apply_late, socket, text)
        self._points.happens("after request", socket.process, asked)

    def _apply_late(self, socket: Socket, text: str) -> None:
        if socket.is_open:
            self._venue.answer(socket.connection_id, text, self._loop.now_ns)
            self._flush()

    def _deliver(self, socket: Socket, asked: Request, answer: str) -> None:
        if not socket.is_open:
            return
        self._points.happens("before reply", socket.process, asked)
        if socket.is_open:
            socket.context.run(socket.on_frame, answer)
            self._points.happens("after reply", socket.process, asked)
