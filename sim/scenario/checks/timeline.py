"""The records of a timeline, in order: what each needs of those before it."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

from sim.scenario.actions import (
    Action,
    CallFault,
    CancelAll,
    CancelBatch,
    CloseWsApi,
    Comeback,
    EventFault,
    Expire,
    Fill,
    LegAction,
    Matched,
    Modify,
    NodeAction,
    Order,
    OwnOrderAction,
    Query,
    ReadFault,
    RequestFault,
    Restart,
    SetPositionMode,
    SetPrice,
    StreamFault,
    Submit,
    Trigger,
    WebCancel,
    WebModify,
    WebSubmit,
)
from sim.scenario.checks.common import (
    Fail,
    check_account,
    check_claims,
    check_node,
    check_strategy,
    check_symbol,
    check_tick,
    dotted,
    node_path,
    symbol_of,
)
from sim.scenario.checks.faults import check_matched, check_read_fault, check_request_fault
from sim.scenario.checks.modes import Modes
from sim.scenario.checks.orders import check_order_words
from sim.scenario.checks.streams import check_stream_fault
from sim.scenario.checks.uptime import Uptime
from sim.scenario.durations import format_duration
from sim.scenario.errors import nearest
from sim.scenario.model import Record, Scenario
from sim.scenario.points import parse_point
from sim.scenario.values import EXECUTIONS, EventType
from sim.scenario.yaml_tree import Path
from sim.venue.rest import ROUTES
from sim.venue.ws_api import METHODS
from sim.venue.ws_api import PATH as WS_PATH
from sim.venue.ws_api import VERB as WS_VERB

FARTHEST_NS = 3650 * 86_400 * 1_000_000_000
"""No story is longer: a node that runs all that time takes minutes to simulate."""


class TimelineCheck:
    """Walks the records in order, with what is known of orders and of the node so far."""

    def __init__(self, scenario: Scenario, fail: Fail) -> None:
        self._scenario = scenario
        self._fail = fail
        self._orders: dict[str, Order] = {}
        # The most that an order can be filled by, with all its changes so far.
        self._quantity: dict[str, Decimal] = {}
        self._filled: dict[str, Decimal] = {}
        self._now_ns: int | None = None
        self._modes = Modes(scenario)
        nodes = scenario.each_node
        self._uptimes = {
            name: Uptime(node.starts_ns, f"node {name}" if len(nodes) > 1 else "the node", fail)
            for name, node in nodes.items()
        }

    def check(self) -> Modes:
        """Check all records; return the position modes that the accounts were in."""
        for index, record in enumerate(self._scenario.timeline):
            self._check_names(record.action, _path(index, record))
            self._check_time(index, record)
            self._check_action(index, record)
        return self._modes

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
        node = self._node_of(action)
        if node is not None:
            self._uptimes[node].check(record, _path(index, record))

    def _node_of(self, action: Action) -> str | None:
        """Return the node that acts, or with which something is done; None when none does."""
        match action:
            case Submit() | CancelAll() | NodeAction():
                return action.node
            case OwnOrderAction(order=order) | CancelBatch(orders=(order, *_)):
                sent = self._orders.get(order)
                # Who acts on an order that no strategy sent is refused for that.
                return sent.node if isinstance(sent, Submit) else min(self._uptimes)
        return None

    def _check_names(self, action: Action, path: Path) -> None:
        """Check that the node and the account exist that a record names."""
        if (node := getattr(action, "node", None)) is not None:
            check_node(self._scenario, node, (*path, "node"), self._fail)
        if (account := getattr(action, "account", None)) is not None:
            check_account(self._scenario, account, (*path, "account"), self._fail)
            if isinstance(action, Submit | CancelAll):
                known = self._scenario.accounts_of(action.node)
                if account not in known:
                    message = f"node {action.node} does not trade on {account!r}"
                    self._fail((*path, "account"), message, nearest(account, known))

    def _check_action(self, index: int, record: Record) -> None:
        action, path, fail = record.action, _path(index, record), self._fail
        if (symbol := getattr(action, "symbol", None)) is not None:
            check_symbol(self._scenario, symbol, (*path, "symbol"), fail)
        if isinstance(action, LegAction):
            self._modes.check_side(action.account, action.position_side, path, fail)
        match action:
            case Order():
                self._check_order(action, path)
            case OwnOrderAction(order=order):
                self._check_own(order, path, action)
                if isinstance(action, Modify):
                    self._check_modify(action, path)
            case CancelAll(strategy=strategy, node=node):
                check_strategy(self._scenario, node, strategy, (*path, "strategy"), fail)
            case WebModify():
                self._earlier(action.order, path)
                self._check_modify(action, path)
            case CancelBatch(orders=orders):
                for order in orders:
                    self._check_own(order, path, action)
                if len({self._orders[order].symbol for order in orders}) > 1:
                    fail((*path, "orders"), "a batch is of one symbol")
            case Trigger(order=order):
                if not self._earlier(order, path).is_conditional:
                    fail((*path, "order"), f"{order!r} waits for no price")
            case Expire(order=order):
                self._earlier(order, path)
            case WebCancel(order=order):
                self._earlier(order, path)
            case SetPositionMode():
                self._modes.switch(action, path, fail)
            case SetPrice():
                check_tick(action.symbol, action.price, (*path, "price"), fail)
            case Fill():
                self._check_fill(action, path)
            case EventFault():
                self._check_event_fault(action, path)
            case ReadFault():
                self._check_awaited(getattr(action, "order", None), path)
                check_read_fault(self._scenario, action, path, fail)
            case RequestFault():
                check_request_fault(action, path, fail)
            case CallFault() | CloseWsApi():
                self._check_ws_api(action, path)
            case Comeback():
                self._check_comeback(action, path)
        self._check_point(action, path)
        if isinstance(action, Matched):
            check_matched(action, path, fail)
        if isinstance(action, StreamFault):
            check_stream_fault(action, path, fail)

    def _check_order(self, order: Order, path: Path) -> None:
        fail = self._fail
        if order.id in self._orders:
            fail((*path, "id"), f"order id {order.id!r} is given twice")
        self._orders[order.id] = order
        self._quantity[order.id] = order.quantity
        check_order_words(order, path, fail)
        account = self._scenario.account_of_order(order)
        if order.reduce_only and self._modes.is_always("hedge", account):
            hint = "a SELL of the LONG leg and a BUY of the SHORT leg only close"
            fail((*path, "reduce_only"), "hedge mode has no 'reduce_only'", hint)
        if isinstance(order, Submit):
            check_strategy(self._scenario, order.node, order.strategy, (*path, "strategy"), fail)
            instruments = self._scenario.each_node[order.node].instruments
            if instruments is not None and order.symbol not in map(symbol_of, instruments):
                where = node_path(self._scenario, order.node)
                fail((*path, "symbol"), f"{order.symbol!r} is not in {dotted(where)}.instruments")
        self._modes.check_side(account, order.position_side, path, fail)

    def _check_own(self, order: str, path: Path, action: Action) -> None:
        """Check that an order was sent by a strategy, which is about to do something about it."""
        if isinstance(self._earlier(order, path), WebSubmit):
            hint = {
                Modify: "change it with 'web_modify'",
                Query: "the venue shows it as it is",
            }.get(type(action), "cancel it with 'web_cancel'")
            self._fail((*path, "order"), f"{order!r} was not sent by a strategy", hint)

    def _check_modify(self, action: Modify | WebModify, path: Path) -> None:
        if action.quantity is None and action.price is None:
            self._fail(path, "modify needs 'quantity' or 'price'")
        kind = self._orders[action.order].type
        if kind == "MARKET":
            self._fail((*path, "order"), f"{action.order!r} is a MARKET order", "it never rests")
        if action.quantity is not None:
            self._quantity[action.order] = max(self._quantity[action.order], action.quantity)

    def _check_fill(self, action: Fill, path: Path) -> None:
        filling = self._earlier(action.order, path)
        check_tick(filling.symbol, action.price, (*path, "price"), self._fail)
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
        if action.order is not None and action.point is None:
            self._earlier(action.order, path)
        elif action.order is not None:
            self._check_awaited(action.order, path)
        if action.claims is not None:
            check_claims(self._scenario, action.node, action.claims, (*path, "claims"), fail)

    def _check_point(self, action: Action, path: Path) -> None:
        fail, text = self._fail, action.point
        if text is None:
            return
        if isinstance(action, Restart) and action.by != "kill":
            fail((*path, "point"), "only a kill comes at a point", "write 'by: kill'")
        point = parse_point(text)
        if point.node:
            check_node(self._scenario, point.node, (*path, "point"), fail)
            own = getattr(action, "node", None)
            if own not in (None, point.node):
                fail((*path, "point"), f"it is a point of node {point.node}, not of {own}")
        if point.event:
            known = get_args(EventType)
            if point.event not in known:
                hint = nearest(point.event, known)
                fail((*path, "point"), f"the venue sends no {point.event}", hint)
            self._check_execution(point.event, point.execution or None, (*path, "point"))
        if not point.is_of_a_request:
            return
        served = [of for method, of in ROUTES if method == point.method]
        if point.method == WS_VERB:
            served = [f"{WS_PATH}/{method}" for method in METHODS]
        if point.path not in served:
            hint = nearest(point.path, sorted(served))
            fail((*path, "point"), f"the venue has no {point.method} {point.path}", hint)

    def _earlier(self, order: str, path: Path) -> Order:
        if order not in self._orders:
            if order in _order_ids(self._scenario):
                self._fail((*path, "order"), f"order {order!r} is submitted only later")
            hint = nearest(order, self._orders)
            self._fail((*path, "order"), f"nobody submits order {order!r}", hint)
        return self._orders[order]

    def _check_ws_api(self, fault: CallFault | CloseWsApi, path: Path) -> None:
        nodes = self._scenario.each_node
        meant = nodes if fault.node is None else (fault.node,)
        if all(nodes[name].key_type != "ed25519" for name in meant):
            hint = "node: {key_type: ed25519}"
            self._fail(path, "only a node with an Ed25519 key uses the WebSocket API", hint)

    def _check_awaited(self, order: str | None, path: Path) -> None:
        """Check the order of a fault, which may lie in wait for one that is sent only later."""
        ids = _order_ids(self._scenario)
        if order is not None and order not in ids:
            hint = nearest(order, ids)
            self._fail((*path, "order"), f"nobody submits order {order!r}", hint)

    def _check_event_fault(self, fault: EventFault, path: Path) -> None:
        self._check_awaited(fault.order, path)
        self._check_execution(fault.event, fault.execution, (*path, "execution"))

    def _check_execution(self, event: str | None, execution: str | None, path: Path) -> None:
        if None in (event, execution):
            return
        known = EXECUTIONS.get(event or "", ())
        if not known:
            self._fail(path, f"{event} has no execution type")
        if execution not in known:
            hint = nearest(execution or "", known)
            self._fail(path, f"{event} has no {execution}", hint)


def _order_ids(scenario: Scenario) -> list[str]:
    actions = (record.action for record in scenario.timeline)
    return [action.id for action in actions if isinstance(action, Order)]


def _path(index: int, record: Record) -> Path:
    return ("timeline", index, record.action.word)
