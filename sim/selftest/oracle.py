"""Planted bugs: engines that break one property each, to test the oracle.

An oracle that finds nothing proves nothing until it has been seen to find what is
there.  Each engine here is the released one with one defect, attached as anybody's
own engine would be; it must be caught by the property that it breaks, and by no
other that does not follow from it.
"""

from __future__ import annotations

import asyncio
from abc import ABC
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace
from nautilus_trader.adapters.binance.http import client as binance_http
from nautilus_trader.config import TradingNodeConfig
from nautilus_trader.core.nautilus_pyo3 import HttpMethod
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderFilled,
    OrderRejected,
)
from nautilus_trader.model.identifiers import TradeId

from sim.scenario.model import Node as NodeSpec

PROCESS_ENDPOINT = "ExecEngine.process"

CONTROL = "scenarios/control/orders-and-fills.yaml"
LOST_EVENT = "scenarios/disconnect/dropped-fill-event.yaml"

PARTLY_FILLED = "O-2"
"""An order of the control scenario that is cancelled after a first fill."""

RESTING = "O-5"
"""An order of the control scenario that rests to the end."""

CLOSING = "O-6"
"""An order of the control scenario that closes the position of another."""


class Planted(ABC):
    """The released engine, its own checks off, with what it is told passing through us.

    ``breaks`` is the property that must be violated in ``scenario``; ``follows`` are
    those that may be violated with it, because they are about the same fill or order.
    """

    name: ClassVar[str]
    alerts: str | None = None
    breaks: ClassVar[str]
    follows: ClassVar[frozenset[str]] = frozenset()
    scenario: ClassVar[str] = CONTROL

    def configure(self, config: TradingNodeConfig, spec: NodeSpec) -> TradingNodeConfig:
        """Turn every check off: none may repair what is broken here."""
        return replace(
            config,
            exec_engine=replace(config.exec_engine, inflight_check_interval_ms=0),
        )

    def attach(self, node: TradingNode) -> None:
        """Put `on_event` between the adapter and the engine."""
        self._node = node
        self._engine = node.kernel.exec_engine
        msgbus = node.kernel.msgbus
        process: Callable[[OrderEvent], None] = self._engine.process
        msgbus.deregister(PROCESS_ENDPOINT, process)
        msgbus.register(PROCESS_ENDPOINT, self.on_event)

    def on_event(self, event: OrderEvent) -> None:
        """Take an event of the adapter; pass it on or do not."""
        self._engine.process(event)

    def on_published(self, handler: Callable[[OrderEvent], None]) -> None:
        """Call a handler with each order event once the engine has published it."""
        self._node.kernel.msgbus.subscribe(topic="events.order.*", handler=handler)

    def around_reconciliation(self, before: Callable[[], Awaitable[None]]) -> None:
        """Do something each time before the node reconciles its state."""
        reconcile = self._engine.reconcile_execution_state

        async def both(*args: Any, **kwargs: Any) -> bool:
            await before()
            return bool(await reconcile(*args, **kwargs))

        self._engine.reconcile_execution_state = both


class DropsEveryThirdFill(Planted):
    """Loses fills."""

    name = "drops-every-third-fill"
    breaks = "fill-lost"
    follows = frozenset({"order-mismatch", "position-mismatch", "not-idempotent"})

    def __init__(self) -> None:
        self._fills = 0

    def on_event(self, event: OrderEvent) -> None:
        if isinstance(event, OrderFilled):
            self._fills += 1
            if self._fills % 3 == 0:
                return
        self._engine.process(event)


class PublishesOneFillTwice(Planted):
    """Tells subscribers of one fill a second time; its own state is right."""

    name = "publishes-one-fill-twice"
    breaks = "fill-duplicated"

    def __init__(self) -> None:
        self._done = False

    def attach(self, node: TradingNode) -> None:
        super().attach(node)
        self.on_published(self._publish_again)

    def _publish_again(self, event: OrderEvent) -> None:
        if isinstance(event, OrderFilled) and not self._done:
            self._done = True
            topic = f"events.order.{event.strategy_id}"
            self._node.kernel.msgbus.publish(topic=topic, msg=event)


class InventsOneFill(Planted):
    """Fills an order by what the venue never traded."""

    name = "invents-one-fill"
    breaks = "phantom-fill"
    follows = frozenset({"order-mismatch", "position-mismatch", "not-idempotent"})

    def __init__(self) -> None:
        self._done = False

    def on_event(self, event: OrderEvent) -> None:
        self._engine.process(event)
        if isinstance(event, OrderFilled) and event.client_order_id.value == PARTLY_FILLED:
            if self._done:
                return
            self._done = True
            self._engine.process(_again(event, TradeId("999")))


class ChargesTwice(Planted):
    """Applies a fill with twice its commission."""

    name = "charges-twice"
    breaks = "fill-wrong"

    def on_event(self, event: OrderEvent) -> None:
        if isinstance(event, OrderFilled) and event.client_order_id.value == PARTLY_FILLED:
            event = _changed(event, commission=str(event.commission + event.commission))
        self._engine.process(event)


class OverlooksACancellation(Planted):
    """Goes on showing an order that the venue has cancelled."""

    name = "overlooks-a-cancellation"
    breaks = "order-mismatch"
    follows = frozenset({"not-idempotent"})

    def on_event(self, event: OrderEvent) -> None:
        if not isinstance(event, OrderCanceled):
            self._engine.process(event)


