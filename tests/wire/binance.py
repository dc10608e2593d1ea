"""A Binance, as the tests of its behaviour see it: requests, streams and the world's hand.

Nothing here knows how the venue is reached.  That is the business of a `House`, of which there
is one for each way: the tests are the same for all of them.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

import httpx

PATIENCE_SECS = 5
"""How long a test waits for what has to come."""


class Refused(AssertionError):
    """The world's hand could not do what it was told, or a handshake was refused."""


class Wire(Protocol):
    """One stream connection, from the client's side."""

    def send(self, text: str) -> None:
        """Send a text frame."""

    def close(self) -> None:
        """Close it from the client's side."""


class House(Protocol):
    """How a Binance is reached, and by whom its world is played."""

    http: httpx.AsyncClient
    """Sends requests; has the base URL."""

    @property
    def now_ms(self) -> int:
        """What the time is."""

    def credentials(self, key: str) -> tuple[str, str]:
        """Return an API key and its secret."""

    async def connect(
        self, url: str, on_text: Callable[[str], None], on_close: Callable[[], None]
    ) -> Wire:
        """Open a stream; `url` is its path and query.  Raises `Refused`."""

    async def act(self, words: str) -> None:
        """Do what an action of a scenario says.  Raises `Refused`."""

    async def wait(self, seconds: float) -> None:
        """Let time pass."""

    async def settle(self) -> None:
        """Wait until nothing is on the way any more."""


class Reply(NamedTuple):
    """One answer to a request."""

    status: int
    headers: httpx.Headers
    json: Any

    @property
    def refusal(self) -> tuple[int, int]:
        """HTTP status and Binance's code of a refusal, which consists of code and text."""
        assert self.status >= 400, self.json
        assert set(self.json) == {"code", "msg"}
        assert isinstance(self.json["msg"], str)
        assert self.json["msg"]
        return self.status, self.json["code"]


class Stream:
    """One open stream connection, and what it has brought so far."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._came: asyncio.Queue[Any] = asyncio.Queue()
        self._wire: Wire | None = None
        self._closed = asyncio.Event()

    async def open(self, url: str) -> Stream:
        self._wire = await self._house.connect(url, self._on_text, self._on_close)
        return self

    def _on_text(self, text: str) -> None:
        self._came.put_nowait(json.loads(text))

    def _on_close(self) -> None:
        self._closed.set()

    @property
    def is_closed(self) -> bool:
        """Whether the venue has closed it."""
        return self._closed.is_set()

    async def ended(self) -> None:
        """Wait until the venue has closed it."""
        try:
            async with asyncio.timeout(PATIENCE_SECS):
                await self._closed.wait()
        except TimeoutError:
            raise AssertionError("the stream is still open") from None

    async def frame(self) -> Any:
        """Return what comes next, as it came."""
        try:
            async with asyncio.timeout(PATIENCE_SECS):
                return await self._came.get()
        except TimeoutError:
            raise AssertionError("nothing came") from None

    async def next(self, event: str) -> Any:
        """Return the next event, which has to be of that type."""
        frame = await self.frame()
        assert frame.get("e") == event, frame
        return frame

    async def all(self) -> list[Any]:
        """Return what has come, once nothing is on the way any more."""
        await self._house.settle()
        return [self._came.get_nowait() for _ in range(self._came.qsize())]

    async def quiet(self) -> None:
        """Nothing has come, and nothing is on the way."""
        assert await self.all() == []

    async def ask(self, method: str, *params: str, number: int = 1) -> Any:
        """Send a command and return its answer."""
        self.send(json.dumps({"method": method, "params": params, "id": number}))
        return await self.frame()

    def send(self, text: str) -> None:
        assert self._wire is not None
        self._wire.send(text)

    async def close(self) -> None:
        """Close it from the client's side."""
        assert self._wire is not None
        self._wire.close()
        await self._house.settle()


