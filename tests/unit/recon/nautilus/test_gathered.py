"""Several reads at once: all end, the first failure is raised, and none is left half made."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from recon.nautilus.collector import gathered


async def answers(text: str, after: int = 0) -> str:
    for _ in range(after):
        await asyncio.sleep(0)
    return text


async def fails(text: str, after: int = 0) -> str:
    raise OSError(await answers(text, after))


async def test_answers_come_in_the_order_of_the_reads() -> None:
    assert await gathered(lambda: answers("slow", 3), lambda: answers("fast")) == ["slow", "fast"]


async def test_the_first_failure_is_raised_when_all_have_ended() -> None:
    ended: list[str] = []

    async def ends() -> None:
        ended.append(await answers("slow", 5))

    with pytest.raises(OSError, match="first"):
        await gathered(lambda: fails("first", 2), lambda: fails("second"), ends)
    assert ended == ["slow"]


async def test_what_is_cancelled_before_it_begins_was_never_made() -> None:
    """Python warns of a coroutine that was made and that nobody has awaited."""
    made: list[str] = []

    def make() -> Coroutine[None, None, str]:
        made.append("a read")
        return answers("never")

    task = asyncio.ensure_future(gathered(make))
    await asyncio.sleep(0)  # it has asked for the read, which has not begun
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert made == []
