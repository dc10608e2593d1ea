"""What becomes of the cache of a node that is killed, and the scenario in which it does."""

from __future__ import annotations

from typing import get_args

import msgspec

from sim.clock import NS_PER_SEC
from sim.crash.points import Passed
from sim.scenario import Scenario
from sim.scenario.actions import Restart
from sim.scenario.model import Expect, Record
from sim.scenario.values import Cache

FATES: tuple[Cache, ...] = get_args(Cache)
DOWN_NS = NS_PER_SEC
"""How long a node is down: little, so that most of the story still finds it up."""


def killed(
    scenario: Scenario, passed: Passed, fate: Cache, down_ns: int = DOWN_NS
) -> tuple[Scenario, int] | None:
    """Return a scenario whose node is killed at a point, and the place of the record that kills.

    None when the cache cannot have such a fate there.
    """
    if (restart := _restart(passed, fate, down_ns)) is None:
        return None
    starts_ns = scenario.each_node[passed.node].starts_ns
    records = scenario.timeline
    place = sum(record.at_ns < starts_ns for record in records)
    kill = Record(at_ns=starts_ns, action=restart)
    return msgspec.structs.replace(
        scenario,
        title=f"{scenario.title}; killed {passed.point}, the cache {fate}",
        story=None,
        reference=None,
        timeline=(*records[:place], kill, *records[place:]),
        expect=Expect(adjustments=scenario.expect.adjustments),
        known={},
    ), place


def _restart(passed: Passed, fate: Cache, down_ns: int) -> Restart | None:
    lose_ns = order = keep = None
    if fate == "stale":
        if (lose_ns := passed.lose_ns) is None:
            return None
    elif fate == "torn":
        if passed.tear is None:
            return None
        order = passed.tear.order
        # From point to point another length: all of them are tried.
        keep = 1 + passed.number % (passed.tear.writes - 1)
    return Restart(
        node=passed.node,
        by="kill",
        point=passed.point,
        cache=fate,
        lose_ns=lose_ns,
        order=order,
        keep=keep,
        down_ns=down_ns,
    )
