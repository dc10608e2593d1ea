"""When processes differ from the venue: the spans on which alerts are judged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from sim.observation import (
    Call,
    Incarnation,
    Observation,
    State,
    VenueOrder,
    VenuePosition,
    VenueTrade,
)
from sim.oracle.differences import Differences
from sim.oracle.scope import nodes_of
from tests.unit.oracle.observations import (
    HOUR,
    SECOND,
    START,
    after,
    alert,
    applied,
    fill_of,
    held,
    invented,
    known,
    observe,
    process,
    published,
    resized,
    shown,
    state_of,
    submitted,
    trade,
    venue_order,
)

FILL = "BTCUSDT (main): trade 70 of order 1070"
ORDER = "BTCUSDT (main): order 1070"
LEG = "BTCUSDT BOTH (main)"
RESTING = "BTCUSDT (main): order 5"

OPEN = ["ACCEPTED", "TRIGGERED", "PENDING_UPDATE", "PENDING_CANCEL", "PARTIALLY_FILLED"]
UNREACHED = ["INITIALIZED", "SUBMITTED", "RELEASED"]
CLOSED = ["FILLED", "CANCELED", "EXPIRED", "REJECTED", "DENIED"]

type Spans = dict[str, list[tuple[float, float]]]


def spans(observation: Observation, number: int = 0) -> Spans:
    """The differences of one process, in seconds after START."""
    found = Differences(observation, nodes_of(observation)).processes[number]
    return {
        str(subject): [((s.from_ns - START) / SECOND, (s.until_ns - START) / SECOND) for s in spans]
        for subject, spans in found.spans.items()
    }


def seen(orders: list[VenueOrder], node: Incarnation, trades: tuple[VenueTrade, ...] = ()) -> Spans:
    """The differences of orders, in a run of one process."""
    found = spans(observe(trades, node, orders=tuple(orders)))
    return {subject: when for subject, when in found.items() if ": order " in subject}


def test_nothing_differs_where_nothing_happens() -> None:
    assert spans(observe([], process())) == {}


# fills


def test_a_trade_differs_in_three_subjects_until_it_is_applied() -> None:
    t = trade()
    span = [(10.0, 12.5)]
    assert spans(observe([t], applied(t, 12.5))) == {FILL: span, ORDER: span, LEG: span}


def test_a_trade_that_is_never_applied_differs_until_the_process_ends() -> None:
    span = [(10.0, 3600.0)]
    assert spans(observe([trade()], process())) == {FILL: span, ORDER: span, LEG: span}


def test_a_trade_made_before_the_process_differs_from_its_start_on() -> None:
    t = trade(at=after(-60))
    span = [(0.0, 2.0)]
    assert spans(observe([t], applied(t, 2))) == {FILL: span, ORDER: span, LEG: span}


def test_a_trade_that_was_loaded_never_differs() -> None:
    t = trade(at=after(-60))
    assert spans(observe([t], process(loaded=state_of([t])))) == {}


def test_a_trade_that_is_applied_as_the_process_starts_never_differs() -> None:
    t = trade(at=after(-60))
    assert spans(observe([t], applied(t, 0))) == {}


def test_a_trade_made_when_the_process_has_ended_does_not_differ() -> None:
    t = trade()
    assert spans(observe([t], replace(process(), ended_ns=after(10)))) == {}
    assert set(spans(observe([t], replace(process(), ended_ns=after(10) + 1)))) == {
        FILL,
        ORDER,
        LEG,
    }


def test_each_process_differs_for_itself() -> None:
    t = trade()
    first = replace(process(ended="killed"), ended_ns=after(100))
    second = replace(applied(t, 203), number=1, started_ns=after(200))
    run = observe([t], first, second)
    assert spans(run, 0)[FILL] == [(10.0, 100.0)]
    assert spans(run, 1)[FILL] == [(200.0, 203.0)]


@pytest.mark.parametrize(
    "changes",
    [
        {"trade_id": "71"},
        {"trade_id": "0b1c2d3e-0000-4000-8000-000000000001"},
        {"venue_order_id": ""},
        {"side": "SELL"},
        {"account": "other"},
    ],
)
def test_a_fill_with_another_key_is_another(changes: dict[str, str]) -> None:
    t = trade()
    node = process(events=[published(fill_of(t, **changes), after(12))])
    assert spans(observe([t], node))[FILL] == [(10.0, 3600.0)]


def test_the_first_publication_counts() -> None:
    t = trade()
    events = [published(fill_of(t), after(11)), published(fill_of(t), after(20))]
    assert spans(observe([t], process(events=events)))[FILL] == [(10.0, 11.0)]


def test_a_trade_out_of_scope_is_no_subject() -> None:
    before = trade(at=START - HOUR - 1)
    assert set(spans(observe([before], process()))) == {LEG}
    assert FILL in spans(observe([trade(at=START - HOUR)], process()))
    assert spans(observe([trade(symbol="SOLUSDT")], process())) == {}


def test_the_scope_is_that_of_the_lineage_of_the_process() -> None:
    t = trade(at=after(-60))
    first = replace(process(ended="killed"), ended_ns=after(100))
    second = process(number=1, lineage=1, started=START + 2 * HOUR)
    second = replace(second, ended_ns=START + 3 * HOUR)
    run = observe([t], first, second)
    assert set(spans(run, 0)) == {FILL, ORDER, LEG}
    assert set(spans(run, 1)) == {LEG}


def test_the_scope_begins_before_the_first_process_of_the_lineage() -> None:
    t = trade(at=after(-60))
    first = replace(process(ended="killed"), ended_ns=after(100))
    second = replace(process(number=1, started=START + 2 * HOUR), ended_ns=START + 3 * HOUR)
    assert set(spans(observe([t], first, second), 1)) == {FILL, ORDER, LEG}


def test_what_the_node_purged_before_does_not_differ() -> None:
    t = trade()
    first = replace(applied(t, 10.1), ended_ns=after(100), ended="stopped", purged=("O-1070",))
    position = State(positions=state_of([t]).positions)
    second = process(number=1, started=after(200), loaded=position)
    assert spans(observe([t], first, second), 1) == {}
    kept = observe([t], replace(first, purged=()), second)
    assert set(spans(kept, 1)) == {FILL, ORDER}


@pytest.mark.parametrize("made", [200, 210])
def test_a_trade_of_a_purged_order_that_was_made_since_the_start_differs(made: float) -> None:
    t = trade(at=after(made))
    first = replace(process(ended="stopped"), ended_ns=after(100), purged=("O-1070",))
    second = process(number=1, started=after(200))
    assert set(spans(observe([t], first, second), 1)) == {FILL, ORDER, LEG}


def test_what_is_filtered_does_not_differ() -> None:
    t = trade()
    edge, before = trade(71, at=START - HOUR), trade(72, at=START - HOUR - 1)
    assert spans(observe([t, edge], process(), filters_unclaimed=True)) == {}
    run = observe([t, before], process(), filters_unclaimed=True)
    assert spans(run) == {LEG: [(0.0, 3600.0)]}, "what lies before the scope counts"
    assert spans(observe([t], process(), filters_unclaimed=True)) == {}
    claiming = replace(process(), claims={"BTCUSDT": "S-001"})
    assert set(spans(observe([t], claiming, filters_unclaimed=True))) == {FILL, ORDER, LEG}


def test_the_claims_are_those_of_the_process_that_lived_or_came_next() -> None:
    first = replace(process(), claims={"BTCUSDT": "S-001"}, ended_ns=after(100), ended="killed")
    second = process(number=1, started=after(200))
    run = observe([trade()], first, second, filters_unclaimed=True)
    assert set(spans(run, 0)) == {FILL, ORDER, LEG}
    assert set(spans(run, 1)) == {FILL, ORDER, LEG}
    later = observe([trade(at=after(150))], first, second, filters_unclaimed=True)
    assert spans(later, 0) == spans(later, 1) == {}


# legs


def test_a_leg_differs_while_the_sums_do() -> None:
    trades = [trade(70), trade(71, "SELL", "0.4", at=after(20)), trade(72, at=after(30))]
    changes = (resized("1", 10.5), resized("0.6", 23), resized("1.5", 40))
    node = replace(process(), position_changes=changes)
    assert spans(observe(trades, node))[LEG] == [(10.0, 10.5), (20.0, 23.0), (30.0, 3600.0)]


def test_positions_of_one_leg_add_up() -> None:
    changes = (resized("3", 10, name="a"), resized("-2", 12, name="b"), resized("-2", 13, name="b"))
    node = replace(process(), position_changes=changes)
    assert spans(observe([trade()], node))[LEG] == [(10.0, 12.0)]


def test_a_loaded_position_is_changed_and_not_added_to() -> None:
    t = trade(at=after(-60))
    loaded = state_of([t])
    name = loaded.positions[0].position_id
    node = replace(process(loaded=loaded), position_changes=(resized("2", 10, name=name),))
    assert spans(observe([t], node)) == {LEG: [(10.0, 3600.0)]}


def test_two_loaded_positions_of_a_leg_add_up() -> None:
    leg = VenuePosition("main", "BTCUSDT", "BOTH", Decimal("0.5"), Decimal(50000))
    t = trade(at=START - 2 * HOUR)
    parts = (held(leg, position_id="a"), held(leg, position_id="b"))
    assert spans(observe([t], process(loaded=State(positions=parts)))) == {}


def test_a_position_that_only_the_node_has_makes_its_leg_differ() -> None:
    node = replace(process(), position_changes=(resized("1", 10), resized("0", 20)))
    assert spans(observe([], node)) == {LEG: [(10.0, 20.0)]}


def test_a_position_on_a_symbol_that_the_node_may_not_see_is_no_subject() -> None:
    node = replace(process(), position_changes=(resized("1", 10, symbol="SOLUSDT"),))
    assert spans(observe([], node)) == {}


def test_the_legs_of_a_symbol_are_apart() -> None:
    trades = [trade(70, position_side="LONG"), trade(71, "SELL", position_side="SHORT")]
    changes = (
        resized("1", 11, name="a", side="LONG"),
        resized("-1", 13, name="b", side="SHORT"),
    )
    found = spans(observe(trades, replace(process(), position_changes=changes)))
    assert found["BTCUSDT LONG (main)"] == [(10.0, 11.0)]
    assert found["BTCUSDT SHORT (main)"] == [(10.0, 13.0)]


def test_a_position_may_turn_from_one_leg_to_the_other() -> None:
    changes = (resized("1", 10, side="LONG"), resized("-1", 20, side="SHORT"))
    found = spans(observe([], replace(process(), position_changes=changes)))
    assert found == {
        "BTCUSDT LONG (main)": [(10.0, 20.0)],
        "BTCUSDT SHORT (main)": [(20.0, 3600.0)],
    }


def test_of_several_changes_at_one_instant_the_last_is_seen() -> None:
    changes = (resized("7", 10), resized("1", 10))
    assert LEG not in spans(observe([trade()], replace(process(), position_changes=changes)))


# orders


def test_an_open_order_differs_until_the_node_knows_it() -> None:
    order = venue_order()
    assert seen([order], process()) == {RESTING: [(5.0, 3600.0)]}
    node = process(events=[shown(order, "ACCEPTED", 8)])
    assert seen([order], node) == {RESTING: [(5.0, 8.0)]}


@pytest.mark.parametrize("status", OPEN)
def test_an_order_open_on_both_sides_does_not_differ(status: str) -> None:
    order = venue_order()
    assert seen([order], process(events=[shown(order, status, 5)])) == {}


@pytest.mark.parametrize("status", ["", "EMULATED", *UNREACHED, *CLOSED])
def test_an_order_open_at_the_venue_only_differs(status: str) -> None:
    order = venue_order()
    node = process(events=[shown(order, "ACCEPTED", 5), shown(order, status, 8)])
    assert seen([order], node) == {RESTING: [(8.0, 3600.0)]}


@pytest.mark.parametrize("status", ["EMULATED", *UNREACHED, *OPEN])
def test_an_order_closed_at_the_venue_only_differs(status: str) -> None:
    order = venue_order(status="CANCELED", updated=after(9))
    node = process(events=[shown(order, "ACCEPTED", 5), shown(order, status, 7)])
    assert seen([order], node)[RESTING][-1][1] == 3600.0


@pytest.mark.parametrize("status", CLOSED)
def test_the_end_of_an_order_does_not_matter(status: str) -> None:
    order = venue_order(status="CANCELED", updated=after(9))
    node = process(events=[shown(order, "ACCEPTED", 5), shown(order, status, 11)])
    assert seen([order], node) == {RESTING: [(9.0, 11.0)]}


def test_an_order_closed_and_unfilled_and_unknown_differs_only_while_it_was_open() -> None:
    order = venue_order(status="CANCELED", updated=after(9))
    assert seen([order], process()) == {RESTING: [(5.0, 9.0)]}
    at_once = venue_order(status="EXPIRED")
    assert seen([at_once], process()) == {}


def test_an_order_closed_and_filled_and_unknown_differs() -> None:
    t = trade(at=after(7), order_id=5)
    order = venue_order(status="CANCELED", filled="1", updated=after(9))
    assert seen([order], process(), (t,)) == {RESTING: [(5.0, 3600.0)]}


def test_filled_quantities_are_compared_over_time() -> None:
    trades = (
        trade(70, quantity="0.4", order_id=5, at=after(10)),
        trade(71, quantity="0.6", order_id=5, at=after(20)),
    )
    order = venue_order(status="FILLED", filled="1", updated=after(20))
    node = process(
        events=[
            shown(order, "ACCEPTED", 5),
            shown(order, "PARTIALLY_FILLED", 11, filled=Decimal("0.4")),
            shown(order, "FILLED", 22, filled=Decimal("0.9")),
            shown(order, "FILLED", 24, filled=Decimal("1.0")),
        ]
    )
    assert seen([order], node, trades) == {RESTING: [(10.0, 11.0), (20.0, 24.0)]}


@pytest.mark.parametrize(("filled", "differs"), [("1", False), ("0.6", False), ("0.4", True)])
def test_fills_from_before_the_scope_may_be_left_out(filled: str, differs: bool) -> None:
    trades = (
        trade(70, quantity="0.4", order_id=5, at=START - 2 * HOUR),
        trade(71, quantity="0.6", order_id=5, at=after(-60)),
    )
    order = venue_order(status="FILLED", filled="1", created=START - 3 * HOUR, updated=after(-60))
    loaded = State(orders=(known(order, filled=Decimal(filled)),))
    assert (RESTING in seen([order], process(loaded=loaded), trades)) == differs


def test_an_order_with_no_fill_in_scope_need_not_be_known() -> None:
    t = trade(order_id=5, at=START - 2 * HOUR)
    order = venue_order(status="CANCELED", filled="1", created=START - 3 * HOUR, updated=after(-60))
    assert seen([order], process(), (t,)) == {}
    inside = replace(t, time_ns=START - HOUR)
    assert seen([order], process(), (inside,)) == {RESTING: [(0.0, 3600.0)]}


def test_an_order_last_updated_before_the_scope_is_no_subject_unless_it_is_shown() -> None:
    made = START - 2 * HOUR
    order = venue_order(status="FILLED", filled="1", created=made, updated=made)
    assert seen([order], process()) == {}
    edge = replace(order, status="CANCELED", created_ns=START, closed_ns=after(9))
    assert seen([replace(edge, updated_ns=START - HOUR)], process()) == {RESTING: [(0.0, 9.0)]}
    stale = State(orders=(known(order, status="ACCEPTED", filled=Decimal(0)),))
    assert seen([order], process(loaded=stale)) == {RESTING: [(0.0, 3600.0)]}
    still_open = venue_order(created=made)
    assert seen([still_open], process()) == {RESTING: [(0.0, 3600.0)]}


def test_an_order_on_a_symbol_that_the_node_may_not_see_is_no_subject() -> None:
    order = venue_order(symbol="SOLUSDT")
    assert seen([order], process()) == {}
    assert seen([order], process(events=[shown(order, "CANCELED", 6)])) == {}


def test_an_order_that_was_loaded_is_known() -> None:
    order = venue_order(created=after(-60))
    assert seen([order], process(loaded=State(orders=(known(order),)))) == {}


def test_a_continuation_order_speaks_for_its_original() -> None:
    t = trade(order_id=5, at=after(20))
    order = venue_order(status="FILLED", filled="1", updated=after(20))
    more = {"client_order_id": "O-5-continued"}
    node = process(
        events=[
            shown(order, "ACCEPTED", 5),
            shown(order, "REJECTED", 7),
            shown(order, "SUBMITTED", 8, **more),
            shown(order, "ACCEPTED", 9, **more),
            shown(order, "FILLED", 21, filled=Decimal(1), **more),
        ]
    )
    assert seen([order], node, (t,)) == {RESTING: [(7.0, 9.0), (20.0, 21.0)]}


def test_fills_of_orders_that_stand_for_one_add_up() -> None:
    trades = tuple(
        trade(number, quantity="0.5", order_id=5, at=after(when))
        for number, when in ((70, 10), (71, 20))
    )
    order = venue_order(status="FILLED", filled="1", updated=after(20))
    original = known(order, status="EXPIRED", filled=Decimal("0.5"))
    late = known(order, status="FILLED", filled=Decimal("0.5"), client_order_id="O-5-continued")
    loaded = State(orders=(original, late))
    assert seen([order], process(loaded=loaded, started=after(30)), trades) == {}
    assert seen([order], process(loaded=State((original,)), started=after(30)), trades) != {}


def test_an_order_on_its_way_differs_until_the_venue_has_it() -> None:
    order = venue_order(created=after(6))
    events = [
        shown(order, "SUBMITTED", 5, venue_order_id=""),
        shown(order, "ACCEPTED", 7),
    ]
    assert seen([order], process(events=events)) == {RESTING: [(5.0, 7.0)]}


def test_an_order_that_is_emulated_waits_for_the_venue() -> None:
    order = venue_order(created=after(6))
    events = [
        shown(order, "EMULATED", 5, venue_order_id=""),
        shown(order, "ACCEPTED", 7),
    ]
    assert seen([order], process(events=events)) == {RESTING: [(6.0, 7.0)]}


def test_an_order_without_a_venue_id_stands_for_that_of_its_client_id() -> None:
    order = venue_order()
    events = [
        shown(order, "SUBMITTED", 5, venue_order_id=""),
        shown(order, "REJECTED", 20, venue_order_id=""),
    ]
    assert seen([order], process(events=events)) == {RESTING: [(5.0, 3600.0)]}


def test_a_client_order_id_that_was_used_again_is_the_newest_orders() -> None:
    old = venue_order(5, "CANCELED", client_order_id="O-1", created=after(1), updated=after(2))
    new = venue_order(6, client_order_id="O-1", created=after(4))
    node = process(events=[shown(new, "SUBMITTED", 4, venue_order_id="")])
    assert seen([old, new], node) == {
        RESTING: [(1.0, 2.0)],
        "BTCUSDT (main): order 6": [(4.0, 3600.0)],
    }


def test_of_orders_with_one_client_id_the_one_counts_for_which_nothing_stands() -> None:
    old = venue_order(5, client_order_id="O-1", created=after(1))
    new = venue_order(6, client_order_id="O-1", created=after(4))
    mine = shown(new, "ACCEPTED", 4, client_order_id="O-other")
    node = process(events=[mine, shown(new, "ACCEPTED", 5, venue_order_id="")])
    assert seen([old, new], node) == {RESTING: [(1.0, 5.0)]}


@pytest.mark.parametrize("status", [*UNREACHED, *OPEN])
def test_an_order_that_never_reached_the_venue_differs_until_it_is_closed(status: str) -> None:
    order = venue_order()
    events = [
        shown(order, status, 5, venue_order_id=""),
        shown(order, "REJECTED", 30, venue_order_id=""),
    ]
    assert seen([], process(events=events)) == {"BTCUSDT (main): order O-5": [(5.0, 30.0)]}


@pytest.mark.parametrize("status", ["", "EMULATED", *CLOSED])
def test_an_order_that_need_not_be_at_the_venue_does_not_differ(status: str) -> None:
    event = shown(venue_order(), status, 5, venue_order_id="")
    assert seen([], process(events=[event])) == {}


def test_an_order_under_an_id_that_the_venue_does_not_have_differs_until_it_is_closed() -> None:
    event = shown(venue_order(), "ACCEPTED", 5)
    assert seen([], process(events=[event])) == {"BTCUSDT (main): order O-5": [(5.0, 3600.0)]}


def test_an_order_under_a_synthetic_id_is_no_subject() -> None:
    event = shown(venue_order(), "ACCEPTED", 5, venue_order_id="S-3f2a")
    assert seen([], process(events=[event])) == {}


# symbols that are not loaded

UNLOADED = "SOLUSDT (main)"


def unloaded(trades: list[VenueTrade], *processes: Incarnation, number: int = 0) -> Spans:
    on_it = [replace(t, symbol="SOLUSDT") for t in trades]
    return spans(observe(on_it, *processes, unloaded=("SOLUSDT",)), number)


def test_a_symbol_that_is_not_loaded_differs_from_a_trade_on() -> None:
    round_trip = [trade(70), trade(71, "SELL", at=after(20))]
    assert unloaded(round_trip, process()) == {UNLOADED: [(10.0, 3600.0)]}
    assert spans(observe([replace(t, symbol="SOLUSDT") for t in round_trip], process())) == {}
    flat_at_once = [
        trade(70),
        trade(71, "SELL"),
        trade(72, at=after(9)),
        trade(73, "SELL", at=after(9)),
    ]
    assert unloaded(flat_at_once, process()) == {UNLOADED: [(9.0, 3600.0)]}


def test_a_symbol_that_is_not_loaded_differs_while_a_leg_is_not_flat() -> None:
    before = trade(70, at=START - 2 * HOUR, position_side="LONG")
    assert unloaded([before], process()) == {UNLOADED: [(0.0, 3600.0)]}
    closed = trade(71, "SELL", at=START - 2 * HOUR, position_side="LONG")
    assert unloaded([before, closed], process()) == {}
    other_leg = replace(closed, position_side="SHORT")
    assert unloaded([before, other_leg], process()) == {UNLOADED: [(0.0, 3600.0)]}
    other_closed = trade(72, at=START - 2 * HOUR, position_side="SHORT")
    assert unloaded([before, other_leg, other_closed], process()) == {UNLOADED: [(0.0, 3600.0)]}


@pytest.mark.parametrize(("when", "settled"), [(9, False), (10, True), (50, True)])
def test_a_trade_that_an_earlier_process_has_named_is_settled(when: float, settled: bool) -> None:
    round_trip = [trade(70), trade(71, "SELL")]
    named = alert(when, symbol="SOLUSDT")
    first = replace(process(ended="stopped"), ended_ns=after(100), alerts=(named,))
    second = process(number=1, started=after(200))
    assert unloaded(round_trip, first, second)[UNLOADED] == [(10.0, 100.0)]
    assert (unloaded(round_trip, first, second, number=1) == {}) == settled
    lost = replace(second, lineage=1)
    assert unloaded(round_trip, first, lost, number=1) == {UNLOADED: [(200.0, 3600.0)]}


def test_a_process_does_not_settle_for_itself_nor_for_an_open_leg() -> None:
    named = alert(50, symbol="SOLUSDT")
    first = replace(process(ended="stopped"), ended_ns=after(100), alerts=(named,))
    second = process(number=1, started=after(200))
    assert unloaded([trade()], first, second, number=1) == {UNLOADED: [(200.0, 3600.0)]}


# symbols that nothing names


def test_the_trades_of_a_symbol_that_nothing_names_are_no_subjects() -> None:
    free = [
        replace(trade(70), commission=Decimal(0)),
        replace(trade(71, "SELL", at=after(20)), commission=Decimal(0)),
    ]
    assert spans(observe(free, process())) == {LEG: [(10.0, 20.0)]}


def free_round_trip() -> list[VenueTrade]:
    """Bought at 10 s, sold at 20 s."""
    trades = [trade(70), trade(71, "SELL", at=after(20))]
    return [replace(each, commission=Decimal(0)) for each in trades]


def fills_of(run: Observation) -> set[tuple[float, float]]:
    return {each for name, its in spans(run).items() if "trade" in name for each in its}


@pytest.mark.parametrize(
    ("named", "from_"),
    [
        pytest.param({"events": (submitted("O-9", after(100)),)}, 100.0, id="by an order"),
        pytest.param(
            {
                "events": (submitted("O-9", after(100)),),
                "calls": (Call("check", after(15), after(16)),),
            },
            15.0,
            id="open when it is read",
        ),
        pytest.param({"claims": {"BTCUSDT": "S-001"}}, None, id="by a claim"),
    ],
)
def test_trades_differ_once_something_names_their_symbol(
    named: dict[str, Any], from_: float | None
) -> None:
    run = observe(free_round_trip(), replace(process(), **named))
    begins = {10.0, 20.0} if from_ is None else {max(from_, 10.0), max(from_, 20.0)}
    assert fills_of(run) == {(at, 3600.0) for at in begins}


@pytest.mark.parametrize("words", [{"commission": Decimal(1)}, {"realized": Decimal(1)}])
def test_trades_differ_once_one_with_money_names_their_symbol(words: dict[str, Any]) -> None:
    late = replace(trade(72, at=after(50)), **({"commission": Decimal(0)} | words))
    run = observe([*free_round_trip(), late], process())
    assert fills_of(run) == {(50.0, 3600.0)}


def test_an_order_that_is_open_when_it_is_read_names_its_symbol() -> None:
    calls = (Call("check", after(30), after(31)), Call("check", after(60), after(61)))
    order = venue_order(9, created=after(40))
    run = observe(free_round_trip(), replace(process(), calls=calls), orders=(order,))
    assert fills_of(run) == {(60.0, 3600.0)}


def test_subjects_come_in_order_of_time() -> None:
    trades = [trade(71, at=after(20)), trade(70, symbol="ETHUSDT")]
    found = list(spans(observe(trades, process())))
    assert [name.partition(" ")[0] for name in found] == ["ETHUSDT"] * 3 + ["BTCUSDT"] * 3


def test_a_fill_without_a_trade_changes_only_its_leg() -> None:
    event = replace(published(invented(), after(10), "FILLED"), account="main")
    node = replace(process(events=[event]), position_changes=(resized("-1", 10),))
    assert spans(observe([], node)) == {LEG: [(10.0, 3600.0)]}