class Binance:
    """One Binance, as the holder of one API key sees it."""

    def __init__(self, house: House, key: str = "main") -> None:
        self.house = house
        self.key, self.secret = house.credentials(key)

    def as_another(self, key: str) -> Binance:
        """Return the same venue as the holder of another key sees it."""
        return Binance(self.house, key)

    @property
    def now_ms(self) -> int:
        """What the time is."""
        return self.house.now_ms

    # -- requests

    async def rest(self, method: str, path: str, *, auth: str = "signed", **params: Any) -> Reply:
        """Send a request with its parameters in the query.

        It is ``signed``, or has the ``key`` alone, or ``none``.
        """
        if auth == "signed":
            return await self.raw(method, path, self.signed(params))
        return await self.raw(method, path, urlencode(params), is_keyed=auth == "key")

    async def ok(self, method: str, path: str, *, auth: str = "signed", **params: Any) -> Any:
        """Send a request that has to succeed; return what it brings."""
        reply = await self.rest(method, path, auth=auth, **params)
        assert reply.status == 200, reply.json
        return reply.json

    async def refused(
        self, method: str, path: str, *, auth: str = "signed", **params: Any
    ) -> tuple[int, int]:
        """Send a request that has to be refused; return HTTP status and code."""
        return (await self.rest(method, path, auth=auth, **params)).refusal

    async def raw(
        self,
        method: str,
        path: str,
        query: str = "",
        body: str = "",
        *,
        is_keyed: bool = True,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send a request as it stands."""
        sent = {"X-MBX-APIKEY": self.key} if is_keyed else {}
        if body:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        url = f"{path}?{query}" if query else path
        response = await self.house.http.request(
            method, url, content=body.encode(), headers=sent | (headers or {})
        )
        return Reply(response.status_code, response.headers, response.json())

    def signed(self, params: dict[str, Any]) -> str:
        """Return a query with the time, unless it is given, and the signature at its end."""
        query = urlencode({"timestamp": self.now_ms} | params)
        return f"{query}&signature={self.sign(query)}"

    def sign(self, text: str) -> str:
        """Return the signature under a text."""
        return hmac.digest(self.secret.encode(), text.encode(), "sha256").hex()

    # -- orders, in short

    async def place(
        self, name: str, side: str = "BUY", quantity: str = "1", price: str = "49000", **more: Any
    ) -> Any:
        """Place a LIMIT order, which rests at that price unless the market moves."""
        params = {"symbol": "BTCUSDT", "side": side, "quantity": quantity, "price": price}
        params |= {"type": "LIMIT", "timeInForce": "GTC", "newClientOrderId": name}
        return await self.ok("POST", "/fapi/v1/order", **params | more)

    async def take(self, name: str, side: str = "BUY", quantity: str = "1", **more: Any) -> Any:
        """Place a MARKET order, which fills at once."""
        params = {"symbol": "BTCUSDT", "side": side, "quantity": quantity, "type": "MARKET"}
        return await self.ok("POST", "/fapi/v1/order", **params | {"newClientOrderId": name} | more)

    async def arm(
        self,
        name: str,
        side: str = "SELL",
        quantity: str = "1",
        trigger: str = "48000",
        **more: Any,
    ) -> Any:
        """Place a conditional order, a STOP_MARKET unless the type is given."""
        params = {"symbol": "BTCUSDT", "side": side, "algoType": "CONDITIONAL"}
        params |= {"type": "STOP_MARKET", "triggerPrice": trigger, "clientAlgoId": name}
        if quantity:
            params["quantity"] = quantity
        return await self.ok("POST", "/fapi/v1/algoOrder", **params | more)

    # -- streams

    async def listen_key(self) -> str:
        """Return the live listen key."""
        return str((await self.ok("POST", "/fapi/v1/listenKey", auth="key"))["listenKey"])

    async def stream(self, url: str = "/private/ws?listenKey={key}") -> Stream:
        """Open a stream on the live listen key."""
        return await Stream(self.house).open(url.format(key=await self.listen_key()))

    async def open(self, url: str) -> Stream:
        """Open a stream at an address as it stands."""
        return await Stream(self.house).open(url)

    # -- the world

    async def world(self, words: str) -> None:
        """Let happen what an action of a scenario says."""
        await self.house.act(words)

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await self.house.wait(seconds)
