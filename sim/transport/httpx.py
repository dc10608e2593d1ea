"""How code that speaks httpx reaches the venue: a transport, and respx before it.

`InProcessTransport` goes into an ``httpx.AsyncClient``.  Where a test wants to
answer single calls itself, `Front` puts a respx router before it.

httpx leaves time-outs to its transports.  This one keeps them, in virtual time.
"""

from __future__ import annotations

import asyncio

import httpx
import respx
from respx.models import AllMockedAssertionError

from sim.transport.network import NETWORK, Network, NetworkError
from sim.venue.wire import Request


class InProcessTransport(httpx.AsyncBaseTransport):
    """Carries httpx requests to the venue in this process.

    Parameters
    ----------
    network
        The network that the venue is behind.
    client
        The name under which faults and traces know the requests.
    """

    def __init__(self, network: Network, client: str) -> None:
        self._network = network
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises `httpx.ReadTimeout` and `httpx.ConnectError`."""
        wire = Request(
            method=request.method,
            path=request.url.path,
            query=request.url.query.decode(),
            headers=tuple(request.headers.items()),
            body=await request.aread(),
            client=self._client,
        )
        timeouts = request.extensions.get("timeout", {})
        try:
            async with asyncio.timeout(timeouts.get("read")):
                response = await self._network.request(wire)
        except TimeoutError:
            raise httpx.ReadTimeout("the venue did not answer in time", request=request) from None
        except NetworkError as e:
            raise httpx.ConnectError(str(e), request=request) from None
        return httpx.Response(
            response.status,
            headers=list(response.headers),
            content=response.body,
            request=request,
        )


def simulated_transport(client: str) -> InProcessTransport:
    """Return a transport to the venue of the run in which the current code runs.

    Raises `LookupError` outside of a run.
    """
    return InProcessTransport(NETWORK.get(), client)


class Front(httpx.AsyncBaseTransport):
    """A respx router before another transport: what it does not match goes through.

    Parameters
    ----------
    router
        The calls that are answered here.
    behind
        Where all others go.
    """

    def __init__(self, router: respx.MockRouter, behind: httpx.AsyncBaseTransport) -> None:
        self._router = router
        self._behind = behind

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._router.async_handler(request)
        except AllMockedAssertionError:
            return await self._behind.handle_async_request(request)
