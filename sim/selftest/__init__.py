"""Planted bugs: engines that break one property each, to test the oracle.

An oracle that finds nothing proves nothing until it has been seen to find what is
there.  Each engine here is the released one with one defect, attached as anybody's
own engine would be; it must be caught by the property that it breaks, and by no
other that does not follow from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from msgspec.structs import replace
from nautilus_trader.config import TradingNodeConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import OrderAccepted, OrderEvent, OrderFilled, OrderRejected
from nautilus_trader.model.identifiers import TradeId

from sim.scenario.model import Node as NodeSpec

PROCESS_ENDPOINT = "ExecEngine.process"

PARTLY_FILLED = "O-2"
"""An order of the control scenario that is cancelled after a first fill."""

RESTING = "O-5"
"""An order of the control scenario that rests to the end."""


class Planted(ABC):
    """The released engine, its own checks off, with what it is told passing through us.

    ``breaks`` is the property that must be violated; ``follows`` are those that
    may be violated with it, because they are about the same fill or order.
    """

    name: ClassVar[str]
    alerts: str | None = None
    breaks: ClassVar[str]
    follows: ClassVar[frozenset[str]] = frozenset()

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

    @abstractmethod
    def on_event(self, event: OrderEvent) -> None:
        """Take an event of the adapter; pass it on or do not."""

    def on_published(self, handler: Callable[[OrderEvent], None]) -> None:
        """Call a handler with each order event once the engine has published it."""
        self._node.kernel.msgbus.subscribe(topic="events.order.*", handler=handler)


class DropsEveryThirdFill(Planted):
    """Loses fills."""

    name = "drops-every-third-fill"
    breaks = "fill-lost"
    follows = frozenset({"order-mismatch", "position-mismatch"})

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

    def on_event(self, event: OrderEvent) -> None:
        self._engine.process(event)

    def _publish_again(self, event: OrderEvent) -> None:
        if isinstance(event, OrderFilled) and not self._done:
            self._done = True
            topic = f"events.order.{event.strategy_id}"
            self._node.kernel.msgbus.publish(topic=topic, msg=event)


class InventsOneFill(Planted):
    """Fills an order by what the venue never traded."""

    name = "invents-one-fill"
    breaks = "phantom-fill"
    follows = frozenset({"order-mismatch", "position-mismatch"})

    def __init__(self) -> None:
        self._done = False

    def on_event(self, event: OrderEvent) -> None:
        self._engine.process(event)
        if isinstance(event, OrderFilled) and event.client_order_id.value == PARTLY_FILLED:
            if self._done:
                return
            self._done = True
            self._engine.process(_again(event, TradeId("999")))


class ShowsALiveOrderRejected(Planted):
    """Gives up an order that rests at the venue."""

    name = "shows-a-live-order-rejected"
    breaks = "order-mismatch"

    def on_event(self, event: OrderEvent) -> None:
        self._engine.process(event)
        if isinstance(event, OrderAccepted) and event.client_order_id.value == RESTING:
            self._engine.process(_rejected(event))


def _again(fill: OrderFilled, trade_id: TradeId) -> OrderFilled:
    """Return a fill like another one, with an id of its own."""
    values: dict[str, Any] = OrderFilled.to_dict(fill)
    values["trade_id"] = trade_id.value
    values["event_id"] = UUID4().value
    return OrderFilled.from_dict(values)


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
    ShowsALiveOrderRejected,
)
"""Every planted bug.  A new property of the oracle adds one here."""
