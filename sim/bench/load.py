"""The load on a server: requests one after the other on a few connections, and a stream.

It is as light as can be, bytes that were made before on plain protocols, so that it is the
server that is measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import override

from sim.stopwatch import wall_secs

CONNECTIONS = 8

HANDSHAKE = """\
GET {path} HTTP/1.1\r
Host: {at}\r
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
\r
"""


class Failed(Exception):
    """A server did not answer as it should."""


class _Client(asyncio.Protocol):
    """What both have: bytes that come, and an end."""

    def __init__(self) -> None:
        self._bytes = b""
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._bytes += data
        try:
            while not self.done.done() and self._take():
                pass
        except Failed as e:
            self.done.set_exception(e)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(Failed("the connection is lost"))

    def _take(self) -> bool:
        """Take what has come whole; return whether anything has."""
        raise NotImplementedError

    def _take_answer(self, status: bytes) -> bytes | None:
        head, found, after = self._bytes.partition(b"\r\n\r\n")
        if not found:
            return None
        if head.split(b" ", 2)[1] != status:
            raise Failed(self._bytes.decode(errors="replace"))
        _, has_length, length = head.lower().partition(b"content-length:")
        size = int(length.split(b"\r\n", 1)[0]) if has_length else 0
        if len(after) < size:
            return None
        self._bytes = after[size:]
        return after[:size]

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class _Asker(_Client):
    """Sends requests, each when the one before is answered."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        super().__init__()
        self._requests = requests
        self.body = b""

    def begin(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
        else:
            assert self._transport is not None
            self._transport.write(request)

    @override
    def _take(self) -> bool:
        body = self._take_answer(b"200")
        if body is None:
            return False
        self.body = body
        self.begin()
        return True


class _Listener(_Client):
    """Hears a number of frames of one stream."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.frame = b""
        self._left = count

    def ask(self, path: str, at: str) -> None:
        assert self._transport is not None
        self._transport.write(HANDSHAKE.format(path=path, at=at).encode())

    @override
    def _take(self) -> bool:
        if not self.opened.done():
            if self._take_answer(b"101") is None:
                return False
            self.opened.set_result(None)
        # All that is here at once: what is taken off one by one would be copied each time.
        at, end = 0, len(self._bytes)
        while self._left and at + 4 <= end:
            size, head = self._bytes[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(self._bytes[at + 2 : at + 4], "big"), 4
            if at + head + size > end:
                break
            if self._bytes[at] == 0x81:
                self.frame = self._bytes[at + head : at + head + size]
                self._left -= 1
            at += head + size
        self._bytes = self._bytes[at:]
        if not self._left:
            self.done.set_result(None)
        return False


def request(
    method: str, path: str, *, query: str = "", body: str = "", headers: Sequence[str] = ()
) -> bytes:
    """Return the bytes of a request."""
    url = f"{path}?{query}" if query else path
    lines = [f"{method} {url} HTTP/1.1", "Host: bench", "User-Agent: bench", *headers]
    if body:
        lines += [
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
    return "\r\n".join((*lines, "", body)).encode()


async def _connect(client: _Client, port: int) -> None:
    await asyncio.get_running_loop().create_connection(lambda: client, "127.0.0.1", port)


async def ask(port: int, requests: Sequence[bytes]) -> tuple[float, bytes]:
    """Send requests over one connection; return the seconds and the last body."""
    return await ask_all(port, [requests])


async def ask_all(port: int, requests: Sequence[Sequence[bytes]]) -> tuple[float, bytes]:
    """Send requests over as many connections as there are lists, all at once."""
    askers = [_Asker(iter(each)) for each in requests]
    try:
        for asker in askers:
            await _connect(asker, port)
        started = wall_secs()
        for asker in askers:
            asker.begin()
        await asyncio.gather(*(asker.done for asker in askers))
        return wall_secs() - started, askers[-1].body
    finally:
        for asker in askers:
            asker.close()


async def listen(port: int, path: str, emit: bytes, count: int) -> tuple[float, bytes]:
    """Let a server send frames; return the seconds until all are here, and the last one."""
    listener = _Listener(count)
    try:
        await _connect(listener, port)
        listener.ask(path, f"127.0.0.1:{port}")
        await listener.opened
        started = wall_secs()
        await asyncio.gather(ask(port, [emit]), listener.done)
        return wall_secs() - started, listener.frame
    finally:
        listener.close()
