"""The points that the nodes of a scenario pass through, as a real run shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, get_args

import msgspec

from sim.clock import NS_PER_SEC, START_NS
from sim.database import ORDER_PREFIX, WriteLog, is_fill
from sim.engines import MakeEngine
from sim.hand import venue_client_id
from sim.node import NodeProcess
from sim.points import Happening, Tally
from sim.process import Process
from sim.scenario import Scenario
from sim.scenario.actions import Submit, WebSubmit
from sim.scenario.points import Moment, Point, parse_point
from sim.scenario.values import EXECUTIONS, EventType
from sim.venue.rest import ROUTES
from sim.venue.wire import Request
from sim.venue.ws_api import METHODS, PATH, VERB
from sim.world import Run, World

LOSSES_NS = (2 * NS_PER_SEC, 10 * NS_PER_SEC, 60 * NS_PER_SEC)
"""How much a stale cache may lack: what Redis may lose that saves each second, and more."""

_EVENTS = get_args(EventType)
_SERVED = frozenset(ROUTES) | {(VERB, f"{PATH}/{method}") for method in METHODS}


class Tear(msgspec.Struct, frozen=True):
    """A fill that the writes may break off in."""

    order: str
    """The order, by the id that the file has."""
    writes: int
    """How many writes the fill has made."""


class Passed(msgspec.Struct, frozen=True):
    """A point that a process has passed through, and what of its cache could be lost there."""

    point: str
    node: str
    process: str
    at_ns: int
    """When, counted as a scenario counts."""
    number: int
    """The place of the point among those of the run."""
    lose_ns: int | None = None
    """What a stale cache lacks; None when nothing was written of late."""
    tear: Tear | None = None
    """What a torn cache is torn in; None when nothing was filled of late."""


class Recording(msgspec.Struct, frozen=True):
    """A run without a kill, with the points in the order in which they were passed."""

    run: Run
    points: tuple[Passed, ...]
    unnamed: int
    """How many happenings no point can name."""


def record(scenario: Scenario, engine: MakeEngine) -> Recording:
    """Run a scenario and name all that happens to its nodes; raises what `sim.world.run` does."""
    world = World(scenario, engine, scenario.seed)
    recorder = _Recorder(scenario, lambda: world.loop.now_ns)
    world.points.watch(recorder.sees)
    run = world.run()
    points = tuple(recorder.passed())
    return Recording(run, points, sum(h.subject is None for h in recorder.happenings))


class _Happened(NamedTuple):
    moment: Moment
    process: Process
    of: Happening
    subject: Point | None
    """What a point there is about, its number apart."""


class _Sight(NamedTuple):
    at_ns: int
    lose_ns: int | None
    tear: Tear | None


class _Recorder:
    """Takes down what happens; what it is called is known when all of it is."""

    def __init__(self, scenario: Scenario, now_ns: Callable[[], int]) -> None:
        self.happenings: list[_Happened] = []
        self._now_ns = now_ns
        self._sights: dict[int, _Sight] = {}
        self._names_nodes = len(scenario.each_node) > 1
        # The cache knows an order by the id that the venue has.
        self._orders = {
            venue_client_id(record.action): record.action.id
            for record in scenario.timeline
            if isinstance(record.action, Submit | WebSubmit)
        }

    def sees(self, moment: Moment, process: Process, of: Happening) -> Callable[[], None]:
        """Take note of what happens; return what takes note of the cache as a kill leaves it."""
        node = process.node_name if self._names_nodes else ""
        number = len(self.happenings)
        self.happenings.append(_Happened(moment, process, of, _subject(moment, of, node)))

        def look() -> None:
            assert isinstance(process, NodeProcess)
            self._sights[number] = self._sight(process.node.log)

        return look

    def _sight(self, log: WriteLog) -> _Sight:
        now_ns = self._now_ns()
        last_ns = log.writes[-1].at_ns if log.writes else 0
        losses = [loss_ns for loss_ns in LOSSES_NS if last_ns >= now_ns - loss_ns]
        return _Sight(
            now_ns - START_NS, min(losses, default=None), self._tear(log, now_ns - LOSSES_NS[-1])
        )

    def _tear(self, log: WriteLog, since_ns: int) -> Tear | None:
        """Return the last fill in a log of an order that the file names, if it can be torn."""
        for number in reversed(range(len(log.writes))):
            write = log.writes[number]
            if write.at_ns < since_ns:
                return None
            order = self._orders.get(write.key.removeprefix(ORDER_PREFIX))
            if order is None or not is_fill(write):
                continue
            writes = len(log.last_fill(write.key.removeprefix(ORDER_PREFIX)))
            return Tear(order, writes) if writes > 1 else None
        return None

    def passed(self) -> list[Passed]:
        """Return the points by their names, in the order in which they were passed."""
        names: dict[int, Point] = {}
        for subject, node in dict.fromkeys(
            (h.subject, h.process.node_name) for h in self.happenings if h.subject is not None
        ):
            tally = Tally(subject)
            for number, (moment, process, of, about) in enumerate(self.happenings):
                if process.node_name == node and tally.counts(moment, of) and about == subject:
                    names[number] = msgspec.structs.replace(subject, number=tally.number)
        # What has a sight was passed alive: a process may end by itself as it hears a reply.
        numbers = sorted(number for number in names if number in self._sights)
        return [
            Passed(
                point=str(names[number]),
                node=self.happenings[number].process.node_name,
                process=self.happenings[number].process.name,
                number=place,
                **self._sights[number]._asdict(),
            )
            for place, number in enumerate(numbers)
        ]


def _subject(moment: Moment, of: Happening, node: str) -> Point | None:
    """Return the first point about such a thing, None where no file can name one."""
    if isinstance(of, str):
        point = Point(moment, 1, key=of, node=node)
        return point if _is_written(point) else Point(moment, 1, node=node)
    if isinstance(of, Request):
        point = Point(moment, 1, of.client, of.method, of.path, node=node)
        return point if (of.method, of.path) in _SERVED and _is_written(point) else None
    if of.event not in _EVENTS:
        return None
    known = of.execution in EXECUTIONS.get(of.event, ())
    return Point(moment, 1, event=of.event, execution=of.execution if known else "", node=node)


def _is_written(point: Point) -> bool:
    """Whether a point has the form that a file may name."""
    try:
        return parse_point(str(point)) == point
    except ValueError:
        return False
