"""fill-lost, fill-duplicated, phantom-fill, fill-wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from sim.observation import (
    Adjustment,
    HedgeSpan,
    NodeFill,
    NodePosition,
    Observation,
    State,
    VenueTrade,
)
from sim.oracle import judge
from tests.unit.oracle.observations import (
    HOUR,
    SECOND,
    START,
    failed,
    fill_of,
    invented,
    judged,
    observe,
    outcome,
    position_id,
    process,
    published,
    state_of,
    subjects,
    trade,
)

WEEK = 7 * 24 * HOUR
OPENING_AT = START + SECOND


def opening(quantity: str, side: str = "BUY", **changes: Any) -> NodeFill:
    return invented(side, quantity, time_ns=OPENING_AT, **changes)


def before_scope(
    trade_id: int = 1, side: str = "BUY", quantity: str = "2", **more: Any
) -> VenueTrade:
    return trade(trade_id, side, quantity, at=START - 2 * HOUR, **more)


# fill-lost


def test_a_trade_never_applied_is_lost() -> None:
    seen, missed = trade(70), trade(71, "SELL", "0.40", "49999.5")
    observation = observe([seen, missed])
    (node,) = observation.incarnations
    judgement = judged(replace(observation, incarnations=(replace(node, events=node.events[:1]),)))
    assert failed(judgement) == {"fill-lost"}
    (violation,) = judgement.violations
    assert violation.message == (
        "BTCUSDT (main): trade 71 of order 1071, SELL 0.4 at 49999.5, "
        "is not applied in the last process of node n1."
    )
    assert violation.at_ns == missed.time_ns
    assert (judgement.fills.venue, judgement.fills.applied, judgement.fills.lost) == (2, 1, 1)


def test_scope_begins_one_lookback_before_the_first_start() -> None:
    edge = trade(70, at=START - HOUR)
    outside = trade(71, at=START - HOUR - 1)
    judgement = judged(observe([outside, edge], process()))
    assert [v.at_ns for v in judgement.violations if v.property == "fill-lost"] == [edge.time_ns]


def test_an_unlimited_lookback_reaches_what_the_venue_serves_without_times() -> None:
    edge = trade(70, at=START - WEEK)
    outside = trade(71, at=START - WEEK - 1)
    judgement = judged(observe([outside, edge], process(), lookback_ns=None))
    assert [v.at_ns for v in judgement.violations if v.property == "fill-lost"] == [edge.time_ns]


def test_a_trade_on_a_symbol_that_the_node_may_not_see_is_not_lost() -> None:
    judgement = judge(observe([trade(symbol="SOLUSDT")], process()), "fill-lost")
    assert judgement.verdict == "inconclusive"
    assert judgement.fills.venue == 0


def test_a_kept_cache_keeps_what_was_applied() -> None:
    t = trade()
    state = state_of([t])
    first = process(state, [published(fill_of(t))], ended="killed")
    second = process(state, loaded=state, number=1, started=START + HOUR // 2)
    judgement = judge(observe([t], first, second), "fill-lost")
    assert judgement.verdict == "pass"
    # The second process had the trade at hand, and could have published it again.
    assert subjects(judgement, "fill-duplicated") == 2


def test_a_lost_cache_must_gain_again_what_its_own_lookback_serves() -> None:
    early, late = trade(70), trade(71, at=START + HOUR)
    state = state_of([early, late])
    first = process(state, [published(fill_of(t)) for t in (early, late)], ended="killed")
    second = process(number=1, lineage=1, started=START + HOUR + HOUR // 2)
    judgement = judged(observe([early, late], first, second))
    # The scope of the new lineage begins half an hour after START: `early` lies before it.
    assert [v.at_ns for v in judgement.violations if v.property == "fill-lost"] == [late.time_ns]


def test_scope_of_a_lineage_is_that_of_its_first_process() -> None:
    t = trade()
    first = process(ended="killed")
    second = process(number=1, started=START + 3 * HOUR)
    judgement = judged(observe([t], first, second))
    assert "fill-lost" in failed(judgement)


@pytest.mark.parametrize(
    "changes",
    [
        {"trade_id": "0b1c2d3e-0000-4000-8000-000000000001"},
        {"trade_id": "71"},
        {"venue_order_id": "S-1070"},
        {"venue_order_id": ""},
        {"venue_order_id": "99999999999999999999"},
        {"side": "SELL"},
        {"symbol": "ETHUSDT"},
        {"account": "other"},
    ],
)
def test_a_fill_with_another_key_is_lost_and_a_phantom(changes: dict[str, str]) -> None:
    t = trade()
    node = process(state_of([t]), [published(fill_of(t, **changes))])
    assert failed(judged(observe([t], node))) == {"fill-lost", "phantom-fill"}


def test_both_sides_of_a_self_trade_are_trades_of_their_own() -> None:
    observation = observe([trade(70, "BUY", order_id=1), trade(70, "SELL", order_id=2)])
    judgement = judge(observation, "fill-lost")
    assert judgement.verdict == "pass"
    assert judgement.fills.applied == 2


def test_order_ids_of_nineteen_digits_are_ids() -> None:
    assert judge(observe([trade(order_id=8389766084576502000)]), "fill-lost").verdict == "pass"


def test_a_venue_with_two_trades_of_one_key_is_refused() -> None:
    observation = replace(observe([trade()]), trades=(trade(), trade()))
    with pytest.raises(ValueError, match="two trades of one key"):
        judge(observation, "fill-lost")


# fill-duplicated


def test_a_trade_published_twice_by_one_process_is_duplicated() -> None:
    t = trade()
    node = process(state_of([t]), [published(fill_of(t))] * 3)
    judgement = judged(observe([t], node))
    assert failed(judgement) == {"fill-duplicated"}
    assert judgement.fills.duplicated == 2, "one violation for each extra event"
    assert subjects(judgement, "fill-duplicated") == 1
    assert judgement.violations[0].message == (
        "BTCUSDT (main): trade 70 of order 1070, BUY 1 at 50000, was published again by "
        "process 0 of node n1, whose state already contained it."
    )


def test_a_trade_of_the_loaded_state_published_again_is_duplicated() -> None:
    t = trade()
    state = state_of([t])
    first = process(state, [published(fill_of(t))], ended="killed")
    second = process(state, [published(fill_of(t))], state, number=1)
    assert failed(judged(observe([t], first, second))) == {"fill-duplicated"}


@pytest.mark.parametrize("lineage", [0, 1], ids=["stale", "lost"])
def test_a_trade_that_the_loaded_state_lacked_may_be_published_once_more(lineage: int) -> None:
    t = trade()
    state = state_of([t])
    first = process(state, [published(fill_of(t))], ended="killed")
    second = process(state, [published(fill_of(t))], number=1, lineage=lineage)
    assert judge(observe([t], first, second), "fill-duplicated").verdict == "pass"


def test_without_a_trade_nothing_can_be_duplicated() -> None:
    node = process(events=[published(invented())] * 2)
    judgement = judged(observe([], node))
    assert failed(judgement) == {"phantom-fill"}
    assert outcome(judgement, "fill-duplicated") == "unexercised"


# phantom-fill


def test_a_fill_without_a_trade_is_a_phantom() -> None:
    t = trade()
    node = process(state_of([t]), [published(fill_of(t)), published(invented())])
    judgement = judged(observe([t], node))
    assert failed(judgement) == {"phantom-fill"}
    assert judgement.fills.phantom == 1
    assert judgement.violations[0].message == (
        "BTCUSDT (main): fill 0b1c2d3e-0000-4000-8000-000000000001 of order 3f2a (S-3f2a), "
        "SELL 1 at 50000, was published by process 0 of node n1 without a trade at the venue."
    )


def test_the_opposite_fill_of_a_doubled_snapshot_is_phantom_and_moves_the_position() -> None:
    """Gap G1: userTrades read twice on a warm start, and an opposite ``S-`` fill invented."""
    t = trade()
    state = state_of([t])
    opposite = NodePosition(
        "main", "BTCUSDT", "P-1-EXTERNAL", "BOTH", "EXTERNAL", Decimal(-1), Decimal(50000)
    )
    after = replace(state, positions=(*state.positions, opposite))
    first = process(state, [published(fill_of(t))], ended="stopped")
    phantom = invented(position_id="P-1-EXTERNAL")
    second = process(after, [published(phantom, START + HOUR)], state, number=1)
    judgement = judged(observe([t], first, second))
    assert failed(judgement) == {"phantom-fill", "position-mismatch"}
    assert judgement.exempt == ()


def opened(*events: NodeFill, trades: tuple[VenueTrade, ...] | None = None) -> Observation:
    """A first contact with a leg that was opened before the lookback."""
    trades = (before_scope(),) if trades is None else trades
    final = State(positions=state_of(trades).positions)
    return observe(trades, process(final, [published(fill) for fill in events]))


def test_an_opening_balance_of_the_exact_quantity_is_exempt_and_listed() -> None:
    fill = opening("2")
    judgement = judge(opened(fill), "phantom-fill")
    assert judgement.verdict == "pass"
    assert judgement.exempt == (fill,)
    assert judgement.fills.opening == 1
    assert judgement.fills.venue == 0, "the trade lies before the scope"


@pytest.mark.parametrize(
    "fill", [opening("1.9"), opening("2.1"), opening("2", "SELL"), opening("0")]
)
def test_an_opening_balance_of_another_quantity_is_a_phantom(fill: NodeFill) -> None:
    judgement = judged(opened(fill))
    assert failed(judgement) == {"phantom-fill"}
    assert "opening balance of the leg was BUY 2" in judgement.violations[0].message


def test_an_opening_balance_is_exempt_once() -> None:
    judgement = judged(opened(opening("2"), opening("2", trade_id="another")))
    assert failed(judgement) == {"phantom-fill"}
    assert (judgement.fills.opening, judgement.fills.phantom) == (1, 1)


@pytest.mark.parametrize("quantity", ["1", "0"])
def test_no_opening_balance_where_trades_explain_the_position(quantity: str) -> None:
    t = trade()
    node = process(state_of([t]), [published(opening(quantity)), published(fill_of(t))])
    assert failed(judged(observe([t], node))) == {"phantom-fill"}


def test_a_leg_that_went_flat_before_the_scope_has_no_opening_balance() -> None:
    trades = (before_scope(1), before_scope(2, "SELL"))
    judgement = judged(opened(opening("2"), trades=trades))
    assert failed(judgement) == {"phantom-fill"}


@pytest.mark.parametrize("late", [0, HOUR // 2])
def test_trades_served_in_the_lookback_are_no_part_of_the_opening_balance(late: int) -> None:
    old, offline, live = (
        before_scope(),
        trade(70, "SELL", "0.5", at=START - HOUR // 2),
        trade(71, "BUY", "4"),
    )
    fills = [fill_of(offline), fill_of(live)]
    events = [published(opening("2"), OPENING_AT + late), *(published(f) for f in fills)]
    state = state_of([old, offline, live])
    final = replace(state, orders=state.orders[1:])
    judgement = judge(observe([old, offline, live], process(final, events)), "phantom-fill")
    assert judgement.verdict == "pass"
    assert judgement.fills.opening == 1


def restarted(second_fill: NodeFill, loaded: State, *, lineage: int = 0) -> Observation:
    """A node that made the opening balance of 2 starts again and publishes one more fill."""
    first_fill = opening("2")
    final = State(positions=state_of([before_scope()]).positions)
    first = process(final, [published(first_fill)], ended="killed")
    again_at = START + HOUR // 2
    second = process(
        final,
        [published(second_fill, again_at + SECOND)],
        loaded,
        number=1,
        lineage=lineage,
        started=again_at,
    )
    return observe([before_scope()], first, second)


def with_opening_order(positions: bool) -> State:
    """The state that the opening balance left, with or without its position."""
    order = replace(
        state_of([trade()]).orders[0],
        client_order_id="3f2a",
        venue_order_id="S-3f2a",
        fills=(opening("2"),),
    )
    held = state_of([before_scope()]).positions
    return State(orders=(order,), positions=held if positions else ())


def test_a_kept_cache_holds_its_opening_balance() -> None:
    observation = restarted(opening("2", trade_id="again"), with_opening_order(positions=True))
    judgement = judged(observation)
    assert failed(judgement) == {"phantom-fill"}
    assert judgement.fills.opening == 1


def test_a_lineage_has_one_opening_balance_even_if_its_position_was_lost() -> None:
    observation = restarted(opening("2", trade_id="again"), with_opening_order(positions=False))
    assert failed(judged(observation)) == {"phantom-fill"}


def test_a_lost_cache_makes_its_own_opening_balance() -> None:
    judgement = judge(restarted(opening("2"), State(), lineage=1), "phantom-fill")
    assert judgement.verdict == "pass"
    assert judgement.fills.opening == 2


def test_a_torn_cache_makes_again_the_opening_balance_that_it_lost() -> None:
    judgement = judge(restarted(opening("2"), State()), "phantom-fill")
    assert judgement.verdict == "pass"
    assert judgement.fills.opening == 2


def test_what_the_loaded_state_holds_is_no_part_of_the_opening_balance() -> None:
    loaded = state_of([before_scope(quantity="1.5")])
    judgement = judge(restarted(opening("0.5"), State(positions=loaded.positions)), "phantom-fill")
    assert judgement.verdict == "pass"


def test_what_another_leg_holds_is_no_part_of_the_opening_balance() -> None:
    ether = before_scope(2, quantity="7", symbol="ETHUSDT")
    loaded = State(positions=state_of([ether]).positions)
    final = State(positions=state_of([before_scope(), ether]).positions)
    node = process(final, [published(opening("2"))], loaded)
    assert judge(observe([before_scope(), ether], node), "phantom-fill").verdict == "pass"


def test_the_opening_balance_of_a_process_is_measured_with_its_own_lookback() -> None:
    """The first process missed the trade; the second starts too late to be served it."""
    t = trade(quantity="2")
    late = START + 3 * HOUR
    second = process(
        state_of([t]), [published(opening("2"), late + SECOND)], number=1, started=late
    )
    judgement = judged(observe([t], process(ended="killed"), second))
    assert failed(judgement) == {"fill-lost"}
    assert judgement.fills.opening == 1


@pytest.mark.parametrize(
    ("side", "suffix", "exempt"),
    [
        ("BUY", "LONG", True),
        ("BUY", "SHORT", False),
        ("BUY", "EXTERNAL", True),
        ("SELL", "SHORT", False),
        ("SELL", "EXTERNAL", False),
    ],
)
def test_in_hedge_mode_each_leg_has_its_own_opening_balance(
    side: str, suffix: str, exempt: bool
) -> None:
    trades = [
        before_scope(1, "BUY", "2", position_side="LONG"),
        before_scope(2, "SELL", "3", position_side="SHORT"),
    ]
    fill = opening("2", side, position_id=position_id("BTCUSDT", suffix))
    final = State(positions=state_of(trades).positions)
    observation = observe(trades, process(final, [published(fill)]), hedged=(HedgeSpan("main"),))
    assert failed(judged(observation)) == (set() if exempt else {"phantom-fill"})


@pytest.mark.parametrize(
    ("span", "exempt"),
    [
        (HedgeSpan("main", until_ns=START), False),
        (HedgeSpan("main", until_ns=START + HOUR), True),
        (HedgeSpan("main", from_ns=START), True),
        (HedgeSpan("main", from_ns=START + HOUR), False),
        (HedgeSpan("other"), False),
    ],
)
def test_the_leg_of_a_fill_is_that_of_the_mode_at_its_time(span: HedgeSpan, exempt: bool) -> None:
    trades = [before_scope(1, "BUY", "2", position_side="LONG")]
    fill = replace(
        opening("2", "BUY", position_id=position_id("BTCUSDT", "EXTERNAL")), time_ns=START
    )
    final = State(positions=state_of(trades).positions)
    observation = observe(trades, process(final, [published(fill)]), hedged=(span,))
    assert ("phantom-fill" not in failed(judged(observation))) == exempt


def test_in_hedge_mode_both_legs_may_have_an_opening_balance() -> None:
    trades = [
        before_scope(1, "BUY", "2", position_side="LONG"),
        before_scope(2, "SELL", "2", position_side="SHORT"),
    ]
    fills = [
        opening("2", side, position_id=position_id("BTCUSDT", suffix))
        for side, suffix in (("BUY", "LONG"), ("SELL", "SHORT"))
    ]
    final = State(positions=state_of(trades).positions)
    node = process(final, [published(fill) for fill in fills])
    judgement = judge(observe(trades, node, hedged=(HedgeSpan("main"),)), "phantom-fill")
    assert judgement.verdict == "pass"
    assert judgement.fills.opening == 2


def test_a_declared_adjustment_is_exempt_once() -> None:
    t = trade()
    adjustment = Adjustment("BTCUSDT", Decimal(-1))
    fills = [invented(), invented(trade_id="another")]
    for count, expected in ((1, set()), (2, {"phantom-fill"})):
        events = [published(fill_of(t)), *(published(fill) for fill in fills[:count])]
        observation = observe([t], process(state_of([t]), events), adjustments=(adjustment,))
        judgement = judged(observation)
        assert failed(judgement) == expected
        assert judgement.exempt == (fills[0],)


@pytest.mark.parametrize(
    "adjustment",
    [
        Adjustment("BTCUSDT", Decimal(1)),
        Adjustment("ETHUSDT", Decimal(-1)),
        Adjustment("BTCUSDT", Decimal(-1), "LONG"),
        Adjustment("BTCUSDT", Decimal(-1), account="other"),
    ],
)
def test_a_declared_adjustment_exempts_nothing_else(adjustment: Adjustment) -> None:
    t = trade()
    events = [published(fill_of(t)), published(invented())]
    observation = observe([t], process(state_of([t]), events), adjustments=(adjustment,))
    assert failed(judged(observation)) == {"phantom-fill"}


# fill-wrong


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"price": Decimal("50000.1")}, "price 50000.1 instead of 50000"),
        ({"quantity": Decimal("0.9")}, "quantity 0.9 instead of 1"),
        ({"commission": Decimal(0)}, "commission 0 USDT instead of 0.02 USDT"),
        ({"commission_asset": "BNB"}, "commission 0.02 BNB instead of 0.02 USDT"),
        ({"liquidity": "MAKER"}, "liquidity MAKER instead of TAKER"),
        ({"liquidity": "NO_LIQUIDITY_SIDE"}, "liquidity NO_LIQUIDITY_SIDE instead of TAKER"),
        (
            {"time_ns": START + 10 * SECOND + 1_000_000},
            "time 1700000010001 ms instead of 1700000010000 ms",
        ),
    ],
)
def test_a_fill_that_differs_from_its_trade_is_wrong(changes: dict[str, Any], words: str) -> None:
    t = trade()
    node = process(state_of([t]), [published(fill_of(t, **changes))])
    judgement = judged(observe([t], node))
    assert failed(judgement) == {"fill-wrong"}
    assert words in judgement.violations[0].message


@pytest.mark.parametrize("drift_ns", [-256, 256])
def test_the_nanoseconds_of_a_float_are_forgiven(drift_ns: int) -> None:
    t = trade()
    node = process(state_of([t]), [published(fill_of(t, time_ns=t.time_ns + drift_ns))])
    assert judge(observe([t], node), "fill-wrong").verdict == "pass"


def test_the_venue_prints_whole_milliseconds() -> None:
    t = trade(at=START + 999_999)
    node = process(state_of([t]), [published(fill_of(t, time_ns=START))])
    assert judge(observe([t], node), "fill-wrong").verdict == "pass"


def test_amounts_compare_as_numbers_and_not_as_text() -> None:
    t = trade(quantity="1.000")
    node = process(state_of([t]), [published(fill_of(t, quantity=Decimal("1E+0")))])
    assert judge(observe([t], node), "fill-wrong").verdict == "pass"


def test_a_fill_of_any_process_may_be_wrong() -> None:
    t = trade()
    state = state_of([t])
    first = process(state, [published(fill_of(t, price=Decimal(1)))], ended="killed")
    second = process(state, loaded=state, number=1)
    assert failed(judged(observe([t], first, second))) == {"fill-wrong"}
