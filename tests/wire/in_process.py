"""The house in this process: the fake venue behind its network, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

import httpx

from sim.clock import VirtualLoop
from sim.faults import Faults
from sim.hand import Reach, Sent, act
from sim.points import Points
from sim.scenario import actions as a
from sim.scenario import loads, loads_action
from sim.scenario.values import EventType
from sim.trace import Trace
from sim.transport.httpx import InProcessTransport
from sim.transport.network import Network, NetworkError, Socket
from sim.venue import Venue, VenueError
from sim.venue.keys import ApiKey
from sim.venue.rest import ROUTES
from sim.venue_setup import venue_config
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


class _Orders(Mapping[str, Sent]):
    """The orders at the venue by their client ids; those that the hand sent by its own ids."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.by_hand: dict[str, Sent] = {}

    def __getitem__(self, name: str) -> Sent:
        if name in self.by_hand:
            return self.by_hand[name]
        for order in reversed(self._venue.orders()):
            if order.client_order_id == name:
                return a.WebSubmit(
                    id=name,
                    client_id=name,
                    account=order.account,
                    symbol=order.symbol,
                    side="BUY" if order.side == "BUY" else "SELL",
                    quantity=order.quantity,
                )
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from self.by_hand
        yield from (order.client_order_id for order in self._venue.orders())

    def __len__(self) -> int:
        return len(list(iter(self)))


class InProcess:
    """A venue of a scenario's words, on the running loop, which has to be a virtual one."""

    def __init__(self, words: str = "") -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        given = words if "symbols:" in words else ", ".join(filter(None, (SYMBOLS, words)))
        scenario = loads(SCENARIO.format(words=given))
        self._loop = loop
        self._venue = Venue(venue_config(scenario.venue), random.Random(1))
        faults = Faults(lambda: loop.now_ns, lambda fault, what: None)
        trace = Trace()
        self._network = Network(
            loop, self._venue, faults, trace, random.Random(2), Points(loop, trace)
        )
        self._orders = _Orders(self._venue)
        self._reach = Reach(loop, self._venue, self._network, faults, scenario, self._orders)
        self.http = httpx.AsyncClient(
            base_url=BASE_URL, transport=InProcessTransport(self._network, CLIENT)
        )

    @property
    def now_ms(self) -> int:
        return self._loop.now_ns // 1_000_000

    def credentials(self, key: str) -> tuple[str, str]:
        named = ApiKey.named(key)
        return named.api_key, named.api_secret

    async def connect(
        self, url: str, on_text: Callable[[str], None], on_close: Callable[[], None]
    ) -> Socket:
        try:
            return await self._network.open_stream(url, CLIENT, on_text, on_close)
        except NetworkError as e:
            raise Refused(str(e)) from None

    async def act(self, words: str) -> None:
        action = loads_action(words, self._reach.scenario.setting)
        if isinstance(action, a.WebSubmit):
            self._orders.by_hand[action.id] = action
        try:
            act(self._reach, action, action.word)
        except (VenueError, LookupError) as e:
            raise Refused(str(e)) from None
        self._network.flush()

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def settle(self) -> None:
        while self._network.pending() is not None:
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        """End it; its books have to add up."""
        await self.settle()
        await self.http.aclose()
        self._venue.check_invariants()
        self._network.check_invariants()
