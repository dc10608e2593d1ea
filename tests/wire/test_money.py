"""What a trade does to wallets, positions and the histories of both, told everywhere alike."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.wire.binance import Binance

BTC = {"symbol": "BTCUSDT"}


async def wallet(binance: Binance, asset: str = "USDT") -> Decimal:
    rows = await binance.ok("GET", "/fapi/v3/balance")
    [balance] = [row["balance"] for row in rows if row["asset"] == asset]
    return Decimal(balance)


async def position(binance: Binance) -> tuple[str, str]:
    rows = await binance.ok("GET", "/fapi/v3/positionRisk", **BTC)
    [(amount, price)] = [(row["positionAmt"], row["entryPrice"]) for row in rows]
    return amount, price


async def trades(binance: Binance) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await binance.ok("GET", "/fapi/v1/userTrades", **BTC)
    return rows


async def test_what_one_fill_says_everywhere(binance: Binance):
    stream = await binance.stream()
    made = await binance.place("O-1", quantity="2")
    await binance.place("O-2", "SELL", price="51000")
    await binance.world('fill: {order: O-1, quantity: "0.5", price: "48999.9"}')
    _, _, update, event = await stream.all()
    [row] = await trades(binance)
    told = event["o"]

    assert {name: told[name] for name in "scSfqpxXlzLnNmRtia"} == {
        "s": "BTCUSDT", "c": "O-1", "S": "BUY", "f": "GTC", "q": "2", "p": "49000",
        "x": "TRADE", "X": "PARTIALLY_FILLED", "l": "0.5", "z": "0.5", "L": "48999.9",
        "n": "4.89999", "N": "USDT", "m": True, "R": False,
        "t": row["id"], "i": made["orderId"], "a": "51000",
    }  # fmt: skip
    assert (float(told["ap"]), told["b"], told["rp"], told["ps"]) == (48999.9, "73500", "0", "BOTH")
    assert told["T"] == event["T"] == row["time"]
    assert 0 <= event["E"] - event["T"] <= 3
    assert {name: row[name] for name in ("orderId", "price", "qty", "quoteQty", "commission")} == {
        "orderId": made["orderId"], "price": "48999.90", "qty": "0.500", "quoteQty": "24499.95",
        "commission": "4.89999",
    }  # fmt: skip
    assert (row["maker"], row["buyer"], row["realizedPnl"]) == (True, True, "0")
    [balance], [leg] = update["a"]["B"], update["a"]["P"]
    assert Decimal(balance["wb"]) == 100_000 - Decimal("4.89999") == await wallet(binance)
    assert (leg["pa"], leg["ep"], leg["ps"]) == ("0.5", "48999.9", "BOTH")
    assert await position(binance) == ("0.500", "48999.9")
    shown = await binance.ok("GET", "/fapi/v1/order", **BTC, orderId=made["orderId"])
    assert (shown["executedQty"], shown["status"]) == ("0.500", "PARTIALLY_FILLED")
    assert (float(shown["avgPrice"]), float(shown["cumQuote"])) == (48999.9, 24499.95)


async def test_the_entry_price_moves_only_when_a_position_grows(binance: Binance):
    seen = []
    steps = ("BUY 1 50000", "BUY 1 52000", "SELL 1 53000", "SELL 2 49000")
    for number, step in enumerate(steps):
        side, quantity, price = step.split(" ")
        await binance.world(f'price: {{price: "{price}"}}')
        await binance.take(f"O-{number}", side, quantity)
        seen.append(await position(binance))

    assert seen == [
        ("1.000", "50000"), ("2.000", "51000"), ("1.000", "51000"), ("-1.000", "49000")
    ]  # fmt: skip
    assert [row["realizedPnl"] for row in await trades(binance)] == ["0", "0", "2000", "-2000"]


async def test_a_trade_is_income_twice_under_one_id(binance: Binance):
    await binance.take("O-1")
    await binance.world('price: {price: "51000"}')
    await binance.take("O-2", "SELL")
    opening, closing = await trades(binance)
    rows = await binance.ok("GET", "/fapi/v1/income")
    found = {(row["incomeType"], row["tradeId"]): Decimal(row["income"]) for row in rows}

    assert found == {
        ("COMMISSION", str(opening["id"])): Decimal(-25),
        ("REALIZED_PNL", str(closing["id"])): Decimal(1000),
        ("COMMISSION", str(closing["id"])): Decimal("-25.5"),
    }
    assert len({(row["incomeType"], row["tranId"]) for row in rows}) == len(rows)


@pytest.mark.venue('balances: {USDT: "100000", BNB: "10"}')
async def test_commissions_in_bnb_are_a_second_balance(binance: Binance):
    await binance.ok("POST", "/fapi/v1/feeBurn", feeBurn="true")
    stream = await binance.stream()
    await binance.take("O-1")
    _, update, event = await stream.all()

    assert event["o"]["N"] == (await trades(binance))[0]["commissionAsset"] == "BNB"
    assert {row["a"] for row in update["a"]["B"]} == {"USDT", "BNB"}
    assert await wallet(binance) == 100_000
    assert await wallet(binance, "BNB") == 10 - Decimal(event["o"]["n"])


async def test_funding_is_paid_and_is_no_trade(binance: Binance):
    await binance.take("O-1")
    before = await wallet(binance)
    await binance.world('fund: {rate: "0.0001"}')
    [row] = await binance.ok("GET", "/fapi/v1/income", incomeType="FUNDING_FEE")

    assert await wallet(binance) - before == Decimal(row["income"]) == -5
    assert len(await trades(binance)) == 1


async def test_a_transfer_is_the_change_of_a_balance(binance: Binance):
    stream = await binance.stream()
    await binance.world('transfer: {amount: "-30"}')
    event = await stream.next("ACCOUNT_UPDATE")
    [balance] = event["a"]["B"]

    assert (event["a"]["m"], event["a"]["P"]) == ("WITHDRAW", [])
    assert (Decimal(balance["bc"]), Decimal(balance["wb"])) == (-30, 99_970)


async def test_what_moves_the_books_adds_up(binance: Binance):
    """What a reconciler relies on: each history explains what stands, and so does the stream."""
    stream = await binance.stream()
    await binance.take("O-1", quantity="2")
    await binance.place("O-2", quantity="1.5")
    for quantity in ("0.1", "0.2", "0.3"):
        await binance.world(f'fill: {{order: O-2, quantity: "{quantity}"}}')
    await binance.world('fund: {rate: "-0.0003"}')
    await binance.world('price: {price: "51000"}')
    await binance.take("O-3", "SELL", "3.1")
    await binance.world('web_submit: {id: W-1, side: BUY, quantity: "0.7", type: MARKET}')
    await binance.world('deleverage: {quantity: "0.1", price: "50000.07"}')
    await binance.world('transfer: {amount: "12.5"}')
    events = await stream.all()

    fills = await trades(binance)
    signed = sum(Decimal(row["qty"]) * (1 if row["buyer"] else -1) for row in fills)
    assert (Decimal((await position(binance))[0]), len(fills)) == (signed, 7)
    rows = await binance.ok("GET", "/fapi/v1/income", limit=1000)
    assert await wallet(binance) == 100_000 + sum(Decimal(row["income"]) for row in rows)
    for order in await binance.ok("GET", "/fapi/v1/allOrders", **BTC):
        own = [row for row in fills if row["orderId"] == order["orderId"]]
        assert Decimal(order["executedQty"]) == sum(Decimal(row["qty"]) for row in own)
    told = {event["o"]["t"] for event in events if event["e"] == "ORDER_TRADE_UPDATE"} - {0}
    assert told == {row["id"] for row in fills}
    [balance] = [event for event in events if event["e"] == "ACCOUNT_UPDATE"][-1]["a"]["B"]
    assert Decimal(balance["wb"]) == await wallet(binance)
    assert [event["E"] for event in events] == sorted(event["E"] for event in events)
