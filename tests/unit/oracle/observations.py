"""Observations written by hand.

A `trade` is a venue execution with sensible defaults; `ledger` derives from trades the orders
and positions that venue and node should show; `observe` tells the run in which one node saw
every trade and did everything right.  Tests then change one thing with ``replace``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from sim.observation import (
    Alert,
    Call,
    Incarnation,
    NodeEvent,
    NodeFill,
    NodeOrder,
    NodePosition,
    Observation,
    PositionChange,
    State,
    VenueOrder,
    VenuePosition,
    VenueTrade,
)
from sim.oracle import Judgement, judge

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
START = 1_700_000_000 * SECOND
END = START + HOUR
LATENCY = SECOND // 10

OPEN = ("NEW", "PARTIALLY_FILLED")

NODE_STATUS = {
    "NEW": "ACCEPTED",
    "PARTIALLY_FILLED": "PARTIALLY_FILLED",
    "FILLED": "FILLED",
    "CANCELED": "CANCELED",
    "EXPIRED": "EXPIRED",
    "EXPIRED_IN_MATCH": "CANCELED",
    "REJECTED": "REJECTED",
}


def trade(
    trade_id: int = 70,
    side: str = "BUY",
    quantity: str | Decimal = "1",
    price: str | Decimal = "50000",
    *,
    at: int = START + 10 * SECOND,
    order_id: int | None = None,
    position_side: str = "BOTH",
    symbol: str = "BTCUSDT",
    account: str = "main",
) -> VenueTrade:
    """A trade of an order of its own, unless ``order_id`` says otherwise."""
    order_id = trade_id + 1000 if order_id is None else order_id
    return VenueTrade(
        account=account,
        symbol=symbol,
        order_id=order_id,
        trade_id=trade_id,
        client_order_id=f"O-{order_id}",
        side=side,
        position_side=position_side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        commission=Decimal("0.02"),
        commission_asset="USDT",
        maker=False,
        time_ns=at,
    )


def fill_of(of: VenueTrade, **changes: Any) -> NodeFill:
    """The fill that a node should make of a trade."""
    fill = NodeFill(
        account=of.account,
        symbol=of.symbol,
        client_order_id=of.client_order_id,
        venue_order_id=str(of.order_id),
        trade_id=str(of.trade_id),
        side=of.side,
        quantity=of.quantity,
        price=of.price,
        commission=of.commission,
        commission_asset=of.commission_asset,
        liquidity="MAKER" if of.maker else "TAKER",
        position_id=position_id(of.symbol, of.position_side),
        time_ns=of.time_ns,
    )
    return replace(fill, **changes)


def invented(
    side: str = "SELL",
    quantity: str = "1",
    trade_id: str = "0b1c2d3e-0000-4000-8000-000000000001",
    **changes: Any,
) -> NodeFill:
    """A fill without a trade, as a synthetic order gets it."""
    fill = fill_of(
        trade(1, side, quantity),
        client_order_id="3f2a",
        venue_order_id="S-3f2a",
        trade_id=trade_id,
        commission=Decimal(0),
        position_id="P-20231114-000-000",
    )
    return replace(fill, **changes)


def position_id(symbol: str, suffix: str) -> str:
    return f"{symbol}-PERP.BINANCE-{suffix}"


def published(fill: NodeFill, at: int | None = None, status: str = "PARTIALLY_FILLED") -> NodeEvent:
    return NodeEvent(
        at_ns=fill.time_ns + LATENCY if at is None else at,
        kind="OrderFilled",
        account=fill.account,
        symbol=fill.symbol,
        client_order_id=fill.client_order_id,
        venue_order_id=fill.venue_order_id,
        fill=fill,
        status=status,
        filled=fill.quantity,
    )


def submitted(client_order_id: str, at: int = START) -> NodeEvent:
    """The event by which an order becomes one that the node's strategies sent."""
    return NodeEvent(
        at, "OrderSubmitted", "main", "BTCUSDT", client_order_id, "", None, "SUBMITTED"
    )


def venue_order(
    order_id: int = 5,
    status: str = "NEW",
    *,
    side: str = "BUY",
    quantity: str = "1",
    filled: str = "0",
    average_price: str | None = None,
    symbol: str = "BTCUSDT",
    client_order_id: str | None = None,
    created: int = START + 5 * SECOND,
    updated: int | None = None,
) -> VenueOrder:
    return VenueOrder(
        account="main",
        symbol=symbol,
        order_id=order_id,
        client_order_id=f"O-{order_id}" if client_order_id is None else client_order_id,
        side=side,
        position_side="BOTH",
        status=status,
        quantity=Decimal(quantity),
        filled=Decimal(filled),
        average_price=None if average_price is None else Decimal(average_price),
        created_ns=created,
        updated_ns=created if updated is None else updated,
        closed_ns=None if status in OPEN else created if updated is None else updated,
    )


def known(order: VenueOrder, fills: Iterable[NodeFill] = (), **changes: Any) -> NodeOrder:
    """The order that a node should show for one of the venue."""
    shown = NodeOrder(
        account=order.account,
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        venue_order_id=str(order.order_id),
        strategy_id="S-001",
        side=order.side,
        status=NODE_STATUS[order.status],
        quantity=order.quantity,
        filled=order.filled,
        average_price=order.average_price,
        fills=tuple(fills),
    )
    return replace(shown, **changes)


def held(position: VenuePosition, **changes: Any) -> NodePosition:
    """The position that a node should hold for a leg of the venue."""
    mine = NodePosition(
        account=position.account,
        symbol=position.symbol,
        position_id=position_id(position.symbol, position.position_side),
        position_side=position.position_side,
        strategy_id="S-001",
        quantity=position.quantity,
        entry_price=position.entry_price,
    )
    return replace(mine, **changes)


