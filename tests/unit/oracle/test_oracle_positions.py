"""position-mismatch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from sim.observation import (
    Alert,
    HedgeSpan,
    NodePosition,
    Observation,
    PositionChange,
    State,
    VenuePosition,
)
from sim.oracle import judge
from tests.unit.oracle.observations import (
    END,
    HOUR,
    SECOND,
    START,
    failed,
    fill_of,
    held,
    judged,
    known,
    observe,
    orders_of,
    outcome,
    process,
    published,
    state_of,
    subjects,
    submitted,
    trade,
    venue_order,
)

MISMATCH = {"position-mismatch"}
LEG = VenuePosition("main", "BTCUSDT", "BOTH", Decimal(3), Decimal(50000))


def run(
    venue: list[VenuePosition],
    node: list[NodePosition],
    *strategies: str,
    claims: dict[str, str] | None = None,
    loaded: list[NodePosition] | None = None,
    **changes: Any,
) -> Observation:
    """A run without trades in scope, whose node ends with these positions.

    Each of ``strategies`` has an order on BTCUSDT that it cancelled.
    """
    orders = [venue_order(number, "CANCELED") for number in range(len(strategies))]
    shown = [known(o, strategy_id=s) for o, s in zip(orders, strategies, strict=True)]
    final = replace(state_of([]), orders=tuple(shown), positions=tuple(node))
    ours = replace(
        process(final, loaded=replace(state_of([]), positions=tuple(loaded or ()))),
        claims=claims or {},
    )
    return observe([], ours, orders=tuple(orders), positions=tuple(venue), **changes)


def part(quantity: str, entry_price: str = "50000", **changes: Any) -> NodePosition:
    return held(LEG, quantity=Decimal(quantity), entry_price=Decimal(entry_price), **changes)


def verdict(observation: Observation) -> set[str]:
    judgement = judge(observation, "position-mismatch")
    assert judgement.verdict != "inconclusive"
    return failed(judgement)


def test_the_same_position_is_no_mismatch() -> None:
    assert verdict(run([LEG], [held(LEG)])) == set()


@pytest.mark.parametrize("quantity", ["2", "3.00000001", "-3"])
def test_the_quantity_must_be_the_same(quantity: str) -> None:
    judgement = judged(run([LEG], [part(quantity)]))
    assert failed(judgement) == MISMATCH
    (violation,) = judgement.violations
    assert violation.at_ns == END
    assert violation.message == (
        f"BTCUSDT BOTH (main): at node n1 the position is {quantity} instead of 3."
    )


def test_a_leg_missing_on_either_side_is_flat_there() -> None:
    assert verdict(run([LEG], [])) == MISMATCH
    assert verdict(run([], [held(LEG)])) == MISMATCH


def test_a_leg_that_is_flat_again_is_judged() -> None:
    trades = [trade(70), trade(71, "SELL")]
    judgement = judge(observe(trades), "position-mismatch")
    assert judgement.verdict == "pass"
    assert subjects(judgement, "position-mismatch") == 1


def test_a_leg_that_is_flat_again_is_judged_for_the_nodes_in_whose_scope_it_was_not() -> None:
    trades = [trade(70), trade(71, "SELL")]
    first = process(state_of(trades), [published(fill_of(t)) for t in trades], node="n1")
    late = process(node="n2", started=START + 5 * HOUR)
    judgement = judge(observe(trades, first, late), "position-mismatch")
    assert judgement.verdict == "pass"
    assert subjects(judgement, "position-mismatch") == 1


def test_a_leg_that_was_flat_throughout_is_not_judged() -> None:
    trades = [trade(70, at=START - 2 * HOUR), trade(71, "SELL", at=START - 2 * HOUR)]
    assert outcome(judged(observe(trades, process())), "position-mismatch") == "unexercised"


def test_a_leg_that_the_node_may_not_see_is_not_judged() -> None:
    unseen = replace(LEG, symbol="SOLUSDT")
    assert outcome(judged(run([unseen], [])), "position-mismatch") == "unexercised"
    assert outcome(judged(run([], [held(unseen)])), "position-mismatch") == "unexercised"


def test_a_leg_that_was_called_a_residual_is_left_alone() -> None:
    applied_, missed = trade(70), trade(71, at=START + 60 * SECOND)
    observation = observe([applied_, missed], replace(process(), final=state_of([applied_])))

    def told(at: int, **changes: Any) -> set[str]:
        alert = Alert(at, "residual", "main", "BTCUSDT", position_side="BOTH")
        change = PositionChange(
            START + 10 * SECOND, "main", "BTCUSDT", "P", "BOTH", applied_.quantity
        )
        [ours] = observation.incarnations
        ours = replace(ours, alerts=(replace(alert, **changes),), position_changes=(change,))
        judgement = judged(replace(observation, incarnations=(ours,)))
        return failed(judgement) & MISMATCH

    began = START + 60 * SECOND
    assert told(began + 5 * SECOND) == set()
    assert told(began + 5 * SECOND - 1) == MISMATCH, "in haste"
    assert told(START + 20 * SECOND) == MISMATCH, "before it differed"
    assert told(began + 5 * SECOND, symbol="ETHUSDT") == MISMATCH
    assert told(began + 5 * SECOND, kind="leg") == MISMATCH


def test_a_residual_that_the_fills_of_orders_explain_is_none() -> None:
    booked, torn = trade(70), trade(71, at=START + 60 * SECOND)
    final = replace(state_of([booked, torn]), positions=state_of([booked]).positions)
    change = PositionChange(START + 10 * SECOND, "main", "BTCUSDT", "P", "BOTH", booked.quantity)
    alert = Alert(START + 70 * SECOND, "residual", "main", "BTCUSDT", position_side="BOTH")
    node = replace(process(), final=final, alerts=(alert,), position_changes=(change,))

    assert failed(judged(observe([booked, torn], node))) & MISMATCH == MISMATCH


def test_what_filtered_orders_traded_is_no_part_of_the_position() -> None:
    own, foreign = trade(70), trade(71, quantity="2", price="40000")
    events = [submitted(own.client_order_id), published(fill_of(own))]
    node = process(state_of([own]), events)
    observation = observe([own, foreign], node, filters_unclaimed=True)
    assert verdict(observation) == set()
    assert verdict(replace(observation, filters_unclaimed=False)) >= MISMATCH
    claiming = replace(node, claims={"BTCUSDT": "S-001"})
    assert verdict(replace(observation, incarnations=(claiming,))) >= MISMATCH


def test_several_positions_of_a_leg_add_up() -> None:
    parts = [part("1", "49000", position_id="a"), part("2", "50500", position_id="b")]
    assert verdict(run([LEG], parts)) == set()
    assert verdict(run([LEG], parts[1:])) == MISMATCH


@pytest.mark.parametrize(
    ("entry_price", "same"),
    [("50000.00005", True), ("49999.99995", True), ("50000.0001", False), ("0", False)],
)
def test_the_entry_price_may_differ_by_the_error_of_a_double(entry_price: str, same: bool) -> None:
    assert verdict(run([LEG], [part("3", entry_price)])) == (set() if same else MISMATCH)


@pytest.mark.parametrize(
    ("printed", "entry_price", "same"),
    [
        # Eight digits or fewer: half a unit of the eighth.  Eleven: half a unit of the last.
        ("0.5", "0.500000005", True),
        ("0.5", "0.500000007", False),
        ("0.00010000001", "0.000100000014", True),
        ("0.00010000001", "0.000100000016", False),
    ],
)
def test_the_entry_price_may_differ_by_half_a_unit_of_what_is_printed(
    printed: str, entry_price: str, same: bool
) -> None:
    leg = replace(LEG, entry_price=Decimal(printed))
    assert verdict(run([leg], [part("3", entry_price)])) == (set() if same else MISMATCH)


def test_a_strategy_does_not_stand_on_both_sides_of_a_leg() -> None:
    parts = [part("4"), part("-1", position_id="P-1")]
    judgement = judged(run([LEG], parts))
    assert failed(judgement) == MISMATCH
    assert "have opposite signs" in judgement.violations[0].message


def test_different_strategies_may_stand_on_both_sides_of_a_leg() -> None:
    parts = [part("4"), part("-1", "70000", position_id="b", strategy_id="S-002")]
    assert verdict(run([LEG], parts)) == set()


def test_a_position_of_nobody_does_not_stand_against_a_strategys() -> None:
    parts = [part("4"), part("-1", position_id="b", strategy_id="EXTERNAL")]
    judgement = judged(run([LEG], parts))
    assert failed(judgement) == MISMATCH
    assert "of EXTERNAL and S-001 have opposite signs" in judgement.violations[0].message


@pytest.mark.parametrize(("created", "expected"), [(START, set()), (START + HOUR, MISMATCH)])
def test_who_traded_by_hand_first_may_stand_against_a_strategy(
    created: int, expected: set[str]
) -> None:
    """Where a client nets by strategy; an order by hand that comes later reduces what there is."""
    own = trade(70, quantity="4", at=START + 60 * SECOND)
    foreign = trade(71, "SELL", at=START + 120 * SECOND)
    final = state_of([own])
    shorts = held(LEG, quantity=Decimal(-1), position_id="b", strategy_id="EXTERNAL")
    node = process(replace(final, positions=(*final.positions, shorts)))
    by_hand = next(o for o in orders_of([own, foreign]) if o.side == "SELL")
    observation = observe(
        [own, foreign],
        node,
        orders=(*orders_of([own]), replace(by_hand, created_ns=created)),
        positions=(LEG,),
    )
    assert failed(judge(observation, "position-mismatch")) & MISMATCH == expected


@pytest.mark.parametrize(("reduce_only", "expected"), [(False, set()), (True, MISMATCH)])
def test_an_order_that_may_only_reduce_opens_no_position_beside_one_by_hand(
    reduce_only: bool, expected: set[str]
) -> None:
    """NautilusTrader #4106."""
    own = trade(70, "SELL", at=START + 60 * SECOND)
    foreign = trade(71, quantity="4", at=START)
    final = state_of([own])
    longs = held(LEG, quantity=Decimal(4), position_id="b", strategy_id="EXTERNAL")
    orders = tuple(replace(order, reduce_only=reduce_only) for order in final.orders)
    node = process(replace(final, orders=orders, positions=(*final.positions, longs)))
    observation = observe(
        [foreign, own], node, positions=(replace(LEG, quantity=Decimal(3)),), nets=True
    )
    assert failed(judge(observation, "position-mismatch")) & MISMATCH == expected


