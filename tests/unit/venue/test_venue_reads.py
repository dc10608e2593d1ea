"""What stands between the truth and the answers: missing rows, short pages, repeated rows."""

from __future__ import annotations

from typing import Any

import pytest
from venue_client import SECOND_NS, Client, client

from sim.venue.reads import Omission, RepeatedRows, ShortPages

START_MS = 1_700_000_000_000


class Rig:
    """Three filled orders a second apart, one that rests, and what was told of answers."""

    def __init__(self) -> None:
        self.nt = client()
        self.told: list[str] = []
        for name in ("O-0", "O-1", "O-2"):
            self.nt.limit(name)
            self.nt.fill(name, "1")
            self.nt.wait(SECOND_NS)
        self.nt.limit("R-1", price="40000")

    def omit(self, *models: str, **what: Any) -> Omission:
        omission = Omission(models=models, acted=self.told.append, **what)
        self.nt.venue.reads.begin(omission)
        return omission

    def trades(self, **params: Any) -> list[int]:
        known = [trade.trade_id for trade in self.nt.venue.trades()]
        rows = self.nt.ok("GET", "userTrades", symbol="BTCUSDT", **params)
        return [known.index(row["id"]) for row in rows]

    def id(self, number: int) -> int:
        return self.nt.venue.trades()[number].trade_id

    def commissions(self, **params: Any) -> list[int]:
        known = [str(trade.trade_id) for trade in self.nt.venue.trades()]
        rows = self.nt.ok("GET", "income", incomeType="COMMISSION", **params)
        return [known.index(row["tradeId"]) for row in rows]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_an_order_is_missing_from_what_is_named(rig: Rig):
    rig.omit("openOrders", "order", "allOrders", client_order_id="R-1")

    assert rig.nt.ok("GET", "openOrders") == []
    assert rig.nt.error("GET", "order", symbol="BTCUSDT", origClientOrderId="R-1") == -2013
    assert len(rig.nt.ok("GET", "allOrders", symbol="BTCUSDT")) == 3
    assert rig.told == ["openOrders", "order", "allOrders"]
    # A command meets the truth.
    assert rig.nt.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="R-1")


def test_what_is_there_is_told_and_what_is_missing_is_not_of_the_truth(rig: Rig):
    omission = rig.omit("userTrades", client_order_id="O-1")

    assert rig.trades() == [0, 2]
    assert len(rig.nt.venue.trades()) == 3
    rig.nt.venue.reads.end(omission)
    assert rig.trades() == [0, 1, 2]


def test_a_gap_is_of_a_time(rig: Rig):
    begin_ns = START_MS * 1_000_000
    rig.omit("userTrades", "income", from_ns=begin_ns + SECOND_NS, to_ns=begin_ns + 2 * SECOND_NS)

    assert rig.trades() == rig.commissions() == [0, 2]


def test_a_position_and_a_balance_are_missing(rig: Rig):
    rig.omit("positionRisk", symbol="BTCUSDT")
    rig.omit("account", asset="USDT")
    account = rig.nt.ok("GET", "/fapi/v2/account")

    assert rig.nt.ok("GET", "/fapi/v3/positionRisk") == []
    assert [row["asset"] for row in account["assets"]] == ["USDC"]
    assert any(row["positionAmt"] == "3.000" for row in account["positions"])
    assert [row["asset"] for row in rig.nt.ok("GET", "/fapi/v3/balance")] == ["USDC"]


def test_an_omission_of_an_order_hides_no_position(rig: Rig):
    rig.omit("positionRisk", client_order_id="O-1")

    assert len(rig.nt.ok("GET", "/fapi/v3/positionRisk")) == 1
    assert rig.told == []


