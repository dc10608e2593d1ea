"""Every fill exactly once, whatever the stream, the reads, the clock and the crashes do.

A venue whose trades become visible late within a bound, a stream that drops, repeats and
reorders, reads that fail in the middle or are behind, and kills that leave a prefix of what
was written.  What stands between them takes the steps that `recon.nautilus` takes, in the
same order: the gate (has, queue, apply, record), a check (read all pages, apply what is
lacking, advance past what is older than the bound), a question, the load.  What is asked is
asked by a generator, so that anything may happen between a question and its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from recon.core.facts import FillKey
from recon.core.ledger import (
    Ledger,
    decode_account,
    decode_book,
    encode_account,
    encode_book,
    restore,
)
from tests.properties.recon_strategies import SIDES

LAG = 60
"""How long a trade may be invisible, and how far a read may be behind, in all."""

SYMBOLS = ["AUSDT", "BUSDT"]
ORDERS = ["1", "2", "3"]
PAGE = 2
BEGINNING = 1

ACCOUNT = "account"


class Made(NamedTuple):
    """A trade of the venue: when it was made, and from when on it may be seen."""

    key: FillKey
    sequence: int
    at: int
    visible_at: int


class ReadFailed(Exception):
    """A read that was not answered, or not completely."""


type Ask = Callable[[int], list[Made]]
"""A question: given how far the answer is behind, what the venue answers."""

type Task = Generator[Ask, list[Made]]


class State:
    """What a process keeps: the fills of its orders, and what was purged of them."""

    def __init__(self) -> None:
        self.fills: set[FillKey] = set()
        self.purged: set[FillKey] = set()
        self.records: dict[str, bytes] = {}

    @property
    def contained(self) -> set[FillKey]:
        return self.fills | self.purged

    def is_gone(self, key: FillKey) -> bool:
        return (key.symbol, key.order_id) in {(one.symbol, one.order_id) for one in self.purged}

    def write(self, written: tuple[str, object]) -> None:
        match written:
            case ("fill", FillKey() as key):
                self.fills.add(key)
            case ("purge", (symbol, order_id)):
                gone = {k for k in self.fills if (k.symbol, k.order_id) == (symbol, order_id)}
                self.fills -= gone
                self.purged |= gone
            case (name, bytes() as payload):
                self.records[name] = payload
            case _:
                raise AssertionError(written)


class Node:
    """One process: the gate, the ledger, the engine's queue, and what runs at the moment.

    ``log`` is the one ordered store; ``made`` is the venue's truth.
    """

    def __init__(self, made: list[Made], log: list[tuple[str, object]], now: int) -> None:
        self.made = made
        self.log = log
        self.now = now
        self.state = State()
        for written in log:
            self.state.write(written)
        self.ledger = self._loaded()
        for trade in made:
            assert not self.has(trade) or trade.key in self.state.contained
        self._check_ledger()
        # A fill that was written while the ledger's record of it was not.
        self.unrecorded = {t.key for t in made if t.key in self.state.contained and not self.has(t)}
        self.held: list[Made] | None = []
        self.queue: list[Made] = []
        self.touched: set[str] = set()
        self.task: Task | None = None
        self.asked: Ask | None = None
        self.is_checking = False

    # -- the store --------------------------------------------------------------------

    def _loaded(self) -> Ledger:
        records = self.state.records
        if ACCOUNT not in records:
            return Ledger()
        ledger, symbols = decode_account(records[ACCOUNT])
        restore(ledger, [(symbol, decode_book(symbol, records[symbol])) for symbol in symbols])
        return ledger

    def _check_ledger(self) -> None:
        for symbol in self.ledger.symbols:
            book = self.ledger.book(symbol)
            for key in list(book.ahead):
                if key not in self.state.fills and not self.state.is_gone(key):
                    book.forget(key)

    def save(self) -> None:
        """The records of symbols first, and then the account's, which names them."""
        for symbol in self.ledger.symbols:
            book = self.ledger.book(symbol)
            if book.is_dirty:
                self.write((symbol, encode_book(book)))
                book.is_dirty = False
        if self.ledger.is_dirty:
            self.write((ACCOUNT, encode_account(self.ledger)))
            self.ledger.is_dirty = False

    def write(self, written: tuple[str, object]) -> None:
        self.log.append(written)
        self.state.write(written)

    def has(self, trade: Made) -> bool:
        return self.ledger.has(trade.key, trade.sequence)

    # -- the gate and the engine ------------------------------------------------------

    def on_event(self, trade: Made) -> None:
        if self.held is not None:
            self.held.append(trade)
            return
        book = self.ledger.book(trade.key.symbol)
        self.touched.add(trade.key.symbol)
        if self.has(trade) or trade.key in book.queued or self.state.is_gone(trade.key):
            return
        book.queued[trade.key] = None, (trade.sequence, 0, "", False)
        self.queue.append(trade)

    def process(self) -> None:
        """The engine takes the next event from its queue; it drops what an order has."""
        trade = self.queue.pop(0)
        if trade.key in self.state.fills:
            assert trade.key in self.unrecorded, f"{trade} is published twice"
            return
        self.apply(trade)

    def apply(self, trade: Made) -> None:
        assert trade.key not in self.state.contained, f"{trade} is applied twice"
        self.write(("fill", trade.key))
        self.ledger.book(trade.key.symbol).record(trade.key, trade.sequence)

    def drain(self) -> None:
        while self.queue:
            self.process()

    # -- reading ----------------------------------------------------------------------

    def calm(self) -> int:
        """When the youngest trade was made that no read can hide any more."""
        return self.now - LAG

    def shown(self, behind: int) -> list[Made]:
        visible = [t for t in self.made if t.visible_at <= self.now and t.at <= self.now - behind]
        return sorted(visible, key=lambda trade: trade.sequence)

    def check(self, *, is_start: bool) -> Task:
        ledger = self.ledger
        asked = self.now
        since = ledger.complete_until_ns or BEGINNING
        touched, self.touched = self.touched, set()
        try:
            traded = yield lambda behind: [t for t in self.shown(behind) if t.at >= since]
            symbols = {trade.key.symbol for trade in traded} | touched
            if is_start:
                symbols |= {*ledger.symbols}
            for symbol in sorted(symbols):
                yield from self.read(symbol)
        except BaseException:
            self.touched |= touched
            raise
        ledger.complete(asked, asked - LAG)
        self.save()
        if is_start:
            held, self.held = self.held or [], None
            for trade in held:
                self.on_event(trade)

    def read(self, symbol: str) -> Task:
        book = self.ledger.book(symbol)
        calm = self.calm()
        book.begin(self.ledger.complete_until_ns or BEGINNING)
        first, since = book.cursor or 0, 0 if book.cursor is not None else book.since_ns
        cursor, lacking, page = None, list[Made](), [None] * PAGE
        while len(page) >= PAGE:
            page = yield self._page(symbol, first, since)
            if page:
                first = page[-1].sequence + 1
            cursor = max((t.sequence + 1 for t in page if t.at <= calm), default=cursor)
            lacking += self.lacking(page)
        self.drain()
        for trade in self.lacking(lacking):
            self.apply(trade)
        if cursor is not None:
            book.advance(cursor)
        else:
            book.wait(calm)

    def _page(self, symbol: str, first: int, since: int) -> Ask:
        def answer(behind: int) -> list[Made]:
            own = [t for t in self.shown(behind) if t.key.symbol == symbol and t.at >= since]
            found = [trade for trade in own if trade.sequence >= first]
            # A reader shows both sides of a trade, or none.
            last = [trade.sequence for trade in found[:PAGE]][-1:]
            return [trade for trade in found if [trade.sequence] <= last]

        return answer

    def ask(self, symbol: str, order_id: str) -> Task:
        """A question about one order: it moves no cursor."""
        trades = yield lambda behind: [
            t for t in self.shown(behind) if (t.key.symbol, t.key.order_id) == (symbol, order_id)
        ]
        self.drain()
        self.touched.add(symbol)
        for trade in self.lacking(trades):
            self.apply(trade)

    def lacking(self, trades: Iterable[Made]) -> list[Made]:
        found: list[Made] = []
        for trade in trades:
            book = self.ledger.book(trade.key.symbol)
            if self.has(trade):
                continue
            if trade.key in self.state.fills:
                book.record(trade.key, trade.sequence)
                continue
            found.append(trade)
        return found

    # -- one thing at a time ----------------------------------------------------------

    def begin(self, task: Task, *, is_check: bool) -> None:
        self.task = task
        self.is_checking = is_check
        self.asked = next(task)

    def answer(self, behind: int) -> None:
        assert self.task is not None
        assert self.asked is not None
        try:
            self.asked = self.task.send(self.asked(behind))
        except StopIteration:
            self.task = self.asked = None

    def fail(self) -> None:
        """What is asked is not answered: nothing may follow from that."""
        assert self.task is not None
        before = self.known()
        with pytest.raises(ReadFailed):
            self.task.throw(ReadFailed)
        self.task = self.asked = None
        assert self.known() == before

    def known(self) -> tuple[object, ...]:
        books = [self.ledger.book(symbol) for symbol in self.ledger.symbols]
        return (
            len(self.log),
            list(self.queue),
            [(book.cursor, book.since_ns, dict(book.ahead)) for book in books],
            self.ledger.complete_until_ns,
        )


