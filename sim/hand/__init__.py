"""The world's hand: it does at the venue, and on the way to it, what records say.

Each module has a table of the actions that it knows; a new action is a struct in
`sim.scenario.actions` and an entry in one of these tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.hand import account, reads, requests, streams, venue, ws_api
from sim.hand.base import Reach, Sent, venue_client_id
from sim.scenario.actions import Action

__all__ = ["ACTS", "Reach", "Sent", "act", "venue_client_id"]

ACTS: dict[type[Action], Callable[[Reach, Any, str], None]] = {
    **venue.DO,
    **account.DO,
    **requests.DO,
    **reads.DO,
    **streams.DO,
    **ws_api.DO,
}
"""What is done for each action of the venue and for each fault."""


def act(reach: Reach, action: Action, label: str) -> None:
    """Do what a record says; ``label`` is how reports call it.

    Raises `VenueError` and `LookupError` when it cannot be done.
    """
    ACTS[type(action)](reach, action, label)
