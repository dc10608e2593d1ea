"""Faults of the events of the user data stream: which arrive, when, and what they say."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import msgspec

from sim.faults.base import Fault, Held, Holder, Passage
from sim.observation import Impairment
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

    def on_frame(self, frame: Frame, client: str, now_ns: int, passage: Passage) -> None:
        if not self._matches(frame, client, passage):
            return
        if frame.sequence != self._sequence:
            if self._is_used_up():
                return
            self._sequence = frame.sequence
            self._hits_event = self._hits()
            if self._hits_event:
                self.act("stream", now_ns)
        if self._hits_event:
            self.distort(passage)

    def _matches(self, frame: Frame, client: str, passage: Passage) -> bool:
        if passage.holder is not None or not passage.delays_ns:
            return False  # another fault has it already
        if self._client not in (None, client) or not self._is_of(frame):
            return False
        return all(
            wanted is None or getattr(frame, name) == wanted
            for name, wanted in self._wanted.items()
        )

    @abstractmethod
    def distort(self, passage: Passage) -> None:
        """Change what becomes of the frame."""


class DroppedFrame(FrameFault):
    """The frame never arrives."""

    def distort(self, passage: Passage) -> None:
        passage.delays_ns = []


class DuplicatedFrame(FrameFault):
    """The frame arrives, and again `copies` times, `by_ns` apart."""

    def __init__(self, label: str, *, copies: int, by_ns: int, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._copies = copies
        self._by_ns = by_ns

    def distort(self, passage: Passage) -> None:
        delays_ns, extra = passage.delays_ns, range(1, self._copies + 1)
        passage.delays_ns = delays_ns + [d + n * self._by_ns for d in delays_ns for n in extra]


class DelayedFrame(FrameFault):
    """The frame arrives late; frames sent after it do not wait for it."""

    def __init__(self, label: str, *, by_ns: int, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._by_ns = by_ns

    def distort(self, passage: Passage) -> None:
        passage.delays_ns = [delay + self._by_ns for delay in passage.delays_ns]


class AlteredFrame(FrameFault):
    """Something in the event is another than it was; what is not in it is no hit.

    ``alter`` returns what becomes of the decoded event, which it may change.
    """

    def __init__(self, label: str, *, alter: Callable[[Any], Any], **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self._alter = alter

    def _matches(self, frame: Frame, client: str, passage: Passage) -> bool:
        return super()._matches(frame, client, passage) and self._altered(passage.text) is not None

    def distort(self, passage: Passage) -> None:
        passage.text = self._altered(passage.text) or passage.text

    def _altered(self, text: str) -> str | None:
        try:
            whole = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return None
        before = msgspec.json.encode(whole)
        if isinstance(whole, dict) and whole.keys() == {"stream", "data"}:
            whole["data"] = self._alter(whole["data"])
        else:
            whole = self._alter(whole)
        after = msgspec.json.encode(whole)
        return None if after == before else after.decode()


class HeldFrames(FrameFault, Holder):
    """Frames are kept back and arrive together, in order, when it is over or holds enough."""

    def __init__(self, label: str, **wanted: Any) -> None:
        super().__init__(label, **wanted)
        self.held: list[Held] = []
        self.release_ns = self._until_ns
        self._since_ns: int | None = None

    @property
    def is_full(self) -> bool:
        """Whether it holds all that it wants."""
        return self._is_used_up()

    def on_frame(self, frame: Frame, client: str, now_ns: int, passage: Passage) -> None:
        super().on_frame(frame, client, now_ns, passage)
        if passage.holder is self and self._since_ns is None:
            self._since_ns = now_ns

    def distort(self, passage: Passage) -> None:
        passage.holder = self

    def let_go(self, now_ns: int) -> tuple[list[Held], str]:
        """Return what it held, in the order in which it goes on, and what it did, if anything."""
        held, self.held = self.held, []
        self._end_span(now_ns)
        return held, f"{len(held)} frames let go"

    def _end_span(self, now_ns: int) -> None:
        if self._since_ns is not None:
            span = Impairment("stream", self._since_ns, now_ns, self.node or "", self.account or "")
            self.impairments.append(span)
            self._since_ns = None


class ReorderedFrames(HeldFrames):
    """The frames of a stretch of time arrive at its end, in another order.

    The stretch begins with a frame that it hits and holds all those that match until its
    end.  ``within_type`` keeps the places of event types and changes only which event of
    a type comes when.  It has acted only where the order is another one.
    """

    def __init__(
        self,
        label: str,
        *,
        window_ns: int,
        order: str,
        within_type: bool,
        count: int | None = None,
        seed: int = 0,
        **wanted: Any,
    ) -> None:
        super().__init__(label, seed=seed, **wanted)
        self.release_ns = None
        self._window_ns = window_ns
        self._order = order
        self._within_type = within_type
        self._windows_left = count
        # Apart from the chance to hit, so that neither shifts the other.
        self._shuffle = random.Random(f"{seed}/order").shuffle  # noqa: S311 - reproducible

    def on_frame(self, frame: Frame, client: str, now_ns: int, passage: Passage) -> None:
        if not self._matches(frame, client, passage):
            return
        if self.release_ns is None:
            if self._windows_left == 0 or not self._hits():
                return
            if self._windows_left is not None:
                self._windows_left -= 1
            self.release_ns, self._since_ns = now_ns + self._window_ns, now_ns
        self.distort(passage)

    def let_go(self, now_ns: int) -> tuple[list[Held], str]:
        held, self.held = self.held, []
        self.release_ns = None
        groups: dict[Any, list[int]] = {}
        for place, each in enumerate(held):
            kind = each.frame.event if self._within_type else ""
            groups.setdefault((each.frame.connection_id, kind), []).append(place)
        permuted = list(held)
        for places in groups.values():
            others = list(reversed(places))
            if self._order == "shuffled":
                others = list(places)
                self._shuffle(others)
            for place, other in zip(places, others, strict=True):
                permuted[place] = held[other]
        if permuted == held:
            self._since_ns = None
            return held, ""
        self._end_span(now_ns)
        self.act("stream", now_ns)
        return permuted, f"{len(held)} frames in another order"
