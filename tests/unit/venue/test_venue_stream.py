"""Listen keys, connections, and what is said on them."""

from __future__ import annotations

import msgspec
import pytest
from venue_client import SECOND_NS, Client, client, two_accounts

from sim.venue.wire import Closing

HOUR_NS = 3600 * SECOND_NS


def names(events: list[dict[str, object]]) -> list[object]:
    return [event["e"] for event in events]


def test_a_fill_is_told_as_account_update_then_order_update_of_the_same_instant(
    nt: Client,
) -> None:
    connection = nt.listen()
    nt.limit()
    nt.wait(1_500_000)
    nt.fill("O-1", "0.4")
    new, account, trade = nt.events(connection)
    assert (new["o"]["x"], new["o"]["X"], new["o"]["n"], new["o"]["t"]) == ("NEW", "NEW", "0", 0)
    assert (account["e"], account["a"]["m"]) == ("ACCOUNT_UPDATE", "ORDER")
    assert account["a"]["P"][0]["pa"] == "0.4"
    assert account["a"]["B"][0]["bc"] == "0"
    assert (trade["o"]["x"], trade["o"]["X"]) == ("TRADE", "PARTIALLY_FILLED")
    assert (trade["o"]["l"], trade["o"]["z"], trade["o"]["L"]) == ("0.4", "0.4", "50000")
    assert trade["o"]["b"] == "30000"
    assert account["E"] == account["T"] == trade["E"] == trade["T"] == trade["o"]["T"]
    assert trade["E"] == nt.now_ns // 1_000_000


def test_a_market_order_is_told_as_new_and_then_filled(nt: Client) -> None:
    connection = nt.listen()
    nt.market()
    new, account, trade = nt.events(connection)
    assert names([new, account, trade]) == [
        "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE",
    ]  # fmt: skip
    assert (new["o"]["x"], trade["o"]["X"], trade["o"]["m"]) == ("NEW", "FILLED", False)


def test_cancel_and_amend_are_order_updates(nt: Client) -> None:
    connection = nt.listen()
    order_id = nt.limit()["orderId"]
    nt.ok(
        "PUT", "order", symbol="BTCUSDT", side="BUY", orderId=order_id, quantity="2", price="49000"
    )
    nt.ok("DELETE", "order", symbol="BTCUSDT", orderId=order_id)
    _, amended, cancelled = nt.events(connection)
    assert (amended["o"]["x"], amended["o"]["q"], amended["o"]["p"]) == ("AMENDMENT", "2", "49000")
    assert (cancelled["o"]["x"], cancelled["o"]["l"]) == ("CANCELED", "0")


