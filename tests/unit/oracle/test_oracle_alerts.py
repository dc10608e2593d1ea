"""alert-missing, alert-false."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from sim.observation import (
    Alert,
    Impairment,
    Incarnation,
    NodeEvent,
    Observation,
    PositionChange,
    State,
    Terms,
    VenueOrder,
    VenueTrade,
)
from sim.oracle import alerts
from sim.oracle.differences import Differences
from sim.oracle.judgement import Finding
from sim.oracle.scope import nodes_of
from tests.unit.oracle.observations import (
    HOUR,
    SECOND,
    START,
    after,
    alert,
    applied,
    fill_of,
    invented,
    known,
    observe,
    orders_of,
    process,
    published,
    resized,
    shown,
    state_of,
    trade,
    venue_order,
)

NS = 1e-9
"""A nanosecond in seconds; instants near START are whole nanoseconds."""

T = trade()
"""A trade 10 s after START, of order 1070."""

THE_FILL = {"trade_id": "70"}
THE_ORDER = {"venue_order_id": "1070"}
THE_LEG = {"position_side": "BOTH"}

DEADLINE = 10 + 300 + 5
"""When the alert about `T` is due, at the default interval of 300 s."""


def run(trades: list[VenueTrade], *processes: Incarnation, **changes: Any) -> Observation:
    return replace(observe(trades, *processes, **changes), alerts_on=True)


def node(
    *names: Alert,
    events: tuple[NodeEvent, ...] = (),
    positions: tuple[PositionChange, ...] = (),
    **changes: Any,
) -> Incarnation:
    """A process that was ready after a second and raised these alerts."""
    ready = replace(process(events=events), position_changes=positions, ready_ns=after(1))
    return replace(ready, alerts=names, **changes)


def missing(observation: Observation) -> Finding:
    finding = alerts.missing(Differences(observation, nodes_of(observation)))
    assert finding is not None
    return finding


def false(observation: Observation) -> Finding:
    finding = alerts.false(Differences(observation, nodes_of(observation)))
    assert finding is not None
    return finding


def unnamed(observation: Observation) -> list[str]:
    """What alert-missing complains of, in words."""
    return [v.message.partition(" differed ")[0] for v in missing(observation).violations]


def is_false(observation: Observation) -> bool:
    """Whether the last of the alerts is false."""
    finding = false(observation)
    assert finding.subjects == sum(len(i.alerts) for i in observation.incarnations)
    return bool(finding.violations)


FILL = "BTCUSDT (main): trade 70 of order 1070"
ORDER = "BTCUSDT (main): order 1070"
LEG = "BTCUSDT BOTH (main)"


def test_an_engine_without_alerts_is_not_judged() -> None:
    differences = Differences(observe([T], node(alert(500))), nodes_of(observe([T], node())))
    assert alerts.missing(differences) is None
    assert alerts.false(differences) is None


def test_where_nothing_differed_there_was_nothing_to_judge() -> None:
    assert missing(run([])) == Finding("alert-missing", 0, [])
    assert false(run([])) == Finding("alert-false", 0, [])


# alert-missing: what is a discrepancy


def test_a_difference_that_lasts_is_missing_its_alert() -> None:
    finding = missing(run([T], node()))
    assert finding.property == "alert-missing"
    assert finding.subjects == 3
    assert [v.property for v in finding.violations] == ["alert-missing"] * 3
    assert {v.at_ns for v in finding.violations} == {after(DEADLINE)}
    assert [v.message for v in finding.violations] == [
        f"{subject} differed between the venue and process 0 of node n1 for 3590 s, "
        "and no alert named it within 305 s."
        for subject in (FILL, LEG, ORDER)
    ]


def test_times_are_told_to_the_millisecond() -> None:
    (first, *_) = missing(run([T], applied(T, 70.123456789))).violations
    assert " for 60.123 s, " in first.message


def test_a_difference_of_the_settle_time_is_no_discrepancy() -> None:
    finding = missing(run([T], applied(T, 15)))
    assert finding == Finding("alert-missing", 0, [])


def test_a_difference_longer_than_the_settle_time_is_one() -> None:
    finding = missing(run([T], applied(T, 15 + NS)))
    assert (finding.subjects, len(finding.violations)) == (3, 3)


def test_a_reconciliation_event_makes_a_short_difference_a_discrepancy() -> None:
    finding = missing(run([T], applied(T, 11.5, reconciliation=True)))
    assert finding.subjects == 3
    assert finding.violations[0].message == (
        f"{FILL} differed between the venue and process 0 of node n1 "
        "until a reconciliation changed it, and no alert named it within 306.5 s."
    )
    assert {v.at_ns for v in finding.violations} == {after(DEADLINE + 1.5)}


def test_what_the_stream_has_just_told_is_no_discrepancy() -> None:
    """NautilusTrader marks what it makes of an order placed by hand as reconciliation."""
    assert missing(run([T], applied(T, 10.1, reconciliation=True))).subjects == 0
    starting = replace(applied(T, 10.1, reconciliation=True), ready_ns=after(10) + 1)
    assert missing(run([T], starting)).subjects == 0
    starting = replace(applied(T, 11.2, reconciliation=True), ready_ns=after(10) + 1)
    assert missing(run([T], starting)).subjects == 3


def test_the_end_of_an_order_that_the_stream_has_just_told_is_none() -> None:
    """However long it had been on its way, and an expiry is asked for before it is believed."""
    order = venue_order(1, "EXPIRED")
    order = replace(
        order, created_ns=after(13), updated_ns=after(13), closed_ns=after(13), terms=()
    )
    for at, counts in ((13.5, 0), (14.5, 1)):
        events = (
            replace(shown(order, "SUBMITTED", 10), venue_order_id=""),
            shown(order, "ACCEPTED", 13.2),
            shown(order, "EXPIRED", at, reconciliation=True),
        )
        mine = node(events=events, final=State(orders=(known(order),)))
        assert missing(run([], mine, orders=(order,))).subjects == counts


@pytest.mark.parametrize(("traded", "counts"), [(10.6, 0), (10.4, 1)])
@pytest.mark.parametrize(("heard", "by_reading"), [(11.05, False), (11.05, True), (11.5, True)])
def test_a_fill_that_is_just_news_says_nothing_of_what_came_before_it(
    traded: float, counts: int, heard: float, by_reading: bool
) -> None:
    """Its order's acceptance was late on the stream; if that was read, too, the order was."""
    late = trade(at=after(traded))
    order = replace(
        orders_of([late])[0],
        status="PARTIALLY_FILLED",
        quantity=Decimal(2),
        created_ns=after(10),
        closed_ns=None,
        terms=(),
    )
    mine = applied(late, 11.5, reconciliation=True, status="PARTIALLY_FILLED")
    accepted = replace(shown(order, "ACCEPTED", heard), reconciliation=by_reading)
    sent = replace(shown(order, "SUBMITTED", 10), venue_order_id="")
    found = missing(
        run([late], replace(mine, events=(sent, accepted, *mine.events)), orders=(order,))
    )
    of_the_order = [v for v in found.violations if v.message.startswith(ORDER)]
    assert len(of_the_order) == (1 if by_reading else counts)


