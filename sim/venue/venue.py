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

from sim.observation import VenueOrder, VenuePosition, VenueTrade
from sim.venue import invariants
from sim.venue.account_view import AccountView
from sim.venue.algo_history import AlgoHistory
from sim.venue.by_hand import ByHand
from sim.venue.calls import Backend
from sim.venue.clocks import GatewayClock, earlier_of
from sim.venue.config import VenueConfig
from sim.venue.errors import VenueError
from sim.venue.exchange import Exchange
from sim.venue.history import History
from sim.venue.models import ZERO
from sim.venue.reads import Reads
from sim.venue.rest import Gateway
from sim.venue.stream import Connection, Streams
from sim.venue.wire import Closing, Frame, Request, Response
from sim.venue.ws_api import WsApi, is_ws_api


class Venue(ByHand):
    """One fake Binance USD-M venue."""

    def __init__(self, config: VenueConfig, rng: random.Random) -> None:
        self.config = config
        super().__init__(Exchange(config, rng), rng)
        self.reads = Reads(are_behind=config.replica_lag == "usual")
        self.streams = Streams(self.exchange, rng)
        self._gateway = Gateway(
            Backend(
                self.exchange,
                History(self.exchange, self.reads),
                AlgoHistory(self.exchange, self.reads),
                AccountView(self.exchange, self.reads),
                self.streams,
                rng,
            )
        )
        self._ws_api = WsApi(self._gateway, config)
        self._published = 0

    # -- what clients reach

    def handle(self, request: Request, now_ns: int, arrived_ns: int | None = None) -> Response:
        """Answer one HTTP request; ``arrived_ns`` is when it came, if it had to wait."""
        self.advance(now_ns)
        response = self._gateway.handle(request, now_ns, arrived_ns)
        self.publish()
        return response

    def open_stream(self, url_path_and_query: str, now_ns: int, client: str = "nt") -> int:
        """Accept a WebSocket handshake, whatever its key, and return the connection's id.

        Raises `HandshakeRefused` when it is one of the WebSocket API and costs too much.
        """
        self.advance(now_ns)
        if not is_ws_api(url_path_and_query):
            return self.streams.open(url_path_and_query, client, now_ns)
        self._ws_api.shake_hands(client, now_ns)
        connection_id = self.streams.open(url_path_and_query, client, now_ns)
        self._ws_api.open(connection_id, url_path_and_query, client, now_ns)
        return connection_id

    def close_stream(self, connection_id: int) -> None:
        """The connection is gone; closing it twice does nothing."""
        self.streams.close(connection_id)
        self._ws_api.close(connection_id)

    def request_in(self, connection_id: int, text: str) -> Request | None:
        """Return the request of the WebSocket API that a text frame is, None if it is none."""
        return self._ws_api.request(connection_id, text)

    def answer(self, connection_id: int, text: str, now_ns: int) -> str | None:
        """Answer a text frame of the WebSocket API, None if its connection is another one."""
        self.advance(now_ns)
        answer = self._ws_api.answer(connection_id, text, now_ns)
        self.publish()
        return answer

    def receive_text(self, connection_id: int, text: str, now_ns: int) -> None:
        """Take a text frame that a client sent; the answer goes to the outbox."""
        answer = self.answer(connection_id, text, now_ns)
        if answer is None:
            self.streams.receive_text(connection_id, text, now_ns)
        else:
            self.streams.say(connection_id, answer, now_ns)

    def take_frames(self) -> list[Frame]:
        """Drain the outbox: all frames since the last call, in order of emission."""
        return self.streams.take_frames()

    def take_closed(self) -> list[Closing]:
        """Drain the connections that the venue itself has closed, each with its close code."""
        closed = self.streams.take_closed()
        for closing in closed:
            self._ws_api.close(closing.connection_id)
        return closed

    def connections(self) -> tuple[Connection, ...]:
        """Return the open stream connections, oldest first."""
        return self.streams.connections()

    @property
    def clock(self) -> GatewayClock:
        """The clock that requests are compared with."""
        return self._gateway.clock

    def api_keys(self, account: str) -> frozenset[str]:
        """Return the API keys of an account."""
        return frozenset(self._account(account).keys)

    @property
    def ledger_position(self) -> int:
        """How many entries the ledger of truth has."""
        return len(self.exchange.ledger)

    # -- time

    def advance(self, now_ns: int) -> None:
        """Do what time alone does by ``now_ns``: keys and orders expire, countdowns end."""
        # In the order of time: a key that is live when an order expires still hears of it.
        while (due_ns := self.next_deadline_ns()) is not None and due_ns <= now_ns:
            self.exchange.expire_due(due_ns)
            self.publish()
            self.streams.advance(due_ns)

    def next_deadline_ns(self) -> int | None:
        """Return when something will expire by itself, None when nothing will."""
        return earlier_of(self.streams.next_deadline_ns, self.exchange.next_expiry_ns)

    def expire_listen_key(self, account: str, now_ns: int, *, notify: bool = True) -> bool:
        """End the account's listen keys early, with or without telling their connections.

        Returns False when it has none.
        """
        self.advance(now_ns)
        self._account(account)
        return self.streams.expire_keys(account, now_ns, notify=notify)

    def announce_shutdown(self, connection_ids: list[int], now_ns: int) -> None:
        """Tell connections that they will be closed soon; `end_streams` closes them."""
        self.advance(now_ns)
        self.streams.announce_shutdown(connection_ids, now_ns)

    def end_streams(self, connection_ids: list[int], now_ns: int) -> None:
        """Close connections from the venue's side."""
        self.advance(now_ns)
        for connection_id in connection_ids:
            self.streams.end(connection_id)

    def lose_pongs(self, connection_id: int, now_ns: int) -> int:
        """The way to a client is dead; return when the venue gives its connection up."""
        return self.streams.lose_pongs(connection_id, now_ns)

    def hear_pongs(self, connection_id: int) -> None:
        """The way to a client is open again."""
        self.streams.hear_pongs(connection_id)

    # -- the truth

    def trades(self) -> tuple[VenueTrade, ...]:
        """Return every execution, in the order in which they happened."""
        return tuple(self.exchange.trades)

    def orders(self) -> tuple[VenueOrder, ...]:
        """Return every order as it stands, in the order of acceptance.

        A conditional order and what it has become are one.
        """
        exchange = self.exchange
        plain = (order.truth() for order in exchange.orders if exchange.algos.parent(order) is None)
        conditional = (algo.truth() for algo in exchange.algos.orders)
        return tuple(sorted((*plain, *conditional), key=lambda order: order.created_ns))

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

    def publish(self) -> None:
        ledger = self.exchange.ledger
        while self._published < len(ledger):
            self._published += 1
            self.streams.publish(ledger[self._published - 1])
