"""Faults of frames: held back, in another order, or saying something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sim.faults import (
    Alteration,
    AlteredFrame,
    Faults,
    Held,
    HeldFrames,
    MutedStreams,
    Refusal,
    RefusedHandshake,
    ReorderedFrames,
    RotatedKey,
)
from sim.observation import Impairment
from sim.venue import Frame, Request

EVENT = {"e": "ORDER_TRADE_UPDATE", "o": {"f": "GTC", "X": "NEW"}, "B": [{"wb": "1"}]}


def frame(sequence: int = 1, event: str = "ORDER_TRADE_UPDATE", **more: Any) -> Frame:
    about = {"connection_id": 1, "text": json.dumps(EVENT), "account": "main", "time_ns": 0}
    return Frame(sequence=sequence, event=event, **(about | more))


class Rig:
    def __init__(self) -> None:
        self.now_ns = 0
        self.notes: list[str] = []
        self.faults = Faults(lambda: self.now_ns, lambda fault, what: self.notes.append(what))

    def hold(self, fault: HeldFrames, *frames: Frame) -> list[bool]:
        """Let frames come; return which of them are held."""
        held = []
        for each in frames:
            passage = self.faults.on_frame(each, "nt", self.now_ns)
            held.append(passage.holder is fault)
            if passage.holder is fault:
                fault.held.append(Held(each, passage, None))
        return held


def order_of(held: list[Held]) -> list[int]:
    return [each.frame.sequence for each in held]


def test_frames_are_held_until_the_time_is_over_and_go_on_in_order():
    rig, fault = Rig(), HeldFrames("hold", event="ORDER_TRADE_UPDATE", until_ns=10)
    rig.faults.arm(fault)
    assert fault.release_ns == 10
    frames = [frame(1), frame(2, "ACCOUNT_UPDATE"), frame(3)]
    assert rig.hold(fault, *frames) == [True, False, True]
    rig.now_ns = 10
    assert rig.hold(fault, frame(4)) == [False]
    held, what = fault.let_go(10)
    assert (order_of(held), what) == ([1, 3], "2 frames let go")
    assert fault.held == []
    assert Impairment("stream", 0, 10) in fault.impairments


def test_frames_are_held_until_there_are_enough():
    rig, fault = Rig(), HeldFrames("hold", count=2)
    rig.faults.arm(fault)
    assert fault.release_ns is None
    assert rig.hold(fault, frame(1)) == [True]
    assert not fault.is_full
    # The copy of the last one for another connection is held, too.
    assert rig.hold(fault, frame(2), frame(2, connection_id=2), frame(3)) == [True, True, False]
    assert fault.is_full


def test_a_stretch_is_turned_round_and_the_next_needs_another_count():
    rig, fault = (
        Rig(),
        ReorderedFrames("r", window_ns=10, order="reversed", within_type=False, count=1),
    )
    rig.faults.arm(fault)
    assert rig.hold(fault, frame(1), frame(2), frame(3)) == [True, True, True]
    assert fault.release_ns == 10
    held, what = fault.let_go(10)
    assert (order_of(held), what) == ([3, 2, 1], "3 frames in another order")
    assert fault.activations == 1
    assert fault.impairments == [Impairment("stream", 0, 10)]
    assert rig.hold(fault, frame(4)) == [False]


def test_types_keep_their_places_where_they_have_to():
    rig, fault = Rig(), ReorderedFrames("r", window_ns=10, order="reversed", within_type=True)
    rig.faults.arm(fault)
    rig.hold(fault, frame(1), frame(2, "ACCOUNT_UPDATE"), frame(3), frame(4, "ACCOUNT_UPDATE"))
    assert order_of(fault.let_go(10)[0]) == [3, 4, 1, 2]


def test_a_single_frame_has_no_other_order_and_is_no_act():
    rig, fault = (
        Rig(),
        ReorderedFrames("r", window_ns=10, order="reversed", within_type=False, count=1),
    )
    rig.faults.arm(fault)
    rig.hold(fault, frame(1))
    assert fault.let_go(10)[1] == ""
    assert (fault.activations, fault.impairments) == (0, [])


def test_connections_are_permuted_apart_and_by_the_seed():
    orders = []
    for seed in (1, 1, 2):
        rig = Rig()
        fault = ReorderedFrames("r", window_ns=9, order="shuffled", within_type=False, seed=seed)
        rig.faults.arm(fault)
        frames = [frame(n, connection_id=link) for n in range(1, 9) for link in (1, 2)]
        rig.hold(fault, *frames)
        held = fault.let_go(9)[0]
        assert [each.frame.connection_id for each in held] == [1, 2] * 8
        orders.append(order_of(held))
    assert orders[0] == orders[1] != orders[2]


def altering(field: str, value: Any = None, *, drop: bool = False) -> AlteredFrame:
    change = Alteration(tuple(field.split(".")), "drop" if drop else "set", value)
    return AlteredFrame("a", alter=change, count=1)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("o.f", "RPI", {**EVENT, "o": {"f": "RPI", "X": "NEW"}}),
        ("B.0.wb", "", {**EVENT, "B": [{"wb": ""}]}),
        ("B", [1, None], {**EVENT, "B": [1, None]}),
    ],
)
def test_a_field_says_something_else(field: str, value: Any, said: Any):
    rig = Rig()
    rig.faults.arm(altering(field, value))
    assert json.loads(rig.faults.on_frame(frame(), "nt", 0).text) == said
    wrapped = frame(2, text=json.dumps({"stream": "x", "data": EVENT}))
    assert json.loads(rig.faults.on_frame(wrapped, "nt", 0).text)["data"] == EVENT


def test_a_field_is_missing_in_a_wrapped_event_as_well():
    rig = Rig()
    rig.faults.arm(altering("o", drop=True))
    wrapped = frame(text=json.dumps({"stream": "x", "data": EVENT}))
    said = json.loads(rig.faults.on_frame(wrapped, "nt", 0).text)
    assert said == {"stream": "x", "data": {"e": EVENT["e"], "B": EVENT["B"]}}


@pytest.mark.parametrize("field", ["o.f.g", "p.q", "B.7.wb", "B.x", "missing"])
def test_what_cannot_be_altered_is_left_alone_and_does_not_count(field: str):
    rig, fault = Rig(), altering(field, drop=True)
    rig.faults.arm(fault)
    assert rig.faults.on_frame(frame(), "nt", 0).text == frame().text
    assert rig.faults.on_frame(frame(2, text="[no"), "nt", 0).text == "[no"
    assert (fault.activations, rig.notes) == (0, [])


def test_nothing_comes_on_a_muted_stream():
    rig = Rig()
    rig.faults.arm(MutedStreams("m", client="nt", until_ns=10))
    assert rig.faults.on_frame(frame(), "nt", 0).delays_ns == []
    assert rig.faults.on_frame(frame(2, ""), "nt", 9).delays_ns == []
    assert rig.faults.on_frame(frame(3), "recon", 9).delays_ns == [0]
    assert rig.faults.on_frame(frame(4), "nt", 10).delays_ns == [0]


def test_handshakes_are_refused_as_often_as_told():
    rig, refusal = Rig(), Refusal(503, after_ns=5)
    rig.faults.arm(RefusedHandshake("r", refusal=refusal, client="nt", node="A", skip=1, count=1))
    asked = [("recon", "A"), ("nt", "B"), ("nt", "A"), ("nt", "A"), ("nt", "A")]
    assert [rig.faults.on_handshake(*each) for each in asked] == [None, None, None, refusal, None]
    assert rig.notes == ["a stream of A nt refused"]
    assert rig.faults.on_handshake("nt", "A", is_ws_api=True) is None


def test_a_key_is_rotated_by_the_next_request_for_one():
    rig = Rig()
    retired: list[str] = []

    def retire(api_key: str) -> bool:
        retired.append(api_key)
        return api_key == "live"

    fault = RotatedKey("r", retire=retire)
    rig.faults.arm(fault)
    for method, key in (("PUT", "live"), ("POST", "none"), ("POST", "live"), ("POST", "live")):
        request = Request(method, "/fapi/v1/listenKey", headers=(("X-MBX-APIKEY", key),))
        assert rig.faults.on_request(request, 3) is None
    assert retired == ["none", "live"]
    assert fault.impairments == [Impairment("stream", 3, 3)]


def test_what_one_fault_holds_or_drops_no_other_hits():
    rig, first, second = Rig(), HeldFrames("first", count=1), HeldFrames("second", count=1)
    late, drop = HeldFrames("late", count=9), MutedStreams("drop", event="GRID_UPDATE", until_ns=9)
    for fault in (first, second, drop, late):
        rig.faults.arm(fault)
    assert rig.faults.on_frame(frame(1), "nt", 0).holder is first
    assert rig.faults.on_frame(frame(2), "nt", 0).holder is second
    assert rig.faults.on_frame(frame(3, "GRID_UPDATE"), "nt", 0).holder is None
    assert [fault.activations for fault in (first, second, drop, late)] == [1, 1, 1, 0]
