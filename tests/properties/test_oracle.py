"""What holds of the oracle for every ledger of trades."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from sim.observation import HedgeSpan, NodeEvent, Observation, Sight, VenueTrade
from sim.oracle import FillCounts, Judgement, judge
from tests.unit.oracle.observations import (
    HOUR,
    START,
    fill_of,
    invented,
    observe,
    process,
    published,
    state_of,
    trade,
)


@st.composite
def ledgers(draw: st.DrawFn) -> list[VenueTrade]:
    """Trades in scope, several to an order, on several symbols and legs."""
    hedge = draw(st.booleans())
    drawn = st.tuples(
        st.integers(1, 5),
        st.sampled_from(["BTCUSDT", "ETHUSDT"]),
        st.sampled_from(["BUY", "SELL"]),
        st.sampled_from(["LONG", "SHORT"]),
        st.decimals("0.001", "1000", places=3),
        st.decimals("0.00001", "100000", places=5),
    )
    trades = []
    for trade_id, (order, symbol, side, leg, quantity, price) in enumerate(
        draw(st.lists(drawn, min_size=1, max_size=12)), start=1
    ):
        # An order has one side and one leg; two symbols may well use one id.
        order_id = order * 100 + (side == "SELL") * 10 + (leg == "SHORT")
        trades.append(
            trade(
                trade_id,
                side,
                quantity,
                price,
                at=START + trade_id * 1_000_000,
                order_id=order_id,
                symbol=symbol,
                position_side=leg if hedge else "BOTH",
            )
        )
    return trades


def told(trades: list[VenueTrade], events: tuple[NodeEvent, ...]) -> Observation:
    """A node that ended with the right state after publishing these events."""
    hedge = trades[0].position_side != "BOTH"
    return observe(
        trades,
        process(state_of(trades), events),
        hedged=(HedgeSpan("main"),) if hedge else (),
    )


def right(trades: list[VenueTrade]) -> tuple[NodeEvent, ...]:
    return tuple(published(fill_of(t)) for t in trades)


def only(judgement: Judgement, name: str) -> str:
    """The message of the only violation, which is of this property."""
    (violation,) = judgement.violations
    assert violation.property == name
    assert judgement.verdict == "fail"
    return violation.message


@given(ledgers())
def test_trades_applied_exactly_once_pass(trades: list[VenueTrade]) -> None:
    judgement = judge(told(trades, right(trades)), "fill-lost")
    assert judgement.verdict == "pass"
    n = len(trades)
    assert judgement.fills == FillCounts(n, n, 0, 0, 0, 0)


@given(ledgers(), st.data())
def test_dropping_any_fill_loses_that_trade_only(
    trades: list[VenueTrade], data: st.DataObject
) -> None:
    events = right(trades)
    gone = data.draw(st.integers(0, len(events) - 1))
    judgement = judge(told(trades, events[:gone] + events[gone + 1 :]), "fill-lost")
    assert f"trade {trades[gone].trade_id} of" in only(judgement, "fill-lost")


@given(ledgers(), st.data())
def test_repeating_any_fill_duplicates_that_trade_only(
    trades: list[VenueTrade], data: st.DataObject
) -> None:
    events = right(trades)
    twice = data.draw(st.integers(0, len(events) - 1))
    later = data.draw(st.integers(twice, len(events)))
    judgement = judge(
        told(trades, (*events[:later], events[twice], *events[later:])), "fill-duplicated"
    )
    assert f"trade {trades[twice].trade_id} of" in only(judgement, "fill-duplicated")


@given(ledgers(), st.data())
def test_no_quantity_makes_an_invented_fill_right_where_trades_explain_all(
    trades: list[VenueTrade], data: st.DataObject
) -> None:
    source = data.draw(st.sampled_from(trades))
    phantom = invented(source.side, symbol=source.symbol, quantity=str(source.quantity))
    at = data.draw(st.integers(0, len(trades)))
    events = right(trades)
    event = published(phantom, START + HOUR)
    judgement = judge(told(trades, (*events[:at], event, *events[at:])), "phantom-fill")
    assert phantom.trade_id in only(judgement, "phantom-fill")


@given(ledgers(), st.data())
def test_a_restart_between_any_two_fills_changes_nothing(
    trades: list[VenueTrade], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(trades)))
    events = right(trades)
    kept = state_of(trades[:cut])
    first = process(kept, events[:cut], ended="killed")
    second = process(state_of(trades), events[cut:], kept, number=1, started=START + HOUR)
    observation = replace(told(trades, ()), incarnations=(first, second))
    assert judge(observation, "fill-lost").verdict == "pass"


@given(ledgers(), st.integers(1, 9))
def test_an_opening_balance_is_exempt_for_exactly_one_quantity(
    trades: list[VenueTrade], quantity: int
) -> None:
    hedge = trades[0].position_side != "BOTH"
    leg = "LONG" if hedge else "BOTH"
    old = trade(1, "BUY", "5", at=START - 2 * HOUR, order_id=1, position_side=leg)
    fill = invented("BUY", str(quantity), position_id=f"BTCUSDT-{leg}", time_ns=START)
    held = replace(state_of([old, *trades]), orders=state_of(trades).orders)
    observation = observe(
        [old, *trades],
        process(held, (published(fill), *right(trades))),
        hedged=(HedgeSpan("main"),) if hedge else (),
    )
    judgement = judge(observation, "phantom-fill")
    if quantity == 5:
        assert judgement.verdict == "pass"
        assert judgement.exempt == (fill,)
    else:
        assert "opening balance of the leg was BUY 5" in only(judgement, "phantom-fill")


# -- several nodes ----------------------------------------------------------------


@st.composite
def halves(draw: st.DrawFn, node: str, account: str) -> Observation:
    """One node on an account of its own that may lose, repeat and invent fills."""
    trades = [replace(each, account=account) for each in draw(ledgers())]
    events = list(right(trades))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(events)))
        match draw(st.sampled_from(("lose", "repeat", "invent"))):
            case "lose":
                del events[at : at + 1]
            case "repeat":
                events += events[at : at + 1]
            case "invent":
                phantom = invented(account=account, trade_id=f"made-up-{len(events)}")
                events.insert(at, published(phantom, START + HOUR))
    alone = told(trades, tuple(events))
    [made] = alone.incarnations
    hedged = (HedgeSpan(account),) if alone.hedged else ()
    return replace(alone, hedged=hedged, incarnations=(replace(made, node=node),))


def sight(account: str) -> Sight:
    return Sight((account,), ("BTCUSDT", "ETHUSDT"), (), HOUR, 300_000_000_000, False, frozenset())


@given(halves("A", "main"), halves("B", "second"))
def test_two_nodes_on_two_accounts_are_judged_as_each_alone(
    first: Observation, second: Observation
) -> None:
    parts = [judge(half, "crash") for half in (first, second)]
    both = replace(
        first,
        trades=first.trades + second.trades,
        orders=first.orders + second.orders,
        positions=first.positions + second.positions,
        incarnations=first.incarnations + second.incarnations,
        hedged=(*first.hedged, *second.hedged),
        sights={"A": sight("main"), "B": sight("second")},
    )
    judgement = judge(both, "crash")

    told_of_parts = [v for part in parts for v in part.violations]
    assert sorted(map(str, judgement.violations)) == sorted(map(str, told_of_parts))
    counts = [asdict(part.fills) for part in parts]
    assert asdict(judgement.fills) == {n: sum(each[n] for each in counts) for n in counts[0]}


@given(ledgers())
def test_two_nodes_on_one_account_owe_all_of_it_each(trades: list[VenueTrade]) -> None:
    alone = told(trades, right(trades))
    [made] = alone.incarnations
    both = replace(
        alone,
        incarnations=(replace(made, node="A"), replace(made, node="B")),
        sights={"A": sight("main"), "B": sight("main")},
    )
    judgement = judge(both, "fill-lost")

    assert judgement.verdict == "pass"
    assert judgement.fills == FillCounts(2 * len(trades), 2 * len(trades), 0, 0, 0, 0)
