"""The fake exchange as others use it: bytes in, bytes out, at a given instant.

Rules:

* Time is an argument: ``now_ns``, integer nanoseconds since the Unix epoch, never
  decreasing from call to call.  The venue has no clock, does no I/O and draws
  randomness only from the generator that it was given.
* Before it does anything else, each call lets expire what is due by then.  Call
  `advance` at `next_deadline_ns` to get those events on time.
* Three faces: what clients reach (`handle`, streams), the world's hand (`fill`,
  `web_submit`, ...), and the truth for the oracle (`trades`, `orders`, `positions`).
"""

from __future__ import annotations

import random
from decimal import Decimal

from sim.observation import VenueOrder, VenuePosition, VenueTrade
from sim.venue import invariants
from sim.venue.account_view import AccountView
from sim.venue.calls import Backend
from sim.venue.config import VenueConfig
from sim.venue.errors import Rejection, VenueError
from sim.venue.exchange import Exchange
from sim.venue.formats import plain
from sim.venue.history import History, Reads
from sim.venue.models import ZERO, Account, Order
from sim.venue.rest import Gateway
from sim.venue.stream import Connection, Streams
from sim.venue.validation import new_order, random_client_id
from sim.venue.wire import Frame, Request, Response

WEB_PREFIX = "web_"


