"""The position modes that the accounts of a scenario can be in, and what each allows."""

from __future__ import annotations

from sim.scenario.actions import SetPositionMode
from sim.scenario.checks.common import Fail
from sim.scenario.model import PositionMode, Scenario
from sim.scenario.yaml_tree import Path


class Modes:
    """The position modes of the accounts, the first ones and those that they switch to.

    Who sends an order after a switch may know of it or not, so both modes are possible
    from then on: what is wrong is the venue's to refuse.
    """

    def __init__(self, scenario: Scenario) -> None:
        accounts = scenario.venue.each_account
        self._of = {name: {account.position_mode} for name, account in accounts.items()}
        self._brokered = {
            account
            for name, node in scenario.each_node.items()
            if node.broker is not None
            for account in scenario.accounts_of(name)
        }

    def switch(self, action: SetPositionMode, path: Path, fail: Fail) -> None:
        if action.mode == "hedge" and action.account in self._brokered:
            fail((*path, "mode"), "a broker nets the positions of the account", "one-way")
        self._of[action.account].add(action.mode)

    def is_always(self, mode: PositionMode, account: str) -> bool:
        """Whether an account has been in no other mode."""
        return self._of[account] == {mode}

    def check_side(self, account: str, side: str, path: Path, fail: Fail) -> None:
        if self.is_always("hedge", account) and side == "BOTH":
            fail((*path, "position_side"), "hedge mode needs 'position_side'", "LONG or SHORT")
        if self.is_always("one-way", account) and side != "BOTH":
            fail((*path, "position_side"), f"one-way mode has no {side} leg", "leave it out")
