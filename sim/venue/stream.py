"""Stream connections and the outbox.

Rules:

* An event goes once to every connection that is open at that instant on a live key of its
  account.  Nothing is ever replayed: what nobody heard is lost.
* DELETE of a listen key closes its connections.  A key that runs out is announced with
  ``listenKeyExpired``; its connections stay open and silent.  A handshake with an unknown
  key succeeds and stays silent, too.
* The outbox keeps one total order; ``sequence`` counts events, heard or not.
* A connection is closed when its life is over, when its client has sent more than ten
  messages within a second (1008), and when a ping has had no answer for ten minutes.
  Clients answer pings by themselves, so these cost nothing: only where the way to a
  client is dead is it reckoned when the venue will have waited long enough.
* It carries at most 1024 streams: a SUBSCRIBE beyond them is refused, and a connection that
  asks for more in its address is closed.
* Market data streams are accepted and say nothing.
"""

from __future__ import annotations

import random
from collections import deque
from urllib.parse import parse_qsl

import msgspec

from sim.venue import events
from sim.venue.account_events import Event
from sim.venue.clocks import earlier_of
from sim.venue.config import SECOND_NS
from sim.venue.events import About
from sim.venue.exchange import Exchange
from sim.venue.ledger import LedgerEntry, account_of
from sim.venue.listen_keys import ListenKey, ListenKeys
from sim.venue.models import Account
from sim.venue.wire import Closing, Frame

_ROUTES = ("private", "public", "market")

GOING_AWAY = 1001
"""The close code of a server that ends connections for reasons of its own."""

POLICY_VIOLATION = 1008
"""The close code for clients that break the rules."""

ABOUT_NOTHING = About()

encode = msgspec.json.Encoder().encode


class Connection(msgspec.Struct):
    """One open stream connection.

    ``streams`` are the listen keys and market streams that it has subscribed to,
    in order; ``wrapped`` connections get ``{"stream", "data"}`` around each event;
    ``only`` holds the event types that the URL asked for (empty: all).  ``gives_up_ns``
    is when the venue will have waited long enough for a pong, None while pongs come.
    """

    connection_id: int
    client: str
    wrapped: bool
    streams: list[str]
    only: frozenset[str] = frozenset()
    opened_ns: int = 0
    gives_up_ns: int | None = None
    heard_ns: deque[int] = msgspec.field(default_factory=deque)