class Venue:
    """One fake Binance USD-M venue."""

    def __init__(self, config: VenueConfig, rng: random.Random) -> None:
        self.config = config
        self.exchange = Exchange(config, rng)
        self.reads = Reads()
        self.streams = Streams(self.exchange, rng)
        self._rng = rng
        self._gateway = Gateway(
            Backend(
                self.exchange,
                History(self.exchange, self.reads),
                AccountView(self.exchange, self.reads),
                self.streams,
                rng,
            )
        )
        self._published = 0

    # -- what clients reach

    def handle(self, request: Request, now_ns: int) -> Response:
        """Answer one HTTP request.  Raises VenueUnsupported for gaps of the fake."""
        self.advance(now_ns)
        response = self._gateway.handle(request, now_ns)
        self._publish()
        return response

    def open_stream(self, url_path_and_query: str, now_ns: int, client: str = "nt") -> int:
        """Accept a stream handshake, whatever its key, and return the connection's id."""
        self.advance(now_ns)
        return self.streams.open(url_path_and_query, client)

    def close_stream(self, connection_id: int) -> None:
        """The connection is gone; closing it twice does nothing."""
        self.streams.close(connection_id)

    def receive_text(self, connection_id: int, text: str, now_ns: int) -> None:
        """Take a text frame that a client sent; the answer goes to the outbox."""
        self.advance(now_ns)
        self.streams.receive_text(connection_id, text, now_ns)

    def take_frames(self) -> list[Frame]:
        """Drain the outbox: all frames since the last call, in order of emission."""
        return self.streams.take_frames()

    def take_closed(self) -> list[int]:
        """Drain the ids of the connections that the venue itself has closed."""
        return self.streams.take_closed()

    def connections(self) -> tuple[Connection, ...]:
        """Return the open stream connections, oldest first."""
        return self.streams.connections()

    def api_keys(self, account: str) -> frozenset[str]:
        """Return the API keys of an account."""
        return frozenset(self._account(account).secrets)

    # -- time

    def advance(self, now_ns: int) -> None:
        """Let expire the listen keys and GTD orders that are due by ``now_ns``."""
        self.streams.advance(now_ns)
        self.exchange.expire_due(now_ns)
        self._publish()

    def next_deadline_ns(self) -> int | None:
        """Return when something will expire by itself, None when nothing will."""
        due = (self.streams.next_expiry_ns, self.exchange.next_expiry_ns)
        return min((at_ns for at_ns in due if at_ns is not None), default=None)

    # -- the world's hand

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
        self._publish()
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
        self.advance(now_ns)
        holder = self._account(account)
        params = {
            "symbol": symbol,
            "side": side,
            "type": order_type or ("MARKET" if price is None else "LIMIT"),
            "quantity": f"{quantity:f}",
            "newclientorderid": client_order_id or random_client_id(self._rng, WEB_PREFIX),
        }
        if price is not None:
            params |= {"price": f"{price:f}", "timeinforce": time_in_force}
        if position_side is not None:
            params["positionside"] = position_side
        if reduce_only:
            params["reduceonly"] = "true"
        try:
            ticket = new_order(self.exchange, holder, params, self._rng, now_ns)
            order = self.exchange.submit(holder, ticket, now_ns)
        except Rejection as refused:
            raise VenueError(f"the venue refused the manual order: {refused}") from None
        self._publish()
        return order.truth()

    def web_cancel(
        self,
        account: str,
        symbol: str,
        *,
        now_ns: int,
        client_order_id: str | None = None,
        order_id: int | None = None,
    ) -> VenueOrder:
        """Cancel an open order by hand.  VenueError when it is unknown or closed."""
        self.advance(now_ns)
        order = self._open_order(account, symbol, order_id, client_order_id)
        self.exchange.cancel(order, now_ns)
        self._publish()
        return order.truth()

    def set_price(self, symbol: str, price: Decimal, now_ns: int) -> None:
        """Set the last price.  Resting orders stay; MARKET orders fill at it."""
        self.advance(now_ns)
        if symbol not in self.exchange.symbols:
            raise VenueError(f"this venue has no symbol {symbol}")
        if price <= 0:
            raise VenueError(f"{price} is not a price")
        self.exchange.set_price(symbol, price)

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
        self.exchange.transfer(self._account(account), asset, amount, now_ns)
        self._publish()

    def expire_listen_key(self, account: str, now_ns: int, *, notify: bool = True) -> bool:
        """End the account's listen key early, with or without telling its connections.

        Returns False when it has none.
        """
        self.advance(now_ns)
        self._account(account)
        return self.streams.expire_key(account, now_ns, notify=notify)

    # -- the truth

    def trades(self) -> tuple[VenueTrade, ...]:
        """Return every execution, in the order in which they happened."""
        return tuple(self.exchange.trades)

    def orders(self) -> tuple[VenueOrder, ...]:
        """Return every order as it stands, in the order of acceptance."""
        return tuple(order.truth() for order in self.exchange.orders)

    def order(
        self,
        account: str,
        symbol: str,
        *,
        client_order_id: str | None = None,
        order_id: int | None = None,
    ) -> VenueOrder | None:
        """Return one order as it stands; a reused client id names the newest."""
        found = self._find(account, symbol, order_id, client_order_id)
        return None if found is None else found.truth()

    def positions(self) -> tuple[VenuePosition, ...]:
        """Return every leg that is not flat, by account, symbol and position side."""
        return tuple(
            leg.truth()
            for account in self.exchange.accounts.values()
            for name in self.exchange.symbols
            if (holding := account.holdings.get(name)) is not None
            for _, leg in sorted(holding.legs.items())
            if leg.current.quantity
        )

    def position_at(
        self, account: str, symbol: str, position_side: str, at_ns: int
    ) -> VenuePosition:
        """Return one leg as it stood at that time, flat ones included."""
        holder = self._account(account)
        if symbol not in self.exchange.symbols:
            raise VenueError(f"this venue has no symbol {symbol}")
        holding = holder.holdings.get(symbol)
        leg = None if holding is None else holding.legs.get(position_side)
        if leg is None:
            return VenuePosition(account, symbol, position_side, ZERO, ZERO)
        return leg.truth(leg.as_of(at_ns))

    def check_invariants(self) -> None:
        """Raise VenueInvariantError when the venue's own books do not add up."""
        invariants.check(self.exchange)

    # -- inside

    def _publish(self) -> None:
        ledger = self.exchange.ledger
        while self._published < len(ledger):
            self._published += 1
            self.streams.publish(ledger[self._published - 1])

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

    def _open_order(
        self, account: str, symbol: str, order_id: int | None, client_order_id: str | None
    ) -> Order:
        name = client_order_id if order_id is None else order_id
        order = self._find(account, symbol, order_id, client_order_id)
        if order is None:
            raise VenueError(f"{account} has no order {name} on {symbol}")
        if not order.current.is_open:
            raise VenueError(f"order {name} on {symbol} is {order.current.status}, not open")
        return order
