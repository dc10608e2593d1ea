"""ccxt's clients as ``recon serve`` says that they are pointed at the venue."""

from __future__ import annotations

import textwrap
from types import TracebackType
from typing import Any

from sim.serve.cli import how_to
from sim.venue_setup import venue_config
from tests.wire.in_process import scenario_of
from tests.wire.over_sockets import OverSockets

BTC = "BTC/USDT:USDT"
KINDS = {"plain": "ccxt.async_support", "pro": "ccxt.pro"}


def told(at: str) -> str:
    """Return the lines of Python that are printed for whoever has ccxt."""
    host, _, port = at.rpartition(":")
    text = how_to(host, int(port), venue_config(scenario_of("").venue))
    _, _, after = text.partition("\nccxt")
    lines = after.partition("\n\n")[0].splitlines()[1:]
    return textwrap.dedent("\n".join(lines))


class Exchange:
    """One client of ccxt, of kind ``plain`` or ``pro``, which is closed at the end."""

    def __init__(self, served: OverSockets, kind: str = "pro") -> None:
        names: dict[str, Any] = {}
        exec(told(served.at).replace("ccxt.pro", KINDS[kind]), names)
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