class Streams:
    """The streaming side of one venue."""

    def __init__(self, exchange: Exchange, rng: random.Random) -> None:
        self._exchange = exchange
        self._config = exchange.config
        self.keys = ListenKeys(self._config.listen_key_validity_ns, rng)
        self._connections: dict[int, Connection] = {}
        self._last_connection_id = 0
        self._sequence = 0
        self._outbox: list[Frame] = []
        self._closed: list[Closing] = []
        # When the next connection has to be closed; None while none has to.
        self._next_close_ns: int | None = None
        self.sent = 0
        """How many frames the venue has sent, each to one connection."""

    # -- listen keys

    def start_key(self, account: Account, now_ns: int, api_key: str | None = None) -> str:
        """Return the live key of an API key, made if there is none, valid for an hour."""
        return self.keys.start(account, now_ns, api_key)

    def extend_key(self, account: Account, now_ns: int, api_key: str | None = None) -> str:
        """Extend the live key.  Raises Rejection -1125 when there is none."""
        return self.keys.extend(account, now_ns, api_key)

    def end_key(self, account: Account, api_key: str | None = None) -> None:
        """End the live key and close its connections.  Raises Rejection -1125."""
        for connection, _ in self._listeners(self.keys.end(account, api_key)):
            self.end(connection.connection_id)

    def expire_keys(self, account: str, now_ns: int, *, notify: bool = True) -> bool:
        """End the account's keys as if their hour were over; False when it has none."""
        live = self.keys.of(account)
        for key in live:
            self._expire(key, now_ns, notify=notify)
        return bool(live)

    def _expire(self, key: ListenKey, now_ns: int, *, notify: bool = True) -> None:
        self.keys.forget(key)
        if notify:
            event = events.listen_key_expired(key.key, now_ns)
            self._push(self._listeners(key), key.account, event, event["e"], now_ns)

    def advance(self, now_ns: int) -> None:
        """Do what time alone does: keys run out, and connections have to end."""
        for key in self.keys.due(now_ns):
            self._expire(key, key.expires_ns)
        if self._next_close_ns is not None and self._next_close_ns <= now_ns:
            for link in self.connections():
                if self._ends_ns(link) <= now_ns:
                    self.end(link.connection_id)

    @property
    def next_deadline_ns(self) -> int | None:
        """Return when the next key runs out or the next connection has to end."""
        return earlier_of(self.keys.next_expiry_ns, self._next_close_ns)

    def live_key(self, account: str) -> str | None:
        """Return the account's live key, the newest of several."""
        current = self.keys.current(account)
        return None if current is None else current.key

    # -- connections

    def open(self, url_path_and_query: str, client: str, now_ns: int) -> int:
        """Accept a stream handshake and return the connection's id."""
        path, _, query = url_path_and_query.partition("?")
        parts = [part for part in path.split("/") if part]
        if parts and parts[0] in _ROUTES:
            parts = parts[1:]
        streams: list[str] = list(parts[1:])
        only: set[str] = set()
        for name, value in parse_qsl(query):
            if name == "listenKey":
                streams.append(value)
            elif name == "streams":
                streams.extend(value.split("/"))
            elif name == "events":
                only.update(value.split("/"))
        self._last_connection_id += 1
        self._connections[self._last_connection_id] = Connection(
            self._last_connection_id,
            client,
            wrapped=parts[:1] == ["stream"],
            streams=streams,
            only=frozenset(only),
            opened_ns=now_ns,
        )
        self._reckon()
        if len(streams) > self._config.streams_per_connection:
            self.end(self._last_connection_id, POLICY_VIOLATION)
        return self._last_connection_id

    def close(self, connection_id: int) -> None:
        """Forget a connection.  Frames that it was sent before stay in the outbox."""
        if self._connections.pop(connection_id, None) is not None:
            self._reckon()

    def end(self, connection_id: int, code: int = GOING_AWAY) -> None:
        """Close a connection from the venue's side."""
        if connection_id in self._connections:
            self.close(connection_id)
            self._closed.append(Closing(connection_id, code))

    def lose_pongs(self, connection_id: int, now_ns: int) -> int:
        """The way to a client is dead: return until when its next ping is waited for."""
        link = self._connections[connection_id]
        every_ns = self._config.ping_interval_ns
        pings = (now_ns - link.opened_ns) // every_ns + 1
        link.gives_up_ns = link.opened_ns + pings * every_ns + self._config.pong_timeout_ns
        self._reckon()
        return link.gives_up_ns

    def hear_pongs(self, connection_id: int) -> None:
        """The way to a client is open again; a connection that was given up stays so."""
        link = self._connections.get(connection_id)
        if link is not None:
            link.gives_up_ns = None
            self._reckon()

    def _ends_ns(self, link: Connection) -> int:
        life_ns = link.opened_ns + self._config.connection_life_ns
        return life_ns if link.gives_up_ns is None else min(life_ns, link.gives_up_ns)

    def _reckon(self) -> None:
        self._next_close_ns = min(map(self._ends_ns, self._connections.values()), default=None)

    def connections(self) -> tuple[Connection, ...]:
        """Return the open connections, oldest first."""
        return tuple(self._connections.values())

    def receive_text(self, connection_id: int, text: str, now_ns: int) -> None:
        """Take a text frame from a client: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS."""
        connection = self._connections.get(connection_id)
        if connection is None:
            return
        heard_ns = connection.heard_ns
        heard_ns.append(now_ns)
        while heard_ns[0] <= now_ns - SECOND_NS:
            heard_ns.popleft()
        if len(heard_ns) > self._config.messages_per_second:
            self.end(connection_id, POLICY_VIOLATION)
            return
        try:
            command = msgspec.json.decode(text)
            method, params = command["method"], list(command.get("params", ()))
            answer = {"result": None, "id": command.get("id")}
        except (msgspec.DecodeError, RecursionError, TypeError, KeyError):
            self._answer(connection, {"error": {"code": 3, "msg": "Invalid JSON"}}, now_ns)
            return
        if method == "SUBSCRIBE":
            more = [name for name in params if name not in connection.streams]
            most = self._config.streams_per_connection
            if len(connection.streams) + len(more) > most:
                refusal = {"code": 4, "msg": f"Too many streams; the limit is {most}"}
                self._answer(connection, {"error": refusal, "id": command.get("id")}, now_ns)
                return
            connection.streams.extend(more)
        elif method == "UNSUBSCRIBE":
            connection.streams = [name for name in connection.streams if name not in params]
        elif method == "LIST_SUBSCRIPTIONS":
            answer["result"] = list(connection.streams)
        self._answer(connection, answer, now_ns)

    def say(self, connection_id: int, text: str, now_ns: int) -> None:
        """Send a connection a text frame that is no event."""
        link = self._connections.get(connection_id)
        if link is not None:
            self._sequence += 1
            self._send(self._frame(link, text, "", "", now_ns))

    def take_frames(self) -> list[Frame]:
        """Drain the outbox, in the order of emission."""
        taken, self._outbox = self._outbox, []
        return taken

    def take_closed(self) -> list[Closing]:
        """Drain the connections that the venue closed."""
        taken, self._closed = self._closed, []
        return taken

    # -- publishing

    def publish(self, entry: LedgerEntry) -> None:
        """Tell the account's connections about one ledger entry."""
        account = account_of(entry)
        listeners = self._listeners(*self.keys.of(account))
        if not listeners:
            self._sequence += events.count_of(self._exchange, entry)
            return
        for telling in events.tellings_of(self._exchange, entry):
            event, name, about = telling.event, telling.name, telling.about
            self._push(listeners, account, event, name, entry.time_ns, about)

    def announce_shutdown(self, connection_ids: list[int], now_ns: int) -> None:
        """Tell connections that they will be closed soon."""
        event = events.server_shutdown(now_ns)
        links = [(self._connections[id_], "") for id_ in connection_ids if id_ in self._connections]
        self._push(links, "", event, event["e"], now_ns)

    def _listeners(self, *keys: ListenKey) -> list[tuple[Connection, str]]:
        """Return the connections that are open on one of the keys, each with the first it has."""
        names = [key.key for key in keys]
        return [
            (link, name)
            for link in self._connections.values()
            if (name := next((name for name in names if name in link.streams), None))
        ]

    def _push(
        self,
        listeners: list[tuple[Connection, str]],
        account: str,
        event: Event,
        name: str,
        time_ns: int,
        about: About = ABOUT_NOTHING,
    ) -> None:
        self._sequence += 1
        raw = encode(event).decode()
        for link, key in listeners:
            if link.only and name not in link.only:
                continue
            text = f'{{"stream":"{key}","data":{raw}}}' if link.wrapped and key else raw
            self._send(self._frame(link, text, account, name, time_ns, about))

    def _send(self, frame: Frame) -> None:
        self.sent += 1
        self._outbox.append(frame)

    def _frame(
        self,
        link: Connection,
        text: str,
        account: str,
        event: str,
        time_ns: int,
        about: About = ABOUT_NOTHING,
    ) -> Frame:
        return Frame(
            link.connection_id,
            self._sequence,
            text,
            account,
            event,
            time_ns,
            symbol=about.symbol,
            execution=about.execution,
            client_order_id=about.client_order_id,
            order_id=about.order_id,
            trade_id=about.trade_id,
        )

    def _answer(self, link: Connection, answer: object, now_ns: int) -> None:
        self._sequence += 1
        self._send(self._frame(link, encode(answer).decode(), "", "", now_ns))
