"""Trades that reads do not show yet, although they show later ones."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from venue_client import DAY_NS, SECOND_NS, client

from sim.venue.reads import Omission

BOTH = ("userTrades", "income")


class Rig:
    """Orders that fill one second apart, the first before anything is hidden."""

    def __init__(self) -> None:
        self.nt = client()
        self.withheld: list[str] = []
        self.trade("O-0")

    def trade(self, client_order_id: str, symbol: str = "BTCUSDT") -> None:
        self.nt.limit(client_order_id, price="3000", symbol=symbol)
        self.nt.fill(client_order_id, "1", symbol=symbol)
        self.nt.wait(SECOND_NS)

    def hide(self, models: tuple[str, ...] = BOTH, **what: Any) -> Omission:
        hiding = Omission(models=models, acted=self.withheld.append, from_ns=self.nt.now_ns, **what)
        self.nt.venue.reads.begin(hiding)
        return hiding

    def trades(self, symbol: str = "BTCUSDT", **params: Any) -> list[str]:
        return self.told(self.nt.ok("GET", "userTrades", symbol=symbol, **params), "id")

    def income(self, **params: Any) -> list[str]:
        return self.told(self.nt.ok("GET", "income", **params), "tradeId")

    def told(self, rows: list[Any], field: str) -> list[str]:
        orders = {str(t.trade_id): t.client_order_id for t in self.nt.venue.trades()}
        return [orders.get(str(row[field]), "-") for row in rows]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_trade_is_hidden_while_later_ones_are_visible(rig: Rig):
    hiding = rig.hide(client_order_id="O-1")
    rig.trade("O-1")
    rig.trade("O-2")
    assert rig.trades() == rig.income() == ["O-0", "O-2"]

    rig.nt.venue.reads.end(hiding)
    assert rig.trades() == rig.income() == ["O-0", "O-1", "O-2"]


def test_what_was_visible_stays_so(rig: Rig):
    rig.hide(symbol="BTCUSDT")
    rig.trade("O-1")

    assert rig.trades() == rig.income() == ["O-0"]


def test_a_hidden_trade_takes_no_room_on_a_page(rig: Rig):
    rig.hide(client_order_id="O-1")
    for name in ("O-1", "O-2", "O-3"):
        rig.trade(name)
    first = rig.nt.venue.trades()[0].trade_id

    assert rig.trades(fromId=first, limit=2) == ["O-0", "O-2"]
    assert rig.income(limit=2) == ["O-2", "O-3"]


def test_only_the_reads_that_are_named_lack_it(rig: Rig):
    rig.hide(("income",), client_order_id="O-1")
    rig.trade("O-1")

    assert rig.trades() == ["O-0", "O-1"]
    assert rig.income() == ["O-0"]


def test_a_symbol_is_hidden_and_no_other(rig: Rig):
    rig.hide(symbol="ETHUSDT")
    rig.trade("E-1", "ETHUSDT")
    rig.trade("O-1")
    rig.nt.venue.transfer("main", "USDT", Decimal(1), rig.nt.now_ns)

    assert rig.trades("ETHUSDT") == []
    assert rig.trades() == ["O-0", "O-1"]
    assert rig.income() == ["O-0", "O-1", "-"]


def test_the_truth_and_the_other_reads_are_not_touched(rig: Rig):
    rig.hide(client_order_id="O-1")
    rig.trade("O-1")

    assert len(rig.nt.venue.trades()) == 2
    assert (
        rig.nt.ok("GET", "order", symbol="BTCUSDT", origClientOrderId="O-1")["status"] == "FILLED"
    )
    [held] = rig.nt.ok("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")
    assert Decimal(held["positionAmt"]) == 2


def test_an_answer_that_lacks_a_row_is_told_once_and_no_other(rig: Rig):
    rig.hide(symbol="BTCUSDT")
    rig.trades()
    assert rig.withheld == []

    rig.trade("O-1")
    rig.trade("O-2")
    rig.trades()
    rig.trades(startTime=(rig.nt.now_ns - DAY_NS) // 1_000_000, limit=1)
    rig.income(incomeType="TRANSFER")
    assert rig.withheld == ["userTrades", "userTrades"]


def test_reads_lag_while_something_is_hidden(rig: Rig):
    hiding = rig.hide(symbol="BTCUSDT")
    assert rig.nt.venue.reads.lagging

    rig.nt.venue.reads.end(hiding)
    assert not rig.nt.venue.reads.lagging