def test_a_summary_names_what_a_reconciliation_changed_though_it_was_as_at_the_venue() -> None:
    """An order whose cancellation has failed: it was about to be cancelled, and is open."""
    order = replace(
        venue_order(1, "NEW"),
        created_ns=after(-60),
        updated_ns=after(-60),
        closed_ns=None,
        terms=(),
    )
    stuck = replace(known(order), status="PENDING_CANCEL", filled=Decimal(0))
    accepted = shown(order, "ACCEPTED", 0.5, reconciliation=True)
    for events, is_wrong in (((accepted,), False), ((), True)):
        final = State(orders=(replace(stuck, status="ACCEPTED") if events else stuck,))
        mine = node(
            alert(0.5), events=events, loaded=State(orders=(stuck,)), final=final, lineage=0
        )
        assert is_false(run([], mine, orders=(order,))) == is_wrong


WAITED = Terms(after(2), Decimal(1), None, 900, Decimal(49000))
BECAME = replace(WAITED, at_ns=after(10), order_id=1070, trigger=None)


def conditional(**changes: Any) -> VenueOrder:
    """The order of `T` as one that waited from 2 s on and triggered when it traded."""
    [order] = orders_of([T])
    return replace(order, created_ns=after(2), terms=(WAITED, BECAME), algo_id=900, **changes)


def test_nobody_has_to_speak_of_a_wait_that_is_over() -> None:
    told = replace(run([T], applied(T, 10.1)), orders=(conditional(),))
    assert not missing(told).violations

    unheard = replace(run([T], applied(T, 16.1)), orders=(conditional(),))
    assert len(missing(unheard).violations) == 3


