"""How fast a run of the simulation is.

Machines differ and share their cores, so each rate is printed with its ratio to a
calibration loop that ran right before it: a fixed piece of plain Python, in rounds
per second of CPU time.  Compare ratios, not rates.

A minimal scenario is one order, sent and filled by a node that is started for it
with the release's defaults, and a simulated minute after.  The day is 24 hours
with 1,000 orders, open checks every 5 s, position checks every 5 min and in-flight
checks every 2 s.
"""

from __future__ import annotations

import gc
import os
from decimal import Decimal
from pathlib import Path

from sim import engines
from sim.bench.printing import report
from sim.scenario import actions as a
from sim.scenario import model as m
from sim.scenario.loader import loads
from sim.stopwatch import cpu_secs
from sim.world import run

MINIMAL = """
format: 1
title: One order is sent and filled
shows: fill-lost
venue: {symbols: [BTCUSDT]}
node: {reconciliation_interval_secs: 1}
timeline:
  - {at: 1s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 2s, fill: {order: O-1, quantity: "1"}}
"""

DAY_SECS = 86_400
DAY_ORDERS = 1_000
WARM_UP = 300


def calibration_rounds_per_second(rounds: int = 40_000) -> float:
    """Return how many rounds of a fixed loop this machine does in a second of CPU time."""
    started = cpu_secs()
    table: dict[str, int] = {}
    for n in range(rounds):
        key = f"{n % 997}/{n % 13}"
        table[key] = table.get(key, 0) + len(str(Decimal(n) * Decimal("1.1")))
        if n % 5_000 == 0:
            sorted(table.items(), key=lambda item: item[1])
    return rounds / (cpu_secs() - started)


def resident_kb() -> float:
    """Return the memory of this process that is in use now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def minimal_scenario() -> m.Scenario:
    """Return the smallest scenario in which something is traded."""
    return loads(MINIMAL, "minimal.yaml")


def day_scenario() -> m.Scenario:
    """Return the simulated day."""
    step_ns = DAY_SECS * 1_000_000_000 // DAY_ORDERS
    records: list[m.Record] = []
    for n in range(DAY_ORDERS):
        submit = a.Submit(
            id=f"O-{n}",
            side="BUY" if n % 2 == 0 else "SELL",
            quantity=Decimal("0.1"),
            price=Decimal(50_000),
            symbol="BTCUSDT",
            strategy="S-001",
        )
        at_ns = n * step_ns + 1_000_000_000
        records.append(m.Record(at_ns=at_ns, action=submit))
        fill = a.Fill(order=submit.id, quantity=submit.quantity)
        records.append(m.Record(at_ns=at_ns + 10_000_000_000, action=fill))
    return m.Scenario(
        title="A day",
        shows="fill-lost",
        venue=m.Venue(symbols=("BTCUSDT",)),
        node=m.Node(
            reconciliation_interval_secs=300,
            open_check_interval_secs=5,
            position_check_interval_secs=300,
            inflight_check_interval_ms=2_000,
        ),
        timeline=tuple(records),
    )


def bench_minimal(count: int) -> None:
    """Measure minimal scenarios in this process, one after the other."""
    scenario, stock = minimal_scenario(), engines.load("stock-defaults")
    for _ in range(WARM_UP):
        run(scenario, stock)
    gc.collect()
    gc.freeze()
    before_kb = resident_kb()
    calibration = calibration_rounds_per_second()
    started = cpu_secs()
    for _ in range(count):
        run(scenario, stock)
    rate = count / (cpu_secs() - started)
    report("minimal_scenarios_per_second", rate, calibration)
    report("memory_growth_kb_per_scenario", (resident_kb() - before_kb) / count)


def bench_day() -> None:
    """Measure the simulated day."""
    scenario, stock = day_scenario(), engines.load("stock")
    calibration = calibration_rounds_per_second()
    started = cpu_secs()
    done = run(scenario, stock)
    spent_secs = cpu_secs() - started
    report("day_requests", sum(row.kind == "request" for row in done.trace.rows))
    report("day_fills", len(done.observation.trades))
    report("day_cpu_seconds", spent_secs)
    report("day_virtual_seconds_per_cpu_second", done.virtual_ns / 1e9 / spent_secs, calibration)


def print_runs(count: int = 500) -> None:
    """Measure and print all of it; ``count`` is the number of minimal scenarios."""
    report("calibration_rounds_per_second", calibration_rounds_per_second())
    bench_minimal(count)
    bench_day()
