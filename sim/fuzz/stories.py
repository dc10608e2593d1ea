"""Hypothesis strategies of whole stories, valid by construction and biased towards trouble."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NoReturn

import msgspec
from hypothesis import strategies as st
from msgspec import NODEFAULT

from sim.fuzz.features import swarms, words_of
from sim.fuzz.values import GAPS_NS, MINUTE_NS, MS_NS, SECOND_NS, alternatives, of_type
from sim.scenario import actions as a
from sim.scenario import model as m
from sim.scenario import values as v
from sim.scenario.checks.timeline import TimelineCheck
from sim.scenario.words import Word, words

SYMBOL = "SOLUSDT"
UNIT = Decimal("0.1")
"""The smallest fill; the others are it times a power of two."""

FILLS_AT_MOST = 14
"""More would need more than the symbol's largest order."""

FIRST_NS = 2 * SECOND_NS
"""When strategies run, with some time to spare."""

ON_THE_WAY_NS = 60 * MS_NS
"""How long a request takes to the venue, and then some."""

READ_LAG_NS = 45 * SECOND_NS
"""How far reads are behind at the most; `recon` is told 60 s, counted from what it asks."""

RECORDS_AT_MOST = 16

BEGINNINGS: tuple[tuple[str, ...], ...] = (
    (),
    ("submit",),
    ("submit", "fill"),
    ("submit", "fill", "submit"),
    ("web_submit", "fill"),
)
"""How stories begin: most with something to be judged."""

SELDOM = st.sampled_from((False, False, False, True))
"""Whether a field is given that could be left out: each that is makes a fault rarer."""

CONDITIONAL = ("STOP_MARKET", "STOP", "TAKE_PROFIT_MARKET", "TAKE_PROFIT")


class Refused(Exception):
    """The format has no such record at that place."""


def _refuse(path: Any, message: str, hint: str = "") -> NoReturn:
    raise Refused(message)


@st.composite
def scenarios(
    draw: st.DrawFn,
    features: st.SearchStrategy[frozenset[str]] | None = None,
    records_at_most: int = RECORDS_AT_MOST,
) -> m.Scenario:
    """Stories of one node on one account.

    Parameters
    ----------
    features
        The sets of features (`sim.fuzz.features`) of which each story has one; swarms when
        left out.
    records_at_most
        How many words are drawn at most; what cannot happen is passed over.
    """
    on = draw(swarms() if features is None else features)
    modes: tuple[v.PositionMode, ...] = ("one-way", "one-way", "hedge")
    mode = draw(st.sampled_from(modes))
    claimed: dict[str, tuple[str, ...]] = {"S-001": (f"{SYMBOL}-PERP.BINANCE",)}
    claims = draw(st.sampled_from((claimed, {})))
    bare = m.Scenario(
        title="Found by fuzzing",
        shows="fill-lost",
        seed=draw(st.integers(0, 999)),
        venue=m.Venue(
            position_mode=mode, symbols=(SYMBOL,), balances={"USDT": Decimal(100_000_000)}
        ),
        node=m.Node(
            claims=claims,
            strategies=("S-001",),
            reconciliation_interval_secs=draw(st.sampled_from((60.0, 30.0))),
            reconciliation_lookback_mins=None,
        ),
        timeline=(),
    )
    teller = _Teller(draw, bare, on)
    told = st.lists(st.sampled_from(words_of(on)), min_size=6, max_size=records_at_most)
    for word in (*draw(st.sampled_from(BEGINNINGS)), *draw(told)):
        teller.tell(word)
    return msgspec.structs.replace(bare, timeline=tuple(teller.records))


class _Order:
    """An order as far as the teller knows of it: the sizes that are still to be filled."""

    def __init__(self, action: a.Order, sizes: list[Decimal], here_ns: int) -> None:
        self.action = action
        self.sizes = sizes
        self.waits = action.is_conditional
        self.here_ns = here_ns
        """When it has reached the venue, if nothing holds it up."""