def by_event(at: float, **changes: Any) -> Incarnation:
    """The trade came by the stream at 10.1 s; a reconciliation event follows on its order."""
    event = shown(venue_order(1070), "FILLED", at, filled=Decimal(1), reconciliation=True)
    mine = applied(T, 10.1)
    return replace(mine, events=(*mine.events, replace(event, **changes)))


@pytest.mark.parametrize(
    ("at", "counts"), [(11, False), (11 + NS, True), (15.1 - NS, True), (15.1, False)]
)
def test_a_reconciliation_event_counts_until_the_settle_time_after(at: float, counts: bool) -> None:
    assert missing(run([T], by_event(at))).subjects == int(counts)


def test_a_reconciliation_event_before_the_difference_does_not_count() -> None:
    mine = applied(T, 12.5)
    early = shown(venue_order(1070), "ACCEPTED", 9.9, reconciliation=True)
    late = replace(early, at_ns=after(12))
    order = replace(observe([T]).orders[0], created_ns=after(9.9))
    for event, counts in ((early, 0), (late, 1)):
        one = replace(mine, events=(event, *mine.events))
        assert missing(run([T], one, orders=(order,))).subjects == counts


def test_a_reconciliation_event_of_a_later_difference_is_not_about_the_one_before() -> None:
    """The stream told of the first trade at once; a check found the second, on the same leg."""
    later = trade(71, "SELL", at=after(12))
    mine, other = applied(T, 10.1), applied(later, 13.5, reconciliation=True)
    both = replace(
        mine,
        events=(*mine.events, *other.events),
        position_changes=(*mine.position_changes, resized(0, 13.5, name=other_position())),
    )
    named = [
        subject
        for subject in unnamed(run([T, later], both))
        if "trade 70" in subject or "1070" in subject
    ]
    assert named == []
    leg = [v for v in missing(run([T, later], both)).violations if v.message.startswith(LEG)]
    assert len(leg) == 1


def other_position() -> str:
    return applied(T, 10.1).position_changes[0].position_id


def test_a_reconciliation_event_on_another_order_does_not_count() -> None:
    assert (
        missing(run([T], by_event(10.1, client_order_id="O-2", venue_order_id="2"))).subjects == 0
    )


def test_a_reconciliation_event_with_a_fill_changes_fill_order_and_leg() -> None:
    mine = applied(T, 10.1)
    fill = replace(published(fill_of(T), after(11.2), "FILLED"), reconciliation=True)
    one = replace(mine, events=(*mine.events, fill))
    assert set(unnamed(run([T], one))) == {FILL, ORDER, LEG}


def test_an_opening_balance_changes_the_leg_on_which_it_is_booked() -> None:
    before = trade(1, at=START - 2 * HOUR)
    fill = invented("BUY", "1", position_id="P-1")
    event = replace(published(fill, after(0.5), "FILLED"), reconciliation=True)
    change = resized("1", 0.5, name="P-1")
    silent = node(events=(event,), positions=(change,))
    assert unnamed(run([before], silent)) == [LEG]
    assert missing(run([before], replace(silent, alerts=(alert(0.5),)))).subjects == 1
    assert unnamed(run([before], replace(silent, alerts=(alert(0.5),)))) == []
    by_stream = replace(silent, events=(replace(event, reconciliation=False),))
    assert missing(run([before], by_stream)).subjects == 0


def test_one_difference_is_one_discrepancy_whatever_changes_it_later() -> None:
    one = replace(applied(T, 1000, reconciliation=True), alerts=(alert(20, **THE_FILL),))
    assert missing(run([T], one)) == Finding("alert-missing", 3, [])


def test_a_subject_that_differs_again_is_another_discrepancy() -> None:
    positions = (resized("1", 20), resized("2", 1000))
    finding = missing(run([], node(alert(30, **THE_LEG), positions=positions)))
    assert finding == Finding("alert-missing", 1, []), "it did not cease to differ"
    positions = (resized("1", 20), resized("0", 500), resized("2", 1000))
    finding = missing(run([], node(alert(30, **THE_LEG), positions=positions)))
    assert finding.subjects == 2
    assert [v.at_ns for v in finding.violations] == [after(1305)]


# alert-missing: by when


@pytest.mark.parametrize(
    ("at", "in_time"),
    [(10 - NS, False), (10, True), (DEADLINE, True), (DEADLINE + NS, False)],
)
def test_the_alert_comes_between_start_and_deadline(at: float, in_time: bool) -> None:
    finding = missing(run([T], node(alert(at, **THE_FILL))))
    assert finding.subjects == 3
    assert (finding.violations == []) == in_time


