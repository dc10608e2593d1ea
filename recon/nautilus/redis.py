"""A connection to Redis that does not block the node: what is asked is answered in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol


class Reader(Protocol):
    """What of `asyncio.StreamReader` is needed."""

    async def readline(self) -> bytes:
        """Return the next line, empty when the other end is gone."""

    async def readexactly(self, n: int, /) -> bytes:
        """Return the next bytes; raises `EOFError` when the other end is gone."""


class Writer(Protocol):
    """What of `asyncio.StreamWriter` is needed."""

    def write(self, data: bytes) -> None:
        """Send."""

    def close(self) -> None:
        """Let go of the connection."""


class Refused(Exception):
    """The server's answer is an error, such as for want of a password."""


class Line:
    """One connection.

    Parameters
    ----------
    on_answer
        Called at each answer, also at one that is a refusal.
    """

    def __init__(self, reader: Reader, writer: Writer, on_answer: Callable[[], None]) -> None:
        self._reader = reader
        self._writer = writer
        self._on_answer = on_answer
        self._asked: deque[asyncio.Future[Any]] = deque()
        self._is_closed = False

    def ask(self, *words: bytes | str) -> asyncio.Future[Any]:
        """Send a command; its answer is bytes, a number, None, or a list of these.

        Waiting for it raises `Refused`, and `ConnectionError` when the connection ends before.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_note)
        if self._is_closed:
            answer.set_exception(ConnectionError("the connection is closed"))
        else:
            self._asked.append(answer)
            self._writer.write(_command(words))
        return answer

    async def serve(self) -> None:
        """Hand out answers until the other end is gone.

        Raises `OSError`, `EOFError` when it goes amid an answer, and `ValueError` for what does
        not speak as Redis does.
        """
        while head := await self._reader.readline():
            answer = await self._answer(head)
            if not self._asked:
                raise ValueError("an answer that nothing was asked for")
            asked = self._asked.popleft()
            self._on_answer()
            if asked.done():
                continue
            if isinstance(answer, Refused):
                asked.set_exception(answer)
            else:
                asked.set_result(answer)

    async def _answer(self, head: bytes) -> Any:
        kind, text = head[:1], head[1:].rstrip(b"\r\n")
        match kind:
            case b"+":
                return text
            case b"-":
                return Refused(text.decode(errors="replace"))
            case b":":
                return int(text)
            case b"$":
                size = int(text)
                return None if size < 0 else (await self._reader.readexactly(size + 2))[:-2]
            case b"*":
                count = int(text)
                if count < 0:
                    return None
                return [await self._answer(await self._reader.readline()) for _ in range(count)]
        raise ValueError(f"it does not speak as Redis: {head[:20]!r}")

    def close(self) -> None:
        """Let go of it; who waits for an answer is told that there will be none."""
        self._is_closed = True
        while self._asked:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_exception(ConnectionError("the connection was closed"))
        with contextlib.suppress(OSError):
            self._writer.close()


def _note(answer: asyncio.Future[Any]) -> None:
    """Look at a failure, of which Python complains if nobody does: not all answers matter."""
    if not answer.cancelled():
        answer.exception()


def _command(words: tuple[bytes | str, ...]) -> bytes:
    """Return a command as Redis reads it."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word.encode() if isinstance(word, str) else word
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)
