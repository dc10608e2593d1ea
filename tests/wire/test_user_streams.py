"""Where a stream can be opened, what is heard there, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.binance import Binance, Stream

LISTEN_KEY = "/fapi/v1/listenKey"
HOUR = 3600


async def names(stream: Stream) -> list[str]:
    return [frame.get("e", "") for frame in await stream.all()]


# -- addresses and framing

RAW = (
    "/ws?listenKey={key}",
    "/private/ws?listenKey={key}",
    "/private/ws/{key}",
    "/ws/{key}",
)
WRAPPED = (
    "/stream?streams={key}",
    "/private/stream?listenKey={key}",
    "/private/stream?streams={key}",
    "/private/stream?listenKey=nothing&listenKey={key}",
)
LATER = ("/ws", "/private/ws", "/stream", "/private/stream")


@pytest.mark.parametrize("url", RAW)
async def test_an_event_as_it_is(binance: Binance, url: str):
    stream = await binance.stream(url)
    await binance.place("O-1")
    event = await stream.next("ORDER_TRADE_UPDATE")

    assert event["o"]["c"] == "O-1"


@pytest.mark.parametrize("url", WRAPPED)
async def test_an_event_with_the_name_of_its_stream(binance: Binance, url: str):
    stream = await binance.stream(url)
    await binance.place("O-1")
    frame = await stream.frame()

    assert set(frame) == {"stream", "data"}
    assert frame["stream"] == await binance.listen_key()
    assert frame["data"]["o"]["c"] == "O-1"


@pytest.mark.parametrize("url", LATER)
async def test_a_stream_that_is_subscribed_to_later(binance: Binance, url: str):
    key = await binance.listen_key()
    stream = await binance.open(url)
    await binance.place("O-1")
    await stream.quiet()

    assert await stream.ask("SUBSCRIBE", key, number=7) == {"result": None, "id": 7}
    assert await stream.ask("LIST_SUBSCRIPTIONS", number=8) == {"result": [key], "id": 8}
    await binance.place("O-2")
    frame = await stream.frame()
    assert ("stream" in frame) is ("stream" in url)
    assert frame.get("data", frame)["o"]["c"] == "O-2"

    assert await stream.ask("UNSUBSCRIBE", key, number=9) == {"result": None, "id": 9}
    await binance.place("O-3")
    await stream.quiet()


@pytest.mark.parametrize(
    ("only", "heard"),
    [
        ("ORDER_TRADE_UPDATE", ["ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE"]),
        ("ACCOUNT_UPDATE", ["ACCOUNT_UPDATE"]),
        (
            "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE",
            ["ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"],
        ),
        ("MARGIN_CALL", []),
    ],
)
async def test_an_address_may_choose_the_types(binance: Binance, only: str, heard: list[str]):
    stream = await binance.stream("/private/ws?listenKey={key}&events=" + only)
    await binance.take("O-1")

    assert await names(stream) == heard


@pytest.mark.parametrize(
    "url",
    [
        "/ws?listenKey=nothing",
        "/private/ws/nothing",
        "/stream?streams=btcusdt@aggTrade",
        "/market/ws/btcusdt@kline_1m",
        "/public/stream?streams=btcusdt@bookTicker/ethusdt@bookTicker",
    ],
)
async def test_an_address_at_which_nothing_is_said(binance: Binance, url: str):
    await binance.listen_key()
    stream = await binance.open(url)
    await binance.take("O-1")

    await stream.quiet()
    assert not stream.is_closed


async def test_each_connection_gets_each_event_once_and_none_that_was_before_it(binance: Binance):
    await binance.place("O-1")
    first = await binance.stream()
    await binance.place("O-2")
    second = await binance.stream()
    await binance.place("O-3")

    assert [event["o"]["c"] for event in await first.all()] == ["O-2", "O-3"]
    assert [event["o"]["c"] for event in await second.all()] == ["O-3"]


async def test_what_happens_while_nobody_listens_is_lost(binance: Binance):
    stream = await binance.stream()
    await binance.place("O-1")
    await stream.next("ORDER_TRADE_UPDATE")
    await stream.close()
    await binance.place("O-2")
    again = await binance.stream()

    await again.quiet()


@pytest.mark.venue("accounts: {main: {}, other: {}}")
async def test_an_account_hears_of_itself_alone(binance: Binance):
    other = binance.as_another("other")
    ours, theirs = await binance.stream(), await other.stream()
    await binance.place("O-1")
    await other.place("X-1")

    assert [event["o"]["c"] for event in await ours.all()] == ["O-1"]
    assert [event["o"]["c"] for event in await theirs.all()] == ["X-1"]


@pytest.mark.venue("accounts: {main: {keys: [main, second]}}")
async def test_each_api_key_has_a_listen_key_of_its_own(binance: Binance):
    second = binance.as_another("second")
    one, two = await binance.listen_key(), await second.listen_key()
    streams = [await binance.stream(), await second.stream()]
    await binance.place("O-1")

    assert one != two
    assert [await names(stream) for stream in streams] == [["ORDER_TRADE_UPDATE"]] * 2
    await second.ok("DELETE", LISTEN_KEY, auth="key")
    assert await binance.listen_key() == one


# -- the life of a listen key


async def test_a_live_key_is_given_again(binance: Binance):
    key = await binance.listen_key()

    assert await binance.listen_key() == key
    assert await binance.ok("PUT", LISTEN_KEY, auth="key") == {"listenKey": key}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_key_that_there_is_not(binance: Binance, method: str):
    reply = await binance.rest(method, LISTEN_KEY, auth="key")

    assert reply.refusal == (400, -1125)
    assert reply.json["msg"] == "This listenKey does not exist."


@pytest.mark.parametrize(("method", "lasts"), [("", False), ("PUT", True), ("POST", True)])
async def test_a_key_lasts_for_an_hour_from_when_it_was_last_asked_for(
    binance: Binance, method: str, lasts: bool
):
    stream = await binance.stream()
    key = await binance.listen_key()
    await binance.wait(HOUR - 60)
    if method:
        await binance.ok(method, LISTEN_KEY, auth="key")
    await binance.wait(120)

    assert await names(stream) == ([] if lasts else ["listenKeyExpired"])
    assert (await binance.listen_key() == key) is lasts


async def test_a_key_that_has_run_out_is_told_of_and_the_rest_is_silence(binance: Binance):
    streams = [await binance.stream(), await binance.stream()]
    key = await binance.listen_key()
    await binance.wait(HOUR)
    for stream in streams:
        expired = await stream.next("listenKeyExpired")
        assert expired["listenKey"] == key
    await binance.place("O-1")
    fresh = await binance.stream()
    await binance.place("O-2")

    assert [event["o"]["c"] for event in await fresh.all()] == ["O-2"]
    for stream in streams:
        await stream.quiet()
        assert not stream.is_closed


async def test_the_end_of_a_key_closes_its_connections(binance: Binance):
    stream = await binance.stream()
    assert await binance.ok("DELETE", LISTEN_KEY, auth="key") == {}
    await stream.ended()

    await stream.quiet()
    assert await binance.refused("PUT", LISTEN_KEY, auth="key") == (400, -1125)


# -- the life of a connection


async def test_a_connection_ends_after_a_day(binance: Binance):
    stream = await binance.stream()
    for _ in range(48):
        assert not stream.is_closed
        await binance.ok("PUT", LISTEN_KEY, auth="key")
        await binance.wait(HOUR / 2)

    await stream.ended()


async def test_a_connection_that_says_too_much_is_closed(binance: Binance):
    stream = await binance.open("/ws")
    for number in range(10):
        await stream.ask("LIST_SUBSCRIPTIONS", number=number)
    assert not stream.is_closed
    await binance.wait(1)
    for _ in range(11):
        stream.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')

    await stream.ended()


async def test_a_server_that_shuts_down_says_so_first(binance: Binance):
    stream = await binance.stream()
    await binance.world("shut_down_streams: {by: 10s}")
    await stream.next("serverShutdown")
    assert not stream.is_closed
    await binance.wait(10)

    await stream.ended()


@pytest.mark.parametrize("text", ["nonsense", "[]", "{}"])
async def test_what_is_no_command_is_answered_with_an_error(binance: Binance, text: str):
    stream = await binance.open("/ws")
    stream.send(text)
    answer: dict[str, Any] = await stream.frame()

    assert isinstance(answer["error"]["code"], int)
