"""Named points: what they count, when they act, and that nothing of the dead comes through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from sim.clock import VirtualLoop
from sim.points import Happening, Points
from sim.process import PROCESS, Process, ProcessExited, refuse_the_dead
from sim.scenario.points import Moment, parse_point
from sim.trace import Trace
from sim.venue.wire import Frame, Request

QUERY = Request("GET", "/fapi/v1/order")
OTHER = Request("GET", "/fapi/v1/userTrades")
PLACE = Request("POST", "/fapi/v1/order")


class Rig:
    """Points on a loop, and a process that an armed point ends."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.trace = Trace()
        self.points = Points(self.loop, self.trace)
        self.process = Process("A#0")
        self.acts: list[object] = []

    def arm(self, text: str, **given: object) -> None:
        self.points.arm(parse_point(text), text, self.kill, **given)

    def kill(self) -> None:
        self.acts.append(PROCESS.get())
        self.process.alive = False

    def run_ready(self) -> None:
        self.loop.run_until_complete(asyncio.sleep(0))


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.loop.close()


def test_a_point_counts_from_when_it_is_armed(rig: Rig):
    rig.points.happens("after write", rig.process, "orders:O-1")
    rig.arm("after write 2")
    rig.points.happens("after write", rig.process, "orders:O-1")
    assert rig.process.alive

    rig.points.happens("after write", rig.process, "orders:O-1")
    assert not rig.process.alive


def test_a_point_counts_requests_of_its_method_and_path_and_moment(rig: Rig):
    rig.arm("before reply 1 of GET /fapi/v1/order")
    for request in (OTHER, PLACE):
        rig.points.happens("before reply", rig.process, request)
    rig.points.happens("after request", rig.process, QUERY)
    rig.points.happens("after write", rig.process, "orders:O-1")
    assert rig.process.alive

    rig.points.happens("before reply", rig.process, QUERY)
    assert not rig.process.alive


def test_a_point_may_count_for_one_client_only(rig: Rig):
    rig.arm("after request 1 of recon GET /fapi/v1/order")
    rig.points.happens("after request", rig.process, QUERY)
    assert rig.process.alive

    rig.points.happens(
        "after request", rig.process, Request("GET", "/fapi/v1/order", client="recon")
    )
    assert not rig.process.alive


@pytest.mark.parametrize(
    ("of", "counts"),
    [
        ("", True),
        (" of orders", True),
        (" of orders:O-1", True),
        (" of orders:O", False),
        (" of positions", False),
        (" of order", False),
    ],
)
def test_a_write_may_count_by_its_key(rig: Rig, of: str, counts: bool):
    rig.arm(f"after write 1{of}")
    rig.points.happens("after write", rig.process, "orders:O-1")

    assert rig.process.alive != counts


def test_what_the_world_or_the_dead_do_is_not_counted(rig: Rig):
    rig.arm("after write 1")
    rig.points.happens("after write", None, "orders:O-1")
    dead = Process("A#7")
    dead.alive = False
    rig.points.happens("after write", dead, "orders:O-1")

    assert rig.points.disarm() == ["after write 1"]


def test_one_event_ends_a_process_once(rig: Rig):
    rig.arm("after write 1")
    rig.arm("after write 1")
    rig.points.happens("after write", rig.process, "orders:O-1")

    assert len(rig.acts) == 1
    assert rig.points.disarm() == ["after write 1"]


def test_after_a_reply_what_handles_it_runs_first(rig: Rig):
    rig.arm("after reply 1 of GET /fapi/v1/order")
    seen: list[bool] = []
    rig.loop.call_soon(lambda: seen.append(rig.process.alive))
    rig.points.happens("after reply", rig.process, QUERY)
    assert rig.process.alive

    rig.run_ready()
    rig.run_ready()
    assert seen == [True]
    assert not rig.process.alive


def test_a_process_that_ends_by_itself_before_the_point_leaves_it_unreached(rig: Rig):
    rig.arm("after reply 1 of GET /fapi/v1/order")
    rig.points.happens("after reply", rig.process, QUERY)
    rig.process.alive = False
    rig.run_ready()
    rig.run_ready()

    assert rig.acts == []
    assert rig.points.disarm() == ["after reply 1 of GET /fapi/v1/order"]


def test_what_follows_belongs_to_the_world(rig: Rig):
    rig.arm("after write 1")
    token = PROCESS.set(rig.process)
    try:
        rig.points.happens("after write", rig.process, "orders:O-1")
    finally:
        PROCESS.reset(token)

    assert rig.acts == [None]


