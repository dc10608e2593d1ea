"""Windows, limits, retention and lag of what a client may read."""

from __future__ import annotations

from typing import Any

import pytest
from venue_client import DAY_NS, MS_NS, SECOND_NS, START_NS, Client, client

from sim.venue.reads import Lag


def trades(nt: Client, **params: Any) -> list[int]:
    """Return which of the fills O-0, O-1, ... the answer holds."""
    known = {trade.trade_id: trade.client_order_id for trade in nt.venue.trades()}
    rows = nt.ok("GET", "userTrades", symbol="BTCUSDT", **params)
    return [int(known[row["id"]].removeprefix("O-")) for row in rows]


def orders(nt: Client, **params: Any) -> list[int]:
    rows = nt.ok("GET", "allOrders", symbol="BTCUSDT", **params)
    return [int(row["clientOrderId"].removeprefix("O-")) for row in rows]


@pytest.fixture
def daily(nt: Client) -> Client:
    """Twelve filled orders, one a day; the last one just now."""
    for day in range(12):
        nt.now_ns = START_NS + day * DAY_NS
        nt.limit(f"O-{day}")
        nt.fill(f"O-{day}", "1")
    return nt


def start_of(day: int) -> int:
    return (START_NS + day * DAY_NS) // MS_NS


def test_without_times_the_newest_rows_of_seven_days_are_served(daily: Client) -> None:
    assert trades(daily) == orders(daily) == [4, 5, 6, 7, 8, 9, 10, 11]
    assert trades(daily, limit=3) == orders(daily, limit=3) == [9, 10, 11]


def test_a_start_alone_is_seven_days_and_not_since(daily: Client) -> None:
    assert trades(daily, startTime=start_of(1)) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert orders(daily, startTime=start_of(1)) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert trades(daily, startTime=start_of(-30)) == []
    assert trades(daily, endTime=start_of(8)) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_both_ends_of_a_window_are_inclusive(daily: Client) -> None:
    assert trades(daily, startTime=start_of(2), endTime=start_of(4)) == [2, 3, 4]
    assert trades(daily, startTime=start_of(2) + 1, endTime=start_of(4) - 1) == [3]
    assert orders(daily, startTime=start_of(2), endTime=start_of(4)) == [2, 3, 4]


def test_a_full_window_returns_its_oldest_rows(daily: Client) -> None:
    window = {"startTime": start_of(2), "endTime": start_of(8), "limit": 2}
    assert trades(daily, **window) == orders(daily, **window) == [2, 3]


def test_a_full_window_returns_its_newest_rows_if_so_configured() -> None:
    nt = client(window_page="tail")
    for number in range(4):
        nt.limit(f"O-{number}")
        nt.fill(f"O-{number}", "1")
        nt.wait(SECOND_NS)
    assert trades(nt, startTime=start_of(0), limit=2) == [2, 3]
    assert orders(nt, startTime=start_of(0), limit=2) == [2, 3]


def test_too_long_a_window_is_refused(daily: Client) -> None:
    window = {"symbol": "BTCUSDT", "startTime": start_of(1), "endTime": start_of(8)}
    assert trades(daily, startTime=start_of(1), endTime=start_of(8)) == list(range(1, 9))
    assert daily.error("GET", "allOrders", **window) == -4165
    window["endTime"] += 1
    assert daily.error("GET", "userTrades", **window) == -4165
    window["endTime"] = window["startTime"] - 1
    assert daily.error("GET", "userTrades", **window) == -4165


def test_ids_page_forward_over_all_that_is_kept(daily: Client) -> None:
    ids = [trade.trade_id for trade in daily.venue.trades()]
    assert trades(daily, fromId=ids[2], limit=3) == [2, 3, 4]
    assert trades(daily, fromId=ids[2] + 1, limit=3) == [3, 4, 5]
    assert trades(daily, fromId=0) == list(range(12))
    assert trades(daily, fromId=ids[-1] + 1) == []
    assert daily.error(
        "GET", "userTrades", symbol="BTCUSDT", fromId=ids[2], startTime=start_of(1)
    ) == -1128  # fmt: skip
    order_ids = [order.order_id for order in daily.venue.orders()]
    assert orders(daily, orderId=order_ids[3], limit=2) == [3, 4]
    assert trades(daily, orderId=order_ids[3]) == [3]


