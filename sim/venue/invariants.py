"""The venue checks its own books.

Rules: everything is computed again from the ledger and compared with what the exchange
keeps; a difference is a bug of the harness and raises `VenueInvariantError`.

* The fills of an order add up to what it says is filled; nothing is overfilled.
* Status changes are legal and final ones are final; times and fills never go back.
* A leg is the signed sum of its fills.
* A wallet is its start plus the income booked to it.  An isolated margin is not negative, and
  belongs to an open leg of an isolated symbol.
* A trade id appears once per (account, symbol, order), and on a second order only as the other
  side of a trade with oneself.
* No open order could close more than its leg holds.
* What is indexed or kept to be quick is what it would be if it were made again.
* A conditional order and the order that it has become agree.  No GTE_GTC order outlives its leg.

What is refused leaves nothing in the ledger; see `calls.LeavingNothing`.
"""

from __future__ import annotations

from decimal import Decimal

from sim.observation import VenueTrade
from sim.venue.algo_models import AlgoOrder
from sim.venue.errors import VenueInvariantError
from sim.venue.exchange import Exchange
from sim.venue.ledger import AlgoEntry, OrderEntry
from sim.venue.margin import opening
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
    "NEW": frozenset({"NEW", "TRIGGERING", "CANCELED", "EXPIRED"}),
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
            waiting = exchange.algos.holding(account.name, holding.symbol.name).open
            _check_kept(account, holding, waiting)
        _check_wallets(account)
        client_ids = [
            order.ticket.client_order_id
            for holding in account.holdings.values()
            for order in holding.open.values()
        ]
        _require(
            sorted(client_ids) == sorted(account.open_client_ids),
            f"the client ids of the open orders of {account.name} are not those indexed",
        )
    for algo in exchange.algos.orders:
        _check_algo(exchange, algo)
    _check_trades(exchange)
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


def _check_algo(exchange: Exchange, algo: AlgoOrder) -> None:
    name = f"conditional order {algo.algo_id} of {algo.account}"
    for before, after in zip(algo.versions, algo.versions[1:], strict=False):
        _require(
            after.status in _LEGAL_ALGO.get(before.status, frozenset()),
            f"{name} went from {before.status} to {after.status}",
        )
        _require(after.time_ns >= before.time_ns, f"{name} changed before its last change")
        _require(
            after.status != "NEW" or (after.is_active and not before.is_active),
            f"{name} is NEW again and has not begun to trail",
        )
    kept = exchange.algos.holding(algo.account, algo.ticket.symbol.name).open
    _require(
        (algo.current.status == "NEW") == (algo.algo_id in kept),
        f"{name} is {algo.current.status}, and indexed as if it were not",
    )
    _require(
        (algo.current.status == "REJECTED") == bool(algo.current.reason),
        f"{name} is {algo.current.status} for the reason {algo.current.reason!r}",
    )
    child = algo.current.order
    if child is not None:
        _require(
            exchange.algos.parent(child) is algo
            and child.ticket.client_order_id == algo.ticket.client_algo_id,
            f"{name} has become an order that is not its own",
        )
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
    for order in holding.open.values():
        if order.ticket.closes:
            quantity = holding.legs[order.ticket.position_side].current.quantity
            may_close = quantity if order.ticket.side == "SELL" else -quantity
            _require(
                order.rest <= may_close,
                f"order {order.order_id} of {name} closes {order.rest}, its leg is {quantity}",
            )
    # Both sides of a trade with oneself have one id.
    _require(holding.trade_ids == sorted(holding.trade_ids), f"the trade ids of {name} do not grow")


def _lives_by_leg(order: Order | AlgoOrder) -> bool:
    return order.ticket.time_in_force == "GTE_GTC"


def _check_kept(account: Account, holding: Holding, waiting: dict[int, AlgoOrder]) -> None:
    name = f"{account.name} on {holding.symbol.name}"
    kept = {side: sums for side, sums in holding.opening.items() if any(sums)}
    _require(
        kept == opening((order, order.current) for order in holding.open.values()),
        f"what the open orders of {name} could open is not what is kept",
    )
    for side in [
        *(order.ticket.position_side for order in holding.open.values() if _lives_by_leg(order)),
        *(order.ticket.position_side for order in waiting.values() if _lives_by_leg(order)),
    ]:
        _require(
            side in holding.legs and bool(holding.legs[side].current.quantity),
            f"a GTE_GTC order of {name} has outlived leg {side}",
        )
    for leg in holding.legs.values():
        margin = leg.current.isolated_margin
        has_one = account.isolates(holding.symbol.name) and leg.current.quantity
        _require(
            margin >= 0 and (bool(has_one) or not margin),
            f"leg {leg.position_side} of {name} has the isolated margin {margin}",
        )
        realized = sum(
            (
                trade.realized_pnl
                for trade in holding.trades
                if trade.record.position_side == leg.position_side
            ),
            ZERO,
        )
        _require(
            leg.current.realized_pnl == realized,
            f"leg {leg.position_side} of {name} has realised {leg.current.realized_pnl}, "
            f"its trades {realized}",
        )
        _require(
            leg.version_times == sorted(leg.version_times),
            f"leg {leg.position_side} of {name} changed before its last change",
        )


def _check_trades(exchange: Exchange) -> None:
    sides: dict[tuple[str, int], VenueTrade] = {}
    for trade in exchange.trades:
        other = sides.pop((trade.symbol, trade.trade_id), None)
        if other is None:
            sides[trade.symbol, trade.trade_id] = trade
            continue
        _require(
            (other.account, other.quantity, other.price, other.maker, other.side)
            == (
                trade.account,
                trade.quantity,
                trade.price,
                not trade.maker,
                "SELL" if trade.side == "BUY" else "BUY",
            ),
            f"trade {trade.trade_id} on {trade.symbol} has two sides that do not match",
        )


def _check_wallets(account: Account) -> None:
    booked: dict[str, Decimal] = dict.fromkeys(account.wallets, ZERO)
    for row in account.income:
        _require(row.asset in booked, f"{account.name} has income in {row.asset} but no wallet")
        booked[row.asset] += row.amount
    for asset, wallet in account.wallets.items():
        _require(
            wallet.balance == wallet.start + booked[asset],
            f"wallet {asset} of {account.name} is {wallet.balance}, "
            f"start and income say {wallet.start + booked[asset]}",
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
