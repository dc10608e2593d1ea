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
* Commission is price times quantity times rate, rounded to eight decimals and
  charged in the quote asset.
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

from sim.observation import VenueTrade
from sim.venue.config import VenueConfig
from sim.venue.errors import Rejection
from sim.venue.models import (
    MONEY_UNIT,
    ZERO,
    Account,
    BalanceEntry,
    Holding,
    Income,
    LedgerEntry,
    Leg,
    LeverageEntry,
    Order,
    OrderEntry,
    OrderVersion,
    Ticket,
    Trade,
    Wallet,
)

EXPIRED_IOC_REST = 2
EXPIRED_REDUCE_ONLY = 4
EXPIRED_MARKET_REST = 9


class Exchange:
    """Accounts and all that they do.  ``revision`` grows with every visible change."""

    def __init__(self, config: VenueConfig, rng: random.Random) -> None:
        self.config = config
        self.symbols = {symbol.name: symbol for symbol in config.symbols}
        self.prices = {symbol.name: symbol.price for symbol in config.symbols}
        self.depth: dict[str, Decimal] = {}
        self.accounts = {
            entry.name: Account(
                entry.name,
                {key.api_key: key.api_secret for key in entry.keys},
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
        self._transaction_id = rng.randrange(10**17, 10**18)
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

    # -- orders

    def submit(self, account: Account, ticket: Ticket, now_ns: int) -> Order:
        """Accept an order and, for a MARKET order, fill it.

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
        taken = self._taken(ticket, quantity)
        if ticket.time_in_force == "FOK" and taken < quantity:
            raise Rejection(-5021)
        if ticket.time_in_force == "GTX" and self._is_beyond_last(ticket, ticket.price):
            raise Rejection(-5022)
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
        holding.by_client_id[ticket.client_order_id] = order
        holding.open[order.order_id] = order
        account.open_client_ids.add(ticket.client_order_id)
        self._record(OrderEntry(now_ns, order, order.current))
        if taken:
            if symbol in self.depth:
                self.depth[symbol] -= taken
            self.fill(order, taken, self.prices[symbol], maker=False, now_ns=now_ns)
        if not order.current.is_open:
            return order
        if ticket.type == "MARKET":
            self._close(order, "EXPIRED", now_ns, EXPIRED_MARKET_REST)
        elif ticket.time_in_force == "IOC":
            self._close(order, "EXPIRED", now_ns, EXPIRED_IOC_REST)
        elif ticket.good_till_ms:
            due_ns = ticket.good_till_ms * 1_000_000
            heapq.heappush(self._good_till, (due_ns, len(self.ledger), order))
        return order

    def _taken(self, ticket: Ticket, quantity: Decimal) -> Decimal:
        """Return how much of a new order executes at once."""
        name = ticket.symbol.name
        if ticket.type == "MARKET":
            return min(quantity, self.depth.get(name, quantity))
        last = self.prices[name]
        reaches = ticket.price >= last if ticket.side == "BUY" else ticket.price <= last
        if ticket.time_in_force not in ("IOC", "FOK") or not reaches:
            return ZERO
        return min(quantity, self.depth.get(name, ZERO))

    def _is_beyond_last(self, ticket: Ticket, price: Decimal) -> bool:
        last = self.prices[ticket.symbol.name]
        return price > last if ticket.side == "BUY" else price < last

    def fill(
        self, order: Order, quantity: Decimal, price: Decimal, *, maker: bool, now_ns: int
    ) -> Trade:
        """Execute part or all of the rest of an open order; the caller has checked it."""
        account, ticket, before = self.accounts[order.account], order.ticket, order.current
        symbol = ticket.symbol
        holding = self.holding(account, symbol.name)
        rate = self.config.maker_fee if maker else self.config.taker_fee
        commission = (price * quantity * rate).quantize(MONEY_UNIT)
        self._trade_ids[symbol.name] += self._rng.randrange(1, 100)
        leg = self.leg(account, symbol.name, ticket.position_side)
        realized = leg.apply(quantity if ticket.side == "BUY" else -quantity, price, now_ns)
        trade = Trade(
            VenueTrade(
                account=account.name,
                symbol=symbol.name,
                order_id=order.order_id,
                trade_id=self._trade_ids[symbol.name],
                client_order_id=ticket.client_order_id,
                side=ticket.side,
                position_side=ticket.position_side,
                quantity=quantity,
                price=price,
                commission=commission,
                commission_asset=symbol.quote_asset,
                maker=maker,
                time_ns=now_ns,
            ),
            realized,
        )
        self.trades.append(trade.record)
        holding.trades.append(trade)
        holding.trade_ids.append(trade.record.trade_id)
        holding.trade_times.append(now_ns)
        self._earn(account, "REALIZED_PNL", realized, trade.record)
        self._earn(account, "COMMISSION", -commission, trade.record)
        filled = before.filled + quantity
        done = filled == before.quantity
        version = OrderVersion(
            now_ns,
            "TRADE",
            "FILLED" if done else "PARTIALLY_FILLED",
            before.quantity,
            before.price,
            filled,
            before.quote + price * quantity,
            trade,
        )
        order.append(version)
        if done:
            self._forget_open(account, holding, order, now_ns)
        self._record(
            OrderEntry(
                now_ns,
                order,
                version,
                leg,
                leg.current,
                symbol.quote_asset,
                self._wallet(account, symbol.quote_asset).balance,
            )
        )
        self._expire_excess(account, holding, leg, now_ns)
        return trade

    def cancel(self, order: Order, now_ns: int) -> None:
        """Cancel an open order."""
        self._close(order, "CANCELED", now_ns, 0)

    def amend(self, order: Order, quantity: Decimal, price: Decimal, now_ns: int) -> None:
        """Give an open order a new quantity and price.

        A quantity that does not exceed what is already filled cancels the order, and so
        does a price at which a post-only order would execute.
        """
        before = order.current
        taking = order.ticket.time_in_force == "GTX" and self._is_beyond_last(order.ticket, price)
        if quantity <= before.filled or taking:
            self._close(order, "CANCELED", now_ns, 0)
            return
        version = OrderVersion(
            now_ns, "AMENDMENT", before.status, quantity, price, before.filled, before.quote
        )
        order.append(version)
        self._record(OrderEntry(now_ns, order, version))

    def expire_due(self, now_ns: int) -> None:
        """Expire the GTD orders whose time has come."""
        while self._good_till and self._good_till[0][0] <= now_ns:
            due_ns, _, order = heapq.heappop(self._good_till)
            if order.current.is_open:
                self._close(order, "EXPIRED", due_ns, 0)

    @property
    def next_expiry_ns(self) -> int | None:
        """Return when the next GTD order expires, None when there is none."""
        while self._good_till and not self._good_till[0][2].current.is_open:
            heapq.heappop(self._good_till)
        return self._good_till[0][0] if self._good_till else None

    # -- everything else that an account or the market does

    def set_price(self, symbol: str, price: Decimal) -> None:
        """Set the last (and mark) price.  Resting orders do not notice."""
        self.prices[symbol] = price
        self.revision += 1

    def set_depth(self, symbol: str, quantity: Decimal) -> None:
        """Set how much the other side holds for orders that execute at once."""
        self.depth[symbol] = quantity

    def set_hedge(self, account: Account, hedge: bool) -> None:
        """Switch the position mode.  Raises Rejection -4059, -4067 or -4068."""
        if account.hedge == hedge:
            raise Rejection(-4059)
        if account.has_open_orders:
            raise Rejection(-4067)
        if account.has_positions:
            raise Rejection(-4068)
        account.hedge = hedge
        self.revision += 1

    def set_leverage(self, account: Account, symbol: str, leverage: int, now_ns: int) -> None:
        """Set the leverage of one symbol."""
        account.leverage[symbol] = leverage
        self._record(LeverageEntry(now_ns, account.name, symbol, leverage))

    def set_margin_type(self, account: Account, symbol: str, margin_type: str) -> None:
        """Set CROSSED or ISOLATED.  Raises Rejection -4046, -4047 or -4048."""
        if account.margin_types.get(symbol, "CROSSED") == margin_type:
            raise Rejection(-4046)
        holding = self.holding(account, symbol)
        if holding.open:
            raise Rejection(-4047)
        if any(leg.current.quantity for leg in holding.legs.values()):
            raise Rejection(-4048)
        account.margin_types[symbol] = margin_type
        self.revision += 1

    def transfer(self, account: Account, asset: str, amount: Decimal, now_ns: int) -> None:
        """Move money in (positive) or out of the futures wallet."""
        self._book(account, now_ns, "", "TRANSFER", amount, asset, 0)
        reason = "DEPOSIT" if amount > 0 else "WITHDRAW"
        balance = self._wallet(account, asset).balance
        self._record(BalanceEntry(now_ns, account.name, reason, asset, amount, balance))

    # -- inside

    def _record(self, entry: LedgerEntry) -> None:
        self.ledger.append(entry)
        self.revision += 1

    def _wallet(self, account: Account, asset: str) -> Wallet:
        found = account.wallets.get(asset)
        if found is None:
            found = account.wallets[asset] = Wallet(asset, ZERO)
        return found

    def _earn(self, account: Account, kind: str, amount: Decimal, trade: VenueTrade) -> None:
        # A trade without commission leaves no row: nothing moved.
        if amount:
            self._book(
                account, trade.time_ns, trade.symbol, kind, amount,
                trade.commission_asset, trade.trade_id,
            )  # fmt: skip

    def _book(
        self,
        account: Account,
        now_ns: int,
        symbol: str,
        kind: str,
        amount: Decimal,
        asset: str,
        trade_id: int,
    ) -> None:
        self._wallet(account, asset).add(amount, now_ns)
        self._transaction_id += 1
        account.income.append(
            Income(now_ns, symbol, kind, amount, asset, self._transaction_id, trade_id)
        )
        account.income_times.append(now_ns)

    def _close(self, order: Order, status: str, now_ns: int, reason: int) -> None:
        account, before = self.accounts[order.account], order.current
        version = OrderVersion(
            now_ns, status, status, before.quantity, before.price, before.filled, before.quote,
            expiry_reason=reason,
        )  # fmt: skip
        order.append(version)
        holding = self.holding(account, order.ticket.symbol.name)
        self._forget_open(account, holding, order, now_ns)
        self._record(OrderEntry(now_ns, order, version))

    def _forget_open(self, account: Account, holding: Holding, order: Order, now_ns: int) -> None:
        del holding.open[order.order_id]
        account.open_client_ids.discard(order.ticket.client_order_id)
        holding.closed.append(order)
        holding.closed_times.append(now_ns)

    def _expire_excess(self, account: Account, holding: Holding, leg: Leg, now_ns: int) -> None:
        closing = [
            order
            for order in holding.open.values()
            if order.ticket.closes and order.ticket.position_side == leg.position_side
        ]
        if not closing:
            return
        allowed = {
            side: self.closable(account, holding.symbol.name, side, leg.position_side)
            for side in ("BUY", "SELL")
        }
        for order in closing:
            side = order.ticket.side
            if order.rest > allowed[side]:
                self._close(order, "EXPIRED", now_ns, EXPIRED_REDUCE_ONLY)
            else:
                allowed[side] -= order.rest
