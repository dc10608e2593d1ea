"""A connection as its client has it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING

from sim.process import PROCESS, Process

if TYPE_CHECKING:
    from sim.transport.streams import StreamNetwork

BROKEN = 1006
"""The close code of a connection that ended without a close frame."""


class NetworkError(ConnectionError):
    """The venue could not be reached; ``status`` is what it answered a handshake, if it did."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class Socket:
    """One stream connection, from the client's side.

    ``on_frame`` and ``on_close`` are called in the context, and so in the
    process, that opened the socket.  ``close_code`` says why it was closed, None while it is
    open and when the client itself has closed it.
    """

    def __init__(
        self,
        network: StreamNetwork,
        connection_id: int,
        client: str,
        node: str,
        on_frame: Callable[[str], None],
        on_close: Callable[[], None],
        *,
        is_ws_api: bool = False,
    ) -> None:
        self.node = node
        self.is_ws_api = is_ws_api
        self.speaker = f"{node} {client}".lstrip()
        self.connection_id = connection_id
        self.client = client
        self.is_open = True
        self.is_cut_off = False
        self.is_given_up = False
        self.close_code: int | None = None
        self.on_frame = on_frame
        self.on_close = on_close
        self.context: Context = copy_context()
        self.process: Process | None = PROCESS.get()
        self.last_sent_ns = 0
        self.last_due_ns = 0
        self.busy_until_ns = 0
        self._network = network

    def close(self) -> None:
        """Close from the client's side; `on_close` is not called."""
        self._network.drop(self)

    def send(self, text: str) -> None:
        """Send a text frame to the venue."""
        self._network.send_text(self, text)
