"""What a planted bug is: `recon`, installed as ever, and one thing of it replaced.

Rules of this file:

1. What is replaced is an attribute of an object that belongs to one node: its installation, or
   an account of it, or what these are made of.  Classes and modules stay as they are.
2. What is replaced must be there.  A bug that is planted beside the place where `recon` looks
   would be none, and so a name that has changed is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from nautilus_trader.live.node import TradingNode

from sim.recon_engine import Recon, install
from sim.runner import TookTooLong
from sim.scenario import Scenario
from sim.scenario.actions import Action, Restart, Start
from sim.scenario.model import Record


class Misplanted(TookTooLong):
    """What is to be replaced is not there.  `recon` would stop its node for any other error."""


class Sound(Recon):
    """`recon` as it is; what is planted begins here.

    ``lookback_mins`` is the lookback of the stories, for what needs one that ends within them.
    ``trouble`` is a record that each of them has besides: when a process starts again or, where
    none does, in the middle.
    """

    lookback_mins: int | None = None
    trouble: Action | None = None

    @classmethod
    def told(cls, story: Scenario) -> Scenario:
        """Return a story as this engine is to be tried with."""
        node, timeline = story.node, story.timeline
        if cls.lookback_mins is not None:
            node = msgspec.structs.replace(node, reconciliation_lookback_mins=cls.lookback_mins)
        if cls.trouble is not None and timeline:
            place = next(
                (n for n, r in enumerate(timeline) if isinstance(r.action, Start | Restart)),
                len(timeline) // 2,
            )
            record = Record(at_ns=timeline[place].at_ns, action=cls.trouble)
            timeline = (*timeline[:place], record, *timeline[place:])
        return msgspec.structs.replace(story, node=node, timeline=timeline)

    def attach(self, node: TradingNode) -> None:
        """Install `recon`, then let `on_node` and `on_account` change what they want."""
        # Faults name the clients whose requests they hit: this one is still `recon`.
        installation: Any = install(node)
        self.node: Any = node
        self.now_ns: Callable[[], int] = node.kernel.clock.timestamp_ns

        def make(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
            def made(client: Any) -> Any:
                account = original(client)
                try:
                    self.on_account(account)
                except AttributeError as e:
                    raise Misplanted(f"{self.name}: {e}") from e
                return account

            return made

        replace(installation._maker, "make", make)
        self.on_node(installation)

    def on_node(self, installation: Any) -> None:
        """Change the installation of a node that is built and not yet started."""

    def on_account(self, account: Any) -> None:
        """Change an account, which is made when its client is connected."""


class Planted(Sound):
    """`recon` with one defect, which the first sentence of its class tells.

    ``breaks`` are the properties of which one at least must be violated by the first story that
    fails, ``within`` is after how many stories at the most that must be.  ``control`` is the
    sound engine of the same settings, which must pass that story.  ``features`` are those of the
    stories in which it is looked for, see `sim.fuzz.features`: all of them in each, so that few
    stories are enough.  With none stories are as the fuzzer draws them.
    """

    breaks: tuple[str, ...]
    within: int
    features: tuple[str, ...] = ()
    control: type[Sound] = Sound


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace an attribute of one object by what is made of it.  Raises `AttributeError`."""
    setattr(owner, name, make(getattr(owner, name)))


def put(owner: Any, name: str, value: Any) -> None:
    """Replace an attribute of one object that must be there.  Raises `AttributeError`."""
    replace(owner, name, lambda _: value)


class Instead:
    """Another object in all but a few attributes."""

    def __init__(self, other: Any, **attributes: Any) -> None:
        self._other = other
        self.__dict__.update(attributes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._other, name)