@pytest.mark.parametrize("limit", [0, 1001, -5])
def test_limits_are_checked(daily: Client, limit: int) -> None:
    for path in ("userTrades", "allOrders", "income"):
        assert daily.error("GET", path, symbol="BTCUSDT", limit=limit) == -1130
    assert daily.error("GET", "userTrades", symbol="BTCUSDT", limit="many") == -1102


def test_the_default_limit_is_five_hundred() -> None:
    nt = client(order_limit_10s=10_000, order_limit_1m=10_000)
    for number in range(510):
        nt.market(f"O-{number}", quantity="0.01")
    assert trades(nt) == list(range(10, 510))
    assert len(trades(nt, limit=1000)) == 510


def test_unfilled_orders_vanish_after_three_days_and_filled_ones_after_ninety(
    nt: Client,
) -> None:
    nt.limit("O-0")
    nt.limit("O-1")
    nt.fill("O-1", "0.5")
    nt.limit("O-2")
    nt.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="O-0")
    nt.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="O-1")
    first = nt.venue.orders()[0].order_id
    nt.wait(3 * DAY_NS)
    assert orders(nt) == [0, 1, 2]
    nt.wait(MS_NS)
    assert orders(nt) == [1, 2]
    assert nt.error("GET", "order", symbol="BTCUSDT", origClientOrderId="O-0") == -2013
    nt.wait(90 * DAY_NS)
    assert orders(nt, orderId=first) == [2]
    assert [row["clientOrderId"] for row in nt.ok("GET", "openOrders")] == ["O-2"]
    assert trades(nt, fromId=0) == []


@pytest.mark.parametrize("days", [90, 183])
def test_trades_vanish_after_the_days_that_are_configured(days: int) -> None:
    nt = client(trades_kept_days=days)
    nt.limit("O-1")
    nt.fill("O-1", "0.5")
    nt.wait(days * DAY_NS)
    assert trades(nt, fromId=0) == [1]
    nt.wait(MS_NS)
    assert trades(nt, fromId=0) == []


