"""ccxt's own clients trade at the served venue, and hear it, as they do at Binance USD-M."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.wire.ccxt_clients import BTC, Exchange
from tests.wire.over_sockets import OverSockets
from tests.wire.printed import printed

pytestmark = [
    # ccxt asks aiohttp for what the newer Pythons do by themselves.
    pytest.mark.filterwarnings("ignore:enable_cleanup_closed:DeprecationWarning"),
]

PATIENCE_SECS = 5


@pytest.fixture(autouse=True)
def no_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """See to it that nobody asks for another machine; return the hosts that were asked for."""
    asked: list[Any] = []

    def getaddrinfo(host: Any, *_: Any, **__: Any) -> Any:
        asked.append(host)
        raise OSError(f"{host} is asked for")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.fixture(params=["plain", "pro"])
async def ex(served: OverSockets, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with Exchange(served, request.param) as client:
        yield client


@pytest.fixture
async def pro(served: OverSockets) -> AsyncIterator[Any]:
    async with Exchange(served) as client:
        yield client


def num(value: Any) -> Decimal:
    return Decimal(str(value))


async def soon(what: Awaitable[Any]) -> Any:
    async with asyncio.timeout(PATIENCE_SECS):
        return await what


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_SECS):
        while not holds():
            await asyncio.sleep(0.005)


async def fill(served: OverSockets, order: dict[str, Any], quantity: str) -> None:
    """Let the venue's hand fill a part of an order."""
    await served.act(f'{{fill: {{order: {order["clientOrderId"]}, quantity: "{quantity}"}}}}')


async def listening(ex: Any, *watched: Awaitable[Any]) -> list[asyncio.Task[Any]]:
    """Begin to watch, and return when the stream is there."""
    tasks = [asyncio.ensure_future(each) for each in watched]
    await until(lambda: any(c.isConnected for url, c in ex.clients.items() if "private" in url))
    return tasks


async def times(served: OverSockets, asked: str) -> int:
    """Return how often something was asked for so far."""
    rows = (await served.http.get("/sim/trace")).json()["rows"]
    return sum(row["kind"] == "request" and row["subject"].endswith(asked) for row in rows)


# -- how to get there


async def test_what_is_printed_leads_there_and_nowhere_else(
    ex: Any, served: OverSockets, no_name_is_looked_up: list[Any]
):
    assert served.at in printed("ccxt", served.at)
    assert set(ex.markets) == {"BTC/USDT:USDT", "ETH/USDT:USDT", "BTC/USDC:USDC"}
    await ex.fetch_balance()
    with pytest.raises(ccxt.NotSupported):  # nobody has it but Binance
        await ex.fetch_status()

    assert no_name_is_looked_up == []


# -- orders


async def test_the_life_of_an_order(ex: Any, served: OverSockets):
    placed = await ex.create_order(BTC, "limit", "buy", 1, 49000)
    assert (placed["status"], placed["filled"]) == ("open", 0)

    edited = await ex.edit_order(placed["id"], BTC, "limit", "buy", 2, 49500)
    assert (edited["id"], edited["amount"], edited["price"]) == (placed["id"], 2, 49500)

    await fill(served, placed, "0.5")
    [left] = await ex.fetch_open_orders(BTC)
    assert (left["filled"], left["remaining"], left["average"]) == (0.5, 1.5, 49500)

    cancelled = await ex.cancel_order(placed["id"], BTC)
    assert (cancelled["status"], cancelled["filled"]) == ("canceled", 0.5)
    assert await ex.fetch_open_orders(BTC) == []
    [ended] = await ex.fetch_canceled_orders(BTC)
    assert ended["id"] == placed["id"]
    assert (await ex.fetch_order(placed["id"], BTC))["status"] == "canceled"


async def test_what_was_traded_and_what_is_held(ex: Any, served: OverSockets):
    bought = await ex.create_order(BTC, "market", "buy", 1)
    assert (bought["status"], bought["filled"]) == ("closed", 1)
    assert (await ex.fetch_order(bought["id"], BTC))["average"] == 50000
    resting = await ex.create_order(BTC, "limit", "sell", 1, 51000)
    await fill(served, resting, "0.25")
    truth = (await served.http.get("/sim/truth")).json()

    trades = await ex.fetch_my_trades(BTC)
    assert [trade["id"] for trade in trades] == [str(t["trade_id"]) for t in truth["trades"]]
    assert [(t["side"], t["takerOrMaker"], t["amount"], t["price"]) for t in trades] == [
        ("buy", "taker", 1, 50000),
        ("sell", "maker", 0.25, 51000),
    ]
    assert [num(t["fee"]["cost"]) for t in trades] == [
        num(t["commission"]) for t in truth["trades"]
    ]
    [held] = await ex.fetch_positions([BTC])
    [leg] = truth["positions"]
    assert (held["side"], num(held["contracts"])) == ("long", num(leg["quantity"]))
    assert (held["contracts"], num(held["entryPrice"])) == (0.75, num(leg["entry_price"]))
    [closed] = await ex.fetch_closed_orders(BTC)
    assert closed["id"] == bought["id"]
    paid = sum(num(trade["fee"]["cost"]) for trade in trades)
    balance = await ex.fetch_balance()
    assert num(balance["USDT"]["total"]) == Decimal(100_000 + 250) - paid


