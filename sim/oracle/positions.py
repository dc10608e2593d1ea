"""The property position-mismatch: the legs in the final state of each node against the venue's.

A leg is (account, symbol, position side).  Judged are the legs that are not flat at the venue
or at the node, and those that had trades in scope.  On each leg

* the signed quantities of the node's open positions add up to the venue's;
* their entry price, weighted by quantity, is the venue's; when positions of both signs stand on
  the leg, there is no such average and only the quantity is compared, nor is there one that both
  must have when a trade has reduced one of several owners' positions: the venue's average stays
  then, and theirs does not;
* no two positions have opposite signs, unless they belong to different strategies, or nobody's
  trade was larger than each of several that it was against: it can be booked on one only;
* what filtered orders traded is taken out of the venue's quantity; the entry price of such a leg
  is not compared;
* another quantity is no mismatch when the process has named the leg in an alert of the kind
  ``residual``, 5 s or more after the difference began that lasts to the end: it has said that it
  cannot explain it.  Where the fills of the node's own orders come to the venue's quantity, they
  explain it;
* nor is it one where the client of a broker never says that a leg is flat, this one has been since
  before the process began, and the node holds what the trades come to that it was served: what was
  there before them nobody tells;
* where a strategy claims the symbol and no other trades it, the claiming strategy owns them,
  except positions that the process loaded: these keep the owner that they had, because a claim
  that is new or gone does not rewrite what was booked before.

``EXTERNAL`` is where NautilusTrader books what nobody claims.  It is no strategy and does not
trade: a strategy's long beside an external short is one leg shown as two, and the strategy
goes on believing in its half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from sim.observation import Incarnation, NodePosition, Observation, VenuePosition
from sim.oracle.differences import Differences
from sim.oracle.fills import leg_of_fill
from sim.oracle.judgement import Finding, Violation, plain
from sim.oracle.ledgers import Due
from sim.oracle.prices import ENTRY_PRICE_DECIMALS, same_price
from sim.oracle.scope import Leg, Node, in_scope, is_filtered, leg_of, signed
from sim.oracle.spans import SETTLE_NS
from sim.oracle.subjects import leg_subject

_NOBODY = "EXTERNAL"

RESIDUAL = "residual"
"""The kind of an alert by which an engine says that it leaves a leg as it is."""


def mismatched(
    observation: Observation,
    nodes: tuple[Node, ...],
    due: Sequence[Due],
    differences: Differences,
) -> Finding:
    subjects = 0
    violations: list[Violation] = []
    venue = {
        Leg(position.account, position.symbol, position.position_side): position
        for position in observation.positions
    }
    for node in nodes:
        if not node.answers:
            continue
        held: dict[Leg, list[NodePosition]] = {}
        for position in node.last.final.positions:
            if position.symbol not in observation.symbols:
                continue
            leg = Leg(position.account, position.symbol, position.position_side)
            held.setdefault(leg, []).append(position)
        legs = {
            *(leg for leg in venue if leg.symbol in observation.symbols),
            *held,
            *(leg_of(trade) for owner, trade in due if owner is node),
        }
        for leg in sorted(legs):
            subjects += 1
            problems = list(
                _problems(
                    observation,
                    node,
                    leg,
                    venue.get(leg),
                    held.get(leg, []),
                    is_residual=_is_residual(differences, node, leg),
                    filled=_filled(observation, node, leg),
                )
            )
            if problems:
                violations.append(
                    Violation(
                        "position-mismatch",
                        f"{leg}: at node {node.name} {', and '.join(problems)}.",
                        node.last.ended_ns,
                    )
                )
    return Finding("position-mismatch", subjects, violations)


def _problems(
    observation: Observation,
    node: Node,
    leg: Leg,
    venue: VenuePosition | None,
    held: list[NodePosition],
    *,
    is_residual: bool,
    filled: Decimal,
) -> Iterator[str]:
    quantity = sum((position.quantity for position in held), Decimal(0))
    expected = Decimal(0) if venue is None else venue.quantity
    filtered = [
        signed(trade.side, trade.quantity)
        for trade in observation.trades
        if leg_of(trade) == leg
        and trade.time_ns >= node.since_ns
        and is_filtered(observation, node, trade)
    ]
    expected -= sum(filtered, Decimal(0))
    is_shared = _is_shared(observation, node, leg, held)
    longs = [position for position in held if position.quantity > 0]
    shorts = [position for position in held if position.quantity < 0]

    if quantity != expected:
        is_explained = filled == expected
        if is_explained or not (is_residual or _is_untold(observation, node, leg, quantity)):
            yield f"the position is {plain(quantity)} instead of {plain(expected)}"
    elif (
        venue is not None
        and quantity
        and not (
            filtered or is_shared or (longs and shorts) or _is_reduced(observation, node, leg, held)
        )
    ):
        entry = sum(p.quantity * p.entry_price for p in held) / quantity
        if not same_price(entry, venue.entry_price, ENTRY_PRICE_DECIMALS):
            yield f"the entry price is {plain(entry)} instead of {plain(venue.entry_price)}"

    is_excused = bool(longs and shorts) and (is_shared or _was_too_large(observation, node, leg))
    for long in longs:
        for short in shorts:
            owners = sorted({long.strategy_id, short.strategy_id})
            if not is_excused and (len(owners) == 1 or _NOBODY in owners):
                yield (
                    f"{long.position_id} ({plain(long.quantity)}) and "
                    f"{short.position_id} ({plain(short.quantity)}) of {' and '.join(owners)} "
                    "have opposite signs"
                )

    claimant = node.last.claims.get(leg.symbol)
    if claimant is not None and not _trading(node, leg) - {claimant, _NOBODY}:
        loaded = {(p.position_id, p.strategy_id) for p in node.last.loaded.positions}
        for position in held:
            owner = position.position_id, position.strategy_id
            if position.strategy_id != claimant and owner not in loaded:
                yield (
                    f"{position.position_id} ({plain(position.quantity)}) is owned by "
                    f"{position.strategy_id} instead of {claimant}"
                )


def _is_untold(observation: Observation, node: Node, leg: Leg, quantity: Decimal) -> bool:
    """Whether a node of a broker's client holds what the trades that it was served come to.

    And the leg was flat when its last process began, and is still.
    """
    if not observation.nets:
        return False
    trades = [trade for trade in observation.trades if leg_of(trade) == leg]
    if any(trade.time_ns >= node.last.started_ns for trade in trades):
        return False
    signs = [(trade, signed(trade.side, trade.quantity)) for trade in trades]
    served = sum((s for trade, s in signs if in_scope(observation, node, trade)), Decimal(0))
    return served == quantity and not sum((s for _, s in signs), Decimal(0))


def _is_residual(differences: Differences, node: Node, leg: Leg) -> bool:
    """Whether the last process has called what differs now a residual, and not in haste."""
    process = node.last
    if not any(alert.kind == RESIDUAL for alert in process.alerts):
        return False
    [found] = [d for d in differences.processes if d.process.incarnation is process]
    spans = found.spans.get(leg_subject(leg), ())
    if not spans or spans[-1].until_ns != process.ended_ns:
        return False
    return any(
        alert.kind == RESIDUAL
        and Leg(alert.account, alert.symbol, alert.position_side) == leg
        and alert.at_ns >= spans[-1].from_ns + SETTLE_NS
        for alert in process.alerts
    )


def _filled(observation: Observation, node: Node, leg: Leg) -> Decimal:
    """What the fills of the node's orders on a leg come to."""
    return sum(
        (
            signed(fill.side, fill.quantity)
            for order in node.last.final.orders
            for fill in order.fills
            if leg_of_fill(observation, fill) == leg
        ),
        Decimal(0),
    )


