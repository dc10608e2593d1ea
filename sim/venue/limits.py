"""How much clients may ask, and what becomes of those who go on.

Rules:

* Weight is counted per minute for the one address that all clients share; past the limit
  each request is answered 429 until the minute is over.
* Who goes on after that is banned: the ``ban_after``-th request past the limit of one minute
  is answered 418, and so is every other until the ban is over, signed or not.
* A ban lasts two minutes the first time and twice as long each next time, three days at most.
* Orders are counted per account, in ten seconds and in a minute; of a batch all in ten
  seconds, and one in a minute.
* Each of these answers says in Retry-After how many seconds are left.
"""

from __future__ import annotations

from sim.venue.config import DAY_NS, MINUTE_NS, VenueConfig
from sim.venue.errors import BANNED, Rejection, text_of

_MINUTE_MS = 60_000
_TEN_SECONDS_MS = 10_000
_FIRST_BAN_MS = 2 * MINUTE_NS // 1_000_000
_LONGEST_BAN_MS = 3 * DAY_NS // 1_000_000


class Counter:
    """A count that starts again at each multiple of its period."""

    __slots__ = ("period_ms", "used", "window")

    def __init__(self, period_ms: int) -> None:
        self.period_ms = period_ms
        self.window = 0
        self.used = 0

    def add(self, amount: int, now_ms: int) -> int:
        """Count, and return how much is used in the current window."""
        window = now_ms // self.period_ms
        if window != self.window:
            self.window, self.used = window, 0
        self.used += amount
        return self.used

    def seconds_left(self, now_ms: int) -> int:
        """Return how many seconds are left of the current window, rounded up."""
        return seconds(self.period_ms - now_ms % self.period_ms)


def seconds(ms: int) -> int:
    """Return a duration in whole seconds, rounded up."""
    return -(-ms // 1000)


class Limits:
    """What the address and the accounts have used."""

    def __init__(self, config: VenueConfig, accounts: list[str]) -> None:
        self._config = config
        self._weight = Counter(_MINUTE_MS)
        self._refused = Counter(_MINUTE_MS)
        self._orders = {name: (Counter(_TEN_SECONDS_MS), Counter(_MINUTE_MS)) for name in accounts}
        self._banned_until_ms = 0
        self._bans = 0

    def used_weight(self, now_ms: int) -> int:
        """Return the weight that is used in this minute."""
        return self._weight.add(0, now_ms)

    def used_orders(self, account: str, now_ms: int) -> tuple[int, int]:
        """Return how many orders an account has sent in these ten seconds and this minute."""
        per_10s, per_1m = self._orders[account]
        return per_10s.add(0, now_ms), per_1m.add(0, now_ms)

    def admit(self, now_ms: int) -> None:
        """Raise `Rejection` 418 while the address is banned."""
        if now_ms < self._banned_until_ms:
            raise self._banned(now_ms)

    def charge(self, weight: int, now_ms: int) -> None:
        """Count the weight of a request.  Raises `Rejection` 429 or 418 past the limit."""
        limit = self._config.weight_limit_1m
        if self._weight.add(weight, now_ms) <= limit:
            return
        if self._refused.add(1, now_ms) >= self._config.ban_after:
            self._refused.used = 0
            self._banned_until_ms = now_ms + min(_FIRST_BAN_MS << self._bans, _LONGEST_BAN_MS)
            self._bans += 1
            raise self._banned(now_ms)
        raise Rejection(
            -1003,
            text_of(-1003, limit),
            status=429,
            headers=_retry_after(self._weight.seconds_left(now_ms)),
        )

    def charge_orders(self, account: str, count: int, now_ms: int) -> None:
        """Count new orders.  Raises `Rejection` -1015 past a limit."""
        per_10s, per_1m = self._orders[account]
        for counter, limit, period, added in (
            (per_10s, self._config.order_limit_10s, "TEN_SECONDS", count),
            (per_1m, self._config.order_limit_1m, "MINUTE", 1),
        ):
            if counter.add(added, now_ms) > limit:
                raise Rejection(
                    -1015,
                    text_of(-1015, limit, period),
                    status=429,
                    headers=_retry_after(counter.seconds_left(now_ms)),
                )

    def _banned(self, now_ms: int) -> Rejection:
        until_ms = self._banned_until_ms
        headers = _retry_after(seconds(until_ms - now_ms))
        return Rejection(-1003, BANNED % until_ms, status=418, headers=headers)


def _retry_after(secs: int) -> tuple[tuple[str, str], ...]:
    return (("Retry-After", str(secs)),)
