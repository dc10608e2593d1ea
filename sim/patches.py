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
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import nautilus_trader
from packaging.specifiers import SpecifierSet

from sim import replacements
from sim.clock import VirtualClock
from sim.replacements import Host
from sim.transport import nautilus as transport

VERSIONS = (
    "1.221.0",
    "1.222.0",
    "1.223.0",
    "1.224.0",
    "1.225.0",
    "1.226.0",
    "1.227.0",
    "1.228.0",
    "1.229.0",
    "1.230.0",
    "1.231.0",
)
"""The releases that the patches were written for and tried with, oldest first."""


class UnknownVersion(RuntimeError):
    """The installed NautilusTrader is not one that the patches were written for."""


class PatchMismatch(RuntimeError):
    """A name to be replaced is missing or is not what it was."""


class Patch(msgspec.Struct, frozen=True):
    """One replaced name.

    ``signature`` is compared with `inspect.signature`; None where Python has no
    signature for the original (a Cython class, a module).  Where it differs between
    releases it is a signature for each range of them.
    """

    module: str
    name: str
    signature: str | Mapping[str, str] | None
    why: str
    make: Callable[[Host, Any], Any]
    versions: str = ""

    def is_for(self, version: str) -> bool:
        """Whether a release has this name, and needs it replaced."""
        return _is_in(version, self.versions)

    def signature_in(self, version: str) -> str | None:
        """Return what the name takes in a release."""
        if isinstance(self.signature, Mapping):
            return next(s for versions, s in self.signature.items() if _is_in(version, versions))
        return self.signature


def _is_in(version: str, versions: str) -> bool:
    return SpecifierSet(versions).contains(version, prereleases=True)


_ADAPTER = "nautilus_trader.adapters.binance"
_KERNEL = "nautilus_trader.system.kernel"
_WS_CONFIG = (
    "(url, headers, heartbeat=None, heartbeat_msg=None, reconnect_timeout_ms=10000, "
    "reconnect_delay_initial_ms=2000, reconnect_delay_max_ms=30000, "
    "reconnect_backoff_factor=1.5, reconnect_jitter_ms=100, reconnect_max_attempts=None"
)
_WS_CONFIGS = {
    ">=1.231": f"{_WS_CONFIG}, idle_timeout_ms=None, proxy_url=None, backend=None)",
    ">=1.226,<1.231": f"{_WS_CONFIG}, idle_timeout_ms=None, proxy_url=None)",
    ">=1.223,<1.226": f"{_WS_CONFIG}, idle_timeout_ms=None)",
    ">=1.222,<1.223": f"{_WS_CONFIG})",
    "<1.222": "(url, handler, headers, heartbeat=None, heartbeat_msg=None, ping_handler=None, "
    "reconnect_timeout_ms=10000, reconnect_delay_initial_ms=2000, "
    "reconnect_delay_max_ms=30000, reconnect_backoff_factor=1.5, reconnect_jitter_ms=100)",
}
_HTTP_CLIENT = (
    "(default_headers=Ellipsis, header_keys=Ellipsis, keyed_quotas=Ellipsis, "
    "default_quota=None, timeout_secs=None"
)

PATCHES: tuple[Patch, ...] = (
    Patch(
        f"{_ADAPTER}.http.client",
        "HttpClient",
        {">=1.222": f"{_HTTP_CLIENT}, proxy_url=None)", "<1.222": f"{_HTTP_CLIENT})"},
        "requests go to the venue in this process",
        lambda host, _: transport.http_client(host.network),
    ),
    *(
        patch
        # Until 1.222 the user data stream comes on a connection of the other kind.
        for module, versions in (("user", ">=1.223"), ("client", ""))
        for patch in (
            Patch(
                f"{_ADAPTER}.websocket.{module}",
                "WebSocketClient",
                "()",
                "streams come from the venue in this process",
                lambda host, _: transport.web_socket_client(host.network),
                versions,
            ),
            Patch(
                f"{_ADAPTER}.websocket.{module}",
                "WebSocketConfig",
                _WS_CONFIGS,
                "the settings must be readable by the stream above",
                lambda host, _: transport.WebSocketSettings,
                versions,
            ),
        )
    ),
    Patch(
        "nautilus_trader.core.nautilus_pyo3",
        "RedisCacheDatabase",
        {
            ">=1.229": "(trader_id, instance_id, config_json, database_config_json=None)",
            "<1.229": "(trader_id, instance_id, config_json)",
        },
        "the cache is stored in a write log in memory",
        replacements.database,
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
        replacements.polling(replacements.are_connected, "timeout_connection"),
    ),
    Patch(
        _KERNEL,
        "NautilusKernel._check_engines_disconnected",
        "(self) -> bool",
        "it polls without letting time pass",
        replacements.polling(replacements.are_disconnected, "timeout_disconnection"),
    ),
    Patch(
        _KERNEL,
        "NautilusKernel._check_portfolio_initialized",
        "(self) -> bool",
        "it polls without letting time pass",
        replacements.polling(replacements.is_portfolio_initialized, "timeout_portfolio"),
    ),
    Patch(
        "nautilus_trader.live.execution_engine",
        "UUID4",
        None,
        "ids of synthetic orders reach inferred trade ids",
        replacements.seeded_uuid4,
    ),
    Patch(
        "nautilus_trader.live.execution_engine",
        "uuid",
        None,
        "ids of orders that a reconciliation makes up",
        replacements.seeded_uuid_module,
        "<1.222",
    ),
    Patch(
        "nautilus_trader.live.reconciliation",
        "UUID4",
        None,
        "ids of inferred trades",
        replacements.seeded_uuid4,
        "<1.226",
    ),
    Patch(
        "nautilus_trader.live.execution_engine",
        "adjust_fills_for_partial_window",
        None,
        "hash order of its own decides the order of what it returns",
        replacements.seeded_adjustment,
        ">=1.222,<1.226",
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
        replacements.seeded_result,
    ),
    Patch(
        "nautilus_trader.live.execution_engine",
        "LiveExecutionEngine._handle_missing_orders_at_venue",
        "(self, open_order_ids: set[nautilus_trader.model.identifiers.ClientOrderId], "
        "venue_reported_ids: set[nautilus_trader.model.identifiers.ClientOrderId]) -> None",
        "hash order decides the order of requests",
        replacements.seeded_argument,
        ">=1.222",
    ),
    Patch(
        "os",
        "_exit",
        "(status)",
        "the end of a simulated process would be the end of the simulation",
        replacements.process_exit,
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
    expected = patch.signature_in(nautilus_trader.__version__)
    if expected is not None:
        signature = str(inspect.signature(original))
        if signature != expected:
            raise PatchMismatch(f"{where} takes {signature}, expected {expected}")
    return owner, name, original


@functools.cache
def table(version: str | None = None) -> tuple[tuple[Patch, Any, str, Any], ...]:
    """Return the checked patches of a NautilusTrader version (default: the installed one).

    Raises `UnknownVersion` if no patch knows the version, and `PatchMismatch` if
    a name is not what its patch expects.
    """
    version = version or nautilus_trader.__version__
    if version not in VERSIONS:
        raise UnknownVersion(
            f"nautilus_trader {version} is not supported by the simulation; "
            f"it knows {', '.join(VERSIONS)}",
        )
    return tuple((patch, *_checked(patch)) for patch in PATCHES if patch.is_for(version))


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
