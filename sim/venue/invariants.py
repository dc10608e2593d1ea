"""The venue checks its own books.

Rules: everything is computed again from the ledger and compared with what the exchange
keeps; a difference is a bug of the harness and raises `VenueInvariantError`.

* The fills of an order add up to what it says is filled; nothing is overfilled.
* Status changes are legal and final ones are final; times and fills never go back.
* A leg is the signed sum of its fills.
* A wallet is its start plus the income booked to it.
* A trade id appears once per (account, symbol, order).
"""

from __future__ import annotations

from decimal import Decimal

from sim.venue.algo_models import AlgoOrder
from sim.venue.errors import VenueInvariantError
from sim.venue.exchange import Exchange
from sim.venue.ledger import AlgoEntry, OrderEntry
from sim.venue.models import ZERO, Account, Holding, Order

_LEGAL: dict[str, frozenset[str]] = {
    "NEW": frozenset(
        {"NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"}
    ),
    "PARTIALLY_FILLED": frozenset(
        {"PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"}
    ),
}
_LEGAL_ALGO: dict[str, frozenset[str]] = {
    "NEW": frozenset({"TRIGGERING", "CANCELED", "EXPIRED"}),
    "TRIGGERING": frozenset({"TRIGGERED", "REJECTED"}),
    "TRIGGERED": frozenset({"FINISHED"}),
}


def check(exchange: Exchange) -> None:
    """Raise VenueInvariantError when the books of the exchange do not add up."""
    for account in exchange.accounts.values():
        for holding in account.holdings.values():
            for order in holding.orders:
                _check_order(order)
            _check_holding(account, holding)
        _check_wallets(account)
    for algo in exchange.algos.orders:
        _check_algo(algo)
    _check_ledger(exchange)


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise VenueInvariantError(what)


def _check_order(order: Order) -> None:
    name = f"order {order.order_id} of {order.account} on {order.ticket.symbol.name}"
    filled = quote = ZERO
    _require(order.versions[0].status == "NEW", f"{name} did not start as NEW")
    for before, after in zip(order.versions, order.versions[1:], strict=False):
        _require(
            after.status in _LEGAL.get(before.status, frozenset()),
            f"{name} went from {before.status} to {after.status}",
        )
        _require(after.time_ns >= before.time_ns, f"{name} changed before its last change")
        if after.trade is not None:
            filled += after.trade.record.quantity
            quote += after.trade.record.quantity * after.trade.record.price
        _require(
            (after.filled, after.quote) == (filled, quote),
            f"{name} says filled {after.filled}, its trades add up to {filled}",
        )
        _require(after.filled <= after.quantity, f"{name} is overfilled")
        _require(
            (after.status == "FILLED") <= (after.filled == after.quantity),
            f"{name} is FILLED at {after.filled} of {after.quantity}",
        )


def _check_algo(algo: AlgoOrder) -> None:
    name = f"conditional order {algo.algo_id} of {algo.account}"
    for before, after in zip(algo.versions, algo.versions[1:], strict=False):
        _require(
            after.status in _LEGAL_ALGO.get(before.status, frozenset()),
            f"{name} went from {before.status} to {after.status}",
        )
    child = algo.current.order
    if child is not None:
        _require(
            (algo.current.status == "FINISHED") != child.current.is_open,
            f"{name} is {algo.current.status}, its order {child.current.status}",
        )
        _require(
            algo.current.executed in (ZERO, child.current.filled),
            f"{name} says executed {algo.current.executed}, its order {child.current.filled}",
        )


def _check_holding(account: Account, holding: Holding) -> None:
    name = f"{account.name} on {holding.symbol.name}"
    held: dict[str, Decimal] = {}
    seen: set[tuple[int, int]] = set()
    for trade in holding.trades:
        record = trade.record
        signed = record.quantity if record.side == "BUY" else -record.quantity
        held[record.position_side] = held.get(record.position_side, ZERO) + signed
        seen.add((record.order_id, record.trade_id))
    _require(len(seen) == len(holding.trades), f"a trade id occurs twice for {name}")
    for side, leg in holding.legs.items():
        _require(
            leg.current.quantity == held.get(side, ZERO),
            f"leg {side} of {name} is {leg.current.quantity}, its trades say {held.get(side)}",
        )
        _require(
            side == "BOTH" or leg.current.quantity * (1 if side == "LONG" else -1) >= 0,
            f"leg {side} of {name} has the wrong sign: {leg.current.quantity}",
        )
    opened = {order.order_id for order in holding.orders if order.current.is_open}
    _require(opened == set(holding.open), f"the open orders of {name} are not those indexed")
    ids = [order.order_id for order in holding.orders]
    _require(ids == sorted(set(ids)), f"the order ids of {name} do not grow")
    # Both sides of a trade with oneself have one id.
    _require(holding.trade_ids == sorted(holding.trade_ids), f"the trade ids of {name} do not grow")


def _check_wallets(account: Account) -> None:
    for asset, wallet in account.wallets.items():
        booked = sum((row.amount for row in account.income if row.asset == asset), ZERO)
        _require(
            wallet.balance == wallet.start + booked,
            f"wallet {asset} of {account.name} is {wallet.balance}, "
            f"start and income say {wallet.start + booked}",
        )


def _check_ledger(exchange: Exchange) -> None:
    changes = sum(isinstance(entry, OrderEntry) for entry in exchange.ledger)
    versions = sum(
        len(order.versions)
        for account in exchange.accounts.values()
        for holding in account.holdings.values()
        for order in holding.orders
    )
    _require(changes == versions, f"{changes} order entries for {versions} order versions")
    changes = sum(isinstance(entry, AlgoEntry) for entry in exchange.ledger)
    versions = sum(len(algo.versions) for algo in exchange.algos.orders)
    _require(changes == versions, f"{changes} entries for {versions} conditional versions")
    times = [entry.time_ns for entry in exchange.ledger]
    _require(times == sorted(times), "the ledger goes back in time")
