"""A connection to Redis: what is asked is answered in order, or it is said why not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from recon.nautilus.redis import Line, Refused


class Ends:
    """A line, and the server's end of it."""

    def __init__(self) -> None:
        self.reader = asyncio.StreamReader()
        self.sent: list[bytes] = []
        self.answers = 0
        self.is_closed = False
        self.line = Line(self.reader, self, self._on_answer)

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.is_closed = True

    def _on_answer(self) -> None:
        self.answers += 1


@pytest.mark.parametrize(
    ("spoken", "answer"),
    [
        (b"+OK\r\n", b"OK"),
        (b":7\r\n", 7),
        (b"$4\r\na\r\nb\r\n", b"a\r\nb"),
        (b"$0\r\n\r\n", b""),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"*0\r\n", []),
        (b"*3\r\n$1\r\nx\r\n:1\r\n*1\r\n$-1\r\n", [b"x", 1, [None]]),
    ],
    ids=repr,
)
async def test_answers_are_read_however_they_are_cut(spoken: bytes, answer: Any):
    ends = Ends()
    asked = ends.line.ask("GET", b"k")
    serving = asyncio.ensure_future(ends.line.serve())
    for number in range(len(spoken)):
        assert not asked.done()
        ends.reader.feed_data(spoken[number : number + 1])
        await asyncio.sleep(0.01)

    assert await asked == answer
    assert ends.sent == [b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"]
    assert ends.answers == 1
    ends.reader.feed_eof()
    await serving


async def test_each_question_has_its_own_answer_and_a_refusal_is_one():
    ends = Ends()
    first, second, third = (ends.line.ask("GET", name) for name in "abc")
    second.cancel()
    ends.reader.feed_data(b"-NOAUTH say who you are\r\n+2\r\n+3\r\n")
    ends.reader.feed_eof()
    await ends.line.serve()

    with pytest.raises(Refused, match="NOAUTH say who you are"):
        await first
    assert await third == b"3"
    assert ends.answers == 3


async def test_who_waits_when_it_is_closed_is_told():
    ends = Ends()
    waiting = ends.line.ask("GET", "a")
    ends.line.close()

    with pytest.raises(ConnectionError):
        await waiting
    with pytest.raises(ConnectionError):
        await ends.line.ask("GET", "b")
    assert ends.is_closed
    assert len(ends.sent) == 1


@pytest.mark.parametrize(
    ("spoken", "error"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", ValueError),
        (b"$x\r\n", ValueError),
        (b"$9\r\nshort", EOFError),
        (b"+OK\r\n+OK\r\n", ValueError),
    ],
    ids=repr,
)
async def test_what_is_no_answer_ends_it(spoken: bytes, error: type[Exception]):
    ends = Ends()
    ends.line.ask("PING")
    ends.reader.feed_data(spoken)
    ends.reader.feed_eof()

    with pytest.raises(error):
        await ends.line.serve()
