"""What takes the place of NautilusTrader's names in a run; which names, says `sim.patches`."""

from __future__ import annotations

import functools
import uuid
import zlib
from asyncio import sleep
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.identifiers import TradeId, VenueOrderId

from sim.database import Backing
from sim.process import PROCESS
from sim.streams import SeededSet, Streams
from sim.transport.network import Network

POLL_SECS = 0.01
"""How often the kernel looks whether its engines are ready.  It has no meaning of
its own: the original looks at every turn of the loop, so that time could not pass."""


class Host(Protocol):
    """What the replacements need of the world around them."""

    network: Network
    streams: Streams

    def open_database(self, prefix: str) -> Backing:
        """Return the database of the process that asks."""

    def hash_seed(self) -> str:
        """Return what stands for the hash seed of the process that asks."""

    def on_exit(self, code: int) -> None:
        """Take note that the process ended itself; does not return."""


def seeded_uuid4(host: Host, original: Any) -> Callable[[], UUID4]:
    """Random ids from the seed."""
    stream = host.streams["identity"]

    def make() -> UUID4:
        digits = list(f"{stream.getrandbits(128):032x}")
        digits[12] = "4"
        digits[16] = "89ab"[int(digits[16], 16) % 4]
        text = "".join(digits)
        parts = text[:8], text[8:12], text[12:16], text[16:20], text[20:]
        return UUID4.from_str("-".join(parts))

    return make


def seeded_uuid_module(host: Host, original: Any) -> Any:
    """A module ``uuid`` whose random ids come from the seed."""
    make = seeded_uuid4(host, original)
    return SimpleNamespace(uuid4=lambda: uuid.UUID(make().value))


def polling(ready: Callable[[Any], bool], timeout: str) -> Callable[[Host, Any], Any]:
    """A wait that looks now and then; ``timeout`` is the option that limits it."""

    def make(host: Host, original: Any) -> Any:
        async def check(self: Any) -> bool:
            remaining_secs = getattr(self._config, timeout)
            while not ready(self):
                if remaining_secs <= 0:
                    return False
                await sleep(POLL_SECS)
                remaining_secs -= POLL_SECS
            return True

        return check

    return make


def are_connected(kernel: Any) -> bool:
    return bool(kernel.data_engine.check_connected() and kernel.exec_engine.check_connected())


def are_disconnected(kernel: Any) -> bool:
    return bool(kernel.data_engine.check_disconnected() and kernel.exec_engine.check_disconnected())


def is_portfolio_initialized(kernel: Any) -> bool:
    return bool(kernel.portfolio.initialized)


def seeded_result(host: Host, original: Any) -> Any:
    """A method that returns a set."""

    @functools.wraps(original)
    def active_symbols(self: Any) -> SeededSet[str]:
        return SeededSet(original(self), host.hash_seed())

    return active_symbols


def seeded_argument(host: Host, original: Any) -> Any:
    """A method that is given a set, first."""

    @functools.wraps(original)
    async def handle_missing(self: Any, open_order_ids: Any, venue_reported_ids: Any) -> None:
        await original(self, SeededSet(open_order_ids, host.hash_seed()), venue_reported_ids)

    return handle_missing


def seeded_adjustment(host: Host, original: Any) -> Any:
    """The adjustment of fills to a window, whose results are of random order.

    Of the orders and fills that it makes up, ``S-<hash>-<random>``, the random part has nothing
    to say but that it differs: it is made of the seed and of what the fill is.
    """

    def seeded[V](found: dict[Any, V]) -> dict[Any, V]:
        by_text = {str(key): key for key in found}
        return {by_text[t]: found[by_text[t]] for t in SeededSet(set(by_text), host.hash_seed())}

    def suffix(*parts: Any) -> str:
        return f"{zlib.crc32('|'.join(map(str, (host.hash_seed(), *parts))).encode()):08x}"

    def respelt(orders: Any, fills: Any) -> Any:
        """Respell what was made up: the order of its fills, then each of these."""
        ids = {
            key: VenueOrderId(f"{head}-{suffix(*((f.order_side, f.last_qty) for f in found))}")
            for key, found in fills.items()
            if (head := key.value.rpartition("-")[0]).startswith("S-")
        }
        for key, found in fills.items():
            for fill in found:
                fill.venue_order_id = of = ids.get(key, key)
                head = fill.trade_id.value.rpartition("-")[0]
                if head.startswith("S-"):  # made up for an order of the venue, perhaps
                    fill.trade_id = TradeId(f"{head}-{suffix(of, fill.last_qty, fill.last_px)}")
        for key, order in orders.items():
            order.venue_order_id = ids.get(key, key)
        return (
            {ids.get(key, key): order for key, order in orders.items()},
            {ids.get(key, key): found for key, found in fills.items()},
        )

    @functools.wraps(original)
    def adjust(*args: Any, **kwargs: Any) -> Any:
        return {
            instrument: tuple(map(seeded, respelt(orders, fills)))
            for instrument, (orders, fills) in original(*args, **kwargs).items()
        }

    return adjust


def process_exit(host: Host, original: Any) -> Callable[[int], None]:
    """The end of the process that asks for it, and not of this one."""

    def leave(status: int) -> None:
        if PROCESS.get() is None:
            original(status)
        host.on_exit(status)

    return leave


def database(host: Host, original: Any) -> Any:
    """The write log of the process that connects."""

    def connect(trader_id: Any, instance_id: Any, config_json: bytes) -> Backing:
        return host.open_database(f"trader-{trader_id}")

    return connect
