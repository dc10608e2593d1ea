"""API keys of both types, and REST requests that are signed with them."""

from __future__ import annotations

import base64
from urllib.parse import quote, urlencode

import pytest
from nautilus_trader.adapters.binance.common.credentials import is_ed25519_private_key
from nautilus_trader.core.nautilus_pyo3 import ed25519_signature

from sim.venue import AccountConfig, VenueConfig
from sim.venue.keys import ApiKey
from tests.unit.venue.venue_client import Client

KEY = ApiKey.named("main", "ed25519")
SEED = base64.b64decode(KEY.api_secret)[-32:]


def sign(text: str) -> str:
    return ed25519_signature(SEED, text)


@pytest.fixture
def nt() -> Client:
    return Client(VenueConfig(accounts=(AccountConfig(more_keys=(KEY,)),)))


def status(nt: Client, query: str, body: bytes = b"", method: str = "GET") -> int:
    path = "openOrders" if method == "GET" else "leverage"
    return nt.raw(method, path, query, body, key=KEY.api_key).status


def test_a_key_is_made_of_its_name_and_known_by_its_looks():
    assert ApiKey.named("main", "ed25519") == KEY
    assert ApiKey.named("other", "ed25519") != KEY
    assert (KEY.key_type, ApiKey.named("main").key_type) == ("ed25519", "hmac")
    assert is_ed25519_private_key(KEY.api_secret)
    assert not is_ed25519_private_key(ApiKey.named("main").api_secret)


def test_a_request_is_signed_over_its_raw_bytes(nt: Client):
    query = urlencode({"symbol": "BTCUSDT", "timestamp": nt.now_ms})

    assert status(nt, f"{query}&signature={quote(sign(query), safe='')}") == 200
    assert status(nt, f"signature={quote(sign(query), safe='')}&{query}") == 200
    assert status(nt, f"{query}&signature={quote(sign(query + 'x'), safe='')}") == 400


def test_query_and_body_are_signed_together(nt: Client):
    query, body = f"timestamp={nt.now_ms}", "symbol=BTCUSDT&leverage=5"
    signature = quote(sign(query + body), safe="")

    assert status(nt, query, f"{body}&signature={signature}".encode(), "POST") == 200


@pytest.mark.parametrize("signature", ["AAAA", "no base64", "", "%zz", "ü"])
def test_a_wrong_signature_is_refused(nt: Client, signature: str):
    response = nt.raw(
        "GET", "openOrders", f"timestamp={nt.now_ms}&signature={signature}", key=KEY.api_key
    )

    assert response.status == 400
    assert (b"-1022" if signature else b"-1102") in response.body


def test_no_key_is_opened_by_a_signature_of_the_other_type(nt: Client):
    query = f"timestamp={nt.now_ms}"

    assert status(nt, f"{query}&signature={nt.sign(query)}") == 400
    assert (
        nt.raw("GET", "openOrders", f"{query}&signature={quote(sign(query), safe='')}").status
        == 400
    )
    assert nt.error("GET", "openOrders", timestamp=1) == -1021  # the HMAC key as ever


def test_the_venue_needs_no_private_half():
    public = ApiKey("k", "", KEY.public_key)

    assert public.has_signed("text", sign("text"))
    assert not public.has_signed("other", sign("text"))
