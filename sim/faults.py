"""The faults: each distorts how the truth is seen or reached, never the truth.

The fault model, per channel:

* A **request** may be answered in the venue's place with an error, or never be
  answered, so that the client sees its connection break.  Whether the venue acted on
  it is the fault's own statement: ``never``, ``before`` that, or ``after`` it.  The
  venue's own answer may be late.  A request is never garbled on its way in and never
  executed twice.
* A **stream frame** may be dropped, repeated or late.  A frame is never altered
  and never invented.  Frames that no fault names stay in order.
* A **stream connection** may be cut, and new ones refused for a while.
* A **listen key** may expire early, with or without notice.
* A **read** may show the venue as it was some time ago.  It is never a mixture
  of two instants within one answer.

Every fault ends, by a count or by a time, so that a run can always recover.  A
fault that never did anything is reported: a scenario that names it shows nothing.

One event is one event: a fault that counts events hits each copy of it, on every
connection that gets one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import parse_qs

import msgspec

from sim.observation import Impairment
from sim.venue.wire import Frame, Request, Response

type Applied = Literal["never", "before", "after"]


class Substitute(msgspec.Struct, frozen=True):
    """What a client gets instead of the venue's answer, and what the venue did.

    Without a response its connection breaks.  Either reaches the client ``after_ns``
    later than an answer would.
    """

    response: Response | None
    applied: Applied
    after_ns: int = 0


class Late(msgspec.Struct, frozen=True):
    """The venue's own answer reaches the client so much later."""

    by_ns: int


class Fault:
    """One armed fault.  It says nothing and does nothing until it is asked.

    Parameters
    ----------
    label
        How it is named in a report: the words of the scenario.
    count
        How many times it acts; None is no limit.
    until_ns
        The instant at which it is healed; None is never.
    """

    def __init__(
        self, label: str, *, count: int | None = None, until_ns: int | None = None
    ) -> None:
        self.label = label
        self.activations = 0
        self.impairments: list[Impairment] = []
        self._count = count
        self._until_ns = until_ns

    def is_armed(self, now_ns: int) -> bool:
        """Whether it would still act."""
        return not self._is_over(now_ns) and not self._is_used_up()

    def _is_over(self, now_ns: int) -> bool:
        return self._until_ns is not None and now_ns >= self._until_ns

    def _is_used_up(self) -> bool:
        return self._count is not None and self.activations >= self._count

    def act(self, kind: str, now_ns: int) -> None:
        """Count one act, and note what it impairs: until it is healed, or at this instant."""
        self.activations += 1
        until_ns = now_ns if self._until_ns is None else self._until_ns
        if not any(i.kind == kind and i.until_ns == until_ns for i in self.impairments):
            self.impairments.append(Impairment(kind, now_ns, until_ns))

    def on_request(self, request: Request, now_ns: int) -> Substitute | Late | None:
        """Return what becomes of the answer to a request, if this changes it."""
        return None

    def on_frame(
        self, frame: Frame, client: str, now_ns: int, delays_ns: list[int]
    ) -> list[int] | None:
        """Return when copies of the frame are to arrive, or None to leave it alone.

        `delays_ns` holds one extra delay for each copy; it starts as ``[0]``.
        """
        return None


class RequestFault(Fault, ABC):
    """A fault of REST calls, chosen by what they ask for."""

    def __init__(
        self,
        label: str,
        *,
        path: str,
        method: str | None = None,
        symbol: str | None = None,
        client: str | None = None,
        count: int | None = None,
        until_ns: int | None = None,
    ) -> None:
        super().__init__(label, count=count, until_ns=until_ns)
        self._path = path
        self._method = method
        self._symbol = symbol
        self._client = client

    def on_request(self, request: Request, now_ns: int) -> Substitute | Late | None:
        if request.path != self._path:
            return None
        if self._method is not None and request.method != self._method:
            return None
        if self._client is not None and request.client != self._client:
            return None
        if self._symbol is not None and self._symbol not in symbols_of(request):
            return None
        self.act(impaired_by(request), now_ns)
        return self.distortion()

    @abstractmethod
    def distortion(self) -> Substitute | Late:
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
    if request.path.endswith("/listenKey"):
        return "stream"
    return "read" if request.method == "GET" else "command"


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
        applied: Applied = "never",
        **wanted: Any,
    ) -> None:
        super().__init__(label, **wanted)
        self._applied = applied
        if code is None:
            content, body = "text/html", (message or "").encode()
        else:
            content = "application/json"
            body = msgspec.json.encode({"code": code, "msg": message or "Injected error."})
        headers = [("Content-Type", content)]
        if retry_after_secs is not None:
            headers.append(("Retry-After", str(retry_after_secs)))
        self._response = Response(status, tuple(headers), body)

    def distortion(self) -> Substitute:
        return Substitute(self._response, self._applied)


