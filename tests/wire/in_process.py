"""The house in this process: the fake venue behind its network, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import get_args

import httpx

from sim.clock import VirtualLoop
from sim.scenario import Scenario, loads
from sim.scenario.values import EventType
from sim.serve.house import House
from sim.transport.httpx import InProcessTransport
from sim.transport.network import NetworkError, Socket
from sim.venue import VenueError
from sim.venue.keys import ApiKey
from sim.venue.rest import ROUTES
from tests.wire.binance import Refused

BASE_URL = "http://venue.invalid"
CLIENT = "test"

ENDPOINTS = tuple(f"{method} {path}" for method, path in ROUTES)
"""Every endpoint that the venue has."""

EVENTS: tuple[str, ...] = get_args(EventType)
"""Every type of event that the venue can send."""

SCENARIO = """\
format: 1
title: A venue and whoever asks it
shows: crash
venue: {{{words}}}
timeline: []
"""
SYMBOLS = "symbols: [BTCUSDT, ETHUSDT, BTCUSDC]"


def scenario_of(words: str) -> Scenario:
    """Return a scenario whose venue is that of some words."""
    given = words if "symbols:" in words else ", ".join(filter(None, (SYMBOLS, words)))
    return loads(SCENARIO.format(words=given))


def credentials(key: str) -> tuple[str, str]:
    """Return an API key and its secret."""
    named = ApiKey.named(key)
    return named.api_key, named.api_secret


class InProcess:
    """A venue of a scenario's words, on the running loop, which has to be a virtual one."""

    def __init__(self, words: str = "") -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self._house = House(loop, scenario_of(words), latency_ms=(5, 25))
        self.http = httpx.AsyncClient(
            base_url=BASE_URL, transport=InProcessTransport(self._house.network, CLIENT)
        )
        self.credentials = credentials

    @property
    def now_ms(self) -> int:
        return self._loop.now_ns // 1_000_000

    async def connect(
        self, url: str, on_text: Callable[[str], None], on_close: Callable[[], None]
    ) -> Socket:
        try:
            return await self._house.network.open_stream(url, CLIENT, on_text, on_close)
        except NetworkError as e:
            raise Refused(str(e)) from None

    async def act(self, words: str) -> None:
        try:
            self._house.act(words)
        except (VenueError, LookupError) as e:
            raise Refused(str(e)) from None

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def settle(self) -> None:
        while self._house.pending() is not None:
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        """End it; its books have to add up."""
        await self.settle()
        await self.http.aclose()
        self._house.check()
