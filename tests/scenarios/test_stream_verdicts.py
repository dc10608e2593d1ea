"""Each frame of the venue has one verdict on each connection, or the run is a harness error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim import engines
from sim.scenario import load
from sim.transport.streams import StreamNetwork
from sim.venue.stream import Streams
from sim.world import HarnessError, World

STORY = Path(__file__).parents[2] / "scenarios/stream/half-open-until-given-up.yaml"
DAY = STORY.with_name("cut-after-a-day.yaml")


def world(story: Path = STORY) -> World:
    scenario = load(story)
    return World(scenario, engines.load("recon"), scenario.seed)


def test_all_that_was_sent_was_delivered_dropped_or_lost():
    a_world = world()
    a_world.run()
    verdicts = a_world.network.deliveries.verdicts
    assert verdicts.total() == a_world.venue.streams.sent
    assert verdicts["lost"] == 4  # two fills while nothing passed, with two events each
    assert verdicts["delivered"] >= 3


def test_a_delivery_that_the_network_forgets_is_an_error_of_the_harness(monkeypatch: Any):
    monkeypatch.setattr(StreamNetwork, "_deliver", lambda *_: None)
    with pytest.raises(HarnessError, match=r"VenueInvariantError: .* no verdict"):
        world().run()


def test_a_frame_that_is_sent_twice_is_an_error_of_the_harness(monkeypatch: Any):
    send = Streams._send

    def twice(self: Streams, frame: Any) -> None:
        send(self, frame)
        send(self, frame)

    monkeypatch.setattr(Streams, "_send", twice)
    with pytest.raises(HarnessError, match="VenueInvariantError"):
        world().run()


def test_a_connection_is_closed_after_a_day_and_another_is_opened():
    a_world = world(DAY)
    a_world.run()
    rows = [row for row in a_world.trace.rows if row.kind in ("stream-open", "stream-close")]
    assert [row.details for row in rows][:4] == ["1", "1 1001", "2", "2"]
    assert len(a_world.network.deliveries.verdicts) == 1
