"""A minimal signing client for the tests of the venue."""

from __future__ import annotations

import hmac
import random
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec

from sim.venue import (
    AccountConfig,
    Request,
    Response,
    SymbolConfig,
    Venue,
    VenueConfig,
    symbol_config,
)

START_NS = 1_700_000_000_000_000_000
MS_NS = 1_000_000
SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS


class Client:
    """One venue, one account and a clock that the test moves by hand."""

    def __init__(self, config: VenueConfig, account: str = "main", seed: int = 1) -> None:
        self.venue = Venue(config, random.Random(seed))
        self.account = next(entry for entry in config.accounts if entry.name == account)
        self.now_ns = START_NS

    @property
    def now_ms(self) -> int:
        return self.now_ns // MS_NS

    def wait(self, duration_ns: int) -> None:
        self.now_ns += duration_ns
        self.venue.advance(self.now_ns)

    def send(self, method: str, path: str, *, signed: bool = True, **params: Any) -> Response:
        """Send one request as the NautilusTrader adapter does: all in the query."""
        query = urlencode(params)
        if signed:
            params.setdefault("timestamp", self.now_ms)
            query = urlencode(params)
            query += "&signature=" + self.sign(query)
        return self.raw(method, path, query)

    def raw(
        self, method: str, path: str, query: str = "", body: bytes = b"", key: str | None = None
    ) -> Response:
        headers = (("x-mbx-apikey", self.account.api_key if key is None else key),)
        path = path if path.startswith("/") else f"/fapi/v1/{path}"
        return self.venue.handle(Request(method, path, query, headers, body), self.now_ns)

    def sign(self, text: str) -> str:
        return hmac.digest(self.account.api_secret.encode(), text.encode(), "sha256").hex()

    def ok(self, method: str, path: str, **params: Any) -> Any:
        response = self.send(method, path, **params)
        assert response.status == 200, response.body
        return msgspec.json.decode(response.body)

    def error(self, method: str, path: str, **params: Any) -> int:
        """Return the code of a refusal."""
        response = self.send(method, path, **params)
        assert response.status >= 400, response.body
        answer = msgspec.json.decode(response.body)
        assert set(answer) == {"code", "msg"}
        code: int = answer["code"]
        return code

    def limit(
        self,
        client_order_id: str = "O-1",
        side: str = "BUY",
        quantity: str = "1",
        price: str = "50000",
        **more: Any,
    ) -> Any:
        return self.ok("POST", "order", **order(client_order_id, side, quantity, price, **more))

    def market(
        self, client_order_id: str = "M-1", side: str = "BUY", quantity: str = "1", **more: Any
    ) -> Any:
        return self.ok("POST", "order", **order(client_order_id, side, quantity, None, **more))

    def fill(
        self, client_order_id: str, quantity: str, price: str | None = None, **more: Any
    ) -> Any:
        return self.venue.fill(
            self.account.name,
            more.pop("symbol", "BTCUSDT"),
            client_order_id=client_order_id,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
            now_ns=self.now_ns,
            **more,
        )

    def listen(self, path: str = "/ws?listenKey={key}") -> int:
        key = self.ok("POST", "listenKey", signed=False)["listenKey"]
        return self.venue.open_stream(path.format(key=key), self.now_ns, "nt")

    def events(self, connection_id: int | None = None) -> list[Any]:
        return [
            msgspec.json.decode(frame.text)
            for frame in self.venue.take_frames()
            if connection_id in (None, frame.connection_id)
        ]


def order(
    client_order_id: str, side: str, quantity: str, price: str | None, **more: Any
) -> dict[str, Any]:
    params = {
        "symbol": "BTCUSDT",
        "side": side,
        "type": "MARKET" if price is None else "LIMIT",
        "quantity": quantity,
        "newClientOrderId": client_order_id,
    }
    if price is not None:
        params |= {"price": price, "timeInForce": "GTC"}
    return params | more


def client(**options: Any) -> Client:
    """Return a client of a venue with BTCUSDT, ETHUSDT and BTCUSDC.

    Its events are sent when they happen, which is when the tests look at them.
    """
    symbols: tuple[SymbolConfig, ...] = tuple(
        symbol_config(name) for name in ("BTCUSDT", "ETHUSDT", "BTCUSDC")
    )
    options.setdefault("symbols", symbols)
    options.setdefault("event_lead_ms", 0)
    return Client(VenueConfig(**options))


def two_accounts() -> tuple[Client, Client]:
    """Return clients of two accounts on one venue."""
    config = VenueConfig(
        accounts=(
            AccountConfig(),
            AccountConfig(name="other", api_key="other-key", api_secret="other-secret"),
        )
    )
    one, two = Client(config), Client(config, account="other")
    two.venue = one.venue
    return one, two
