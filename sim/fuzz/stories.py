"""Hypothesis strategies of whole stories, valid by construction and biased towards trouble."""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec
from hypothesis import strategies as st
from msgspec import NODEFAULT

from sim.fuzz.accounts import Accounts
from sim.fuzz.features import FOLLOWED_BY, swarms, words_of
from sim.fuzz.orders import Orders
from sim.fuzz.processes import SETTLED_NS, Processes
from sim.fuzz.setting import price_of, settings
from sim.fuzz.values import (
    GAPS_NS,
    LONG_NS,
    SECOND_NS,
    SOON_NS,
    alternatives,
    of_type,
)
from sim.scenario import actions as a
from sim.scenario import model as m
from sim.scenario import values as v
from sim.scenario.checks.timeline import TimelineCheck
from sim.scenario.words import Word, words

READ_LAG_NS = 45 * SECOND_NS
"""How far reads are behind at the most; `recon` is told 60 s, counted from what it asks."""

RECORDS_AT_MOST = 16

BEGINNINGS: tuple[tuple[str, ...], ...] = (
    ("submit", "fill"),
    ("submit", "fill", "submit"),
    ("web_submit", "fill"),
    ("submit",),
    (),
)
"""How stories begin: most with something to be judged."""

APPROACHES: tuple[tuple[str, ...], ...] = (
    ("submit", "submit", "cancel_batch"),
    ("margin_type", "submit", "fill", "add_margin"),
    ("stop", "position_mode", "start", "submit"),
    ("multi_assets", "submit", "fill"),
    ("reorder_events", "submit", "fill", "cancel"),
)
"""What may come before that, with nothing in between: ways to words, or to what
comes of them, that chance seldom finds."""

SELDOM = st.sampled_from((False, False, False, True))
"""Whether a field is given that could be left out: each that is makes a fault rarer."""

_OFTEN = st.sampled_from((True, True, True, False))

BOUNDED: tuple[type[a.Action], ...] = (a.HideTrades, a.OmitRows)
"""Faults of rows that are missing, for as long as reads may be behind and no longer."""


LASTING = (
    a.ReadFault, a.RequestFault, a.SkewClock, a.Throttle, a.DelayOrders, a.ReorderEvents,
)  # fmt: skip
"""Faults that have to last: nodes ask seldom, and of an order little happens at once."""


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
    """Stories of one node or two, on an account each.

    Parameters
    ----------
    features
        The sets of features (`sim.fuzz.features`) of which each story has one; swarms when
        left out.
    records_at_most
        How many words are drawn at most; what cannot happen is passed over.
    """
    on = draw(swarms() if features is None else features)
    teller = Teller(draw, draw(settings(on)), on)
    may = words_of(on)
    told = st.lists(st.sampled_from(may), min_size=6, max_size=records_at_most)
    approaches = (words for words in APPROACHES if {*words} <= {*may})
    for word in draw(st.sampled_from(((), *approaches))):
        teller.tell(word)
    beginning = draw(st.sampled_from(BEGINNINGS))
    for word in (*beginning, *draw(told)):
        if not teller.tell(word):
            continue
        next_ = [each for each in FOLLOWED_BY.get(word, ()) if each in may]
        is_followed: bool = draw(_OFTEN)
        if next_ and is_followed:
            # One or the other: not everything can happen at any time.
            any(teller.tell(each, SOON_NS) for each in draw(st.permutations(next_)))
    # A node that stays down is not judged by what it holds.
    while teller.tell("start"):
        pass
    return teller.story()


