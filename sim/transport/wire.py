"""The network behind real sockets: HTTP and WebSocket on one port of this machine.

Rules of this file:

1. What a client sends reaches the `Network` as it stands, and faults, points and the trace see
   it as they see a client in this process.  Nothing of the venue is known here.
2. A connection that a fault breaks is broken: it ends without an answer or a close frame.
3. Nothing that a client does or leaves undone stops the others.  What is too large, too slow
   or not HTTP is answered or closed, and the log says why.
4. Nothing that could be a key is logged: nothing that a client has sent, and of what went
   wrong only its kind.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import msgspec
from aiohttp import WSMsgType, web
from aiohttp.web_protocol import RequestHandler

from sim.process import PROCESS, Process
from sim.transport.network import Network, NetworkError
from sim.transport.socket import BROKEN, Socket
from sim.venue.wire import Request

LOG = logging.getLogger("recon.serve")
LOG.addHandler(logging.NullHandler())  # who serves says where it goes

CLIENTS = {"nautilustrader": "nt", "nautilus_recon": "recon"}
"""How a client is called by the product that its User-Agent names; others by that name itself."""

GOING_AWAY, NOT_TAKEN, TOO_BIG = 1001, 1003, 1009
"""The close codes of a server that ends, of frames that are no text, and of too large ones."""

LAST_SECS = 1.0
"""How long what is under way may take when the server is closed."""

type Control = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
"""Answers requests that are not for the venue."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a client may do before it is answered so, or closed.

    ``request_secs`` is how long a request may take to arrive whole, ``body_bytes`` and
    ``frame_bytes`` how large it or a text frame may be, ``unread_bytes`` how much may wait for
    a client that does not read its stream.
    """

    request_secs: float = 20.0
    body_bytes: int = 1 << 20
    frame_bytes: int = 1 << 20
    unread_bytes: int = 16 << 20


class WireServer:
    """Serves one network over sockets.

    Parameters
    ----------
    pings
        How often a stream is pinged, and how long a pong is waited for, in seconds.
    """

    def __init__(
        self,
        network: Network,
        *,
        limits: Limits = Limits(),  # noqa: B008
        pings: tuple[float, float] = (180.0, 600.0),
    ) -> None:
        self._network = network
        self._limits = limits
        self._pings = pings
        self._runners: list[web.ServerRunner] = []

    async def listen(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        speaker: Callable[[], Process | None] = lambda: None,
        controls: Mapping[str, Control] | None = None,
    ) -> int:
        """Listen at an address, with a port of the system's choice for 0; return the port.

        ``speaker`` tells whose process it is that is heard there; ``controls`` answer requests
        whose path begins with their names.  Raises `OSError` when the address cannot be had.
        """
        door = _Door(self._network, self._limits, self._pings, speaker, controls or {})
        runner = web.ServerRunner(door.server, shutdown_timeout=LAST_SECS)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, host, port, backlog=512)
        await site.start()
        taken: int = runner.addresses[0][1]
        return taken

    async def close(self) -> None:
        """Close all connections, and listen no more."""
        for is_ws_api in (False, True):
            self._network.cut_streams(code=GOING_AWAY, is_ws_api=is_ws_api)
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()


class _Handler(RequestHandler):
    """One connection; of what goes wrong there it says less than it knows."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Who waits for a request and has got a part of one waits for the rest of it.
        is_waiting = self._waiter is not None and not self._waiter.done()
        if data and is_waiting and isinstance(self._manager, _Server):
            self._manager.awaits(self)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("a part of another answer is sent")
        if status == 400:
            return _refused(request, status, "this is not HTTP as it should be")
        self.log_exception("no answer", exc_info=exc)
        return _refused(request, status, "no answer")

    def log_exception(self, *args: Any, exc_info: BaseException | None = None, **_: Any) -> None:
        where = "" if exc_info is None else "".join(traceback.format_tb(exc_info.__traceback__))
        LOG.error("%s: %s\n%s", args[0], type(exc_info).__name__, where)


