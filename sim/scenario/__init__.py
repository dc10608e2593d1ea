"""Scenarios: their model, their YAML form, the strict loader and the print."""

from __future__ import annotations

from sim.scenario.dump import dump, dump_record
from sim.scenario.errors import ScenarioError
from sim.scenario.loader import load, loads, loads_action
from sim.scenario.model import PROPERTIES, Scenario

__all__ = [
    "PROPERTIES",
    "Scenario",
    "ScenarioError",
    "dump",
    "dump_record",
    "load",
    "loads",
    "loads_action",
]
