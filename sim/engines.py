"""What reconciles the node under test: the engine, a parameter of every run.

An engine is an object with four members; nothing else of it is used::

    name: str                          how reports and `known` call it
    alerts: str | None                 message-bus topic of its discrepancies, if it has one
    configure(config, spec) -> config  changes the node's configuration before it is built
    attach(node)                       does what it likes with the node after ``node.build()``

What an engine publishes on its topic is an object with these members, each text or an
object whose text it is; those that do not apply are left out, None or empty::

    kind                               what it is about, in the engine's words; ``residual`` for
                                       a leg that it cannot explain and leaves as it is
    account, instrument_id             where; only the second is read: a node has one account for
                                       each venue
    position_side                      of a leg: BOTH, LONG or SHORT
    client_order_id, venue_order_id    of an order
    trade_id                           of a fill, with an id of its order

``package.module:name`` loads anybody's own: an object with any of these (by default
the configuration is unchanged and nothing is attached), a class that makes one, or a
plain function, which is taken as the `attach` of an engine that is otherwise `stock`.

Each process of a node gets an engine of its own, made when it starts: nothing but the
database outlives a process.  An engine that is given as an object, not as a class, is
its author's way to say that it has no state.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, cast

import nautilus_trader
from msgspec import UNSET
from msgspec.structs import replace
from nautilus_trader.config import TradingNodeConfig
from nautilus_trader.live.node import TradingNode

from sim.scenario.model import Node as NodeSpec

MEMBERS = ("name", "alerts", "configure", "attach")


class EngineError(ValueError):
    """An engine that cannot be found or is not one."""


class Engine(Protocol):
    """What a run needs of an engine."""

    name: str
    alerts: str | None

    def configure(self, config: TradingNodeConfig, spec: NodeSpec) -> TradingNodeConfig:
        """Return the configuration to build the node with."""

    def attach(self, node: TradingNode) -> None:
        """Attach to a node that is built and not yet started."""


class StockDefaults:
    """The released engine with the release's own defaults: open checks are off."""

    name = "stock-defaults"
    alerts: str | None = None

    def configure(self, config: TradingNodeConfig, spec: NodeSpec) -> TradingNodeConfig:
        return config

    def attach(self, node: TradingNode) -> None:
        pass


class Stock(StockDefaults):
    """The released engine with its own checks on.

    Open orders and positions are checked at the scenario's reconciliation
    interval unless the scenario sets them apart; in-flight orders as released.
    """

    name = "stock"

    def configure(self, config: TradingNodeConfig, spec: NodeSpec) -> TradingNodeConfig:
        every_secs = spec.reconciliation_interval_secs
        open_check_secs = spec.open_check_interval_secs
        position_check_secs = spec.position_check_interval_secs
        wanted: dict[str, float | None] = {
            "open_check_interval_secs": every_secs if open_check_secs is UNSET else open_check_secs,
            "position_check_interval_secs": (
                every_secs if position_check_secs is UNSET else position_check_secs
            ),
        }
        if spec.inflight_check_interval_ms is not UNSET:
            wanted["inflight_check_interval_ms"] = spec.inflight_check_interval_ms or 0
        # The check of positions is younger than the oldest release.
        has = type(config.exec_engine).__struct_fields__
        options = {name: value for name, value in wanted.items() if name in has}
        return replace(config, exec_engine=replace(config.exec_engine, **options))


class Attached(Stock):
    """`Stock` with a function that is called with the built node."""

    def __init__(self, name: str, attach: Callable[[TradingNode], None]) -> None:
        self.name = name
        self._attach = attach

    def attach(self, node: TradingNode) -> None:
        _attached(self._attach, node)


class Loaded(StockDefaults):
    """Anybody's own engine; what it does not have is as in `StockDefaults`."""

    def __init__(self, name: str, engine: Any) -> None:
        self.name = getattr(engine, "name", name)
        self.alerts = getattr(engine, "alerts", None)
        self._configure = getattr(engine, "configure", super().configure)
        self._attach = getattr(engine, "attach", super().attach)

    def configure(self, config: TradingNodeConfig, spec: NodeSpec) -> TradingNodeConfig:
        return cast(TradingNodeConfig, self._configure(config, spec))

    def attach(self, node: TradingNode) -> None:
        _attached(self._attach, node)


