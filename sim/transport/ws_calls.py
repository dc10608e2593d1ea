"""Requests of the WebSocket API on their way: text frames both ways, and faults between.

A request and its answer are each a frame of their own.  Faults see the request as one whose
method is ``WS`` and whose path is that of the API and its method.  An answer that is lost just
never comes; the connection stays.  Requests of one connection arrive in the order in which
they were sent, and so do the answers that no fault makes late.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING

import msgspec

from sim.faults import Faults, Late, Substitute
from sim.loops import Loop
from sim.points import Points
from sim.trace import Trace
from sim.venue.wire import Request, Response
from sim.venue.ws_api import answer_with

if TYPE_CHECKING:
    from sim.transport.socket import Socket
    from sim.venue import Venue


class WsCalls:
    """Carries what comes and goes on the connections to the WebSocket API."""

    def __init__(
        self,
        loop: Loop,
        venue: Venue,
        faults: Faults,
        trace: Trace,
        points: Points,
        delay_ns: Callable[[], int],
        flush: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._venue = venue
        self._faults = faults
        self._trace = trace
        self._points = points
        self._delay_ns = delay_ns
        self._flush = flush
        self._context = copy_context()

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
        late_ns, is_distorted = 0, fault is not None
        if isinstance(fault, Substitute):
            if fault.applied == "before":
                self._venue.answer(socket.connection_id, text, now_ns)
            response, late_ns = fault.response, fault.after_ns
            answer = None if response is None else answer_with(text, response)
        else:
            own = self._venue.answer(socket.connection_id, text, now_ns)
            answer = None if own is None else self._distorted(asked, own)
            is_distorted |= answer != own
            if isinstance(fault, Late):
                late_ns = fault.by_ns
        self._flush()
        said = "lost" if answer is None else answer
        self._trace.add(
            now_ns,
            "request",
            f"{socket.speaker} {asked.method} {asked.path}",
            f"{asked.query} -> {said}",
            "fault" if is_distorted else "",
        )
        if answer is not None:
            self._answer(socket, asked, answer, late_ns)
        if isinstance(fault, Substitute) and fault.applied == "after":
            at_ns = now_ns + fault.after_ns + fault.late_ns + self._delay_ns()
            self._loop.call_at_ns(at_ns, self._apply_late, socket, text, context=self._context)
        self._points.happens("after request", socket.process, asked)

    def _answer(self, socket: Socket, asked: Request, answer: str, late_ns: int) -> None:
        due_ns = self._loop.now_ns + late_ns + self._delay_ns()
        if not late_ns:  # what the venue answers late, others do not wait for
            due_ns = socket.last_due_ns = max(due_ns, socket.last_due_ns)
        socket.busy_until_ns = max(socket.busy_until_ns, due_ns)
        self._loop.call_at_ns(due_ns, self._deliver, socket, asked, answer, context=socket.context)

    def _distorted(self, asked: Request, answer: str) -> str:
        own = Response(200, (), answer.encode())
        return self._faults.on_response(asked, own, self._loop.now_ns).body.decode(errors="replace")

    def _apply_late(self, socket: Socket, text: str) -> None:
        if socket.is_open:
            self._venue.answer(socket.connection_id, text, self._loop.now_ns)
            self._flush()

    def _deliver(self, socket: Socket, asked: Request, answer: str) -> None:
        if not socket.is_open:
            return
        self._points.happens("before reply", socket.process, asked)
        if socket.is_open:
            socket.on_frame(answer)
            self._points.happens("after reply", socket.process, asked)
