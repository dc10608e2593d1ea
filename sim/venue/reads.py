"""What stands between the truth and the answers that show it.

Rules:

* A read is the truth as it stood at ``now - lag``; of lags at work on it the longest counts.
  Each read model has its own, so that answers of one moment may show several instants; one
  answer shows one instant of each model that it needs.  Commands always meet the truth.
* Replicas may be behind a little in every answer, as Binance's are said to be; a venue has
  that or not.
* A replica that flaps is behind in some answers and not in others, by its own seed.
* Rows may be missing: from an answer, not from the truth.  What is missing takes no room on
  a page.
* A page may be shorter than its limit although there is more, and it may begin with the row
  that ended the page before.
* Each of these is an object that is begun and ended.  It is told of each answer that it
  changed or, for a lag, that was made in it; once for each answer.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import msgspec

MODELS = (
    "openOrders",
    "order",
    "allOrders",
    "openAlgoOrders",
    "algoOrder",
    "allAlgoOrders",
    "userTrades",
    "positionRisk",
    "account",
    "income",
)

# How far replicas are behind where a venue's are: 20 ms in the middle, one answer in a thousand
# by two seconds.
_USUAL_MU = math.log(20_000_000)
_USUAL_SIGMA = 1.5
_USUAL_MOST_NS = 2_000_000_000
_SEED = 11

type Acted = Callable[[str], None]
"""Is called with the model of an answer."""


class Distorted(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Something between the truth and the answers of some models, of all symbols or of one, to
    all accounts or to one."""

    models: tuple[str, ...]
    acted: Acted
    symbol: str | None = None
    account: str | None = None

    def is_about(self, model: str, symbol: str | None) -> bool:
        """Whether it has to do with a read of a symbol, or of none in particular."""
        return model in self.models and self.symbol in (None, symbol)


class Lag(Distorted, frozen=True, eq=False, kw_only=True):
    """Answers show the state of ``by_ns`` ago; where it flaps, those that ``is_stale`` picks."""

    by_ns: int
    is_stale: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        if self.by_ns < 0:
            raise ValueError(f"a read cannot run ahead: by_ns is {self.by_ns}")


class Row(msgspec.Struct, frozen=True):
    """What a row of an answer is about; None where that does not apply."""

    symbol: str | None = None
    client_order_id: str | None = None
    position_side: str | None = None
    asset: str | None = None
    made_ns: int | None = None


class Omission(Distorted, frozen=True, eq=False, kw_only=True):
    """Answers lack the rows that are all of what is given here; of nothing given, all rows.

    ``from_ns`` and ``to_ns`` are when a row was made, the first included.
    """

    client_order_id: str | None = None
    position_side: str | None = None
    asset: str | None = None
    from_ns: int | None = None
    to_ns: int | None = None

    def hides(self, row: Row) -> bool:
        """Whether a row is missing."""
        return (
            self.symbol in (None, row.symbol)
            and self.client_order_id in (None, row.client_order_id)
            and self.position_side in (None, row.position_side)
            and self.asset in (None, row.asset)
            and self._is_of_then(row.made_ns)
        )

    def _is_of_then(self, made_ns: int | None) -> bool:
        if made_ns is None:
            return self.from_ns is None and self.to_ns is None
        return (self.from_ns is None or made_ns >= self.from_ns) and (
            self.to_ns is None or made_ns < self.to_ns
        )


class ShortPages(Distorted, frozen=True, eq=False, kw_only=True):
    """Pages have at most ``rows`` rows, whatever limit was asked for."""

    rows: int


class RepeatedRows(Distorted, frozen=True, eq=False, kw_only=True):
    """A page that begins somewhere begins with the row before."""


class Reads:
    """All that stands between the truth and the answers; nothing at first."""

    def __init__(self, *, are_behind: bool = False) -> None:
        self._at_work: list[Distorted] = []
        self._rng = random.Random(_SEED) if are_behind else None  # noqa: S311 - reproducible
        self._usual_ns: dict[str, int] = {}
        # Of the answer that is being made: for whom, which lags show the past, what was told.
        self._account: str | None = None
        self._stale: dict[Lag, bool] = {}
        self._told: list[tuple[Distorted, str]] = []

    def begin(self, distorted: Distorted) -> None:
        """Let it be at work until `end`.  Raises ValueError for an unknown model."""
        for model in distorted.models:
            if model not in MODELS:
                raise ValueError(f"unknown read model {model!r}; known are {', '.join(MODELS)}")
        self._at_work.append(distorted)

    def end(self, distorted: Distorted) -> None:
        self._at_work.remove(distorted)

    @property
    def lagging(self) -> bool:
        """Whether anything is at work that will end."""
        return bool(self._at_work)

    @property
    def show_the_present(self) -> bool:
        """Whether answers are the truth of the moment."""
        return not self._at_work and self._rng is None

    def next_answer(self, account: str | None) -> None:
        """Begin an answer to an account, or to anybody: replicas that flap may be others now."""
        self._account = account
        self._usual_ns.clear()
        self._stale.clear()
        self._told.clear()

    def _here(self) -> list[Distorted]:
        """Return what is at work between the truth and this answer."""
        return [each for each in self._at_work if each.account in (None, self._account)]

    def lag_ns(self, model: str, symbol: str | None = None) -> int:
        """Return how old what a read of that model and symbol shows in this answer."""
        longest_ns = 0 if self._rng is None else self._usual_lag_ns(model, self._rng)
        for lag in self._here():
            if isinstance(lag, Lag) and lag.is_about(model, symbol):
                if lag.is_stale is not None and not self._is_stale(lag, lag.is_stale):
                    continue
                longest_ns = max(longest_ns, lag.by_ns)
                self._tell(lag, model)
        return longest_ns

    def _usual_lag_ns(self, model: str, rng: random.Random) -> int:
        found = self._usual_ns.get(model)
        if found is None:
            found = min(int(rng.lognormvariate(_USUAL_MU, _USUAL_SIGMA)), _USUAL_MOST_NS)
            self._usual_ns[model] = found
        return found

    def _is_stale(self, lag: Lag, draw: Callable[[], bool]) -> bool:
        found = self._stale.get(lag)
        if found is None:
            found = self._stale[lag] = draw()
        return found

    def _tell(self, distorted: Distorted, model: str) -> None:
        if (distorted, model) not in self._told:
            self._told.append((distorted, model))
            distorted.acted(model)

    def visible[T](self, model: str, rows: list[T], about: Callable[[T], Row]) -> list[T]:
        """Return the rows of an answer that are not missing."""
        for omission in self._here():
            if not (isinstance(omission, Omission) and model in omission.models):
                continue
            shown = [row for row in rows if not omission.hides(about(row))]
            if len(shown) < len(rows):
                self._tell(omission, model)
            rows = shown
        return rows

    def page_limit(self, model: str, symbol: str | None, limit: int, there_are: int) -> int:
        """Return how many rows a page has at most that could have ``there_are``."""
        for short in self._here():
            if not isinstance(short, ShortPages) or not short.is_about(model, symbol):
                continue
            if short.rows < min(limit, there_are):
                self._tell(short, model)
                limit = short.rows
        return limit

    def repeated[T](self, model: str, symbol: str | None, before: T | None) -> list[T]:
        """Return with what a page begins: with the row before, or at once."""
        for repeated in self._here():
            is_one = isinstance(repeated, RepeatedRows) and repeated.is_about(model, symbol)
            if is_one and before is not None:
                self._tell(repeated, model)
                return [before]
        return []