@pytest.mark.parametrize(("booked_on", "expected"), [("S-001", set()), ("EXTERNAL", MISMATCH)])
def test_nobodys_trade_is_of_the_position_that_it_has_reduced(
    booked_on: str, expected: set[str]
) -> None:
    """The strategy is flat by it, and what it sells then stands against what was bought by hand."""
    owners = {70: "EXTERNAL", 71: "S-001", 72: "EXTERNAL", 73: "S-001"}
    trades = [
        trade(70, quantity="1", at=START),
        trade(71, quantity="4", at=START + 60 * SECOND),
        trade(72, "SELL", "4", at=START + 120 * SECOND),
        trade(73, "SELL", "6", at=START + 180 * SECOND),
    ]
    fills = [
        fill_of(t, position_id=f"BTCUSDT-PERP.BINANCE-{booked_on if t is trades[2] else owner}")
        for t, owner in zip(trades, owners.values(), strict=True)
    ]
    leg = VenuePosition("main", "BTCUSDT", "BOTH", Decimal(-5), Decimal(50000))
    final = State(
        orders=tuple(
            known(order, [fill], strategy_id=owner)
            for order, fill, owner in zip(orders_of(trades), fills, owners.values(), strict=True)
        ),
        positions=(
            held(leg, quantity=Decimal(1), position_id="a", strategy_id="EXTERNAL"),
            held(leg, quantity=Decimal(-6), position_id="b", strategy_id="S-001"),
        ),
    )
    node = process(final, [published(fill) for fill in fills])

    assert verdict(observe(trades, node, positions=(leg,), nets=True)) == expected


