"""The network between clients and the venue: latency, order, loss.

Every client reaches the venue through `Network`, whatever library it speaks.
The network knows bytes and instants, nothing of orders.

What may happen to a request: it takes time each way, drawn from the seed, and see
`http_calls`.
What may happen to a stream is said in `streams`.  A client that dies takes its sockets
with it, but a request that it has sent still arrives.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, ClassVar

from sim.faults import Faults
from sim.loops import Loop
from sim.points import Points
from sim.process import PROCESS
from sim.trace import Trace
from sim.transport.http_calls import Exchange, HttpCalls
from sim.transport.socket import NetworkError, Socket
from sim.transport.streams import DEFAULT_LATENCY_NS, Latency, StreamNetwork
from sim.transport.ws_calls import WsCalls
from sim.venue.wire import Request, Response

__all__ = ["DEFAULT_LATENCY_NS", "NETWORK", "Exchange", "Network", "NetworkError", "Socket"]

if TYPE_CHECKING:
    import random

    from sim.venue import Venue


class Network(StreamNetwork):
    """Carries bytes between clients and one venue on a virtual loop."""

    carrier: ClassVar[type[HttpCalls]] = HttpCalls
    """What carries requests."""

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
        super().__init__(
            loop, venue, faults, trace, rng, points, latency_ns, names_nodes=names_nodes
        )
        ways = (loop, venue, faults, trace, points, self._delay_ns, self.flush)
        self._http_calls = self.carrier(*ways)
        self._ws_calls = WsCalls(*ways)

    def pending(self) -> str | None:
        """Say what is on the way, None when nothing is."""
        for node, count in self._http_calls.unanswered.items():
            if count:
                whose = f" of node {node}" if node else ""
                return f"{count} requests{whose} are not answered"
        return "events are on the way" if self.is_carrying else None

    async def request(self, request: Request) -> Response:
        """Send a request and wait for its reply.

        Raises `NetworkError` when a fault loses the connection.
        """
        return await self._http_calls.request(request, self._node_of(PROCESS.get()))

    @property
    def reads(self) -> list[Exchange]:
        """The reads that were made so far."""
        return self._http_calls.reads

    def _arrive_text(self, socket: Socket, text: str) -> None:
        if socket.is_ws_api and socket.is_open:
            self._ws_calls.arrive(socket, text)
        else:
            super()._arrive_text(socket, text)


NETWORK: ContextVar[Network] = ContextVar("NETWORK")
"""The network of the run in which the current code runs; unset outside of one."""
