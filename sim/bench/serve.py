"""How much the served venue holds, beside the bare server library with answers of the same size.

The two are in processes of their own and take turns, the load is in this one; all is loopback.
A figure is the median of the rounds.  Rates are those of the wall clock, which is shared with
whatever else runs; a share is what the library needs of the processor over what the venue needs
for as much right beside it, and its spread the distance of the highest from the lowest.  Compare
shares, not rates.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import multiprocessing
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sim.bench import load
from sim.bench.printing import report
from sim.bench.servers import NAME, Answers, serve_bare, serve_venue
from sim.venue.keys import ApiKey

KEY = ApiKey.named("main")
KEYED = (f"X-MBX-APIKEY: {KEY.api_key}",)

TIME, POSITIONS, ORDER = "/fapi/v1/time", "/fapi/v3/positionRisk", "/fapi/v1/order"
LISTEN_KEY = "/fapi/v1/listenKey"


class Counts(NamedTuple):
    """How much is asked for in one turn."""

    requests: int = 4000
    pairs: int = 1000
    events: int = 10_000
    rounds: int = 7


class Spent(NamedTuple):
    """What one turn took: seconds of the wall clock, and of the server's processor time."""

    wall_secs: float
    cpu_secs: float


class _Server:
    """One server, from outside."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stream = "/ws"

    async def ask(self, request: bytes) -> Any:
        _, body = await load.ask(self.port, [request])
        return json.loads(body)

    async def measure(self, work: Awaitable[tuple[float, bytes]]) -> Spent:
        """Do some work; return what it takes."""
        before = await self.ask(CPU)
        secs, _ = await work
        return Spent(secs, await self.ask(CPU) - before)


@contextmanager
def _started(serve: Callable[..., None], *arguments: Any) -> Iterator[_Server]:
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=serve, args=(theirs, *arguments), daemon=True)
    process.start()
    try:
        yield _Server(_port(ours))
    finally:
        ours.send(None)
        process.join()


def _port(pipe: Connection) -> int:
    port: int = pipe.recv()
    return port


def _signed(now_ms: int, **params: str) -> str:
    query = urlencode(params | {"recvWindow": "60000", "timestamp": str(now_ms)})
    signature = hmac.digest(KEY.api_secret.encode(), query.encode(), "sha256").hex()
    return f"{query}&signature={signature}"


def _positions(now_ms: int) -> bytes:
    return load.request("GET", POSITIONS, query=_signed(now_ms), headers=KEYED)


def _pair(now_ms: int, name: str) -> tuple[bytes, bytes]:
    placed = _signed(
        now_ms,
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        quantity="0.1",
        price="49000",
        newClientOrderId=name,
    )
    cancelled = _signed(now_ms, symbol="BTCUSDT", origClientOrderId=name)
    return (
        load.request("POST", ORDER, body=placed, headers=KEYED),
        load.request("DELETE", ORDER, query=cancelled, headers=KEYED),
    )


def _emit(count: int) -> bytes:
    return load.request("GET", f"/{NAME}/emit", query=f"count={count}")


CPU = load.request("GET", f"/{NAME}/cpu")


class _Bench:
    """The two servers, and what was measured of each."""

    def __init__(self, venue: _Server, bare: _Server, counts: Counts) -> None:
        self._servers = venue, bare
        self._counts = counts
        self._pairs = 0
        self.turns: dict[str, list[tuple[Spent, Spent]]] = {}
        self.done: dict[str, int] = {}

    async def round(self) -> None:
        """Measure everything once."""
        now_ms = (await self._servers[0].ask(load.request("GET", TIME)))["serverTime"]
        each = max(self._counts.requests // load.CONNECTIONS, 1)
        time, positions = load.request("GET", TIME), _positions(now_ms)
        await self._ask("time_requests", each, [[time] * each] * load.CONNECTIONS)
        await self._ask("position_requests", each, [[positions] * each] * load.CONNECTIONS)
        each = max(self._counts.pairs // load.CONNECTIONS, 1)
        pairs = [
            [asked for _ in range(each) for asked in _pair(now_ms, self._name())]
            for _ in range(load.CONNECTIONS)
        ]
        await self._ask("order_pairs", each, pairs)
        count = self._counts.events
        await self._measure(
            "events", count, lambda s: load.listen(s.port, s.stream, _emit(count), count)
        )

    async def _ask(self, name: str, each: int, requests: list[list[bytes]]) -> None:
        await self._measure(name, each * load.CONNECTIONS, lambda s: load.ask_all(s.port, requests))

    async def _measure(
        self, name: str, count: int, work: Callable[[_Server], Awaitable[tuple[float, bytes]]]
    ) -> None:
        venue, bare = self._servers
        self.done[name] = count
        turn = await venue.measure(work(venue)), await bare.measure(work(bare))
        self.turns.setdefault(name, []).append(turn)

    def _name(self) -> str:
        self._pairs += 1
        return f"B-{self._pairs}"

    def report(self) -> None:
        """Print what was measured."""
        for name, turns in self.turns.items():
            count = self.done[name]
            of_venue = [count / venue.wall_secs for venue, _ in turns]
            of_bare = [count / bare.wall_secs for _, bare in turns]
            shares = [bare.cpu_secs / venue.cpu_secs for venue, bare in turns]
            report(f"serve_{name}_per_second", median(of_venue))
            report(f"bare_{name}_per_second", median(of_bare))
            report(f"serve_{name}_share", median(shares))
            report(f"serve_{name}_share_spread", max(shares) - min(shares))


async def _sample(venue: _Server) -> tuple[Answers, str]:
    """Return the venue's answers and one of its frames, for the other to send as well."""
    _, time = await load.ask(venue.port, [load.request("GET", TIME)])
    now_ms = json.loads(time)["serverTime"]
    _, positions = await load.ask(venue.port, [_positions(now_ms)])
    place, cancel = _pair(now_ms, "B-0")
    _, placed = await load.ask(venue.port, [place])
    _, cancelled = await load.ask(venue.port, [cancel])
    key = await venue.ask(load.request("POST", LISTEN_KEY, headers=KEYED))
    venue.stream = f"/ws?listenKey={key['listenKey']}"
    _, frame = await load.listen(venue.port, venue.stream, _emit(1), 1)
    answers = {
        ("GET", TIME): time,
        ("GET", POSITIONS): positions,
        ("POST", ORDER): placed,
        ("DELETE", ORDER): cancelled,
    }
    return answers, frame.decode()


def print_serve(counts: Counts = Counts()) -> None:  # noqa: B008
    """Measure and print all of it."""
    loop = asyncio.SelectorEventLoop()
    with _started(serve_venue) as venue:
        answers, frame = loop.run_until_complete(_sample(venue))
        with _started(serve_bare, answers, frame) as bare:
            bench = _Bench(venue, bare, counts)
            loop.run_until_complete(bench.round())  # the first one is not counted
            bench.turns.clear()
            for _ in range(counts.rounds):
                loop.run_until_complete(bench.round())
    loop.close()
    bench.report()