class _Teller:
    """Draws records one after the other, each possible after those before it."""

    def __init__(self, draw: st.DrawFn, bare: m.Scenario, features: frozenset[str]) -> None:
        self._draw = draw
        self._bare = bare
        self._features = features
        self._is_hedged = bare.venue.position_mode == "hedge"
        self._orders: dict[str, _Order] = {}
        self._sizes_of: dict[str, list[Decimal]] = {}
        self._power = 0
        self._at_ns = self._now_ns = FIRST_NS
        self._is_up = True
        self._back_at_ns = 0
        self.records: list[m.Record] = []

    def tell(self, word: str) -> None:
        """Add a record of that word, unless it cannot happen now."""
        at_ns = self._now_ns = self._at_ns + self._draw(st.sampled_from(GAPS_NS))
        kind = a.ACTIONS[word]
        is_down = not self._is_up or at_ns < self._back_at_ns
        if issubclass(kind, a.StrategyAction | a.NodeAction) and is_down != (kind is a.Start):
            return
        known = getattr(self, f"_{word}", None)
        action = self._any(kind) if known is None else known()
        if action is None or not self._is_possible(action, at_ns):
            return
        match action:
            case a.Order():
                self._at_ns = at_ns
                self._orders[action.id] = self._sent(action)
            case a.Stop() | a.Kill():
                self._is_up = False
            case a.Start():
                self._is_up, self._back_at_ns = True, at_ns + FIRST_NS
            case a.Restart():
                self._back_at_ns = at_ns + action.down_ns + FIRST_NS
        self._at_ns = at_ns
        self.records.append(m.Record(at_ns=at_ns, action=action))

    def _is_possible(self, action: a.Action, at_ns: int) -> bool:
        records = (*self.records, m.Record(at_ns=at_ns, action=action))
        story = msgspec.structs.replace(self._bare, timeline=records)
        try:
            TimelineCheck(story, _refuse).check()
        except Refused:
            return False
        return True

    # -- orders ---------------------------------------------------------------------------

    def _sent(self, action: a.Order) -> _Order:
        sizes = self._sizes_of[action.id]
        # What executes at once leaves nothing to be filled by name.
        is_over = action.type == "MARKET"
        return _Order(action, [] if is_over else sizes, self._at_ns + ON_THE_WAY_NS)

    def _terms(self) -> dict[str, Any] | None:
        draw, number = self._draw, len(self._orders) + 1
        parts = draw(st.integers(1, 3))
        if self._power + parts > FILLS_AT_MOST:
            return None
        sizes = [UNIT * 2 ** (self._power + n) for n in range(parts)]
        self._power += parts
        waiting = CONDITIONAL if "conditional" in self._features else ()
        kind = draw(st.sampled_from(("LIMIT", "LIMIT", "MARKET", *waiting)))
        side = draw(st.sampled_from(("BUY", "SELL")))
        terms: dict[str, Any] = {
            "id": f"O-{number}",
            "side": side,
            "quantity": sum(sizes, Decimal(0)),
            "type": kind,
            "symbol": SYMBOL,
        }
        if kind in ("LIMIT", "STOP"):
            terms["price"] = Decimal(150)
        if kind in CONDITIONAL:
            # Far from the price on the side on which it waits.
            is_above = (side == "BUY") == kind.startswith("STOP")
            terms["trigger"] = Decimal(170 if is_above else 130)
        if self._is_hedged:
            terms["position_side"] = draw(st.sampled_from(("LONG", "SHORT")))
        self._sizes_of[terms["id"]] = sizes
        return terms

    def _submit(self) -> a.Action | None:
        terms = self._terms()
        return None if terms is None else a.Submit(**terms, strategy="S-001")

    def _web_submit(self) -> a.Action | None:
        terms = self._terms()
        return None if terms is None else a.WebSubmit(**terms)

    def _fill(self) -> a.Action | None:
        open_ = [
            name
            for name, order in self._orders.items()
            if order.sizes and not order.waits and order.here_ns <= self._now_ns
        ]
        if not open_:
            return None
        name = self._draw(st.sampled_from(open_))
        return a.Fill(order=name, quantity=self._orders[name].sizes.pop(0))

    def _trigger(self) -> a.Action | None:
        waiting = [name for name, order in self._orders.items() if order.waits]
        if not waiting:
            return None
        name = self._draw(st.sampled_from(waiting))
        order = self._orders[name]
        order.waits = False
        if not order.action.is_limited:
            order.sizes = []
        return a.Trigger(order=name)

    def _resting(self, kind: type[a.Order]) -> list[str]:
        return [
            name
            for name, order in self._orders.items()
            if isinstance(order.action, kind) and (order.sizes or order.waits)
        ]

    def _ended(self, name: str) -> str:
        order = self._orders[name]
        order.sizes, order.waits = [], False
        return name

    def _cancel(self) -> a.Action | None:
        own = self._resting(a.Submit)
        return a.Cancel(order=self._ended(self._draw(st.sampled_from(own)))) if own else None

    def _web_cancel(self) -> a.Action | None:
        any_ = self._resting(a.Order)
        return a.WebCancel(order=self._ended(self._draw(st.sampled_from(any_)))) if any_ else None

    def _expire(self) -> a.Action | None:
        any_ = [name for name in self._resting(a.Order) if not self._orders[name].waits]
        return a.Expire(order=self._ended(self._draw(st.sampled_from(any_)))) if any_ else None

    def _cancel_all(self) -> a.Action | None:
        own = self._resting(a.Submit)
        for name in own:
            self._ended(name)
        return a.CancelAll(symbol=SYMBOL, strategy="S-001") if own else None

    def _cancel_batch(self) -> a.Action | None:
        own = self._resting(a.Submit)
        if len(own) < 2:
            return None
        return a.CancelBatch(orders=tuple(self._ended(name) for name in own[:2]))

    def _modify(self) -> a.Action | None:
        own = [n for n in self._resting(a.Submit) if self._orders[n].action.type == "LIMIT"]
        if not own:
            return None
        price = self._draw(st.sampled_from((149, 151)))
        return a.Modify(order=self._draw(st.sampled_from(own)), price=Decimal(price))

    def _web_modify(self) -> a.Action | None:
        any_ = [n for n in self._resting(a.WebSubmit) if self._orders[n].action.type == "LIMIT"]
        if not any_:
            return None
        name = self._draw(st.sampled_from(any_))
        return a.WebModify(
            order=name, price=Decimal(149), quantity=self._orders[name].action.quantity
        )

    # -- the process ----------------------------------------------------------------------

    def _comeback(self) -> dict[str, Any]:
        draw = self._draw
        filled = tuple(self._orders)
        torn = ("torn",) if filled else ()
        cache = draw(st.sampled_from(("kept", "kept", "kept", "lost", "stale", *torn)))
        return {
            "cache": cache,
            "lose_ns": draw(st.sampled_from((1, 5, 20))) * SECOND_NS if cache == "stale" else None,
            "order": draw(st.sampled_from(filled)) if cache == "torn" else None,
            "keep": draw(st.integers(1, 9)) if cache == "torn" else None,
        }

    def _start(self) -> a.Action:
        return a.Start(**self._comeback())

    def _restart(self) -> a.Action:
        return a.Restart(
            **self._comeback(),
            by=self._draw(st.sampled_from(("stop", "kill"))),
            down_ns=self._draw(st.sampled_from((0, SECOND_NS, 10 * SECOND_NS, MINUTE_NS))),
        )

    # -- everything else ------------------------------------------------------------------

    def _any(self, kind: type[a.Action]) -> a.Action:
        """An action with whatever its fields may hold."""
        given = {w.field: self._value(w) for w in words(kind) if self._is_given(w)}
        # Reads that are further behind than the bound that `recon` is told are out of contract.
        if issubclass(kind, a.LagReads | a.FlapReads):
            given["by_ns"] = min(given["by_ns"], READ_LAG_NS)
        elif issubclass(kind, a.HideTrades):
            given["for_ns"] = min(given["for_ns"], READ_LAG_NS)
        return kind(**given)

    def _is_given(self, word: Word) -> bool:
        if word.field in ("point", "node", "account", "api_key"):
            return word.default is NODEFAULT
        if word.field in ("for_ns", "by_ns", "price", "slices"):
            return True
        return word.default is NODEFAULT or self._draw(SELDOM)

    def _value(self, word: Word) -> Any:
        return self._draw(st.sampled_from(alternatives(word.type)).flatmap(self._of))

    def _of(self, kind: Any) -> st.SearchStrategy[Any]:
        if kind == v.OrderId:
            return st.sampled_from(tuple(self._orders) or ("O-1",))
        if kind == v.Symbol:
            return st.just(SYMBOL)
        if kind == v.PositionSide:
            return st.sampled_from(("LONG", "SHORT") if self._is_hedged else ("BOTH",))
        if kind == v.AccountName:
            return st.just(self._bare.venue.default_account)
        return of_type(kind)
