"""What NautilusTrader's analyzer is told of closed positions while a start lasts.

The portfolio's analyzer keeps realized profits in pandas series and copies them whole for
each position that closes: 20,000 round trips in a history take a minute.  While a start
lasts its records are collected, and put in at the end, once, with the same result.

The names that this needs are none that NautilusTrader promises.  Where they are not what
they were when this was written, the analyzer is left as it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

_RECORD = "(self, position_id, realized_pnl, ts_event=None)"
_STORES = ("_recorded_realized_pnls", "_recorded_realized_pnl_timestamps")


@contextmanager
def records_at_once(analyzer: Any) -> Iterator[None]:
    """Collect what is recorded in this block, and give it to the analyzer at its end."""
    if not _is_known(analyzer):
        yield
        return
    records: list[tuple[Any, Any, int | None]] = []

    def record_trade(position_id: Any, realized_pnl: Any, ts_event: int | None = None) -> None:
        records.append((position_id, realized_pnl, ts_event))

    analyzer.record_trade = record_trade
    try:
        yield
    finally:
        del analyzer.record_trade
        _record(analyzer, records)


def _is_known(analyzer: Any) -> bool:
    method = getattr(type(analyzer), "record_trade", None)
    if method is None or "record_trade" in getattr(analyzer, "__dict__", {"record_trade": None}):
        return False
    parameters = inspect.signature(method).parameters.values()
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return str(inspect.Signature(bare)) == _RECORD and all(
        isinstance(getattr(analyzer, name, None), dict) for name in _STORES
    )


def _record(analyzer: Any, records: list[tuple[Any, Any, int | None]]) -> None:
    """Do what `PortfolioAnalyzer.record_trade` does for each, with one copy for all."""
    by_currency: dict[Any, list[tuple[Any, Any, int | None]]] = {}
    for record in records:
        by_currency.setdefault(record[1].currency, []).append(record)
    pnls, timestamps = (getattr(analyzer, name) for name in _STORES)
    for currency, its in by_currency.items():
        names = [position_id.value for position_id, _, _ in its]
        _append(pnls, currency, [pnl.as_double() for _, pnl, _ in its], names, "float64")
        times = [None if ts_event is None else int(ts_event) for _, _, ts_event in its]
        _append(timestamps, currency, times, names, "object")


def _append(
    series: dict[Any, Any], currency: Any, values: list[Any], names: list[str], dtype: str
) -> None:
    added = pd.Series(values, index=names, dtype=dtype)
    existing = series.get(currency)
    series[currency] = added if existing is None else pd.concat([existing, added])
