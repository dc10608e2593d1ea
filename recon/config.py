"""The options, as users write them.

`ReconExecEngineConfig` is what a node is configured with in place of NautilusTrader's
`LiveExecEngineConfig`.  The options that it inherits keep their meaning, except those of
the stock checks, which are off: setting one is an error that names what takes its place.
"""

from __future__ import annotations

import math
from typing import Literal

from msgspec.structs import force_setattr
from nautilus_trader.config import LiveExecEngineConfig, NonNegativeFloat, PositiveFloat

type Policy = Literal["alert", "adjust", "halt"]

REPLACED = {
    "inflight_check_interval_ms": "inflight_check_interval_secs",
    "inflight_check_threshold_ms": "inflight_timeout_ms",
    "inflight_check_retries": "none: an order is asked for until the venue answers",
    "open_check_interval_secs": "reconciliation_interval_secs",
    "open_check_open_only": "none: open orders are always compared both ways",
    "open_check_lookback_mins": "none: cursors decide what is asked for",
    "open_check_threshold_ms": "none: what changed since a question is not judged by its answer",
    "open_check_missing_retries": "none: an order ends only by the venue's word",
    "max_single_order_queries_per_cycle": "none: requests wait for the venue's limits",
    "single_order_query_delay_ms": "none: requests wait for the venue's limits",
    "position_check_interval_secs": "reconciliation_interval_secs",
    "position_check_lookback_mins": "none: cursors decide what is asked for",
    "position_check_threshold_ms": "read_lag_secs",
    "position_check_retries": "none: a leg is never given up",
}
"""The options of the stock checks, and what takes the place of each."""

_OFF: dict[str, object] = {
    **{
        name: getattr(LiveExecEngineConfig(), name)
        for name in REPLACED
        if name in LiveExecEngineConfig.__struct_fields__  # some are younger than others
    },
    "inflight_check_interval_ms": 0,
}


class ConfigError(ValueError):
    """An option that cannot be as it is; the text names it and what to write instead."""


class ReconExecEngineConfig(LiveExecEngineConfig, frozen=True, kw_only=True):  # type: ignore[call-arg,misc]
    """
    Configuration of an execution engine that `recon` reconciles.

    Parameters
    ----------
    reconciliation : bool, default True
        Must be True: the node waits for the reconciliation before its strategies start.
    reconciliation_startup_delay_secs : float, default 10.0
        How long startup waits for the accounts of all execution clients to connect.  It
        goes on as soon as they are; if one is not by then, the node stops and names it.
    reconciliation_lookback_mins : int, default 1440
        How much history is read on first contact with an account, in minutes; None or 0
        for all that Binance keeps of its income, 90 days.  Afterwards the stored cursors
        decide, however long the node was down.
    reconciliation_interval_secs : float, default 300
        How often open orders, trades and positions are compared with the venue's.
    inflight_check_interval_secs : float, default 5.0
        How often orders without an answer are looked for.
    inflight_timeout_ms : int, default 5000
        How long an order may be without an answer before it is asked for.
    read_lag_secs : float, default 60
        How far the venue's answers may be behind the truth.  Cursors trail by it, and what
        is younger is not judged where an absence would be the evidence.
    policy : "alert", "adjust" or "halt", default "alert"
        What happens to a position that trades cannot explain: it is only told; or it is
        adjusted by one tagged fill; or the node stops.
    dry_run : bool, default False
        Leave the node to the stock engine, and only compare and alert.  The options of the
        stock checks may be set then, and are NautilusTrader's own where they are not.

    Raises
    ------
    ConfigError
        When an option of the stock checks is set, or a value makes no sense.
    """

    reconciliation_lookback_mins: int | None = 1440
    reconciliation_interval_secs: PositiveFloat = 300.0
    inflight_check_interval_ms: int | None = None
    inflight_check_interval_secs: PositiveFloat = 5.0
    inflight_timeout_ms: int = 5_000
    read_lag_secs: NonNegativeFloat = 60.0
    policy: Policy = "alert"
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.inflight_check_interval_ms is None:
            stock_ms = LiveExecEngineConfig().inflight_check_interval_ms
            off_ms = _OFF["inflight_check_interval_ms"]
            force_setattr(self, "inflight_check_interval_ms", stock_ms if self.dry_run else off_ms)
        if not self.dry_run:
            for name, off in _OFF.items():
                if getattr(self, name) != off:
                    _refuse(name)
        if not self.reconciliation:
            raise ConfigError("reconciliation=False leaves nothing to do; set it to True")
        for name in ("reconciliation_interval_secs", "inflight_check_interval_secs"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be more than 0, not {getattr(self, name)}")
        for name in (
            "inflight_timeout_ms",
            "read_lag_secs",
            "reconciliation_startup_delay_secs",
            "reconciliation_lookback_mins",
        ):
            if not 0 <= (getattr(self, name) or 0) < math.inf:
                raise ConfigError(f"{name} must be a number from 0 on, not {getattr(self, name)}")
        if self.policy not in ("alert", "adjust", "halt"):
            raise ConfigError(f"policy must be alert, adjust or halt, not '{self.policy}'")


def _refuse(name: str) -> None:
    raise ConfigError(
        f"{name} belongs to the stock checks, which are off; what takes its place: {REPLACED[name]}"
    )
