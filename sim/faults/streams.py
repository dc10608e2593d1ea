"""Faults of the user data stream: its events and its connections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from sim.faults.base import Fault
from sim.venue.wire import Frame


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
        **limits: Any,
    ) -> None:
        super().__init__(label, **limits)
        self._client = client
        self._sequence = -1
        self._hits_event = False
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
        if self._client not in (None, client) or not self._is_of(frame):
            return None
        for name, wanted in self._wanted.items():
            if wanted is not None and getattr(frame, name) != wanted:
                return None
        if frame.sequence != self._sequence:
            if self._is_used_up():
                return None
            self._sequence = frame.sequence
            self._hits_event = self._hits()
            if self._hits_event:
                self.act("stream", now_ns)
        return self.distort(delays_ns) if self._hits_event else None

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

    @property
    def echo_ns(self) -> int:
        return self._copies * self._by_ns

    def distort(self, delays_ns: list[int]) -> list[int]:
        extra = range(1, self._copies + 1)
        return delays_ns + [delay + n * self._by_ns for delay in delays_ns for n in extra]


class DelayedFrame(FrameFault):
    """The frame arrives late; frames sent after it do not wait for it."""

    def __init__(self, label: str, *, by_ns: int, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._by_ns = by_ns

    @property
    def echo_ns(self) -> int:
        return self._by_ns

    def distort(self, delays_ns: list[int]) -> list[int]:
        return [delay + self._by_ns for delay in delays_ns]


class StreamOutage(Fault):
    """Streams are down, or the WebSocket API: open ones are cut by the world, new ones refused
    here."""

    def __init__(self, label: str, *, is_ws_api: bool = False, **limits: Any) -> None:
        super().__init__(label, **limits)
        self.is_ws_api = is_ws_api
