"""What no type can say about a scenario: names that must exist, orders of events.

A check names what is wrong by its path in the file, in the file's own words;
the loader knows the line.  A scenario that passes can be run.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NoReturn, Protocol

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from sim.scenario.actions import (
    Cancel,
    CancelAll,
    Comeback,
    EventFault,
    Fill,
    Kill,
    Modify,
    NodeAction,
    Order,
    RequestFault,
    Restart,
    SetPrice,
    Start,
    Stop,
    StrategyAction,
    Submit,
    WebCancel,
    WebSubmit,
)
from sim.scenario.durations import format_duration
from sim.scenario.errors import nearest
from sim.scenario.model import Node, Record, Scenario
from sim.scenario.yaml_tree import Key, Path
from sim.venue.config import known_symbols, symbol_config
from sim.venue.rest import ROUTES

FARTHEST_NS = 3650 * 86_400 * 1_000_000_000
"""No story is longer: a node that runs all that time takes minutes to simulate."""


class Fail(Protocol):
    """Ends the check: ``path`` is where, ``message`` and ``hint`` say what."""

    def __call__(self, path: Path, message: str, hint: str = "", /) -> NoReturn: ...


def check(scenario: Scenario, fail: Fail) -> None:
    """Call ``fail`` with the first thing that is wrong, or return."""
    _check_venue(scenario, fail)
    _check_node(scenario, fail)
    _Timeline(scenario, fail).check()
    _check_expect(scenario, fail)
    _check_known(scenario, fail)


def _check_symbol(scenario: Scenario, symbol: str, path: Path, fail: Fail) -> None:
    if symbol not in (symbols := scenario.venue.symbols):
        fail(path, f"{symbol!r} is not in venue.symbols", nearest(symbol, symbols))


def _check_tick(symbol: str, price: Decimal | None, path: Path, fail: Fail) -> None:
    # Only what is traded: an order off the tick is the venue's to refuse.
    tick = symbol_config(symbol).tick_size
    if price is not None and price % tick:
        fail(path, f"{symbol} does not trade at {price:f}", f"its tick is {tick.normalize():f}")


def _check_strategy(scenario: Scenario, strategy: str, path: Path, fail: Fail) -> None:
    if strategy not in (strategies := scenario.node.strategies):
        fail(path, f"{strategy!r} is not in node.strategies", nearest(strategy, strategies))


def _check_venue(scenario: Scenario, fail: Fail) -> None:
    venue = scenario.venue
    for index, symbol in enumerate(venue.symbols):
        if symbol not in (known := known_symbols()):
            path = ("venue", "symbols", index)
            fail(path, f"the venue cannot list {symbol!r}", nearest(symbol, known))
    for symbol, price in venue.prices.items():
        _check_symbol(scenario, symbol, ("venue", "prices", Key(symbol)), fail)
        _check_tick(symbol, price, ("venue", "prices", symbol), fail)
    if venue.latency_ms is not None and venue.latency_ms[0] > venue.latency_ms[1]:
        fail(("venue", "latency_ms"), "latency_ms must be the least and the greatest, in order")


def _check_node(scenario: Scenario, fail: Fail) -> None:
    node = scenario.node
    _check_claims(scenario, node.claims, ("node", "claims"), fail)
    for index, instrument in enumerate(node.instruments or ()):
        _check_symbol(scenario, _symbol_of(instrument), ("node", "instruments", index), fail)
    if node.exec_engine:
        _check_exec_engine(node.exec_engine, fail)


def _check_claims(
    scenario: Scenario, claims: dict[str, tuple[str, ...]], where: Path, fail: Fail
) -> None:
    claimed_by: dict[str, str] = {}
    for strategy, instruments in claims.items():
        _check_strategy(scenario, strategy, (*where, Key(strategy)), fail)
        for index, instrument in enumerate(instruments):
            path = (*where, strategy, index)
            owner = claimed_by.setdefault(instrument, strategy)
            if owner != strategy:
                fail(path, f"{instrument} is already claimed by {owner}")
            _check_symbol(scenario, _symbol_of(instrument), path, fail)


def _symbol_of(instrument: str) -> str:
    return instrument.removesuffix("-PERP.BINANCE")


def _check_exec_engine(options: dict[str, Any], fail: Fail) -> None:
    # Imported here because it takes longer than reading a hundred files without this section.
    from nautilus_trader.common.config import msgspec_decoding_hook
    from nautilus_trader.config import LiveExecEngineConfig

    own = Node.__struct_fields__
    kinds = {
        field.name: field.type
        for field in msgspec.structs.fields(LiveExecEngineConfig)
        if field.name not in own
    }
    for name, value in options.items():
        path, key = ("node", "exec_engine", name), ("node", "exec_engine", Key(name))
        if name in own:
            fail(key, f"{name!r} is a word of node", "move it up, out of exec_engine")
        if name == "reconciliation":
            fail(key, "'reconciliation' is always on here", "it is what a run is about")
        if name not in kinds:
            fail(key, f"LiveExecEngineConfig has no option {name!r}", nearest(name, kinds))
        try:
            msgspec.convert(value, kinds[name], dec_hook=msgspec_decoding_hook)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            fail(path, f"{name}: {' '.join(str(error).split())}")


class _Timeline:
    """Walks the records in order, with what is known of orders and of the node so far."""

    def __init__(self, scenario: Scenario, fail: Fail) -> None:
        self._scenario = scenario
        self._fail = fail
        self._orders: dict[str, Order] = {}
        # The most that an order can be filled by, with all its changes so far.
        self._quantity: dict[str, Decimal] = {}
        self._filled: dict[str, Decimal] = {}
        self._now_ns: int | None = None
        # The node is down in [since, until); until is None when only a start ends it.
        self._down_since_ns: int | None = None
        self._down_until_ns: int | None = None

    def check(self) -> None:
        for index, record in enumerate(self._scenario.timeline):
            self._check_time(index, record)
            self._check_action(index, record)

    def _check_time(self, index: int, record: Record) -> None:
        at_ns, action = record.at_ns, record.action
        at = format_duration(at_ns)
        if self._now_ns is not None and at_ns < self._now_ns:
            before = format_duration(self._now_ns)
            self._fail(
                ("timeline", index, "at"), f"{at} comes after {before}", "order the records by time"
            )
        self._now_ns = at_ns
        if abs(at_ns) > FARTHEST_NS:
            self._fail(("timeline", index, "at"), f"{at} is more than ten years away")
        if action.lasts_ns > FARTHEST_NS:
            self._fail(_path(index, record), f"{action.word} lasts for more than ten years")
        if isinstance(action, StrategyAction | NodeAction) and at_ns < 0:
            self._fail(
                _path(index, record),
                f"{record.action.word} at {at}, before the node's first start at 0s",
                "only the venue acts there",
            )
        if self._down_until_ns is not None and at_ns >= self._down_until_ns:
            self._down_since_ns = self._down_until_ns = None
        is_down = self._down_since_ns is not None
        if isinstance(action, StrategyAction | Stop | Kill | Restart) and is_down:
            self._fail(
                _path(index, record), f"{record.action.word} while the node is {self._down()}"
            )
        if isinstance(action, Start):
            if not is_down:
                self._fail(_path(index, record), "start while the node is running")
            if self._down_until_ns is not None:
                self._fail(_path(index, record), f"start while the node is {self._down()}")
            self._down_since_ns = None
        if isinstance(action, Stop | Kill):
            self._down_since_ns = at_ns
        if isinstance(action, Restart) and action.down_ns:
            self._down_since_ns, self._down_until_ns = at_ns, at_ns + action.down_ns

    def _down(self) -> str:
        assert self._down_since_ns is not None
        since = f"down since {format_duration(self._down_since_ns)}"
        if self._down_until_ns is None:
            return since
        return f"{since} until {format_duration(self._down_until_ns)}"

    def _check_action(self, index: int, record: Record) -> None:
        action, path, fail = record.action, _path(index, record), self._fail
        if (symbol := getattr(action, "symbol", None)) is not None:
            _check_symbol(self._scenario, symbol, (*path, "symbol"), fail)
        match action:
            case Order():
                self._check_order(action, path)
            case Cancel(order=order) | Modify(order=order):
                if isinstance(self._earlier(order, path), WebSubmit):
                    fail(
                        (*path, "order"),
                        f"{order!r} was not sent by a strategy",
                        "cancel it with 'web_cancel'" if isinstance(action, Cancel) else "",
                    )
                if isinstance(action, Modify):
                    self._check_modify(action, path)
            case CancelAll(strategy=strategy):
                _check_strategy(self._scenario, strategy, (*path, "strategy"), fail)
            case WebCancel(order=order):
                self._earlier(order, path)
            case SetPrice():
                _check_tick(action.symbol, action.price, (*path, "price"), fail)
            case Fill():
                self._check_fill(action, path)
            case EventFault():
                self._check_event_fault(action, path)
            case RequestFault():
                self._check_request_fault(action, path)
            case Comeback():
                self._check_comeback(action, path)
        if isinstance(action, EventFault | RequestFault) and None not in (
            action.count,
            action.for_ns,
        ):
            fail((*path, "for"), "'count' and 'for' exclude each other", "give one")

    def _check_order(self, order: Order, path: Path) -> None:
        fail = self._fail
        if order.id in self._orders:
            fail((*path, "id"), f"order id {order.id!r} is given twice")
        self._orders[order.id] = order
        self._quantity[order.id] = order.quantity
        if order.type == "LIMIT" and order.price is None:
            fail(path, "a LIMIT order needs 'price'")
        if order.type == "MARKET":
            if order.price is not None:
                fail((*path, "price"), "a MARKET order has no price", "leave it out")
            if order.time_in_force != "GTC":
                fail((*path, "time_in_force"), "a MARKET order never rests", "leave it out")
            if order.post_only:
                fail((*path, "post_only"), "a MARKET order never rests", "leave it out")
        if order.post_only and order.time_in_force != "GTC":
            fail((*path, "post_only"), f"a post-only order rests, {order.time_in_force} does not")
        if order.reduce_only and self._scenario.venue.position_mode == "hedge":
            hint = "a SELL of the LONG leg and a BUY of the SHORT leg only close"
            fail((*path, "reduce_only"), "hedge mode has no 'reduce_only'", hint)
        if isinstance(order, Submit):
            _check_strategy(self._scenario, order.strategy, (*path, "strategy"), fail)
            instruments = self._scenario.node.instruments
            if instruments is not None and order.symbol not in map(_symbol_of, instruments):
                fail((*path, "symbol"), f"{order.symbol!r} is not in node.instruments")
        _check_side(self._scenario, order.position_side, path, fail)

    def _check_modify(self, action: Modify, path: Path) -> None:
        if action.quantity is None and action.price is None:
            self._fail(path, "modify needs 'quantity' or 'price'")
        if self._orders[action.order].type == "MARKET":
            self._fail((*path, "order"), f"{action.order!r} is a MARKET order", "it never rests")
        if action.quantity is not None:
            self._quantity[action.order] = max(self._quantity[action.order], action.quantity)

    def _check_fill(self, action: Fill, path: Path) -> None:
        filling = self._earlier(action.order, path)
        _check_tick(filling.symbol, action.price, (*path, "price"), self._fail)
        most = self._quantity[action.order]
        filled = self._filled.get(action.order, Decimal(0)) + action.quantity * action.times
        self._filled[action.order] = filled
        if filled > most:
            message = f"{action.order!r} is filled by {filled:f} in sum, more than its {most:f}"
            self._fail((*path, "quantity"), message)

    def _check_comeback(self, action: Comeback, path: Path) -> None:
        fail, cache = self._fail, action.cache
        for word, given, needed_by in (
            ("lose", action.lose_ns, "stale"),
            ("order", action.order, "torn"),
            ("keep", action.keep, "torn"),
        ):
            if given is None and cache == needed_by:
                fail(path, f"a {cache} cache needs {word!r}")
            if given is not None and cache != needed_by:
                fail((*path, word), f"{word!r} belongs to 'cache: {needed_by}'", "leave it out")
        if action.order is not None:
            self._earlier(action.order, path)
        if action.claims is not None:
            _check_claims(self._scenario, action.claims, (*path, "claims"), fail)

    def _earlier(self, order: str, path: Path) -> Order:
        if order not in self._orders:
            if order in _order_ids(self._scenario):
                self._fail((*path, "order"), f"order {order!r} is submitted only later")
            hint = nearest(order, self._orders)
            self._fail((*path, "order"), f"nobody submits order {order!r}", hint)
        return self._orders[order]

    def _check_request_fault(self, fault: RequestFault, path: Path) -> None:
        served = {of for method, of in ROUTES if fault.method in (None, method)}
        if fault.path is not None and fault.path not in served:
            asked = "" if fault.method is None else f"{fault.method} "
            hint = nearest(fault.path, sorted(served))
            self._fail((*path, "path"), f"the venue has no {asked}{fault.path}", hint)

    def _check_event_fault(self, fault: EventFault, path: Path) -> None:
        ids = _order_ids(self._scenario)
        # A fault may lie in wait for an order that is sent only later.
        if fault.order is not None and fault.order not in ids:
            hint = nearest(fault.order, ids)
            self._fail((*path, "order"), f"nobody submits order {fault.order!r}", hint)
        if fault.execution is not None and fault.event not in (None, "ORDER_TRADE_UPDATE"):
            self._fail((*path, "execution"), f"{fault.event} has no execution type")


def _order_ids(scenario: Scenario) -> list[str]:
    actions = (record.action for record in scenario.timeline)
    return [action.id for action in actions if isinstance(action, Order)]


def _path(index: int, record: Record) -> Path:
    return ("timeline", index, record.action.word)


def _check_side(scenario: Scenario, side: str, path: Path, fail: Fail) -> None:
    mode = scenario.venue.position_mode
    if mode == "hedge" and side == "BOTH":
        fail((*path, "position_side"), "hedge mode needs 'position_side'", "LONG or SHORT")
    if mode == "one-way" and side != "BOTH":
        fail((*path, "position_side"), f"one-way mode has no {side} leg", "leave it out")


def _check_expect(scenario: Scenario, fail: Fail) -> None:
    expect = scenario.expect
    for symbol, legs in expect.venue_position.items():
        path: Path = ("expect", "venue_position", symbol)
        _check_symbol(scenario, symbol, (*path[:-1], Key(symbol)), fail)
        for side, quantity in legs.items():
            if scenario.venue.position_mode == "hedge" and side == "BOTH":
                fail(path, "hedge mode has two legs", '{LONG: "1", SHORT: "0"}')
            _check_side(scenario, side, (*path, side), fail)
            if (side == "LONG" and quantity < 0) or (side == "SHORT" and quantity > 0):
                sign = "negative" if side == "LONG" else "positive"
                fail((*path, side), f"a {side} leg is never {sign}")
    for index, adjustment in enumerate(expect.adjustments):
        path = ("expect", "adjustments", index)
        _check_symbol(scenario, adjustment.symbol, (*path, "symbol"), fail)
        _check_side(scenario, adjustment.position_side, path, fail)


def _check_known(scenario: Scenario, fail: Fail) -> None:
    for engine, entries in scenario.known.items():
        path: Path = ("known", engine)
        if engine == "recon":
            fail(("known", Key(engine)), "recon must pass", "known is refused for it")
        for index, entry in enumerate(entries):
            # The file may have the only entry without a list around it.
            entry_path: Path = path if len(entries) == 1 else (*path, index)
            try:
                SpecifierSet(entry.versions)
            except InvalidSpecifier:
                message = f"versions must be PEP 440 specifiers, not {entry.versions!r}"
                fail((*entry_path, "versions"), message, 'such as ">=1.222,<=1.231"')
