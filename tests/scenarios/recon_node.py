"""Runs of a node with `recon` whose options, node and answers a test decides itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import asdict, replace
from nautilus_trader.config import TradingNodeConfig

import recon
from sim.engines import Engine, MakeEngine
from sim.observation import Incarnation, State
from sim.recon_engine import Recon
from sim.report.result import Result, result_of
from sim.scenario import loads
from sim.world import Run, run

HEAD = """
format: 1
title: A test
shows: fill-lost
seed: {seed}
venue: {venue}
node: {node}
timeline:
"""


def recon_with(
    *,
    attach: Callable[[Any], None] | None = None,
    configure: Callable[[TradingNodeConfig], TradingNodeConfig] | None = None,
    client: dict[str, Any] | None = None,
    **options: Any,
) -> MakeEngine:
    """Return an engine that is `recon` with other options.

    ``attach`` is called with the node after `recon` is installed in it, ``configure`` with
    the whole configuration; ``client`` are options of the execution client.
    """

    class Configured(Recon):
        def configure(self, config: TradingNodeConfig, spec: Any) -> TradingNodeConfig:
            config = super().configure(config, spec)
            if options:
                # Made anew, so that what an option decides of others is decided by it.
                held = asdict(config.exec_engine)
                kept = {name: held[name] for name in held if name not in recon.REPLACED}
                engine = recon.ReconExecEngineConfig(**{**kept, **options})
                config = replace(config, exec_engine=engine)
            if client is not None:
                [(name, held)] = config.exec_clients.items()
                config = replace(config, exec_clients={name: replace(held, **client)})
            return config if configure is None else configure(config)

        def attach(self, node: Any) -> None:
            super().attach(node)
            if attach is not None:
                attach(node)

    return Configured


def by_process(*makes: MakeEngine) -> MakeEngine:
    """Return an engine that is another one in each process; the last one goes on."""
    left = list(makes)

    def make() -> Engine:
        return left.pop(0)() if len(left) > 1 else left[0]()

    # The world makes one engine to learn its name before any process starts.
    left.insert(0, makes[0])
    return make


def play(
    *records: str,
    engine: MakeEngine | None = None,
    node: str = "reconciliation_interval_secs: 60",
    venue: str = "symbols: [BTCUSDT]",
    seed: int = 1,
) -> Run:
    """Play records; ``node`` and ``venue`` are the words of these sections."""
    head = HEAD.format(seed=seed, venue=f"{{{venue}}}", node=f"{{{node}}}")
    text = head + "".join(f"  - {record}\n" for record in records)
    return run(loads(text, "test.yaml"), engine or recon_with())


def judged(done: Run) -> Result:
    """Judge a run; every record and fault of it must have acted."""
    assert not done.observation.inert
    return result_of(done)


def last(done: Run) -> Incarnation:
    return done.observation.incarnations[-1]


def orders(state: State) -> dict[str, tuple[str, str]]:
    """Return status and filled quantity of orders by client order id."""
    return {
        order.client_order_id: (order.status, f"{order.filled.normalize():f}")
        for order in state.orders
    }


def positions(state: State) -> dict[str, str]:
    """Return signed quantities by position id, those that are flat left out."""
    return {p.position_id: f"{p.quantity.normalize():f}" for p in state.positions}


def kinds(process: Incarnation, client_order_id: str | None = None) -> list[str]:
    """Return the kinds of the events that a process has published, of one order or of all."""
    return [
        event.kind for event in process.events if client_order_id in (None, event.client_order_id)
    ]


def alerts(process: Incarnation) -> list[str]:
    return [alert.kind for alert in process.alerts]


class Log:
    """Stands in for the logger of `recon`: what it was told, by level."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str) -> Log:
        return self

    def of(self, level: str) -> list[str]:
        return [text for each, text in self.lines if each == level]

    def debug(self, text: str, *_: Any) -> None:
        self.lines.append(("debug", text))

    def info(self, text: str, *_: Any) -> None:
        self.lines.append(("info", text))

    def warning(self, text: str, *_: Any) -> None:
        self.lines.append(("warning", text))

    def error(self, text: str, *_: Any) -> None:
        self.lines.append(("error", text))

    def exception(self, text: str, error: BaseException) -> None:
        self.lines.append(("exception", f"{text}: {type(error).__name__}: {error}"))