@pytest.mark.parametrize(("interval", "deadline"), [(10, 45), (30, 45), (60, 75)])
def test_the_deadline_depends_on_the_interval_but_is_no_shorter_than_that_of_30_s(
    interval: int, deadline: int
) -> None:
    finding = missing(run([T], node(), interval_ns=interval * SECOND))
    assert {v.at_ns for v in finding.violations} == {after(deadline)}


@pytest.mark.parametrize("ended", [DEADLINE - NS, DEADLINE])
def test_nothing_is_owed_by_a_process_that_does_not_outlive_the_deadline(ended: float) -> None:
    gone = node(ended_ns=after(ended), ended="killed")
    assert missing(run([T], gone)) == Finding("alert-missing", 0, [])


def test_a_process_that_outlives_the_deadline_owes() -> None:
    gone = node(ended_ns=after(DEADLINE) + 1, ended="killed")
    assert len(missing(run([T], gone)).violations) == 3


def test_what_was_named_and_not_yet_owed_is_judged() -> None:
    gone = node(alert(20, **THE_ORDER), ended_ns=after(100), ended="killed")
    assert missing(run([T], gone)) == Finding("alert-missing", 2, [])


def deadline_under(*impairments: tuple[str, float, float]) -> float:
    faults = tuple(Impairment(kind, after(a), after(b)) for kind, a, b in impairments)
    observation = run([T], node(), impairments=faults)
    (at_ns,) = {v.at_ns for v in missing(observation).violations}
    return (at_ns - START) / SECOND


@pytest.mark.parametrize("kind", ["read", "lag"])
@pytest.mark.parametrize(
    ("from_s", "until_s", "deadline"),
    [
        (5, 9, 315),
        (5, 10, 315),
        (5, 10 + NS, 315 + NS),
        (5, 60, 365),
        (100, 200, 505),
        (100, 100, 405),
        (315 - NS, 400, 705),
        (315, 400, 315),
    ],
)
def test_an_impairment_of_reads_moves_the_deadline(
    kind: str, from_s: float, until_s: float, deadline: float
) -> None:
    assert deadline_under((kind, from_s, until_s)) == pytest.approx(deadline, abs=NS / 2)


@pytest.mark.parametrize("kind", ["stream", "command"])
def test_other_impairments_do_not(kind: str) -> None:
    assert deadline_under((kind, 5, 60)) == DEADLINE


def test_impairments_are_chained_in_the_order_of_time() -> None:
    assert deadline_under(("lag", 350, 400), ("read", 5, 60)) == 400 + 305
    assert deadline_under(("read", 5, 60), ("lag", 20, 40)) == 60 + 305
    assert deadline_under(("read", 5, 60), ("lag", 365, 400)) == 60 + 305


def test_the_alert_may_come_when_the_deadline_was_moved() -> None:
    faults = (Impairment("read", after(5), after(60)),)
    late = node(alert(365, **THE_FILL))
    assert missing(run([T], late, impairments=faults)).violations == []


def test_the_deadline_after_an_event_is_moved_by_what_impairs_after_it() -> None:
    one = applied(T, 12, reconciliation=True)
    before = (Impairment("read", after(10), after(11)),)
    assert {v.at_ns for v in missing(run([T], one, impairments=before)).violations} == {after(317)}
    during = (Impairment("read", after(10), after(20)),)
    assert {v.at_ns for v in missing(run([T], one, impairments=during)).violations} == {after(325)}


# alert-missing: startup

OLD = trade(at=after(-60))


@pytest.mark.parametrize("at", [0, 0.5, 6, 305])
def test_a_summary_names_what_differed_before_the_process_was_ready(at: float) -> None:
    assert missing(run([OLD], node(alert(at)))) == Finding("alert-missing", 3, [])


@pytest.mark.parametrize("names", [{"symbol": "ETHUSDT"}, {"account": "other"}])
def test_a_summary_is_about_its_account_and_symbol(names: dict[str, str]) -> None:
    assert len(missing(run([OLD], node(alert(2, **names)))).violations) == 3


def test_a_summary_does_not_name_what_began_when_the_process_was_ready() -> None:
    for made, count in ((after(1) - 1, 0), (after(1), 3)):
        finding = missing(run([trade(at=made)], node(alert(2))))
        assert len(finding.violations) == count


def test_a_summary_does_not_name_what_had_yet_to_begin() -> None:
    t = trade(at=after(0.5))
    assert len(missing(run([t], node(alert(0.4)))).violations) == 3
    assert missing(run([t], node(alert(0.5)))).violations == []


