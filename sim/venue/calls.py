"""What a request handler is given.

Rules:

* A handler is a function of (`Backend`, `Call`) that returns an encoded body or raises
  `Rejection`.  Authentication, weights and headers are none of its business.
* What is refused leaves nothing in the ledger.
"""

from __future__ import annotations

import random

import msgspec

from sim.venue.account_view import AccountView
from sim.venue.algo_history import AlgoHistory
from sim.venue.errors import Rejection, VenueInvariantError, malformed
from sim.venue.exchange import Exchange
from sim.venue.history import History
from sim.venue.models import Account
from sim.venue.params import Params
from sim.venue.stream import Streams


class Backend(msgspec.Struct, frozen=True):
    """The parts of the venue that handlers use."""

    exchange: Exchange
    history: History
    algo_history: AlgoHistory
    view: AccountView
    streams: Streams
    rng: random.Random


class Call(msgspec.Struct):
    """One admitted request.  ``account`` of a public call is never read.

    ``api_key`` is the one that it came with, None where nobody looks at it.
    """

    account: Account
    params: Params
    now_ns: int
    api_key: str | None = None


def symbol_or_none(backend: Backend, call: Call) -> str | None:
    """Return the optional ``symbol``.  Raises Rejection -1121."""
    name = call.params.get("symbol")
    if not name:
        return None
    if name not in backend.exchange.symbols:
        raise Rejection(-1121)
    return name


def symbol(backend: Backend, call: Call) -> str:
    """Return the mandatory ``symbol``.  Raises Rejection -1102 or -1121."""
    name = symbol_or_none(backend, call)
    if name is None:
        raise malformed("symbol")
    return name


class LeavingNothing:
    """Raises VenueInvariantError when what is refused inside has changed something.

    A class and no generator, since each request passes it.
    """

    __slots__ = ("_before", "_exchange")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._before = len(exchange.ledger)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, refused: object, traceback: object) -> None:
        if isinstance(refused, Rejection) and len(self._exchange.ledger) != self._before:
            raise VenueInvariantError(f"{refused} has left something in the ledger") from refused
