"""Golden reactions of the released engine: conditional orders and the order of their events."""

from __future__ import annotations

from itertools import combinations

import pytest
from golden import LEG, fills, logged, play, steps, tell, trade_ids
from recon_node import judged, last, orders, positions

from sim.recon_engine import Recon
from sim.world import Run

STORY = (
    '{at: 2s, submit: {id: O-1, side: BUY, quantity: "1", type: MARKET}}',
    '{at: 4s, submit: {id: S-1, side: SELL, quantity: "1", type: STOP_MARKET, trigger: "49000"}}',
)
TRIGGERS = '{at: 10s, price: {price: "48990"}}'
AT_ONCE = "symbols: [BTCUSDT], latency_ms: [10, 10]"


def test_n13_back_to_back_the_real_fill_comes_first_and_another_is_refused():
    """All five events arrive in one turn of the loop, the trade just before the end."""
    done = play(*STORY, TRIGGERS, venue=AT_ONCE)
    [process] = done.observation.incarnations

    assert [fill.trade_id for fill in fills(process)] == trade_ids(done)
    assert orders(process.final)["S-1"] == ("FILLED", "1")
    assert positions(process.final) == {}
    told = logged(*STORY, TRIGGERS)
    assert told.count("emitting synthetic fill") == 1
    assert told.count("Order overfill rejected: ClientOrderId('S-1')") == 1


def test_n14_the_end_before_the_trade_makes_a_fill_without_a_fee():
    late = "{at: 9s, delay_event: {event: ORDER_TRADE_UPDATE, execution: TRADE, by: 1s}}"
    done = play(*STORY, late, TRIGGERS)
    [process] = done.observation.incarnations
    [_, made] = fills(process)

    assert made.trade_id == f"ALGO-{done.observation.orders[-1].algo_id}"
    assert (made.quantity, made.price, made.commission) == (1, 48990, 0)
    assert trade_ids(done)[1] not in [fill.trade_id for fill in fills(process)]
    assert done.observation.trades[1].commission > 0
    assert orders(process.final)["S-1"] == ("FILLED", "1")
    assert {"fill-lost", "phantom-fill"} <= set(judged(done).violated)
    assert logged(*STORY, late, TRIGGERS).count("Order overfill rejected") == 1


OWN = ("TRIGGERING", "TRIGGERED", "FINISHED")


def interleaved(*child: str) -> list[tuple[str, ...]]:
    """Return every order in which the stop's own events and its child's may come.

    Each of the two keeps its own order.
    """
    length = len(OWN) + len(child)
    found = []
    for places in combinations(range(length), len(child)):
        own, other = iter(OWN), iter(child)
        found.append(tuple(next(other if n in places else own) for n in range(length)))
    return found


def in_that_order(events: tuple[str, ...], gap_ms: int) -> tuple[str, ...]:
    """Return the story with the events of the stop so far apart, in that order."""
    delays = (
        f"{{at: 9s, delay_event: {{execution: {event}, order: S-1, by: {n * gap_ms}ms}}}}"
        for n, event in enumerate(events, 1)
    )
    return (*STORY, *delays, TRIGGERS)


def heard(done: Run) -> tuple[str, ...]:
    """Return what the stream told of the stop after it was placed, in order."""
    told = [row.details.split() for row in done.trace.rows if row.kind == "frame"]
    types = ("ALGO_UPDATE", "ORDER_TRADE_UPDATE")
    return tuple(words[1] for words in told if words[0] in types and words[2] == "S-1")[1:]


@pytest.mark.parametrize("events", interleaved("NEW", "TRADE"), ids="-".join)
def test_n14_the_trade_counts_where_it_comes_before_the_end(events: tuple[str, ...]):
    done = play(*in_that_order(events, 100), venue=AT_ONCE)
    [process] = done.observation.incarnations
    real = events.index("TRADE") < events.index("FINISHED")

    assert [fill.trade_id.startswith("ALGO-") for fill in fills(process)] == [False, not real]
    assert steps(process, "S-1")[-1][1] == "FILLED"
    assert positions(process.final) == {}
    assert ("fill-lost" in judged(done).violated) is not real
    assert heard(done) == events


