"""Where judging begins and which process of each node answers for the end.

* The last process of a node is judged at the end when it is still running.  One that has ended,
  however it did, holds nothing any more.
* The scope of a node begins one lookback before the first startup reconciliation of its current
  lineage of state that let the strategies run.  What lies before is the opening balance's.
* A node sees the accounts that it trades on (`views`) and the symbols that the observation names.
* Orders that the node is told to filter are out of scope, and with them their trades: those named
  by their client ids, or all that nobody submitted here and nobody claims.
* Out of scope are the trades of a symbol that nothing names: all free of fees, so that no row of
  commission in the income history tells of them, flat again in the end, with no order or claim
  of the node on it.  Where something names it later, it is as if they differed from then on.
* An order that the node itself has purged is out of scope, and with it its trades that a process
  of this lineage had applied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

import msgspec

from sim.observation import Incarnation, Observation, VenueOrder, VenueTrade

DAY_NS = 24 * 60 * 60 * 1_000_000_000

# Binance USD-M, "Account Trade List" (GET /fapi/v1/userTrades): "If startTime and endTime are
# both not sent, then the last 7 days' data will be returned."  An unlimited lookback asks so.
SERVED_WITHOUT_TIMES_NS = 7 * DAY_NS


class Leg(NamedTuple):
    """What Binance keeps one position for."""

    account: str
    symbol: str
    position_side: str

    def __str__(self) -> str:
        return f"{self.symbol} {self.position_side} ({self.account})"


class Node(msgspec.Struct, frozen=True):
    """One node: its processes in order, and the instant at which its scope begins.

    ``submitted`` are the client ids of the orders that its strategies sent, as far as its last
    process has not lost them; ``nameless`` are the (account, symbol) whose trades it cannot find.
    """

    name: str
    incarnations: tuple[Incarnation, ...]
    since_ns: int
    submitted: frozenset[str] = frozenset()
    nameless: frozenset[tuple[str, str]] = frozenset()

    @property
    def last(self) -> Incarnation:
        return self.incarnations[-1]

    @property
    def answers(self) -> bool:
        """Whether its last process has a final state to be judged."""
        return self.last.ended == "running"


def nodes_of(observation: Observation) -> tuple[Node, ...]:
    """The nodes of a run by name, each with its processes by number."""
    processes: dict[str, list[Incarnation]] = {}
    for incarnation in sorted(observation.incarnations, key=lambda i: (i.node, i.number)):
        processes.setdefault(incarnation.node, []).append(incarnation)
    return tuple(
        Node(
            name,
            tuple(incarnations),
            scope_start_ns(observation, incarnations),
            submitted_by(lineage := _lineage(incarnations)),
            nameless_to(observation, lineage),
        )
        for name, incarnations in processes.items()
    )


def _lineage(incarnations: list[Incarnation]) -> list[Incarnation]:
    """The processes whose state the last one goes on with, and the last one."""
    return [i for i in incarnations if i.lineage == incarnations[-1].lineage]


def submitted_by(incarnations: list[Incarnation]) -> frozenset[str]:
    """Return the orders of a node's own that the last of its processes can know to be that.

    What it does not find in its state it cannot tell from somebody else's.
    """
    sent = [_sent(incarnation) for incarnation in incarnations]
    last = incarnations[-1]
    kept = {order.client_order_id for order in last.loaded.orders}
    purged = {name for incarnation in incarnations for name in incarnation.purged}
    return frozenset(sent[-1] | (set[str]().union(*sent) & (kept | purged)))


def _sent(incarnation: Incarnation) -> set[str]:
    # A process can be killed when it has written that it submits an order, and not yet said so.
    kinds = ("OrderInitialized", "OrderSubmitted")
    return {e.client_order_id for e in incarnation.events if e.kind in kinds}


def nameless_to(
    observation: Observation, incarnations: list[Incarnation]
) -> frozenset[tuple[str, str]]:
    """Return where there are trades that nothing names to the last of a node's processes."""
    traded = {(trade.account, trade.symbol) for trade in observation.trades}
    if not traded or all(trade.commission for trade in observation.trades):
        return frozenset()
    # What moves money has a row in the account's income.
    since_ns = scope_start_ns(observation, incarnations)
    named = {
        (trade.account, trade.symbol)
        for trade in observation.trades
        if (trade.commission or trade.realized) and trade.time_ns >= since_ns
    }
    named |= {(position.account, position.symbol) for position in observation.positions}
    named |= {(order.account, order.symbol) for order in observation.orders if order.is_open}
    last = incarnations[-1]  # what the ones before knew, and it has lost, names nothing to it
    named |= {(account, symbol) for account, _ in traded for symbol in last.claims}
    named |= {(event.account, event.symbol) for event in last.events}
    named |= {(order.account, order.symbol) for order in last.loaded.orders}
    return frozenset(traded - named)


