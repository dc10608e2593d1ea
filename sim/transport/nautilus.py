"""NautilusTrader's Rust transport, in process: its HTTP and WebSocket clients.

The classes here take the place of three classes of ``nautilus_pyo3`` in the
Binance adapter.  They behave as the Rust clients do where a reconciler can tell:
a stream that is cut is reconnected by itself to the same address, at once and
then after 2 s, growing by half up to 30 s, each try for 10 s at the most; the adapter
hears of it only through ``post_reconnection``, after the new connection stands.  What is
sent in between is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from nautilus_trader.core.nautilus_pyo3 import HttpError, WebSocketClientError

from sim.transport.network import Network, NetworkError
from sim.transport.socket import Socket
from sim.venue.wire import Request

CLIENT = "nt"


class HttpReply(msgspec.Struct, frozen=True):
    """The three members that the adapter reads of an HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


class InProcessHttpClient:
    """Stands in for ``nautilus_pyo3.HttpClient``.  Client-side quotas are not waited for."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def request(
        self,
        method: Any,
        url: str,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        keys: list[str] | None = None,
        timeout_secs: int | None = None,
    ) -> HttpReply:
        """Send one request; raises ``nautilus_pyo3.HttpError`` as the Rust client does."""
        path, _, query = _target(url).partition("?")
        request = Request(
            method=str(method).rpartition(".")[2],
            path=path,
            query=query,
            headers=tuple((headers or {}).items()),
            body=body or b"",
            client=CLIENT,
        )
        try:
            response = await self._network.request(request)
        except NetworkError as e:
            raise HttpError(str(e)) from None
        return HttpReply(response.status, dict(response.headers), response.body)


class WebSocketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Stands in for ``nautilus_pyo3.WebSocketConfig``, with its defaults.

    Until 1.221 it has the handlers, too.
    """

    url: str
    handler: Callable[[bytes], None] | None = None
    ping_handler: Callable[[bytes], None] | None = None
    headers: list[tuple[str, str]] = []
    heartbeat: int | None = None
    heartbeat_msg: str | None = None
    reconnect_timeout_ms: int = 10_000
    reconnect_delay_initial_ms: int = 2_000
    reconnect_delay_max_ms: int = 30_000
    reconnect_backoff_factor: float = 1.5
    reconnect_jitter_ms: int = 100
    reconnect_max_attempts: int | None = None
    idle_timeout_ms: int | None = None
    proxy_url: str | None = None
    backend: Any = None


class InProcessWebSocketClient:
    """Stands in for ``nautilus_pyo3.WebSocketClient``."""

    def __init__(
        self,
        network: Network,
        config: WebSocketSettings,
        handler: Callable[[bytes], None],
        post_reconnection: Callable[[], None] | None,
    ) -> None:
        self._network = network
        self._config = config
        self._handler = handler
        self._post_reconnection = post_reconnection
        self._socket: Socket | None = None
        self._reconnecting: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self) -> None:
        """Connect; raises `NetworkError` when the venue refuses."""
        self._socket = await self._network.open_stream(
            _target(self._config.url),
            CLIENT,
            self._on_frame,
            self._on_close,
        )

    def _on_frame(self, text: str) -> None:
        self._handler(text.encode())

    def _on_close(self) -> None:
        self._socket = None
        if not self._closed:
            self._reconnecting = asyncio.get_running_loop().create_task(self._reconnect())

    async def _reconnect(self) -> None:
        delay_ms = float(self._config.reconnect_delay_initial_ms)
        while not self._closed:
            try:
                async with asyncio.timeout(self._config.reconnect_timeout_ms / 1000):
                    await self.open()
            except (NetworkError, TimeoutError):
                await asyncio.sleep(delay_ms / 1000)
                delay_ms = min(
                    delay_ms * self._config.reconnect_backoff_factor,
                    self._config.reconnect_delay_max_ms,
                )
            else:
                self._reconnecting = None
                if self._post_reconnection is not None:
                    self._post_reconnection()
                return

    async def disconnect(self) -> None:
        self._closed = True
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            self._reconnecting = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def send_text(self, data: bytes, keys: list[str] | None = None) -> None:
        if self._socket is None:
            raise WebSocketClientError("Cannot send text: connection not active")
        self._socket.send(data.decode())

    async def send(self, data: bytes, keys: list[str] | None = None) -> None:
        await self.send_text(data)

    async def send_pong(self, data: bytes) -> None:
        """Pings are answered without it: the venue misses pongs where the way to it is dead."""

    def is_active(self) -> bool:
        return self._socket is not None

    def is_reconnecting(self) -> bool:
        return self._reconnecting is not None

    def is_disconnecting(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return self._closed


def _target(url: str) -> str:
    """Return path and query of an absolute URL, untouched."""
    return "/" + url.split("/", 3)[3]


def http_client(network: Network) -> Callable[..., InProcessHttpClient]:
    """Return what the adapter calls as ``HttpClient(...)``."""

    def make(**_: Any) -> InProcessHttpClient:
        return InProcessHttpClient(network)

    return make


def web_socket_client(network: Network) -> type:
    """Return what the adapter uses as the class ``WebSocketClient``."""

    class Client:
        @classmethod
        async def connect(
            cls,
            loop_: Any = None,
            config: Any = None,
            handler: Any = None,
            ping_handler: Any = None,
            post_reconnection: Any = None,
            keyed_quotas: Any = (),
            default_quota: Any = None,
        ) -> InProcessWebSocketClient:
            client = InProcessWebSocketClient(
                network, config, handler or config.handler, post_reconnection
            )
            try:
                await client.open()
            except NetworkError as e:
                raise WebSocketClientError(str(e)) from None
            return client

    return Client
