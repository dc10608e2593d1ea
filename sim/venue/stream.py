"""Listen keys, stream connections and the outbox.

Rules:

* An event goes to every connection that is open on the account's live key at that
  instant.  Nothing is ever replayed: what nobody heard is lost.
* One live key per account.  POST returns the live key and extends it by an hour, PUT
  extends it, DELETE ends it and closes its connections.
* A key that runs out is announced with ``listenKeyExpired``; its connections stay open
  and silent.  A handshake with an unknown key succeeds and stays silent, too.
* The outbox keeps one total order; ``sequence`` counts events, heard or not.
* Market data streams are accepted and say nothing.
"""

from __future__ import annotations

import random
import string
from urllib.parse import parse_qsl

import msgspec

from sim.venue import events
from sim.venue.account_events import Event
from sim.venue.errors import Rejection
from sim.venue.events import About
from sim.venue.exchange import Exchange
from sim.venue.ledger import LedgerEntry, account_of
from sim.venue.models import Account
from sim.venue.wire import Frame

_ALPHABET = string.ascii_letters + string.digits
_KEY_LENGTH = 64
_ROUTES = ("private", "public", "market")

ABOUT_NOTHING = About()

encode = msgspec.json.Encoder().encode


class ListenKey:
    """One live listen key."""

    __slots__ = ("account", "expires_ns", "key")

    def __init__(self, key: str, account: str, expires_ns: int) -> None:
        self.key = key
        self.account = account
        self.expires_ns = expires_ns


class Connection(msgspec.Struct):
    """One open stream connection.

    ``streams`` are the listen keys and market streams that it has subscribed to,
    in order; ``wrapped`` connections get ``{"stream", "data"}`` around each event;
    ``only`` holds the event types that the URL asked for (empty: all).
    """

    connection_id: int
    client: str
    wrapped: bool
    streams: list[str]
    only: frozenset[str] = frozenset()


class Streams:
    """The streaming side of one venue."""

    def __init__(self, exchange: Exchange, rng: random.Random) -> None:
        self._exchange = exchange
        self._rng = rng
        self._keys: dict[str, ListenKey] = {}  # by account
        self._connections: dict[int, Connection] = {}
        self._last_connection_id = 0
        self._sequence = 0
        self._outbox: list[Frame] = []
        self._closed: list[int] = []

    # -- listen keys

    def start_key(self, account: Account, now_ns: int) -> str:
        """Return the account's live key, made if there is none, valid for an hour."""
        live = self._keys.get(account.name)
        expires_ns = now_ns + self._exchange.config.listen_key_validity_ns
        if live is None:
            key = "".join(self._rng.choices(_ALPHABET, k=_KEY_LENGTH))
            live = self._keys[account.name] = ListenKey(key, account.name, expires_ns)
        live.expires_ns = expires_ns
        return live.key

    def extend_key(self, account: Account, now_ns: int) -> str:
        """Extend the live key.  Raises Rejection -1125 when there is none."""
        if account.name not in self._keys:
            raise Rejection(-1125)
        return self.start_key(account, now_ns)

    def end_key(self, account: Account) -> None:
        """End the live key and close its connections.  Raises Rejection -1125."""
        live = self._keys.pop(account.name, None)
        if live is None:
            raise Rejection(-1125)
        for connection in self._listeners(live.key):
            self.close(connection.connection_id)
            self._closed.append(connection.connection_id)

    def expire_key(self, account: str, now_ns: int, *, notify: bool = True) -> bool:
        """End the account's key as if its hour were over; False when it has none."""
        live = self._keys.pop(account, None)
        if live is not None and notify:
            event = events.listen_key_expired(live.key, now_ns)
            self._push(live, event, event["e"], now_ns)
        return live is not None

    def advance(self, now_ns: int) -> None:
        """Expire the keys whose hour is over, in the order in which they ran out."""
        due = [live for live in self._keys.values() if live.expires_ns <= now_ns]
        for live in sorted(due, key=lambda key: key.expires_ns):
            self.expire_key(live.account, live.expires_ns)

    @property
    def next_expiry_ns(self) -> int | None:
        """Return when the next key runs out."""
        return min((live.expires_ns for live in self._keys.values()), default=None)

    def live_key(self, account: str) -> str | None:
        """Return the account's live key."""
        live = self._keys.get(account)
        return None if live is None else live.key

    # -- connections

    def open(self, url_path_and_query: str, client: str) -> int:
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
        )
        return self._last_connection_id

    def close(self, connection_id: int) -> None:
        """Forget a connection.  Frames that it was sent before stay in the outbox."""
        self._connections.pop(connection_id, None)

    def connections(self) -> tuple[Connection, ...]:
        """Return the open connections, oldest first."""
        return tuple(self._connections.values())

    def receive_text(self, connection_id: int, text: str, now_ns: int) -> None:
        """Take a text frame from a client: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS."""
        connection = self._connections.get(connection_id)
        if connection is None:
            return
        try:
            command = msgspec.json.decode(text)
            method, params = command["method"], list(command.get("params", ()))
            answer = {"result": None, "id": command.get("id")}
        except (msgspec.DecodeError, TypeError, KeyError):
            self._answer(connection, {"error": {"code": 3, "msg": "Invalid JSON"}}, now_ns)
            return
        if method == "SUBSCRIBE":
            connection.streams.extend(name for name in params if name not in connection.streams)
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
            self._outbox.append(self._frame(link, text, "", "", now_ns))

    def take_frames(self) -> list[Frame]:
        """Drain the outbox, in the order of emission."""
        taken, self._outbox = self._outbox, []
        return taken

    def take_closed(self) -> list[int]:
        """Drain the ids of the connections that the venue closed."""
        taken, self._closed = self._closed, []
        return taken

    # -- publishing

    def publish(self, entry: LedgerEntry) -> None:
        """Tell the account's connections about one ledger entry."""
        live = self._keys.get(account_of(entry))
        if live is None or not self._listeners(live.key):
            self._sequence += events.count_of(self._exchange, entry)
            return
        for telling in events.tellings_of(self._exchange, entry):
            self._push(live, telling.event, telling.name, entry.time_ns, telling.about)

    def _listeners(self, key: str) -> list[Connection]:
        return [link for link in self._connections.values() if key in link.streams]

    def _push(
        self, live: ListenKey, event: Event, name: str, time_ns: int, about: About = ABOUT_NOTHING
    ) -> None:
        self._sequence += 1
        raw = encode(event).decode()
        for link in self._listeners(live.key):
            if link.only and name not in link.only:
                continue
            text = f'{{"stream":"{live.key}","data":{raw}}}' if link.wrapped else raw
            self._outbox.append(self._frame(link, text, live.account, name, time_ns, about))

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
        self._outbox.append(self._frame(link, encode(answer).decode(), "", "", now_ns))
