"""The network between clients and the venue: latency, order, loss.

Every client reaches the venue through `Network`, whatever library it speaks.
The network knows bytes and instants, nothing of orders.

What may happen to a request: it takes time each way, drawn from the seed, and see
`http_calls`.
What may happen to a stream: frames of one connection arrive in the order in
which they were sent unless a fault reorders them; a closed connection gets
nothing more, and nothing is sent again.  A client that dies takes its sockets
with it, but a request that it has sent still arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, ClassVar

import msgspec

from sim.clock import NS_PER_MS, VirtualLoop
from sim.faults import Faults
from sim.points import Points
from sim.process import PROCESS, Process, refuse_the_dead
from sim.trace import Trace
from sim.transport.http_calls import Exchange, HttpCalls, NetworkError
from sim.transport.socket import Socket
from sim.transport.ws_calls import WsCalls
from sim.venue.errors import HandshakeRefused
from sim.venue.wire import Frame, Request, Response
from sim.venue.ws_api import is_ws_api

__all__ = ["DEFAULT_LATENCY_NS", "NETWORK", "Exchange", "Network", "NetworkError", "Socket"]

if TYPE_CHECKING:
    import random

    from sim.venue import Venue

type Latency = tuple[int, int]

DEFAULT_LATENCY_NS: Latency = (5 * NS_PER_MS, 25 * NS_PER_MS)
"""One way, lowest and highest.  A placeholder for a client near the venue."""


class Network:
    """Carries bytes between clients and one venue on a virtual loop."""

    carrier: ClassVar[type[HttpCalls]] = HttpCalls
    """What carries requests."""

    def __init__(
        self,
        loop: VirtualLoop,
        venue: Venue,
        faults: Faults,
        trace: Trace,
        rng: random.Random,
        points: Points,
        latency_ns: Latency = DEFAULT_LATENCY_NS,
        *,
        names_nodes: bool = False,
    ) -> None:
        self._loop = loop
        self._venue = venue
        self._faults = faults
        self._trace = trace
        self._rng = rng
        self._points = points
        self._latency_ns = latency_ns
        self._names_nodes = names_nodes
        self._context = copy_context()
        self._sockets: dict[int, Socket] = {}
        self._deadline: asyncio.TimerHandle | None = None
        self._deadline_ns: int | None = None
        self._is_flushing = False
        ways = (loop, venue, faults, trace, points, self._delay_ns, self.flush)
        self._http_calls = self.carrier(*ways)
        self._ws_calls = WsCalls(*ways)

    def pending(self) -> str | None:
        """Say what is on the way, None when nothing is."""
        for node, count in self._http_calls.unanswered.items():
            if count:
                whose = f" of node {node}" if node else ""
                return f"{count} requests{whose} are not answered"
        if any(s.busy_until_ns > self._loop.now_ns for s in self._sockets.values()):
            return "events are on the way"
        return None

    async def request(self, request: Request) -> Response:
        """Send a request and wait for its reply.

        Raises `NetworkError` when a fault loses the connection.
        """
        return await self._http_calls.request(request, self._node_of(PROCESS.get()))

    @property
    def reads(self) -> list[Exchange]:
        """The reads that were made so far."""
        return self._http_calls.reads

    # -- streams ------------------------------------------------------------------

    async def open_stream(
        self,
        url: str,
        client: str,
        on_frame: Callable[[str], None],
        on_close: Callable[[], None],
    ) -> Socket:
        """Open a connection to a stream or to the WebSocket API; `url` is its path and query.

        Raises `NetworkError` while a fault keeps the venue's streams down, or that API, and
        when the venue refuses the handshake.
        """
        process = PROCESS.get()
        refuse_the_dead(process)
        await asyncio.sleep(self._delay_ns() / 1e9)
        node, calls = self._node_of(process), is_ws_api(url)
        if self._faults.refuse_stream(client, node, is_ws_api=calls):
            raise NetworkError("connection refused")
        try:
            connection_id = self._venue.open_stream(url, self._loop.now_ns, client)
        except HandshakeRefused as e:
            raise NetworkError(str(e)) from None
        socket = Socket(self, connection_id, client, node, on_frame, on_close, is_ws_api=calls)
        self._sockets[connection_id] = socket
        what = "ws-api-open" if calls else "stream-open"
        self._trace.add(self._loop.now_ns, what, socket.speaker, str(connection_id))
        self.flush()
        return socket

    def send_text(self, socket: Socket, text: str) -> None:
        # One after the other, as on any connection.
        due_ns = max(self._loop.now_ns + self._delay_ns(), socket.last_sent_ns)
        socket.last_sent_ns = due_ns
        socket.busy_until_ns = max(socket.busy_until_ns, due_ns)
        self._loop.call_at_ns(due_ns, self._arrive_text, socket, text, context=self._context)

    def _arrive_text(self, socket: Socket, text: str) -> None:
        if socket.is_open and socket.is_ws_api:
            self._ws_calls.arrive(socket, text)
        elif socket.is_open:
            self._venue.receive_text(socket.connection_id, text, self._loop.now_ns)
            self.flush()

    def flush(self) -> None:
        """Put on the wire what the venue has to send, and watch its deadlines."""
        if self._is_flushing:
            return  # what was done at a named point; its events follow those at hand
        self._is_flushing = True
        while frames := self._venue.take_frames():
            for frame in frames:
                self._carry(frame)
        self._is_flushing = False
        for connection_id in self._venue.take_closed():
            socket = self._sockets.get(connection_id)
            if socket is not None:
                # What was sent before the end still arrives before it.
                self._loop.call_at_ns(
                    max(self._loop.now_ns + self._delay_ns(), socket.last_due_ns),
                    self._end,
                    socket,
                    context=socket.context,
                )
        deadline_ns = self._venue.next_deadline_ns()
        if deadline_ns == self._deadline_ns:
            return
        self._deadline_ns = deadline_ns
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if deadline_ns is not None:
            self._deadline = self._loop.call_at_ns(
                deadline_ns,
                self._on_deadline,
                context=self._context,
            )

    def _on_deadline(self) -> None:
        self._deadline = self._deadline_ns = None
        self._venue.advance(self._loop.now_ns)
        self.flush()

    def _carry(self, frame: Frame) -> None:
        socket = self._sockets.get(frame.connection_id)
        if socket is None:
            return
        if socket.node:
            frame = msgspec.structs.replace(frame, node=socket.node)
        self._points.happens("before event", socket.process, frame)
        if not socket.is_open:
            return
        now_ns = self._loop.now_ns
        due_ns = max(now_ns + self._delay_ns(), socket.last_due_ns)
        delays_ns = self._faults.on_frame(frame, socket.client, now_ns)
        if 0 in delays_ns:
            socket.last_due_ns = due_ns
        for delay_ns in delays_ns:
            socket.busy_until_ns = max(socket.busy_until_ns, due_ns + delay_ns)
            self._loop.call_at_ns(
                due_ns + delay_ns,
                self._deliver,
                socket,
                frame,
                context=socket.context,
            )

    def _deliver(self, socket: Socket, frame: Frame) -> None:
        if not socket.is_open:
            return
        what = " ".join(w for w in (frame.event, frame.execution, frame.client_order_id) if w)
        trade = f" trade {frame.trade_id}" if frame.trade_id else ""
        self._trace.add(self._loop.now_ns, "frame", socket.speaker, f"{what}{trade}")
        socket.on_frame(frame.text)
        self._points.happens("after event", socket.process, frame)

    # -- closing ------------------------------------------------------------------

    def drop(self, socket: Socket) -> None:
        """Forget a socket; what is on the wire for it is lost."""
        if socket.is_open:
            socket.is_open = False
            del self._sockets[socket.connection_id]
            self._venue.close_stream(socket.connection_id)
            what = "ws-api-close" if socket.is_ws_api else "stream-close"
            self._trace.add(self._loop.now_ns, what, socket.speaker, str(socket.connection_id))

    def _end(self, socket: Socket) -> None:
        if socket.is_open:
            self.drop(socket)
            socket.on_close()

    def drop_process(self, process: Process) -> None:
        """Close every socket of a process that has ended."""
        for socket in [s for s in self._sockets.values() if s.process is process]:
            self.drop(socket)

    def cut_streams(self, node: str | None = None, *, is_ws_api: bool = False) -> int:
        """Close the open streams, or those of one node, from the venue's side; return how many.

        With ``is_ws_api`` it is the connections to the WebSocket API that are closed.
        """
        cut = [
            socket
            for socket in self._sockets.values()
            if socket.is_ws_api == is_ws_api and node in (None, socket.node)
        ]
        for socket in cut:
            self.drop(socket)
            self._loop.call_soon(socket.on_close, context=socket.context)
        return len(cut)

    def _node_of(self, process: Process | None) -> str:
        """Return the node of a process, nothing where there is only one node."""
        return process.node_name if process is not None and self._names_nodes else ""

    # -- time ---------------------------------------------------------------------

    def _delay_ns(self) -> int:
        lowest_ns, highest_ns = self._latency_ns
        return lowest_ns + int(self._rng.random() * (highest_ns - lowest_ns + 1))

    def _later(self, delay_ns: int, callback: Callable[..., None], *args: object) -> None:
        # In the network's own context: what is on the wire outlives its sender.
        self._loop.call_at_ns(self._loop.now_ns + delay_ns, callback, *args, context=self._context)


NETWORK: ContextVar[Network] = ContextVar("NETWORK")
"""The network of the run in which the current code runs; unset outside of one."""
