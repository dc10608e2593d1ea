"""Single measurements, each for a process of its own: what one leaves in memory tells on the next.

A warm restart is one of a node whose database was written by `recon` at its first start.  Both
engines restart with the same one, so that the released engine, too, begins with every fill.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec
from nautilus_trader.live.node import TradingNode

from sim import engines
from sim.bench.history import LOT, LOTS, MINUTE_NS, Past
from sim.bench.limit import Limit
from sim.bench.rig import Cost, Rig
from sim.clock import NS_PER_SEC, START_NS
from sim.database import Write, WriteLog
from sim.engines import Engine
from sim.plain import instrument_id_of
from sim.scenario.actions import Submit

type Who = Literal["limit", "recon", "stock", "stock_paged"]
"""``stock`` is served without limits, ``stock_paged`` with those of Binance."""

LEDGER_KEY = "recon.ledger"
WARM_NS = START_NS + 3_600 * NS_PER_SEC
STREAM_SECS = 0.05
QUIET_SECS = 120.0


class Start(msgspec.Struct):
    """What a start took, and how many trades of the venue no order contains afterwards."""

    cost: Cost
    lost_fills: int


class Kept(msgspec.Struct):
    """What is kept of ledgers: bytes that are there now, and what was written in the course."""

    stored_bytes: int
    writes: int
    written_bytes: int


class Stream(msgspec.Struct):
    """What is kept while fills come by the stream, and after the next check."""

    streamed: Kept
    checked: Kept
    unheard_fills: int


class Many(msgspec.Struct):
    """A start with many symbols, and one periodic check of them."""

    start: Start
    check: Cost


def _rig_and_engine(
    who: Who, past: Past, start_ns: int, log: WriteLog | None
) -> tuple[Rig, Engine]:
    rig = Rig(past, start_ns=start_ns, log=log, is_unlimited=who == "stock")
    if who == "limit":
        return rig, Limit(rig.venue)
    return rig, engines.load("recon" if who == "recon" else "stock-defaults")()


def cold(who: Who, past: Past) -> Start:
    """Start a node that knows nothing, without a database."""
    rig, engine = _rig_and_engine(who, past, START_NS, None)
    cost = rig.run(engine)
    return Start(cost, rig.lost_fills())


def prepare(past: Past, database: Path) -> Kept:
    """Start a node that knows nothing and keep its database in a file."""
    log = WriteLog()
    rig, engine = _rig_and_engine("recon", past, START_NS, log)
    rig.run(engine, _rest)
    database.write_bytes(msgspec.msgpack.encode(log.writes))
    return _kept(log.writes, log.writes)


async def _rest(rig: Rig) -> None:
    """Let what was written be seen to; the ledger is written after that."""
    await asyncio.sleep(2.0)


def warm(who: Who, past: Past, database: Path) -> Start:
    """Start a node that was stopped, with trades that it has not heard of."""
    log = WriteLog()
    log.writes = msgspec.msgpack.decode(database.read_bytes(), type=list[Write])
    rig, engine = _rig_and_engine(who, past, WARM_NS, log)
    cost = rig.run(engine)
    return Start(cost, rig.lost_fills())


def many_symbols(past: Past) -> Many:
    """Start a node with many symbols; let it rest, and have it compare all with the venue."""
    rig, engine = _rig_and_engine("recon", past, START_NS, None)
    checks: list[Cost] = []

    async def check(rig: Rig) -> None:
        await asyncio.sleep(QUIET_SECS)
        cost, is_done = await rig.metered(rig.node.kernel.exec_engine.reconcile_execution_state)
        assert is_done
        checks.append(cost)

    cost = rig.run(engine, check)
    return Many(Start(cost, rig.lost_fills()), checks[0])


def stream(fills: int) -> Stream:
    """Let a strategy trade between two checks, and look at what is kept."""
    log = WriteLog()
    rig, engine = _rig_and_engine("recon", Past("growing", 1), START_NS, log)
    found: list[Kept] = []

    async def trade(rig: Rig) -> None:
        before = len(log.writes)
        for number in range(fills):
            await _trade(rig, f"O-{number}")
        await asyncio.sleep(2.0)
        found.append(_kept(log.writes, log.writes[before:]))
        before = len(log.writes)
        await asyncio.sleep(MINUTE_NS / NS_PER_SEC)
        await rig.node.kernel.exec_engine.reconcile_execution_state()
        found.append(_kept(log.writes, log.writes[before:]))

    rig.run(engine, trade)
    return Stream(found[0], found[1], rig.lost_fills())


async def _trade(rig: Rig, name: str) -> None:
    """Have the strategy send an order, and the venue fill it."""
    node: TradingNode = rig.node
    [strategy] = node.trader.strategies()
    symbol = rig.venue.config.symbols[0]
    order = Submit(
        id=name,
        side="BUY",
        quantity=LOT * LOTS,
        price=Decimal(50_000),
        symbol=symbol.name,
        strategy=strategy.id.value,
    )
    assert node.cache.instrument(instrument_id_of(symbol.name)) is not None
    strategy.submit(order)
    await asyncio.sleep(STREAM_SECS)
    account = rig.venue.config.accounts[0].name
    rig.venue.fill(
        account,
        symbol.name,
        quantity=LOT * LOTS,
        client_order_id=name,
        now_ns=rig.loop.now_ns,
    )
    rig.network.flush()
    await asyncio.sleep(STREAM_SECS)


def _kept(all_writes: list[Write], writes: list[Write]) -> Kept:
    last = {w.key: w.payload[0] for w in all_writes if LEDGER_KEY in w.key}
    mine = [w for w in writes if LEDGER_KEY in w.key]
    return Kept(
        sum(map(len, last.values())), len(mine), sum(len(write.payload[0]) for write in mine)
    )