def test_conditional_orders_are_missing(rig: Rig):
    rig.nt.ok(
        "POST",
        "algoOrder",
        algoType="CONDITIONAL",
        symbol="BTCUSDT",
        side="SELL",
        type="STOP_MARKET",
        quantity="1",
        triggerPrice="40000",
        clientAlgoId="S-1",
    )
    rig.omit("openAlgoOrders", "algoOrder", "allAlgoOrders", client_order_id="S-1")

    assert rig.nt.ok("GET", "openAlgoOrders") == []
    assert rig.nt.ok("GET", "allAlgoOrders", symbol="BTCUSDT") == []
    assert rig.nt.error("GET", "algoOrder", clientAlgoId="S-1") == -2013
    assert len(rig.told) == 3


def test_a_page_is_short_although_there_is_more(rig: Rig):
    short = ShortPages(models=("userTrades", "income", "allOrders"), acted=rig.told.append, rows=2)
    rig.nt.venue.reads.begin(short)

    assert rig.trades(fromId=rig.id(0)) == [0, 1]
    assert rig.trades() == [1, 2]
    assert rig.commissions(startTime=START_MS) == [0, 1]
    assert len(rig.nt.ok("GET", "allOrders", symbol="BTCUSDT", orderId=1)) == 2
    told = list(rig.told)
    assert rig.trades(fromId=rig.id(1)) == [1, 2]
    assert rig.trades(fromId=rig.id(0), limit=1) == [0]
    assert rig.told == told


def test_a_page_begins_with_the_row_before(rig: Rig):
    repeated = RepeatedRows(models=("userTrades", "income"), acted=rig.told.append)
    rig.nt.venue.reads.begin(repeated)

    assert rig.trades(fromId=rig.id(0)) == [0, 1, 2]  # no row is before
    assert rig.trades() == [0, 1, 2]
    assert rig.told == []
    assert rig.trades(fromId=rig.id(1)) == [0, 1, 2]
    assert rig.trades(fromId=rig.id(1), limit=2) == [0, 1]
    assert rig.trades(startTime=START_MS + 2000) == [1, 2]
    assert rig.trades(fromId=rig.id(2) + 1) == []
    assert rig.commissions(startTime=START_MS + 1000) == [0, 1, 2]
    assert rig.commissions(startTime=START_MS, limit=2, page=2) == [1, 2]


def test_the_window_of_all_orders_may_be_about_their_last_change():
    def orders(nt: Client) -> list[str]:
        start_ms = START_MS + 5000
        rows = nt.ok("GET", "allOrders", symbol="BTCUSDT", startTime=start_ms)
        return [row["clientOrderId"] for row in rows]

    for window, shown in (("created", ["O-1"]), ("updated", ["O-0", "O-1"])):
        nt = client(all_orders_window=window)
        nt.limit("O-0")
        nt.limit("O-9")
        nt.wait(6 * SECOND_NS)
        nt.fill("O-0", "1")
        nt.limit("O-1")
        assert orders(nt) == shown


def test_an_event_may_be_sent_later_than_what_it_tells():
    nt = client(event_lead_ms=3)
    nt.listen()
    leads, sent = [], []
    for number in range(8):
        nt.limit(f"O-{number}")
        (event,) = nt.events()
        leads.append(event["E"] - event["T"])
        sent.append(event["E"])
        nt.wait(1_000_000)

    assert sorted(leads) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert sent == sorted(sent)


def test_replicas_that_are_behind_as_usual():
    nt = client(replica_lag="usual")
    seen = []
    for number in range(400):
        nt.market(f"M-{number}", quantity="0.002")
        nt.now_ns += 20_000_000
        newest = nt.ok("GET", "userTrades", symbol="BTCUSDT", limit=1)
        seen.append(bool(newest) and newest[0]["id"] == nt.venue.trades()[-1].trade_id)
        nt.wait(SECOND_NS)
    nt.wait(2 * SECOND_NS)

    assert 120 < sum(seen) < 280
    assert not nt.venue.reads.lagging
    assert len(nt.ok("GET", "userTrades", symbol="BTCUSDT")) == 400
