"""Several nodes: each is judged against its own accounts, and by its own settings."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sim.observation import (
    Adjustment,
    Call,
    Crash,
    HedgeSpan,
    Impairment,
    Incarnation,
    NodeEvent,
    Observation,
    Sight,
    State,
    VenueTrade,
)
from sim.oracle.views import views
from tests.unit.oracle.observations import (
    END,
    HOUR,
    SECOND,
    START,
    applied,
    failed,
    fill_of,
    invented,
    judged,
    observe,
    outcome,
    process,
    published,
    state_of,
    subjects,
    trade,
)

MINE = trade(1)
ITS = trade(2, "SELL", "2", account="second")
EVERYWHERE = Sight(
    accounts=("main",),
    symbols=("BTCUSDT", "ETHUSDT"),
    unloaded=(),
    lookback_ns=HOUR,
    interval_ns=300 * SECOND,
    filters_unclaimed=False,
    filtered=frozenset(),
)
SECOND_S = replace(EVERYWHERE, accounts=("second",))


def right(node: str, *trades: VenueTrade) -> Incarnation:
    """A process that has applied exactly these trades."""
    events = [published(fill_of(t), status="FILLED") for t in trades]
    return replace(process(state_of(trades), events), node=node)


def run(*processes: Incarnation, **changes: Any) -> Observation:
    """Two nodes on two accounts, each of which traded once."""
    return observe(
        (MINE, ITS),
        *(processes or (right("A", MINE), right("B", ITS))),
        **{"sights": {"A": EVERYWHERE, "B": SECOND_S}, **changes},
    )


def test_what_another_account_does_is_no_business_of_a_node() -> None:
    judgement = judged(run())

    assert failed(judgement) == set()
    assert (judgement.fills.venue, judgement.fills.applied) == (2, 2)


def test_a_node_that_lacks_the_fill_of_its_account_is_named() -> None:
    judgement = judged(run(right("A", MINE), right("B")))

    assert failed(judgement) == {"fill-lost", "order-mismatch", "position-mismatch"}
    assert all("node B" in v.message and "(second)" in v.message for v in judgement.violations)
    assert (judgement.fills.venue, judgement.fills.applied, judgement.fills.lost) == (2, 1, 1)


def test_a_fill_of_another_account_is_a_phantom() -> None:
    both = replace(right("A", MINE, ITS), final=state_of([MINE]))

    judgement = judged(run(both, right("B", ITS)))

    assert failed(judgement) == {"phantom-fill"}
    assert "process 0 of node A" in judgement.violations[0].message


def test_two_nodes_on_one_account_owe_every_trade_of_it() -> None:
    shared = {"A": EVERYWHERE, "B": EVERYWHERE}
    other = trade(3)

    def both(*processes: Incarnation) -> Observation:
        return observe((MINE, other), *processes, sights=shared)

    complete = judged(both(right("A", MINE, other), right("B", MINE, other)))
    assert failed(complete) == set()
    assert (complete.fills.venue, complete.fills.applied) == (4, 4)

    partial = judged(both(right("A", MINE), right("B", MINE, other)))
    assert partial.fills.lost == 1
    assert all("node A" in v.message for v in partial.violations)


def test_each_node_may_publish_a_trade_once() -> None:
    shared = {"A": EVERYWHERE, "B": EVERYWHERE}
    once = (right("A", MINE), right("B", MINE))
    assert outcome(judged(observe((MINE,), *once, sights=shared)), "fill-duplicated") == "pass"

    again = replace(once[1], events=(*once[1].events, published(fill_of(MINE), status="FILLED")))
    judgement = judged(observe((MINE,), once[0], again, sights=shared))

    assert failed(judgement) == {"fill-duplicated"}
    assert "process 0 of node B" in judgement.violations[0].message


@pytest.mark.parametrize(
    ("sight", "due"),
    [
        (replace(SECOND_S, symbols=("ETHUSDT",)), 1),
        (replace(SECOND_S, lookback_ns=0), 2),
        (replace(SECOND_S, filtered=frozenset({ITS.client_order_id})), 1),
        (replace(SECOND_S, filters_unclaimed=True), 1),
    ],
)
def test_each_node_has_settings_of_its_own(sight: Sight, due: int) -> None:
    judgement = judged(run(sights={"A": EVERYWHERE, "B": sight}))

    assert judgement.fills.venue == due


def test_the_position_mode_is_that_of_the_account() -> None:
    long = trade(1, position_side="LONG", account="second")
    short = trade(2, "SELL", position_side="SHORT", account="second")
    legs = right("B", long, short)
    phantoms = [
        published(invented("BUY", account=account, position_id=f"X-{suffix}"))
        for account, suffix in (("main", "LONG"), ("second", "LONG"))
    ]

    def exempt(event: NodeEvent, account: str, node: Incarnation) -> bool:
        assert event.fill is not None
        side = "LONG" if account == "second" else "BOTH"
        declared = Adjustment("BTCUSDT", event.fill.quantity, side, account)
        done = replace(node, events=(*node.events, event))
        other = legs if node.node == "A" else right("A", MINE)
        observation = observe(
            (MINE, long, short),
            *((done, other) if node.node == "A" else (other, done)),
            sights={"A": EVERYWHERE, "B": SECOND_S},
            hedged=(HedgeSpan("second"),),
            adjustments=(declared,),
        )
        return "phantom-fill" not in failed(judged(observation))

    assert exempt(phantoms[0], "main", right("A", MINE))
    assert exempt(phantoms[1], "second", legs)


def test_an_adjustment_is_of_one_account() -> None:
    extra = published(invented("SELL", "1"))
    done = replace(right("A", MINE), events=(*right("A", MINE).events, extra))

    def violated(account: str) -> set[str]:
        adjustment = Adjustment("BTCUSDT", -invented().quantity, account=account)
        return failed(judged(run(done, right("B", ITS), adjustments=(adjustment,))))

    assert violated("main") == set()
    assert violated("second") == {"phantom-fill"}


@pytest.mark.parametrize(
    ("changes", "excused"),
    [
        ({}, True),
        ({"node": "B"}, True),
        ({"node": "A"}, False),
        ({"account": "second"}, True),
        ({"account": "main"}, False),
        ({"node": "B", "account": "main"}, False),
    ],
)
def test_a_fault_excuses_only_whom_it_hits(changes: dict[str, str], excused: bool) -> None:
    stalled = replace(right("B", ITS), ended="stalled", ended_ns=START + 90 * SECOND)
    fault = Impairment("read", START, START + 60 * SECOND, **changes)

    judgement = judged(run(right("A", MINE), stalled, impairments=(fault,)))

    assert ("stopped" not in failed(judgement)) == excused


def test_crashes_are_told_once_and_what_nobody_owns_as_well() -> None:
    crashes = (Crash(END, "B", 0, "b"), Crash(END, "world", 0, "w"))

    judgement = judged(run(crashes=crashes, pending="it is not quiet"))

    told = sorted(v.message for v in judgement.violations)
    assert failed(judgement) == {"crash", "not-converged"}
    assert [message.rpartition(": ")[2] for message in told] == [
        "b.",
        "w.",
        "The run had to be quiet, and still it is not quiet.",
    ]


def test_subjects_are_added_up() -> None:
    assert subjects(judged(run()), "fill-lost") == 2
    assert subjects(judged(run()), "stopped") == 2
    assert outcome(judged(run()), "alert-missing") == "not-applicable"


@pytest.mark.parametrize(("node", "is_owed"), [("", False), ("A", False), ("B", True)])
def test_an_alert_is_owed_when_the_reads_of_that_node_are_good(node: str, is_owed: bool) -> None:
    fault = Impairment("read", START, END, node)
    late = replace(applied(MINE, 600), node="A")
    other = replace(applied(ITS, 1), node="B")

    judgement = judged(run(late, other, alerts_on=True, impairments=(fault,)))

    owed = [
        v for v in judgement.violations if v.property == "alert-missing" and "node A" in v.message
    ]
    assert bool(owed) == is_owed


def test_the_only_node_of_a_run_is_the_whole() -> None:
    observation = observe((MINE,))

    assert list(views(observation)) == [observation]


def test_a_process_of_an_unknown_node_is_no_process_that_passes() -> None:
    with pytest.raises(ValueError, match="node C"):
        judged(run(right("A", MINE), right("C", ITS)))


# -- one node on several accounts -------------------------------------------------

BOTH = replace(EVERYWHERE, accounts=("main", "second"))


def together(*trades: VenueTrade, **changes: Any) -> Observation:
    """One node on two accounts, each of which traded once; it has applied ``trades``."""
    return observe((MINE, ITS), replace(right("A", *trades), **changes), sights={"A": BOTH})


def test_a_node_on_two_accounts_owes_the_trades_of_both() -> None:
    complete, partial = judged(together(MINE, ITS)), judged(together(MINE))

    assert failed(complete) == set()
    assert complete.fills.venue == 2
    assert failed(partial) == {"fill-lost", "order-mismatch", "position-mismatch"}
    assert all("(second)" in v.message for v in partial.violations)


def test_a_fill_booked_on_the_other_account_is_no_fill_of_the_trade() -> None:
    wrong = fill_of(ITS, account="main")
    done = together(MINE, events=(published(fill_of(MINE), status="FILLED"), published(wrong)))

    assert {"fill-lost", "phantom-fill"} <= failed(judged(done))


def test_claims_are_those_of_each_account() -> None:
    """A strategy that claims the symbol on one account claims nothing on the other."""
    unclaimed = {"main": {"BTCUSDT": "S-002"}, "second": {}}
    held = state_of([MINE, ITS])
    nobodys = State(
        tuple(replace(order, strategy_id="EXTERNAL") for order in held.orders),
        tuple(replace(position, strategy_id="EXTERNAL") for position in held.positions),
    )

    def owned_by(claims: dict[str, dict[str, str]]) -> list[str]:
        done = together(MINE, ITS, claims=claims["main"], claims_of=claims, final=nobodys)
        judgement = judged(done)
        return [v.message for v in judgement.violations if v.property == "position-mismatch"]

    [alone] = owned_by(unclaimed)
    assert "(main)" in alone
    assert len(owned_by({"main": {"BTCUSDT": "S-002"}, "second": {"BTCUSDT": "S-002"}})) == 2


def test_how_a_process_behaves_is_told_once_for_all_accounts() -> None:
    again = (published(fill_of(MINE), END, "FILLED"), published(fill_of(ITS), END, "FILLED"))
    done = together(MINE, ITS, final_read=again, ended="running")
    slow = Call("startup", START, START + 40 * SECOND)

    judgement = judged(
        replace(done, incarnations=(replace(done.incarnations[0], calls=(slow,)),), pending="x")
    )

    assert [v.property for v in judgement.violations] == [
        "not-idempotent",
        "not-converged",
        "too-slow",
    ]
    assert subjects(judgement, "crash") == subjects(judgement, "too-slow") == 1