class _Server(web.Server):
    """Closes connections on which no request has come whole in time."""

    def __init__(self, handler: Any, limits: Limits) -> None:
        loop = asyncio.get_running_loop()
        requests = partial(web.BaseRequest, loop=loop, client_max_size=limits.body_bytes)
        super().__init__(handler, request_factory=requests)
        self._secs = limits.request_secs
        self._options: dict[str, Any] = {
            "loop": loop,
            "access_log": None,
            "logger": LOG,
            "lingering_time": limits.request_secs,
        }
        self._unheard: dict[RequestHandler, asyncio.TimerHandle] = {}

    def __call__(self) -> RequestHandler:
        return _Handler(self, **self._options)

    def hears(self, request: web.BaseRequest) -> None:
        """Note that a request has come on its connection."""
        if (timer := self._unheard.pop(request.protocol, None)) is not None:
            timer.cancel()

    def awaits(self, handler: RequestHandler) -> None:
        """Wait for the request that a connection begins with, or of which a part has come."""
        if handler not in self._unheard:
            self._unheard[handler] = asyncio.get_running_loop().call_later(
                self._secs, self._give_up, handler
            )

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self.awaits(handler)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        if (timer := self._unheard.pop(handler, None)) is not None:
            timer.cancel()

    def _give_up(self, handler: RequestHandler) -> None:
        del self._unheard[handler]
        transport = handler.transport
        if isinstance(transport, asyncio.Transport) and not transport.is_closing():
            LOG.warning("closed: no request came within %g s", self._secs)
            transport.abort()