class ExactlyOnce(RuleBasedStateMachine):
    """What may happen, and what holds all the time."""

    node_class: type[Node] = Node

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000
        self.made: list[Made] = []
        self.log: list[tuple[str, object]] = []
        self.stream: list[Made] = []
        self.sequence = 100
        self.closed: set[tuple[str, str]] = set()
        self.start()

    def start(self) -> None:
        self.stream.clear()
        self.node = self.node_class(self.made, self.log, self.now)
        self.node.begin(self.node.check(is_start=True), is_check=True)

    # -- the venue, the clock and the stream --------------------------------------------

    @rule(
        symbol=st.sampled_from(SYMBOLS),
        order_id=st.sampled_from(ORDERS),
        side=st.sampled_from(SIDES),
        delay=st.sampled_from([0, 0, 1, LAG - 1, LAG]) | st.integers(0, LAG),
        copies=st.sampled_from([1, 1, 0, 2]),
        is_self_trade=st.booleans(),
    )
    def trade(
        self,
        symbol: str,
        order_id: str,
        side: str,
        delay: int,
        copies: int,
        is_self_trade: bool,
    ) -> None:
        if (symbol, order_id) in self.closed:
            return
        self.sequence += 1
        sides = SIDES if is_self_trade else (side,)
        for one in sides:
            key = FillKey(symbol, order_id, str(self.sequence), one)
            made = Made(key, self.sequence, self.now, self.now + delay)
            self.made.append(made)
            self.stream += [made] * copies

    @rule(seconds=st.sampled_from([1, LAG, LAG + 1]) | st.integers(1, LAG))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.node.now = self.now

    @precondition(lambda self: self.stream)
    @rule(data=st.data(), is_kept=st.sampled_from([False, False, True]))
    def the_stream_tells(self, data: st.DataObject, is_kept: bool) -> None:
        at = data.draw(st.integers(0, len(self.stream) - 1))
        self.node.on_event(self.stream[at] if is_kept else self.stream.pop(at))

    @precondition(lambda self: self.stream)
    @rule(data=st.data())
    def the_stream_forgets(self, data: st.DataObject) -> None:
        self.stream.pop(data.draw(st.integers(0, len(self.stream) - 1)))

    # -- the node -----------------------------------------------------------------------

    @precondition(lambda self: self.node.queue)
    @rule()
    def the_engine_takes_an_event(self) -> None:
        self.node.process()

    @rule()
    def the_ledger_is_written(self) -> None:
        self.node.save()

    @precondition(lambda self: self.node.task is None)
    @rule()
    def a_check_begins(self) -> None:
        self.node.begin(self.node.check(is_start=self.node.held is not None), is_check=True)

    @precondition(lambda self: self.node.task is None and self.node.held is None)
    @rule(symbol=st.sampled_from(SYMBOLS), order_id=st.sampled_from(ORDERS))
    def an_order_is_asked_for(self, symbol: str, order_id: str) -> None:
        self.node.begin(self.node.ask(symbol, order_id), is_check=False)

    @precondition(lambda self: self.node.task is not None)
    @rule(behind=st.sampled_from([0, 0, 1, LAG]) | st.integers(0, LAG))
    def the_venue_answers(self, behind: int) -> None:
        self.node.answer(behind)

    @precondition(lambda self: self.node.task is not None)
    @rule()
    def the_venue_answers_all(self) -> None:
        while self.node.task is not None:
            self.node.answer(0)

    @precondition(lambda self: self.node.task is not None)
    @rule()
    def a_read_fails(self) -> None:
        self.node.fail()

    @precondition(lambda self: self.node.state.fills)
    @rule(data=st.data())
    def an_old_order_is_purged(self, data: st.DataObject) -> None:
        """Of an order that is done with, long after its last fill was written down."""
        key = data.draw(st.sampled_from(sorted(self.node.state.fills)))
        order = (key.symbol, key.order_id)
        trades = [t for t in self.made if (t.key.symbol, t.key.order_id) == order]
        is_known = all(t.key in self.node.state.fills and self.node.has(t) for t in trades)
        if is_known and all(t.at < self.now - LAG for t in trades):
            self.node.save()
            self.node.write(("purge", order))
            self.closed.add(order)

    @rule(data=st.data(), seconds=st.integers(0, LAG))
    def a_kill_keeps_a_prefix_of_the_writes(self, data: st.DataObject, seconds: int) -> None:
        few = st.integers(max(0, len(self.log) - 4), len(self.log))
        del self.log[data.draw(few | st.integers(0, len(self.log))) :]
        self.now += seconds
        self.start()

    # -- what holds ---------------------------------------------------------------------

    @invariant()
    def the_ledger_never_knows_more_than_the_node(self) -> None:
        for trade in self.made:
            if self.node.has(trade):
                assert trade.key in self.node.state.contained, f"{trade} is known and not applied"

    @invariant()
    def nothing_is_applied_that_was_not_made(self) -> None:
        assert self.node.state.contained <= {trade.key for trade in self.made}

    def teardown(self) -> None:
        """All is healed: one complete check that is older than the bound has every trade."""
        if self.node.task is not None:
            self.the_venue_answers_all()
        self.time_passes(LAG + 1)
        self.a_check_begins()
        self.the_venue_answers_all()
        self.node.drain()
        self.the_ledger_never_knows_more_than_the_node()
        for trade in self.made:
            assert trade.key in self.node.state.contained, f"{trade} is lost"
            assert self.node.has(trade)


