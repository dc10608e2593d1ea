"""The truth: who holds which orders, trades, positions and money.

Rules:

* Nothing here knows HTTP, JSON or streams, and nothing here lags or fails.  Faults
  distort what others see of it.
* Every change appends to ``ledger``; nothing is ever taken back.
* There is no book.  A LIMIT order rests until the world calls `fill`.  What executes at
  once does so at the symbol's last price, against the symbol's ``depth``: a MARKET order,
  and an IOC or FOK order whose limit reaches the last price.  While no depth is set a
  MARKET order finds enough and the others nothing.  The rest expires; a FOK order that
  cannot execute in full is refused, and so is a post-only order beyond the last price.
* An order that executes at once first meets the orders of its own account that rest at the
  last price or better, see `matching`.
* Commission is price times quantity times rate, rounded to eight decimals and
  charged in the quote asset, or in BNB by an account that burns it.
* Order ids grow per symbol.  So do trade ids, with gaps: other people trade too.
  A venue order id may recur on another symbol; so the key of a trade is (account,
  symbol, order id, trade id).
* An order that may only shrink its leg expires (reason 4) as soon as the leg is too
  small for it, the newest such order first.
"""

from __future__ import annotations

import heapq
import random
from decimal import Decimal
from typing import NamedTuple

from sim.observation import VenueTrade
from sim.venue import matching
from sim.venue.algo import AlgoBook
from sim.venue.algo_models import AlgoOrder
from sim.venue.clocks import earlier_of
from sim.venue.config import VenueConfig
from sim.venue.errors import Rejection
from sim.venue.ledger import LedgerEntry, OrderEntry
from sim.venue.margin import keep_opening
from sim.venue.models import (
    ZERO,
    Account,
    Expiry,
    Holding,
    Leg,
    Order,
    OrderVersion,
    Ticket,
    Trade,
    Wallet,
)
from sim.venue.money import Bookkeeper, commission_of


class Told(NamedTuple):
    """How the stream tells of a fill: ``x``, ``X`` where it is not the order's, and ``m``.

    ``is_free`` says that it costs no commission.
    """

    execution: str = "TRADE"
    status: str = ""
    reason: str = "ORDER"
    is_free: bool = False


TOLD = Told()


