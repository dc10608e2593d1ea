"""What every fault has: when it is armed, how often it acts, what it impairs."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from typing import Any, Literal

import msgspec

from sim.observation import Impairment
from sim.venue.wire import Frame, Request, Response

type Applied = Literal["never", "before", "after"]


class Substitute(msgspec.Struct, frozen=True):
    """What a client gets instead of the venue's answer, and what the venue did.

    Without a response its connection breaks.  Either reaches the client ``after_ns``
    later than an answer would.  What is applied after that is so ``late_ns`` later.
    """

    response: Response | None
    applied: Applied
    after_ns: int = 0
    late_ns: int = 0


class Late(msgspec.Struct, frozen=True):
    """The venue's own answer reaches the client so much later."""

    by_ns: int


class Queued(msgspec.Struct, frozen=True):
    """The venue admits the request, and carries it out so much later."""

    by_ns: int


type Distortion = Substitute | Late | Queued


class Refusal(msgspec.Struct, frozen=True):
    """What becomes of the handshake of a stream connection.

    Without a ``status`` nobody answers; with ``is_dead`` it succeeds, and nothing ever comes.
    The client knows after ``after_ns``.
    """

    status: int | None = None
    after_ns: int = 0
    is_dead: bool = False


class Passage(msgspec.Struct):
    """What becomes of one frame on its way to one connection.

    ``delays_ns`` has the extra delay of each copy that arrives; without any the frame is
    lost.  ``holder`` keeps it back until it lets all that it holds go.
    """

    text: str
    delays_ns: list[int]
    holder: Holder | None = None


class Held(msgspec.Struct, frozen=True):
    """A frame that is kept back, as it will go on; ``way`` is the connection that it is for."""

    frame: Frame
    passage: Passage
    way: Any


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
    skip
        How many that it could hit it lets pass first.
    probability
        The chance with which it hits one; None is each.
    seed
        Where that chance comes from.
    node
        The only node that it is about; None is each.
    account
        The only account that it is about; None is each.
    api_keys
        The API keys of that account.
    """

    is_ws_api = False
    """Whether the connections that it is about are those to the WebSocket API."""

    def __init__(
        self,
        label: str,
        *,
        count: int | None = None,
        until_ns: int | None = None,
        skip: int = 0,
        probability: float | None = None,
        seed: int = 0,
        node: str | None = None,
        account: str | None = None,
        api_keys: frozenset[str] | None = None,
    ) -> None:
        self.label = label
        self.node = node
        self.account = account
        self._api_keys = api_keys
        self.activations = 0
        self.impairments: list[Impairment] = []
        self._count = count
        self._until_ns = until_ns
        self._skip = skip
        self._probability = probability
        self._rng = random.Random(seed)  # noqa: S311 - reproducible by design

    def _is_of(self, message: Request | Frame) -> bool:
        """Whether a message belongs to the node and the account that it is about."""
        if self.node not in (None, message.node):
            return False
        if isinstance(message, Frame):
            return self.account in (None, message.account)
        return self._api_keys is None or message.header("X-MBX-APIKEY") in self._api_keys

    def _hits(self) -> bool:
        """Whether it hits one that it could hit."""
        if self._skip:
            self._skip -= 1
            return False
        return self._probability is None or self._rng.random() < self._probability

    @property
    def echo_ns(self) -> int:
        """How long after an act its effect comes."""
        return 0

    @property
    def lingers_ns(self) -> int:
        """How long after its end a client may still wait for what it has hit."""
        return 0

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
        until_ns = (now_ns if self._until_ns is None else self._until_ns) + self.lingers_ns
        if not any(i.kind == kind and i.until_ns == until_ns for i in self.impairments):
            self.impairments.append(
                Impairment(kind, now_ns, until_ns, self.node or "", self.account or "")
            )

    def on_request(self, request: Request, now_ns: int) -> Distortion | None:
        """Return what becomes of the answer to a request, if this changes it."""
        return None

    def on_response(self, request: Request, response: Response, now_ns: int) -> Response | None:
        """Return what becomes of the venue's own answer, None to leave it alone."""
        return None

    def on_frame(self, frame: Frame, client: str, now_ns: int, passage: Passage) -> None:
        """Change what becomes of a frame, if it is one of those that this is about."""

    def on_handshake(self, client: str, node: str, now_ns: int) -> Refusal | None:
        """Return what becomes of a client's new stream connection, if this changes it."""
        return None


class Holder(Fault, ABC):
    """What keeps frames back; ``release_ns`` is when it lets them go, None while nobody knows."""

    held: list[Held]
    release_ns: int | None

    @property
    @abstractmethod
    def is_full(self) -> bool:
        """Whether it holds all that it wants."""

    @abstractmethod
    def let_go(self, now_ns: int) -> tuple[list[Held], str]:
        """Return what it held, in the order in which it goes on, and what it did, if anything."""
