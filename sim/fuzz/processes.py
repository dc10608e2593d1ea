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

SEEN_TO_NS = 3 * SECOND_NS
"""How long after writes were lost `recon` has seen to it.  Who ends before that loses them, and
may leave a cache that NautilusTrader cannot load."""

ENDING_NS = 2 * SECOND_NS
"""How long a stop in good order takes."""

_ENDS: tuple[Literal["stop", "kill"], ...] = ("stop", "kill")


class _Process:
    """Whether a node is up, as far as the records say."""

    def __init__(self, starts_ns: int) -> None:
        self.is_up = True
        self.back_at_ns = starts_ns + SETTLED_NS
        self._gaps: list[tuple[int, int]] = []
        self.had_trouble = False
        """Whether its database has lost something: what was mended since can be lost once more, but
        not what it was mended from."""

    def loses(self, since_ns: int, until_ns: int) -> None:
        """Take note of when its database has not all that it was told, and may have more."""
        self.had_trouble = True
        self._gaps.append((since_ns, until_ns + SEEN_TO_NS))

    def is_whole_at(self, at_ns: int) -> bool:
        """Whether its database has all that it was told, or all up to an instant."""
        return not any(since <= at_ns < until for since, until in self._gaps)


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
            case a.LoseWrites(node=node, for_ns=for_ns):
                self._processes[node].loses(self.now_ns, self.now_ns + for_ns)
            case a.StopDatabase(node=node, for_ns=for_ns, lose_ns=lose_ns):
                process, back_ns = self._processes[node], self.now_ns + for_ns
                has_gap = lose_ns is not None or not process.is_whole_at(self.now_ns)
                process.loses(self.now_ns if has_gap else back_ns - ENDING_NS, back_ns)

    # -- words ----------------------------------------------------------------------------

    def _a_node(self) -> str:
        return self._draw(st.sampled_from(tuple(self._processes)))

    def stop(self) -> a.Action | None:
        node = self._an_end()
        return None if node is None else a.Stop(node=node)

    def kill(self) -> a.Action | None:
        node = self._an_end()
        return None if node is None else a.Kill(node=node)

    def _an_end(self) -> str | None:
        """Return whose process may end: what it has written is there."""
        return self.one_of(
            [name for name, each in self._processes.items() if each.is_whole_at(self.now_ns)]
        )

    def stop_database(self) -> a.Action:
        down_ns = self._draw(st.sampled_from((SECOND_NS, 10 * SECOND_NS, MINUTE_NS)))
        lose_ns = None
        if "points" not in self._features:
            lose_ns = self._draw(st.sampled_from((None, None, 5 * SECOND_NS, 5 * MINUTE_NS)))
        return a.StopDatabase(node=self._a_node(), for_ns=down_ns, lose_ns=lose_ns)

    def lose_writes(self) -> a.Action | None:
        if "points" in self._features:
            return None  # which may end a process whenever they are reached
        long_ns = self._draw(st.sampled_from((1_000_000, 50_000_000, SECOND_NS)))
        return a.LoseWrites(node=self._a_node(), for_ns=long_ns)

    def start(self) -> a.Action | None:
        node = self.one_of(self.down())
        return None if node is None else a.Start(**self._comeback(node))

    def restart(self) -> a.Action | None:
        node = self._an_end()
        if node is None:
            return None
        by = self._draw(st.sampled_from(_ENDS))
        points = (None, *POINTS) if by == "kill" and "points" in self._features else (None,)
        return a.Restart(
            **self._comeback(node),
            by=by,
            down_ns=self._draw(st.sampled_from((0, SECOND_NS, 10 * SECOND_NS, MINUTE_NS))),
            point=self._draw(st.sampled_from(points)),
        )

    def down(self) -> list[str]:
        """Return the nodes that nothing brings back."""
        return [name for name, process in self._processes.items() if not process.is_up]

    def _comeback(self, node: str) -> dict[str, Any]:
        draw, orders = self._draw, self._orders
        torn = ("torn",) if orders else ()
        damaged = () if self._processes[node].had_trouble else ("stale", *torn)
        cache = draw(st.sampled_from(("kept", "kept", "kept", "lost", *damaged)))
        return {
            "node": node,
            "cache": cache,
            "lose_ns": draw(st.sampled_from((1, 5, 20))) * SECOND_NS if cache == "stale" else None,
            "order": draw(st.sampled_from(orders)) if cache == "torn" else None,
            "keep": draw(st.integers(1, 9)) if cache == "torn" else None,
        }
