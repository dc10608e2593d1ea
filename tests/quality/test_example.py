"""The example does what it says: its strategy runs in the simulation and hears discrepancies."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import InstrumentId

import recon
from sim.recon_engine import Recon
from sim.report.result import result_of
from sim.scenario import Scenario, load, loads
from sim.world import run

FILE = Path(__file__).parents[2] / "examples" / "watch_discrepancies.py"


def imported() -> ModuleType:
    spec = importlib.util.spec_from_file_location(FILE.stem, FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLE = imported()


BTCUSDT = InstrumentId.from_str("BTCUSDT-PERP.BINANCE")


def watched(scenario: Scenario):
    """Run a scenario with `recon` and the example's strategy in each process of the node."""
    watchers = []

    class Watched(Recon):
        def attach(self, node: TradingNode) -> None:
            super().attach(node)
            watchers.append(EXAMPLE.Careful(StrategyConfig(strategy_id="W", order_id_tag="W")))
            node.trader.add_strategy(watchers[-1])
            node.kernel.msgbus.subscribe(topic=recon.TOPIC, handler=EXAMPLE.tell)

    done = run(scenario, Watched)
    return done, watchers


def test_it_hears_of_a_fill_that_the_stream_dropped(capsys: pytest.CaptureFixture[str]):
    done, (watcher,) = watched(load("scenarios/disconnect/dropped-fill-event.yaml"))

    assert result_of(done).verdict == "pass"
    [heard] = watcher.heard
    assert (heard.kind, heard.instrument_id, heard.is_corrected) == ("missing-fill", BTCUSDT, True)
    assert heard.client_order_id.value == "O-1"
    assert watcher.halted == set()
    assert capsys.readouterr().out == f"missing-fill (corrected): {heard.text}\n"


def test_what_a_start_has_corrected_is_told_before_strategies_run(
    capsys: pytest.CaptureFixture[str],
):
    _, (_, second) = watched(load("scenarios/restart/flip-while-down.yaml"))

    assert second.heard == []
    assert capsys.readouterr().out.startswith("startup (corrected): the start found on BTCUSDT")


UNREACHABLE = """
format: 1
title: An order whose fate is unknown
shows: order-mismatch
venue: {symbols: [BTCUSDT]}
node: {reconciliation_interval_secs: 60}
timeline:
  - {at: 9s, fail_request: {path: /fapi/v1/order, status: 503, for: 60s}}
  - {at: 10s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
expect: {venue_position: {}}
"""


def test_what_is_open_halts_its_instrument(capsys: pytest.CaptureFixture[str]):
    _, (watcher,) = watched(loads(UNREACHABLE, "x.yaml"))

    assert watcher.heard[0].kind == "unresolved-order"
    assert watcher.halted == {BTCUSDT}
    assert "unresolved-order (OPEN)" in capsys.readouterr().out


def test_a_halted_instrument_gets_no_order():
    watcher = EXAMPLE.Careful(StrategyConfig())
    watcher.halted.add(BTCUSDT)

    class Order:
        instrument_id = BTCUSDT

    assert watcher.send(Order()) is False


def test_its_node_is_configured_as_recon_wants_it():
    config = EXAMPLE.node_config()

    assert isinstance(config.exec_engine, recon.ReconExecEngineConfig)
    assert config.cache.database is not None
