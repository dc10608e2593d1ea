"""A client that says whatever it likes: bytes on a socket, with no library between."""

from __future__ import annotations

import asyncio
import base64
import os
from types import TracebackType

from tests.wire.over_sockets import OverSockets

PATIENCE_SECS = 5

TEXT, BINARY, CLOSE = 0x1, 0x2, 0x8

HOST = b"Host: x\r\n"
GET, POST = (method + b" /fapi/v1/time HTTP/1.1\r\n" + HOST for method in (b"GET", b"POST"))
"""How requests begin; their headers do not end here."""


class Raw:
    """One connection of such a client."""

    def __init__(self, served: OverSockets) -> None:
        self._host, _, self._port = served.at.rpartition(":")

    async def __aenter__(self) -> Raw:
        self._reader, self._writer = await asyncio.open_connection(self._host, int(self._port))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.vanish()

    def vanish(self) -> None:
        """Be gone, whatever is on the way."""
        self._writer.transport.abort()

    def deafen(self) -> None:
        """Read nothing from here on."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def say(self, what: bytes) -> None:
        self._writer.write(what)

    def ask(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> None:
        """Send a request; there is a Content-Length only if it is among the headers."""
        lines = (f"{method} {path} HTTP/1.1", "Host: x", *headers, "", "")
        self.say("\r\n".join(lines).encode("latin-1") + body)

    async def answer(self) -> int:
        """Return the status of the next answer, and leave its body."""
        async with asyncio.timeout(PATIENCE_SECS):
            line = await self._reader.readline()
            while (await self._reader.readline()).strip():
                pass
        return int(line.split()[1])

    async def end(self) -> bytes:
        """Return what comes until the server ends the connection."""
        async with asyncio.timeout(PATIENCE_SECS):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    # -- WebSocket

    async def upgrade(self, path: str = "/ws") -> Raw:
        """Open a stream."""
        key = base64.b64encode(os.urandom(16)).decode()
        self.ask(
            path,
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        )
        assert await self.answer() == 101
        return self

    def frame(self, payload: bytes, kind: int = TEXT) -> None:
        """Send one frame, masked with nothing."""
        size = len(payload)
        if size < 126:
            head = bytes([0x80 | size])
        elif size < 1 << 16:
            head = bytes([0x80 | 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([0x80 | 127]) + size.to_bytes(8, "big")
        self.say(bytes([0x80 | kind]) + head + bytes(4) + payload)

    async def hear(self) -> tuple[int, bytes]:
        """Return kind and payload of the next frame; of a close frame its code is the payload."""
        async with asyncio.timeout(PATIENCE_SECS):
            kind, size = await self._reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self._reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self._reader.readexactly(8), "big")
            return kind & 0x0F, await self._reader.readexactly(size)

    async def closed(self) -> int:
        """Return the code with which the server closes, whatever it says before."""
        while True:
            kind, payload = await self.hear()
            if kind == CLOSE:
                return int.from_bytes(payload[:2], "big")
