"""The opening balance of a leg, one case for each thing that its rules say."""

from __future__ import annotations

from decimal import Decimal

import pytest

from recon.core.facts import Trade
from recon.core.opening import Holding, opening_balance
from tests.properties.recon_strategies import trade


def leg(quantity: str, entry_price: str = "0") -> Holding:
    return Holding(Decimal(quantity), Decimal(entry_price))


def trades(*told: str) -> list[Trade]:
    """Trades from "BUY 1 at 56000", with "+3000" or "-3000" for what one realised."""
    found = []
    for n, words in enumerate(told):
        side, quantity, _, price, *realized = words.split()
        pnl = Decimal(realized[0]) if realized else None
        found.append(trade(n, side, quantity, price, realized_pnl=pnl))
    return found


NOTHING = leg("0")


def test_what_a_window_does_not_explain_stands_before_it():
    """The example of the design: +3 at 50,000 after a BUY of 1 at 56,000."""
    balance = opening_balance(leg("3", "50000"), NOTHING, trades("BUY 1 at 56000"))

    assert balance == leg("2", "47000")


@pytest.mark.parametrize(
    ("venue", "held", "window", "expected"),
    [
        pytest.param(leg("3", "50000"), NOTHING, [], leg("3", "50000"), id="no-trades"),
        pytest.param(leg("-3", "50000"), NOTHING, [], leg("-3", "50000"), id="short"),
        pytest.param(
            leg("2", "50000"),
            NOTHING,
            ["SELL 1 at 99999"],
            leg("3", "50000"),
            id="a-reduction-leaves-the-entry-price",
        ),
        pytest.param(
            leg("-3", "50000"),
            NOTHING,
            ["SELL 1 at 56000", "BUY 1 at 1", "SELL 1 at 56000"],
            leg("-2", "42500"),
            id="backwards-over-all-trades",
        ),
        pytest.param(
            leg("3", "50000"),
            leg("1", "44000"),
            [],
            leg("2", "53000"),
            id="what-is-held-counts",
        ),
        pytest.param(
            leg("1", "50000"),
            leg("3", "48000"),
            [],
            leg("-2", "50000"),
            id="what-is-held-too-much-goes-at-the-venues-entry-price",
        ),
        pytest.param(
            leg("3", "1"),
            leg("2", "50000"),
            [],
            leg("1", "1"),
            id="no-price-above-zero-would-do",
        ),
        pytest.param(
            leg("-1", "51000"),
            NOTHING,
            ["SELL 3 at 51000"],
            leg("2", "51000"),
            id="the-side-changed",
        ),
        pytest.param(
            leg("-2", "52000"),
            NOTHING,
            ["SELL 3 at 51000", "SELL 1 at 53000"],
            leg("2", "52000"),
            id="the-side-changed-and-it-grew-after-that",
        ),
        pytest.param(
            leg("1", "51000"),
            NOTHING,
            ["SELL 2 at 48000", "BUY 1 at 51000"],
            leg("2", "51000"),
            id="it-was-flat-on-the-way",
        ),
    ],
)
def test_the_price_makes_the_entry_price_the_venues_where_any_can(
    venue: Holding, held: Holding, window: list[str], expected: Holding
):
    assert opening_balance(venue, held, trades(*window)) == expected


@pytest.mark.parametrize(
    ("venue", "held", "window"),
    [
        pytest.param(NOTHING, NOTHING, [], id="flat"),
        pytest.param(leg("1", "50000"), NOTHING, ["BUY 1 at 50000"], id="the-window-explains"),
        pytest.param(NOTHING, NOTHING, ["BUY 1 at 1", "SELL 1 at 2"], id="a-round-trip"),
        pytest.param(leg("3", "50000"), leg("3", "1"), [], id="held-at-another-price"),
        pytest.param(leg("-1", "9"), leg("1", "8"), ["SELL 2 at 9"], id="turned-in-the-window"),
    ],
)
def test_where_nothing_is_missing_nothing_is_booked(
    venue: Holding, held: Holding, window: list[str]
):
    assert opening_balance(venue, held, trades(*window)) is None


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        pytest.param(["SELL 2 at 51000 +8000"], leg("2", "47000"), id="what-was-realised"),
        pytest.param(["BUY 2 at 51000 -8000"], leg("-2", "47000"), id="of-a-short-leg"),
        pytest.param(
            ["SELL 1 at 48000 +1000", "SELL 1 at 47000 +9999"],
            leg("2", "47000"),
            id="by-the-first-reduction",
        ),
        pytest.param(
            ["BUY 1 at 56000", "SELL 3 at 51000 +3000"],
            leg("2", "47000"),
            id="without-what-was-added-before-it",
        ),
        pytest.param(
            ["SELL 1 at 56000", "BUY 3 at 51000 -3000"],
            leg("-2", "47000"),
            id="without-what-was-added-before-it-short",
        ),
        pytest.param(
            ["SELL 3 at 51000 +8000", "BUY 1 at 50000"],
            leg("2", "47000"),
            id="only-what-was-closed-realised",
        ),
        pytest.param(["SELL 2 at 51000"], leg("2", "51000"), id="nothing-is-said"),
        pytest.param(["SELL 2 at 51000 +102000"], leg("2", "51000"), id="nonsense-is-said"),
    ],
)
def test_a_leg_that_is_flat_by_now_has_the_price_that_its_first_reduction_tells(
    window: list[str], expected: Holding
):
    assert opening_balance(NOTHING, NOTHING, trades(*window)) == expected


def test_a_leg_that_is_held_and_flat_at_the_venue_is_closed_without_a_gain():
    assert opening_balance(NOTHING, leg("3", "48000"), []) == leg("-3", "48000")
