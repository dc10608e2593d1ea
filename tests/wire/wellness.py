"""Whether a served venue is well: it answers, nothing went wrong unseen, and no secret is told."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.wire.over_sockets import OverSockets

PATIENCE_SECS = 5


class Log:
    """What was logged so far."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    @property
    def text(self) -> str:
        return self._caplog.text

    async def says(self, words: str) -> None:
        """Wait until something is logged."""
        async with asyncio.timeout(PATIENCE_SECS):
            while words not in self.text:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def stays_well(served: OverSockets, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Log]:
    """Return the log; in the end the server has to be well, and nothing secret to be there."""
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: unhandled.append(what))
    caplog.set_level(logging.DEBUG, logger="recon.serve")
    caplog.set_level(logging.WARNING, logger="asyncio")
    yield Log(caplog)
    assert (await served.http.get("/fapi/v1/time")).status_code == 200
    gc.collect(1)
    await asyncio.sleep(0)
    assert unhandled == []
    assert "Traceback" not in caplog.text
    listen_keys = served.house.venue.streams.keys.of("main")
    for secret in (*served.credentials("main"), *(key.key for key in listen_keys)):
        assert secret not in caplog.text
