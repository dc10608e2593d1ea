"""Faults: what each may do, how it ends, and that one that did nothing is named."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import structs

from sim.faults import (
    DelayedFrame,
    DelayedReply,
    DroppedFrame,
    DuplicatedFrame,
    FailedRequest,
    Fault,
    Faults,
    GarbledReply,
    Late,
    LostReply,
    StreamOutage,
    Substitute,
)
from sim.observation import Impairment
from sim.venue.wire import Frame, Request, Response
from tests.unit.network_rig import answered

ORDER = Request("POST", "/fapi/v1/order", "symbol=BTCUSDT&side=BUY")
QUERY = Request("GET", "/fapi/v1/order", "symbol=BTCUSDT&orderId=1")


def frame(**changes: Any) -> Frame:
    base = Frame(
        connection_id=1,
        sequence=1,
        text="{}",
        account="main",
        event="ORDER_TRADE_UPDATE",
        time_ns=0,
        symbol="BTCUSDT",
        execution="TRADE",
        client_order_id="O-1",
    )
    return msgspec.structs.replace(base, **changes)


class Clock:
    now_ns = 0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def faults(clock: Clock) -> Faults:
    return Faults(lambda: clock.now_ns, lambda fault, what: None)


def test_without_faults_nothing_is_touched(faults: Faults):
    assert faults.on_request(ORDER, 0) is None
    assert faults.on_frame(frame(), "nt", 0).delays_ns == [0]
    assert not faults.on_handshake("nt")


def test_a_request_fails_as_often_as_told(faults: Faults):
    faults.arm(FailedRequest("f", path="/fapi/v1/order", answer=answered(503, -1007), count=2))

    answers = [faults.on_request(ORDER, 0) for _ in range(3)]
    assert [answer is not None for answer in answers] == [True, True, False]
    assert answers[0] is not None
    assert answers[0].response.status == 503
    assert msgspec.json.decode(answers[0].response.body)["code"] == -1007


def test_a_request_fails_until_it_is_healed(faults: Faults):
    faults.arm(FailedRequest("f", path="/fapi/v1/order", answer=answered(503), until_ns=10))

    assert faults.on_request(ORDER, 9) is not None
    assert faults.on_request(ORDER, 10) is None


@pytest.mark.parametrize(
    ("wanted", "hit"),
    [
        ({"method": "POST"}, True),
        ({"method": "GET"}, False),
        ({"symbol": "BTCUSDT"}, True),
        ({"symbol": "BTC"}, False),
        ({"symbol": "ETHUSDT"}, False),
    ],
)
def test_a_request_is_chosen_by_all_that_is_given(faults: Faults, wanted: Any, hit: bool):
    faults.arm(FailedRequest("f", path="/fapi/v1/order", answer=answered(500), count=1, **wanted))

    assert (faults.on_request(ORDER, 0) is not None) == hit


def test_a_failure_without_a_code_has_no_json(faults: Faults):
    faults.arm(
        FailedRequest("f", path="/fapi/v1/order", answer=answered(502, None, "<html>"), count=1)
    )

    answer = faults.on_request(QUERY, 0)
    assert answer is not None
    assert answer.response is not None
    assert answer.response.body == b"<html>"


def test_frames_are_dropped_repeated_and_late(faults: Faults):
    faults.arm(DroppedFrame("drop", client_order_id="O-1", count=1))
    faults.arm(DuplicatedFrame("copy", copies=2, by_ns=5, client_order_id="O-2", count=1))
    faults.arm(DelayedFrame("late", by_ns=7, client_order_id="O-3", count=1))

    assert faults.on_frame(frame(client_order_id="O-1"), "nt", 0).delays_ns == []
    assert faults.on_frame(frame(client_order_id="O-2"), "nt", 0).delays_ns == [0, 5, 10]
    assert faults.on_frame(frame(client_order_id="O-3"), "nt", 0).delays_ns == [7]
    assert faults.on_frame(frame(client_order_id="O-1", sequence=2), "nt", 0).delays_ns == [0]


def test_every_copy_of_one_event_is_hit_and_counts_once(faults: Faults):
    drop = DroppedFrame("drop", count=1)
    faults.arm(drop)

    assert faults.on_frame(frame(connection_id=1), "nt", 0).delays_ns == []
    assert faults.on_frame(frame(connection_id=2), "recon", 0).delays_ns == []
    assert faults.on_frame(frame(connection_id=1, sequence=2), "nt", 0).delays_ns == [0]
    assert drop.activations == 1


def test_a_fault_may_be_of_one_client_only(faults: Faults):
    faults.arm(DroppedFrame("drop", client="nt", count=1))
    faults.arm(
        FailedRequest("fail", path="/fapi/v1/order", answer=answered(500), client="recon", count=1)
    )

    assert faults.on_frame(frame(), "recon", 0).delays_ns == [0]
    assert faults.on_frame(frame(), "nt", 0).delays_ns == []
    assert faults.on_request(ORDER, 0) is None
    assert faults.on_request(structs.replace(ORDER, client="recon"), 0) is not None


def test_a_symbol_is_found_in_the_query_and_in_the_form(faults: Faults):
    faults.arm(
        FailedRequest(
            "fail", path="/fapi/v1/order", answer=answered(500), symbol="BTCUSDT", count=9
        )
    )

    def asked(query: str = "", body: bytes = b"") -> bool:
        request = Request("POST", "/fapi/v1/order", query=query, body=body)
        return faults.on_request(request, 0) is not None

    assert asked("symbol=BTCUSDT&side=BUY")
    assert asked(body=b"side=BUY&symbol=BTCUSDT")
    assert not asked("symbol=ETHUSDT", b"newClientOrderId=BTCUSDT")


def test_a_lost_reply_has_no_response(faults: Faults):
    faults.arm(LostReply("lost", path="/fapi/v1/order", after_ns=7, applied="after", count=1))

    assert faults.on_request(ORDER, 0) == Substitute(None, "after", 7)
    assert faults.on_request(ORDER, 0) is None


def test_an_error_may_be_late_and_of_any_path(faults: Faults):
    faults.arm(FailedRequest("late", answer=answered(504), after_ns=7, count=2))

    for request in (ORDER, Request("GET", "/fapi/v1/time")):
        answer = faults.on_request(request, 0)
        assert isinstance(answer, Substitute)
        assert answer.response is not None
        assert (answer.response.status, answer.after_ns) == (504, 7)


def test_a_late_reply_is_the_venues_own(faults: Faults):
    faults.arm(DelayedReply("late", path="/fapi/v1/order", by_ns=7, count=1))

    assert faults.on_request(ORDER, 0) == Late(7)
    assert faults.on_request(ORDER, 0) is None


def test_a_fault_may_let_the_first_requests_pass(faults: Faults):
    fault = FailedRequest(
        "f", path="/fapi/v1/order", answer=answered(503), skip=2, count=1, method="GET"
    )
    faults.arm(fault)

    # What does not match is not among those that pass.
    answers = [faults.on_request(r, 0) for r in (QUERY, ORDER, QUERY, ORDER, QUERY, QUERY)]
    assert [answer is not None for answer in answers] == [False, False, False, False, True, False]
    assert fault.activations == 1


def test_a_garbled_reply_is_the_venues_own(faults: Faults):
    faults.arm(GarbledReply("cut", how="truncated", path="/fapi/v1/order", count=1))
    own = Response(200, (), b"[1,2]")

    assert faults.on_request(QUERY, 3) is None
    assert faults.on_response(QUERY, own, 3) == Response(200, (), b"[1")
    assert faults.on_response(QUERY, own, 4) is own
    assert faults.impairments() == (Impairment("read", 3, 3),)


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/fapi/v1/order", "read"),
        ("POST", "/fapi/v1/order", "command"),
        ("DELETE", "/fapi/v1/order", "command"),
        ("POST", "/fapi/v1/listenKey", "stream"),
    ],
)
def test_what_a_failed_request_impairs(method: str, path: str, kind: str, faults: Faults):
    faults.arm(FailedRequest("once", path=path, answer=answered(500), count=1))
    faults.arm(FailedRequest("while", path=path, answer=answered(500), until_ns=50))

    for at_ns in (10, 20, 30):
        faults.on_request(Request(method, path), at_ns)

    assert faults.impairments() == (Impairment(kind, 10, 10), Impairment(kind, 20, 50))


def test_faults_of_one_frame_add_up(faults: Faults):
    faults.arm(DelayedFrame("late", by_ns=7, count=1))
    faults.arm(DuplicatedFrame("copy", copies=1, by_ns=5, count=1))

    assert faults.on_frame(frame(), "nt", 0).delays_ns == [7, 12]


@pytest.mark.parametrize(
    ("wanted", "hit"),
    [
        ({"event": "ORDER_TRADE_UPDATE"}, True),
        ({"event": "ACCOUNT_UPDATE"}, False),
        ({"event": "ORDER_TRADE_UPDATE", "execution": "TRADE"}, True),
        ({"event": "ORDER_TRADE_UPDATE", "execution": "NEW"}, False),
        ({"symbol": "BTCUSDT", "client_order_id": "O-1"}, True),
        ({"symbol": "BTCUSDT", "client_order_id": "O-2"}, False),
    ],
)
def test_a_frame_is_chosen_by_all_that_is_given(faults: Faults, wanted: Any, hit: bool):
    faults.arm(DroppedFrame("drop", count=1, **wanted))

    assert (faults.on_frame(frame(), "nt", 0).delays_ns == []) == hit


def test_an_outage_ends_by_itself(faults: Faults, clock: Clock):
    outage = StreamOutage("outage", until_ns=10)
    faults.arm(outage)

    assert faults.on_handshake("nt")
    clock.now_ns = 10
    assert not faults.on_handshake("nt")
    assert outage.activations == 1


def test_what_never_acted_is_named(faults: Faults):
    faults.arm(DroppedFrame("the first", count=1))
    faults.arm(DroppedFrame("the second", event="ACCOUNT_UPDATE", count=1))
    faults.on_frame(frame(), "nt", 0)

    assert faults.inert() == ["the second"]


def test_every_activation_is_reported(clock: Clock):
    seen: list[tuple[str, str]] = []

    def report(fault: Fault, what: str) -> None:
        seen.append((fault.label, what))

    faults = Faults(lambda: clock.now_ns, report)
    faults.arm(DroppedFrame("drop", count=1))
    faults.arm(FailedRequest("fail", path="/fapi/v1/order", answer=answered(500), count=1))
    faults.on_frame(frame(), "nt", 0)
    faults.on_request(ORDER, 0)

    assert seen == [("drop", "ORDER_TRADE_UPDATE TRADE"), ("fail", "nt POST /fapi/v1/order")]


def test_a_fault_lets_pass_what_it_skips_and_counts_events_not_copies(faults: Faults):
    faults.arm(DroppedFrame("f", event="ORDER_TRADE_UPDATE", skip=1, count=1))
    assert faults.on_frame(frame(sequence=1), "nt", 0).delays_ns == [0]
    assert faults.on_frame(frame(sequence=1, connection_id=2), "recon", 0).delays_ns == [0]
    assert faults.on_frame(frame(sequence=2), "nt", 0).delays_ns == []
    assert faults.on_frame(frame(sequence=2, connection_id=2), "recon", 0).delays_ns == []
    assert faults.on_frame(frame(sequence=3), "nt", 0).delays_ns == [0]


def hits_of(faults: Faults, label: str, seed: int) -> list[bool]:
    faults.heal()
    faults.arm(FailedRequest(label, answer=answered(503), probability=0.3, seed=seed))
    return [faults.on_request(QUERY, 0) is not None for _ in range(200)]


def test_chance_comes_from_the_fault_s_own_seed(faults: Faults):
    first, again, other = (hits_of(faults, "f", seed) for seed in (1, 1, 2))
    assert first == again != other
    assert 40 < sum(first) < 80


def of(node: str, key: str = "") -> Request:
    headers = (("X-MBX-APIKEY", key),) if key else ()
    return structs.replace(QUERY, node=node, headers=headers)


def test_a_fault_may_be_of_one_node_only(faults: Faults):
    faults.arm(FailedRequest("f", answer=answered(503), node="B"))
    faults.arm(DroppedFrame("d", node="B"))

    assert faults.on_request(of("A"), 0) is None
    assert faults.on_request(of("B"), 7) is not None
    assert faults.on_frame(frame(node="A"), "nt", 0).delays_ns == [0]
    assert faults.on_frame(frame(node="B"), "nt", 7).delays_ns == []
    assert faults.impairments() == (
        Impairment("read", 7, 7, node="B"),
        Impairment("stream", 7, 7, node="B"),
    )


def test_a_fault_may_be_of_one_account_only(faults: Faults):
    keys = frozenset({"k1", "k2"})
    faults.arm(FailedRequest("f", answer=answered(503), count=2, account="second", api_keys=keys))
    faults.arm(DroppedFrame("d", account="second", api_keys=keys))

    assert faults.on_request(of("A"), 0) is None
    assert faults.on_request(of("A", "main-key"), 0) is None
    assert faults.on_request(of("A", "k1"), 7) is not None
    assert faults.on_request(of("B", "k2"), 7) is not None
    assert faults.on_frame(frame(), "nt", 0).delays_ns == [0]
    assert faults.on_frame(frame(account="second", sequence=2), "nt", 7).delays_ns == []
    assert faults.impairments() == (
        Impairment("read", 7, 7, account="second"),
        Impairment("stream", 7, 7, account="second"),
    )


def test_an_outage_may_be_of_one_node_only(faults: Faults):
    faults.arm(StreamOutage("o", until_ns=10, node="B"))

    assert not faults.on_handshake("nt", "A")
    assert faults.on_handshake("nt", "B")
