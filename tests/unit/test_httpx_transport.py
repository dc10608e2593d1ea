"""Code that speaks httpx reaches the same venue, with time-outs in virtual time."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import respx

from sim.faults import FailedRequest
from sim.transport.httpx import Front, InProcessTransport
from tests.unit.network_rig import Rig, answered

BASE = "http://venue.invalid"


async def test_a_client_reads_the_venues_time():
    rig = Rig()
    async with httpx.AsyncClient(transport=InProcessTransport(rig.network, "recon")) as client:
        response = await client.get(f"{BASE}/fapi/v1/time")

    assert response.json()["serverTime"] > 0
    assert rig.trace.rows[-1].subject == "recon GET /fapi/v1/time"


async def test_an_error_is_a_status_not_an_exception():
    rig = Rig()
    rig.faults.arm(FailedRequest("f", path="/fapi/v1/time", answer=answered(429, -1003), count=1))
    async with httpx.AsyncClient(transport=InProcessTransport(rig.network, "recon")) as client:
        response = await client.get(f"{BASE}/fapi/v1/time")

    assert (response.status_code, response.json()["code"]) == (429, -1003)


async def test_a_slow_answer_times_out_in_virtual_time():
    rig = Rig((10_000_000_000, 10_000_000_000))
    async with httpx.AsyncClient(
        transport=InProcessTransport(rig.network, "recon"), timeout=5
    ) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"{BASE}/fapi/v1/time")

    assert asyncio.get_running_loop().time() == 5


async def test_respx_stands_in_front_of_the_venue():
    rig = Rig()
    calls = respx.MockRouter()
    ping = calls.get(f"{BASE}/fapi/v1/ping").mock(return_value=httpx.Response(418))
    front = Front(calls, InProcessTransport(rig.network, "recon"))
    async with httpx.AsyncClient(transport=front) as client:
        assert (await client.get(f"{BASE}/fapi/v1/ping")).status_code == 418
        assert (await client.get(f"{BASE}/fapi/v1/time")).status_code == 200

    assert ping.call_count == 1
    assert [row.subject for row in rig.trace.rows] == ["recon GET /fapi/v1/time"]
