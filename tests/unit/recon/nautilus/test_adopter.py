"""Orders that are put into the node, as far as they are known in part."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from recon.core.facts import VenueOrder
from recon.core.ledger import Ledger
from recon.core.orders import Continue, Settlement
from recon.nautilus.adopter import Adopter
from tests.properties.recon_strategies import SECOND_NS, START_NS, trade

D = Decimal
HOUR_NS = 3_600 * SECOND_NS
CONTACT_NS = START_NS
SINCE_NS = CONTACT_NS - HOUR_NS


def order(created_ns: int, filled: int) -> VenueOrder:
    return VenueOrder(
        symbol="BTCUSDT",
        order_id="1",
        client_order_id="O-1",
        side="BUY",
        position_side="BOTH",
        type="LIMIT",
        time_in_force="GTC",
        status="PARTIALLY_FILLED",
        quantity=D(6),
        filled=D(filled),
        price=D(50_000),
        average_price=None,
        reduce_only=False,
        created_ns=created_ns,
        updated_ns=CONTACT_NS,
        asked_ns=CONTACT_NS,
    )


def adopter(adopted: list[Any] | None = None) -> Adopter:
    """An adopter on a first contact that reads an hour of history."""
    ledger = Ledger()
    ledger.book("BTCUSDT").begin(SINCE_NS)
    ledger.complete(CONTACT_NS, CONTACT_NS)
    kept = [] if adopted is None else adopted
    emitter: Any = SimpleNamespace(adopt=lambda *given: kept.append(given))
    book: Any = SimpleNamespace(continuation_id=lambda order: "O-1-C1")
    whatever: Any = None
    return Adopter(whatever, book, ledger, emitter, whatever, whatever, dry_run=False)


def test_a_continuation_has_the_quantity_of_the_venue_and_knows_what_came_before():
    adopted: list[Any] = []
    local: Any = SimpleNamespace(client_order_id=SimpleNamespace(value="O-1"), strategy_id="S-001")
    shown = order(SINCE_NS, 2)

    adopter(adopted).go_on(local, shown, Settlement((Continue(D(4)),)), [])

    [(_, client_order_id, strategy_id, quantity, tags)] = adopted
    assert (client_order_id, strategy_id, quantity) == ("O-1-C1", "S-001", D(6))
    assert tags == ["RECON_CONTINUES=O-1", "RECON_PRIOR=2"]


@pytest.mark.parametrize(
    ("created_ns", "prior"),
    [(SINCE_NS - 1, 2), (SINCE_NS, 0), (CONTACT_NS - 1, 0), (CONTACT_NS, 0)],
)
def test_what_came_before_lies_before_the_history_and_not_before_the_contact(
    created_ns: int, prior: int
):
    known = [trade(7, time_ns=CONTACT_NS - SECOND_NS)]

    assert max(D(0), adopter().prior(order(created_ns, 3), known)) == prior
