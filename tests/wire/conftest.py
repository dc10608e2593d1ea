"""A Binance for each test; the way to it is chosen here and nowhere else.

Each test has one in this process, on a virtual loop, and one behind real sockets.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from sim.clock import VirtualLoop
from sim.wire.redis import available
from tests.wire import in_process, over_sockets
from tests.wire.binance import Binance
from tests.wire.raw import Raw
from tests.wire.wellness import Log, stays_well


@pytest.fixture(scope="session")
def needs_redis() -> None:
    """See that there is a `redis-server`: in CI there has to be one."""
    why = available()
    if why is not None and "CI" in os.environ:
        pytest.fail(why)
    if why is not None:
        pytest.skip(why)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "venue(words): the venue, in the words of a scenario")
    config.addinivalue_line("markers", "server(**options): what a server over sockets is like")


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
def real_time() -> None:
    """Let a test have a loop whose time is real."""


@pytest.fixture
async def served(request: pytest.FixtureRequest) -> AsyncIterator[over_sockets.OverSockets]:
    """Return a house behind real sockets, for what is about the sockets."""
    mark = request.node.get_closest_marker("server")
    options = {} if mark is None else mark.kwargs
    house = over_sockets.OverSockets(words_of(request), **options)
    await house.open()
    yield house
    await house.close()


@pytest.fixture
async def raw(served: over_sockets.OverSockets) -> AsyncIterator[Raw]:
    """Return a client that says whatever it likes."""
    async with Raw(served) as client:
        yield client


@pytest.fixture
def user(served: over_sockets.OverSockets) -> Binance:
    """Return the served venue as its first user sees it."""
    return Binance(served)


@pytest.fixture
async def log(
    served: over_sockets.OverSockets, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Log]:
    """Return the log of a server, which stays well."""
    async with stays_well(served, caplog) as kept:
        yield kept


@pytest.fixture
def endpoints() -> tuple[str, ...]:
    """Return every endpoint that there is."""
    return in_process.ENDPOINTS


@pytest.fixture
def event_types() -> tuple[str, ...]:
    """Return the name of every event that there is."""
    return in_process.EVENTS