@pytest.mark.parametrize(
    ("nets", "sold", "at", "expected"),
    [
        pytest.param(True, "4", START - SECOND, set(), id="nobody tells"),
        pytest.param(False, "4", START - SECOND, MISMATCH, id="told to be flat"),
        pytest.param(True, "3", START - SECOND, MISMATCH, id="told what is left"),
        pytest.param(True, "4", START + SECOND, MISMATCH, id="told before it was closed"),
    ],
)
def test_that_a_leg_is_flat_nobody_tells_a_client_of_reports(
    nets: bool, sold: str, at: int, expected: set[str]
) -> None:
    """What was bought is older than the window, and the cache is lost."""
    trades = [trade(70, quantity="4", at=START - 2 * HOUR), trade(71, "SELL", sold, at=at)]
    served = fill_of(trades[1])
    gone = held(LEG, quantity=-trades[1].quantity, entry_price=trades[1].price)
    final = State(orders=(known(orders_of(trades)[1], [served]),), positions=(gone,))
    left = 4 - trades[1].quantity
    positions = (replace(LEG, quantity=left),) if left else ()
    observation = observe(
        trades, process(final, [published(served)]), positions=positions, nets=nets
    )

    assert verdict(observation) & MISMATCH == expected


def test_the_legs_of_hedge_mode_are_positions_of_their_own() -> None:
    long = replace(LEG, position_side="LONG")
    short = replace(LEG, position_side="SHORT", quantity=Decimal(-3))
    hedge = {"hedged": (HedgeSpan("main"),)}
    assert verdict(run([long, short], [held(long), held(short)], **hedge)) == set()
    assert verdict(run([long, short], [], **hedge)) == MISMATCH
    judgement = judged(run([long, short], [held(long)], **hedge))
    assert [v.message for v in judgement.violations] == [
        "BTCUSDT SHORT (main): at node n1 the position is 0 instead of -3."
    ]


