"""One run over real sockets: the venue served here, the node in a process of its own.

The phases are those of every `sim.stage.Stage`, and the oracle is the same.  What differs:

* Time is real, and the story is hurried (`sim.wire.pace`).  While a node starts or stops, which
  nothing can hurry, the story stands still.
* NautilusTrader is as it was released: nothing of it is replaced.
* Nothing is repeatable but the story: there is no digest to compare.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from sim import engines
from sim.loops import RealTime
from sim.scenario import model as m
from sim.scenario.actions import Query
from sim.stage import Stage
from sim.stopwatch import wall_secs
from sim.timeline import Timeline
from sim.transport.wire import WireServer
from sim.wire.child import Birth
from sim.wire.node import RemoteNode, warm_up
from sim.wire.pace import Misfit, factor, hurried, misfit
from sim.wire.redis import RedisServer
from sim.world import HarnessError, Run

SETTLE_NS = 5_000_000_000
"""What a run waits after its last record, besides two reconciliation intervals."""

LOOK_NS = 5_000_000

HELD_AT_MOST_NS = 20_000_000_000
"""How long a story stands still at once: a node may never come up."""

HEARD_NS = 10_000_000_000
"""How long a story waits at the most until the venue has heard what strategies did."""


class WireTimeline(Timeline):
    """A timeline that stands still while a node starts or stops, or its strategies are to act.

    It goes on by one look at a time: where the machine is busy and looks come late, the story
    waits with its nodes, and what lies between two records stays between them.  What happens at
    one instant happens at once: whoever lies in wait as a node starts is there when it does.
    """

    _late_ns = 0
    _held_ns = 0
    _seen_ns: int | None = None
    _reached_ns: int | None = None

    @property
    def now_ns(self) -> int:
        return self._loop.now_ns - self._late_ns

    async def sleep_until(self, when_ns: int) -> None:
        if when_ns == self._reached_ns:
            return
        await self._sleep_until(when_ns)
        self._reached_ns = when_ns

    async def _sleep_until(self, when_ns: int) -> None:
        while True:
            now_ns = self._loop.now_ns
            if self._seen_ns is None:  # what has passed by now was needed to get ready
                self._seen_ns, self._late_ns = now_ns, now_ns - self._loop.origin_ns
            passed_ns = now_ns - self._seen_ns
            self._seen_ns = now_ns
            is_held = self._is_held()
            self._held_ns = self._held_ns + passed_ns if is_held else 0
            is_held = is_held and self._held_ns < HELD_AT_MOST_NS
            self._late_ns += passed_ns if is_held else max(passed_ns - 4 * LOOK_NS, 0)
            left_ns = when_ns + self._late_ns - now_ns
            if left_ns <= 0 and not is_held:
                return
            await asyncio.sleep((LOOK_NS if is_held else min(left_ns, LOOK_NS)) / 1e9)

    def _is_held(self) -> bool:
        for attendant in self._attendants.values():
            node = attendant.node
            assert isinstance(node, RemoteNode)
            if attendant.pending() is not None or node.is_acting:
                return True
            # What strategies did is heard by the venue, unless a fault is in the way.
            if self._loop.now_ns - node.acted_ns < HEARD_NS and not self._is_heard(node):
                return True
        return False

    def _is_heard(self, node: RemoteNode) -> bool:
        # A fault may keep back the request, its answer or its events: the story does not wait.
        means = "GET" if isinstance(node.acted, Query) else None
        return any(
            (row.kind == "request" and _is_of_strategy(row.subject, means))
            or (row.kind == "fault" and _is_of_strategy(row.details, means))
            for row in self._trace.rows[node.acted_row :]
        )


def _is_of_strategy(asked: str, means: str | None) -> bool:
    """Whether a request is what a strategy wanted, and none that the node makes by itself."""
    speaker, _, rest = asked.partition(" ")
    method, _, path = rest.partition(" ")
    if speaker != "nt" or "listenKey" in path:
        return False
    return method == means if means else method != "GET"


class WireWorld(Stage):
    """The state of one run over sockets."""

    def __init__(
        self,
        scenario: m.Scenario,
        engine: str,
        seed: int,
        time: RealTime,
        redis: RedisServer,
        folder: Path,
        timeline: type[Timeline],
    ) -> None:
        self._engine = engine
        self._time = time
        self._redis = redis
        self._folder = folder
        self._by = factor(scenario)
        alerts = engines.load(engine)().alerts
        super().__init__(
            hurried(scenario),
            time,
            list,  # nodes are told where the venue is, which is not known before it listens
            seed=seed,
            alerts_on=alerts is not None,
            latency_ns=(0, 0),
            settle_ns=SETTLE_NS,
            look_ns=LOOK_NS,
            make_timeline=timeline,
        )
        # How long a call takes says something of this machine and nothing of the engine.
        self._tells_times = False
        config = self.venue.config
        self._server = WireServer(
            self.network, pings=(config.ping_interval_ns / 1e9, config.pong_timeout_ns / 1e9)
        )

    async def open(self) -> None:
        """Listen, and make the nodes."""
        [(name, spec)] = self.scenario.each_node.items()
        account = self.scenario.accounts_of(name)[0]
        port = await self._server.listen(speaker=lambda: node.process)
        node = RemoteNode(
            name,
            Birth(
                name=name,
                engine=self._engine,
                spec=spec,
                trader_id="TRADER-001",
                claims=dict(spec.claims),
                account=account,
                key_name=spec.key or self.scenario.venue.each_account[account].keys[0],
                is_hedged=False,
                waiting=(),
                host=f"127.0.0.1:{port}",
                redis_port=self._redis.port,
                hurried_by=self._by,
                log="",
            ),
            self._time,
            self.trace,
            self._folder,
            redis=self._redis,
            is_hedged=lambda: self.venue.exchange.accounts[account].hedge,
            on_crash=self.crash,
            on_end=self.network.drop_process,
            on_refused=lambda word, why: self.timeline.inert.append(f"{word} had no effect: {why}"),
        )
        self.set_nodes([node])

    async def close(self) -> None:
        """End all that runs."""
        for node in self.nodes:
            assert isinstance(node, RemoteNode)
            await node.dispose()
        await self._server.close()


def run(
    scenario: m.Scenario,
    engine: str,
    *,
    seed: int | None = None,
    timeline: type[Timeline] = WireTimeline,
) -> Run:
    """Play a scenario over sockets, with the engine of a name.

    Raises `Misfit` when it makes no sense in real time, `sim.wire.redis.NoRedis` when there is
    no database, and `HarnessError` when the simulation fails.
    """
    why = misfit(scenario)
    if why is not None:
        raise Misfit(why)
    seed = scenario.seed if seed is None else seed
    warm_up()
    return asyncio.run(_run(scenario, engine, seed, timeline))


async def _run(scenario: m.Scenario, engine: str, seed: int, timeline: type[Timeline]) -> Run:
    started = wall_secs()
    time = RealTime(asyncio.get_running_loop())
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    redis = RedisServer()
    with tempfile.TemporaryDirectory(prefix="recon-wire-") as folder:
        await redis.start()
        try:
            world = WireWorld(scenario, engine, seed, time, redis, Path(folder), timeline)
            await world.open()
            try:
                await world.play()
                world.venue.check_invariants()
                observation = world.observation()
                startups = tuple(s for node in world.nodes for s in node.startups())
            finally:
                await world.close()
        finally:
            redis.dispose()
    if failures:
        error = failures[0].get("exception")
        raise HarnessError(f"{type(error).__name__}: {error or failures[0]['message']}") from error
    return Run(
        scenario=scenario,
        engine=engines.load(engine)().name,
        seed=seed,
        observation=observation,
        trace=world.trace,
        virtual_ns=time.now_ns - time.origin_ns,
        startups=startups,
        wall_secs=wall_secs() - started,
        healed_ns=time.now_ns if world.healed_ns is None else world.healed_ns,
        effective=world.timeline.effective,
        origin_ns=time.origin_ns,
        is_repeatable=False,
    )