ExactlyOnce.TestCase.settings = settings(max_examples=120, stateful_step_count=40)
TestEveryFillExactlyOnce = ExactlyOnce.TestCase


# -- that it would be noticed -----------------------------------------------------------------


class AdvancesPastYoungTrades(Node):
    """Breaks rule 3 of the ledger."""

    def calm(self) -> int:
        return self.now


class RecordsBeforeItApplies(Node):
    """Breaks rule 2 of the ledger, which is the design's 13th."""

    def on_event(self, trade: Made) -> None:
        super().on_event(trade)
        if trade in self.queue:
            self.ledger.book(trade.key.symbol).record(trade.key, trade.sequence)


class TakesAFailedReadForAnEmptyOne(Node):
    def fail(self) -> None:
        assert self.task is not None
        try:
            self.asked = self.task.send([])
        except StopIteration:
            self.task = self.asked = None


class TrustsTheStream(Node):
    """Does not ask the ledger before it applies."""

    def lacking(self, trades: Iterable[Made]) -> list[Made]:
        return [trade for trade in trades if not self.has(trade)]

    def on_event(self, trade: Made) -> None:
        if self.held is not None:
            self.held.append(trade)
        else:
            self.queue.append(trade)


class WritesTheAccountFirst(Node):
    """Names a symbol in the store whose record a kill can still keep from it."""

    def save(self) -> None:
        if self.ledger.is_dirty:
            self.write((ACCOUNT, encode_account(self.ledger)))
            self.ledger.is_dirty = False
        super().save()


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (AdvancesPastYoungTrades, "is known and not applied|is lost"),
        (RecordsBeforeItApplies, "is known and not applied"),
        (TakesAFailedReadForAnEmptyOne, "is known and not applied|is lost"),
        (TrustsTheStream, "is (applied|published) twice"),
        (WritesTheAccountFirst, "USDT"),
    ],
)
def test_a_node_that_breaks_a_rule_is_caught(broken: type[Node], complaint: str) -> None:
    class Broken(ExactlyOnce):
        node_class = broken

    searched = settings(
        max_examples=2_000,
        stateful_step_count=40,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises((AssertionError, KeyError), match=complaint):
        run_state_machine_as_test(Broken, settings=searched)
