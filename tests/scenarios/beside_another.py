"""A story of one node, told of the second of two: on an account of its own, beside an idle node."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.scenario import actions as a
from sim.scenario import model as m

NODE, ACCOUNT = "B", "second"


def beside_another(scenario: m.Scenario) -> m.Scenario:
    """Return the story as that of node B on the account ``second``; node A does nothing."""
    assert not scenario.nodes
    assert not scenario.venue.accounts
    expect = scenario.expect
    return replace(
        scenario,
        venue=replace(
            scenario.venue,
            accounts={"main": m.Account(position_mode="one-way"), ACCOUNT: m.Account()},
        ),
        node=m.Node(),
        nodes={"A": m.Node(), NODE: replace(scenario.node, account=ACCOUNT)},
        timeline=tuple(replace(r, action=_told_of_b(r.action)) for r in scenario.timeline),
        expect=replace(
            expect,
            venue_position={},
            venue_positions={ACCOUNT: expect.venue_position},
            adjustments=tuple(replace(each, account=ACCOUNT) for each in expect.adjustments),
        ),
    )


def _told_of_b(action: a.Action) -> a.Action:
    fields = type(action).__struct_fields__
    changes: dict[str, Any] = {}
    if "node" in fields:
        changes["node"] = NODE
    if "account" in fields and not isinstance(action, a.StrategyAction | a.Matched):
        changes["account"] = ACCOUNT
    if action.point is not None:
        changes["point"] = f"{action.point} at {NODE}"
    return replace(action, **changes)
