"""Limits and knobs of the venue: what a file says is what the venue has."""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from sim.scenario import loads
from sim.scenario.terms import Knobs, Limits
from sim.venue.config import VenueConfig
from sim.venue_setup import venue_config

HEAD = """
format: 1
title: A test
shows: fill-lost
venue: {symbols: [BTCUSDT]%s}
timeline:
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
"""


def config(venue: str = "") -> VenueConfig:
    return venue_config(loads(HEAD % venue, "test.yaml").venue)


def test_what_a_file_leaves_out_is_as_the_venue_is():
    own, made = VenueConfig(), config()

    for knob, value in structs.asdict(Knobs()).items():
        if value is not None:
            assert value == getattr(own, knob) == getattr(made, knob)
    assert (made.weight_limit_1m, made.order_limit_10s, made.order_limit_1m, made.ban_after) == (
        own.weight_limit_1m,
        own.order_limit_10s,
        own.order_limit_1m,
        own.ban_after,
    )


def test_each_limit_is_its_own():
    made = config(", limits: {weight_1m: 1, orders_10s: 2, orders_1m: 3, ban_after: 4}")

    assert made.weight_limit_1m == 1
    assert made.order_limit_10s == 2
    assert made.order_limit_1m == 3
    assert made.ban_after == 4
    assert structs.asdict(Limits(weight_1m=1))["orders_1m"] == 1200


def test_knobs_reach_the_venue_by_their_own_names():
    made = config(
        ', knobs: {window_page: tail, unknown_error_code: null, bnb_price: "300", '
        "reused_client_id: oldest, unknown_modify_code: -2011}"
    )

    assert made.window_page == "tail"
    assert made.unknown_error_code is None
    assert made.bnb_price == Decimal(300)
    assert made.reused_client_id == "oldest"
    assert made.unknown_modify_code == -2011
