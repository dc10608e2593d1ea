"""A venue behind a network, for tests of the latter."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sim.clock import NS_PER_MS, VirtualLoop
from sim.faults import Faults
from sim.points import Points
from sim.trace import Trace
from sim.transport.network import Network
from sim.venue import AccountConfig, Request, Response, Venue, VenueConfig, symbol_config
from sim.venue.replies import reply_of, response_of

ACCOUNT = AccountConfig()
KEY = (("X-MBX-APIKEY", ACCOUNT.api_key),)
LISTEN = Request("POST", "/fapi/v1/listenKey", headers=KEY)
TIME = Request("GET", "/fapi/v1/time")


def answered(
    status: int, code: int | None = None, message: str | None = None
) -> Callable[[int], Response]:
    """What makes an error answer."""
    reply = reply_of(status, code, message)
    return lambda now_ns: response_of(reply, VenueConfig(), now_ns)


class Rig:
    """A venue behind a network on the running loop."""

    def __init__(
        self,
        latency_ns: tuple[int, int] = (10 * NS_PER_MS, 10 * NS_PER_MS),
        config: VenueConfig | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = loop
        one = VenueConfig(symbols=(symbol_config("BTCUSDT"),), accounts=(ACCOUNT,))
        self.venue = Venue(config or one, random.Random(1))
        self.faults = Faults(lambda: loop.now_ns, lambda fault, what: None)
        self.trace = Trace()
        self.points = Points(loop, self.trace)
        self.network = Network(
            loop,
            self.venue,
            self.faults,
            self.trace,
            random.Random(2),
            self.points,
            latency_ns,
        )
        self.frames: list[tuple[int, str]] = []
        self.closed_ns: list[int] = []

    async def listen_key(self) -> str:
        response = await self.network.request(LISTEN)
        return str(json.loads(response.body)["listenKey"])

    async def stream(self) -> Any:
        key = await self.listen_key()
        return await self.network.open_stream(
            f"/ws?listenKey={key}",
            "nt",
            lambda text: self.frames.append((self.loop.now_ns, json.loads(text)["e"])),
            lambda: self.closed_ns.append(self.loop.elapsed_ns),
        )

    def trade(self, number: int = 1) -> None:
        self.venue.web_submit(
            "main",
            "BTCUSDT",
            side="BUY",
            order_type="MARKET",
            quantity=Decimal("0.01"),
            now_ns=self.loop.now_ns,
            client_order_id=f"web_{number}",
        )
        self.network.flush()
