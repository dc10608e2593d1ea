"""ccxt's clients as ``recon serve`` says that they are pointed at the venue."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from tests.wire.over_sockets import OverSockets
from tests.wire.printed import printed

BTC = "BTC/USDT:USDT"
KINDS = {"plain": "ccxt.async_support", "pro": "ccxt.pro"}


class Exchange:
    """One client of ccxt, of kind ``plain`` or ``pro``, which is closed at the end."""

    def __init__(self, served: OverSockets, kind: str = "pro") -> None:
        names: dict[str, Any] = {}
        exec(printed("ccxt", served.at).replace("ccxt.pro", KINDS[kind]), names)
        self._client = names["exchange"]
        # Waits before requests, and after the end, are for networks that are further away.
        self._client.enableRateLimit = False
        self._client.timeout_on_exit = 0

    async def __aenter__(self) -> Any:
        await self._client.load_markets()
        return self._client

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()
