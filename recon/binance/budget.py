"""How much may be asked of the venue, and when.

Binance counts the *weight* of requests per address and per minute of the wall clock, and
says with every answer how much of the minute is used (``X-MBX-USED-WEIGHT-1M``), whoever
used it.  Past the limit it answers 429; who goes on is banned with 418.

Rules:

1. Pure accounting: time is an argument, nanoseconds of the *venue's* clock since the
   Unix epoch.
2. What is used is the most that the venue has said in this minute, plus what is under way.
   An answer to a request of an earlier minute may speak of either: only its own weight counts.
   Who asks after an answer, and is told of less than that said, is in the venue's next minute,
   however ours are cut.
3. A request that is lost counts as used: the venue may have got it.
4. We stop at a share of the limit; the rest is for whoever trades from the same address.
   What is light goes on for half as much more: most often it is what a comparison that has read
   the heavy lists already still wants to know of the orders and trades that differ.
5. A request that would overrun waits until the next minute.  One that is heavier than the
   share goes when nothing of the minute is used.
6. ``Retry-After`` stops everything.  Without it 429 means the next minute, and at least
   `LEAST_PAUSE_NS`; 418 means `BAN_NS`, the shortest ban of Binance.
"""

from __future__ import annotations

MINUTE_NS = 60_000_000_000
LEAST_PAUSE_NS = 10_000_000_000
BAN_NS = 120_000_000_000

LIMIT_1M = 2_400
SHARE_PERCENT = 80
LIGHT_WEIGHT = 5


class WeightBudget:
    """The weight that one address has used, as far as we can know.

    Parameters
    ----------
    limit_1m
        The venue's limit of weight per minute.
    share_percent
        How much of it may be used, by anyone, before we wait with what is not light.
    """

    def __init__(self, limit_1m: int = LIMIT_1M, share_percent: int = SHARE_PERCENT) -> None:
        if limit_1m <= 0 or not 0 < share_percent <= 100:
            raise ValueError(f"{share_percent} % of a weight of {limit_1m} is no budget")
        self._allowed = limit_1m * share_percent // 100
        self._allowed_light = limit_1m * (100 + share_percent) // 200
        self._minute = 0
        self._said = 0
        self._said_ns = 0
        self._lost = 0
        self._under_way = 0
        self._blocked_until_ns = 0

    @property
    def blocked_until_ns(self) -> int:
        """Until when the venue wants to hear nothing; past or 0 when it does not mind."""
        return self._blocked_until_ns

    def used(self, now_ns: int) -> int:
        """Return the weight of this minute that is used or under way."""
        self._turn(now_ns)
        return self._said + self._lost + self._under_way

    def ready_ns(self, weight: int, now_ns: int) -> int:
        """Return when a request of that weight may go: now, or a later instant to ask again."""
        if now_ns < self._blocked_until_ns:
            return self._blocked_until_ns
        used = self.used(now_ns)
        allowed = self._allowed if weight > LIGHT_WEIGHT else self._allowed_light
        if used == 0 or used + weight <= allowed:
            return now_ns
        return (now_ns // MINUTE_NS + 1) * MINUTE_NS

    def send(self, weight: int) -> None:
        """Count a request that goes now."""
        self._under_way += weight

    def answered(self, weight: int, sent_ns: int, now_ns: int, used: int | None) -> None:
        """Count a request that has ended; ``used`` is what the venue said, None if nothing."""
        self._turn(now_ns)
        self._under_way -= weight
        if used is None or sent_ns // MINUTE_NS != self._minute:
            self._lost += weight
        elif used > self._said or (used < self._said and sent_ns > self._said_ns):
            # What was lost before is in what the venue says now, or never got there.
            self._said, self._lost = used, 0
            self._said_ns = now_ns

    def refused(self, status: int, retry_after_secs: int | None, now_ns: int) -> None:
        """Stop everything: the venue has answered 429 or 418."""
        if retry_after_secs is not None:
            until_ns = now_ns + retry_after_secs * 1_000_000_000
        elif status == 418:
            until_ns = now_ns + BAN_NS
        else:
            until_ns = max(now_ns + LEAST_PAUSE_NS, (now_ns // MINUTE_NS + 1) * MINUTE_NS)
        self._blocked_until_ns = max(self._blocked_until_ns, until_ns)

    def _turn(self, now_ns: int) -> None:
        minute = now_ns // MINUTE_NS
        if minute != self._minute:
            self._minute, self._said, self._lost = minute, 0, 0
