"""What a start costs: `recon`, the released engine and the limit, side by side.

CPU seconds are those of one process in the call of `reconcile_execution_state`, the ledger's
load included and the cache's excluded.  What the venue and the network around it need for
answers is measured in the same process and taken off (`sim.bench.rig`).  Of repeated
measurements the least counts, and the ones of `recon` and of the limit take turns.

``limit``
    NautilusTrader alone, see `sim.bench.limit`.
``recon``
    With Binance's page limits and weights.
``stock``
    The released engine, served without limits: all rows at once.
``stock_paged``
    The released engine, served as Binance does: fast, and wrong; see its lost fills.

The aims: ``cold_overhead_growing_*`` at most 1.3, ``cold_20k_speedup`` at least 10,
``warm_20k_speedup`` at least 1000, ``warm_growth`` at most 1.2, ``round_trips_growth`` near 1,
50 symbols with 500 trades each below 30 s within a weight of 2,400, and one check of them
below 5 s, each as virtual and CPU seconds together.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sim.bench import measure
from sim.bench.history import Past, Shape
from sim.bench.measure import Start, Who
from sim.bench.printing import report

FILLS = (1_000, 5_000, 20_000, 50_000)
STOCK_AT_MOST = 20_000
"""Past this the released engine, which is quadratic, takes minutes."""

LIMIT_ROUND_TRIPS_AT_MOST = 5_000
"""Past this NautilusTrader's analyzer, which is quadratic, takes minutes."""

NEW_FILLS = 10
REPEATS = 3
WARM_REPEATS = 2
"""How many times as often a warm start is measured: it takes milliseconds."""

SYMBOLS = 50
FILLS_PER_SYMBOL = 500
STREAM_FILLS = 1_000


def alone[**P, T](call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a call returns that is made in a process of its own."""
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as pool:
        return pool.submit(call, *args, **kwargs).result()


def print_starts(
    fills: Sequence[int] = FILLS,
    *,
    repeats: int = REPEATS,
    per_symbol: int = FILLS_PER_SYMBOL,
    streamed: int = STREAM_FILLS,
) -> None:
    """Measure and print all of it; ``fills`` are the sizes of the histories."""
    growing = _print_cold("growing", fills, repeats)
    round_trips = _print_cold("round_trips", [n for n in fills if n <= STOCK_AT_MOST], repeats)
    first, last = min(fills), max(n for n in fills if n <= STOCK_AT_MOST)
    for number in fills:
        overhead = _secs(growing, "recon", number) / _secs(growing, "limit", number)
        report(f"cold_overhead_growing_{_short(number)}", overhead)
    report(
        f"cold_{_short(last)}_speedup",
        _secs(growing, "stock", last) / _secs(growing, "recon", last),
    )
    per_fill = [_secs(round_trips, "recon", number) / number for number in (first, last)]
    report("round_trips_growth", per_fill[1] / per_fill[0])
    _print_warm(first, last, repeats)
    _print_many(per_symbol)
    _print_stream(streamed)


type _Measured = dict[tuple[Who, int], Start]


def _print_cold(shape: Shape, fills: Sequence[int], repeats: int) -> _Measured:
    measured: _Measured = {}
    for number in fills:
        past = Past(shape, number)
        for _ in range(repeats):
            for who in _who(shape, number):
                if who.startswith("stock") and (who, number) in measured:
                    continue  # nothing about it is close
                _keep_least(measured, (who, number), alone(measure.cold, who, past))
        for who in _who(shape, number):
            _print_start(f"cold_{shape}_{_short(number)}_{who}", measured[who, number], number)
    return measured


def _who(shape: Shape, fills: int) -> list[Who]:
    who: list[Who] = ["recon"]
    if shape == "growing" or fills <= LIMIT_ROUND_TRIPS_AT_MOST:
        who.insert(0, "limit")
    if fills <= STOCK_AT_MOST:
        who += ["stock", "stock_paged"]
    return who


def _print_start(name: str, start: Start, per: int | None = None) -> None:
    report(f"{name}_cpu_seconds", start.cost.cpu_secs)
    if per is not None:
        report(f"{name}_cpu_us_per_fill", start.cost.cpu_secs / per * 1e6)
    report(f"{name}_virtual_seconds", start.cost.virtual_secs)
    report(f"{name}_peak_memory_mb", start.cost.peak_kb / 1024)
    report(f"{name}_lost_fills", start.lost_fills)


def _print_warm(first: int, last: int, repeats: int) -> None:
    measured: _Measured = {}
    with tempfile.TemporaryDirectory() as directory:
        database = Path(directory) / "writes"
        for number in (first, last):
            kept = alone(measure.prepare, Past("growing", number), database)
            report(f"ledger_{_short(number)}_stored_bytes", kept.stored_bytes)
            report(f"ledger_{_short(number)}_stored_bytes_per_fill", kept.stored_bytes / number)
            report(f"ledger_{_short(number)}_store_writes", kept.writes)
            past = Past("growing", number, later=NEW_FILLS)
            for _ in range(WARM_REPEATS * repeats):
                start = alone(measure.warm, "recon", past, database)
                _keep_least(measured, ("recon", number), start)
            measured["stock", number] = alone(measure.warm, "stock", past, database)
            measured["stock_paged", number] = alone(measure.warm, "stock_paged", past, database)
            for who in ("recon", "stock", "stock_paged"):
                _print_start(f"warm_growing_{_short(number)}_{who}", measured[who, number])
    recon_secs = _secs(measured, "recon", last)
    report(f"warm_{_short(last)}_speedup", _secs(measured, "stock", last) / recon_secs)
    report("warm_growth", recon_secs / _secs(measured, "recon", first))


def _print_many(per_symbol: int) -> None:
    many = alone(measure.many_symbols, Past("growing", SYMBOLS * per_symbol, symbols=SYMBOLS))
    name = f"cold_{SYMBOLS}_symbols"
    _print_start(name, many.start, SYMBOLS * per_symbol)
    report(f"{name}_weight", many.start.cost.weight)
    report(f"{name}_requests", many.start.cost.requests)
    report(f"{name}_seconds", many.start.cost.virtual_secs + many.start.cost.cpu_secs)
    name = f"check_{SYMBOLS}_symbols"
    report(f"{name}_cpu_seconds", many.check.cpu_secs)
    report(f"{name}_virtual_seconds", many.check.virtual_secs)
    report(f"{name}_weight", many.check.weight)
    report(f"{name}_requests", many.check.requests)
    report(f"{name}_seconds", many.check.virtual_secs + many.check.cpu_secs)


def _print_stream(fills: int) -> None:
    stream = alone(measure.stream, fills)
    streamed, checked = stream.streamed, stream.checked
    report("stream_fills", fills)
    report("stream_unheard_fills", stream.unheard_fills)
    report("stream_ledger_stored_bytes_per_fill", streamed.stored_bytes / fills)
    report("stream_ledger_store_writes", streamed.writes)
    report("stream_ledger_written_bytes_per_fill", streamed.written_bytes / fills)
    report("stream_ledger_stored_bytes_after_check", checked.stored_bytes)
    report("stream_ledger_store_writes_of_check", checked.writes)


def _keep_least(measured: _Measured, key: tuple[Who, int], start: Start) -> None:
    before = measured.get(key)
    if before is None or start.cost.cpu_secs < before.cost.cpu_secs:
        measured[key] = start


def _secs(measured: _Measured, who: Who, number: int) -> float:
    return measured[who, number].cost.cpu_secs


def _short(number: int) -> str:
    return f"{number // 1_000}k" if number % 1_000 == 0 else str(number)
