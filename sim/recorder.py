"""What one process of a node says and shows, written down as it happens.

A `Recorder` listens on the node's message bus like any subscriber and keeps plain
data.  It changes nothing: what it hears is heard by every other subscriber too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nautilus_trader.common.component import MessageBus
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import OrderEvent, OrderFilled, PositionEvent

from sim.loops import Loop
from sim.observation import Alert, Call, NodeEvent, PositionChange
from sim.plain import Reader, symbol_of
from sim.stopwatch import cpu_secs
from sim.trace import Trace

STARTUP = "startup"


class AlertError(TypeError):
    """A message on an engine's topic of discrepancies that names no subject."""


class Recorder:
    """The events, position changes, alerts and startup calls of one process."""

    def __init__(self, process: str, reader: Reader, loop: Loop, trace: Trace) -> None:
        self.events: list[NodeEvent] = []
        self.position_changes: list[PositionChange] = []
        self.alerts: list[Alert] = []
        self.calls: list[Call] = []
        self.startups: list[tuple[int, float]] = []
        self._process = process
        self._reader = reader
        self._loop = loop
        self._trace = trace

    def listen(self, node: TradingNode, alerts_topic: str | None) -> None:
        """Begin.  The node is built and its engine attached."""
        self._cache = node.cache
        msgbus: MessageBus = node.kernel.msgbus
        msgbus.subscribe(topic="events.order.*", handler=self._on_order_event)
        msgbus.subscribe(topic="events.position.*", handler=self._on_position_event)
        if alerts_topic is not None:
            msgbus.subscribe(topic=alerts_topic, handler=self._on_alert)
        self._watch_startup(node.kernel.exec_engine)

    def _watch_startup(self, engine: Any) -> None:
        """Take the time of the call that the kernel waits for, whoever answers it."""
        reconcile: Callable[..., Awaitable[bool]] = engine.reconcile_execution_state

        async def timed(*args: Any, **kwargs: Any) -> bool:
            index, began_ns = len(self.calls), self._loop.now_ns
            self.calls.append(Call(STARTUP, began_ns, None))
            began_cpu_secs = cpu_secs()
            try:
                return await reconcile(*args, **kwargs)
            finally:
                ended_ns = self._loop.now_ns
                self.calls[index] = Call(STARTUP, began_ns, ended_ns)
                spent_secs = round(cpu_secs() - began_cpu_secs, 4)
                self.startups.append((ended_ns - began_ns, spent_secs))

        engine.reconcile_execution_state = timed

    # -- what is heard ------------------------------------------------------------

    def _on_order_event(self, event: OrderEvent) -> None:
        order = self._cache.order(event.client_order_id)
        # The answer to a command has the id that this was sent with: none, or one of the past.
        venue_order_id = (order and order.venue_order_id) or event.venue_order_id
        fill = self._reader.fill(event) if isinstance(event, OrderFilled) else None
        record = NodeEvent(
            at_ns=self._loop.now_ns,
            kind=type(event).__name__,
            account=self._reader.account_of(event.instrument_id),
            symbol=symbol_of(event.instrument_id),
            client_order_id=event.client_order_id.value,
            venue_order_id=venue_order_id.value if venue_order_id else "",
            fill=fill,
            reconciliation=bool(getattr(event, "reconciliation", False)),
            **({} if order is None else self._reader.standing(order)),
        )
        self.events.append(record)
        details = f"{record.kind} {record.venue_order_id}"
        if fill is not None:
            details += (
                f" {fill.trade_id} {fill.side} {fill.quantity} @ {fill.price}"
                f" {fill.commission} {fill.commission_asset} {fill.position_id} {fill.time_ns}"
            )
        elif reason := getattr(event, "reason", None):
            details += f" ({reason})"
        self._add("order-event", record.client_order_id, details)

    def _on_position_event(self, event: PositionEvent) -> None:
        position = self._cache.position(event.position_id)
        if position is None:
            return
        shown = self._reader.position(position)
        self.position_changes.append(
            PositionChange(
                at_ns=self._loop.now_ns,
                account=shown.account,
                symbol=shown.symbol,
                position_id=shown.position_id,
                position_side=shown.position_side,
                quantity=shown.quantity,
            )
        )

    def _on_alert(self, message: Any) -> None:
        alert = _alert(message, self._loop.now_ns, self._reader)
        self.alerts.append(alert)
        names = (
            alert.position_side,
            alert.client_order_id,
            alert.venue_order_id,
            alert.trade_id,
        )
        self._add("alert", alert.symbol, " ".join([alert.kind, *filter(None, names)]))

    def _add(self, kind: str, subject: str, details: str) -> None:
        self._trace.add(self._loop.now_ns, kind, f"{self._process} {subject}", details)


def _alert(message: Any, now_ns: int, reader: Reader) -> Alert:
    """Read a message as the engine protocol describes it; raises `AlertError`."""

    def text(name: str) -> str:
        value = getattr(message, name, None)
        if value is None:
            return ""
        # Whatever somebody else's code sends, it must be one line that can be written.
        words = str(getattr(value, "value", value)).split()
        return " ".join(words).encode("utf-8", "backslashreplace").decode()

    kind, instrument_id = text("kind"), text("instrument_id")
    if not kind or not instrument_id:
        raise AlertError(f"an alert needs 'kind' and 'instrument_id': {message!r}")
    symbol, _, venue = instrument_id.partition(".")
    return Alert(
        at_ns=now_ns,
        kind=kind,
        account=reader.account_at(venue),
        symbol=symbol.removesuffix("-PERP"),
        position_side=text("position_side"),
        client_order_id=text("client_order_id"),
        venue_order_id=text("venue_order_id"),
        trade_id=text("trade_id"),
    )