class ShowsALiveOrderRejected(Planted):
    """Gives up an order that rests at the venue."""

    name = "shows-a-live-order-rejected"
    breaks = "false-terminal"
    follows = frozenset({"order-mismatch", "not-idempotent"})

    def on_event(self, event: OrderEvent) -> None:
        self._engine.process(event)
        if isinstance(event, OrderAccepted) and event.client_order_id.value == RESTING:
            self._engine.process(_rejected(event))


class ClosesAnotherPosition(Planted):
    """Books the fill that closes a position as one that opens another beside it."""

    name = "closes-another-position"
    breaks = "position-mismatch"
    follows = frozenset({"not-idempotent"})

    def on_event(self, event: OrderEvent) -> None:
        if isinstance(event, OrderFilled) and event.client_order_id.value == CLOSING:
            event = _changed(event, position_id=f"{event.instrument_id}-EXTERNAL")
        self._engine.process(event)


class AcceptsAgain(Planted):
    """Publishes the acceptance of a resting order whenever it reconciles."""

    name = "accepts-again"
    breaks = "not-idempotent"

    def __init__(self) -> None:
        self._accepted: OrderEvent | None = None

    def attach(self, node: TradingNode) -> None:
        super().attach(node)
        self.around_reconciliation(self._publish_again)

    def on_event(self, event: OrderEvent) -> None:
        self._engine.process(event)
        if isinstance(event, OrderAccepted) and event.client_order_id.value == RESTING:
            self._accepted = event

    async def _publish_again(self) -> None:
        if self._accepted is not None:
            topic = f"events.order.{self._accepted.strategy_id}"
            self._node.kernel.msgbus.publish(topic=topic, msg=self._accepted)


class NeverRests(Planted):
    """Asks the venue something all the time."""

    name = "never-rests"
    breaks = "not-converged"
    follows = frozenset({"too-slow"})

    def attach(self, node: TradingNode) -> None:
        super().attach(node)
        self._asking = node.kernel.loop.create_task(self._ask())

    async def _ask(self) -> None:
        client = binance_http.HttpClient()
        while True:
            url = "http://venue.invalid/fapi/v1/time"
            await client.request(HttpMethod.GET, url=url)


class SleepsAtStartup(Planted):
    """Takes its time before it reconciles."""

    name = "sleeps-at-startup"
    breaks = "too-slow"

    def attach(self, node: TradingNode) -> None:
        super().attach(node)
        self.around_reconciliation(partial(asyncio.sleep, 40))


class Discrepancy(msgspec.Struct, frozen=True):
    """What an engine with a topic for them says of a difference."""

    kind: str
    account: str
    instrument_id: str
    position_side: str = ""
    client_order_id: str = ""
    venue_order_id: str = ""
    trade_id: str = ""


class AlertsNothing(Planted):
    """Has a topic for discrepancies and never says anything on it."""

    name = "alerts-nothing"
    alerts = "planted.discrepancies"
    breaks = "alert-missing"
    follows = frozenset({"fill-lost", "order-mismatch", "position-mismatch", "not-idempotent"})
    scenario = LOST_EVENT


class AlertsAlways(Planted):
    """Warns of a leg whenever it is traded, although nothing differs."""

    name = "alerts-always"
    alerts = "planted.discrepancies"
    breaks = "alert-false"

    def on_event(self, event: OrderEvent) -> None:
        self._engine.process(event)
        if isinstance(event, OrderCanceled):
            warning = Discrepancy("leg", "main", "ETHUSDT-PERP.BINANCE", position_side="BOTH")
            assert self.alerts is not None
            self._node.kernel.msgbus.publish(topic=self.alerts, msg=warning)


class StopsItself(Planted):
    """Stops its node in the middle of its work."""

    name = "stops-itself"
    breaks = "stopped"
    follows = frozenset({"phantom-fill", "position-mismatch", "not-idempotent"})

    def on_event(self, event: OrderEvent) -> None:
        self._engine.process(event)
        if isinstance(event, OrderFilled) and event.client_order_id.value == CLOSING:
            self._engine.shutdown_system("planted")


class RaisesInAHandler(Planted):
    """Fails when it hears of a cancellation."""

    name = "raises-in-a-handler"
    breaks = "crash"

    def attach(self, node: TradingNode) -> None:
        super().attach(node)
        self.on_published(self._fail)

    def _fail(self, event: OrderEvent) -> None:
        if isinstance(event, OrderCanceled):
            raise RuntimeError("planted")


def _again(fill: OrderFilled, trade_id: TradeId) -> OrderFilled:
    """Return a fill like another one, with an id of its own."""
    return _changed(fill, trade_id=trade_id.value)


def _changed(fill: OrderFilled, **values: Any) -> OrderFilled:
    """Return another fill, with some of its values in the form of its dictionary."""
    made = OrderFilled.to_dict(fill) | values | {"event_id": UUID4().value}
    return OrderFilled.from_dict(made)


def _rejected(event: OrderAccepted) -> OrderRejected:
    return OrderRejected(
        trader_id=event.trader_id,
        strategy_id=event.strategy_id,
        instrument_id=event.instrument_id,
        client_order_id=event.client_order_id,
        account_id=event.account_id,
        reason="planted",
        event_id=UUID4(),
        ts_event=event.ts_event,
        ts_init=event.ts_init,
    )


PLANTED: tuple[type[Planted], ...] = (
    DropsEveryThirdFill,
    PublishesOneFillTwice,
    InventsOneFill,
    ChargesTwice,
    OverlooksACancellation,
    ShowsALiveOrderRejected,
    ClosesAnotherPosition,
    AcceptsAgain,
    NeverRests,
    SleepsAtStartup,
    AlertsNothing,
    AlertsAlways,
    StopsItself,
    RaisesInAHandler,
)
"""Every planted bug.  A new property of the oracle adds one here."""