@pytest.mark.parametrize("names", [THE_FILL, {}])
@pytest.mark.parametrize(("at", "in_time"), [(605, True), (605 + NS, False)])
def test_a_process_that_is_long_in_starting_has_time_until_it_is_ready(
    names: dict[str, str], at: float, in_time: bool
) -> None:
    slow = node(alert(at, **names), ready_ns=after(600))
    assert (missing(run([OLD], slow)).violations == []) == in_time


def test_a_process_that_was_never_ready_owes_nothing() -> None:
    assert missing(run([OLD], node(ready_ns=None))) == Finding("alert-missing", 0, [])
    told = node(alert(2000), ready_ns=None)
    assert missing(run([OLD], told)) == Finding("alert-missing", 3, [])


def test_what_startup_reconciles_may_be_named_by_one_summary() -> None:
    one = replace(applied(OLD, 0.4, reconciliation=True), alerts=(alert(0.9),))
    assert missing(run([OLD], one)) == Finding("alert-missing", 3, [])
    assert not is_false(run([OLD], one))
    assert len(missing(run([OLD], replace(one, alerts=()))).violations) == 3


# alert-missing: what names what


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (THE_FILL, []),
        (THE_FILL | THE_ORDER, []),
        (THE_FILL | {"client_order_id": "O-1070"}, []),
        (THE_FILL | {"venue_order_id": "9"}, [FILL, LEG, ORDER]),
        (THE_ORDER, [LEG]),
        ({"client_order_id": "O-1070"}, [LEG]),
        ({"venue_order_id": "S-1", "client_order_id": "O-1070"}, [LEG]),
        (THE_LEG, [FILL, ORDER]),
        ({"trade_id": "71"}, [FILL, LEG, ORDER]),
        ({"trade_id": "71"} | THE_ORDER, [FILL, LEG]),
        ({"trade_id": "an-id"} | THE_LEG, [FILL, ORDER]),
        ({"venue_order_id": "70"}, [FILL, LEG, ORDER]),
        ({"position_side": "LONG"}, [FILL, LEG, ORDER]),
        ({}, [FILL, LEG, ORDER]),
        (THE_FILL | {"symbol": "ETHUSDT"}, [FILL, LEG, ORDER]),
        (THE_FILL | {"account": "other"}, [FILL, LEG, ORDER]),
    ],
)
def test_what_an_alert_names(names: dict[str, str], left: list[str]) -> None:
    assert unnamed(run([T], node(alert(20, **names)))) == left


def test_an_order_is_named_by_the_client_id_that_the_node_gave_it() -> None:
    order = replace(observe([T]).orders[0], created_ns=after(5))
    event = shown(order, "ACCEPTED", 5, client_order_id="EXTERNAL-1")
    for names, left in ((THE_ORDER, [LEG]), ({"client_order_id": "EXTERNAL-1"}, [LEG])):
        one = node(alert(20, **names), events=(event,))
        assert unnamed(run([T], one, orders=(order,))) == left


def test_an_order_alert_names_each_fill_of_the_order() -> None:
    trades = [trade(70, order_id=5), trade(71, order_id=5, at=after(12))]
    left = unnamed(run(trades, node(alert(20, venue_order_id="5"))))
    assert left == [LEG]


def test_a_fill_alert_names_no_other_fill_of_its_order() -> None:
    trades = [trade(70, order_id=5), trade(71, order_id=5, at=after(12))]
    left = unnamed(run(trades, node(alert(20, **THE_FILL))))
    assert left == ["BTCUSDT (main): trade 71 of order 5"]


def test_each_leg_wants_its_own_alert() -> None:
    trades = [trade(70, position_side="LONG"), trade(71, "SELL", position_side="SHORT")]
    left = unnamed(run(trades, node(alert(20, **THE_FILL))))
    assert "BTCUSDT LONG (main)" not in left
    assert "BTCUSDT SHORT (main)" in left
    left = unnamed(run(trades, node(alert(20, position_side="SHORT"))))
    assert "BTCUSDT LONG (main)" in left
    assert "BTCUSDT SHORT (main)" not in left


def test_an_order_that_never_reached_the_venue_wants_an_alert() -> None:
    event = shown(venue_order(), "SUBMITTED", 10, venue_order_id="")
    assert unnamed(run([], node(events=(event,)))) == ["BTCUSDT (main): order O-5"]
    named = node(alert(20, client_order_id="O-5"), events=(event,))
    assert missing(run([], named)) == Finding("alert-missing", 1, [])


