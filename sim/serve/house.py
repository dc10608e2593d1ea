"""A venue, the way to it and the world's hand, without any node: for whoever comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sim.clock import NS_PER_MS
from sim.faults import Fault, Faults
from sim.hand import ACTS, Reach, Sent, act, venue_client_id
from sim.loops import Loop
from sim.points import Points
from sim.scenario import actions as a
from sim.scenario import loads_action
from sim.scenario.model import Scenario
from sim.streams import Streams
from sim.trace import Trace
from sim.transport.network import Network
from sim.venue import Venue, VenueConfig
from sim.venue_setup import venue_config


class OrdersAtVenue(Mapping[str, Sent]):
    """The orders at a venue by their client ids, those of the hand by the ids that it gave."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.by_hand: dict[str, a.WebSubmit] = {}

    def __getitem__(self, name: str) -> Sent:
        if name in self.by_hand:
            return self.by_hand[name]
        for order in reversed(self._venue.orders()):
            if order.client_order_id == name:
                return a.WebSubmit(
                    id=name,
                    client_id=name,
                    account=order.account,
                    symbol=order.symbol,
                    side="BUY" if order.side == "BUY" else "SELL",
                    quantity=order.quantity,
                )
        raise KeyError(f"the venue has no order {name!r}")

    def __iter__(self) -> Iterator[str]:
        yield from self.by_hand
        yield from (order.client_order_id for order in self._venue.orders())

    def __len__(self) -> int:
        return len(list(iter(self)))


class House:
    """One venue in the words of a scenario, on which no node is.

    Parameters
    ----------
    loop
        Whose time it is.
    scenario
        Its ``venue`` and its ``seed`` are used, and nothing else.
    config
        The venue's configuration; that of the scenario when left out.
    latency_ms
        What is added to each way, unless the scenario says it.
    """

    def __init__(
        self,
        loop: Loop,
        scenario: Scenario,
        config: VenueConfig | None = None,
        latency_ms: tuple[int, int] = (0, 0),
    ) -> None:
        streams = Streams(scenario.seed)
        latency_ms = scenario.venue.latency_ms or latency_ms
        self.loop = loop
        self.trace = Trace()
        self.venue = Venue(config or venue_config(scenario.venue), streams["venue"])
        self.faults = Faults(lambda: loop.now_ns, self._on_fault)
        points = Points(loop, self.trace)
        self.network = Network(
            loop,
            self.venue,
            self.faults,
            self.trace,
            streams["network"],
            points,
            (latency_ms[0] * NS_PER_MS, latency_ms[1] * NS_PER_MS),
        )
        self._orders = OrdersAtVenue(self.venue)
        self.reach = Reach(loop, self.venue, self.network, self.faults, scenario, self._orders)

    def act(self, words: str) -> a.Action:
        """Do what a record of a scenario says, at once; return it.

        Raises `ScenarioError` for what cannot be read, `VenueError` and `LookupError` for
        what cannot be done, or is done by a node.
        """
        action = loads_action(words, self.reach.scenario.setting)
        if type(action) not in ACTS:
            raise LookupError(
                f"{action.word!r} is what a node does, and here is the venue alone: let your "
                "client do it, or the user by hand, as with 'web_submit'"
            )
        if isinstance(action, a.WebSubmit):
            if venue_client_id(action) in self._orders:
                raise LookupError(f"there is an order {action.id!r} already")
            self._orders.by_hand[action.id] = action
        act(self.reach, action, action.word)
        self.network.flush()
        return action

    def pending(self) -> str | None:
        """Say what has not come to rest, None when everything has."""
        return "reads lag" if self.venue.reads.lagging else self.network.pending()

    def check(self) -> None:
        """Raise `VenueInvariantError` when its books do not add up."""
        self.venue.check_invariants()
        self.network.check_invariants()

    def _on_fault(self, fault: Fault, what: str) -> None:
        self.trace.add(self.loop.now_ns, "fault", fault.label, what)
