"""What the world does at the venue: it executes orders, moves prices, and is the user's hand.

Whatever cannot happen at a venue raises `VenueError`.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sim.observation import VenueOrder, VenueTrade
from sim.venue import clearing
from sim.venue.algo_models import AlgoOrder
from sim.venue.algo_validation import new_algo_order
from sim.venue.calls import LeavingNothing
from sim.venue.errors import Rejection, VenueError
from sim.venue.exchange import Exchange
from sim.venue.formats import plain
from sim.venue.models import Account, Order
from sim.venue.validation import amended, new_order, random_client_id

WEB_PREFIX = "web_"


class ByHand(ABC):
    """The side of a venue that the world reaches."""

    def __init__(self, exchange: Exchange, rng: random.Random) -> None:
        self.exchange = exchange
        self._rng = rng

    @abstractmethod
    def advance(self, now_ns: int) -> None:
        """Do what is due by ``now_ns``."""

    @abstractmethod
    def publish(self) -> None:
        """Tell the streams of what is new in the ledger."""

    def fill(
        self,
        account: str,
        symbol: str,
        *,
        quantity: Decimal,
        now_ns: int,
        client_order_id: str | None = None,
        order_id: int | None = None,
        price: Decimal | None = None,
        maker: bool = True,
    ) -> VenueTrade:
        """Execute ``quantity`` of an open order, at its limit price unless one is given.

        Raises VenueError when the order is unknown or closed, when the quantity is not
        positive, not a multiple of the step, or more than what is left, and when the
        price is worse than the order's limit.
        """
        self.advance(now_ns)
        order = self._open_order(account, symbol, order_id, client_order_id)
        name, step = order.ticket.client_order_id, order.ticket.symbol.step_size
        if quantity <= 0 or quantity % step:
            raise VenueError(
                f"cannot fill {quantity} of order {name}: "
                f"a fill is a positive multiple of the step {step}"
            )
        if quantity > order.rest:
            raise VenueError(
                f"cannot fill {quantity} of order {name}: only {plain(order.rest)} of "
                f"{plain(order.current.quantity)} is left"
            )
        paid = order.current.price if price is None else price
        if paid <= 0:
            raise VenueError(f"cannot fill order {name} at the price {paid}")
        limit = order.current.price
        beyond = paid > limit if order.ticket.side == "BUY" else paid < limit
        if order.ticket.type == "LIMIT" and beyond:
            raise VenueError(
                f"cannot fill order {name} at {paid}: "
                f"it is a {order.ticket.side} limited to {plain(limit)}"
            )
        trade = self.exchange.fill(order, quantity, paid, maker=maker, now_ns=now_ns)
        self.publish()
        return trade.record

    def web_submit(
        self,
        account: str,
        symbol: str,
        *,
        side: str,
        quantity: Decimal,
        now_ns: int,
        order_type: str | None = None,
        price: Decimal | None = None,
        position_side: str | None = None,
        reduce_only: bool = False,
        time_in_force: str = "GTC",
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Place an order by hand on the venue's web page.

        Without ``order_type`` it is LIMIT with a price and MARKET without one.  Unless
        a client id is given the venue makes one up that starts with ``web_``.  Manual
        orders meet the same validation as a client's; VenueError carries the refusal.
        """
        params = {
            "symbol": symbol,
            "side": side,
            "type": order_type or ("MARKET" if price is None else "LIMIT"),
            "quantity": f"{quantity:f}",
        }
        if client_order_id is not None:
            params["newClientOrderId"] = client_order_id
        if price is not None:
            params |= {"price": f"{price:f}", "timeInForce": time_in_force}
        if position_side is not None:
            params["positionSide"] = position_side
        if reduce_only:
            params["reduceOnly"] = "true"
        order = self.web_place(account, params, now_ns)
        assert isinstance(order, Order)
        return order.truth()

    def web_place(
        self, account: str, params: Mapping[str, str], now_ns: int, *, conditional: bool = False
    ) -> Order | AlgoOrder:
        """Place an order by hand, with the parameters of POST order or of POST algoOrder."""
        holder = self._account(account)
        asked = {name.lower(): value for name, value in params.items()}
        asked.setdefault(
            "clientalgoid" if conditional else "newclientorderid",
            random_client_id(self._rng, WEB_PREFIX),
        )

        def place(exchange: Exchange) -> Order | AlgoOrder:
            if conditional:
                wanted = new_algo_order(exchange, holder, asked, self._rng, now_ns)
                return exchange.algos.place(holder, wanted, now_ns)
            ticket = new_order(exchange, holder, asked, self._rng, now_ns)
            return exchange.submit(holder, ticket, now_ns)

        return self.change(now_ns, place)

    def web_modify(
        self,
        account: str,
        symbol: str,
        *,
        now_ns: int,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        client_order_id: str | None = None,
        order_id: int | None = None,
    ) -> VenueOrder:
        """Change an open LIMIT order by hand, as a client would.

        Raises VenueError when it is unknown or closed, and for what the venue refuses.
        """
        self.advance(now_ns)
        order = self._open_order(account, symbol, order_id, client_order_id)
        before = order.current
        asked = before.quantity if quantity is None else quantity
        limit = before.price if price is None else price

        def modify(exchange: Exchange) -> None:
            given = amended(exchange, self._account(account), order, asked, limit)
            exchange.amend(order, given, limit, now_ns)

        self.change(now_ns, modify)
        return order.truth()

    def trigger(
        self, account: str, symbol: str, *, client_order_id: str | None, now_ns: int
    ) -> None:
        """Trigger a conditional order, whatever the price is.  VenueError when it waits not."""
        self.advance(now_ns)
        algo = self._algo_order(account, client_order_id)
        if algo is None:
            raise VenueError(f"{account} has no conditional order {client_order_id} that waits")
        self.change(now_ns, lambda exchange: exchange.algos.trigger(algo, now_ns))

    def expire(
        self, account: str, symbol: str, *, client_order_id: str, now_ns: int, reason: int
    ) -> None:
        """Let an order expire for a reason of the venue's own (its ``er``)."""
        self.advance(now_ns)
        algo = self._algo_order(account, client_order_id)
        if algo is not None:
            self.change(now_ns, lambda exchange: exchange.algos.expire(algo, now_ns))
            return
        order = self._open_order(account, symbol, None, client_order_id)
        self.change(now_ns, clearing.expire, order, reason, now_ns)

    def change[Done](self, now_ns: int, act: Callable[..., Done], *args: Any, **given: Any) -> Done:
        """Let the world do something to the exchange, ``act(exchange, ...)``, and tell of it.

        Raises VenueError when that cannot happen at a venue.
        """
        self.advance(now_ns)
        try:
            with LeavingNothing(self.exchange):
                return act(self.exchange, *args, **given)
        except Rejection as refused:
            raise VenueError(f"the venue refuses that: {refused}") from None
        finally:
            self.publish()

    def web_cancel(
        self,
        account: str,
        symbol: str,
        *,
        now_ns: int,
        client_order_id: str | None = None,
        order_id: int | None = None,
    ) -> None:
        """Cancel an open order by hand, a conditional one too.  VenueError when it is none."""
        self.advance(now_ns)
        algo = None if order_id is not None else self._algo_order(account, client_order_id)
        if algo is not None:
            self.change(now_ns, lambda exchange: exchange.algos.cancel(algo, now_ns))
            return
        order = self._open_order(account, symbol, order_id, client_order_id)
        self.change(now_ns, Exchange.cancel, order, now_ns)

    def set_price(
        self, symbol: str, price: Decimal, now_ns: int, *, mark: Decimal | None = None
    ) -> None:
        """Set the last price, and the mark price where it differs.

        Resting orders stay; MARKET orders fill at it; conditional orders trigger by it.
        """
        self.advance(now_ns)
        if symbol not in self.exchange.symbols:
            raise VenueError(f"this venue has no symbol {symbol}")
        if price <= 0:
            raise VenueError(f"{price} is not a price")
        self.exchange.set_price(symbol, price, now_ns, mark)
        self.publish()

    def set_depth(self, symbol: str, quantity: Decimal, now_ns: int) -> None:
        """Set how much orders find that execute at once: MARKET, IOC and FOK."""
        self.advance(now_ns)
        if symbol not in self.exchange.symbols:
            raise VenueError(f"this venue has no symbol {symbol}")
        if quantity < 0:
            raise VenueError(f"{quantity} is not a depth")
        self.exchange.set_depth(symbol, quantity)

    def transfer(self, account: str, asset: str, amount: Decimal, now_ns: int) -> None:
        """Move money into (positive) or out of the futures wallet."""
        self.advance(now_ns)
        self.change(now_ns, clearing.transfer, self._account(account), asset, amount, now_ns)

    def _account(self, name: str) -> Account:
        found = self.exchange.accounts.get(name)
        if found is None:
            known = ", ".join(self.exchange.accounts)
            raise VenueError(f"this venue has no account {name!r}; it has {known}")
        return found

    def _find(
        self, account: str, symbol: str, order_id: int | None, client_order_id: str | None
    ) -> Order | None:
        holder = self._account(account)
        if symbol not in self.exchange.symbols:
            raise VenueError(f"this venue has no symbol {symbol}")
        return self.exchange.holding(holder, symbol).find(order_id, client_order_id)

    def _algo_order(self, account: str, client_id: str | None) -> AlgoOrder | None:
        return self.exchange.algos.waiting(self._account(account).name, None, client_id)

    def _open_order(
        self, account: str, symbol: str, order_id: int | None, client_order_id: str | None
    ) -> Order:
        name = client_order_id if order_id is None else order_id
        self._find(account, symbol, order_id, client_order_id)
        holding = self.exchange.holding(self._account(account), symbol)
        order = holding.find_to_change(order_id, client_order_id)
        if order is None:
            raise VenueError(f"{account} has no order {name} on {symbol}")
        if not order.current.is_open:
            raise VenueError(f"order {name} on {symbol} is {order.current.status}, not open")
        return order
