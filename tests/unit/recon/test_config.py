"""The options of `recon`, as users write them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from nautilus_trader.config import LiveExecEngineConfig, TradingNodeConfig

from recon import REPLACED, ConfigError, ReconExecEngineConfig

STOCK_CHECKS: dict[str, Any] = {
    "inflight_check_interval_ms": 2_000,
    "inflight_check_threshold_ms": 4_000,
    "inflight_check_retries": 3,
    "max_single_order_queries_per_cycle": 5,
    "single_order_query_delay_ms": 50,
    "open_check_interval_secs": 10.0,
    "open_check_open_only": False,
    "open_check_lookback_mins": 30,
    "open_check_threshold_ms": 4_000,
    "open_check_missing_retries": 3,
    "position_check_interval_secs": 30.0,
    "position_check_lookback_mins": 30,
    "position_check_threshold_ms": 4_000,
    "position_check_retries": 2,
}
"""Another value than the default for each option of the stock checks."""


def test_what_the_page_shows_is_accepted():
    config = ReconExecEngineConfig(
        reconciliation=True,
        reconciliation_startup_delay_secs=10.0,
        reconciliation_lookback_mins=1440,
        reconciliation_interval_secs=300,
        inflight_check_interval_secs=5.0,
        inflight_timeout_ms=5000,
    )

    assert config == ReconExecEngineConfig()


def test_the_stock_loop_is_off():
    config = ReconExecEngineConfig()

    # Any of these three would start NautilusTrader's own loop beside this one.
    assert config.inflight_check_interval_ms == 0
    assert config.open_check_interval_secs is None
    assert config.position_check_interval_secs is None


def test_a_dry_run_has_the_stock_checks_as_they_are_by_default():
    stock, config = LiveExecEngineConfig(), ReconExecEngineConfig(dry_run=True)

    assert stock.inflight_check_interval_ms > 0
    assert {name: getattr(config, name) for name in REPLACED} == {
        name: getattr(stock, name) for name in REPLACED
    }
    off = ReconExecEngineConfig(dry_run=True, inflight_check_interval_ms=0)
    assert off.inflight_check_interval_ms == 0


def test_every_option_of_the_stock_checks_is_known():
    stock = {
        name
        for name in LiveExecEngineConfig.__struct_fields__
        if name.startswith(("inflight_check", "open_check", "position_check"))
        or "single_order_quer" in name
    }

    assert stock == set(STOCK_CHECKS) == set(REPLACED)


@pytest.mark.parametrize("name", STOCK_CHECKS)
def test_an_option_of_the_stock_checks_is_refused_with_what_takes_its_place(name: str):
    with pytest.raises(ConfigError) as refused:
        ReconExecEngineConfig(**{name: STOCK_CHECKS[name]})

    assert str(refused.value).startswith(f"{name} belongs to the stock checks")
    assert str(refused.value).endswith(REPLACED[name])


@pytest.mark.parametrize("name", STOCK_CHECKS)
def test_what_takes_the_place_is_an_option_or_said_to_be_none(name: str):
    taking = REPLACED[name]

    assert taking in ReconExecEngineConfig.__struct_fields__ or taking.startswith("none: ")


@pytest.mark.parametrize("name", STOCK_CHECKS)
def test_a_dry_run_may_set_the_options_of_the_stock_checks(name: str):
    config = ReconExecEngineConfig(dry_run=True, **{name: STOCK_CHECKS[name]})

    assert getattr(config, name) == STOCK_CHECKS[name]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reconciliation": False}, "reconciliation=False"),
        ({"reconciliation_interval_secs": 0}, "reconciliation_interval_secs must be more than 0"),
        ({"reconciliation_interval_secs": -1.0}, "must be more than 0, not -1.0"),
        ({"inflight_check_interval_secs": 0.0}, "inflight_check_interval_secs must be more than 0"),
        ({"inflight_timeout_ms": -1}, "inflight_timeout_ms must be a number from 0 on, not -1"),
        ({"read_lag_secs": -0.5}, "read_lag_secs must be a number from 0 on, not -0.5"),
        (
            {"reconciliation_startup_delay_secs": -1.0},
            "reconciliation_startup_delay_secs must be a number from 0 on",
        ),
        ({"policy": "ignore"}, "policy must be alert, adjust or halt, not 'ignore'"),
        ({"reconciliation_lookback_mins": -5}, "reconciliation_lookback_mins"),
        ({"reconciliation_interval_secs": float("nan")}, "reconciliation_interval_secs"),
        ({"reconciliation_interval_secs": float("inf")}, "reconciliation_interval_secs"),
        ({"inflight_check_interval_secs": float("nan")}, "inflight_check_interval_secs"),
        ({"read_lag_secs": float("nan")}, "read_lag_secs"),
        ({"read_lag_secs": float("inf")}, "read_lag_secs"),
        ({"reconciliation_startup_delay_secs": float("nan")}, "reconciliation_startup_delay_secs"),
        ({"reconciliation_startup_delay_secs": float("inf")}, "reconciliation_startup_delay_secs"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_value_that_makes_no_sense_is_refused(options: dict[str, Any], words: str, dry_run: bool):
    with pytest.raises(ConfigError, match=words):
        ReconExecEngineConfig(dry_run=dry_run, **options)


def test_a_configuration_that_is_read_from_a_file_is_validated_too():
    def read(text: str) -> ReconExecEngineConfig:
        return ReconExecEngineConfig.parse(text)

    assert read(b'{"reconciliation_interval_secs": 60, "policy": "halt"}').policy == "halt"
    with pytest.raises(msgspec.ValidationError, match="policy"):
        read(b'{"policy": "ignore"}')
    with pytest.raises(msgspec.ValidationError, match="open_check_interval_secs belongs to"):
        read(b'{"open_check_interval_secs": 10.0}')


def test_other_options_are_passed_on_as_they_are():
    options: dict[str, Any] = {
        "filter_unclaimed_external_orders": True,
        "filter_position_reports": True,
        "generate_missing_orders": False,
        "purge_closed_orders_interval_mins": 10,
        "own_books_audit_interval_secs": 60.0,
        "snapshot_orders": True,
        "qsize": 5,
        "graceful_shutdown_on_exception": True,
    }
    config = TradingNodeConfig(exec_engine=ReconExecEngineConfig(**options)).exec_engine

    assert {name: getattr(config, name) for name in options} == options