@pytest.mark.parametrize(
    ("sold", "nets", "expected"),
    [("5", True, set()), ("3", True, MISMATCH), ("5", False, MISMATCH)],
)
def test_nobodys_trade_may_stand_against_positions_that_are_all_smaller(
    sold: str, nets: bool, expected: set[str]
) -> None:
    """Where a client nets by strategy: the trade can be booked on one position only."""
    bought = [trade(70, quantity="4", at=START), trade(71, quantity="4", at=START + SECOND)]
    whole = trade(72, "SELL", sold, at=START + 60 * SECOND)
    names = {70: "S-001", 71: "S-002", 72: "EXTERNAL"}
    fills = [fill_of(t, position_id=names[t.trade_id]) for t in (*bought, whole)]
    leg = VenuePosition("main", "BTCUSDT", "BOTH", 8 - whole.quantity, Decimal(50000))
    final = State(
        orders=tuple(
            known(order, [fill], strategy_id=fill.position_id)
            for order, fill in zip(orders_of([*bought, whole]), fills, strict=True)
        ),
        positions=tuple(
            held(leg, quantity=quantity, position_id=name, strategy_id=name)
            for name, quantity in (
                ("S-001", Decimal(4)),
                ("S-002", Decimal(4)),
                ("EXTERNAL", -whole.quantity),
            )
        ),
    )
    node = process(final, [published(fill) for fill in fills])
    observation = observe([*bought, whole], node, positions=(leg,), nets=nets)

    assert verdict(observation) == expected


@pytest.mark.parametrize(("first", "expected"), [("SELL", set()), ("BUY", MISMATCH)])
def test_who_was_heard_of_first_may_stand_against_a_strategy(
    first: str, expected: set[str]
) -> None:
    """An order by hand that comes later was heard of before the strategy's first fill."""
    own = trade(70, quantity="4", at=START + 60 * SECOND)
    foreign = trade(71, "SELL", at=START + 120 * SECOND)
    final = state_of([own])
    shorts = held(LEG, quantity=Decimal(-1), position_id="b", strategy_id="EXTERNAL")
    heard = sorted([own, foreign], key=lambda t: t.side != first)
    node = process(
        replace(final, positions=(*final.positions, shorts)),
        [published(fill_of(t), END - SECOND) for t in heard],
    )
    observation = observe([own, foreign], node, positions=(LEG,), nets=True)

    assert verdict(observation) & MISMATCH == expected


