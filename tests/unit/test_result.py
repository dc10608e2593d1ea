"""When a verdict is what a scenario says of the engine."""

from __future__ import annotations

import pytest

from sim.report.result import is_expected
from sim.scenario import loads

TEXT = """
format: 1
title: A story
shows: {shows}
venue: {{symbols: [BTCUSDT]}}
timeline: []
seed: 3
known: {{stock: {{fails: [fill-lost, not-idempotent], versions: "<1.300"}}}}
"""


def expected(
    *violated: str,
    shows: str = "fill-lost",
    engine: str = "stock",
    version: str = "1.231.0",
    seed: int = 3,
) -> bool:
    verdict = "fail" if violated else "pass"
    scenario = loads(TEXT.format(shows=shows))
    return is_expected(scenario, engine, version, seed, verdict, set(violated))


def test_at_home_known_is_exact():
    assert expected("fill-lost", "not-idempotent")
    assert not expected("fill-lost")
    assert not expected("fill-lost", "not-idempotent", "order-mismatch")
    assert not expected()


@pytest.mark.parametrize("elsewhere", [{"seed": 4}, {"version": "1.222.0"}])
def test_elsewhere_only_what_the_file_shows_decides(elsewhere: dict[str, int | str]):
    assert expected("fill-lost", **elsewhere)
    assert expected("fill-lost", "order-mismatch", **elsewhere)
    assert not expected("not-idempotent", **elsewhere)
    assert expected("not-idempotent", shows="order-mismatch", **elsewhere)
    assert not expected("order-mismatch", shows="order-mismatch", **elsewhere)


@pytest.mark.parametrize("violated", ["crash", "stopped", "not-converged"])
def test_a_node_that_falls_over_is_never_expected_unless_known(violated: str):
    assert not expected("fill-lost", "not-idempotent", violated, seed=4)
    assert not expected("fill-lost", violated, version="1.222.0")


def test_who_is_not_known_must_pass():
    assert expected(engine="stock-defaults")
    assert not expected("crash", engine="stock-defaults")
    assert expected(version="1.300.0")
    assert not expected("fill-lost", version="1.300.0")
