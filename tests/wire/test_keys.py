"""Whose key each endpoint wants, and whether it has to be signed."""

from __future__ import annotations

import pytest

from tests.wire.binance import Binance
from tests.wire.replies import CASES, KEY, NONE

AUTH = {case.endpoint: case.auth for case in CASES}
PUBLIC = sorted(endpoint for endpoint, auth in AUTH.items() if auth == NONE)
KEYED = sorted(endpoint for endpoint, auth in AUTH.items() if auth != NONE)
SIGNED = sorted(endpoint for endpoint, auth in AUTH.items() if auth not in (NONE, KEY))


@pytest.mark.parametrize("endpoint", PUBLIC)
async def test_what_is_public_wants_no_key(binance: Binance, endpoint: str):
    method, path = endpoint.split(" ")
    reply = await binance.raw(method, path, "symbol=BTCUSDT", is_keyed=False)
    assert reply.status == 200, reply.json
    assert reply.headers["X-MBX-USED-WEIGHT-1M"].isdigit()


@pytest.mark.parametrize("endpoint", KEYED)
async def test_all_else_wants_one(binance: Binance, endpoint: str):
    method, path = endpoint.split(" ")
    without = await binance.raw(method, path, is_keyed=False)
    stolen = await binance.raw(method, path, headers={"X-MBX-APIKEY": "stolen"})
    assert (without.status, without.json) == (
        401,
        {"code": -2014, "msg": "API-key format invalid."},
    )
    assert (stolen.status, stolen.json) == (
        401,
        {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."},
    )


@pytest.mark.parametrize("endpoint", SIGNED)
async def test_what_is_signed_wants_the_signature_of_that_key(binance: Binance, endpoint: str):
    method, path = endpoint.split(" ")
    stamp = f"timestamp={binance.now_ms}"
    missing = await binance.raw(method, path, stamp)
    wrong = await binance.raw(method, path, f"{stamp}&signature={binance.sign(stamp + '0')}")
    assert missing.refusal == (400, -1102)
    assert (wrong.status, wrong.json) == (
        400,
        {"code": -1022, "msg": "Signature for this request is not valid."},
    )
