"""The two ledgers side by side: the trades of the venue, the fills of the nodes.

Both are polars frames and are joined once on the key of a fill: (account, symbol, order id,
trade id, side).  The side belongs to it because a self-trade has one trade id on both.  The
frames carry keys and row numbers only; amounts stay `Decimal` in the records they point to,
so that no amount ever passes through a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from sim.observation import Incarnation, NodeFill, Observation, VenueTrade
from sim.oracle.scope import Node, in_scope, venue_id

_KEY = {
    "account": pl.String,
    "symbol": pl.String,
    "order_id": pl.Int64,
    "trade_id": pl.Int64,
    "side": pl.String,
}
_TRADES = pl.Schema({**_KEY, "trade": pl.UInt32})
_FILLS = pl.Schema(_KEY)


class Process(NamedTuple):
    node: Node
    incarnation: Incarnation

    def __str__(self) -> str:
        return f"process {self.incarnation.number} of node {self.node.name}"


class Entry(NamedTuple):
    """One fill of a process: loaded with its state, or published by it.

    ``trade`` is the venue's trade with the same key, if there is one; ``again``, whether the
    process had loaded or published that trade before.
    """

    process: Process
    fill: NodeFill
    published_ns: int | None
    trade: VenueTrade | None
    again: bool


class Due(NamedTuple):
    """A trade in the scope of a node, to be applied by the end."""

    node: Node
    trade: VenueTrade


class Ledgers:
    """The fills of every process matched to trades, and the trades that stayed unmatched.

    ``entries`` are ordered by process; within one, what was loaded comes before what was
    published.  ``missing`` are those ``due`` that the last process of the node neither loaded
    nor published, unless their order was purged after an earlier process had applied them.

    Raises:
        ValueError: the venue has two trades of one key, a fault of the harness and not of a node.
    """

    def __init__(self, observation: Observation, nodes: tuple[Node, ...]) -> None:
        processes = [Process(node, i) for node in nodes for i in node.incarnations]
        fills = [
            (number, fill, published_ns)
            for number, process in enumerate(processes)
            for fill, published_ns in _fills_of(process.incarnation)
        ]
        self.entries: list[Entry] = []
        # A set and not another frame: most runs are tiny, and one more join would cost them more
        # than everything else here.
        held: set[tuple[int, int]] = set()
        rows = _match(observation.trades, [fill for _, fill, _ in fills])
        for (number, fill, published_ns), row in zip(fills, rows, strict=True):
            trade, again = None, False
            if row is not None:
                trade = observation.trades[row]
                again = (number, row) in held
                held.add((number, row))
            self.entries.append(Entry(processes[number], fill, published_ns, trade, again))

        self.due: list[Due] = []
        self.missing: list[Due] = []
        for number, (node, incarnation) in enumerate(processes):
            if incarnation is node.last:
                for row, trade in enumerate(observation.trades):
                    if in_scope(observation, node, trade):
                        due = Due(node, trade)
                        self.due.append(due)
                        if (number, row) not in held and not (
                            trade.client_order_id in incarnation.purged
                            and any(
                                (earlier, row) in held
                                for earlier in range(number)
                                if processes[earlier].node is node
                                and processes[earlier].incarnation.lineage == incarnation.lineage
                            )
                        ):
                            self.missing.append(due)


def _fills_of(incarnation: Incarnation) -> list[tuple[NodeFill, int | None]]:
    loaded: list[tuple[NodeFill, int | None]] = [
        (fill, None) for order in incarnation.loaded.orders for fill in order.fills
    ]
    return loaded + [(e.fill, e.at_ns) for e in incarnation.events if e.fill is not None]


def _match(trades: Sequence[VenueTrade], fills: Sequence[NodeFill]) -> list[int | None]:
    """For each fill, the row of the trade with the same key."""
    venue = pl.DataFrame(
        [
            (t.account, t.symbol, t.order_id, t.trade_id, t.side, row)
            for row, t in enumerate(trades)
        ],
        _TRADES,
        orient="row",
    )
    node = pl.DataFrame(
        [
            (f.account, f.symbol, venue_id(f.venue_order_id), venue_id(f.trade_id), f.side)
            for f in fills
        ],
        _FILLS,
        orient="row",
    )
    try:
        # A null id, which is none of the venue's, matches nothing.
        matched = node.join(venue, on=list(_KEY), how="left", validate="m:1", maintain_order="left")
    except pl.exceptions.ComputeError as error:
        raise ValueError("the venue has two trades of one key") from error
    return matched["trade"].to_list()
