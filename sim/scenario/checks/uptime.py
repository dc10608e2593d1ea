"""When a node is up and when it is down, as far as the records say it."""

from __future__ import annotations

from sim.scenario.actions import (
    Kill,
    NodeAction,
    Restart,
    Start,
    Stop,
    StopDatabase,
    StrategyAction,
)
from sim.scenario.checks.common import Fail
from sim.scenario.durations import format_duration
from sim.scenario.model import Record
from sim.scenario.yaml_tree import Path


class Uptime:
    """One node, walked through its records in their order.

    Parameters
    ----------
    starts_ns
        When its first process begins.
    whose
        How an error names it: ``the node``, or by its name where there are several.
    """

    def __init__(self, starts_ns: int, whose: str, fail: Fail) -> None:
        self._starts_ns = starts_ns
        self._whose = whose
        self._fail = fail
        # The node is down in [since, until); until is None when only a start ends it.
        self._since_ns: int | None = None
        self._until_ns: int | None = None
        # A kill at a named point comes whenever it comes: a start may follow, and need not.
        self._may_be_killed = False

    def check(self, record: Record, path: Path) -> None:
        """Check what a record does in the node or with it."""
        at_ns, action, fail = record.at_ns, record.action, self._fail
        if not isinstance(action, StrategyAction | NodeAction):
            return
        if isinstance(action, StopDatabase):
            return  # which is there whether the node runs or not
        if at_ns < self._starts_ns:
            start = format_duration(self._starts_ns)
            fail(
                path,
                f"{action.word} at {format_duration(at_ns)}, before {self._whose}'s first start "
                f"at {start}",
                "only the venue acts there",
            )
        if self._until_ns is not None and at_ns >= self._until_ns:
            self._since_ns = self._until_ns = None
        is_down = self._since_ns is not None
        lies_in_wait = action.point is not None or getattr(action, "on_start", False)
        if not isinstance(action, Start) and is_down and not lies_in_wait:
            fail(path, f"{action.word} while {self._whose} is {self._down()}")
        if isinstance(action, Start):
            if action.point is not None:
                fail((*path, "point"), "nothing happens while it is down")
            if not is_down and not self._may_be_killed:
                fail(path, f"start while {self._whose} is running")
            if self._until_ns is not None:
                fail(path, f"start while {self._whose} is {self._down()}")
            self._since_ns, self._may_be_killed = None, False
        if lies_in_wait:
            self._may_be_killed |= isinstance(action, Kill | Stop)
        elif isinstance(action, Stop | Kill):
            self._since_ns = at_ns
        elif isinstance(action, Restart) and action.down_ns:
            self._since_ns, self._until_ns = at_ns, at_ns + action.down_ns

    def _down(self) -> str:
        assert self._since_ns is not None
        since = f"down since {format_duration(self._since_ns)}"
        if self._until_ns is None:
            return since
        return f"{since} until {format_duration(self._until_ns)}"