class LostReply(RequestFault):
    """A REST call whose answer never arrives; the connection breaks after a while."""

    def __init__(self, label: str, *, after_ns: int, applied: Applied, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._after_ns = after_ns
        self._applied = applied

    def distortion(self) -> Substitute:
        return Substitute(None, self._applied, self._after_ns)


class DelayedReply(RequestFault):
    """A REST call whose answer arrives late; it says what was true when it was made."""

    def __init__(self, label: str, *, by_ns: int, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._by_ns = by_ns

    def distortion(self) -> Late:
        return Late(self._by_ns)


class FrameFault(Fault, ABC):
    """A fault of stream frames, chosen by what they are."""

    def __init__(
        self,
        label: str,
        *,
        event: str | None = None,
        execution: str | None = None,
        client_order_id: str | None = None,
        symbol: str | None = None,
        client: str | None = None,
        count: int | None = None,
        until_ns: int | None = None,
    ) -> None:
        super().__init__(label, count=count, until_ns=until_ns)
        self._client = client
        self._sequence = -1
        self._wanted = {
            "event": event,
            "execution": execution,
            "client_order_id": client_order_id,
            "symbol": symbol,
        }

    def is_armed(self, now_ns: int) -> bool:
        # The copies of the last event that it counted may still come.
        return not self._is_over(now_ns)

    def on_frame(
        self, frame: Frame, client: str, now_ns: int, delays_ns: list[int]
    ) -> list[int] | None:
        if self._client is not None and client != self._client:
            return None
        for name, wanted in self._wanted.items():
            if wanted is not None and getattr(frame, name) != wanted:
                return None
        if frame.sequence != self._sequence:
            if self._is_used_up():
                return None
            self._sequence = frame.sequence
            self.act("stream", now_ns)
        return self.distort(delays_ns)

    @abstractmethod
    def distort(self, delays_ns: list[int]) -> list[int]:
        """Return the delays of the copies that are to arrive."""


class DroppedFrame(FrameFault):
    """The frame never arrives."""

    def distort(self, delays_ns: list[int]) -> list[int]:
        return []


class DuplicatedFrame(FrameFault):
    """The frame arrives, and again `copies` times, `by_ns` apart."""

    def __init__(self, label: str, *, copies: int, by_ns: int, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._copies = copies
        self._by_ns = by_ns

    def distort(self, delays_ns: list[int]) -> list[int]:
        extra = range(1, self._copies + 1)
        return delays_ns + [delay + n * self._by_ns for delay in delays_ns for n in extra]


class DelayedFrame(FrameFault):
    """The frame arrives late; frames sent after it do not wait for it."""

    def __init__(self, label: str, *, by_ns: int, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._by_ns = by_ns

    def distort(self, delays_ns: list[int]) -> list[int]:
        return [delay + self._by_ns for delay in delays_ns]


class StreamOutage(Fault):
    """Streams are down: open ones are cut by the world, new ones refused here."""


class ReadLag(Fault):
    """Reads show the past; the world sets the lag, and what is read in it is counted here."""

    def __init__(self, label: str, *, reads: tuple[str, ...], until_ns: int) -> None:
        super().__init__(label, until_ns=until_ns)
        self._reads = reads

    def on_request(self, request: Request, now_ns: int) -> Substitute | None:
        if request.method == "GET" and request.path.rpartition("/")[2] in self._reads:
            self.act("lag", now_ns)
        return None


class Faults:
    """The faults of one run, in the order in which they were armed."""

    def __init__(self, now_ns: Callable[[], int], report: Callable[[Fault, str], None]) -> None:
        self._now_ns = now_ns
        self._report = report
        self._armed: list[Fault] = []
        self.all: list[Fault] = []
        self.last_act_ns = 0

    def arm(self, fault: Fault) -> None:
        self._armed.append(fault)
        self.all.append(fault)

    def heal(self) -> None:
        """Disarm all that is still armed."""
        self._armed.clear()

    def act(self, fault: Fault, what: str) -> None:
        """Take note that the world did for a fault what it says, to the stream."""
        fault.act("stream", self._now_ns())
        self._note(fault, what)

    def _note(self, fault: Fault, what: str) -> None:
        self.last_act_ns = self._now_ns()
        self._report(fault, what)

    def _live(self, now_ns: int) -> list[Fault]:
        if self._armed:
            self._armed = [fault for fault in self._armed if fault.is_armed(now_ns)]
        return self._armed

    def refuse_stream(self, client: str) -> bool:
        """Whether a client's new stream connection is refused; counts as an act."""
        for fault in self._live(self._now_ns()):
            if isinstance(fault, StreamOutage):
                self.act(fault, f"a stream of {client} refused")
                return True
        return False

    def on_request(self, request: Request, now_ns: int) -> Substitute | Late | None:
        """Return what the first fault makes of a request's answer, or None to let it through."""
        for fault in self._live(now_ns):
            distortion = fault.on_request(request, now_ns)
            if distortion is not None:
                self._note(fault, f"{request.client} {request.method} {request.path}")
                return distortion
        return None

    def on_frame(self, frame: Frame, client: str, now_ns: int) -> list[int]:
        """Return the extra delay of each copy of a frame that is to arrive."""
        delays_ns = [0]
        for fault in self._live(now_ns):
            before = fault.activations
            distorted = fault.on_frame(frame, client, now_ns, delays_ns)
            if distorted is not None:
                delays_ns = distorted
                if fault.activations > before:
                    self._note(fault, f"{frame.event} {frame.execution}".strip())
        return delays_ns

    def impairments(self) -> tuple[Impairment, ...]:
        """Return when what was impaired."""
        return tuple(i for fault in self.all for i in fault.impairments)

    def inert(self) -> list[str]:
        """Name the faults that never acted."""
        return [fault.label for fault in self.all if not fault.activations]
