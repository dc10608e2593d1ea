"""Golden reactions of the released engine: words in the venue's messages that it does not know."""

from __future__ import annotations

import pytest
from golden import LEG, SENDS, answers, fills, logged, play, steps, trade_ids
from recon_node import orders, positions


def says(field: str, what: str) -> str:
    words = f"path: /fapi/v1/exchangeInfo, field: {field}, {what}, for: 100s"
    return f"{{at: 0s, alter_reply: {{{words}}}}}"


@pytest.mark.parametrize(
    ("field", "what", "unknown"),
    [
        ("symbols.0.timeInForce", "append: RPI", "RPI"),
        ("symbols.0.status", "to: POST_ONLY", "POST_ONLY"),
        ("symbols.0.filters", "append: {filterType: MAX_WORTH, limit: 3}", "MAX_WORTH"),
    ],
    ids=["time in force", "status", "filter"],
)
def test_n18_one_unknown_word_about_a_symbol_keeps_a_node_from_starting(
    field: str, what: str, unknown: str
):
    """The first process never gets beyond its instruments; the next is told the usual."""
    later = SENDS.replace("2s", "130s")
    done = play(says(field, what), later)
    first, second = done.observation.incarnations

    assert (first.ended, first.ready_ns) == ("stalled", None)
    assert answers(done, "POST /fapi/v1/listenKey") == ["200"]
    assert (second.ended, orders(second.final)) == ("running", {"O-1": ("ACCEPTED", "0")})
    assert f"Invalid enum value '{unknown}'" in logged(says(field, what), later)


def alters(event: str, field: str, what: str, execution: str = "") -> str:
    of = f"event: {event}, " + (f"execution: {execution}, " if execution else "")
    return f"{{at: 9s, alter_event: {{{of}field: {field}, {what}, count: 1}}}}"


@pytest.mark.parametrize(
    ("field", "what"),
    [
        ("o.f", "to: RPI"),
        ("o.o", "to: TRIGGERED_LIMIT"),
        ("o.X", "to: PENDING_FILL"),
        ("o.x", "to: TRADED"),
    ],
    ids=["time in force", "type", "status", "execution"],
)
def test_n18_one_unknown_word_in_an_order_update_loses_it(field: str, what: str):
    """The trade is lost, and the next one is heard: nothing else takes notice."""
    fault = alters("ORDER_TRADE_UPDATE", field, what, "TRADE")
    parts = [
        '{at: 10s, fill: {order: O-1, quantity: "0.004"}}',
        '{at: 11s, fill: {order: O-1, quantity: "0.005"}}',
    ]
    done = play(SENDS, fault, *parts)
    [process] = done.observation.incarnations

    assert [fill.trade_id for fill in fills(process)] == trade_ids(done)[1:]
    assert orders(process.final) == {"O-1": ("PARTIALLY_FILLED", "0.005")}
    assert positions(process.final) == {LEG: "0.005"}
    assert logged(SENDS, fault, *parts).count("Error on handling") == 1


@pytest.mark.parametrize(
    ("field", "what"), [("a.P", "drop: true"), ("a.m", "to: GIFT")], ids=["no positions", "reason"]
)
def test_n18_an_account_update_that_is_not_understood_is_lost(field: str, what: str):
    fault = alters("ACCOUNT_UPDATE", field, what)
    story = (SENDS, fault, '{at: 10s, transfer: {amount: "5"}}')
    done = play(*story)
    [process] = done.observation.incarnations

    assert steps(process) == [("Accepted", "ACCEPTED")]
    assert logged(*story).count("Error on handling") == 1
