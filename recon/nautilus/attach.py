"""Attaches `recon` to a node, and takes it off again.

What is replaced, on the instances of one node and nowhere else: three methods of its
execution engine (`ATTRIBUTES`) and three endpoints of its message bus (`ENDPOINTS`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import nautilus_trader
from nautilus_trader.common.component import Logger
from nautilus_trader.live.execution_engine import LiveExecutionEngine
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import OrderEvent

from recon.alerts import Alerts, DatabaseState
from recon.config import ReconExecEngineConfig
from recon.nautilus.account import Account
from recon.nautilus.accounts import AccountMaker
from recon.nautilus.analyzer import records_at_once
from recon.nautilus.audit import MARK, Audit, Layout
from recon.nautilus.database import Connect, DatabaseWatch, database_of
from recon.nautilus.gate import Gate
from recon.nautilus.memory import uncollected
from recon.nautilus.redis import Line
from recon.nautilus.store import why_nothing_comes_back
from recon.nautilus.stream import StreamWatch
from recon.nautilus.watch import Watch

ATTRIBUTES = ("reconcile_execution_state", "connect", "_handle_event_with_tracking")
ENDPOINTS = {
    "ExecEngine.process": "process",
    "ExecEngine.reconcile_execution_report": "reconcile_execution_report",
    "ExecEngine.reconcile_execution_mass_status": "reconcile_execution_mass_status",
}
APPLIED = "events.fills.*"
"""Where the engine tells of a fill once its order and its position have it."""

ORDERS, POSITIONS = "events.order.*", "events.position.*"
"""Where it is told what has become of orders and positions, once that is written."""

PRIVATE = (
    "_clients",
    "_routing_map",
    "_default_client",
    "_determine_netting_position_id",
    "_determine_oms_type",
    "_handle_order_fill",
    "_open_position",
)
"""Names of the engine that NautilusTrader does not promise."""

FIRST_RELEASE, LAST_RELEASE = (1, 227), (1, 231)
"""The releases of NautilusTrader that `recon` is for, both included: before, the adapter takes a
reduce-only order that the venue has cut for one that was cancelled."""

_MARK = "_recon_installation"


class InstallError(RuntimeError):
    """A node that `recon` cannot be attached to; the text says what to change."""


class Installation:
    """`recon` on one node.  Made by `install`, ended by `uninstall`."""

    def __init__(
        self,
        node: TradingNode,
        config: ReconExecEngineConfig,
        transport: httpx.AsyncBaseTransport | None,
        connect: Connect,
    ) -> None:
        self._node = node
        self._config = config
        kernel = node.kernel
        self._engine: Any = kernel.exec_engine
        self._cache: Any = kernel.cache
        self._msgbus: Any = kernel.msgbus
        self._clock: Any = kernel.clock
        self._log = Logger("recon")
        self.alerts = Alerts(self._msgbus, self._log)
        self._accounts: dict[Any, Account] = {}
        self._originals: dict[str, Any] = {}
        self._handlers: dict[str, Callable[[Any], None]] = {}
        self._maker = AccountMaker(
            node,
            config,
            self.alerts,
            self._log,
            drained=self._drained,
            stop_node=self._stop_node,
            transport=transport,
        )
        self._has_given_up = False
        self._process = self._engine.process
        self.audit: Audit | None = None
        self._unseen: set[str] = set()
        self.gate = Gate(
            self._accounts,
            self._cache,
            self._log,
            self._clock.timestamp_ns,
            self._process,
            on_question=lambda: self.watch.wake(),
            on_interruption=lambda: self.watch.interrupted(),
            on_news=lambda: self.watch.news(),
        )
        self.watch = Watch(
            self._engine,
            self.gate,
            self._make_accounts,
            [
                StreamWatch(client, self._log, revives=not config.dry_run)
                for client in self._engine._clients.values()
            ],
            self._log,
            now_ns=self._clock.timestamp_ns,
            drained=self._drained,
            stop_node=self._stop_node,
            give_up=self._give_up,
            connect_within_secs=config.reconciliation_startup_delay_secs,
            node_waits_secs=node._config.timeout_connection,
            interval_ns=int(config.reconciliation_interval_secs * 1e9),
            inflight_interval_ns=int(config.inflight_check_interval_secs * 1e9),
            inflight_timeout_ns=config.inflight_timeout_ms * 1_000_000,
            database=self._watch_of_database(connect),
            goes_on_unread=config.dry_run,
        )

    def _watch_of_database(self, connect: Connect) -> DatabaseWatch | None:
        config, kernel = self._node._config, self._node.kernel
        database = database_of(config.cache)
        if database is None:
            return None

        def tell(is_there: bool, text: str, lost: tuple[str, ...] = ()) -> None:
            now_ns = self._clock.timestamp_ns()
            state = DatabaseState(is_there=is_there, text=text, ts_event=now_ns, lost=lost)
            self.alerts.database(state)

        def tell_state(is_there: bool, text: str) -> None:
            tell(is_there, text)
            if is_there and self.audit is not None:
                self.audit.doubt()

        def tell_lost(lost: tuple[str, ...]) -> None:
            had = "the cache database had lost what the node had written of"
            tell(True, f"{had} {', '.join(lost)}: it was written again", lost)

        if not self._config.dry_run:
            layout = Layout(kernel.trader_id.value, kernel.instance_id.value, config.cache)
            self.audit = Audit(
                self._cache,
                layout,
                mark=partial(self._cache.add, MARK),
                records=lambda: self.watch.records(),
                write_anew=lambda: self.watch.save_anew(),
                on_news=lambda: self.watch.news(),
                tell=tell_lost,
            )
        return DatabaseWatch(
            database,
            tell=tell_state,
            audit=self._see_to_database,
            sacrifice=self._sacrifice,
            connect=connect,
        )

    def _sacrifice(self) -> None:
        if self.audit is not None:
            self._cache.add(MARK, b"-")

    async def _see_to_database(self, line: Line) -> None:
        """Write the ledgers as they are now, once what they tell of is seen to be there."""
        self.watch.encode()
        try:
            if self.audit is not None:
                await self.audit.run(line)
        except ConnectionError:
            pass  # the next one sees what this one could not
        except Exception as e:
            self._tell_unseen(e)
        finally:
            self.watch.write()

    def _tell_unseen(self, e: Exception) -> None:
        """Tell why it cannot be seen what the database has, once for each reason."""
        if (why := f"{type(e).__name__}: {e}") not in self._unseen:
            self._unseen.add(why)
            self._log.error(f"what the cache database has lost cannot be seen, nor mended: {why}")

    # -- attaching ------------------------------------------------------------------------

    def attach(self) -> None:
        """Put everything in place."""
        engine, msgbus = self._engine, self._msgbus
        self._originals = {name: getattr(engine, name) for name in ATTRIBUTES}
        if self._config.dry_run:
            self.gate.release()
        else:
            self._handlers = {
                "ExecEngine.process": self.gate.on_event,
                "ExecEngine.reconcile_execution_report": self.gate.on_report,
                "ExecEngine.reconcile_execution_mass_status": self.gate.on_mass_status,
            }
        for endpoint, handler in self._handlers.items():
            msgbus.deregister(endpoint, getattr(engine, ENDPOINTS[endpoint]))
            msgbus.register(endpoint, handler)
        msgbus.subscribe(APPLIED, self.gate.on_applied, priority=100)
        if self.audit is not None:
            self.audit.take_as_whole()
            msgbus.subscribe(ORDERS, self.audit.on_order)
            msgbus.subscribe(POSITIONS, self.audit.on_position)
        engine.reconcile_execution_state = self._reconcile
        engine.connect = self._connect
        engine._handle_event_with_tracking = self._handle
        setattr(engine, _MARK, self)
        why = why_nothing_comes_back(self._node._config.cache, loads_state=self._config.load_cache)
        if why is not None:
            self._log.warning(
                f"after a restart nothing will be known of fills that were applied: {why}"
            )

    def detach(self) -> None:
        """Give the stock engine back."""
        engine, msgbus = self._engine, self._msgbus
        self.watch.stop()
        msgbus.unsubscribe(APPLIED, self.gate.on_applied)
        if self.audit is not None:
            msgbus.unsubscribe(ORDERS, self.audit.on_order)
            msgbus.unsubscribe(POSITIONS, self.audit.on_position)
        for endpoint, handler in self._handlers.items():
            msgbus.deregister(endpoint, handler)
            msgbus.register(endpoint, getattr(engine, ENDPOINTS[endpoint]))
        for name in ATTRIBUTES:
            delattr(engine, name)
        delattr(engine, _MARK)
        self.gate.release()

    def _connect(self) -> None:
        self._originals["connect"]()
        self.watch.watch_connections()

    def _handle(self, event: OrderEvent) -> None:
        """Take the place of what applies the events of the engine's queue."""
        self.gate.on_turn(event)
        self._originals["_handle_event_with_tracking"](event)

    async def _reconcile(self, timeout_secs: float = 30.0) -> bool:
        if self._has_given_up:
            return False
        if not self._config.dry_run:
            with records_at_once(self._node.kernel.portfolio.analyzer), uncollected():
                return await self.watch.reconcile(timeout_secs)
        is_done: bool = await self._originals["reconcile_execution_state"](timeout_secs)
        await self.watch.reconcile(timeout_secs)
        return is_done

    def _stop_node(self, reason: str) -> None:
        if self._config.dry_run:
            self._log.error(f"the node would be stopped: {reason}")
        else:
            self._log.error(f"the node stops: {reason}")
            self._engine.shutdown_system(reason)

    def _give_up(self, reason: str) -> None:
        if not self._config.dry_run:
            self._has_given_up = True
            # Else the node would go on to wait for ``timeout_connection``, though it has stopped.
            for engine in (self._engine, self._node.kernel.data_engine):
                engine.check_connected = lambda: True
        self._stop_node(reason)

    async def _drained(self) -> None:
        """Wait until the engine has applied all events that were put into its queue."""
        # An event is put into the queue in the turn of the loop after it was sent.
        quiet = 0
        while quiet < 2:
            await asyncio.sleep(0)
            quiet = 0 if self._engine.evt_qsize() and self._engine.is_running else quiet + 1

    # -- accounts -------------------------------------------------------------------------

    def _make_accounts(self) -> list[Account]:
        for client in self._engine._clients.values():
            if client.account_id not in self._accounts:
                self._accounts[client.account_id] = self._maker.make(client)
        return list(self._accounts.values())


