"""Drawn words about the processes of nodes: when they end and how they come back."""

from __future__ import annotations

from typing import Any, Literal

from hypothesis import strategies as st

from sim.fuzz.part import Part
from sim.fuzz.values import MINUTE_NS, POINTS, SECOND_NS
from sim.scenario import actions as a
from sim.scenario import model as m

SETTLED_NS = 2 * SECOND_NS
"""How long after a start strategies run, with some time to spare."""

_ENDS: tuple[Literal["stop", "kill"], ...] = ("stop", "kill")


class _Process:
    """Whether a node is up, as far as the records say."""

    def __init__(self, starts_ns: int) -> None:
        self.is_up = True
        self.back_at_ns = starts_ns + SETTLED_NS


class Processes(Part):
    """The processes of the nodes."""

    def __init__(self, draw: st.DrawFn, setting: m.Scenario, features: frozenset[str]) -> None:
        super().__init__(draw, setting, features)
        nodes = setting.each_node
        self._processes = {name: _Process(node.starts_ns) for name, node in nodes.items()}
        self._orders: list[str] = []

    def is_down(self, node: str) -> bool:
        """Whether strategies of a node do not run."""
        process = self._processes[node]
        return not process.is_up or self.now_ns < process.back_at_ns

    @property
    def all_down(self) -> bool:
        """Whether nobody hears anything."""
        return all(map(self.is_down, self._processes))

    @property
    def all_off(self) -> bool:
        """Whether no node runs or comes back by itself."""
        return not any(process.is_up for process in self._processes.values())

    def note(self, action: a.Action) -> None:
        match action:
            case a.Order(id=order):
                self._orders.append(order)
            case a.Stop(node=node) | a.Kill(node=node):
                self._processes[node].is_up = False
            case a.Start(node=node):
                process = self._processes[node]
                process.is_up, process.back_at_ns = True, self.now_ns + SETTLED_NS
            case a.Restart(node=node, down_ns=down_ns):
                self._processes[node].back_at_ns = self.now_ns + down_ns + SETTLED_NS

    # -- words ----------------------------------------------------------------------------

    def _a_node(self) -> str:
        return self._draw(st.sampled_from(tuple(self._processes)))

    def stop(self) -> a.Action:
        return a.Stop(node=self._a_node())

    def kill(self) -> a.Action:
        return a.Kill(node=self._a_node())

    def stop_database(self) -> a.Action:
        down_ns = self._draw(st.sampled_from((SECOND_NS, 10 * SECOND_NS, MINUTE_NS)))
        return a.StopDatabase(node=self._a_node(), for_ns=down_ns)

    def start(self) -> a.Action | None:
        node = self.one_of(self.down())
        return None if node is None else a.Start(**self._comeback(node))

    def restart(self) -> a.Action:
        by = self._draw(st.sampled_from(_ENDS))
        points = (None, *POINTS) if by == "kill" and "points" in self._features else (None,)
        return a.Restart(
            **self._comeback(),
            by=by,
            down_ns=self._draw(st.sampled_from((0, SECOND_NS, 10 * SECOND_NS, MINUTE_NS))),
            point=self._draw(st.sampled_from(points)),
        )

    def down(self) -> list[str]:
        """Return the nodes that nothing brings back."""
        return [name for name, process in self._processes.items() if not process.is_up]

    def _comeback(self, node: str = "") -> dict[str, Any]:
        draw, orders = self._draw, self._orders
        torn = ("torn",) if orders else ()
        cache = draw(st.sampled_from(("kept", "kept", "kept", "lost", "stale", *torn)))
        return {
            "node": node or self._a_node(),
            "cache": cache,
            "lose_ns": draw(st.sampled_from((1, 5, 20))) * SECOND_NS if cache == "stale" else None,
            "order": draw(st.sampled_from(orders)) if cache == "torn" else None,
            "keep": draw(st.integers(1, 9)) if cache == "torn" else None,
        }