@pytest.mark.parametrize(("side", "expected"), [("SELL", set()), ("BUY", MISMATCH)])
def test_no_average_must_hold_when_one_of_several_was_reduced(
    side: str, expected: set[str]
) -> None:
    parts = [
        held(LEG, quantity=Decimal(2), entry_price=Decimal(49000)),
        held(LEG, quantity=Decimal(1), position_id="b", strategy_id="EXTERNAL"),
    ]
    node = process(State(positions=tuple(parts)))
    observation = observe([trade(70, side, at=START - HOUR)], node, positions=(LEG,), nets=True)

    assert verdict(observation) & MISMATCH == expected


@pytest.mark.parametrize(("owner", "expected"), [("S-001", set()), ("EXTERNAL", MISMATCH)])
def test_no_average_must_hold_when_one_of_several_was_closed(
    owner: str, expected: set[str]
) -> None:
    """What is left is of the other one, at the price at which that one bought."""
    cheap = trade(70, quantity="4", price="49000", at=START)
    dear = trade(71, quantity="3", price="51000", at=START + SECOND)
    sold = trade(72, "SELL", "4", at=START + 60 * SECOND)
    names = {70: owner, 71: "EXTERNAL", 72: owner}
    fills = [fill_of(t, position_id=names[t.trade_id]) for t in (cheap, dear, sold)]
    left = VenuePosition("main", "BTCUSDT", "BOTH", Decimal(3), Decimal(50000))
    final = State(
        orders=tuple(
            known(order, [fill], strategy_id=fill.position_id)
            for order, fill in zip(orders_of([cheap, dear, sold]), fills, strict=True)
        ),
        positions=(
            held(left, entry_price=Decimal(51000), position_id="EXTERNAL", strategy_id="EXTERNAL"),
        ),
    )
    node = process(final, [published(fill) for fill in fills])
    observation = observe([cheap, dear, sold], node, positions=(left,), nets=True)

    assert verdict(observation) & MISMATCH == expected


def test_accounts_are_kept_apart() -> None:
    other = replace(LEG, account="other")
    assert verdict(run([LEG, other], [held(LEG), held(other)])) == set()
    assert verdict(run([LEG, other], [held(LEG), held(LEG, position_id="b")])) == MISMATCH


def test_the_claiming_strategy_owns_the_position() -> None:
    claims = {"BTCUSDT": "S-001"}
    assert verdict(run([LEG], [held(LEG)], claims=claims)) == set()
    foreign = held(LEG, strategy_id="EXTERNAL")
    judgement = judged(run([LEG], [foreign], claims=claims))
    assert failed(judgement) == MISMATCH
    assert "is owned by EXTERNAL instead of S-001" in judgement.violations[0].message
    assert verdict(run([LEG], [foreign], claims={"ETHUSDT": "S-001"})) == set()


def test_a_position_that_was_loaded_keeps_its_owner_whoever_claims_now() -> None:
    foreign = held(LEG, strategy_id="EXTERNAL")
    claims = {"BTCUSDT": "S-001"}
    assert verdict(run([LEG], [foreign], claims=claims, loaded=[foreign])) == set()
    other = held(LEG, strategy_id="EXTERNAL", position_id="another")
    assert verdict(run([LEG], [foreign], claims=claims, loaded=[other])) == MISMATCH


@pytest.mark.parametrize(
    ("strategies", "expected"),
    [
        (("S-001",), MISMATCH),
        (("S-001", "EXTERNAL"), MISMATCH),
        (("S-001", "S-002"), set()),
    ],
)
def test_a_claim_decides_only_where_no_other_strategy_trades(
    strategies: tuple[str, ...], expected: set[str]
) -> None:
    position = held(LEG, strategy_id="S-002")
    observation = run([LEG], [position], *strategies, claims={"BTCUSDT": "S-001"})
    assert verdict(observation) == expected


def test_only_the_position_may_be_wrong() -> None:
    t = trade()
    final = replace(state_of([t]), positions=())
    assert verdict(observe([t], process(final, [published(fill_of(t))]))) == MISMATCH
