"""Properties of fills: fill-lost, fill-duplicated, phantom-fill, fill-wrong.

fill-lost
    Every trade in scope is loaded or published by the last process of each node.
fill-duplicated
    No process publishes a trade that it had loaded or already published.  A trade that the
    loaded state lacked may be published once more by each process.
phantom-fill
    No process publishes a fill without a trade, except an opening balance and what the
    scenario declares as an adjustment (each once for each node).
    An opening balance is a fill whose signed quantity is the venue's position (the sum of all
    trades of the leg so far) minus what the loaded state holds minus the trades served in the
    process's own lookback that the loaded state lacks.  Zero exempts nothing.  A state has one
    for each leg: it stands in that of the process that made it and of each that loads its
    order, so that a lineage has one unless a torn cache lost it, and a lost cache starts anew.
fill-wrong
    A published fill that matches a trade has its price, quantity, commission and currency,
    liquidity side, and time in milliseconds.

The leg of a fill without a trade: BOTH in one-way mode; in hedge mode the suffix of its
position id, and where that tells nothing (``P-...``, ``...-EXTERNAL``) the leg that an opening
order of its side would open: LONG for BUY, SHORT for SELL.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sim.observation import Adjustment, NodeFill, Observation, VenueTrade
from sim.oracle.judgement import Finding, Violation, plain, signed_words
from sim.oracle.ledgers import Entry, Ledgers, Process
from sim.oracle.scope import Leg, asked_ns, leg_of, lookback_start_ns, signed

_NS_PER_MS = 1_000_000


def lost(ledgers: Ledgers) -> Finding:
    return Finding(
        "fill-lost",
        sum(due.node.answers for due in ledgers.due),
        [
            Violation(
                "fill-lost",
                f"{_trade_words(trade)} is not applied in the last process of node {node.name}.",
                trade.time_ns,
            )
            for node, trade in ledgers.missing
            if node.answers
        ],
    )


def duplicated(ledgers: Ledgers) -> Finding:
    violations = [
        Violation(
            "fill-duplicated",
            f"{_trade_words(entry.trade)} was published again by {entry.process}, "
            "whose state already contained it.",
            entry.published_ns,
        )
        for entry in ledgers.entries
        if entry.again and entry.trade is not None and entry.published_ns is not None
    ]
    # What could be published twice is every trade that some process loaded or published.
    held = sum(entry.trade is not None for entry in ledgers.entries)
    return Finding("fill-duplicated", held - len(violations), violations)


def phantom(observation: Observation, ledgers: Ledgers) -> tuple[Finding, tuple[NodeFill, ...]]:
    """The finding, and the fills that were exempt from it."""
    exemptions = _Exemptions(observation, ledgers)
    published = 0
    violations: list[Violation] = []
    exempt: list[NodeFill] = []
    for entry in ledgers.entries:
        if entry.published_ns is None:
            continue
        published += 1
        if entry.trade is not None:
            continue
        fill, at_ns = entry.fill, entry.published_ns
        leg = leg_of_fill(observation, fill)
        openings = exemptions.opening_balances(entry.process, leg)
        if exemptions.allow(entry, leg, openings):
            exempt.append(fill)
            continue
        said = " or ".join(signed_words(opening) for opening in openings if opening)
        hint = f" (the opening balance of the leg was {said})" if said else ""
        violations.append(
            Violation(
                "phantom-fill",
                f"{_fill_words(fill)} was published by {entry.process} "
                f"without a trade at the venue{hint}.",
                at_ns,
            )
        )
    return Finding("phantom-fill", published, violations), tuple(exempt)


class _Exemptions:
    """Fills without a trade that are right, each usable once."""

    def __init__(self, observation: Observation, ledgers: Ledgers) -> None:
        self._observation = observation
        self._loaded: dict[tuple[str, int], list[Entry]] = {}
        for entry in ledgers.entries:
            if entry.published_ns is None:
                self._loaded.setdefault(_process_key(entry.process), []).append(entry)
        self._made: dict[tuple[str, Leg], tuple[Process, NodeFill]] = {}
        self._adjustments: dict[str, list[Adjustment]] = {}

    def opening_balances(self, process: Process, leg: Leg) -> tuple[Decimal, ...]:
        """What the loaded leg lacks that no trade served to the process explains.

        It does not depend on when it is made: a trade that is served and that the loaded state
        lacks, which any trade of the process's lifetime is, counts in the venue's position and
        against it.  There are several when a trade was served at one instant of the startup
        and no longer at another.
        """
        windows_ns = (
            lookback_start_ns(self._observation, at_ns) for at_ns in asked_ns(process.incarnation)
        )
        return tuple(dict.fromkeys(self._unexplained(process, leg, ns) for ns in windows_ns))

    def _unexplained(self, process: Process, leg: Leg, window_ns: int) -> Decimal:
        incarnation = process.incarnation
        loaded = {
            entry.trade
            for entry in self._loaded.get(_process_key(process), ())
            if entry.trade is not None
        }
        unexplained = sum(
            (
                signed(trade.side, trade.quantity)
                for trade in self._observation.trades
                if leg_of(trade) == leg and (trade.time_ns < window_ns or trade in loaded)
            ),
            Decimal(0),
        )
        return unexplained - sum(
            position.quantity
            for position in incarnation.loaded.positions
            if Leg(position.account, position.symbol, position.position_side) == leg
        )

    def allow(self, entry: Entry, leg: Leg, openings: tuple[Decimal, ...]) -> bool:
        quantity = signed(entry.fill.side, entry.fill.quantity)
        return self._use_opening(entry, leg, quantity, openings) or self._use_adjustment(
            entry.process.node.name, leg, quantity
        )

    def _use_opening(
        self, entry: Entry, leg: Leg, quantity: Decimal, openings: tuple[Decimal, ...]
    ) -> bool:
        process = entry.process
        if quantity not in openings or quantity == 0 or self._stands(process, leg):
            return False
        self._made[process.node.name, leg] = (process, entry.fill)
        return True

    def _stands(self, process: Process, leg: Leg) -> bool:
        """Whether the state of this process contains an opening balance of the leg."""
        if (process.node.name, leg) not in self._made:
            return False
        maker, made = self._made[process.node.name, leg]
        return maker.incarnation is process.incarnation or any(
            entry.fill.trade_id == made.trade_id
            and entry.fill.client_order_id == made.client_order_id
            for entry in self._loaded.get(_process_key(process), ())
        )

    def _use_adjustment(self, node: str, leg: Leg, quantity: Decimal) -> bool:
        left = self._adjustments.setdefault(node, list(self._observation.adjustments))
        for adjustment in left:
            declared = Leg(adjustment.account, adjustment.symbol, adjustment.position_side)
            if declared == leg and adjustment.quantity == quantity:
                left.remove(adjustment)
                return True
        return False


def wrong(ledgers: Ledgers) -> Finding:
    matched = 0
    violations: list[Violation] = []
    for entry in ledgers.entries:
        if entry.published_ns is None or entry.trade is None:
            continue
        matched += 1
        differences = _differences(entry.fill, entry.trade)
        if differences:
            violations.append(
                Violation(
                    "fill-wrong",
                    f"{_trade_words(entry.trade)} was published by {entry.process} "
                    f"with {', '.join(differences)}.",
                    entry.published_ns,
                )
            )
    return Finding("fill-wrong", matched, violations)


def _differences(fill: NodeFill, trade: VenueTrade) -> Sequence[str]:
    found: list[str] = []
    if fill.price != trade.price:
        found.append(f"price {plain(fill.price)} instead of {plain(trade.price)}")
    if fill.quantity != trade.quantity:
        found.append(f"quantity {plain(fill.quantity)} instead of {plain(trade.quantity)}")
    if (fill.commission, fill.commission_asset) != (trade.commission, trade.commission_asset):
        found.append(
            f"commission {plain(fill.commission)} {fill.commission_asset} "
            f"instead of {plain(trade.commission)} {trade.commission_asset}"
        )
    liquidity = "MAKER" if trade.maker else "TAKER"
    if fill.liquidity != liquidity:
        found.append(f"liquidity {fill.liquidity} instead of {liquidity}")
    # The venue prints whole milliseconds; the adapter turns them into nanoseconds through a
    # float, which lands a few hundred nanoseconds to either side.
    fill_ms = (fill.time_ns + _NS_PER_MS // 2) // _NS_PER_MS
    trade_ms = trade.time_ns // _NS_PER_MS
    if fill_ms != trade_ms:
        found.append(f"time {fill_ms} ms instead of {trade_ms} ms")
    return found


def leg_of_fill(observation: Observation, fill: NodeFill) -> Leg:
    """Return the leg that a fill of a node belongs to."""
    if not observation.is_hedged(fill.account, fill.time_ns):
        side = "BOTH"
    elif fill.position_id.endswith(("-LONG", "-SHORT")):
        side = fill.position_id.rpartition("-")[2]
    else:
        side = "LONG" if fill.side == "BUY" else "SHORT"
    return Leg(fill.account, fill.symbol, side)


def _process_key(process: Process) -> tuple[str, int]:
    return process.incarnation.node, process.incarnation.number


def _trade_words(trade: VenueTrade) -> str:
    return (
        f"{trade.symbol} ({trade.account}): trade {trade.trade_id} of order {trade.order_id}, "
        f"{trade.side} {plain(trade.quantity)} at {plain(trade.price)},"
    )


def _fill_words(fill: NodeFill) -> str:
    return (
        f"{fill.symbol} ({fill.account}): fill {fill.trade_id} of order {fill.client_order_id} "
        f"({fill.venue_order_id or 'no venue id'}), "
        f"{fill.side} {plain(fill.quantity)} at {plain(fill.price)},"
    )