def test_an_order_under_an_unknown_id_is_named_by_it() -> None:
    event = shown(venue_order(), "ACCEPTED", 10)
    named = run([], node(alert(20, venue_order_id="5"), events=(event,)))
    assert missing(named) == Finding("alert-missing", 1, [])
    assert not is_false(named)


def test_an_alert_of_another_process_does_not_help() -> None:
    first = node(ended_ns=after(400), ended="killed")
    second = replace(node(alert(501, **THE_FILL)), number=1, started_ns=after(500))
    finding = missing(run([T], first, second))
    assert [v.at_ns for v in finding.violations] == [after(DEADLINE)] * 3
    assert "process 0 of node n1" in finding.violations[0].message
    assert finding.subjects == 6


def test_every_process_owes_alerts_for_what_still_differs() -> None:
    first = node(alert(20, **THE_FILL), ended_ns=after(400), ended="killed")
    second = replace(node(), number=1, started_ns=after(500), ready_ns=after(501))
    finding = missing(run([T], first, second))
    assert {v.at_ns for v in finding.violations} == {after(805)}
    other = replace(node(), node="n2")
    assert len(missing(run([T], replace(first, ended_ns=after(3600)), other)).violations) == 3


# alert-missing: what leaves no trace


@pytest.mark.parametrize(("closed", "count"), [(DEADLINE - NS, 0), (DEADLINE, 1)])
def test_an_order_that_ended_unseen_and_unfilled_is_owed_only_if_it_lasted(
    closed: float, count: int
) -> None:
    order = venue_order(status="CANCELED", created=after(10), updated=after(closed))
    assert len(missing(run([], node(), orders=(order,))).violations) == count
    event = shown(order, "CANCELED", closed + 10)
    assert len(missing(run([], node(events=(event,)), orders=(order,))).violations) == 1


def test_a_leg_of_a_symbol_that_nothing_names_is_owed_only_if_it_lasted() -> None:
    for closed, count in ((DEADLINE - NS, 0), (DEADLINE, 1)):
        round_trip = [T, trade(71, "SELL", at=after(closed))]
        free = [replace(t, commission=Decimal(0)) for t in round_trip]
        assert len(missing(run(free, node())).violations) == count


# alert-missing: symbols that are not loaded


@pytest.mark.parametrize(
    "names", [{}, THE_LEG, {"position_side": "LONG"}, THE_FILL, {"venue_order_id": "9"}]
)
def test_a_symbol_that_is_not_loaded_is_named_by_any_alert_on_it(names: dict[str, str]) -> None:
    t = replace(T, symbol="SOLUSDT")
    named = node(alert(20, **names, symbol="SOLUSDT"))
    assert missing(run([t], named, unloaded=("SOLUSDT",))) == Finding("alert-missing", 1, [])
    elsewhere = node(alert(20, **names, symbol="ETHUSDT"))
    assert unnamed(run([t], elsewhere, unloaded=("SOLUSDT",))) == ["SOLUSDT (main)"]
    assert missing(run([t], node())).subjects == 0


# alert-false


@pytest.mark.parametrize(
    ("at", "wrong"),
    [(10 - NS, True), (10, False), (12, False), (17 - NS, False), (17, True)],
)
@pytest.mark.parametrize("names", [THE_FILL, THE_ORDER, THE_LEG, {}])
def test_what_an_alert_names_has_differed_at_most_the_settle_time_before(
    names: dict[str, str], at: float, wrong: bool
) -> None:
    one = replace(applied(T, 12), alerts=(alert(at, **names),))
    assert is_false(run([T], one)) == wrong


def test_a_false_alert_is_told_in_one_sentence() -> None:
    one = replace(applied(T, 10.1), alerts=(alert(60, **THE_FILL | THE_ORDER),))
    finding = false(run([T], one))
    assert finding.property == "alert-false"
    (violation,) = finding.violations
    assert violation.property == "alert-false"
    assert violation.at_ns == after(60)
    assert violation.message == (
        "BTCUSDT (main): trade 70 of order 1070 was named by an alert (lost-fill) of process 0 "
        "of node n1, but nothing of it differed from the venue in the 5 s before."
    )


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (THE_FILL, "BTCUSDT (main): trade 70 was"),
        (THE_ORDER, "BTCUSDT (main): order 1070 was"),
        ({"client_order_id": "O-1070"}, "BTCUSDT (main): order O-1070 was"),
        (THE_LEG, "BTCUSDT BOTH (main) was"),
        ({}, "BTCUSDT (main) was"),
    ],
)
def test_a_false_alert_is_told_by_what_it_names(names: dict[str, str], words: str) -> None:
    (violation,) = false(run([], node(alert(60, **names)))).violations
    assert violation.message.startswith(words)


