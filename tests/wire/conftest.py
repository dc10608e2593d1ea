"""A Binance for each test; the way to it is chosen here and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.wire import in_process
from tests.wire.binance import Binance


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "venue(words): the venue, in the words of a scenario")


@pytest.fixture
async def binance(request: pytest.FixtureRequest) -> AsyncIterator[Binance]:
    """Return a Binance as its first user sees it; the mark ``venue`` says what it is like."""
    mark = request.node.get_closest_marker("venue")
    house = in_process.InProcess(*(mark.args if mark is not None else ()))
    yield Binance(house)
    await house.close()


@pytest.fixture
def endpoints() -> tuple[str, ...]:
    """Return every endpoint that there is."""
    return in_process.ENDPOINTS


@pytest.fixture
def event_types() -> tuple[str, ...]:
    """Return the name of every event that there is."""
    return in_process.EVENTS
