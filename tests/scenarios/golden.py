"""Short stories of the released engine, whose reactions to a venue's faults are known.

``research/venue-spec.md`` 5.4 lists them as N1 to N19, as they were seen on a real node of
1.231.0 against a stub of the venue: the simulation has to provoke the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import recon_node

from sim import engines
from sim.engines import MakeEngine
from sim.observation import Incarnation, NodeFill
from sim.recon_engine import Recon
from sim.report.result import result_of
from sim.world import Run

UNCHECKED = (
    "reconciliation_interval_secs: 60, open_check_interval_secs: null, "
    "position_check_interval_secs: null, inflight_check_interval_ms: null"
)
"""A node that compares itself with the venue only when something makes it."""

SENDS = '{at: 2s, submit: {id: O-1, side: BUY, quantity: "0.010", price: "50000"}}'
FILLS = '{at: 10s, fill: {order: O-1, quantity: "0.010"}}'
LISTS = "symbols: [BTCUSDT]"
LEG = "BTCUSDT-PERP.BINANCE-BOTH"


def play(*records: str, node: str = UNCHECKED, venue: str = LISTS) -> Run:
    """Play records with the released engine.

    With `recon` the same story must break no property.
    """
    with_recon = tell(*records, engine=Recon, node=node, venue=venue)
    assert [v.message for v in result_of(with_recon).violations] == [], "with recon"
    return tell(*records, engine=engines.Stock, node=node, venue=venue)


def tell(*records: str, engine: MakeEngine, node: str = UNCHECKED, venue: str = LISTS) -> Run:
    """Play records with one engine; each of them must have acted."""
    done = recon_node.play(*records, engine=engine, node=node, venue=venue)
    assert done.observation.inert == ()
    assert done.observation.crashes == ()
    return done


def life(*records: str, node: str = UNCHECKED, venue: str = LISTS) -> Incarnation:
    """Play records and return the only process."""
    [process] = play(*records, node=node, venue=venue).observation.incarnations
    return process


def steps(process: Incarnation, client_order_id: str | None = None) -> list[tuple[str, str]]:
    """Return the events after a submission, each with the order's status after it."""
    return [
        (event.kind.removeprefix("Order"), event.status)
        for event in process.events
        if client_order_id in (None, event.client_order_id)
        and event.kind not in ("OrderInitialized", "OrderSubmitted")
    ]


def fills(process: Incarnation) -> list[NodeFill]:
    """Return the fills that a process published, in order."""
    return [event.fill for event in process.events if event.fill is not None]


def trade_ids(done: Run) -> list[str]:
    """Return the ids of the venue's trades, in order."""
    return [str(trade.trade_id) for trade in done.observation.trades]


def answers(done: Run, request: str) -> list[str]:
    """Return how requests of the node were answered, such as ``200`` or ``503 (fault)``."""
    return [
        row.details.rpartition("-> ")[2] + (f" ({row.mark})" if row.mark else "")
        for row in done.trace.rows
        if row.kind == "request" and row.subject == f"nt {request}"
    ]


def streams(done: Run) -> int:
    """Return how many streams of user data the node has opened."""
    return sum(row.kind == "stream-open" for row in done.trace.rows)


LOGS = """
import json, sys
from nautilus_trader.common.component import init_logging
from nautilus_trader.common.enums import LogLevel

guard = init_logging(level_stdout=LogLevel.WARNING, colors=False)
sys.path.insert(0, "tests/scenarios")
import golden

records = json.load(sys.stdin)
golden.tell(*records, engine=golden.engines.Stock)
"""


def logged(*records: str) -> str:
    """Play records in a process of its own and return what the node logs: warnings and errors.

    NautilusTrader has one logger a process, which cannot be taken back.
    """
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", LOGS],
        input=json.dumps(records),
        capture_output=True,
        text=True,
        cwd=root,
        env={"PYTHONPATH": str(root)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