def income(nt: Client, **params: Any) -> list[int]:
    """Return the days of the rows of commission that the answer holds."""
    rows = nt.ok("GET", "income", **{"incomeType": "COMMISSION", **params})
    return [(row["time"] * MS_NS - START_NS) // DAY_NS for row in rows]


def test_income_is_account_wide_and_served_by_time(daily: Client) -> None:
    assert income(daily) == [4, 5, 6, 7, 8, 9, 10, 11]
    assert income(daily, startTime=start_of(1)) == list(range(1, 12)), "no end in seven days"
    assert income(daily, startTime=start_of(2), endTime=start_of(4)) == [2, 3, 4]
    assert income(daily, symbol="ETHUSDT") == []
    assert income(daily, incomeType="TRANSFER") == []


def test_income_has_pages_and_a_limit(daily: Client) -> None:
    window = {"startTime": start_of(0), "limit": 5}
    assert income(daily, **window) == [0, 1, 2, 3, 4]
    assert income(daily, **window, page=2) == [5, 6, 7, 8, 9]
    assert income(daily, **window, page=4) == []


def test_income_is_kept_for_ninety_days(daily: Client) -> None:
    daily.wait(90 * DAY_NS)
    assert income(daily, startTime=start_of(0)) == [11]


# -- lag


def lag(nt: Client, *models: str, symbol: str | None = None, secs: int = 2) -> Lag:
    """Begin a lag; the models that it was asked for are in `TOLD`."""
    begun = Lag(models=models, acted=TOLD.append, symbol=symbol, by_ns=secs * SECOND_NS)
    TOLD.clear()
    nt.venue.reads.begin(begun)
    return begun


TOLD: list[str] = []


def test_a_lagging_read_shows_the_past_and_a_command_meets_the_present(nt: Client) -> None:
    lag(nt, "openOrders", "order", "allOrders", "userTrades", "positionRisk", "income")
    assert nt.venue.reads.lagging
    nt.limit("O-0")
    assert nt.error("GET", "order", symbol="BTCUSDT", origClientOrderId="O-0") == -2013
    assert nt.ok("GET", "openOrders") == []
    assert orders(nt) == []
    nt.wait(SECOND_NS)
    nt.fill("O-0", "1")
    nt.wait(SECOND_NS)
    assert nt.ok("GET", "order", symbol="BTCUSDT", origClientOrderId="O-0")["status"] == "NEW"
    assert [row["status"] for row in nt.ok("GET", "openOrders")] == ["NEW"]
    assert trades(nt) == []
    assert nt.ok("GET", "/fapi/v3/positionRisk")[0]["positionAmt"] == "0.000"
    assert nt.ok("GET", "income") == []
    assert nt.error("DELETE", "order", symbol="BTCUSDT", origClientOrderId="O-0") == -2011
    nt.wait(SECOND_NS)
    assert nt.ok("GET", "openOrders") == []
    assert trades(nt) == orders(nt) == [0]
    assert nt.ok("GET", "/fapi/v3/positionRisk")[0]["positionAmt"] == "1.000"


def test_a_lag_can_be_of_one_symbol_and_ends(nt: Client) -> None:
    one = lag(nt, "userTrades", symbol="BTCUSDT", secs=60)
    nt.market("O-0")
    nt.market("E-0", symbol="ETHUSDT")
    assert trades(nt) == []
    assert len(nt.ok("GET", "userTrades", symbol="ETHUSDT")) == 1
    assert TOLD == ["userTrades"]
    nt.venue.reads.end(one)
    assert trades(nt) == [0]
    assert not nt.venue.reads.lagging


def test_of_lags_that_overlap_the_longest_counts(nt: Client) -> None:
    longer = lag(nt, "userTrades", secs=60)
    lag(nt, "userTrades", symbol="ETHUSDT", secs=1)
    nt.market("E-0", symbol="ETHUSDT")
    nt.wait(SECOND_NS)
    assert nt.ok("GET", "userTrades", symbol="ETHUSDT") == []
    nt.venue.reads.end(longer)
    assert len(nt.ok("GET", "userTrades", symbol="ETHUSDT")) == 1


def test_a_replica_that_flaps_is_drawn_once_for_an_answer(nt: Client) -> None:
    nt.market("O-0")
    draws = iter((True, False, True))
    nt.venue.reads.begin(
        Lag(
            models=("positionRisk", "account"),
            acted=TOLD.append,
            by_ns=SECOND_NS,
            is_stale=lambda: next(draws),
        )
    )
    shown = [nt.ok("GET", "/fapi/v3/positionRisk") for _ in range(3)]
    assert [bool(rows) for rows in shown] == [False, True, False]


def test_account_money_lags_on_its_own(nt: Client) -> None:
    lag(nt, "account", secs=1)
    nt.market()
    before = nt.ok("GET", "/fapi/v2/account")
    assert before["totalWalletBalance"] == "1000000.00000000"
    assert before["positions"][0]["positionAmt"] == "0.000"
    nt.wait(SECOND_NS)
    assert nt.ok("GET", "/fapi/v2/account")["totalWalletBalance"] == "999975.00000000"


def test_a_lag_is_checked(nt: Client) -> None:
    with pytest.raises(ValueError, match="unknown read model 'orders'"):
        lag(nt, "orders")
    with pytest.raises(ValueError, match="ahead"):
        lag(nt, "order", secs=-1)
