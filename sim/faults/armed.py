"""The faults of one run, asked about each request, frame and connection."""

from __future__ import annotations

from collections.abc import Callable

from sim.faults.base import Distortion, Fault, Passage, Refusal
from sim.observation import Impairment
from sim.venue.wire import Frame, Request, Response


class Faults:
    """The faults of one run, in the order in which they were armed."""

    def __init__(self, now_ns: Callable[[], int], report: Callable[[Fault, str], None]) -> None:
        self._now_ns = now_ns
        self._report = report
        self._armed: list[Fault] = []
        self.all: list[Fault] = []
        self.last_act_ns = 0
        """When the last act so far has had its effect."""

    def arm(self, fault: Fault) -> None:
        self._armed.append(fault)
        self.all.append(fault)

    def heal(self) -> None:
        """Disarm all that is still armed."""
        self._armed.clear()

    def act(self, fault: Fault, what: str, kind: str = "stream") -> None:
        """Take note that the world did for a fault what it says, and what it impairs."""
        fault.act(kind, self._now_ns())
        self.note(fault, what)

    def note(self, fault: Fault, what: str) -> None:
        """Take note of what a fault has done."""
        self.echo(self._now_ns() + fault.echo_ns)
        self._report(fault, what)

    def echo(self, until_ns: int) -> None:
        """Take note of when something that was done has its effect."""
        self.last_act_ns = max(self.last_act_ns, until_ns)

    def _live(self, now_ns: int) -> list[Fault]:
        if self._armed:
            self._armed = [fault for fault in self._armed if fault.is_armed(now_ns)]
        return self._armed

    def on_handshake(
        self, client: str, node: str = "", *, is_ws_api: bool = False
    ) -> Refusal | None:
        """Return what becomes of a client's new connection, None to let it through.

        It is one to a stream or to the WebSocket API.
        """
        now_ns = self._now_ns()
        for fault in self._live(now_ns):
            if fault.is_ws_api != is_ws_api:
                continue
            refusal = fault.on_handshake(client, node, now_ns)
            if refusal is not None:
                what = "connection to the WebSocket API" if is_ws_api else "stream"
                became = "is dead" if refusal.is_dead else "refused"
                self.note(fault, f"a {what} of {f'{node} {client}'.lstrip()} {became}")
                return refusal
        return None

    def on_request(self, request: Request, now_ns: int) -> Distortion | None:
        """Return what the first fault makes of a request's answer, or None to let it through."""
        for fault in self._live(now_ns):
            before = fault.activations
            distortion = fault.on_request(request, now_ns)
            if fault.activations > before:
                self.note(fault, f"{request.speaker} {request.method} {request.path}")
            if distortion is not None:
                return distortion
        return None

    def on_response(self, request: Request, response: Response, now_ns: int) -> Response:
        """Return what the faults make of the venue's own answer, one after the other."""
        for fault in self._live(now_ns):
            changed = fault.on_response(request, response, now_ns)
            if changed is not None:
                response = changed
                self.note(fault, f"{request.speaker} {request.method} {request.path}")
        return response

    def on_frame(self, frame: Frame, client: str, now_ns: int) -> Passage:
        """Return what becomes of a frame on its way to a client."""
        passage = Passage(frame.text, [0])
        for fault in self._live(now_ns):
            before = fault.activations
            fault.on_frame(frame, client, now_ns, passage)
            if fault.activations > before:
                self.note(fault, " ".join(filter(None, (frame.node, frame.event, frame.execution))))
        return passage

    def impairments(self) -> tuple[Impairment, ...]:
        """Return when what was impaired."""
        return tuple(i for fault in self.all for i in fault.impairments)

    def inert(self) -> list[str]:
        """Name the faults that never acted."""
        return [fault.label for fault in self.all if not fault.activations]
