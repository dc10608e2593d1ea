"""Trades are read completely, whatever a full page shows."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Literal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon.binance import BinanceReader, ReadError
from recon.core.facts import Trade
from sim.clock import VirtualLoop
from sim.venue.payloads import trade_body
from sim.venue.reads import RepeatedRows, ShortPages
from tests.unit.recon.binance.desk import DAY_NS, MS_NS, SECOND_NS, Desk, all_of, error, ids

PATH = "/fapi/v1/userTrades"
type Page = Literal["head", "tail"]
both = pytest.mark.parametrize("window_page", ["head", "tail"])


async def test_a_trade_has_everything_that_the_venue_says():
    desk = Desk(hedge=True)
    desk.venue.web_submit(
        "main",
        "BTCUSDT",
        side="SELL",
        quantity=Decimal("0.02"),
        now_ns=desk.now_ns - 1,
        position_side="SHORT",
    )
    (truth,) = desk.venue.trades()

    (trade,) = await all_of(desk.reader.trades_from("BTCUSDT", 0))

    assert trade == Trade(
        symbol="BTCUSDT",
        order_id=str(truth.order_id),
        trade_id=str(truth.trade_id),
        sequence=truth.trade_id,
        side="SELL",
        position_side="SHORT",
        quantity=Decimal("0.02"),
        price=Decimal(50000),
        commission=Decimal("0.5"),
        commission_asset="USDT",
        is_maker=False,
        time_ns=truth.time_ns // MS_NS * MS_NS,
        realized_pnl=Decimal(0),
    )


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
async def test_trades_from_an_id_are_read_to_a_short_page(count: int):
    desk = Desk()
    desk.trade(*(desk.now_ns - DAY_NS + n for n in range(count)))

    assert ids(await all_of(desk.reader.trades_from("BTCUSDT", 0))) == desk.trade_ids()


async def test_a_cursor_is_inclusive():
    desk = Desk()
    desk.trade(*(desk.now_ns - SECOND_NS + n for n in range(5)))
    known = desk.trade_ids()

    assert ids(await all_of(desk.reader.trades_from("BTCUSDT", int(known[2])))) == known[2:]
    assert await all_of(desk.reader.trades_from("BTCUSDT", int(known[-1]) + 1)) == []


@pytest.mark.parametrize("count", [2, 3, 4, 5, 9])
@pytest.mark.parametrize("page_limit", [2, 3])
async def test_a_row_that_stands_on_two_pages_is_read_once(count: int, page_limit: int):
    desk = Desk(page_limit=page_limit)
    desk.trade(*(desk.now_ns - DAY_NS + n * SECOND_NS for n in range(count)))
    known = desk.trade_ids()
    acted: list[str] = []
    desk.venue.reads.begin(RepeatedRows(models=("userTrades",), acted=acted.append))

    since = await all_of(desk.reader.trades_since("BTCUSDT", desk.now_ns - DAY_NS + 1))
    from_id = await all_of(desk.reader.trades_from("BTCUSDT", int(known[1])))
    assert ids(since) == ids(from_id) == known[1:]
    assert acted


@both
@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
async def test_trades_since_an_instant_are_all_read(window_page: Page, count: int):
    desk = Desk(window_page=window_page)
    begin_ns = desk.now_ns - DAY_NS
    desk.trade(*(begin_ns + n * 20 * SECOND_NS for n in range(-3, count)))

    since = await all_of(desk.reader.trades_since("BTCUSDT", begin_ns))

    assert ids(since) == desk.trade_ids(since_ns=begin_ns)
    assert len(since) == count


@both
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 17])
async def test_pages_that_are_shorter_than_asked_for_hide_none(window_page: Page, count: int):
    desk = Desk(window_page=window_page)
    begin_ns = desk.now_ns - DAY_NS
    desk.trade(*(begin_ns + n * 20 * SECOND_NS for n in range(-3, count)))
    desk.venue.reads.begin(ShortPages(models=("userTrades",), acted=lambda _: None, rows=2))
    desk.venue.reads.begin(RepeatedRows(models=("userTrades",), acted=lambda _: None))

    since = await all_of(desk.reader.trades_since("BTCUSDT", begin_ns))

    assert ids(since) == desk.trade_ids(since_ns=begin_ns)


@both
async def test_a_lookback_of_weeks_is_walked_in_windows(window_page: Page):
    desk = Desk(window_page=window_page)
    begin_ns = desk.now_ns - 40 * DAY_NS
    desk.trade(*(begin_ns + day * DAY_NS for day in (-1, 23, 24, 39)))
    desk.watch(PATH)

    since = await all_of(desk.reader.trades_since("BTCUSDT", begin_ns))

    assert ids(since) == desk.trade_ids(since_ns=begin_ns)
    assert len(desk.seen) == 7, "four windows until the first trade, a look before it, two pages"
    starts, ends = desk.asked("startTime"), desk.asked("endTime")
    assert all(
        int(end) - int(start) < 7 * 86_400_000
        for start, end in zip(starts, ends, strict=True)
        if start and end
    )
    assert not any(
        request.url.params.get("fromId") and request.url.params.get("startTime")
        for request in desk.seen
    )


async def test_a_venue_that_shows_the_oldest_rows_is_asked_twice_for_the_first():
    desk = Desk(page_limit=10)
    desk.trade(*(desk.now_ns - DAY_NS + n * SECOND_NS for n in range(25)))
    desk.watch(PATH)
    await all_of(desk.reader.trades_since("BTCUSDT", desk.now_ns - DAY_NS))

    assert len([start for start in desk.asked("startTime") if start]) == 2


@both
async def test_more_trades_in_a_millisecond_than_fit_on_a_page(window_page: Page):
    desk = Desk(window_page=window_page, page_limit=3)
    begin_ns = desk.now_ns - DAY_NS
    desk.trade(begin_ns - MS_NS, *(begin_ns + n for n in range(20)), begin_ns + SECOND_NS)

    since = await all_of(desk.reader.trades_since("BTCUSDT", begin_ns))

    assert ids(since) == desk.trade_ids(since_ns=begin_ns)


@both
async def test_many_trades_before_a_millisecond_with_more_than_a_page(window_page: Page):
    desk = Desk(window_page=window_page, page_limit=3)
    begin_ns = desk.now_ns - DAY_NS
    desk.trade(*(begin_ns + (n - 100) * SECOND_NS for n in range(100)))
    desk.trade(*(begin_ns + n for n in range(8)))

    since = await all_of(desk.reader.trades_since("BTCUSDT", begin_ns))

    assert ids(since) == desk.trade_ids(since_ns=begin_ns)


@given(
    gaps_ms=st.lists(st.sampled_from([0, 0, 1, 2, 7, 86_400_000, 500_000_000]), max_size=25),
    page_limit=st.integers(2, 6),
    window_page=st.sampled_from(["head", "tail"]),
    begin_ms=st.integers(0, 3 * 7 * 86_400_000),
    exactly_at=st.integers(0, 24) | st.none(),
)
def test_any_trades_since_any_instant_are_read_once_and_in_order(
    gaps_ms: list[int],
    page_limit: int,
    window_page: Page,
    begin_ms: int,
    exactly_at: int | None,
):
    async def body() -> None:
        desk = Desk(window_page=window_page, page_limit=page_limit, weight_limit_1m=10**6)
        at_ms, times_ms = 0, []
        for gap_ms in gaps_ms:
            at_ms += gap_ms
            times_ms.append(at_ms)
        left_ms = desk.now_ns // MS_NS - at_ms - 1
        desk.trade(*((left_ms + ms) * MS_NS for ms in times_ms))
        start_ms = left_ms + begin_ms
        if exactly_at is not None and exactly_at < len(times_ms):
            start_ms = left_ms + times_ms[exactly_at]

        since = await all_of(desk.reader.trades_since("BTCUSDT", start_ms * MS_NS))

        assert ids(since) == desk.trade_ids(since_ns=start_ms * MS_NS)
        assert all(trade.time_ns >= start_ms * MS_NS for trade in since)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(body())


async def test_a_trade_of_an_earlier_millisecond_is_not_since():
    desk = Desk()
    at_ns = desk.now_ns - SECOND_NS
    desk.trade(at_ns)

    assert await all_of(desk.reader.trades_since("BTCUSDT", at_ns + 1)) == []
    assert ids(await all_of(desk.reader.trades_since("BTCUSDT", at_ns))) == desk.trade_ids()


@pytest.mark.parametrize("ahead_secs", [-3_600, -30 * 86_400, 3_600])
@pytest.mark.parametrize("lookback_ns", [SECOND_NS, DAY_NS, 8 * DAY_NS])
async def test_a_clock_that_is_off_hides_no_trade(ahead_secs: int, lookback_ns: int):
    desk = Desk(ahead_ns=ahead_secs * SECOND_NS)
    start_ns = desk.now_ns - lookback_ns
    desk.trade(desk.now_ns - SECOND_NS // 2)

    assert ids(await all_of(desk.reader.trades_since("BTCUSDT", start_ns))) == desk.trade_ids()


async def test_nothing_is_looked_for_that_the_venue_no_longer_keeps():
    desk = Desk()
    desk.trade(desk.now_ns - DAY_NS)
    desk.watch(PATH)

    assert ids(await all_of(desk.reader.trades_since("BTCUSDT", 0))) == desk.trade_ids()
    assert len(desk.seen) <= 29


# -- the trades of one order


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 25])
async def test_all_trades_of_an_order_are_read(count: int):
    desk = Desk(page_limit=10)
    begin_ns = desk.now_ns - DAY_NS
    order_id = desk.rest(now_ns=begin_ns)
    for n in range(count):
        desk.fill(now_ns=begin_ns + n * SECOND_NS)
        desk.trade(begin_ns + n * SECOND_NS + 1)
    wanted = [str(t.trade_id) for t in desk.venue.trades() if str(t.order_id) == order_id]

    assert ids(await desk.reader.trades_of("BTCUSDT", order_id)) == wanted
    assert len(wanted) == count


async def test_trades_of_an_order_that_is_not_served_are_unknown():
    desk = Desk(page_limit=2)
    order_id = desk.rest(now_ns=desk.now_ns - DAY_NS)
    for _ in range(3):
        desk.fill(now_ns=desk.now_ns - DAY_NS)
    desk.answer("/fapi/v1/order", error(400, -2013))

    with pytest.raises(ReadError, match="more trades than a page"):
        await desk.reader.trades_of("BTCUSDT", order_id)


async def test_trades_of_another_order_are_no_answer():
    desk = Desk()
    desk.trade(desk.now_ns - 1)
    desk.answer(PATH, await page(desk))

    with pytest.raises(ReadError, match="others than 1"):
        await desk.reader.trades_of("BTCUSDT", "1")


# -- pages that fail, and pages that contradict


async def page(desk: Desk, **changed: object) -> httpx.Response:
    """Return what the venue says of all trades, with something changed in the first row."""
    held = desk.venue.exchange.accounts["main"].holdings["BTCUSDT"]
    found = [json.loads(trade_body(trade, held.symbol)) for trade in held.trades]
    found[0] |= changed
    return httpx.Response(200, json=found)


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_a_page_that_fails_ends_the_iteration_with_an_error(failing: int):
    desk = Desk(page_limit=10)
    desk.trade(*(desk.now_ns - SECOND_NS + n for n in range(25)))
    desk.answer(PATH, *[None] * failing, then=error(400, -1121))
    found: list[Trade] = []

    with pytest.raises(ReadError, match="GET /fapi/v1/userTrades BTCUSDT: HTTP 400, -1121"):
        await all_of(desk.reader.trades_from("BTCUSDT", 0), found)
    assert ids(found) == desk.trade_ids()[: failing and 10 + 9 * (failing - 1)]


@pytest.mark.parametrize(
    "changed",
    [
        {"symbol": "ETHUSDT"},
        {"id": 9_999_999_999},
        {"price": "NaN"},
        {"qty": "NaN"},
        {"qty": "0"},
        {"qty": "-1"},
        {"commission": "Infinity"},
        {"realizedPnl": ""},
        {"price": None},
        {"side": "LONG"},
        {"positionSide": "NET"},
        {"maker": "true"},
        {"time": "1"},
        {"orderId": "1"},
        {"commissionAsset": 1},
    ],
    ids=str,
)
async def test_a_row_that_is_not_as_documented_is_no_trade(changed: dict[str, object]):
    desk = Desk()
    desk.trade(desk.now_ns - 2, desk.now_ns - 1)
    desk.answer(PATH, await page(desk, **changed))

    with pytest.raises(ReadError, match="GET /fapi/v1/userTrades BTCUSDT"):
        await all_of(desk.reader.trades_from("BTCUSDT", 0))


@both
async def test_trades_that_were_not_asked_for_are_no_answer(window_page: Page):
    desk = Desk(window_page=window_page)
    desk.trade(desk.now_ns - 2 * DAY_NS)
    desk.answer(PATH, await page(desk), await page(desk))

    with pytest.raises(ReadError, match="from which they were asked for"):
        await all_of(desk.reader.trades_from("BTCUSDT", 9_999_999_999))
    with pytest.raises(ReadError, match="not of the time"):
        await all_of(desk.reader.trades_since("BTCUSDT", desk.now_ns - DAY_NS))


async def test_a_window_that_empties_while_it_is_read_is_unknown():
    desk = Desk(page_limit=2)
    desk.trade(*(desk.now_ns - DAY_NS + n for n in range(3)))
    desk.answer(PATH, None, httpx.Response(200, json=[]), httpx.Response(200, json=[]))

    with pytest.raises(ReadError, match="was shown and then was not"):
        await all_of(desk.reader.trades_since("BTCUSDT", desk.now_ns - 2 * DAY_NS))


async def test_both_sides_of_a_self_trade_are_read_across_pages():
    desk = Desk(page_limit=2)
    desk.trade(*(desk.now_ns - SECOND_NS + n for n in range(3)))
    first, second, third = (await page(desk)).json()
    other = second | {"side": "SELL", "orderId": 7, "buyer": False}
    desk.answer(
        PATH,
        httpx.Response(200, json=[first, second]),
        httpx.Response(200, json=[second, other]),
        httpx.Response(200, json=[third]),
        httpx.Response(200, json=[third]),
    )

    found = await all_of(desk.reader.trades_from("BTCUSDT", 0))

    assert [(t.sequence, t.side) for t in found] == [
        (first["id"], "BUY"), (second["id"], "BUY"), (second["id"], "SELL"), (third["id"], "BUY"),
    ]  # fmt: skip
    assert desk.asked("fromId") == [
        "0", str(second["id"]), str(second["id"] + 1), str(third["id"]),
    ]  # fmt: skip


async def test_it_is_one_request_when_nothing_was_traded_since():
    desk = Desk()
    desk.trade(*(desk.now_ns - SECOND_NS + n for n in range(3)))
    last = desk.trade_ids()[-1]
    desk.watch(PATH)

    found = await all_of(desk.reader.trades_from("BTCUSDT", int(last)))

    assert ids(found) == [last]
    assert len(desk.seen) == 1


@pytest.mark.parametrize("rows", [1, 2, 3])
async def test_a_page_that_is_short_of_rows_is_no_end(rows: int):
    desk = Desk()
    desk.trade(*(desk.now_ns - SECOND_NS + n for n in range(7)))
    whole = (await page(desk)).json()
    pages = [whole[:rows]]
    while pages[-1][-1] != whole[-1]:
        last = whole.index(pages[-1][-1])
        pages.append(whole[last : last + max(rows, 2)])
    desk.answer(PATH, *(httpx.Response(200, json=page) for page in (*pages, whole[-1:])))

    found = await all_of(desk.reader.trades_from("BTCUSDT", 0))

    assert [t.sequence for t in found] == [row["id"] for row in whole]


def test_one_row_is_too_few_for_a_page():
    with pytest.raises(ValueError, match="2 to 1000"):
        BinanceReader(None, page_limit=1)