def _is_shared(
    observation: Observation, node: Node, leg: Leg, held: Sequence[NodePosition]
) -> bool:
    """Whether several rightly have positions of their own on a leg, if its client nets so.

    Each strategy has what it has traded, and so has who trades by hand if an order of his was
    there before a strategy had traded, or as far as the node had heard.  What he does later is
    about what there is: a trade of nobody's that reduces the position that it was booked on is of
    that one.  An order that may only reduce opens nothing for its owner.
    """
    if len(held) < 2:
        return False
    orders = node.last.final.orders
    owners = {order.client_order_id: order.strategy_id for order in orders}
    reducing = {order.client_order_id for order in orders if order.reduce_only}
    booked_on = {
        (order.client_order_id, fill.trade_id): _owner_in(fill.position_id)
        for order in orders
        for fill in order.fills
    }
    by_hand: set[str] = set()
    traded: dict[str, Decimal] = {}
    first_ns: list[int] = []
    for trade in observation.trades:
        if leg_of(trade) != leg:
            continue
        owner = owners.get(trade.client_order_id, _NOBODY)
        quantity = signed(trade.side, trade.quantity)
        other = booked_on.get((trade.client_order_id, str(trade.trade_id)), owner)
        if owner == _NOBODY and _reduces(quantity, traded.get(other, Decimal(0))):
            traded[other] += quantity
            by_hand.add(trade.client_order_id)
            continue
        before = traded.get(owner, Decimal(0))
        traded[owner] = before + quantity
        if trade.client_order_id in reducing and not _reduces(quantity, before):
            return False
        if owner == _NOBODY:
            by_hand.add(trade.client_order_id)
        else:
            first_ns.append(trade.time_ns)
    if any(p.quantity != traded.get(p.strategy_id) for p in held):
        return False
    return (
        not by_hand
        or _hears_first(observation, node, leg, by_hand)
        or any(
            order.created_ns < min(first_ns, default=0)
            for order in observation.orders
            if order.client_order_id in by_hand
            and (order.account, order.symbol) == (leg.account, leg.symbol)
        )
    )


