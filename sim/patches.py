"""Every name of NautilusTrader that is replaced in memory, and why.

This table is the whole list: nothing else of the package is touched, and nothing
on disk.  A patch belongs to a range of versions.  When patches are installed each
is checked (the name exists, it takes the arguments that it took when the patch
was written), so that a new release fails loudly instead of running half virtual.
All are undone when the run ends.

A patch that removes hash-order nondeterminism permutes, by the seed, exactly the
elements that the original returned.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import sys
from asyncio import sleep
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec
import nautilus_trader
from nautilus_trader.core.uuid import UUID4
from packaging.specifiers import SpecifierSet

from sim.clock import VirtualClock
from sim.database import Backing
from sim.process import PROCESS
from sim.streams import SeededSet, Streams
from sim.transport import nautilus as transport
from sim.transport.network import Network

POLL_SECS = 0.01
"""How often the kernel looks whether its engines are ready.  It has no meaning of
its own: the original looks at every turn of the loop, so that time could not pass."""


class UnknownVersion(RuntimeError):
    """The installed NautilusTrader is not one that the patches were written for."""


class PatchMismatch(RuntimeError):
    """A name to be replaced is missing or is not what it was."""


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


class Patch(msgspec.Struct, frozen=True):
    """One replaced name.

    ``signature`` is compared with `inspect.signature`; None where Python has no
    signature for the original (a Cython class, a module).
    """

    module: str
    name: str
    signature: str | None
    why: str
    make: Callable[[Host, Any], Any]
    versions: str = ">=1.231,<1.232"


def _seeded_uuid4(host: Host, original: Any) -> Callable[[], UUID4]:
    stream = host.streams["identity"]

    def make() -> UUID4:
        digits = list(f"{stream.getrandbits(128):032x}")
        digits[12] = "4"
        digits[16] = "89ab"[int(digits[16], 16) % 4]
        text = "".join(digits)
        parts = text[:8], text[8:12], text[12:16], text[16:20], text[20:]
        return UUID4.from_str("-".join(parts))

    return make


def _polling(ready: Callable[[Any], bool], timeout: str) -> Callable[[Host, Any], Any]:
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


def _are_connected(kernel: Any) -> bool:
    return bool(kernel.data_engine.check_connected() and kernel.exec_engine.check_connected())


def _are_disconnected(kernel: Any) -> bool:
    return bool(kernel.data_engine.check_disconnected() and kernel.exec_engine.check_disconnected())


def _is_portfolio_initialized(kernel: Any) -> bool:
    return bool(kernel.portfolio.initialized)


def _seeded_result(host: Host, original: Any) -> Any:
    @functools.wraps(original)
    def active_symbols(self: Any) -> SeededSet[str]:
        return SeededSet(original(self), host.hash_seed())

    return active_symbols


def _seeded_argument(host: Host, original: Any) -> Any:
    @functools.wraps(original)
    async def handle_missing(self: Any, open_order_ids: Any, venue_reported_ids: Any) -> None:
        await original(self, SeededSet(open_order_ids, host.hash_seed()), venue_reported_ids)

    return handle_missing


def _exit(host: Host, original: Any) -> Callable[[int], None]:
    def leave(status: int) -> None:
        if PROCESS.get() is None:
            original(status)
        host.on_exit(status)

    return leave


def _database(host: Host, original: Any) -> Any:
    def connect(trader_id: Any, instance_id: Any, config_json: bytes) -> Backing:
        return host.open_database(f"trader-{trader_id}")

    return connect


_ADAPTER = "nautilus_trader.adapters.binance"
_KERNEL = "nautilus_trader.system.kernel"
_WS_CONFIG = (
    "(url, headers, heartbeat=None, heartbeat_msg=None, reconnect_timeout_ms=10000, "
    "reconnect_delay_initial_ms=2000, reconnect_delay_max_ms=30000, "
    "reconnect_backoff_factor=1.5, reconnect_jitter_ms=100, reconnect_max_attempts=None, "
    "idle_timeout_ms=None, proxy_url=None, backend=None)"
)

PATCHES: tuple[Patch, ...] = (
    Patch(
        f"{_ADAPTER}.http.client",
        "HttpClient",
        "(default_headers=Ellipsis, header_keys=Ellipsis, keyed_quotas=Ellipsis, "
        "default_quota=None, timeout_secs=None, proxy_url=None)",
        "requests go to the venue in this process",
        lambda host, _: transport.http_client(host.network),
    ),
    *(
        patch
        for module in (f"{_ADAPTER}.websocket.user", f"{_ADAPTER}.websocket.client")
        for patch in (
            Patch(
                module,
                "WebSocketClient",
                "()",
                "streams come from the venue in this process",
                lambda host, _: transport.web_socket_client(host.network),
            ),
            Patch(
                module,
                "WebSocketConfig",
                _WS_CONFIG,
                "the settings must be readable by the stream above",
                lambda host, _: transport.WebSocketSettings,
            ),
        )
    ),
    Patch(
        "nautilus_trader.core.nautilus_pyo3",
        "RedisCacheDatabase",
        "(trader_id, instance_id, config_json, database_config_json=None)",
        "the cache is stored in a write log in memory",
        _database,
    ),
    Patch(_KERNEL, "LiveClock", None, "clocks follow the loop", lambda host, _: VirtualClock),
    Patch(
        _KERNEL,
        "is_logging_initialized",
        "()",
        "the logger is a thread with a real clock",
        lambda host, _: lambda: True,
    ),
    Patch(
        _KERNEL,
        "NautilusKernel._setup_loop",
        "(self) -> None",
        "signal handlers belong to the real process",
        lambda host, _: lambda self: None,
    ),
    Patch(
        _KERNEL,
        "NautilusKernel._check_engines_connected",
        "(self) -> bool",
        "it polls without letting time pass",
        _polling(_are_connected, "timeout_connection"),
    ),
    Patch(
        _KERNEL,
        "NautilusKernel._check_engines_disconnected",
        "(self) -> bool",
        "it polls without letting time pass",
        _polling(_are_disconnected, "timeout_disconnection"),
    ),
    Patch(
        _KERNEL,
        "NautilusKernel._check_portfolio_initialized",
        "(self) -> bool",
        "it polls without letting time pass",
        _polling(_is_portfolio_initialized, "timeout_portfolio"),
    ),
    Patch(
        "nautilus_trader.live.execution_engine",
        "UUID4",
        None,
        "ids of synthetic orders reach inferred trade ids",
        _seeded_uuid4,
    ),
    Patch(
        "nautilus_trader.live.retry",
        "randint",
        "(a, b)",
        "jitter of retries",
        lambda host, _: host.streams["retry"].randint,
    ),
    Patch(
        f"{_ADAPTER}.execution",
        "BinanceCommonExecutionClient._get_cache_active_symbols",
        "(self) -> set[str]",
        "hash order decides the order of requests",
        _seeded_result,
    ),
    Patch(
        "nautilus_trader.live.execution_engine",
        "LiveExecutionEngine._handle_missing_orders_at_venue",
        "(self, open_order_ids: set[nautilus_trader.model.identifiers.ClientOrderId], "
        "venue_reported_ids: set[nautilus_trader.model.identifiers.ClientOrderId]) -> None",
        "hash order decides the order of requests",
        _seeded_argument,
    ),
    Patch(
        "os",
        "_exit",
        "(status)",
        "the end of a simulated process would be the end of the simulation",
        _exit,
    ),
)

HASH_ORDER = frozenset(patch.name for patch in PATCHES if patch.why.startswith("hash order"))
"""The names whose replacement makes a run independent of ``PYTHONHASHSEED``."""


def _owner(patch: Patch) -> tuple[Any, str]:
    owner: Any = importlib.import_module(patch.module)
    *parents, name = patch.name.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    return owner, name


def _checked(patch: Patch) -> tuple[Any, str, Any]:
    where = f"{patch.module}.{patch.name} (nautilus_trader {nautilus_trader.__version__})"
    try:
        owner, name = _owner(patch)
        original = inspect.getattr_static(owner, name)
    except (ImportError, AttributeError) as e:
        raise PatchMismatch(f"{where} does not exist: {e}") from None
    if patch.signature is not None:
        signature = str(inspect.signature(original))
        if signature != patch.signature:
            raise PatchMismatch(f"{where} takes {signature}, expected {patch.signature}")
    return owner, name, original


@functools.cache
def table(version: str | None = None) -> tuple[tuple[Patch, Any, str, Any], ...]:
    """Return the checked patches of a NautilusTrader version (default: the installed one).

    Raises `UnknownVersion` if no patch knows the version, and `PatchMismatch` if
    a name is not what its patch expects.
    """
    version = version or nautilus_trader.__version__
    chosen = [p for p in PATCHES if SpecifierSet(p.versions).contains(version, prereleases=True)]
    if not chosen:
        known = ", ".join(sorted({p.versions for p in PATCHES}))
        raise UnknownVersion(
            f"nautilus_trader {version} is not supported by the simulation; it knows {known}",
        )
    return tuple((patch, *_checked(patch)) for patch in chosen)


@contextlib.contextmanager
def installed(host: Host, *, without: frozenset[str] = frozenset()) -> Iterator[None]:
    """Replace the names of the table for the time of a run.

    `without` leaves out patches by name; it exists for tests of the patches.
    Raises what `table` raises, and `RuntimeError` when patches are in place.
    """
    undo: list[tuple[Any, str, Any]] = []
    try:
        for patch, owner, name, original in table():
            if patch.name in without:
                continue
            if inspect.getattr_static(owner, name) is not original:
                raise RuntimeError(f"{patch.module}.{patch.name} is already replaced")
            setattr(owner, name, patch.make(host, original))
            undo.append((owner, name, original))
        forget_shared_clients()
        yield
    finally:
        for owner, name, original in reversed(undo):
            setattr(owner, name, original)
        forget_shared_clients()


def forget_shared_clients() -> None:
    """Empty the adapter's caches of clients: a new process has none."""
    factories = sys.modules.get(f"{_ADAPTER}.factories")
    for name in (
        "get_cached_binance_http_client",
        "get_cached_binance_spot_instrument_provider",
        "get_cached_binance_futures_instrument_provider",
    ):
        if factories is not None:
            getattr(factories, name).cache_clear()