def test_the_alerts_are_counted_each() -> None:
    one = node(alert(20, **THE_FILL), alert(20, **THE_LEG), alert(20, symbol="ETHUSDT"))
    finding = false(run([T], one))
    assert (finding.subjects, len(finding.violations)) == (3, 1)


@pytest.mark.parametrize(
    ("events", "positions", "wrong"),
    [
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (True, True, True),
    ],
)
def test_of_a_fill_alert_fill_order_or_leg_has_differed(
    events: bool, positions: bool, wrong: bool
) -> None:
    known = applied(T, 10)
    one = node(
        alert(60, **THE_FILL),
        events=known.events if events else (),
        positions=known.position_changes if positions else (),
    )
    assert is_false(run([T], one)) == wrong


def test_of_a_fill_alert_the_order_alone_may_have_differed() -> None:
    known = applied(T, 10)
    held_open = (replace(known.events[0], status="ACCEPTED"),)
    one = replace(known, events=held_open, alerts=(alert(60, **THE_FILL),))
    assert not is_false(run([T], one))


def test_of_an_order_alert_a_fill_of_it_may_have_differed_but_not_the_leg() -> None:
    order = observe([T]).orders[0]
    filled = shown(order, "FILLED", 10, filled=Decimal(1))
    without_fill = node(alert(60, **THE_ORDER), events=(filled,), positions=(resized("1", 10),))
    assert not is_false(run([T], without_fill))
    known = applied(T, 10)
    leg_only = node(alert(60, **THE_ORDER), events=known.events)
    assert is_false(run([T], leg_only))
    assert not is_false(run([T], replace(leg_only, alerts=(alert(60, **THE_LEG),))))


@pytest.mark.parametrize(
    ("kind", "from_at", "until_at", "wrong"),
    [
        ("lag", 60, 70, False),
        ("lag", 61, 70, True),
        ("lag", 30, 55, False),  # over, but not for longer than the settle time
        ("lag", 30, 54, True),
        ("read", 30, 70, True),  # an answer that fails shows nothing
    ],
)
def test_an_alert_on_what_answers_have_shown_wrong_for_a_time_is_none_of_the_engine_s(
    kind: str, from_at: float, until_at: float, wrong: bool
) -> None:
    span = Impairment(kind, after(from_at), after(until_at))
    told = replace(applied(T, 10), alerts=(alert(60, **THE_LEG),))
    assert is_false(replace(run([T], told), impairments=(span,))) == wrong
    other = replace(span, account="other")
    assert is_false(replace(run([T], told), impairments=(other,)))


def test_an_alert_on_what_neither_side_knows_is_false() -> None:
    for names in ({"trade_id": "99"}, {"venue_order_id": "99"}, {"client_order_id": "O-99"}):
        assert is_false(run([T], node(alert(20, **names))))


def test_an_alert_on_an_unknown_trade_is_right_where_its_order_or_leg_differed() -> None:
    for more in (THE_ORDER, THE_LEG):
        assert not is_false(run([T], node(alert(20, trade_id="an-id", **more))))


@pytest.mark.parametrize(("at", "wrong"), [(20, False), (35 - NS, False), (35, True)])
def test_an_alert_on_an_order_in_flight_is_right_while_the_node_shows_it(
    at: float, wrong: bool
) -> None:
    events = (
        shown(venue_order(), "SUBMITTED", 10, venue_order_id=""),
        shown(venue_order(), "REJECTED", 30, venue_order_id=""),
    )
    one = node(alert(at, client_order_id="O-5"), events=events)
    assert is_false(run([], one)) == wrong


@pytest.mark.parametrize(("at", "wrong"), [(60, False), (60 + NS, True)])
def test_a_summary_at_startup_may_be_about_anything_since_the_start(at: float, wrong: bool) -> None:
    slow = replace(applied(OLD, 2), ready_ns=after(55), alerts=(alert(at),))
    assert is_false(run([OLD], slow)) == wrong
    named = replace(slow, alerts=(alert(at, **THE_LEG),))
    assert is_false(run([OLD], named)), "anything but a summary has the settle time only"


