"""Which position a reduce-only fill is booked on where positions are netted by strategy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from nautilus_trader.model.enums import OmsType, OrderSide
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    PositionId,
    StrategyId,
)

from recon.nautilus.reducing import Reducing

ACCOUNT = AccountId("BROKER-1")
INSTRUMENT = InstrumentId.from_str("BTCUSDT-PERP.BINANCE")
NAME = ClientOrderId("O-1")
OWN, OTHER, THIRD, NOBODY = "S-001", "S-002", "S-003", "EXTERNAL"


def position_id(strategy_id: str) -> PositionId:
    return PositionId(f"{INSTRUMENT}-{strategy_id}")


class Node:
    """The positions of a netted account, and one order of ``OWN`` that sells."""

    def __init__(self, **signed: int) -> None:
        self.oms_type = OmsType.NETTING
        self.order: Any = SimpleNamespace(is_reduce_only=True, strategy_id=StrategyId(OWN))
        self.index: dict[ClientOrderId, PositionId] = {}
        self.owners: dict[PositionId, StrategyId] = {}
        self.opened: list[Any] = []
        self.is_spread = False
        names = {"own": OWN, "other": OTHER, "third": THIRD, "nobody": NOBODY}
        self.positions: dict[PositionId, Any] = {
            position_id(names[name]): a_position(names[name], quantity, at_ns)
            for at_ns, (name, quantity) in enumerate(signed.items())
        }

    def reducing(self, *, dry_run: bool = False) -> Reducing:
        engine = SimpleNamespace(
            _determine_oms_type=lambda fill: self.oms_type,
            _determine_netting_position_id=lambda fill: position_id(fill.strategy_id.value),
            _open_position=lambda *opened: self.opened.append(opened),
        )
        cache = SimpleNamespace(
            order=lambda name: self.order if name == NAME else None,
            position_id=self.index.get,
            position=self.positions.get,
            positions_open=lambda instrument_id: [
                position for position in self.positions.values() if position.is_open
            ],
            add_position_id=self.add,
            instrument=lambda instrument_id: SimpleNamespace(is_spread=lambda: self.is_spread),
        )
        return Reducing(engine, cache, ACCOUNT, dry_run=dry_run)

    def add(self, its: PositionId, venue: Any, name: ClientOrderId, owner: StrategyId) -> None:
        assert venue == INSTRUMENT.venue
        self.index[name] = its
        self.owners[its] = owner

    def assigned(self, quantity: int, *, dry_run: bool = False, of: str = OWN) -> str | None:
        """Assign a sale; return whose position it is booked on, None where nothing is said."""
        self.reducing(dry_run=dry_run).assign(a_sale(quantity, of))
        found = self.index.get(NAME)
        if found is None:
            return None
        owner = self.owners[found].value
        assert found == position_id(owner)
        return owner


def a_position(strategy_id: str, signed: int, opened_ns: int = 0) -> Any:
    return SimpleNamespace(
        id=position_id(strategy_id),
        account_id=ACCOUNT,
        strategy_id=StrategyId(strategy_id),
        quantity=abs(signed),
        is_open=signed != 0,
        is_closed=signed == 0,
        is_opposite_side=lambda side: side == (OrderSide.SELL if signed > 0 else OrderSide.BUY),
        ts_opened=opened_ns,
        trade_ids=[],
    )


def a_sale(quantity: int, strategy_id: str = OWN) -> Any:
    return SimpleNamespace(
        client_order_id=NAME,
        instrument_id=INSTRUMENT,
        strategy_id=StrategyId(strategy_id),
        order_side=OrderSide.SELL,
        last_qty=quantity,
        trade_id="7",
        position_id=position_id(OWN),
    )


# -- before the engine applies a fill ---------------------------------------------------


@pytest.mark.parametrize(
    ("held", "owner"),
    [
        ({"nobody": 7}, NOBODY),
        ({"other": 7}, OTHER),
        ({"own": 0, "other": 7}, OTHER),
        ({"other": 7, "nobody": 7}, NOBODY),
        ({"other": 7, "third": 7}, OTHER),
        ({"other": 1, "third": 2}, THIRD),
        ({"own": 1, "nobody": 7}, NOBODY),
    ],
)
def test_a_fill_is_booked_on_the_position_that_it_reduces(held: dict[str, int], owner: str):
    assert Node(**held).assigned(2) == owner


@pytest.mark.parametrize(
    "held",
    [
        {"own": 2, "nobody": 7},
        {"own": -1, "nobody": 7},
        {"own": 1},
        {"nobody": 1},
        {"nobody": -7},
        {"nobody": 0},
        {},
    ],
)
def test_where_no_other_can_take_it_a_fill_is_its_own_strategys(held: dict[str, int]):
    assert Node(**held).assigned(2) is None


def test_an_order_goes_on_to_the_next_position_when_one_cannot_take_its_fill():
    node = Node(other=2, third=7)
    assert node.assigned(2) == OTHER

    node.positions[position_id(OTHER)] = a_position(OTHER, 1)

    assert node.assigned(2) == THIRD


@pytest.mark.parametrize("left", [0, 1, -3])
def test_an_order_comes_back_to_its_own_strategy_when_no_position_can_take_its_fill(left: int):
    node = Node(other=2)
    assert node.assigned(2) == OTHER

    node.positions[position_id(OTHER)] = a_position(OTHER, left)

    assert node.assigned(2) == OWN


def test_another_accounts_position_is_left_alone():
    node = Node(nobody=7)
    node.positions[position_id(NOBODY)].account_id = AccountId("BROKER-2")

    assert node.assigned(2) is None


def test_a_fill_of_an_order_that_may_open_a_position_is_left_alone():
    node = Node(nobody=7)
    node.order.is_reduce_only = False

    assert node.assigned(2) is None


@pytest.mark.parametrize(
    ("held", "owner"),
    [
        ({"nobody": 7, "other": 7}, None),
        ({"other": 7}, OTHER),
        ({"other": 1, "third": 2}, THIRD),
        ({"other": 1, "third": 1}, None),
        ({"other": -7}, None),
    ],
)
def test_a_fill_of_nobodys_order_is_booked_on_a_position_that_it_reduces(
    held: dict[str, int], owner: str | None
):
    node = Node(**held)
    node.order = SimpleNamespace(is_reduce_only=False, strategy_id=StrategyId(NOBODY))

    assert node.assigned(2, of=NOBODY) == owner


def test_a_fill_that_says_what_it_belongs_to_is_left_alone():
    node = Node(nobody=7)
    node.oms_type = OmsType.HEDGING

    assert node.assigned(2) is None


def test_a_fill_without_an_order_is_left_alone():
    node = Node(nobody=7)
    node.order = None

    assert node.assigned(2) is None


def test_a_dry_run_leaves_fills_alone():
    node = Node(nobody=7)
    assert node.assigned(2, dry_run=True) is None

    node.reducing(dry_run=True).complete(a_sale(2))

    assert not node.opened


# -- after it ---------------------------------------------------------------------------


@pytest.mark.parametrize("held", [{}, {"own": 0}])
def test_a_fill_that_was_dropped_opens_a_position(held: dict[str, int]):
    node = Node(**held)
    sale = a_sale(2)

    node.reducing().complete(sale)

    [(_, before, fill, oms_type)] = node.opened
    assert before is node.positions.get(position_id(OWN))
    assert (fill, oms_type) == (sale, OmsType.NETTING)


def test_a_fill_that_has_closed_its_position_is_there():
    node = Node(own=0)
    node.positions[position_id(OWN)].trade_ids = ["7"]

    node.reducing().complete(a_sale(2))

    assert not node.opened


def test_a_fill_whose_position_is_open_is_there():
    node = Node(own=5)

    node.reducing().complete(a_sale(2))

    assert not node.opened


def test_a_fill_of_a_spread_has_no_position():
    node = Node()
    node.is_spread = True

    node.reducing().complete(a_sale(2))

    assert not node.opened