@pytest.mark.parametrize("gap_ms", [100, 3000])
@pytest.mark.parametrize("events", interleaved("NEW", "TRADE"), ids="-".join)
def test_every_order_of_events_counts_each_fill_once_with_recon(
    events: tuple[str, ...], gap_ms: int
):
    done = tell(*in_that_order(events, gap_ms), engine=Recon, venue=AT_ONCE)

    assert heard(done) == events
    assert judged(done).verdict == "pass"
    assert [fill.trade_id for fill in fills(last(done))] == trade_ids(done)


@pytest.mark.parametrize("events", interleaved("NEW", "TRADE", "EXPIRED"), ids="-".join)
def test_every_order_of_events_counts_a_part_once_with_recon(events: tuple[str, ...]):
    found = '{at: 8s, depth: {quantity: "0.4"}}'
    bought, stop, *rest = in_that_order(events, 100)
    done = tell(bought, stop, found, *rest, engine=Recon, venue=AT_ONCE)

    assert heard(done) == events
    assert judged(done).verdict == "pass"
    assert positions(last(done).final) == {LEG: "0.6"}


# -- what expires ---------------------------------------------------------------------

TRAILS = (
    '{at: 2s, submit: {id: T-1, side: SELL, quantity: "1", type: TRAILING_STOP_MARKET, '
    'callback_rate: "1"}}'
)


def test_n17_a_trailing_stop_that_expires_is_updated_and_stays_open():
    done = play(TRAILS, "{at: 10s, expire: {order: T-1}}")
    [process] = done.observation.incarnations

    assert [order.status for order in done.observation.orders] == ["EXPIRED"]
    assert steps(process) == [("Accepted", "ACCEPTED"), ("Updated", "ACCEPTED")]
    assert orders(process.final) == {"T-1": ("ACCEPTED", "0")}


def finds(quantity: str) -> tuple[str, str, str]:
    """Return the story in which the stop triggers and finds so much in the book."""
    depth = f'{{at: 9s, depth: {{quantity: "{quantity}"}}}}'
    return TRAILS, depth, "{at: 10s, trigger: {order: T-1}}"


def test_n17_an_expiry_after_the_trigger_is_not_understood():
    """The section has ``OrderUpdated`` for an order update ``x: EXPIRED``, as read in the source.

    That holds for the venue before its conditional orders were apart.  Now the order has
    another id by then than the one that the cache has it under, and the handler fails on that:
    nothing is published, and what ends the order is the ``FINISHED`` of its algo order.
    """
    silent = "{at: 9s, drop_event: {execution: FINISHED, count: 1}}"
    done = play(*finds("0"))
    [process] = done.observation.incarnations
    told = logged(*finds("0"))
    [unended] = play(*finds("0")[:2], silent, finds("0")[2]).observation.incarnations

    assert steps(process) == [
        ("Accepted", "ACCEPTED"),
        ("Updated", "ACCEPTED"),  # TRIGGERED
        ("Canceled", "CANCELED"),  # FINISHED
    ]
    assert told.count('Error on handling b\'{"e":"ORDER_TRADE_UPDATE"') == 1
    assert orders(unended.final) == {"T-1": ("ACCEPTED", "0")}


def test_n13_a_part_that_was_filled_counts_twice():
    """Gap G39: back to back, the end is worked out before the fill of the child is applied."""
    done = play(*finds("0.4"))
    [process] = done.observation.incarnations
    real, made = fills(process)

    assert [order.status for order in done.observation.orders] == ["EXPIRED"]
    assert [real.trade_id] == trade_ids(done)
    assert made.trade_id.startswith("ALGO-")
    assert orders(process.final) == {"T-1": ("CANCELED", "0.8")}
    assert positions(process.final) == {LEG: "-0.8"}