def test_a_summary_at_startup_where_nothing_differed_is_false() -> None:
    (violation,) = false(run([], node(alert(2)))).violations
    assert violation.message == (
        "BTCUSDT (main) was named by an alert (lost-fill) of process 0 of node n1, "
        "but nothing of it differed from the venue since the start."
    )
    assert is_false(run([OLD], node(alert(2, symbol="ETHUSDT"))))
    assert is_false(run([OLD], node(alert(2, account="other"))))


def test_a_summary_of_a_process_that_was_never_ready_is_one_at_startup() -> None:
    never = replace(applied(OLD, 2), ready_ns=None, alerts=(alert(60),))
    assert not is_false(run([OLD], never))


def test_a_summary_tells_of_its_own_process_only() -> None:
    first = replace(applied(T, 12), ended_ns=after(14), ended="stopped")
    second = replace(
        process(loaded=state_of([T])),
        number=1,
        started_ns=after(15),
        ready_ns=after(16),
        alerts=(alert(16),),
    )
    assert is_false(run([T], first, second))


def test_alerts_on_symbols_that_are_not_loaded_are_not_judged() -> None:
    one = node(alert(60, symbol="SOLUSDT"))
    assert false(run([], one, unloaded=("SOLUSDT",))) == Finding("alert-false", 0, [])
    assert len(false(run([], one)).violations) == 1


def test_a_residual_names_a_leg_like_any_other() -> None:
    before = trade(1, at=START - 2 * HOUR)
    residual = alert(20, kind="residual", **THE_LEG)
    one = run([before], node(residual))
    assert missing(one) == Finding("alert-missing", 1, [])
    assert not is_false(one)
    agreed = node(residual, loaded=State(positions=state_of([before]).positions))
    assert is_false(run([before], agreed))


def test_both_sides_of_a_self_trade_are_named_unless_the_order_is_given() -> None:
    trades = [trade(70, "BUY", order_id=1), trade(70, "SELL", order_id=2)]
    sides = [f"BTCUSDT (main): trade 70 of order {number}" for number in (1, 2)]
    assert unnamed(run(trades, node(alert(20, **THE_FILL)))) == []
    left = unnamed(run(trades, node(alert(20, trade_id="70", venue_order_id="1"))))
    assert [subject for subject in left if "trade" in subject] == sides[1:]


@pytest.mark.parametrize(
    ("when_ns", "changed", "is_false"),
    [(30, None, False), (30, 29, False), (30, 20, True)],
)
def test_a_leg_that_was_loaded_without_its_fills_differs_until_it_changes(
    when_ns: int, changed: int | None, is_false: bool
) -> None:
    """The venue is flat, and so is the node: but an order has a fill that its position lacks."""
    there, back = trade(70, at=after(-20)), trade(71, "SELL", at=after(-10))
    torn = State(orders=state_of([there]).orders)
    changes = () if changed is None else (resized("0", changed),)
    mine = node(alert(when_ns, **THE_LEG), positions=changes, loaded=torn, final=torn)
    observation = run([there, back], mine)
    assert bool(false(observation).violations) == is_false
    purged = replace(mine, purged=("O-9",))
    assert false(run([there, back], purged)).violations


@pytest.mark.parametrize(("second", "due"), [(12, 0), (9.9, 1)])
def test_a_leg_differs_anew_with_each_trade(second: float, due: int) -> None:
    """Neither trade is unheard for longer than the settle time, and one is when both are."""
    first, later = trade(70, at=after(10)), trade(71, at=after(second))
    both = {70: 14.5, 71: 16.0 if second > 10 else 15.5}
    events = tuple(event for t in (first, later) for event in applied(t, both[t.trade_id]).events)
    positions = (resized("1", 14.5), resized("2", both[71]))
    finding = missing(run([first, later], node(events=events, positions=positions)))
    legs = [v for v in finding.violations if "BOTH" in v.message]
    assert len(legs) == due


@pytest.mark.parametrize(("traded", "due"), [(12, 0), (10.9, 1)])
def test_an_order_differs_anew_with_each_trade(traded: float, due: int) -> None:
    """It was not heard of for longer than the settle time, and its fill for not as long."""
    t = trade(70, at=after(traded))
    order = replace(observe([t]).orders[0], created_ns=after(10))
    heard = node(events=applied(t, 16).events, positions=(resized("1", 16),))
    finding = missing(run([t], heard, orders=(order,)))
    assert len([v for v in finding.violations if "order 1070 differed" in v.message]) == 2 * due
