"""The time of a served venue: that of the machine, whatever is done to its clock."""

from __future__ import annotations

import asyncio

import pytest

from sim import loops
from sim.loops import RealTime

SEC = 1_000_000_000
HOUR = 3600 * SEC


class Machine:
    """A machine's two clocks: one is set, and the other one only goes on."""

    def __init__(self) -> None:
        self.unix_ns = 1_700_000_000 * SEC
        self.elapsed_ns = 5 * SEC

    def runs(self, for_ns: int) -> None:
        self.unix_ns += for_ns
        self.elapsed_ns += for_ns


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(loops, "unix_ns", lambda: machine.unix_ns)
    monkeypatch.setattr(loops, "elapsed_ns", lambda: machine.elapsed_ns)
    return machine


@pytest.fixture
async def time(machine: Machine) -> RealTime:
    return RealTime(asyncio.get_running_loop())


async def test_it_is_that_of_the_machine(machine: Machine, time: RealTime):
    machine.runs(3 * SEC)
    assert time.now_ns == machine.unix_ns
    time.skip(HOUR)
    machine.runs(SEC)

    assert time.now_ns == machine.unix_ns + HOUR


async def test_a_machine_that_slept(machine: Machine, time: RealTime):
    time.skip(HOUR)
    machine.unix_ns += 8 * HOUR

    assert time.now_ns == machine.unix_ns + HOUR


async def test_a_clock_that_is_set_back_is_waited_for(machine: Machine, time: RealTime):
    before_ns = time.now_ns
    machine.unix_ns -= 10 * SEC
    assert time.now_ns == before_ns
    machine.runs(4 * SEC)
    assert time.now_ns == before_ns + 2 * SEC
    for _ in range(4):
        machine.runs(4 * SEC)
        assert time.now_ns >= machine.unix_ns

    assert time.now_ns == machine.unix_ns
