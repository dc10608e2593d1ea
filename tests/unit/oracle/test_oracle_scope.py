"""What is in the scope of a node, and what is not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from sim.observation import Incarnation, NodeEvent, Observation, State
from tests.unit.oracle.observations import (
    SECOND,
    START,
    failed,
    fill_of,
    judged,
    known,
    observe,
    orders_of,
    outcome,
    process,
    published,
    state_of,
    submitted,
    trade,
)

LOST = {"fill-lost", "order-mismatch"}


# -- purged orders --------------------------------------------------------------

OPENS = trade(70)
CLOSES = trade(71, "SELL", at=START + 20 * SECOND)


def restarted(purged: tuple[str, ...] = (), **second: Any) -> Observation:
    """A run whose second process does not know the orders that the first one filled."""
    first = process(events=[published(fill_of(t)) for t in (OPENS, CLOSES)], ended="stopped")
    later = replace(process(number=1, started=START + 60 * SECOND, **second), purged=purged)
    return observe([OPENS, CLOSES], first, later)


def test_a_trade_whose_order_was_purged_is_not_lost() -> None:
    assert failed(judged(restarted((OPENS.client_order_id, CLOSES.client_order_id)))) == set()


def test_a_trade_whose_order_is_gone_without_a_purge_is_lost() -> None:
    assert failed(judged(restarted())) == LOST
    assert failed(judged(restarted((OPENS.client_order_id,)))) == LOST


def test_a_purge_in_another_state_does_not_count() -> None:
    both = (OPENS.client_order_id, CLOSES.client_order_id)
    assert "fill-lost" in failed(judged(restarted(both, lineage=1)))


def test_a_trade_that_nobody_applied_is_lost_whatever_was_purged() -> None:
    node = replace(process(), purged=(OPENS.client_order_id, CLOSES.client_order_id))
    assert "fill-lost" in failed(judged(observe([OPENS, CLOSES], node)))


# -- what nobody can find -------------------------------------------------------


def free(**changes: Any) -> Observation:
    """A round trip without fees that the node does not know."""
    trades = [replace(t, commission=Decimal(0)) for t in (OPENS, CLOSES)]
    node = replace(process(), **changes)
    return observe(trades, node)


def test_a_round_trip_that_leaves_no_trace_is_not_due() -> None:
    judgement = judged(free(), "fill-lost")
    assert failed(judgement) == set()
    assert outcome(judgement, "fill-lost") == "unexercised"


@pytest.mark.parametrize("commission", ["0.02", "-0.01"])
def test_a_commission_names_the_symbol(commission: str) -> None:
    run = free()
    first = replace(run.trades[0], commission=Decimal(commission))
    assert failed(judged(replace(run, trades=(first, *run.trades[1:])))) == LOST


def test_a_claim_names_the_symbol() -> None:
    assert failed(judged(free(claims={"BTCUSDT": "S-001"}))) == LOST
    assert failed(judged(free(claims={"ETHUSDT": "S-001"}))) == set()


def test_an_order_of_the_node_names_the_symbol() -> None:
    assert failed(judged(free(events=(submitted("O-1"),)))) >= {"fill-lost"}


def test_an_open_position_names_the_symbol() -> None:
    trades = [replace(OPENS, commission=Decimal(0))]
    assert failed(judged(observe(trades, process()))) == LOST | {"position-mismatch"}


# -- orders that are filtered ---------------------------------------------------


def filtering(*events: NodeEvent, **changes: Any) -> Observation:
    node = replace(process(events=events), **changes)
    return observe([OPENS, CLOSES], node, filters_unclaimed=True)


def test_filtered_orders_and_their_trades_are_not_due() -> None:
    judgement = judged(filtering())
    assert failed(judgement) == set()
    assert outcome(judgement, "fill-lost") == "unexercised"


def test_what_is_claimed_or_was_submitted_here_is_not_filtered() -> None:
    assert failed(judged(filtering(claims={"BTCUSDT": "S-001"}))) == LOST
    own = submitted(OPENS.client_order_id)
    [message] = [v.message for v in judged(filtering(own)).violations if v.property == "fill-lost"]
    assert "trade 70" in message


def test_an_own_order_that_the_last_process_has_lost_is_as_any_other() -> None:
    first = replace(process(events=[submitted(OPENS.client_order_id)]), ended="killed")
    second = replace(process(number=1), loaded=State())
    lost = observe([OPENS, CLOSES], first, second, filters_unclaimed=True)
    assert outcome(judged(lost), "fill-lost") == "unexercised"

    kept = replace(second, loaded=State(orders=state_of([OPENS]).orders))
    observation = observe([OPENS, CLOSES], first, kept, filters_unclaimed=True)
    assert outcome(judged(observation), "fill-lost") != "unexercised"
    purged = replace(first, purged=(OPENS.client_order_id,))
    observation = observe([OPENS, CLOSES], purged, second, filters_unclaimed=True)
    assert outcome(judged(observation), "fill-lost") != "unexercised"


# -- symbols --------------------------------------------------------------------


def test_what_the_node_shows_of_other_symbols_is_not_judged() -> None:
    other = trade(80, symbol="SOLUSDT")
    [order] = orders_of([other])
    state = state_of([other])
    wrong = replace(state, orders=(known(order, status="ACCEPTED"),))
    run = observe([other], process(wrong))
    assert failed(judged(run)) == set()


def test_the_end_of_a_run_is_that_of_living_processes_only() -> None:
    def ends(how: str) -> Incarnation:
        return process(state_of([]), ended=how)

    assert failed(judged(observe([OPENS], ends("running")))) >= {"fill-lost"}
    for how in ("stopped", "killed", "crashed", "quit", "stalled"):
        judgement = judged(observe([OPENS], ends(how)))
        assert outcome(judgement, "fill-lost") == "unexercised"
