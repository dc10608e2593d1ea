"""The venue notices when its own books do not add up: one way to spoil each rule."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from venue_client import Client, client

from sim.venue import VenueInvariantError
from sim.venue.algo_models import AlgoVersion
from sim.venue.exchange import Exchange
from sim.venue.models import Account, Holding, Income, OrderVersion

D = Decimal


@pytest.fixture
def busy() -> Client:
    """A client with a position, resting orders, and conditional orders in several states."""
    nt = client()
    nt.market("A", "BUY", "2")
    nt.limit("O-1", "BUY", "1", "49000")
    nt.fill("O-1", "0.5")
    nt.limit("R-1", "SELL", "1", "51000", reduceOnly="true")
    for name, trigger in (("S-1", "48000"), ("S-2", "49500")):
        nt.ok("POST", "algoOrder", symbol="BTCUSDT", algoType="CONDITIONAL", side="SELL",
              type="STOP", quantity="0.1", price="49000", triggerPrice=trigger,
              clientAlgoId=name)  # fmt: skip
    nt.venue.set_price("BTCUSDT", D(49400), nt.now_ns)
    nt.venue.check_invariants()
    return nt


class Books:
    """What a test spoils."""

    def __init__(self, nt: Client) -> None:
        self.exchange: Exchange = nt.venue.exchange
        self.account: Account = self.exchange.accounts["main"]
        self.holding: Holding = self.exchange.holding(self.account, "BTCUSDT")
        self.leg = self.holding.legs["BOTH"]
        self.resting = self.holding.orders[1]
        self.closing = self.holding.orders[2]
        self.waiting, self.triggered = self.exchange.algos.orders
        self.now_ns = nt.now_ns

    def next_version(self, **changes: Any) -> None:
        now = self.resting.current
        terms = {name: getattr(now, name) for name in now.__struct_fields__} | {"trade": None}
        self.resting.append(OrderVersion(**terms | changes))


SPOILS: list[tuple[str, Callable[[Books], Any]]] = [
    ("did not start as NEW", lambda b: setattr(b.resting.versions[0], "status", "FILLED")),
    ("went from PARTIALLY_FILLED to NEW", lambda b: b.next_version(status="NEW")),
    ("changed before its last change", lambda b: b.next_version(time_ns=1)),
    ("its trades add up to 0.5", lambda b: b.next_version(filled=D("0.6"))),
    ("is overfilled", lambda b: b.next_version(quantity=D("0.4"))),
    ("is FILLED at 0.5 of 1", lambda b: b.next_version(status="FILLED")),
    ("went from NEW to FINISHED", lambda b: b.waiting.append(AlgoVersion(b.now_ns, "FINISHED"))),
    ("changed before its last change", lambda b: b.waiting.append(AlgoVersion(1, "CANCELED"))),
    ("has not begun to trail", lambda b: b.waiting.append(AlgoVersion(b.now_ns, "NEW"))),
    ("indexed as if it were not",
     lambda b: b.exchange.algos.holding("main", "BTCUSDT").open.clear()),
    ("for the reason 'none'", lambda b: setattr(b.waiting.current, "reason", "none")),
    ("that is not its own", lambda b: setattr(b.triggered.current, "order", b.resting)),
    ("is FINISHED, its order NEW",
     lambda b: b.triggered.append(
         AlgoVersion(b.now_ns, "FINISHED", b.triggered.current.order))),
    ("has outlived leg LONG", lambda b: setattr(
        b.waiting, "ticket",
        replace(b.waiting.ticket, time_in_force="GTE_GTC", position_side="LONG"))),
    ("a trade id occurs twice", lambda b: b.holding.trades.append(b.holding.trades[0])),
    ("leg BOTH", lambda b: b.holding.trades.pop()),
    ("are not those indexed", lambda b: b.holding.open.pop(b.closing.order_id)),
    ("are not those indexed", lambda b: b.account.open_client_ids.discard("O-1")),
    ("closes 9, its leg is 2.5", lambda b: setattr(b.closing.current, "quantity", D(9))),
    ("is not what is kept", lambda b: b.holding.opening.update(BOTH=(D(1), D(1)))),
    ("has the isolated margin 5", lambda b: b.leg.set_margin(D(5), b.now_ns)),
    ("changed before its last change", lambda b: b.leg.version_times.append(1)),
    ("has realised 0", lambda b: setattr(b.holding.trades[0], "realized_pnl", D(1))),
    ("wallet USDT", lambda b: setattr(b.account.wallets["USDT"], "balance", D(1))),
    ("has income in XYZ",
     lambda b: b.account.income.append(Income(b.now_ns, "", "TRANSFER", D(1), "XYZ", 1, 0))),
    ("two sides that do not match", lambda b: b.exchange.trades.append(b.exchange.trades[0])),
    ("order entries for", lambda b: b.exchange.ledger.pop(0)),
    ("the trade ids of main on BTCUSDT do not grow", lambda b: b.holding.trade_ids.reverse()),
]  # fmt: skip


@pytest.mark.parametrize(("says", "spoil"), SPOILS)
def test_each_rule_of_the_books_is_checked(
    busy: Client, says: str, spoil: Callable[[Books], Any]
) -> None:
    spoil(Books(busy))
    with pytest.raises(VenueInvariantError) as raised:
        busy.venue.check_invariants()
    assert says in str(raised.value)