class Teller:
    """Draws records one after the other, each possible after those before it.

    It goes on after ``records``, if there are any.
    """

    def __init__(
        self,
        draw: st.DrawFn,
        setting: m.Scenario,
        features: frozenset[str],
        records: tuple[m.Record, ...] = (),
    ) -> None:
        self._draw = draw
        self._setting = setting
        self._accounts = Accounts(draw, setting, features)
        self._processes = Processes(draw, setting, features)
        self._orders = Orders(draw, setting, features, self._accounts)
        self._bounded = BOUNDED
        if any(node.broker is not None for node in setting.each_node.values()):
            # A broker's client takes the page that it is given for the whole of the history.
            self._bounded += (a.ShortenPages,)
        self._parts = (self._accounts, self._processes, self._orders)
        # What happens before the first node runs happens to no one but the venue.
        self._at_ns = 0 if "late-start" in features else SETTLED_NS
        self.records: list[m.Record] = []
        for record in records:
            self._add(record)

    def story(self) -> m.Scenario:
        """Return the scenario with all records so far."""
        return msgspec.structs.replace(self._setting, timeline=tuple(self.records))

    def tell(self, word: str, gaps_ns: tuple[int, ...] = GAPS_NS) -> bool:
        """Add a record of that word, unless it cannot happen now; say whether it can."""
        at_ns = self._at_ns + self._draw(st.sampled_from(gaps_ns))
        for part in self._parts:
            part.now_ns = at_ns
        known = [method for part in self._parts if (method := getattr(part, word, None))]
        action = known[0]() if known else self._any(a.ACTIONS[word])
        if action is None or not self._suits(action) or not self._is_valid(action, at_ns):
            return False
        self._add(m.Record(at_ns=at_ns, action=action))
        return True

    def _add(self, record: m.Record) -> None:
        self._at_ns = record.at_ns
        self.records.append(record)
        for part in self._parts:
            part.now_ns = record.at_ns
            part.note(record.action)

    def _suits(self, action: a.Action) -> bool:
        """Whether the node that acts is up, or down where it is to start."""
        is_down = self._processes.is_down
        match action:
            case a.OwnOrderAction(order=order) | a.CancelBatch(orders=(order, *_)):
                return not is_down(self._orders.node_of(order))
            case a.Submit(node=node) | a.CancelAll(node=node) | a.NodeAction(node=node):
                return is_down(node) == isinstance(action, a.Start)
            case a.StreamFault():
                return not self._processes.all_down
            case a.SetPositionMode():
                # A node that runs goes on in the mode that it knows, or was about to be told.
                return self._processes.all_off
        return True

    def _is_valid(self, action: a.Action, at_ns: int) -> bool:
        records = (*self.records, m.Record(at_ns=at_ns, action=action))
        story = msgspec.structs.replace(self._setting, timeline=records)
        try:
            TimelineCheck(story, _refuse).check()
        except Refused:
            return False
        return True

    def _any(self, kind: type[a.Action]) -> a.Action:
        """An action with whatever its fields may hold."""
        given = {w.field: self._value(w) for w in words(kind) if self._is_given(w)}
        # Reads that are further behind than the bound that `recon` is told are out of contract.
        if issubclass(kind, a.LagReads | a.FlapReads):
            given["by_ns"] = min(given["by_ns"], READ_LAG_NS)
            given["for_ns"] = self._draw(st.sampled_from(LONG_NS))
        elif issubclass(kind, self._bounded):
            given["for_ns"] = min(given["for_ns"], READ_LAG_NS)
            if kind is a.OmitRows:
                # What lacks an old row is not behind: only new ones are missing.
                given |= {"since_ns": self._accounts.now_ns, "until_ns": None}
        elif issubclass(kind, LASTING) and "for_ns" in given:
            given["for_ns"] = self._draw(st.sampled_from(LONG_NS))
        if kind is a.FailRequest and given.get("applied", "never") != "never":
            # A refusal says that nothing was done; only a failure leaves it open.
            status = self._draw(st.sampled_from((500, 502, 503)))
            given |= {"status": status, "code": None, "error": None}
        if issubclass(kind, a.AccountAction):
            given["account"] = self._draw(st.sampled_from(self._accounts.names))
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
            return st.sampled_from(self._orders.names or ("O-1",))
        if kind == v.Symbol:
            return st.just(self._setting.venue.symbols[0])
        if kind == v.Price:
            symbol = self._setting.venue.symbols[0]
            factors = st.sampled_from(("0.6", "0.8", "1", "1.01", "1.2"))
            return factors.map(lambda factor: price_of(symbol, self._setting, factor))
        if kind == v.EventType:
            return st.sampled_from(("ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"))
        if kind == v.PositionSide:
            return st.sampled_from(("LONG", "SHORT", "BOTH"))
        if kind == v.AccountName:
            return st.sampled_from(self._accounts.names)
        return of_type(kind)
