"""A node in a process of its own, as a user runs it, which tells its parent what it does.

What it tells is written to a pipe at once: what was told before a SIGKILL is not lost by it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
from nautilus_trader.config import DatabaseConfig

from sim import engines
from sim.assembly import assemble, node_config
from sim.life import Life
from sim.loops import RealTime
from sim.observation import State
from sim.plain import Access, Reader
from sim.process import PROCESS, Process
from sim.recorder import Recorder
from sim.scenario.actions import StrategyAction, Submit
from sim.scenario.model import Node as NodeSpec
from sim.trace import Row, Trace
from sim.wire.pace import hurried_config

LOOK_SECS = 0.005
"""How often it is looked whether the strategies run."""

SHOW_SECS = 0.05
"""How long after an event it is told what the node holds, with whatever has come since."""


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is told before it begins."""

    name: str
    engine: str
    spec: NodeSpec
    trader_id: str
    claims: dict[str, tuple[str, ...]]
    account: str
    key_name: str
    is_hedged: bool
    waiting: tuple[Submit, ...]
    host: str
    redis_port: int
    hurried_by: float
    log: str


class Told[T](list[T]):
    """A list that tells of each of its elements."""

    def __init__(self, tell: Callable[[str, Any], None], what: str) -> None:
        super().__init__()
        self._tell = tell
        self._what = what

    def append(self, element: T) -> None:
        super().append(element)
        self._tell(self._what, (len(self) - 1, element))

    def __setitem__(self, index: Any, element: Any) -> None:
        super().__setitem__(index, element)
        self._tell(self._what, (index, element))


class ToldTrace(Trace):
    """A trace whose rows are told."""

    def __init__(self, tell: Callable[[str, Any], None]) -> None:
        super().__init__()
        self.rows: list[Row] = Told(tell, "row")


def nothing() -> None:
    """Live for no time."""


def run(connection: Connection, birth: Birth) -> None:
    """Live: the main function of the process."""
    log = os.open(birth.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    asyncio.run(_Child(connection, birth).live())


class _Child:
    def __init__(self, connection: Connection, birth: Birth) -> None:
        self._connection = connection
        self._birth = birth
        self._ended = asyncio.Event()
        self._is_shown = False
        self._last_state = State()

    def _tell(self, what: str, details: Any = None) -> None:
        self._connection.send((what, details))
        if what == "event" and not self._is_shown:
            self._is_shown = True
            asyncio.get_running_loop().call_later(SHOW_SECS, self._show)

    def _show(self) -> None:
        """Tell what the node holds now."""
        self._is_shown = False
        self._tell("state", self._reader.state(self._node.cache))

    async def live(self) -> None:
        loop, birth = asyncio.get_running_loop(), self._birth
        time = RealTime(loop)
        access = _access(birth)
        reader = self._reader = Reader([access])
        process = Process(birth.name)
        PROCESS.set(process)
        recorder = Recorder(birth.name, reader, time, ToldTrace(self._tell))
        recorder.events = Told(self._tell, "event")
        recorder.position_changes = Told(self._tell, "change")
        recorder.alerts = Told(self._tell, "alert")
        recorder.calls = Told(self._tell, "call")
        recorder.startups = Told(self._tell, "startup")
        self._life = Life(process, "", 0, 0, {}, reader, recorder, time, self._on_end)
        engine = self._build()
        waiting = list(birth.waiting)
        self._life.begin(self._node, engine.alerts, waiting, [access])
        self._tell("loaded", reader.state(self._node.cache))
        loop.add_reader(self._connection.fileno(), self._on_word)
        while not self._life.trader_is_running and not self._ended.is_set():
            await asyncio.sleep(LOOK_SECS)
        if not self._ended.is_set():
            self._tell("ready", (time.now_ns, [each.id for each in waiting]))
        await self._ended.wait()

    def _build(self) -> engines.Engine:
        birth = self._birth
        database = DatabaseConfig(type="redis", host="127.0.0.1", port=birth.redis_port)
        config = node_config(birth.spec, birth.trader_id, [_access(birth)], birth.host, database)
        engine = engines.load(birth.engine)()
        config = engine.configure(config, birth.spec)
        quick = hurried_config(config.exec_engine, birth.hurried_by)
        config = msgspec.structs.replace(config, exec_engine=quick)
        loop = asyncio.get_running_loop()
        self._node = assemble(config, birth.spec.strategies, birth.claims, loop)
        engine.attach(self._node)
        return engine

    def _on_end(self, error: BaseException | None) -> None:
        self._tell("ended", None if error is None else f"{type(error).__name__}: {error}")
        self._ended.set()

    # -- what the parent says -------------------------------------------------------

    def _on_word(self) -> None:
        try:
            while self._connection.poll():
                word, details = self._connection.recv()
                getattr(self, f"_hear_{word}")(details)
        except (EOFError, OSError):
            os._exit(0)  # the parent is gone

    def _hear_act(self, action: StrategyAction) -> None:
        try:
            self._life.act(action)
        except LookupError as e:
            self._tell("refused", (action.word, str(e)))
        # What it has set going comes first, and then this.
        asyncio.get_running_loop().call_soon(self._tell, "acted")

    def _hear_stop(self, _: None) -> None:
        asyncio.get_running_loop().create_task(self._stop())

    async def _stop(self) -> None:
        await self._life.stop()
        self._tell("stopped", self._reader.state(self._node.cache))
        self._ended.set()

    def _hear_rest(self, _: None) -> None:
        self._tell("rested", self._reader.state(self._node.cache))

    def _hear_reconcile(self, interval_secs: float) -> None:
        asyncio.get_running_loop().create_task(self._reconcile(interval_secs))

    async def _reconcile(self, interval_secs: float) -> None:
        self._tell("reconciled", await self._life.reconcile_again(interval_secs))


def _access(birth: Birth) -> Access:
    from sim.venue.keys import ApiKey

    key = ApiKey.named(birth.key_name, birth.spec.key_type)
    return Access(birth.account, key, is_hedged=lambda: birth.is_hedged)


def log_tail(log: Path) -> str:
    """Return the last words of a process that has ended by itself."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return " | ".join(lines[-3:])
