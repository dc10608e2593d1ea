"""A Binance for each test; the way to it is chosen here and nowhere else.

Each test has one in this process, on a virtual loop, and one behind real sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from sim.clock import VirtualLoop
from tests.wire import in_process, over_sockets
from tests.wire.binance import Binance


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "venue(words): the venue, in the words of a scenario")


def words_of(request: pytest.FixtureRequest) -> str:
    """Return what the mark ``venue`` of a test says of its venue."""
    mark = request.node.get_closest_marker("venue")
    return "" if mark is None else mark.args[0]


@pytest.fixture
async def binance(request: pytest.FixtureRequest) -> AsyncIterator[Binance]:
    """Return a Binance as its first user sees it; the mark ``venue`` says what it is like."""
    words = words_of(request)
    house: in_process.InProcess | over_sockets.OverSockets
    if isinstance(asyncio.get_running_loop(), VirtualLoop):
        house = in_process.InProcess(words)
    else:
        house = over_sockets.OverSockets(words)
        await house.open()
    yield Binance(house)
    await house.close()


@pytest.fixture
async def served(request: pytest.FixtureRequest) -> AsyncIterator[over_sockets.OverSockets]:
    """Return a house behind real sockets, for what is about the sockets."""
    house = over_sockets.OverSockets(words_of(request))
    await house.open()
    yield house
    await house.close()


@pytest.fixture
def endpoints() -> tuple[str, ...]:
    """Return every endpoint that there is."""
    return in_process.ENDPOINTS


@pytest.fixture
def event_types() -> tuple[str, ...]:
    """Return the name of every event that there is."""
    return in_process.EVENTS
