"""A day of a node with `recon`: a thousand orders, and hardly a quiet moment.

24 virtual hours on four symbols: a disconnection of the stream every 20 minutes, five per
cent of the time in which reads fail, a restart every four hours, by turns in good order and by
kill.  Nothing may be lost or applied twice, and outside of the times in which faults were at
work node and venue may differ for no longer than an event takes.
"""

from __future__ import annotations

import random
from decimal import Decimal

from sim import engines
from sim.observation import Impairment, Observation
from sim.oracle import judge
from sim.oracle.differences import Differences
from sim.oracle.scope import nodes_of
from sim.scenario import actions as a
from sim.scenario import model as m
from sim.world import run

S = 1_000_000_000
DAY_SECS = 86_400
ORDERS = 1_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
PRICES = {"BTCUSDT": "50000", "ETHUSDT": "3000", "SOLUSDT": "150", "XRPUSDT": "0.5"}
QUANTITIES = {"BTCUSDT": "0.1", "ETHUSDT": "1", "SOLUSDT": "10", "XRPUSDT": "1000"}

INTERVAL_SECS = 300
HEALED_SECS = 60
"""How long after a fault a check may take to find out what it has done: the pauses between
failed reads, and the check itself."""


def day() -> m.Scenario:
    rng = random.Random(20)
    records: list[m.Record] = []

    def at(secs: float, action: a.Action) -> None:
        records.append(m.Record(at_ns=round(secs * S), action=action))

    restarts = [4 * 3600 * n for n in range(1, 6)]
    for n, secs in enumerate(restarts):
        by = "stop" if n % 2 == 0 else "kill"
        at(secs, a.Restart(by=by, down_ns=20 * S))
    for secs in range(1200, DAY_SECS, 1200):
        at(secs + 30, a.Disconnect(for_ns=rng.randrange(1, 40) * S))
    for secs in range(100, DAY_SECS, 60):
        # Five per cent of the time; a read that is made at another time succeeds.
        at(secs + rng.random() * 50, a.FailRequest(method="GET", status=503, for_ns=3 * S))
    for n in range(ORDERS):
        secs = 10 + n * (DAY_SECS - 400) / ORDERS
        if any(restart - 2 <= secs <= restart + 100 for restart in restarts):
            secs = next(r for r in restarts if r - 2 <= secs <= r + 100) + 100 + n % 7
        symbol = SYMBOLS[n % 4]
        quantity = Decimal(QUANTITIES[symbol])
        order = a.Submit(
            id=f"O-{n}",
            side="BUY" if (n // 4) % 2 == 0 else "SELL",
            quantity=quantity,
            price=Decimal(PRICES[symbol]),
            symbol=symbol,
            strategy="S-001",
        )
        at(secs, order)
        first = quantity * Decimal("0.4")
        at(secs + 4 + rng.random() * 20, a.Fill(order=order.id, quantity=first))
        if n % 10 < 8:
            at(secs + 30 + rng.random() * 20, a.Fill(order=order.id, quantity=quantity - first))
        else:
            at(secs + 30 + rng.random() * 20, a.WebCancel(order=order.id))
    records.sort(key=lambda record: record.at_ns)
    return m.Scenario(
        title="A day",
        shows="fill-lost",
        seed=5,
        venue=m.Venue(symbols=SYMBOLS),
        node=m.Node(reconciliation_interval_secs=INTERVAL_SECS),
        timeline=tuple(records),
    )


def at_work(observation: Observation) -> list[Impairment]:
    """The times in which a fault was at work, from a disconnection on until the next check."""
    return [i for i in observation.impairments if i.kind in ("read", "stream")]


def test_a_day_of_disconnections_failing_reads_and_restarts():
    finished = run(day(), engines.load("recon"))
    observation = finished.observation
    judgement = judge(observation, "fill-lost")

    assert [str(v) for v in judgement.violations] == []
    assert judgement.fills.venue > 1_700
    assert judgement.fills.lost == judgement.fills.duplicated == judgement.fills.phantom == 0

    faults = at_work(observation)
    assert len(faults) > 72
    for found in Differences(observation, nodes_of(observation)).processes:
        ready_ns = found.process.incarnation.ready_ns or found.process.incarnation.ended_ns
        for subject, spans in found.spans.items():
            for span in spans:
                if span.until_ns - span.from_ns <= S or span.until_ns <= ready_ns + S:
                    continue
                assert any(
                    fault.from_ns <= span.from_ns + S
                    and span.until_ns <= fault.until_ns + HEALED_SECS * S
                    for fault in faults
                    if fault.until_ns >= span.from_ns - HEALED_SECS * S
                ), f"{subject} differed from {span.from_ns} to {span.until_ns}"