class _Door:
    """What listens at one address."""

    def __init__(
        self,
        network: Network,
        limits: Limits,
        pings: tuple[float, float],
        speaker: Callable[[], Process | None],
        controls: Mapping[str, Control],
    ) -> None:
        self._network = network
        self._limits = limits
        self._pings = pings
        self._speaker = speaker
        self._controls = controls
        self.server = _Server(self._answer, limits)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.server.hears(request)
        process = self._speaker()
        # What a process has sent arrives after its end, too; it is nobody's then.
        PROCESS.set(process if process is not None and process.alive else None)
        control = self._controls.get(request.path.strip("/").partition("/")[0])
        if control is None and request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(request)
        refusal = await self._hear(request) if request.can_read_body else None
        if refusal is not None:
            return refusal
        return await (self._call if control is None else control)(request)

    # -- requests -----------------------------------------------------------------

    async def _hear(self, request: web.BaseRequest) -> web.Response | None:
        """Wait for the body, which is kept; return what is answered where it does not come."""
        limits = self._limits
        try:
            if (request.content_length or 0) <= limits.body_bytes:
                # Nearly always it is here already, and needs no timer.
                is_here = request.content.is_eof()
                async with asyncio.timeout(None if is_here else limits.request_secs):
                    await request.read()
                return None
        except TimeoutError:
            return _refused(request, 408, f"the body did not come in {limits.request_secs:g} s")
        except web.HTTPRequestEntityTooLarge:
            pass
        except ConnectionError:
            return _broken(request)
        except web.RequestPayloadError:
            return _refused(request, 400, "the body is not what its headers say")
        return _refused(request, 413, f"the body is larger than {limits.body_bytes} bytes")

    async def _call(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        asked = Request(
            method=request.method,
            path=path,
            query=query,
            headers=tuple(request.headers.items()),
            body=await request.read(),
            client=client_of(request.headers),
        )
        try:
            response = await self._network.request(asked)
        except NetworkError:
            return _broken(request)
        return web.Response(status=response.status, headers=response.headers, body=response.body)

    # -- streams ------------------------------------------------------------------

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        ws = web.WebSocketResponse(
            autoping=False, compress=False, max_msg_size=self._limits.frame_bytes
        )
        if not ws.can_prepare(request):
            return _refused(request, 400, "this is no handshake of a WebSocket")
        link = _Link(request, ws, self._limits.unread_bytes)
        try:
            socket = await self._network.open_stream(
                request.raw_path, client_of(request.headers), link.on_frame, link.on_close
            )
        except NetworkError as e:
            return _broken(request) if e.status is None else web.Response(status=e.status)
        link.socket = socket
        try:
            await ws.prepare(request)
            async with asyncio.TaskGroup() as group:
                others = [
                    group.create_task(link.write()),
                    group.create_task(link.ping(*self._pings)),
                ]
                await link.read()
                for task in others:
                    task.cancel()
        except* (ConnectionError, RuntimeError):
            pass  # the client is gone
        finally:
            socket.close()
        return ws


class _Link:
    """One connection of a stream: what goes out, what comes in, and whether anybody is there."""

    def __init__(
        self, request: web.BaseRequest, ws: web.WebSocketResponse, unread_bytes: int
    ) -> None:
        self.socket: Socket | None = None
        self._request = request
        self._ws = ws
        self._unread_bytes = unread_bytes
        self._waiting_bytes = 0
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._heard = asyncio.Event()

    def on_frame(self, text: str) -> None:
        if self._waiting_bytes > self._unread_bytes:
            return
        self._waiting_bytes += len(text)
        if self._waiting_bytes > self._unread_bytes:
            LOG.warning("closed: %d bytes wait for a client that does not read", self._unread_bytes)
            _abort(self._request)
            return
        self._outbox.put_nowait(text)

    def on_close(self) -> None:
        self._outbox.put_nowait(None)

    async def write(self) -> None:
        """Send what comes, and end as the venue ends it."""
        while (text := await self._outbox.get()) is not None:
            await self._ws.send_str(text)
            self._waiting_bytes -= len(text)
        code = self.socket.close_code if self.socket is not None else None
        if code in (None, BROKEN):
            _abort(self._request)
        else:
            await self._ws.close(code=code)

    async def read(self) -> None:
        """Hear the client until it is gone."""
        assert self.socket is not None
        async for message in self._ws:
            self._heard.set()
            match message.type:
                case WSMsgType.TEXT if self.socket.is_open:
                    self.socket.send(message.data)
                case WSMsgType.PING if not self.socket.is_cut_off:
                    await self._ws.pong(message.data)
                case WSMsgType.BINARY if not self.socket.is_cut_off:
                    LOG.warning("closed: a frame was binary")
                    await self._ws.close(code=NOT_TAKEN, message=b"only text is taken here")
                case WSMsgType.ERROR:
                    code = getattr(self._ws.exception(), "code", None)
                    what = "too large" if code == TOO_BIG else "against the rules"
                    LOG.warning("closed: a frame was %s", what)

    async def ping(self, every_secs: float, patience_secs: float) -> None:
        """Ping the client, and end the connection when it is never heard again."""
        assert self.socket is not None
        while True:
            await asyncio.sleep(every_secs)
            if self.socket.is_cut_off:
                continue
            self._heard.clear()
            await self._ws.ping()
            try:
                async with asyncio.timeout(patience_secs):
                    await self._heard.wait()
            except TimeoutError:
                LOG.warning("closed: no pong within %g s", patience_secs)
                _abort(self._request)
                return


def client_of(headers: Mapping[str, str]) -> str:
    """Return what faults and the trace call a client: its product, ``nt`` where it names none.

    NautilusTrader's streams name none.
    """
    return _client_named(headers.get("User-Agent", ""))


@lru_cache(64)
def _client_named(agent: str) -> str:
    product = re.split(r"[/ ]", agent, maxsplit=1)[0].lower()
    name = re.sub(r"[^a-z0-9]+", "_", product).strip("_0123456789")[:20]
    return CLIENTS.get(name, name or "nt")


def _refused(request: web.BaseRequest, status: int, reason: str) -> web.Response:
    """Answer what does not even reach the venue, and end the connection."""
    LOG.warning("%d: %s", status, reason)
    response = web.json_response({"error": reason}, status=status)
    response.force_close()
    return response


def _broken(request: web.BaseRequest) -> web.Response:
    """Break a connection off without an answer."""
    _abort(request)
    return web.Response()


def _abort(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()
