"""A reader before the fake venue, with a respx router between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any, Literal

import httpx
import respx
from msgspec import structs

from recon.binance import Access, BinanceHttp, BinanceReader
from recon.binance.access import signer_of
from recon.core.facts import Trade
from sim.transport.httpx import Front, InProcessTransport
from sim.venue import VenueConfig, symbol_config
from sim.venue.keys import ApiKey
from tests.unit.network_rig import ACCOUNT, Rig

ED25519 = ApiKey.named("main", "ed25519")
"""The other key of the account."""

BASE = "http://venue.invalid"
MS_NS = 1_000_000
SECOND_NS = 1_000 * MS_NS
DAY_NS = 86_400 * SECOND_NS

type Answer = httpx.Response | Exception | None
"""What a request gets instead of the venue's answer; None lets it through."""


def access(**changed: Any) -> Access:
    """Return how the account of the fake venue is read."""
    return Access(
        **{
            "api_key": ACCOUNT.api_key,
            "signer": signer_of(ACCOUNT.api_secret),
            "base_url": BASE,
            **changed,
        }
    )


def error(status: int, code: int, text: str = "Said so.", **headers: str) -> httpx.Response:
    """Return an error answer of the venue."""
    return httpx.Response(
        status,
        json={"code": code, "msg": text},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


class Desk:
    """A venue of two symbols, its network, and a reader of its account.

    ``ahead_ns`` is how far the reader's clock is ahead of the venue's.
    """

    def __init__(
        self,
        *,
        window_page: Literal["head", "tail"] = "head",
        hedge: bool = False,
        weight_limit_1m: int = 2400,
        page_limit: int = 1000,
        latency_ns: int = 10 * MS_NS,
        ahead_ns: int = 0,
        **options: Any,
    ) -> None:
        config = VenueConfig(
            symbols=(symbol_config("BTCUSDT"), symbol_config("ETHUSDT")),
            accounts=(structs.replace(ACCOUNT, more_keys=(ED25519,)),),
            position_mode="hedge" if hedge else "one-way",
            weight_limit_1m=weight_limit_1m,
            strict_signature=True,
            window_page=window_page,
        )
        self.rig = Rig((latency_ns, latency_ns), config)
        self.loop, self.venue = self.rig.loop, self.rig.venue
        self.faults, self.trace = self.rig.faults, self.rig.trace
        self.calls = respx.MockRouter(assert_all_called=False)
        self.behind = InProcessTransport(self.rig.network, "recon")
        self.http = BinanceHttp(
            options.pop("access", None) or access(),
            lambda: self.loop.now_ns + ahead_ns,
            transport=Front(self.calls, self.behind),
            **options,
        )
        self.reader = BinanceReader(self.http, page_limit=page_limit)
        self.seen: list[httpx.Request] = []

    @property
    def now_ns(self) -> int:
        return self.loop.now_ns

    # -- what the venue has

    def trade(self, *times_ns: int, symbol: str = "BTCUSDT", side: str = "BUY") -> None:
        """Let the account trade at times in the past, by one order each."""
        for at_ns in times_ns:
            self.venue.web_submit(
                "main",
                symbol,
                side=side,
                order_type="MARKET",
                quantity=Decimal("0.01"),
                now_ns=at_ns,
            )

    def rest(self, client_order_id: str = "O-1", **more: Any) -> str:
        """Let the account have a resting order; return its id."""
        terms: dict[str, Any] = {
            "side": "BUY",
            "quantity": Decimal(10),
            "price": Decimal(50000),
            "now_ns": self.now_ns,
        }
        symbol = more.pop("symbol", "BTCUSDT")
        placed = self.venue.web_submit(
            "main", symbol, client_order_id=client_order_id, **{**terms, **more}
        )
        return str(placed.order_id)

    def fill(self, client_order_id: str = "O-1", quantity: str = "0.001", **more: Any) -> None:
        self.venue.fill(
            "main",
            more.pop("symbol", "BTCUSDT"),
            client_order_id=client_order_id,
            quantity=Decimal(quantity),
            **{"now_ns": self.now_ns, **more},
        )

    def trade_ids(self, symbol: str = "BTCUSDT", since_ns: int = 0) -> list[str]:
        """Return the ids of what the account has traded, oldest first."""
        return [
            str(trade.trade_id)
            for trade in self.venue.trades()
            if trade.symbol == symbol and trade.time_ns >= since_ns
        ]

    # -- what requests get

    def answer(self, path: str, *answers: Answer, then: Answer = None, **query: str) -> None:
        """Answer the next requests of a path, and of these parameters, in the venue's place."""
        left = list(answers)

        async def reply(request: httpx.Request) -> httpx.Response:
            self.seen.append(request)
            now = left.pop(0) if left else then
            if isinstance(now, Exception):
                raise now
            return await self.behind.handle_async_request(request) if now is None else now

        self.calls.get(f"{BASE}{path}", params__contains=query).mock(side_effect=reply)

    def watch(self, path: str) -> None:
        """Keep the requests of a path in `seen`."""
        self.answer(path)

    def asked(self, name: str) -> list[str | None]:
        """Return that parameter of the requests that were seen."""
        return [request.url.params.get(name) for request in self.seen]


async def all_of(
    pages: AsyncIterator[Sequence[Trade]], found: list[Trade] | None = None
) -> list[Trade]:
    """Return all that an iteration yields, which is never an empty page.

    A list that is given has what was yielded before an error.
    """
    found = [] if found is None else found
    async for page in pages:
        assert page
        found += page
    return found


def ids(trades: Sequence[Trade]) -> list[str]:
    return [trade.trade_id for trade in trades]
