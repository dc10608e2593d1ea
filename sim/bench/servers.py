"""The two servers that are measured: the venue over sockets, and the bare library beside it.

Each runs in a process of its own until its parent says that it is enough.  ``/bench/emit`` lets
either send frames to all streams that are open, as fast as it can; ``/bench/cpu`` tells the
seconds of processor time that it has used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from multiprocessing.connection import Connection

import msgspec
from aiohttp import WSMsgType, web

from sim.loops import RealTime
from sim.scenario import loads
from sim.serve.house import House
from sim.stopwatch import cpu_secs
from sim.transport.wire import WireServer
from sim.venue_setup import venue_config

SCENARIO = """\
format: 1
title: A venue that is measured
shows: crash
venue: {symbols: [BTCUSDT]}
timeline: []
"""

NAME = "bench"
"""The first word of the paths that are about the measurement itself."""

BATCH = 50
"""After how many frames a server looks at its sockets."""

NO_LIMIT = 1 << 40

type Answers = dict[tuple[str, str], bytes]
"""What the bare server answers, by method and path."""


def serve_venue(parent: Connection) -> None:
    """Serve a venue without limits, to be measured."""
    _serve(_venue, parent)


def serve_bare(parent: Connection, answers: Answers, frame: str) -> None:
    """Serve answers and a frame that are always the same, by the library alone."""

    async def bare() -> tuple[int, Callable[[], Awaitable[object]]]:
        return await _bare(answers, frame)

    _serve(bare, parent)


def _serve(
    begin: Callable[[], Awaitable[tuple[int, Callable[[], Awaitable[object]]]]], parent: Connection
) -> None:
    async def until_told() -> None:
        port, end = await begin()
        told = asyncio.Event()
        asyncio.get_running_loop().add_reader(parent.fileno(), told.set)
        parent.send(port)
        await told.wait()
        asyncio.get_running_loop().remove_reader(parent.fileno())
        await end()

    loop = asyncio.SelectorEventLoop()
    loop.run_until_complete(until_told())
    loop.close()


def _used() -> web.Response:
    return web.Response(text=str(cpu_secs()))


async def _venue() -> tuple[int, Callable[[], Awaitable[object]]]:
    scenario = loads(SCENARIO, "serve.yaml")
    config = msgspec.structs.replace(
        venue_config(scenario.venue),
        weight_limit_1m=NO_LIMIT,
        order_limit_10s=NO_LIMIT,
        order_limit_1m=NO_LIMIT,
    )
    time = RealTime(asyncio.get_running_loop())
    house = House(time, scenario, config)
    house.act('{web_submit: {id: W-1, side: BUY, quantity: "1", symbol: BTCUSDT, type: MARKET}}')

    async def about(request: web.BaseRequest) -> web.Response:
        for number in range(int(request.query.get("count", 0))):
            house.venue.transfer("main", "USDT", Decimal(1 - 2 * (number % 2)), time.now_ns)
            house.network.flush()
            if number % BATCH == BATCH - 1:
                await asyncio.sleep(0)
        return _used()

    server = WireServer(house.network)
    return await server.listen(controls={NAME: about}), server.close


async def _bare(answers: Answers, frame: str) -> tuple[int, Callable[[], Awaitable[object]]]:
    streams: list[web.WebSocketResponse] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/ws"):
            ws = web.WebSocketResponse(compress=False)
            await ws.prepare(request)
            streams.append(ws)
            async for message in ws:
                assert message.type is WSMsgType.TEXT
            streams.remove(ws)
            return ws
        if request.path.startswith(f"/{NAME}/"):
            for _ in range(int(request.query.get("count", 0))):
                for ws in streams:
                    await ws.send_str(frame)
            return _used()
        await request.read()
        body = answers[request.method, request.path]
        return web.Response(body=body, content_type="application/json")

    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner.addresses[0][1], runner.cleanup
