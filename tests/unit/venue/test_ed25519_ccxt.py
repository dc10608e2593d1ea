"""What ccxt signs with an Ed25519 key is what the fake venue takes for signed."""

from __future__ import annotations

from typing import Any

import ccxt
import pytest
from msgspec import structs

from sim.venue import AccountConfig, VenueConfig
from sim.venue.keys import ApiKey
from tests.unit.venue.decoding_ccxt import exchange
from tests.unit.venue.venue_client import Client

KEY = ApiKey.named("main", "ed25519")


def signing_as(key: ApiKey) -> Any:
    """Return ccxt's client of an account, in front of a venue, with a key of its own."""
    nt = Client(VenueConfig(accounts=(AccountConfig(more_keys=(KEY,)),)))
    pem = f"-----BEGIN PRIVATE KEY-----\n{key.api_secret}\n-----END PRIVATE KEY-----"
    nt.account = structs.replace(nt.account, api_key=KEY.api_key, api_secret=pem)
    return exchange(nt)


def test_requests_are_taken_and_orders_placed() -> None:
    ex = signing_as(KEY)

    order = ex.create_order("BTC/USDT:USDT", "limit", "buy", 1, 50000)
    assert [row["id"] for row in ex.fetch_open_orders("BTC/USDT:USDT")] == [order["id"]]
    ex.cancel_order(order["id"], "BTC/USDT:USDT")
    assert ex.fetch_open_orders("BTC/USDT:USDT") == []


def test_the_signature_of_another_key_is_refused() -> None:
    ex = signing_as(ApiKey.named("other", "ed25519"))

    with pytest.raises(ccxt.ExchangeError, match="-1022"):
        ex.create_order("BTC/USDT:USDT", "limit", "buy", 1, 50000)
