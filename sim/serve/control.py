"""What can be done with a served venue from outside, over HTTP, below ``/sim``.

A request has what it needs in its query, or an action as its body, in the words of a scenario's
record: JSON is such words, too.  Answers are JSON; of what went wrong they have ``error``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from sim.loops import RealTime
from sim.scenario import ScenarioError
from sim.scenario.durations import parse_duration
from sim.serve.house import House
from sim.venue import VenueError

NAME = "sim"
"""The first word of the paths."""

QUIET_SECS = 10.0
"""How long ``/sim/quiet`` waits unless it is told."""

LOOK_SECS = 0.005

_encode = msgspec.json.Encoder(decimal_format="string").encode


class Control:
    """Answers the requests below ``/sim`` of one house."""

    def __init__(self, house: House, time: RealTime) -> None:
        self._house = house
        self._time = time
        self._known: dict[tuple[str, str], tuple[_Handler, str]] = {
            ("GET", ""): (self._help, "this list"),
            ("POST", "act"): (
                self._act,
                "do what the body says, such as {price: {price: '50000'}}",
            ),
            ("GET", "truth"): (self._truth, "the venue's trades, orders and positions"),
            ("GET", "faults"): (self._faults, "the faults that are armed and have not acted"),
            ("GET", "trace"): (self._trace, "what has happened, from row ?since=0 on"),
            ("POST", "quiet"): (self._quiet, "wait until nothing is on its way, at most ?for=10s"),
            ("POST", "skip"): (
                self._skip,
                "let ?for=1h have passed at once, at the venue alone: clients keep their clocks",
            ),
        }

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        name = request.path.removeprefix(f"/{NAME}").strip("/")
        known = self._known.get((request.method, name))
        if known is None:
            return self._unknown(request.method, name)
        try:
            return await known[0](request)
        except (ScenarioError, VenueError, LookupError, ValueError, RecursionError) as e:
            words = e.args[0] if isinstance(e, KeyError) and e.args else e
            return _said({"error": str(words)}, 400)

    def _unknown(self, method: str, name: str) -> web.Response:
        path = f"/{NAME}/{name}".rstrip("/")
        for other, known in self._known:
            if known == name:
                said = _said({"error": f"{path} is asked for with {other}, not {method}"}, 405)
                said.headers["Allow"] = other
                return said
        return _said({"error": f"there is no {path}; GET /{NAME} says what there is"}, 404)

    async def _help(self, request: web.BaseRequest) -> web.Response:
        return _said(
            {f"{m} /{NAME}/{n}".rstrip("/"): what for (m, n), (_, what) in self._known.items()}
        )

    async def _act(self, request: web.BaseRequest) -> web.Response:
        action = self._house.act((await request.read()).decode())
        return _said({"done": action.word})

    async def _truth(self, request: web.BaseRequest) -> web.Response:
        venue = self._house.venue
        return _said(
            {
                "now_ms": self._time.now_ns // 1_000_000,
                "trades": venue.trades(),
                "orders": venue.orders(),
                "positions": venue.positions(),
            }
        )

    async def _faults(self, request: web.BaseRequest) -> web.Response:
        return _said({"inert": self._house.faults.inert()})

    async def _trace(self, request: web.BaseRequest) -> web.Response:
        asked = request.query.get("since", "0")
        if not (asked.isascii() and asked.isdigit()):
            raise ValueError(f"since is the number of a row, not {asked[:40]!r}")
        since = int(asked)
        rows = self._house.trace.rows
        return _said({"next": len(rows), "rows": [msgspec.structs.asdict(r) for r in rows[since:]]})

    async def _quiet(self, request: web.BaseRequest) -> web.Response:
        patience_secs = _duration_ns(request, QUIET_SECS) / 1e9
        try:
            async with asyncio.timeout(patience_secs):
                while self._house.pending() is not None:
                    await asyncio.sleep(LOOK_SECS)
        except TimeoutError:
            return _said({"error": str(self._house.pending())}, 408)
        return _said({"quiet": True})

    async def _skip(self, request: web.BaseRequest) -> web.Response:
        by_ns = _duration_ns(request, None)
        # The clocks of the clients do not go along, and are right nevertheless.
        self._house.venue.clock.skipped_ns += by_ns
        self._time.skip(by_ns)
        self._house.network.flush()
        return _said({"now_ms": self._time.now_ns // 1_000_000})


type _Handler = Callable[[web.BaseRequest], Awaitable[web.Response]]


def _duration_ns(request: web.BaseRequest, default_secs: float | None) -> int:
    given = request.query.get("for")
    if given is not None:
        duration_ns = parse_duration(given)
        if duration_ns < 0:
            raise ValueError(f"{given!r} is in the past, and time only goes on")
        return duration_ns
    if default_secs is None:
        raise ValueError("say how long, such as ?for=60s")
    return round(default_secs * 1e9)


def _said(what: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=_encode(what), content_type="application/json")
