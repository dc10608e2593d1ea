"""What the broker asks the venue, over NautilusTrader's HTTP client."""

from __future__ import annotations

from typing import Any

import msgspec
from nautilus_trader.adapters.binance.http.client import BinanceHttpClient
from nautilus_trader.core.nautilus_pyo3 import HttpMethod

MS_NS = 1_000_000
HISTORY_MS = 7 * 86_400_000 - 60_000
"""How far back the broker's history reaches: as much as one request of the venue, almost."""
PAGE = 1000


class Requests:
    """The requests of one account."""

    def __init__(self, clock: Any, api_key: str, api_secret: str, base_url: str) -> None:
        self._clock = clock
        self._http = BinanceHttpClient(clock, api_key, api_secret, base_url)

    async def ask(self, method: str, path: str, **params: Any) -> Any:
        """Send a signed request; raises what NautilusTrader's client raises."""
        given = {name: str(value) for name, value in params.items() if value is not None}
        body = await self._http.sign_request(
            getattr(HttpMethod, method),
            f"/fapi/{path}",
            {**given, "timestamp": str(self._clock.timestamp_ms())},
        )
        return msgspec.json.decode(body)

    async def listen_key(self, method: str) -> Any:
        """Make or keep the key of the stream; such requests have a key and no signature."""
        body = await self._http.send_request(getattr(HttpMethod, method), "/fapi/v1/listenKey")
        return msgspec.json.decode(body)

    async def history(
        self, path: str, symbol: str, since_ns: int | None, cursor: str
    ) -> list[dict[str, Any]]:
        """Return the rows of a history, to the last page of it."""
        oldest_ms = self._clock.timestamp_ms() - HISTORY_MS
        start_ms = oldest_ms if since_ns is None else max(oldest_ms, since_ns // MS_NS)
        key = "id" if cursor == "fromId" else cursor
        page = await self.ask("GET", path, symbol=symbol, startTime=start_ms, limit=PAGE)
        rows = list(page)
        while len(page) == PAGE:
            after = {cursor: rows[-1][key] + 1}
            page = await self.ask("GET", path, symbol=symbol, limit=PAGE, **after)
            rows += page
        return rows
