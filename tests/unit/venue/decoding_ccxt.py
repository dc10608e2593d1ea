"""ccxt's clients in front of the fake venue, in this process: no request leaves it."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import urlsplit

import ccxt
import ccxt.pro
import requests
from requests.adapters import BaseAdapter

from sim.venue import Request
from tests.unit.venue.venue_client import Client


class VenueAdapter(BaseAdapter):
    """Hands what `requests` would send to the venue, whatever its host is."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        assert request.url is not None
        parts = urlsplit(request.url)
        body = request.body or b""
        answer = self._client.venue.handle(
            Request(
                method=request.method or "GET",
                path=parts.path,
                query=parts.query,
                headers=tuple(request.headers.items()),
                body=body.encode() if isinstance(body, str) else bytes(body),
                client="ccxt",
            ),
            self._client.now_ns,
        )
        response = requests.Response()
        response.status_code = answer.status
        response.reason = "OK" if answer.status < 400 else "Error"
        response.url = request.url
        response.headers.update(dict(answer.headers))
        response._content = answer.body
        response.request = request
        return response

    def close(self) -> None:
        pass


OPTIONS = {"fetchCurrencies": False, "warnOnFetchOpenOrdersWithoutSymbol": False}


def exchange(client: Client) -> Any:
    """Return ccxt's client of the account that a test's own client has."""
    made = ccxt.binanceusdm(
        {
            "apiKey": client.account.api_key,
            "secret": client.account.api_secret,
            "enableRateLimit": False,
            "options": dict(OPTIONS),
        }
    )
    adapter = VenueAdapter(client)
    made.session.mount("https://", adapter)
    made.session.mount("http://", adapter)
    made.milliseconds = lambda: client.now_ms
    made.load_markets()
    return made


class Listener:
    """ccxt's streaming client, given the frames of the venue by hand.

    It stands in for ccxt's own connection, of which handlers use these attributes.
    """

    def __init__(self, client: Client, markets: Any) -> None:
        self.url = "wss://fstream.example/private/ws"
        self.subscriptions = {"linear": True}
        self.futures: dict[str, Any] = {}
        self.rejections: dict[str, Any] = {}
        self._client = client
        self._connection = client.listen()
        self._told: list[tuple[str, Any]] = []
        self.pro = ccxt.pro.binanceusdm({"options": dict(OPTIONS)})
        self.pro.set_markets(markets.markets)
        self.pro.milliseconds = lambda: client.now_ms
        self.pro.balance["linear"] = {}

    def resolve(self, result: Any, message_hash: str) -> Any:
        # ccxt keeps one list and changes what is in it: this is how it stands now.
        told = list(result)[-1] if message_hash == "orders" else result
        self._told.append((message_hash, copy.deepcopy(told)))
        return result

    def reject(self, error: Exception, message_hash: str | None = None) -> None:
        raise error

    def hear(self, message_hash: str) -> list[Any]:
        """Hand ccxt what the venue has sent since the last time; return what it tells of it."""
        self._told = []
        for event in self._client.events(self._connection):
            self.pro.handle_message(self, event)
        return [result for told, result in self._told if told == message_hash]
