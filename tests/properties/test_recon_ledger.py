"""What holds of the ledger whatever is recorded, in whichever order and however often."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recon.core.facts import FillKey
from recon.core.ledger import (
    FORMAT,
    Ledger,
    LedgerError,
    SymbolBook,
    decode_account,
    decode_book,
    encode_account,
    encode_book,
    restore,
)
from tests.properties.recon_strategies import (
    LAG_NS,
    SECOND_NS,
    SIDES,
    START_NS,
    fills,
    orderings,
    words,
)

type Fill = tuple[FillKey, int]

LEGS = ["BOTH", "LONG", "SHORT"]
BYTES_BESIDE_AT_MOST = 60
"""Of a record without a fill ahead, and of the first of them."""

BYTES_PER_FILL_AT_MOST = 14
"""Ten where orders are few and near to each other, as measured."""


def kept(book: SymbolBook) -> tuple[object, ...]:
    """All that a record consists of."""
    passing = ("is_dirty", "queued")
    return tuple(getattr(book, name) for name in book.__slots__ if name not in passing)


def reloaded(ledger: Ledger) -> Ledger:
    """A ledger after it was written and read, as the store does it."""
    found, symbols = decode_account(encode_account(ledger))
    restore(found, [(s, decode_book(s, encode_book(ledger.book(s)))) for s in symbols])
    return found


@st.composite
def books(draw: st.DrawFn) -> SymbolBook:
    """Any record, be it one that nobody would come to."""
    book = SymbolBook(draw(st.integers(0, 2**62)))
    for key, sequence in draw(fills()):
        book.record(key, sequence)
        if draw(st.booleans()):
            book.mark_purged(key)
    cursor = draw(st.none() | st.integers(0, 60) | st.integers(0, 2**62))
    if cursor is not None:
        book.advance(cursor)
    for leg in draw(st.sets(st.sampled_from(LEGS) | words)):
        book.postpone(leg)
    for leg in draw(st.sets(st.sampled_from(LEGS) | words)):
        book.settle(leg, 1)
    for leg in draw(st.sets(st.sampled_from(LEGS))):
        book.filter_out(leg, draw(st.decimals(-(10**9), 10**9, places=8)))
    return book


# -- what is known ------------------------------------------------------------------------


@given(fills(), st.data())
def test_what_was_recorded_is_known_and_nothing_else_whatever_happens(
    drawn: list[Fill], data: st.DataObject
) -> None:
    """A complete read moves the cursor no further than to the first fill that is not applied."""
    ledger, applied, purged = Ledger(), dict[FillKey, int](), set[FillKey]()
    steps = ["record", "advance", "forget", "purge", "reload", "another symbol"]
    for step in data.draw(st.lists(st.sampled_from(steps), max_size=25)):
        book = ledger.book("BTCUSDT")
        match step:
            case "record" if drawn:
                key, sequence = data.draw(st.sampled_from(drawn))
                assert book.record(key, sequence) is (key not in applied)
                applied[key] = sequence
            case "advance":
                lacking = [sequence for key, sequence in drawn if key not in applied]
                book.advance(data.draw(st.integers(0, min(lacking, default=2**62))))
            case "forget" if book.ahead:
                key = data.draw(st.sampled_from(list(book.ahead)))
                book.forget(key)
                del applied[key]
                purged.discard(key)
            case "purge" if drawn:
                key, _ = data.draw(st.sampled_from(drawn))
                book.mark_purged(key)
                purged |= {key} & book.ahead.keys()
            case "reload":
                ledger = reloaded(ledger)
            case "another symbol":
                for key, sequence in drawn:
                    ledger.book("ETHUSDT").record(key._replace(symbol="ETHUSDT"), sequence)
        for key, sequence in drawn:
            assert ledger.has(key, sequence) is (key in applied)
            assert ledger.has(key._replace(symbol="XRPUSDT"), sequence) is False
        for key, held in ledger.book("BTCUSDT").ahead.items():
            assert held == (applied[key], key in purged)


@given(fills(), fills(), st.data())
def test_the_order_and_the_number_of_times_change_nothing(
    recorded: list[Fill], others: list[Fill], data: st.DataObject
) -> None:
    lacking = [fill for fill in others if fill[0] not in dict(recorded)]
    furthest = min((sequence for _, sequence in lacking), default=2**62)
    cursors = data.draw(st.lists(st.integers(0, furthest), max_size=4))
    steps: list[Fill | int] = [*recorded, *cursors]
    once, again = SymbolBook(0), SymbolBook(0)
    for book, ordered in ((once, steps), (again, data.draw(orderings(steps)))):
        for step in ordered:
            if isinstance(step, int):
                book.advance(step)
            else:
                book.record(*step)

    assert kept(once) == kept(again)
    assert all(once.has(*fill) for fill in recorded)
    assert not any(once.has(*fill) for fill in lacking)


@given(fills(), fills(), st.data())
def test_no_advance_forgets_what_was_recorded(
    recorded: list[Fill], later: list[Fill], data: st.DataObject
) -> None:
    """Not even one that a complete read would not allow: it only knows too much."""
    book = SymbolBook(0)
    for fill in recorded:
        book.record(*fill)
    known: list[Fill] = list(recorded)
    for fill in later:
        book.advance(data.draw(st.integers(0, 2**62)))
        book.record(*fill)
        known.append(fill)
        assert all(book.has(*one) for one in known)


@given(st.lists(st.integers(0, 100), max_size=10))
def test_a_cursor_only_moves_forward(cursors: list[int]) -> None:
    book = SymbolBook(0)
    for n, cursor in enumerate(cursors, start=1):
        book.advance(cursor)
        assert book.cursor == max(cursors[:n])


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60), st.booleans()), max_size=12),
    st.lists(st.integers(0, 200), max_size=5),
)
def test_a_trade_that_appears_late_is_lacking_until_it_is_applied(
    made: list[tuple[int, int, bool]], asked: list[int]
) -> None:
    """Reads advance past trades that are older than the bound, and to nothing younger."""
    trades: list[tuple[FillKey, int, int, int]] = []
    now = 0
    for n, (pause, delay, is_buy) in enumerate(made):
        now += pause
        key = FillKey("BTCUSDT", str(n // 3), str(100 + n), SIDES[not is_buy])
        trades.append((key, 100 + n, now, now + delay))
    book, applied = SymbolBook(0), set[FillKey]()
    for asked_secs in sorted(asked):
        calm_secs = asked_secs - LAG_NS // SECOND_NS
        shown = [trade for trade in trades if trade[2] <= asked_secs and trade[3] <= asked_secs]
        for key, sequence, _, _ in shown:
            if not book.has(key, sequence):
                assert key not in applied
                book.record(key, sequence)
                applied.add(key)
        old = [sequence for _, sequence, time_secs, _ in shown if time_secs <= calm_secs]
        if old:
            book.advance(max(old) + 1)
        for key, sequence, _, _ in trades:
            assert book.has(key, sequence) is (key in applied)


@given(st.lists(st.tuples(st.sampled_from(["wait", "advance"]), st.integers(0, 50)), max_size=8))
def test_waiting_moves_the_beginning_forward_until_there_is_a_cursor(
    steps: list[tuple[str, int]],
) -> None:
    book, expected = SymbolBook(10), 10
    for step, value in steps:
        if step == "wait":
            if book.cursor is None:
                expected = max(expected, value)
            book.wait(value)
        else:
            book.advance(value)
        assert book.since_ns == expected


@given(st.lists(st.integers(0, 50), max_size=6))
def test_a_record_begins_where_it_was_first_read(origins: list[int]) -> None:
    """An origin of 0 is none yet."""
    book = SymbolBook(0)
    for n, origin in enumerate(origins, start=1):
        book.begin(origin)
        first = next((one for one in origins[:n] if one), 0)
        assert (book.origin_ns, book.since_ns) == (first, first)


@given(st.lists(st.tuples(st.sampled_from(LEGS), st.integers(0, 9)), max_size=8))
def test_a_leg_is_settled_when_it_was_settled_last(settled: list[tuple[str, int]]) -> None:
    book, expected = SymbolBook(0), dict[str, int]()
    for leg in LEGS:
        book.postpone(leg)
    for leg, at_ns in settled:
        book.settle(leg, at_ns)
        expected[leg] = max(expected.get(leg, 0), at_ns)
        assert book.settled == expected
        assert book.pending == set(LEGS) - expected.keys()


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=6))
def test_an_account_is_written_when_more_of_it_is_complete(
    completed: list[tuple[int, int]],
) -> None:
    ledger = Ledger()
    for began, until in completed:
        before = encode_account(ledger)
        ledger.is_dirty = False
        ledger.complete(began, until)
        assert ledger.is_dirty is (encode_account(ledger) != before)
        before = encode_account(ledger)
        ledger.is_dirty = False
        ledger.book(f"{began}USDT")
        assert ledger.is_dirty is (encode_account(ledger) != before)
    assert ledger.first_contact_ns == next((began for began, _ in completed), 0)
    assert ledger.complete_until_ns == max((until for _, until in completed), default=0)


# -- how it is kept -----------------------------------------------------------------------


@given(books())
def test_a_record_comes_back_as_it_was(book: SymbolBook) -> None:
    payload = encode_book(book)
    found = decode_book("BTCUSDT", payload)

    assert kept(found) == kept(book)
    assert encode_book(found) == payload
    assert found.is_dirty is False
    assert found.queued == {}
    # Each is told by how far it is from the one before.
    placed = [sequence for sequence, _ in found.ahead.values()]
    assert placed == sorted(placed)


@given(st.integers(0, 2**62), st.integers(0, 2**62), st.lists(words, unique=True))
def test_an_account_comes_back_as_it_was(began: int, until: int, symbols: list[str]) -> None:
    ledger = Ledger()
    assert ledger.is_dirty is True
    ledger.complete(began, until)
    for symbol in symbols:
        ledger.book(symbol)
    found, named = decode_account(encode_account(ledger))

    assert (found.first_contact_ns, found.complete_until_ns) == (began, until)
    assert named == symbols
    assert found.is_dirty is False


@given(books(), st.data())
def test_whatever_changes_a_record_marks_it_to_be_written(
    book: SymbolBook, data: st.DataObject
) -> None:
    book = decode_book("BTCUSDT", encode_book(book))
    before = kept(decode_book("BTCUSDT", encode_book(book)))
    keys = list(book.ahead) or [FillKey("BTCUSDT", "1", "1", "BUY")]
    key = data.draw(st.sampled_from(keys))
    steps = ["record", "forget", "purge", "advance", "wait", "settle"]
    steps += ["postpone", "reopen", "filter"]
    match data.draw(st.sampled_from(steps)):
        case "record":
            book.record(FillKey("BTCUSDT", "1", "x", "BUY"), data.draw(st.integers(0, 50)))
        case "forget":
            book.forget(key)
        case "purge" if book.ahead:
            book.mark_purged(key)
        case "advance":
            book.advance(data.draw(st.just(book.cursor or 0) | st.integers(0, 100)))
        case "wait":
            book.wait(data.draw(st.just(book.since_ns) | st.integers(0, 2**62)))
        case "settle":
            legs = list(book.settled) or LEGS
            book.settle(data.draw(st.sampled_from(legs)), data.draw(st.integers(0, 3)))
        case "reopen":
            book.reopen(data.draw(st.sampled_from(LEGS)))
        case "postpone":
            book.postpone(data.draw(st.sampled_from(LEGS)))
        case "filter":
            book.filter_out("BOTH", data.draw(st.sampled_from([Decimal(1), Decimal("-0.5")])))

    assert book.is_dirty is (kept(book) != before)


@given(books(), fills(max_size=3), st.integers(1, 100), st.sampled_from(LEGS))
def test_what_is_told_twice_is_no_news(
    book: SymbolBook, drawn: list[Fill], number: int, leg: str
) -> None:
    steps: list[Callable[[], object]] = [
        lambda: book.begin(number),
        lambda: book.wait(number),
        lambda: book.advance(number),
        lambda: book.postpone(leg),
        lambda: book.settle(leg, number),
    ]
    for fill in drawn:
        steps += [
            partial(book.record, *fill),
            partial(book.mark_purged, fill[0]),
            partial(book.forget, fill[0]),
        ]
    for step in steps:
        step()
        before, book.is_dirty = kept(decode_book("BTCUSDT", encode_book(book))), False
        step()
        assert kept(book) == before
        assert book.is_dirty is False


@settings(max_examples=60)
@given(
    st.integers(5_000_000_000, 9_000_000_000),
    st.integers(250_000_000_000, 900_000_000_000),
    st.lists(
        st.tuples(
            st.integers(1, 100_000),
            st.integers(-10_000_000, 100_000_000),
            st.sampled_from(SIDES),
            st.booleans(),
        ),
        max_size=200,
    ),
    st.booleans(),
)
def test_a_record_grows_by_few_bytes_for_each_fill_ahead_and_by_nothing_else(
    trade_id: int,
    order_id: int,
    drawn: list[tuple[int, int, str, bool]],
    has_cursor: bool,
) -> None:
    """Ids as Binance gives them: of trades ascending, of orders near to each other."""
    book = SymbolBook(START_NS)
    if has_cursor:
        book.advance(trade_id)
    for step, apart, side, is_purged in drawn:
        trade_id += step
        order_id = max(1, order_id + apart)
        key = FillKey("BTCUSDT", str(order_id), str(trade_id), side)
        book.record(key, trade_id)
        if is_purged:
            book.mark_purged(key)
    for leg in LEGS:
        book.settle(leg, 1)

    size = len(encode_book(book))
    assert size <= BYTES_BESIDE_AT_MOST + BYTES_PER_FILL_AT_MOST * len(drawn)

    book.advance(trade_id + 1)
    assert len(encode_book(book)) <= BYTES_BESIDE_AT_MOST


@given(st.integers(0, 10**18 - 1))
def test_an_id_of_eighteen_digits_is_kept_in_nine_bytes(order_id: int) -> None:
    sizes = []
    for one in ("0", str(order_id)):
        book = SymbolBook(0)
        book.record(FillKey("BTCUSDT", one, "100", "BUY"), 100)
        sizes.append(len(encode_book(book)))

    assert sizes[1] - sizes[0] <= 8


def with_a_field_more(record: bytes, depth: int) -> bytes:
    """A record with a field that it does not know: lists in lists, the last without an end."""
    return bytes([record[0] + 1]) + record[1:] + b"\x91" * depth


payloads = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | words,
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(words, inner, max_size=4),
        max_leaves=25,
    ).map(msgspec.msgpack.encode),
    st.tuples(
        st.sampled_from([encode_account(Ledger()), encode_book(SymbolBook(0))]),
        st.sampled_from([0, 1, 100_000]),
    ).map(lambda record: with_a_field_more(*record)),
)


@given(payloads)
def test_garbage_is_told_as_such(payload: bytes) -> None:
    for decode in (decode_account, lambda payload: decode_book("BTCUSDT", payload)):
        try:
            decode(payload)
        except LedgerError as e:
            assert str(e).startswith("a record of the ledger")  # noqa: PT017 - or none at all


@given(books(), st.data())
def test_a_record_that_is_torn_is_told_as_such(book: SymbolBook, data: st.DataObject) -> None:
    payload = encode_book(book)
    length = data.draw(st.integers(0, len(payload) - 1))
    with pytest.raises(LedgerError):
        decode_book("BTCUSDT", payload[:length])


@given(books(), st.integers(-(2**63), 2**64 - 1))
def test_another_format_is_refused(book: SymbolBook, number: int) -> None:
    assume(number != FORMAT)

    def decode(payload: bytes) -> SymbolBook:
        return decode_book("BTCUSDT", payload)

    for payload, read in ((encode_account(Ledger()), decode_account), (encode_book(book), decode)):
        _, *rest = msgspec.msgpack.decode(payload)
        with pytest.raises(LedgerError, match=f"format {number};"):
            read(msgspec.msgpack.encode([number, *rest]))
