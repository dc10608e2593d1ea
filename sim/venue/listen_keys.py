"""Listen keys: who may hear an account, and for how long.

Rules:

* One current key for each API key.  POST returns it and makes it last an hour from now,
  PUT extends it, DELETE ends it.
* After a rotation the next POST makes another key.  The one before lives on for the rest of
  its hour: PUT and DELETE are about the current one only.
"""

from __future__ import annotations

import random
import string

import msgspec

from sim.venue.errors import Rejection
from sim.venue.models import Account

_ALPHABET = string.ascii_letters + string.digits
_KEY_LENGTH = 64


class ListenKey(msgspec.Struct):
    """One live listen key, and the API key that asked for it."""

    key: str
    account: str
    api_key: str
    expires_ns: int


class ListenKeys:
    """The live listen keys of one venue."""

    def __init__(self, validity_ns: int, rng: random.Random) -> None:
        self._validity_ns = validity_ns
        self._rng = rng
        self._live: dict[str, ListenKey] = {}  # by itself, the oldest first
        self._current: dict[str, ListenKey] = {}  # by API key
        self.next_expiry_ns: int | None = None
        """When the next key runs out; each request looks."""

    def start(self, account: Account, now_ns: int, api_key: str | None = None) -> str:
        """Return the current key of an API key, made if there is none, valid for an hour.

        Without an API key it is the account's first.
        """
        api_key = api_key or next(iter(account.keys))
        current = self._current.get(api_key)
        if current is None:
            key = "".join(self._rng.choices(_ALPHABET, k=_KEY_LENGTH))
            current = ListenKey(key, account.name, api_key, 0)
            self._live[key] = self._current[api_key] = current
        current.expires_ns = now_ns + self._validity_ns
        self._look_ahead()
        return current.key

    def extend(self, account: Account, now_ns: int, api_key: str | None = None) -> str:
        """Extend the current key.  Raises Rejection -1125 when there is none."""
        if (api_key or next(iter(account.keys))) not in self._current:
            raise Rejection(-1125)
        return self.start(account, now_ns, api_key)

    def end(self, account: Account, api_key: str | None = None) -> ListenKey:
        """End the current key and return it.  Raises Rejection -1125 when there is none."""
        current = self._current.get(api_key or next(iter(account.keys)))
        if current is None:
            raise Rejection(-1125)
        self.forget(current)
        return current

    def retire(self, api_key: str) -> bool:
        """Let the next POST make another key, while this one lives on; False without one."""
        return self._current.pop(api_key, None) is not None

    def forget(self, key: ListenKey) -> None:
        """The key is live no more."""
        self._live.pop(key.key, None)
        if self._current.get(key.api_key) is key:
            del self._current[key.api_key]
        self._look_ahead()

    def of(self, account: str) -> list[ListenKey]:
        """Return the live keys of an account, the oldest first."""
        return [key for key in self._live.values() if key.account == account]

    def current(self, account: str) -> ListenKey | None:
        """Return the newest of the current keys of an account."""
        found = [key for key in self._current.values() if key.account == account]
        return found[-1] if found else None

    def due(self, now_ns: int) -> list[ListenKey]:
        """Return the keys whose hour is over, in the order in which they ran out."""
        due = [key for key in self._live.values() if key.expires_ns <= now_ns]
        return sorted(due, key=lambda key: key.expires_ns)

    def _look_ahead(self) -> None:
        self.next_expiry_ns = min((key.expires_ns for key in self._live.values()), default=None)