def test_trade_lite_comes_first_when_the_venue_sends_it() -> None:
    nt = client(trade_lite=True)
    connection = nt.listen()
    nt.market()
    events = nt.events(connection)
    assert names(events)[1:] == ["TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
    assert (events[1]["q"], events[1]["p"]) == ("1.000", "0.00")


def test_frames_say_what_they_are(nt: Client) -> None:
    nt.listen()
    order_id = nt.limit()["orderId"]
    nt.fill("O-1", "1")
    new, account, trade = nt.venue.take_frames()
    assert (new.event, new.execution, new.client_order_id) == ("ORDER_TRADE_UPDATE", "NEW", "O-1")
    assert (account.event, account.execution, account.account) == ("ACCOUNT_UPDATE", "", "main")
    assert (trade.execution, trade.order_id) == ("TRADE", order_id)
    assert trade.trade_id == account.trade_id == nt.venue.trades()[0].trade_id
    assert [frame.sequence for frame in (new, account, trade)] == [1, 2, 3]
    assert nt.venue.take_frames() == []


def test_nothing_is_replayed_and_the_sequence_counts_the_unheard(nt: Client) -> None:
    nt.limit()
    nt.fill("O-1", "0.5")
    first = nt.listen()
    assert nt.venue.take_frames() == []
    nt.venue.close_stream(first)
    nt.venue.close_stream(first)
    nt.fill("O-1", "0.25")
    nt.listen()
    nt.fill("O-1", "0.25")
    assert [frame.sequence for frame in nt.venue.take_frames()] == [6, 7]


def test_every_connection_of_the_key_gets_every_event(nt: Client) -> None:
    first, second = nt.listen(), nt.listen()
    nt.limit()
    frames = nt.venue.take_frames()
    assert [frame.connection_id for frame in frames] == [first, second]
    assert frames[0].text == frames[1].text
    assert frames[0].sequence == frames[1].sequence


@pytest.mark.parametrize(
    "path", ["/ws?listenKey={key}", "/private/ws?listenKey={key}", "/ws/{key}", "/private/ws/{key}"]
)
def test_raw_stream_addresses(nt: Client, path: str) -> None:
    connection = nt.listen(path)
    nt.limit()
    assert names(nt.events(connection)) == ["ORDER_TRADE_UPDATE"]


@pytest.mark.parametrize("path", ["/stream?streams={key}", "/private/stream?listenKey={key}"])
def test_combined_streams_wrap_their_events(nt: Client, path: str) -> None:
    connection = nt.listen(path)
    nt.limit()
    (event,) = nt.events(connection)
    assert event["stream"] == nt.venue.streams.live_key("main")
    assert event["data"]["e"] == "ORDER_TRADE_UPDATE"


def test_a_connection_may_ask_for_some_event_types_only(nt: Client) -> None:
    connection = nt.listen("/private/ws?listenKey={key}&events=ACCOUNT_UPDATE")
    nt.market()
    assert names(nt.events(connection)) == ["ACCOUNT_UPDATE"]


def test_an_unknown_key_is_accepted_and_silent(nt: Client) -> None:
    nt.listen()
    silent = nt.venue.open_stream("/ws?listenKey=unheard-of", nt.now_ns, "nt")
    nt.limit()
    assert nt.events(silent) == []


def test_a_key_can_be_subscribed_to(nt: Client) -> None:
    key = nt.ok("POST", "listenKey", signed=False)["listenKey"]
    connection = nt.venue.open_stream("/ws", nt.now_ns, "other")
    ask = f'{{"method":"SUBSCRIBE","params":["{key}"],"id":7}}'
    nt.venue.receive_text(connection, ask, nt.now_ns)
    nt.venue.receive_text(connection, '{"method":"LIST_SUBSCRIPTIONS","id":"x"}', nt.now_ns)
    nt.venue.receive_text(connection, "not json", nt.now_ns)
    nt.venue.receive_text(connection, '{"method":"SUBSCRIBE","params":5}', nt.now_ns)
    assert nt.events() == [
        {"result": None, "id": 7},
        {"result": [key], "id": "x"},
        {"error": {"code": 3, "msg": "Invalid JSON"}},
        {"error": {"code": 3, "msg": "Invalid JSON"}},
    ]
    nt.limit()
    assert len(nt.events(connection)) == 1
    leave = f'{{"method":"UNSUBSCRIBE","params":["{key}"],"id":8}}'
    nt.venue.receive_text(connection, leave, nt.now_ns)
    nt.fill("O-1", "1")
    assert nt.events() == [{"result": None, "id": 8}]
    nt.venue.receive_text(999, ask, nt.now_ns)
    assert nt.events() == []


def test_market_data_streams_are_accepted(nt: Client) -> None:
    connection = nt.venue.open_stream("/stream?streams=btcusdt@bookTicker", nt.now_ns, "nt")
    ask = '{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}'
    nt.venue.receive_text(connection, ask, nt.now_ns)
    assert nt.events(connection) == [{"result": None, "id": 1}]
    (open_one,) = nt.venue.connections()
    assert open_one.streams == ["btcusdt@bookTicker", "btcusdt@aggTrade"]


def test_a_listen_key_lives_an_hour_from_its_last_extension(nt: Client) -> None:
    key = nt.ok("POST", "listenKey", signed=False)["listenKey"]
    assert len(key) == 64
    nt.wait(HOUR_NS // 2)
    assert nt.ok("POST", "listenKey", signed=False)["listenKey"] == key
    nt.wait(HOUR_NS // 2)
    assert nt.ok("PUT", "listenKey", signed=False)["listenKey"] == key
    assert nt.venue.next_deadline_ns() == nt.now_ns + HOUR_NS
    nt.wait(HOUR_NS)
    assert nt.venue.next_deadline_ns() is None
    assert nt.error("PUT", "listenKey", signed=False) == -1125
    assert nt.ok("POST", "listenKey", signed=False)["listenKey"] != key


def test_expiry_is_announced_and_then_there_is_silence(nt: Client) -> None:
    connection = nt.listen()
    key = nt.venue.streams.live_key("main")
    expires_ns = nt.now_ns + HOUR_NS
    nt.wait(2 * HOUR_NS)
    assert nt.events(connection) == [
        {"e": "listenKeyExpired", "E": expires_ns // 1_000_000, "listenKey": key}
    ]
    nt.limit()
    assert nt.events(connection) == []
    assert len(nt.venue.connections()) == 1
    fresh = nt.listen()
    nt.fill("O-1", "1")
    assert {frame.connection_id for frame in nt.venue.take_frames()} == {fresh}


def test_a_key_may_be_ended_early_with_or_without_a_word(nt: Client) -> None:
    nt.listen()
    nt.venue.expire_listen_key("main", nt.now_ns, notify=False)
    nt.limit()
    assert nt.events() == []
    nt.listen()
    nt.venue.expire_listen_key("main", nt.now_ns)
    assert names(nt.events()) == ["listenKeyExpired"]
    nt.venue.expire_listen_key("main", nt.now_ns)
    assert nt.events() == []


def test_delete_closes_the_streams_of_the_key(nt: Client) -> None:
    connection = nt.listen()
    assert nt.ok("DELETE", "listenKey", signed=False) == {}
    assert nt.venue.take_closed() == [Closing(connection, 1001)]
    assert nt.venue.take_closed() == []
    assert nt.venue.connections() == ()
    assert nt.error("DELETE", "listenKey", signed=False) == -1125


def test_events_go_to_their_own_account_only() -> None:
    one, two = two_accounts()
    first, second = one.listen(), two.listen()
    one.limit("O-1")
    assert [frame.connection_id for frame in one.venue.take_frames()] == [first]
    two.limit("O-1")
    assert [frame.connection_id for frame in one.venue.take_frames()] == [second]


def test_equal_seeds_say_the_same_bytes() -> None:
    said = []
    for _ in range(2):
        nt = client()
        nt.listen()
        nt.limit(price="50000.1")
        nt.fill("O-1", "0.123")
        said.append([msgspec.structs.asdict(frame) for frame in nt.venue.take_frames()])
    assert said[0] == said[1]