def supports(version: str) -> bool:
    """Whether `recon` is for a release of NautilusTrader, such as ``1.231.0``."""
    major, minor, *_ = map(int, re.findall(r"\d+", version))
    return FIRST_RELEASE <= (major, minor) <= LAST_RELEASE


def install(
    node: TradingNode,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    connect: Connect = asyncio.open_connection,
) -> Installation:
    """Attach `recon` to a node; call it after ``node.build()`` and before ``node.run()``.

    Parameters
    ----------
    node
        A built node whose ``exec_engine`` is a `ReconExecEngineConfig`.
    transport
        What carries requests to Binance, for tests and special networks.  By default
        httpx's own, with the proxy of the client's configuration.
    connect
        What opens a connection to the database of the cache, to see whether it is there and has
        what was written to it.

    Raises
    ------
    InstallError
        When the node is not built, is configured otherwise, has `recon` already, or is
        of a NautilusTrader that `recon` is not for, see `supports`.
    """
    engine = node.kernel.exec_engine
    config = node._config.exec_engine
    if hasattr(engine, _MARK):
        raise InstallError("recon is installed in this node already; call it once")
    if not isinstance(config, ReconExecEngineConfig):
        raise InstallError(
            "configure the node with TradingNodeConfig(exec_engine=ReconExecEngineConfig(...))"
        )
    if not supports(nautilus_trader.__version__):
        first, last = (".".join(map(str, release)) for release in (FIRST_RELEASE, LAST_RELEASE))
        raise InstallError(
            f"recon is for nautilus_trader {first} to {last}, not {nautilus_trader.__version__}"
        )
    _check_names(engine, node.kernel.msgbus)
    if not engine._clients:
        raise InstallError("the node has no execution clients: call install after node.build()")
    installation = Installation(node, config, transport, connect)
    installation.attach()
    return installation


def uninstall(node: TradingNode) -> None:
    """Take `recon` off a node: its engine is the stock one again.

    Raises `InstallError` when `recon` is not installed in it.
    """
    installation = getattr(node.kernel.exec_engine, _MARK, None)
    if installation is None:
        raise InstallError("recon is not installed in this node")
    installation.detach()


def _check_names(engine: Any, msgbus: Any) -> None:
    where = f"nautilus_trader {nautilus_trader.__version__}"
    if not isinstance(engine, LiveExecutionEngine):
        raise InstallError(f"the execution engine is a {type(engine).__name__}, not a live one")
    for name in (*ATTRIBUTES, *ENDPOINTS.values(), *PRIVATE):
        if not hasattr(engine, name):
            raise InstallError(f"the execution engine of {where} has no '{name}'")
    for endpoint in ENDPOINTS:
        if endpoint not in msgbus.endpoints():
            raise InstallError(f"the message bus of {where} has no endpoint '{endpoint}'")