def _owner_in(position_id: str) -> str:
    """The strategy in the id of a netted position, ``<symbol>.<venue>-<strategy>``."""
    return position_id.partition(".")[2].partition("-")[2]


def _reduces(quantity: Decimal, held: Decimal) -> bool:
    """Whether a signed quantity makes what is held smaller and does not turn it around."""
    return quantity * held < 0 and abs(quantity) <= abs(held)


def _hears_first(
    observation: Observation, node: Node, leg: Leg, client_order_ids: set[str]
) -> bool:
    """Whether the first fill on a leg that a node has applied was of one of these orders."""
    if not observation.nets:
        return False
    ids = {
        str(order.order_id)
        for order in observation.orders
        if order.client_order_id in client_order_ids
    }
    fills = (
        (event.fill, event.venue_order_id)
        for process in node.incarnations
        for event in process.events
        if event.fill is not None
    )
    return next(
        (order_id in ids for fill, order_id in fills if leg_of_fill(observation, fill) == leg),
        False,
    )


def _was_too_large(observation: Observation, node: Node, leg: Leg) -> bool:
    """Whether a trade of nobody's was larger than each position against it, of several held."""
    if not observation.nets:
        return False
    for process in node.incarnations:
        owners = {order.client_order_id: order.strategy_id for order in process.final.orders}
        held = _loaded(process)
        for event in process.events:
            fill = event.fill
            if fill is None or leg_of_fill(observation, fill) != leg:
                continue
            quantity = signed(fill.side, fill.quantity)
            standing = [other for other in held.values() if other]
            against = [abs(other) for other in standing if (other > 0) != (quantity > 0)]
            if (
                owners.get(event.client_order_id) == _NOBODY
                and len(standing) > 1
                and max(against, default=fill.quantity) < fill.quantity
            ):
                return True
            held[fill.position_id] = held.get(fill.position_id, Decimal(0)) + quantity
    return False


def _loaded(process: Incarnation) -> dict[str, Decimal]:
    """What positions a process begins with, also one that its fills alone tell of."""
    told: dict[str, Decimal] = {}
    for order in process.loaded.orders:
        for fill in order.fills:
            quantity = signed(fill.side, fill.quantity)
            told[fill.position_id] = told.get(fill.position_id, Decimal(0)) + quantity
    return told | {p.position_id: p.quantity for p in process.loaded.positions}


def _is_reduced(
    observation: Observation, node: Node, leg: Leg, held: Sequence[NodePosition]
) -> bool:
    """Whether a trade was against positions of several, all of one sign; it may have closed one."""
    if not observation.nets:
        return False
    booked_on = {
        fill.position_id
        for order in node.last.final.orders
        for fill in order.fills
        if leg_of_fill(observation, fill) == leg
    }
    if len(booked_on | {position.position_id for position in held}) < 2:
        return False
    side = "SELL" if held[0].quantity > 0 else "BUY"
    return any(trade.side == side for trade in observation.trades if leg_of(trade) == leg)


def _trading(node: Node, leg: Leg) -> set[str]:
    """The strategies that have an order on the symbol of the leg."""
    return {
        order.strategy_id
        for order in node.last.final.orders
        if (order.account, order.symbol) == (leg.account, leg.symbol)
    }