def named_ns(observation: Observation, incarnation: Incarnation, account: str, symbol: str) -> int:
    """Return since when something has named a symbol to a process, its end if nothing does.

    What is open is named when it is read.
    """
    place = (account, symbol)
    trades = [trade for trade in observation.trades if (trade.account, trade.symbol) == place]
    loaded = {(each.account, each.symbol) for each in incarnation.loaded.orders}
    loaded |= {(each.account, each.symbol) for each in incarnation.loaded.positions}
    if all(t.commission for t in trades) or symbol in incarnation.claims or place in loaded:
        return incarnation.started_ns
    orders = [order for order in observation.orders if (order.account, order.symbol) == place]
    names_ns = [e.at_ns for e in incarnation.events if (e.account, e.symbol) == place]
    names_ns += [trade.time_ns for trade in trades if trade.commission or trade.realized]
    names_ns += [
        call.began_ns
        for call in incarnation.calls
        if any(order.is_live_at(call.began_ns) for order in orders)
        or not _leave_all_flat(trade for trade in trades if trade.time_ns <= call.began_ns)
    ]
    return max(incarnation.started_ns, min(names_ns, default=incarnation.ended_ns))


def _leave_all_flat(trades: Iterable[VenueTrade]) -> bool:
    """Whether all trades of legs up to an instant left none of them open."""
    held: defaultdict[Leg, Decimal] = defaultdict(Decimal)
    for trade in trades:
        held[leg_of(trade)] += signed(trade.side, trade.quantity)
    return not any(held.values())


def scope_start_ns(observation: Observation, incarnations: list[Incarnation]) -> int:
    """When the scope of these processes begins; the last says of which lineage."""
    lineage = _lineage(incarnations)
    first = next((i for i in lineage if i.ready_ns is not None), lineage[0])
    return lookback_start_ns(observation, asked_ns(first)[1])


def asked_ns(incarnation: Incarnation) -> tuple[int, int]:
    """The first and the last instant at which a process may have asked for its history.

    The venue serves what is younger than a lookback at that instant, whichever it was.
    """
    startup = next((call for call in incarnation.calls if call.kind == "startup"), None)
    if startup is None:
        return incarnation.started_ns, incarnation.started_ns
    ended_ns = incarnation.ended_ns if startup.ended_ns is None else startup.ended_ns
    return startup.began_ns, ended_ns


def lookback_start_ns(observation: Observation, started_ns: int) -> int:
    """The oldest trade time that a process started then is served."""
    lookback_ns = observation.lookback_ns
    return started_ns - (SERVED_WITHOUT_TIMES_NS if lookback_ns is None else lookback_ns)


def in_scope(observation: Observation, node: Node, trade: VenueTrade) -> bool:
    return (
        trade.symbol in observation.symbols
        and trade.time_ns >= node.since_ns
        and (trade.account, trade.symbol) not in node.nameless
        and not is_filtered(observation, node, trade)
    )


def is_filtered(observation: Observation, node: Node, of: VenueTrade | VenueOrder) -> bool:
    """Whether the node is told to leave alone the order, or the order of the trade."""
    if of.client_order_id in observation.filtered:
        return True
    return (
        observation.filters_unclaimed
        and of.client_order_id not in node.submitted
        and of.symbol not in _claims_at(node, of)
    )


def _claims_at(node: Node, of: VenueTrade | VenueOrder) -> dict[str, str]:
    """The claims of the process that lived then, or of the first one that began afterwards."""
    at_ns = of.time_ns if isinstance(of, VenueTrade) else of.updated_ns
    living = (i for i in node.incarnations if at_ns < i.ended_ns)
    return next(living, node.last).claims


def is_due(observation: Observation, node: Node, order: VenueOrder) -> bool:
    """Whether an order of the venue is in scope: live, or changed since the scope began."""
    return (
        order.symbol in observation.symbols
        and (order.is_open or order.updated_ns >= node.since_ns)
        and (order.account, order.symbol) not in node.nameless
        and not is_filtered(observation, node, order)
    )


def leg_of(trade: VenueTrade) -> Leg:
    return Leg(trade.account, trade.symbol, trade.position_side)


def signed(side: str, quantity: Decimal) -> Decimal:
    return quantity if side == "BUY" else -quantity


def venue_id(text: str) -> int | None:
    """The venue's id in a node's text, or None for what is no id of the venue.

    Binance's ids are positive 64-bit integers; a synthetic ``S-...``, a UUID or a hash is not.
    """
    if not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number < 2**63 else None