async def test_a_conditional_order_waits_and_triggers(ex: Any, served: OverSockets):
    await ex.create_order(BTC, "market", "buy", 1)
    armed = await ex.create_order(BTC, "market", "sell", 1, None, {"stopLossPrice": 48000})
    [waiting] = await ex.fetch_open_orders(BTC, None, None, {"trigger": True})
    assert waiting["id"] == armed["id"]

    await served.act('{price: {symbol: BTCUSDT, price: "47990"}}')
    ended = await ex.fetch_order(armed["id"], BTC, {"trigger": True})
    assert ended["status"] == "closed"
    assert await ex.fetch_positions([BTC]) == []


# -- refusals


@pytest.mark.parametrize(
    ("kind", "amount", "price", "params", "error"),
    [
        pytest.param("limit", 0.001, 49000, {}, ccxt.InvalidOrder, id="too small"),
        pytest.param("limit", 0.0015, 60000, {}, ccxt.BadRequest, id="price too high"),
        pytest.param(
            "limit", 1, 51000, {"postOnly": True}, ccxt.OrderNotFillable, id="would not rest"
        ),
        pytest.param("limit", 1, 49000, {"reduceOnly": True}, ccxt.InvalidOrder, id="reduces none"),
        pytest.param(
            "market",
            1,
            None,
            {"triggerPrice": 49000},
            ccxt.OrderImmediatelyFillable,
            id="would trigger",
        ),
        pytest.param("limit", 1000, 49000, {}, ccxt.OperationRejected, id="more than leverage"),
    ],
)
async def test_orders_that_are_refused(
    ex: Any,
    kind: str,
    amount: float,
    price: float | None,
    params: dict[str, Any],
    error: type[Exception],
):
    with pytest.raises(error):
        await ex.create_order(BTC, kind, "buy", amount, price, params)

    assert await ex.fetch_open_orders(BTC) == []


@pytest.mark.venue('balances: {USDT: "100"}')
async def test_an_order_that_cannot_be_paid_for(ex: Any):
    with pytest.raises(ccxt.InsufficientFunds, match="-2019"):
        await ex.create_order(BTC, "limit", "buy", 1, 49000)


async def test_orders_that_there_are_not(ex: Any):
    with pytest.raises(ccxt.OrderNotFound, match="-2013"):
        await ex.fetch_order("1", BTC)
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        await ex.cancel_order("1", BTC)
    with pytest.raises(ccxt.OrderNotFound):
        await ex.edit_order("1", BTC, "limit", "buy", 1, 49000)


async def test_keys_that_open_nothing(ex: Any):
    ex.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        await ex.fetch_balance()
    ex.apiKey = "wrong"
    with pytest.raises(ccxt.AuthenticationError, match="-20"):
        await ex.fetch_balance()


async def test_a_clock_that_is_behind_is_set_by_the_venues(ex: Any, served: OverSockets):
    await served.act("{skew_clock: {by: 60s, for: 1h}}")
    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        await ex.fetch_balance()
    await ex.load_time_difference()

    await ex.fetch_balance()


async def test_who_asks_too_much_is_limited_and_banned_for_a_time(ex: Any, served: OverSockets):
    await served.act("{throttle: {for: 10s, escalates_after: 1, ban: 60s}}")
    with pytest.raises(ccxt.DDoSProtection, match="429"):
        await ex.fetch_time()
    assert int(ex.last_response_headers["Retry-After"]) > 0
    for _ in range(2):
        with pytest.raises(ccxt.DDoSProtection, match="418"):
            await ex.fetch_time()
    assert int(ex.last_response_headers["Retry-After"]) > 10
    await served.wait(70)

    assert abs(await ex.fetch_time() - served.now_ms) < 1000


# -- the stream


