"""What can go wrong with the WebSocket API, on which Ed25519 keys log on."""

from __future__ import annotations

from typing import ClassVar, Literal

from sim.scenario.actions.base import Fault, Layer, Matched
from sim.scenario.values import Duration, HttpError, Line, NodeName, Period, WsMethod


class CallFault(Matched, frozen=True, kw_only=True):
    """A fault of single requests of the WebSocket API; those that match all that is given."""

    layer: ClassVar[Layer] = "ws-api"

    method: WsMethod | None = None
    """The method that is asked for; any when left out."""


class FailWsApi(CallFault, frozen=True, kw_only=True):
    """Requests of the WebSocket API are answered with an error, whatever the venue does."""

    word: ClassVar[str] = "fail_ws_api"

    applied: Literal["never", "before", "after"] = "never"
    """Whether the venue carries the request out all the same, before or after it answers."""
    status: HttpError = 400
    """The status of the answer."""
    code: int = -1000
    """The venue's error code, such as -1007."""
    message: Line = "Internal error; unable to process your request. Please try again."
    """The venue's error text."""
    after_ns: Duration = 0
    """How much later than usual the answer arrives."""


class MuteWsApi(CallFault, frozen=True, kw_only=True):
    """Requests of the WebSocket API are never answered; the connection stands all the same."""

    word: ClassVar[str] = "mute_ws_api"

    applied: Literal["never", "before"] = "never"
    """Whether the venue carries the request out."""


class CloseWsApi(Fault, frozen=True, kw_only=True):
    """The connections to the WebSocket API are closed, and no new ones accepted for a while."""

    layer: ClassVar[Layer] = "ws-api"
    word: ClassVar[str] = "close_ws_api"

    for_ns: Period
    """How long it stays away; streams stand meanwhile."""
    node: NodeName | None = None
    """The node whose connections are closed; all nodes' when left out."""