class Exchange:
    """Accounts and all that they do.  ``revision`` grows with every visible change."""

    def __init__(self, config: VenueConfig, rng: random.Random) -> None:
        self.config = config
        self.symbols = {symbol.name: symbol for symbol in config.symbols}
        self.prices = {symbol.name: symbol.price for symbol in config.symbols}
        self.depth: dict[str, Decimal] = {}
        self.statuses: dict[str, str] = {}  # of symbols, where it has changed
        self.accounts = {
            entry.name: Account(
                entry.name,
                {key.api_key: key for key in entry.keys},
                (entry.position_mode or config.position_mode) == "hedge",
            )
            for entry in config.accounts
        }
        for entry in config.accounts:
            wallets = self.accounts[entry.name].wallets
            for asset, amount in entry.balances.items():
                wallets[asset] = Wallet(asset, amount)
        self.ledger: list[LedgerEntry] = []
        self.orders: list[Order] = []  # in the order of acceptance
        self.trades: list[VenueTrade] = []  # in the order of execution
        self.revision = 0
        self._rng = rng
        self._order_ids = {
            name: rng.randrange(10_000_000_000, 500_000_000_000) for name in self.symbols
        }
        self._trade_ids = {name: rng.randrange(100_000_000, 5_000_000_000) for name in self.symbols}
        self.books = Bookkeeper(rng)
        self.marks: dict[str, Decimal] = {}  # where they differ from the last price
        self.algos = AlgoBook(self)
        self._amendment_id = 20_000_000_000
        self._good_till: list[tuple[int, int, Order]] = []

    # -- looking up

    def holding(self, account: Account, symbol: str) -> Holding:
        """Return what the account has on a configured symbol, made on first use."""
        found = account.holdings.get(symbol)
        if found is None:
            found = account.holdings[symbol] = Holding(self.symbols[symbol])
        return found

    def leg(self, account: Account, symbol: str, position_side: str) -> Leg:
        """Return one position side of the account, made on first use."""
        legs = self.holding(account, symbol).legs
        found = legs.get(position_side)
        if found is None:
            found = legs[position_side] = Leg(account.name, self.symbols[symbol], position_side)
        return found

    def closable(self, account: Account, symbol: str, side: str, position_side: str) -> Decimal:
        """Return how much an order of that side could take off the leg (never negative)."""
        held = self.leg(account, symbol, position_side).current.quantity
        return max(ZERO, held if side == "SELL" else -held)

    def price_of(self, symbol: str, working_type: str) -> Decimal:
        """Return the last price, or the mark price."""
        last = self.prices[symbol]
        return self.marks.get(symbol, last) if working_type == "MARK_PRICE" else last

    # -- orders

    def submit(
        self, account: Account, ticket: Ticket, now_ns: int, algo: AlgoOrder | None = None
    ) -> Order:
        """Accept an order and execute what executes at once; `algo` has triggered it.

        Raises Rejection: -2022 when it may only close and there is nothing to close,
        -4116 for a client order id that an open order has, -5021 for FOK, -5022 for
        post-only.  A closing order that exceeds its leg is clipped to it, as Binance does.
        """
        symbol = ticket.symbol.name
        quantity = ticket.quantity
        if ticket.closes:
            available = self.closable(account, symbol, ticket.side, ticket.position_side)
            quantity = min(quantity, available)
            if quantity == 0:
                raise Rejection(-2022)
        if ticket.client_order_id in account.open_client_ids:
            raise Rejection(-4116)
        taken = matching.taken(self, ticket, quantity)
        if ticket.time_in_force == "FOK" and taken < quantity:
            raise Rejection(-5021)
        if ticket.time_in_force == "GTX" and matching.is_beyond_last(self, ticket, ticket.price):
            raise Rejection(-5022)
        order = self.new_order(account, ticket, quantity, now_ns)
        if algo is not None:
            self.algos.triggered(algo, order, now_ns)
        self.record(OrderEntry(now_ns, order, order.current))
        matching.meet_own(self, order, now_ns)
        taken = min(taken, order.rest)
        if taken and order.current.is_open:
            if symbol in self.depth:
                self.depth[symbol] -= taken
            self.fill(order, taken, self.prices[symbol], maker=False, now_ns=now_ns)
        if not order.current.is_open:
            return order
        if ticket.type == "MARKET":
            self.close(order, "EXPIRED", now_ns, Expiry.MARKET_REST)
        elif ticket.time_in_force == "IOC":
            self.close(order, "EXPIRED", now_ns, Expiry.IOC_REST)
        elif ticket.good_till_ms:
            due_ns = ticket.good_till_ms * 1_000_000
            heapq.heappush(self._good_till, (due_ns, len(self.ledger), order))
        return order

    def new_order(self, account: Account, ticket: Ticket, quantity: Decimal, now_ns: int) -> Order:
        """Make an order of that quantity, which is open; the caller records it."""
        symbol = ticket.symbol.name
        self._order_ids[symbol] += self._rng.randrange(1, 1000)
        order = Order(
            account.name,
            self._order_ids[symbol],
            ticket,
            OrderVersion(now_ns, "NEW", "NEW", quantity, ticket.price, ZERO, ZERO),
        )
        holding = self.holding(account, symbol)
        self.orders.append(order)
        holding.orders.append(order)
        holding.created_times.append(now_ns)
        holding.by_id[order.order_id] = order
        if self.config.reused_client_id == "newest" or (
            ticket.client_order_id not in holding.by_client_id
        ):
            holding.by_client_id[ticket.client_order_id] = order
        holding.open[order.order_id] = order
        account.open_client_ids.add(ticket.client_order_id)
        return order

    def next_trade_id(self, symbol: str) -> int:
        """Return the id of the symbol's next trade."""
        self._trade_ids[symbol] += self._rng.randrange(1, 100)
        return self._trade_ids[symbol]

    def fill(
        self,
        order: Order,
        quantity: Decimal,
        price: Decimal,
        *,
        maker: bool,
        now_ns: int,
        trade_id: int | None = None,
        told: Told = TOLD,
    ) -> Trade:
        """Execute part or all of the rest of an open order; the caller has checked it.

        Both sides of a trade with oneself have one ``trade_id``; `told` is how the stream
        tells of it.
        """
        account, ticket, before = self.accounts[order.account], order.ticket, order.current
        symbol = ticket.symbol
        holding = self.holding(account, symbol.name)
        commission, asset = commission_of(
            self.config, account, symbol.quote_asset, ZERO if told.is_free else price * quantity,
            maker=maker,
        )  # fmt: skip
        if trade_id is None:
            trade_id = self.next_trade_id(symbol.name)
        leg = self.leg(account, symbol.name, ticket.position_side)
        signed = quantity if ticket.side == "BUY" else -quantity
        realized = leg.apply(signed, price, now_ns, self._isolated_leverage(account, symbol.name))
        trade = Trade(
            VenueTrade(
                account=account.name,
                symbol=symbol.name,
                order_id=order.order_id,
                trade_id=trade_id,
                client_order_id=ticket.client_order_id,
                side=ticket.side,
                position_side=ticket.position_side,
                quantity=quantity,
                price=price,
                commission=commission,
                commission_asset=asset,
                maker=maker,
                time_ns=now_ns,
                realized=realized,
            ),
            realized,
        )
        self.trades.append(trade.record)
        holding.trades.append(trade)
        holding.trade_ids.append(trade.record.trade_id)
        holding.trade_times.append(now_ns)
        balances = self.books.book_trade(account, trade.record, realized, symbol.quote_asset)
        filled = before.filled + quantity
        done = filled == before.quantity
        version = OrderVersion(
            now_ns,
            told.execution,
            "FILLED" if done else "PARTIALLY_FILLED",
            before.quantity,
            before.price,
            filled,
            before.quote + price * quantity,
            trade,
            told_status=told.status,
        )
        order.append(version)
        if done:
            self._forget_open(account, holding, order, now_ns)
        self.record(
            OrderEntry(now_ns, order, version, leg, leg.current, balances, reason=told.reason)
        )
        if done:
            self.algos.on_closed(order, now_ns)
        matching.expire_excess(self, account, leg, now_ns)
        if not leg.current.quantity:
            self.algos.on_flat(account, leg, now_ns)
            matching.expire_with_leg(self, account, leg, now_ns)
        return trade

    def cancel(self, order: Order, now_ns: int) -> None:
        """Cancel an open order."""
        self.close(order, "CANCELED", now_ns)

    def cancel_all(self, account: Account, symbol: str, now_ns: int) -> None:
        """Cancel every open order of a symbol, conditional ones apart."""
        for order in list(self.holding(account, symbol).open.values()):
            self.cancel(order, now_ns)

    def amend(self, order: Order, quantity: Decimal, price: Decimal, now_ns: int) -> None:
        """Give an open order a new quantity and price.

        A quantity that does not exceed what is already filled cancels the order, and so
        does a price at which a post-only order would execute.
        """
        before = order.current
        taking = order.ticket.time_in_force == "GTX" and matching.is_beyond_last(
            self, order.ticket, price
        )
        if quantity <= before.filled or taking:
            self.close(order, "CANCELED", now_ns)
            return
        self._amendment_id += 1
        version = OrderVersion(
            now_ns, "AMENDMENT", before.status, quantity, price, before.filled, before.quote,
            amendment_id=self._amendment_id,
        )  # fmt: skip
        order.append(version)
        self.record(OrderEntry(now_ns, order, version))

    def expire_due(self, now_ns: int) -> None:
        """Do what time alone does, in its order: GTD orders expire, countdowns cancel."""
        while (due_ns := self.next_expiry_ns) is not None and due_ns <= now_ns:
            for account in self.accounts.values():
                for symbol, ends_ns in list(account.countdowns.items()):
                    if ends_ns <= due_ns:
                        del account.countdowns[symbol]
                        self.cancel_all(account, symbol, due_ns)
            self.algos.expire_due(due_ns)
            while self._good_till and self._good_till[0][0] <= due_ns:
                _, _, order = heapq.heappop(self._good_till)
                if order.current.is_open:
                    self.close(order, "EXPIRED", due_ns)

    @property
    def next_expiry_ns(self) -> int | None:
        """Return when time alone does something next, None when it does nothing."""
        while self._good_till and not self._good_till[0][2].current.is_open:
            heapq.heappop(self._good_till)
        due_ns = self._good_till[0][0] if self._good_till else None
        for account in self.accounts.values():
            if account.countdowns:
                due_ns = earlier_of(due_ns, min(account.countdowns.values()))
        return earlier_of(due_ns, self.algos.next_expiry_ns)

    # -- the market

    def set_price(self, symbol: str, price: Decimal, now_ns: int, mark: Decimal | None) -> None:
        """Set the last price, and the mark price where it differs.

        Resting orders do not notice, conditional ones do.
        """
        self.prices[symbol] = price
        self.marks.pop(symbol, None)
        if mark is not None:
            self.marks[symbol] = mark
        self.revision += 1
        for working_type in ("CONTRACT_PRICE", "MARK_PRICE"):
            shown = self.price_of(symbol, working_type)
            self.algos.on_price(symbol, working_type, shown, now_ns)

    def set_depth(self, symbol: str, quantity: Decimal) -> None:
        """Set how much the other side holds for orders that execute at once."""
        self.depth[symbol] = quantity

    # -- what others here use, too

    def record(self, entry: LedgerEntry) -> None:
        """Append to the ledger."""
        self.ledger.append(entry)
        if isinstance(entry, OrderEntry):
            account = self.accounts[entry.order.account]
            keep_opening(self.holding(account, entry.order.ticket.symbol.name), entry.order)
        self.revision += 1

    def close(self, order: Order, status: str, now_ns: int, reason: int = 0) -> None:
        """Close an open order unfilled as it is: CANCELED, EXPIRED or EXPIRED_IN_MATCH."""
        account, before = self.accounts[order.account], order.current
        execution = "CANCELED" if status == "CANCELED" else "EXPIRED"
        version = OrderVersion(
            now_ns, execution, status, before.quantity, before.price, before.filled, before.quote,
            expiry_reason=reason,
        )  # fmt: skip
        order.append(version)
        holding = self.holding(account, order.ticket.symbol.name)
        self._forget_open(account, holding, order, now_ns)
        self.record(OrderEntry(now_ns, order, version))
        self.algos.on_closed(order, now_ns)

    def _isolated_leverage(self, account: Account, symbol: str) -> int:
        if not account.isolates(symbol):
            return 0
        return account.leverage.get(symbol, self.config.leverage)

    def _forget_open(self, account: Account, holding: Holding, order: Order, now_ns: int) -> None:
        del holding.open[order.order_id]
        account.open_client_ids.discard(order.ticket.client_order_id)
        holding.closed.append(order)
        holding.closed_times.append(now_ns)
