"""The house behind real sockets on this machine; its time is real, and can be skipped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import httpx

from sim.loops import RealTime
from sim.scenario.durations import format_duration
from sim.serve.control import NAME, Control
from sim.serve.house import House
from sim.transport.wire import WireServer
from tests.wire.binance import Refused
from tests.wire.in_process import CLIENT, credentials, scenario_of

PATIENCE_SECS = 5
PONG_SECS = 0.5
"""How long a pong is waited for; over a way that is dead none comes."""


class Wire:
    """One stream connection, by a client that knows nothing of the venue."""

    def __init__(
        self,
        ws: aiohttp.ClientWebSocketResponse,
        on_text: Callable[[str], None],
        on_close: Callable[[], None],
    ) -> None:
        self._ws = ws
        self._on_text = on_text
        self._on_close = on_close
        self._pong = asyncio.Event()
        self._sending: list[asyncio.Task[None]] = []
        self._is_closed = False
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._ws:
            if message.type == aiohttp.WSMsgType.TEXT:
                self._on_text(message.data)
            elif message.type == aiohttp.WSMsgType.PING:
                await self._ws.pong(message.data)
            elif message.type == aiohttp.WSMsgType.PONG:
                self._pong.set()
        if not self._is_closed:
            self._on_close()

    def send(self, text: str) -> None:
        self._sending.append(asyncio.create_task(self._ws.send_str(text)))

    def close(self) -> None:
        self._is_closed = True
        self._sending.append(asyncio.create_task(self._end()))

    async def _end(self) -> None:
        await self._ws.close()

    async def settle(self) -> None:
        """Wait until all is here that was sent before."""
        await asyncio.gather(*self._sending, return_exceptions=True)
        self._sending.clear()
        if self._ws.closed:
            return
        self._pong.clear()
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(PONG_SECS):
                await self._ws.ping()
                await self._pong.wait()

    async def end(self) -> None:
        await self.settle()
        await self._ws.close()
        await self._reading


class OverSockets:
    """A venue of a scenario's words, served on a port of its own.

    What else is given is for the server.
    """

    def __init__(self, words: str = "", **options: Any) -> None:
        self._time = RealTime(asyncio.get_running_loop())
        self.house = House(self._time, scenario_of(words))
        self._server = WireServer(self.house.network, **options)
        self._wires: list[Wire] = []
        self.credentials = credentials

    async def open(self) -> None:
        """Begin to serve, ``at`` an address of this machine."""
        control = Control(self.house, self._time)
        port = await self._server.listen(controls={NAME: control.answer})
        self.at = f"127.0.0.1:{port}"
        self.http = httpx.AsyncClient(
            base_url=f"http://{self.at}",
            headers={"User-Agent": CLIENT},
            verify=False,  # the authorities' certificates take long to load, and none is needed
        )
        self._session = aiohttp.ClientSession(headers={"User-Agent": CLIENT})

    @property
    def now_ms(self) -> int:
        return self._time.now_ns // 1_000_000

    async def connect(
        self, url: str, on_text: Callable[[str], None], on_close: Callable[[], None]
    ) -> Wire:
        try:
            ws = await self._session.ws_connect(
                f"ws://{self.at}{url}", autoping=False, max_msg_size=0
            )
        except aiohttp.ClientError as e:
            raise Refused(str(e)) from None
        wire = Wire(ws, on_text, on_close)
        self._wires.append(wire)
        return wire

    async def act(self, words: str) -> None:
        await self._ask("act", words)

    async def wait(self, seconds: float) -> None:
        await self.settle()  # what was sent is of before
        await self._ask(f"skip?for={format_duration(round(seconds * 1e9))}")
        await self.settle()

    async def settle(self) -> None:
        await asyncio.gather(*(wire.settle() for wire in self._wires))
        await self._ask(f"quiet?for={PATIENCE_SECS}s")
        await asyncio.gather(*(wire.settle() for wire in self._wires))

    async def _ask(self, what: str, words: str = "") -> None:
        reply = await self.http.post(f"/{NAME}/{what}", content=words)
        if reply.status_code != 200:
            raise Refused(json.loads(reply.content)["error"])

    async def close(self) -> None:
        """End it; its books have to add up."""
        for wire in self._wires:
            await wire.end()
        await self._ask(f"quiet?for={PATIENCE_SECS}s")
        await self._session.close()
        await self.http.aclose()
        await self._server.close()
        self.house.check()
