"""The stream half of the network: connections, and what is carried on them.

What may happen to a stream: frames of one connection arrive in the order in
which they were sent unless a fault reorders them; a closed connection gets
nothing more, and nothing is sent again.  Each frame has one verdict, see `deliveries`.
The way between client and venue may be dead while both think that it is open: then
nothing passes, and neither hears of the other's close.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING

import msgspec

from sim.clock import NS_PER_MS
from sim.faults import Faults, Held, Holder, Passage
from sim.loops import Loop, Timer
from sim.points import Points
from sim.process import PROCESS, Process, refuse_the_dead
from sim.trace import Trace
from sim.transport.deliveries import Deliveries
from sim.transport.socket import BROKEN, NetworkError, Socket
from sim.venue.errors import HandshakeRefused
from sim.venue.wire import Closing, Frame
from sim.venue.ws_api import is_ws_api

if TYPE_CHECKING:
    import random

    from sim.venue import Venue

type Latency = tuple[int, int]

DEFAULT_LATENCY_NS: Latency = (5 * NS_PER_MS, 25 * NS_PER_MS)
"""One way, lowest and highest.  A placeholder for a client near the venue."""


class StreamNetwork:
    """Carries frames between clients and one venue on a virtual loop."""

    def __init__(
        self,
        loop: Loop,
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
        self._deadline: Timer | None = None
        self._deadline_ns: int | None = None
        self._is_flushing = False
        self._holders: list[Holder] = []
        self.deliveries = Deliveries()

    def check_invariants(self) -> None:
        """Raise VenueInvariantError when a frame has not exactly one verdict."""
        self.deliveries.check(self._venue.streams.sent, self._loop.now_ns)

    @property
    def is_carrying(self) -> bool:
        """Whether frames are on the way or held back."""
        now_ns = self._loop.now_ns
        return any(s.busy_until_ns > now_ns for s in self._sockets.values()) or any(
            holder.held for holder in self._holders
        )

    def sockets(self, node: str | None = None, client: str | None = None) -> list[Socket]:
        """Return the open stream connections, or those of one node or client."""
        return [
            socket
            for socket in self._sockets.values()
            if not socket.is_ws_api
            and node in (None, socket.node)
            and client in (None, socket.client)
        ]

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
        refusal = self._faults.on_handshake(client, node, is_ws_api=calls)
        if refusal is not None and not refusal.is_dead:
            await asyncio.sleep(refusal.after_ns / 1e9)
            said = "connection refused" if refusal.status is None else f"HTTP {refusal.status}"
            raise NetworkError(said, refusal.status)
        if refusal is not None:
            url = "/ws"  # the key is left behind: nothing is ever said there
        try:
            connection_id = self._venue.open_stream(url, self._loop.now_ns, client)
        except HandshakeRefused as e:
            raise NetworkError(str(e), e.status) from None
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
        if socket.is_open and not socket.is_cut_off:
            self._venue.receive_text(socket.connection_id, text, self._loop.now_ns)
            self.flush()

    def flush(self) -> None:
        """Put on the wire what the venue has to send, and watch its deadlines."""
        if self._is_flushing:
            return  # what was done at a named point; its events follow those at hand
        self._is_flushing = True
        while frames := self._venue.take_frames():
            for frame in frames:
                self._release_full(before=frame)
                self._carry(frame)
        self._is_flushing = False
        self._release_full()
        for closing in self._venue.take_closed():
            self._close(closing)
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

    def _close(self, closing: Closing) -> None:
        socket = self._sockets.get(closing.connection_id)
        if socket is None:
            return
        if socket.is_cut_off:
            socket.is_given_up = True
            return
        # What was sent before the end still arrives before it.
        self._loop.call_at_ns(
            max(self._loop.now_ns + self._delay_ns(), socket.last_due_ns),
            self._end,
            socket,
            closing.code,
            context=socket.context,
        )

    def _carry(self, frame: Frame) -> None:
        self.deliveries.sent(frame)
        socket = self._sockets.get(frame.connection_id)
        if socket is None:
            self.deliveries.lose(frame.connection_id)
            return
        if socket.node:
            frame = msgspec.structs.replace(frame, node=socket.node)
        self._points.happens("before event", socket.process, frame)
        if not socket.is_open:
            return
        if socket.is_cut_off:
            self.deliveries.settle(frame, "lost")
            return
        latency_ns = self._delay_ns()
        passage = self._faults.on_frame(frame, socket.client, self._loop.now_ns)
        if not passage.delays_ns:
            self.deliveries.settle(frame, "dropped")
        elif passage.holder is not None:
            self._hold(passage.holder, Held(frame, passage, socket))
        else:
            in_order = passage.delays_ns == [0]
            self._send(socket, frame, passage, latency_ns, in_order=in_order)

    def _send(
        self, socket: Socket, frame: Frame, passage: Passage, latency_ns: int, *, in_order: bool
    ) -> None:
        due_ns = max(self._loop.now_ns + latency_ns, socket.last_due_ns)
        if 0 in passage.delays_ns:
            socket.last_due_ns = due_ns
        last_ns = due_ns + max(passage.delays_ns)
        self.deliveries.on_the_way(frame, len(passage.delays_ns), last_ns)
        if last_ns > due_ns:
            self._faults.echo(last_ns)  # delays add up
        for delay_ns in passage.delays_ns:
            socket.busy_until_ns = max(socket.busy_until_ns, due_ns + delay_ns)
            self._loop.call_at_ns(
                due_ns + delay_ns,
                self._deliver,
                socket,
                frame,
                passage.text,
                in_order,
                context=socket.context,
            )

    def _deliver(self, socket: Socket, frame: Frame, text: str, in_order: bool) -> None:
        if not socket.is_open:
            return
        self.deliveries.ends(frame, arrives=not socket.is_cut_off, in_order=in_order)
        if socket.is_cut_off:
            return
        what = " ".join(w for w in (frame.event, frame.execution, frame.client_order_id) if w)
        trade = f" trade {frame.trade_id}" if frame.trade_id else ""
        other = "" if text == frame.text else " altered"
        self._trace.add(self._loop.now_ns, "frame", socket.speaker, f"{what}{trade}{other}")
        socket.on_frame(text)
        self._points.happens("after event", socket.process, frame)

    def inject(self, socket: Socket, text: str, event: str) -> None:
        """Let a frame arrive on a connection that the venue has not sent."""
        now_ns = self._loop.now_ns
        due_ns = max(now_ns + self._delay_ns(), socket.last_due_ns)
        socket.last_due_ns = socket.busy_until_ns = due_ns
        frame = Frame(socket.connection_id, 0, text, "", event, now_ns, node=socket.node)

        def deliver() -> None:
            if socket.is_open and not socket.is_cut_off:
                self._trace.add(self._loop.now_ns, "frame", socket.speaker, f"injected {event}")
                socket.on_frame(text)
                self._points.happens("after event", socket.process, frame)

        self._loop.call_at_ns(due_ns, deliver, context=socket.context)

    # -- holding back ----------------------------------------------------------------

    def _hold(self, holder: Holder, held: Held) -> None:
        holder.held.append(held)
        if holder not in self._holders:
            self._holders.append(holder)
            if holder.release_ns is not None:
                self._loop.call_at_ns(
                    holder.release_ns, self._release, holder, context=self._context
                )

    def _release(self, holder: Holder) -> None:
        if holder not in self._holders:
            return
        self._holders.remove(holder)
        frames, what = holder.let_go(self._loop.now_ns)
        if what:
            self._faults.note(holder, what)
        latency_ns = self._delay_ns()
        for held in frames:
            if held.way.is_open:
                self._send(held.way, held.frame, held.passage, latency_ns, in_order=False)

    def _release_full(self, before: Frame | None = None) -> None:
        """Release what is full, before a frame that is no copy of the last event held."""
        for holder in [holder for holder in self._holders if holder.is_full]:
            if before is None or before.sequence != holder.held[-1].frame.sequence:
                self._release(holder)

    def release_all(self) -> None:
        """Let go what faults still hold back."""
        for holder in list(self._holders):
            self._release(holder)

    # -- dead paths ------------------------------------------------------------------

    def cut_off(self, sockets: list[Socket]) -> int:
        """Let nothing pass any more, either way; return by when the venue gives up on all."""
        for socket in sockets:
            socket.is_cut_off = True
        gives_up_ns = [
            self._venue.lose_pongs(socket.connection_id, self._loop.now_ns) for socket in sockets
        ]
        self.flush()
        return max(gives_up_ns)

    def reconnect(self, sockets: list[Socket]) -> None:
        """Let all pass again; the client of a connection that was given up hears of it now."""
        for socket in sockets:
            socket.is_cut_off = False
            if not socket.is_open:
                continue
            if socket.is_given_up:
                self._loop.call_soon(self._end, socket, BROKEN, context=socket.context)
            else:
                self._venue.hear_pongs(socket.connection_id)
        self.flush()

    # -- closing ------------------------------------------------------------------

    def drop(self, socket: Socket, code: int | None = None) -> None:
        """Forget a socket; what is on the wire for it is lost."""
        if not socket.is_open:
            return
        socket.is_open, socket.close_code = False, code
        del self._sockets[socket.connection_id]
        self.deliveries.lose(socket.connection_id)
        if not socket.is_cut_off:  # else the venue will notice only by itself
            self._venue.close_stream(socket.connection_id)
        what = "ws-api-close" if socket.is_ws_api else "stream-close"
        said = str(socket.connection_id) + (f" {code}" if code else "")
        self._trace.add(self._loop.now_ns, what, socket.speaker, said)

    def _end(self, socket: Socket, code: int) -> None:
        if socket.is_open and not socket.is_cut_off:
            self.drop(socket, code)
            socket.on_close()

    def drop_process(self, process: Process) -> None:
        """Close every socket of a process that has ended."""
        for socket in [s for s in self._sockets.values() if s.process is process]:
            self.drop(socket)

    def cut_streams(
        self, node: str | None = None, code: int = BROKEN, *, is_ws_api: bool = False
    ) -> int:
        """Close the open streams, or those of one node, from the venue's side; return how many.

        With ``is_ws_api`` it is the connections to the WebSocket API that are closed.
        """
        cut = [
            socket
            for socket in self._sockets.values()
            if socket.is_ws_api == is_ws_api and node in (None, socket.node)
        ]
        for socket in cut:
            self.drop(socket, code)
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