def test_an_act_is_told_and_lasts(rig: Rig):
    rig.arm("after write 1", lasts_ns=7)
    assert rig.points.last_act_ns == 0
    rig.points.happens("after write", rig.process, "orders:O-1")

    assert rig.points.last_act_ns == rig.loop.now_ns + 7
    assert [(row.kind, row.subject, row.details) for row in rig.trace.rows] == [
        ("point", "after write 1", "A#0")
    ]


def test_the_dead_are_refused():
    process = Process("A#0")
    refuse_the_dead(process)
    refuse_the_dead(None)
    process.alive = False

    with pytest.raises(ProcessExited):
        refuse_the_dead(process)


def event(sequence: int, name: str = "ORDER_TRADE_UPDATE", execution: str = "TRADE") -> Frame:
    return Frame(1, sequence, "{}", "main", name, 0, execution=execution)


def test_a_point_counts_events_of_its_type_and_not_their_copies(rig: Rig):
    rig.arm("before event 2 of ORDER_TRADE_UPDATE TRADE")
    for frame in (event(1), event(1), event(2, execution="NEW"), event(3, "ACCOUNT_UPDATE", "")):
        rig.points.happens("before event", rig.process, frame)
    rig.points.happens("after event", rig.process, event(4))
    assert rig.process.alive

    rig.points.happens("before event", rig.process, event(4))
    assert not rig.process.alive


def test_a_point_may_be_of_one_node_only(rig: Rig):
    other = Process("B#0")
    rig.points.arm(parse_point("after write 2"), "x", rig.kill, node="A")
    rig.points.happens("after write", other, "orders:O-1")
    rig.points.happens("after write", rig.process, "orders:O-1")
    rig.points.happens("after write", other, "orders:O-1")
    assert rig.process.alive

    rig.points.happens("after write", rig.process, "orders:O-1")
    assert not rig.process.alive


def test_a_point_of_a_node_counts_in_each_of_its_processes(rig: Rig):
    rig.points.arm(parse_point("after write 2"), "x", rig.kill, node="A")
    rig.points.happens("after write", Process("A#0"), "orders:O-1")
    rig.points.happens("after write", Process("A#1"), "orders:O-1")

    assert not rig.process.alive


class Watcher:
    """Takes down what it is told, and what it sees at the point."""

    def __init__(self, rig: Rig) -> None:
        self.told: list[tuple[str, str]] = []
        self.looked: list[tuple[str, object]] = []
        self._rig = rig
        rig.points.watch(self)

    def __call__(self, moment: Moment, process: Process, of: Happening) -> Callable[[], None]:
        self.told.append((moment, process.name))
        return lambda: self.looked.append((moment, self._rig.process.alive))


def test_who_watches_is_told_from_the_first_start_of_a_node_on(rig: Rig):
    watcher = Watcher(rig)
    rig.points.happens("after write", rig.process, "orders:O-1")
    rig.points.begin("A")
    rig.points.happens("after write", rig.process, "orders:O-1")
    rig.points.happens("after write", Process("B#0"), "orders:O-1")
    rig.points.happens("after write", None, "orders:O-1")
    assert watcher.told == [("after write", "A#0")]

    rig.points.disarm()
    rig.points.happens("after write", rig.process, "orders:O-1")
    assert len(watcher.told) == 1


def test_who_watches_sees_what_is_there_before_a_point_acts(rig: Rig):
    watcher = Watcher(rig)
    rig.points.begin("A")
    rig.arm("after write 1")
    rig.points.happens("after write", rig.process, "orders:O-1")
    rig.points.happens("after write", rig.process, "orders:O-1")

    assert watcher.looked == [("after write", True)]


def test_who_watches_looks_after_a_reply_when_it_has_been_heard(rig: Rig):
    watcher = Watcher(rig)
    rig.points.begin("A")
    rig.points.happens("after reply", rig.process, QUERY)
    assert watcher.told == [("after reply", "A#0")]
    assert watcher.looked == []
    rig.run_ready()
    rig.run_ready()
    assert watcher.looked == [("after reply", True)]

    rig.points.happens("after reply", rig.process, QUERY)
    rig.process.alive = False
    rig.run_ready()
    rig.run_ready()
    assert len(watcher.told) == 2
    assert len(watcher.looked) == 1