async def test_the_life_of_an_order_is_heard(pro: Any, served: OverSockets):
    [task] = await listening(pro, pro.watch_orders(BTC))
    placed = await pro.create_order(BTC, "limit", "buy", 1, 49000)
    [heard] = await soon(task)
    assert (heard["id"], heard["status"]) == (placed["id"], "open")

    statuses = []
    for act in (
        fill(served, placed, "0.5"),
        pro.edit_order(placed["id"], BTC, "limit", "buy", 2, 49500),
        pro.cancel_order(placed["id"], BTC),
    ):
        task = asyncio.create_task(pro.watch_orders(BTC))
        await asyncio.sleep(0)
        await act
        [heard] = await soon(task)
        statuses.append((heard["status"], heard["filled"], heard["amount"]))
    assert statuses == [("open", 0.5, 1), ("open", 0.5, 2), ("canceled", 0.5, 2)]


async def test_trades_positions_and_balances_are_heard(pro: Any, served: OverSockets):
    assert await soon(pro.watch_positions()) == []  # what there is, asked for first
    tasks = await listening(
        pro, pro.watch_my_trades(BTC), pro.watch_balance(), pro.watch_positions([BTC])
    )
    bought = await pro.create_order(BTC, "market", "buy", 2)
    [trade], balance, [position] = await soon(asyncio.gather(*tasks))

    assert (trade["order"], trade["amount"], trade["price"]) == (bought["id"], 2, 50000)
    assert (position["side"], position["contracts"]) == ("long", 2)
    assert num(balance["USDT"]["total"]) == 100_000 - num(trade["fee"]["cost"])
    assert (await pro.fetch_balance())["USDT"]["total"] == balance["USDT"]["total"]


async def test_orders_over_the_websocket_api(pro: Any):
    placed = await pro.create_order_ws(BTC, "limit", "buy", 1, 49000)
    edited = await pro.edit_order_ws(placed["id"], BTC, "limit", "buy", 1, 49100)
    assert (edited["id"], edited["price"]) == (placed["id"], 49100)
    assert (await pro.cancel_order_ws(placed["id"], BTC))["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        await soon(pro.cancel_order_ws(placed["id"], BTC))
    await pro.create_order_ws(BTC, "market", "buy", 1)

    [held] = await pro.fetch_positions_ws()
    assert held["contracts"] == 1
    assert (await pro.fetch_balance_ws())["USDT"]["total"] < 100_000


async def test_a_stream_that_is_cut_is_opened_again(pro: Any, served: OverSockets):
    [task] = await listening(pro, pro.watch_orders())
    await served.act("{disconnect: {for: 60s}}")
    with pytest.raises(ccxt.NetworkError):
        await soon(task)
    with pytest.raises(ccxt.NetworkError):  # nobody is let in for a while
        await soon(pro.watch_orders())
    lost = await pro.create_order(BTC, "limit", "buy", 1, 48000)
    await served.wait(60)
    await pro.load_time_difference()

    [task] = await listening(pro, pro.watch_orders())
    placed = await pro.create_order(BTC, "limit", "buy", 1, 49000)
    [heard] = await soon(task)
    assert heard["id"] == placed["id"]
    assert {order["id"] for order in await pro.fetch_open_orders(BTC)} == {
        lost["id"],
        placed["id"],
    }


async def test_a_stream_that_the_venue_closes_with_a_code(pro: Any, served: OverSockets):
    [task] = await listening(pro, pro.watch_orders())
    await served.act("{disconnect: {for: 1s, code: 1001}}")

    with pytest.raises(ccxt.NetworkError, match="1001"):
        await soon(task)


async def test_the_listen_key_is_kept_alive(pro: Any, served: OverSockets):
    [task] = await listening(pro, pro.watch_orders())
    for _ in range(2):
        await served.wait(59 * 60)
        await pro.keep_alive_listen_key()  # as it does by itself, every twenty minutes
    await pro.create_order(BTC, "limit", "buy", 1, 49000)

    assert len(await soon(task)) == 1
    assert await times(served, "PUT /fapi/v1/listenKey") == 2


async def test_a_listen_key_that_has_run_out_is_replaced(pro: Any, served: OverSockets):
    [task] = await listening(pro, pro.watch_orders())
    first = pro.options["linear"]["listenKey"]
    await served.wait(3601)
    await pro.load_time_difference()
    await pro.create_order(BTC, "limit", "buy", 1, 48000)
    await served.settle()
    assert not task.done()  # nobody hears it

    await pro.keep_alive_listen_key()
    with pytest.raises(ccxt.AuthenticationError, match="-1125"):
        await soon(task)
    known = set(pro.clients)
    task = asyncio.create_task(pro.watch_orders())
    await until(lambda: any(c.isConnected for u, c in pro.clients.items() if u not in known))
    placed = await pro.create_order(BTC, "limit", "buy", 1, 49000)
    [heard] = await soon(task)
    assert heard["id"] == placed["id"]
    assert pro.options["linear"]["listenKey"] != first