def orders_of(trades: Iterable[VenueTrade]) -> tuple[VenueOrder, ...]:
    """Each order filled by exactly its trades."""
    by_order: dict[tuple[str, str, int], list[VenueTrade]] = {}
    for t in trades:
        by_order.setdefault((t.account, t.symbol, t.order_id), []).append(t)
    return tuple(
        VenueOrder(
            account=group[0].account,
            symbol=group[0].symbol,
            order_id=group[0].order_id,
            client_order_id=group[0].client_order_id,
            side=group[0].side,
            position_side=group[0].position_side,
            status="FILLED",
            quantity=(total := sum((t.quantity for t in group), Decimal(0))),
            filled=total,
            average_price=sum((t.quantity * t.price for t in group), Decimal(0)) / total,
            created_ns=group[0].time_ns,
            updated_ns=group[-1].time_ns,
            closed_ns=group[-1].time_ns,
        )
        for group in by_order.values()
    )


def positions_of(trades: Iterable[VenueTrade]) -> tuple[VenuePosition, ...]:
    """The legs that trades leave: entries average when a leg grows and stay when it shrinks."""
    legs: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for t in trades:
        leg = (t.account, t.symbol, t.position_side)
        before, entry = legs.get(leg, (Decimal(0), Decimal(0)))
        change = t.quantity if t.side == "BUY" else -t.quantity
        after = before + change
        if before * change >= 0:
            entry = (abs(before) * entry + abs(change) * t.price) / abs(after)
        elif before * after < 0:
            entry = t.price
        legs[leg] = (after, entry)
    return tuple(VenuePosition(*leg, q, entry) for leg, (q, entry) in legs.items() if q)


def state_of(trades: Sequence[VenueTrade]) -> State:
    """What a node holds that applied exactly these trades."""
    return State(
        orders=tuple(
            known(
                o,
                [
                    fill_of(t)
                    for t in trades
                    if (t.account, t.symbol, t.order_id) == (o.account, o.symbol, o.order_id)
                ],
            )
            for o in orders_of(trades)
        ),
        positions=tuple(held(p) for p in positions_of(trades)),
    )


def process(
    final: State | None = None,
    events: Iterable[NodeEvent] = (),
    loaded: State | None = None,
    *,
    number: int = 0,
    lineage: int = 0,
    started: int = START,
    ended: str = "running",
    node: str = "n1",
) -> Incarnation:
    return Incarnation(
        node=node,
        number=number,
        lineage=lineage,
        started_ns=started,
        ended_ns=END,
        ended=ended,
        loaded=State() if loaded is None else loaded,
        events=tuple(events),
        final_read=(),
        calls=(Call("startup", started, started),),
        final=State() if final is None else final,
    )


def observe(
    trades: Sequence[VenueTrade] = (), *processes: Incarnation, **changes: Any
) -> Observation:
    """A run; without ``processes``, one in which a single process did everything right."""
    if not processes:
        last = {(t.symbol, t.order_id): t for t in trades}
        events = [
            published(
                fill_of(t),
                status="FILLED" if t is last[t.symbol, t.order_id] else "PARTIALLY_FILLED",
            )
            for t in trades
        ]
        processes = (process(state_of(trades), events),)
    observation = Observation(
        symbols=("BTCUSDT", "ETHUSDT"),
        lookback_ns=HOUR,
        ended_ns=END,
        trades=tuple(trades),
        orders=orders_of(trades),
        positions=positions_of(trades),
        incarnations=processes,
    )
    return replace(observation, **changes)


def failed(judgement: Judgement) -> set[str]:
    """The properties violated, checked to be those of the verdicts."""
    names = {violation.property for violation in judgement.violations}
    assert names == {v.property for v in judgement.properties if v.outcome == "fail"}
    assert (judgement.verdict == "fail") == bool(names)
    return names


def outcome(judgement: Judgement, name: str) -> str:
    return next(v.outcome for v in judgement.properties if v.property == name)


def subjects(judgement: Judgement, name: str) -> int:
    return next(v.subjects for v in judgement.properties if v.property == name)


def judged(observation: Observation, shows: str = "crash") -> Judgement:
    return judge(observation, shows)


def after(seconds: float) -> int:
    """The instant so many seconds after START."""
    return START + round(seconds * SECOND)


def shown(order: VenueOrder, status: str, when: float, **changes: Any) -> NodeEvent:
    """An event after which the node shows an order of the venue in a status."""
    event = NodeEvent(
        at_ns=after(when),
        kind="OrderAccepted",
        account=order.account,
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        venue_order_id=str(order.order_id),
        status=status,
    )
    return replace(event, **changes)


def resized(
    quantity: str | Decimal,
    when: float,
    *,
    name: str = "p",
    side: str = "BOTH",
    symbol: str = "BTCUSDT",
) -> PositionChange:
    """A position of the node has become as large as this."""
    return PositionChange(after(when), "main", symbol, name, side, Decimal(quantity))


def applied(of: VenueTrade, when: float, **changes: Any) -> Incarnation:
    """A process of which all that can be seen is that it applied one trade."""
    event = replace(published(fill_of(of), after(when), "FILLED"), **changes)
    now = of.quantity if of.side == "BUY" else -of.quantity
    name = position_id(of.symbol, of.position_side)
    change = resized(now, when, name=name, side=of.position_side, symbol=of.symbol)
    return replace(process(events=[event]), position_changes=(change,), ready_ns=after(1))


def alert(when: float, **names: str) -> Alert:
    """An alert, by default a summary of BTCUSDT."""
    return replace(Alert(after(when), "lost-fill", "main", "BTCUSDT"), **names)