def _attached(attach: Callable[[TradingNode], Any], node: TradingNode) -> None:
    """Call somebody's `attach`; raises `TypeError` when most of it is still to come."""
    returned = attach(node)
    if inspect.isawaitable(returned):
        if inspect.iscoroutine(returned):
            returned.close()
        raise TypeError("it returned something to await, which nobody does")


type MakeEngine = Callable[[], Engine]
"""Makes the engine of one process."""

BUILT_IN = ("stock", "stock-defaults", "recon")
"""The names of the engines that are here."""


def load(name: str) -> MakeEngine:
    """Return what makes the engine of a name: a built-in one, or ``package.module:name``.

    Raises `EngineError` with a sentence that says what was looked for.
    """
    match name:
        case "stock":
            return Stock
        case "stock-defaults":
            return StockDefaults
        case "recon":
            return _recon()
    module_name, _, attribute = name.partition(":")
    if not (module_name and attribute):
        known = ", ".join(BUILT_IN)
        raise EngineError(f"unknown engine '{name}'; use {known} or package.module:name")
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except AttributeError:
        raise EngineError(f"engine '{name}': {module_name} has no '{attribute}'") from None
    except (Exception, SystemExit) as e:
        raise EngineError(f"engine '{name}': cannot import {module_name}: {e}") from None
    if inspect.isfunction(found):
        _refuse_deferred(name, attribute, found)
        return partial(Attached, name, found)
    made = _make(name, found)
    _refuse_near_misses(name, made)
    topic = getattr(made, "alerts", None)
    if topic is not None and not (isinstance(topic, str) and topic):
        raise EngineError(f"engine '{name}': 'alerts' must be a topic or None, not {topic!r}")
    for hook in ("configure", "attach"):
        _refuse_deferred(name, hook, getattr(made, hook, None))
    if not any(callable(getattr(made, hook, None)) for hook in ("configure", "attach")):
        raise EngineError(f"engine '{name}' is none: it has neither 'configure' nor 'attach'")
    return lambda: Loaded(name, _make(name, found))


def _recon() -> MakeEngine:
    # Imported when it is asked for: the stock engine is run on releases, too, of which it
    # cannot even be imported.
    why = ""
    try:
        from recon import supports
        from sim.recon_engine import Recon
    except ImportError as e:
        why = f": {e}"
    else:
        if supports(nautilus_trader.__version__):
            return Recon
    raise EngineError(
        f"engine 'recon' is not for nautilus_trader {nautilus_trader.__version__}{why}"
    )


def _make(name: str, found: Any) -> Any:
    try:
        return found() if inspect.isclass(found) else found
    except Exception as e:
        raise EngineError(f"engine '{name}' cannot be made: {type(e).__name__}: {e}") from None


def _refuse_deferred(name: str, hook: str, function: Any) -> None:
    """Refuse a function whose body does not run when it is called."""
    for kind, is_of_kind in (
        ("a coroutine", inspect.iscoroutinefunction),
        ("a generator", inspect.isgeneratorfunction),
        ("an asynchronous generator", inspect.isasyncgenfunction),
    ):
        if is_of_kind(function):
            raise EngineError(
                f"engine '{name}': '{hook}' is {kind}, which nobody would run; make it a plain "
                "function that starts its own tasks with node.kernel.loop.create_task",
            )


def _refuse_near_misses(name: str, engine: Any) -> None:
    """Refuse a method that is called almost like a member that its author left out."""
    written = {
        member
        for kind in type(engine).__mro__
        if kind not in (Stock, StockDefaults, object)
        for member in vars(kind)
    } | set(getattr(engine, "__dict__", ()))
    missing = [member for member in MEMBERS if member not in written]
    for method in vars(type(engine)):
        if method.startswith("_") or method in MEMBERS or not callable(getattr(engine, method)):
            continue
        near = difflib.get_close_matches(method.lower(), missing, n=1, cutoff=0.8)
        if near:
            raise EngineError(
                f"engine '{name}' has a method '{method}' that nobody would call; did you mean "
                f"'{near[0]}'? If not, let its name begin with an underscore",
            )
