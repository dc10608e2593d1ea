"""Virtual time: rules 1 to 5 of `sim.clock`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from sim.clock import (
    NS_PER_SEC,
    START_NS,
    BudgetExceeded,
    Deadlock,
    Livelock,
    VirtualClock,
    VirtualLoop,
)
from sim.process import PROCESS, Process


def run[T](
    main: Callable[[], Coroutine[Any, Any, T]],
    *,
    start_ns: int = START_NS,
    budget_ns: int | None = None,
) -> T:
    """Run an async function to its end on a new `VirtualLoop` and close that.

    Raises whatever the function raises, and the loop's own findings.
    """
    loop = VirtualLoop(start_ns, budget_ns=budget_ns)
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


async def test_async_tests_run_on_virtual_time():
    loop = asyncio.get_running_loop()

    assert isinstance(loop, VirtualLoop)
    await asyncio.sleep(86_400)
    assert loop.elapsed_ns == 86_400 * NS_PER_SEC


async def test_sleep_is_exact_to_the_nanosecond():
    loop = asyncio.get_running_loop()
    for _ in range(1000):
        await asyncio.sleep(0.000_000_001)

    assert loop.elapsed_ns == 1000


async def test_timers_of_one_instant_run_in_the_order_they_were_set():
    loop = asyncio.get_running_loop()
    seen: list[int] = []
    for n in range(100):
        loop.call_at_ns(loop.now_ns + 5, seen.append, n)
    await asyncio.sleep(1)

    assert seen == list(range(100))


async def test_a_timer_in_the_past_fires_now():
    loop = asyncio.get_running_loop()
    await asyncio.sleep(10)
    seen: list[int] = []
    loop.call_at_ns(START_NS, lambda: seen.append(loop.elapsed_ns))
    await asyncio.sleep(1)

    assert seen == [10 * NS_PER_SEC]


async def test_a_cancelled_timer_does_not_move_time():
    loop = asyncio.get_running_loop()
    loop.call_later(1000, lambda: None).cancel()
    await asyncio.sleep(1)

    assert loop.elapsed_ns == NS_PER_SEC


async def test_timeouts_work():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await asyncio.sleep(6)

    assert asyncio.get_running_loop().time() == 5


def test_waiting_for_nothing_is_a_deadlock_that_names_who_waits():
    async def waits_forever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock, match="waits_forever"):
        run(waits_forever)


def test_polling_without_time_is_a_livelock():
    async def polls() -> None:
        while True:
            await asyncio.sleep(0)

    loop = VirtualLoop(spin_limit=1000)
    with pytest.raises(Livelock, match=r"1001 callbacks ran within a second"):
        loop.run_until_complete(polls())
    loop.close()


@pytest.mark.parametrize(("every_secs", "is_one"), [(0.01, False), (0.0001, True)])
def test_polling_in_which_time_hardly_passes_is_a_livelock(every_secs: float, is_one: bool):
    async def polls() -> None:
        while asyncio.get_running_loop().time() < end_secs:
            await asyncio.sleep(every_secs)

    loop = VirtualLoop(spin_limit=1000)
    end_secs = loop.time() + 5
    with pytest.raises(Livelock) if is_one else contextlib.nullcontext():
        loop.run_until_complete(polls())
    loop.close()


def test_a_jump_past_the_budget_is_refused():
    with pytest.raises(BudgetExceeded, match=r"past the budget of 60\.000 s"):
        run(lambda: asyncio.sleep(61), budget_ns=60 * NS_PER_SEC)
    run(lambda: asyncio.sleep(60), budget_ns=60 * NS_PER_SEC)


async def test_executors_run_inline():
    loop = asyncio.get_running_loop()

    assert await loop.run_in_executor(None, threading.get_ident) == threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(None, lambda: 1 // 0)


async def test_calls_from_other_threads_are_refused():
    loop = asyncio.get_running_loop()
    caught: list[Exception] = []

    def call() -> None:
        try:
            loop.call_soon_threadsafe(lambda: None)
        except RuntimeError as e:
            caught.append(e)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert "other threads" in str(caught[0])


# -- processes --------------------------------------------------------------------


def on_own_loop(test: Any) -> Any:
    """Run a test that leaves killed tasks behind, which no other runner can end."""

    @functools.wraps(test)
    def wrapper() -> None:
        run(test)

    del wrapper.__wrapped__
    return wrapper


def in_process(process: Process, coroutine: Any) -> asyncio.Task[Any]:
    async def enter() -> Any:
        PROCESS.set(process)
        return await asyncio.create_task(coroutine)

    return asyncio.create_task(enter())


@on_own_loop
async def test_nothing_of_a_killed_process_runs_again():
    loop = asyncio.get_running_loop()
    seen: list[str] = []

    async def victim() -> None:
        try:
            for n in range(10):
                await asyncio.sleep(1)
                seen.append(f"step {n}")
        finally:
            seen.append("finally")

    process = Process("victim")
    in_process(process, victim())
    await asyncio.sleep(2.5)
    loop.kill(process)
    await asyncio.sleep(10)

    assert seen == ["step 0", "step 1"]


@on_own_loop
async def test_the_world_outlives_a_killed_process():
    loop = asyncio.get_running_loop()
    process = Process("victim")
    in_process(process, asyncio.sleep(100))
    await asyncio.sleep(1)
    loop.kill(process)
    await asyncio.sleep(1)

    assert loop.elapsed_ns == 2 * NS_PER_SEC


# -- NautilusTrader's clock -------------------------------------------------------


async def test_the_clock_shows_the_time_of_the_loop():
    clock = VirtualClock()
    await asyncio.sleep(1.5)

    assert clock.timestamp_ns() == START_NS + 1_500_000_000


async def test_an_alert_fires_once_at_its_time():
    loop = asyncio.get_running_loop()
    clock = VirtualClock()
    seen: list[tuple[str, int, int]] = []
    clock.set_time_alert_ns(
        "alert",
        START_NS + NS_PER_SEC,
        lambda event: seen.append((event.name, event.ts_event, loop.now_ns)),
    )
    await asyncio.sleep(10)

    assert seen == [("alert", START_NS + NS_PER_SEC, START_NS + NS_PER_SEC)]


async def test_a_timer_fires_at_each_interval_until_it_is_cancelled():
    loop = asyncio.get_running_loop()
    clock = VirtualClock()
    seen: list[int] = []
    clock.set_timer_ns("timer", NS_PER_SEC, 0, 0, lambda event: seen.append(loop.elapsed_ns))
    await asyncio.sleep(3.5)
    clock.cancel_timer("timer")
    await asyncio.sleep(10)

    assert seen == [NS_PER_SEC, 2 * NS_PER_SEC, 3 * NS_PER_SEC]


async def test_a_timer_that_is_replaced_fires_at_its_new_time_only():
    loop = asyncio.get_running_loop()
    clock = VirtualClock()
    seen: list[int] = []
    clock.set_time_alert_ns("alert", START_NS + 5 * NS_PER_SEC, lambda event: seen.append(1))
    clock.cancel_timer("alert")
    clock.set_time_alert_ns(
        "alert",
        START_NS + 7 * NS_PER_SEC,
        lambda event: seen.append(loop.elapsed_ns),
    )
    await asyncio.sleep(10)

    assert seen == [7 * NS_PER_SEC]


@on_own_loop
async def test_the_timers_of_a_killed_process_are_silent():
    loop = asyncio.get_running_loop()
    process = Process("victim")
    seen: list[int] = []

    async def victim() -> None:
        clock = VirtualClock()
        clock.set_timer_ns("timer", NS_PER_SEC, 0, 0, lambda event: seen.append(loop.elapsed_ns))
        await asyncio.sleep(100)

    in_process(process, victim())
    await asyncio.sleep(2.5)
    loop.kill(process)
    await asyncio.sleep(5)

    assert seen == [NS_PER_SEC, 2 * NS_PER_SEC]


def test_a_clock_needs_a_virtual_loop():
    async def make() -> None:
        VirtualClock()

    with pytest.raises(TypeError, match="needs a running VirtualLoop"):
        asyncio.run(make())
