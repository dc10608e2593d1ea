"""The benchmark runs and prints its names; how fast anything is, no test says."""

import pytest

from sim.bench import measure, starts
from sim.bench.history import Past
from sim.bench.rig import Cost
from sim.bench.serve import Counts, print_serve

COST = Cost(cpu_secs=0.5, virtual_secs=1.0, requests=5, weight=25, peak_kb=2048)
KEPT = measure.Kept(stored_bytes=100, writes=2, written_bytes=200)
CANNED = {
    measure.cold: measure.Start(COST, lost_fills=0),
    measure.warm: measure.Start(COST, lost_fills=0),
    measure.prepare: KEPT,
    measure.many_symbols: measure.Many(measure.Start(COST, lost_fills=0), COST),
    measure.stream: measure.Stream(KEPT, KEPT, unheard_fills=0),
}


@pytest.mark.parametrize("who", ["limit", "recon", "stock"])
def test_who_is_compared_applies_the_same_fills(who):
    start = measure.cold(who, Past("growing", 3))

    assert start.cost.cpu_secs > 0
    assert start.lost_fills == 0


def test_it_prints_a_name_and_a_number_on_each_line(monkeypatch, capsys):
    monkeypatch.setattr(starts, "alone", lambda call, *args: CANNED[call])

    starts.print_starts([1_000, 20_000])

    printed = dict(line.split(": ") for line in capsys.readouterr().out.splitlines())
    assert {
        "cold_overhead_growing_1k": "1",
        "cold_20k_speedup": "1",
        "round_trips_growth": "0.05",
        "warm_20k_speedup": "1",
        "warm_growth": "1",
        "cold_50_symbols_seconds": "1.5",
        "cold_50_symbols_weight": "25",
        "check_50_symbols_seconds": "1.5",
        "ledger_20k_stored_bytes_per_fill": "0.005",
        "stream_ledger_stored_bytes_per_fill": "0.1",
    }.items() <= printed.items()


def test_the_served_venue_is_measured_beside_the_bare_library(capsys):
    print_serve(Counts(requests=8, pairs=8, events=3, rounds=2))

    printed = dict(line.split(": ") for line in capsys.readouterr().out.splitlines())
    what = ("time_requests", "position_requests", "order_pairs", "events")
    assert list(printed) == [
        name
        for each in what
        for name in (
            f"serve_{each}_per_second",
            f"bare_{each}_per_second",
            f"serve_{each}_share",
            f"serve_{each}_share_spread",
        )
    ]
    assert all(float(value) > 0 for value in printed.values())
