"""The tests' account of NautilusTrader's order states is that of the release that is installed."""

from __future__ import annotations

import re
from pathlib import Path

import nautilus_trader.model.orders
import pytest
from nautilus_trader.core.fsm import InvalidStateTrigger
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import OrderStatus, order_status_to_str
from nautilus_trader.model.events import OrderCancelRejected
from nautilus_trader.test_kit.stubs.events import TestEventStubs
from nautilus_trader.test_kit.stubs.execution import TestExecStubs

from tests.properties.recon_strategies import MAY_FOLLOW

ROW = re.compile(r"\(OrderStatus\.(\w+), OrderStatus\.(\w+)\): OrderStatus\.\w+,")


def test_a_state_may_follow_another_where_nautilus_trader_says_so():
    source = Path(nautilus_trader.model.orders.__path__[0]) / "base.pyx"
    if not source.exists():
        pytest.skip("the release has no sources")
    table = source.read_text().partition("_ORDER_STATE_TABLE = {")[2].partition("}")[0]

    assert set(ROW.findall(table)) == MAY_FOLLOW


def test_a_refused_cancellation_of_an_order_that_was_not_accepted_leaves_it_pending():
    """Why such an order is accepted first: there is no way back to SUBMITTED."""
    order = TestExecStubs.limit_order()
    order.apply(TestEventStubs.order_submitted(order))
    order.apply(TestEventStubs.order_pending_cancel(order))
    refused = OrderCancelRejected(
        trader_id=order.trader_id,
        strategy_id=order.strategy_id,
        instrument_id=order.instrument_id,
        client_order_id=order.client_order_id,
        venue_order_id=None,
        account_id=order.account_id,
        reason="it does not exist",
        event_id=UUID4(),
        ts_event=0,
        ts_init=0,
    )

    with pytest.raises(InvalidStateTrigger):
        order.apply(refused)

    assert order.status == OrderStatus.PENDING_CANCEL
    order.apply(TestEventStubs.order_accepted(order))
    assert order_status_to_str(order.status) == "ACCEPTED"
