"""Requests on their way to the venue, and its answers on their way back.

A fault may answer a request in the venue's place or break the connection instead, before or
after the venue acted on it; it may let the request wait at the venue, and the answer on its
way; and the venue's own answer may arrive as another than it was sent.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING

import msgspec

from sim.clock import NS_PER_SEC
from sim.faults import Distortion, Faults, Late, Queued, Substitute, impaired_by
from sim.loops import Loop
from sim.points import Points
from sim.process import PROCESS, Process, refuse_the_dead
from sim.trace import Trace
from sim.transport.socket import NetworkError
from sim.venue.wire import Request, Response

if TYPE_CHECKING:
    from sim.venue import Venue


class Exchange(msgspec.Struct):
    """When a process asked and was answered; ``ended_ns`` is None while it is not.

    ``wait_ns`` is for how long the venue asked the client to stay away, 0 when it did not.
    """

    process: Process | None
    began_ns: int
    ended_ns: int | None = None
    wait_ns: int = 0


# "A 418 is an automated IP ban"; "IP bans are tracked and scale in duration ... from 2 minutes
# to 3 days"; weights are counted by the minute (Binance USD-M, "General Info").
_WAIT_WITHOUT_A_WORD_NS = {429: 60 * NS_PER_SEC, 418: 120 * NS_PER_SEC}


class Arrival(msgspec.Struct, frozen=True, eq=False):
    """A request that has arrived at the venue, and who waits for its answer."""

    request: Request
    exchange: Exchange
    reply: asyncio.Future[Response]
    arrived_ns: int


class HttpCalls:
    """Carries requests and their answers.

    ``unanswered`` counts those that are under way by node, ``reads`` are those that were reads.
    """

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
        self.unanswered: Counter[str] = Counter()
        self.reads: list[Exchange] = []

    async def request(self, request: Request, node: str) -> Response:
        """Send a request of a node and wait for its reply.

        Raises `NetworkError` when a fault loses the connection.
        """
        process = PROCESS.get()
        refuse_the_dead(process)
        if node:
            request = msgspec.structs.replace(request, node=node)
        exchange = Exchange(process, self._loop.now_ns)
        if impaired_by(request) == "read":
            self.reads.append(exchange)
        self.unanswered[request.node] += 1
        reply: asyncio.Future[Response] = self._loop.create_future()
        self._send(0, self.arrive, request, exchange, reply)
        return await reply

    def arrive(self, request: Request, exchange: Exchange, reply: asyncio.Future[Response]) -> None:
        """Take a request that has arrived at the venue."""
        now_ns = self._loop.now_ns
        self._points.happens("before request", exchange.process, request)
        fault = self._faults.on_request(request, now_ns)
        arrival = Arrival(request, exchange, reply, now_ns)
        if isinstance(fault, Queued):
            self._later(fault.by_ns, self._act, arrival, fault)
        else:
            self._act(arrival, fault)

    def _act(self, arrival: Arrival, fault: Distortion | None) -> None:
        """Have the venue act on a request that has arrived, or not, and send the answer."""
        request, now_ns = arrival.request, self._loop.now_ns
        response: Response | None
        late_ns, is_distorted = 0, fault is not None
        if isinstance(fault, Substitute):
            if fault.applied == "before":
                self._venue.handle(request, now_ns)
            response, late_ns = fault.response, fault.after_ns
        else:
            own = self._venue.handle(request, now_ns, arrival.arrived_ns)
            response = self._faults.on_response(request, own, now_ns)
            is_distorted |= response is not own
            late_ns = fault.by_ns if isinstance(fault, Late) else 0
        self._flush()
        query = request.query.partition("&signature=")[0]
        said = "lost" if response is None else str(response.status)
        asked = f"{request.speaker} {request.method} {request.path}"
        mark = "fault" if is_distorted else ""
        self._trace.add(now_ns, "request", asked, f"{query} -> {said}", mark)
        self._send(late_ns, self._answer, arrival, response, fault)
        self._points.happens("after request", arrival.exchange.process, request)

    def _apply_late(self, arrival: Arrival) -> None:
        self._venue.handle(arrival.request, self._loop.now_ns, arrival.arrived_ns)
        self._flush()

    def _answer(
        self, arrival: Arrival, response: Response | None, fault: Distortion | None
    ) -> None:
        request, exchange, reply = arrival.request, arrival.exchange, arrival.reply
        if isinstance(fault, Substitute) and fault.applied == "after":
            self._send(fault.late_ns, self._apply_late, arrival)
        self.unanswered[request.node] -= 1
        exchange.ended_ns = self._loop.now_ns
        exchange.wait_ns = 0 if response is None else _wait_ns(response)
        process = exchange.process
        if response is not None and not reply.done():
            self._points.happens("before reply", process, request)
        if reply.done() or (process is not None and not process.alive):
            return
        if response is None:
            reply.set_exception(NetworkError("connection reset by peer"))
        else:
            reply.set_result(response)
            self._points.happens("after reply", process, request)

    def _send(self, late_ns: int, callback: Callable[..., None], *args: object) -> None:
        """Call something when what is sent ``late_ns`` from now arrives."""
        self._later(late_ns + self._delay_ns(), callback, *args)

    def _later(self, after_ns: int, callback: Callable[..., None], *args: object) -> None:
        # In the network's own context: what is on the wire outlives its sender.
        self._loop.call_at_ns(self._loop.now_ns + after_ns, callback, *args, context=self._context)


def _wait_ns(response: Response) -> int:
    """How long an answer asks the client to stay away: as it says, else as Binance documents."""
    if response.status not in _WAIT_WITHOUT_A_WORD_NS:
        return 0
    secs = response.header("Retry-After")
    if secs is None:
        return _WAIT_WITHOUT_A_WORD_NS[response.status]
    return int(secs) * NS_PER_SEC
