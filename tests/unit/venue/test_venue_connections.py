"""The rules of stream connections, and of several listen keys on one account."""

from __future__ import annotations

import msgspec
from venue_client import SECOND_NS, Client, client

from sim.venue import AccountConfig, VenueConfig
from sim.venue.config import DAY_NS, MINUTE_NS, ApiKey
from sim.venue.wire import Closing, Request

GOING_AWAY, POLICY_VIOLATION = 1001, 1008


def test_a_connection_is_closed_when_its_day_is_over(nt: Client) -> None:
    connection = nt.venue.open_stream("/ws", nt.now_ns)
    assert nt.venue.next_deadline_ns() == nt.now_ns + DAY_NS
    nt.wait(DAY_NS - 1)
    assert nt.venue.take_closed() == []
    nt.wait(1)
    assert nt.venue.take_closed() == [Closing(connection, GOING_AWAY)]
    assert nt.venue.connections() == ()
    assert nt.venue.next_deadline_ns() is None


def test_the_life_of_a_connection_can_be_set() -> None:
    nt = client(connection_life_ns=MINUTE_NS)
    first = nt.venue.open_stream("/ws", nt.now_ns)
    nt.wait(MINUTE_NS // 2)
    second = nt.venue.open_stream("/ws", nt.now_ns)
    nt.wait(MINUTE_NS // 2)
    assert [each.connection_id for each in nt.venue.take_closed()] == [first]
    nt.venue.close_stream(second)
    nt.wait(MINUTE_NS)
    assert nt.venue.take_closed() == []


def test_a_ping_without_an_answer_ends_a_connection_after_ten_minutes(nt: Client) -> None:
    dead = nt.venue.open_stream("/ws", nt.now_ns)
    opened_ns = nt.now_ns
    nt.wait(4 * MINUTE_NS)
    alive = nt.venue.open_stream("/ws", nt.now_ns)
    # The ping of the sixth minute is the first that nobody answers.
    assert nt.venue.lose_pongs(dead, nt.now_ns) == opened_ns + 16 * MINUTE_NS
    assert nt.venue.next_deadline_ns() == opened_ns + 16 * MINUTE_NS
    nt.wait(12 * MINUTE_NS - 1)
    assert nt.venue.take_closed() == []
    nt.wait(1)
    assert [each.connection_id for each in nt.venue.take_closed()] == [dead]
    assert [link.connection_id for link in nt.venue.connections()] == [alive]


def test_a_client_that_answers_again_in_time_keeps_its_connection(nt: Client) -> None:
    connection = nt.venue.open_stream("/ws", nt.now_ns)
    nt.venue.lose_pongs(connection, nt.now_ns)
    nt.wait(12 * MINUTE_NS)
    nt.venue.hear_pongs(connection)
    nt.wait(60 * MINUTE_NS)
    assert nt.venue.take_closed() == []
    nt.venue.close_stream(connection)
    nt.venue.hear_pongs(connection)


def test_more_than_ten_messages_a_second_end_a_connection(nt: Client) -> None:
    connection = nt.venue.open_stream("/ws", nt.now_ns)
    ask = '{"method":"LIST_SUBSCRIPTIONS","id":1}'
    for _ in range(3):
        for _ in range(10):
            nt.venue.receive_text(connection, ask, nt.now_ns)
        nt.wait(SECOND_NS)
    assert nt.venue.take_closed() == []
    nt.wait(-SECOND_NS // 2)
    nt.venue.receive_text(connection, ask, nt.now_ns)
    assert nt.venue.take_closed() == [Closing(connection, POLICY_VIOLATION)]
    assert len(nt.venue.take_frames()) == 30


def test_a_connection_carries_no_more_than_1024_streams(nt: Client) -> None:
    connection = nt.venue.open_stream("/ws", nt.now_ns)
    names = [f"s{number}" for number in range(1025)]
    for params in (names, names[:1024], [names[0]], [names[1024]]):
        ask = msgspec.json.encode({"method": "SUBSCRIBE", "params": params, "id": 1}).decode()
        nt.venue.receive_text(connection, ask, nt.now_ns)
    refused, taken, again, one_more = nt.events(connection)
    assert taken == again == {"result": None, "id": 1}
    assert refused["error"] == one_more["error"]
    assert nt.venue.connections()[0].streams == names[:1024]


def test_an_address_with_more_than_1024_streams_is_closed(nt: Client) -> None:
    names = "/".join(f"s{number}" for number in range(1025))
    connection = nt.venue.open_stream(f"/stream?streams={names}", nt.now_ns)
    assert nt.venue.take_closed() == [Closing(connection, POLICY_VIOLATION)]


def test_a_shutdown_is_told_to_the_connections_that_it_is_about(nt: Client) -> None:
    first, second = nt.listen(), nt.listen()
    nt.venue.announce_shutdown([first, 99], nt.now_ns)
    assert nt.events(first) == [{"e": "serverShutdown", "E": nt.now_ns // 1_000_000}]
    assert nt.events(second) == []
    nt.venue.end_streams([first, 99], nt.now_ns)
    assert nt.venue.take_closed() == [Closing(first, GOING_AWAY)]


# -- listen keys


def two_keys() -> tuple[Client, str]:
    account = AccountConfig(more_keys=(ApiKey.named("second"),))
    return Client(VenueConfig(accounts=(account,))), "second-api-key"


def listen_key(nt: Client, method: str = "POST", key: str | None = None) -> str:
    response = nt.raw(method, "listenKey", key=key)
    assert response.status == 200, response.body
    return str(msgspec.json.decode(response.body).get("listenKey", ""))


def test_each_api_key_has_a_listen_key_and_both_hear_the_account() -> None:
    nt, second_key = two_keys()
    own, other = listen_key(nt), listen_key(nt, key=second_key)
    assert own != other == listen_key(nt, "PUT", second_key)
    first, second, both = (
        nt.venue.open_stream(url, nt.now_ns)
        for url in (f"/ws/{own}", f"/ws/{other}", f"/ws?listenKey={other}&listenKey={own}")
    )
    nt.limit()
    assert [f.connection_id for f in nt.venue.take_frames()] == [first, second, both]
    listen_key(nt, "DELETE")
    assert [each.connection_id for each in nt.venue.take_closed()] == [first, both]
    assert nt.error("PUT", "listenKey", signed=False) == -1125
    assert listen_key(nt, "PUT", second_key) == other


def test_after_a_rotation_two_keys_are_alive_and_only_the_new_one_is_extended() -> None:
    nt = client()
    old = nt.listen()
    old_key = nt.venue.streams.live_key("main")
    assert nt.venue.streams.keys.retire("main-api-key")
    assert not nt.venue.streams.keys.retire("main-api-key")
    assert nt.error("PUT", "listenKey", signed=False) == -1125
    nt.wait(30 * MINUTE_NS)
    new = nt.listen()
    assert nt.venue.streams.live_key("main") != old_key
    nt.limit()
    assert [frame.connection_id for frame in nt.venue.take_frames()] == [old, new]
    listen_key(nt, "PUT")
    nt.wait(30 * MINUTE_NS)
    (expired,) = nt.venue.take_frames()
    assert (expired.connection_id, expired.event) == (old, "listenKeyExpired")
    nt.fill("O-1", "1")
    assert {frame.connection_id for frame in nt.venue.take_frames()} == {new}


def test_an_expiry_ends_all_keys_of_an_account() -> None:
    nt, second_key = two_keys()
    for key in (listen_key(nt), listen_key(nt, key=second_key)):
        nt.venue.open_stream(f"/ws/{key}", nt.now_ns)
    assert nt.venue.expire_listen_key("main", nt.now_ns)
    assert [frame.event for frame in nt.venue.take_frames()] == ["listenKeyExpired"] * 2
    assert not nt.venue.expire_listen_key("main", nt.now_ns)


def test_a_request_without_a_key_is_refused_before_any_listen_key_is_made(nt: Client) -> None:
    assert nt.venue.handle(Request("POST", "/fapi/v1/listenKey"), nt.now_ns).status == 401
    assert nt.venue.streams.live_key("main") is None
