"""The ledger's rules, one case each, with what must not hold beside it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from recon.core.facts import FillKey, Leg
from recon.core.ledger import (
    Ledger,
    LedgerError,
    SymbolBook,
    decode_account,
    decode_book,
    encode_account,
    encode_book,
    restore,
)
from recon.core.rank import rank

BUY = FillKey("BTCUSDT", "7", "100", "BUY")
QUEUED = "BOTH", rank(5_000_000, "100", is_maker=False)


def book(*recorded: FillKey, cursor: int | None = None) -> SymbolBook:
    found = SymbolBook(0)
    for key in recorded:
        found.record(key, int(key.trade_id))
    if cursor is not None:
        found.advance(cursor)
    return found


# 1. A fill is applied once.


def test_a_fill_is_known_once_it_is_recorded():
    empty = book()

    assert not empty.has(BUY, 100)
    assert empty.record(BUY, 100)
    assert empty.has(BUY, 100)


def test_to_record_it_again_is_no_news():
    known = decode_book("BTCUSDT", encode_book(book(BUY)))

    assert not known.record(BUY, 100)
    assert not known.is_dirty


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(BUY._replace(side="SELL"), id="the-other-side-of-a-self-trade"),
        pytest.param(BUY._replace(order_id="8"), id="another-order"),
        pytest.param(BUY._replace(trade_id="0100"), id="an-id-that-only-means-the-same-number"),
    ],
)
def test_what_differs_in_its_key_is_another_fill(other: FillKey):
    assert not book(BUY).has(other, 100)


def test_the_same_ids_of_another_symbol_are_another_fill():
    ledger = Ledger()
    ledger.book("BTCUSDT").record(BUY, 100)

    assert ledger.has(BUY, 100)
    assert not ledger.has(BUY._replace(symbol="ETHUSDT"), 100)


def test_what_lies_before_the_cursor_is_known_and_the_cursor_itself_is_not():
    known = book(cursor=100)

    assert known.has(BUY._replace(trade_id="99"), 99)
    assert not known.has(BUY, 100)


# 2. The ledger never knows more than the node.


def test_a_fill_that_is_not_in_the_node_after_all_is_not_known():
    known = book(BUY)
    known.forget(BUY)

    assert not known.has(BUY, 100)
    assert known.record(BUY, 100)


def test_a_fill_that_is_queued_is_not_known():
    known = book()
    known.queued[BUY] = QUEUED

    assert not known.has(BUY, 100)
    known.record(BUY, 100)
    assert known.queued == {}


@pytest.mark.parametrize(
    ("position_side", "at_ns", "trade_id", "is_overtaken"),
    [
        ("BOTH", 4_000_000, "101", True),
        ("BOTH", 5_000_000, "99", True),
        ("BOTH", 5_000_000, "100", False),
        ("BOTH", 6_000_000, "99", False),
        ("LONG", 4_000_000, "99", False),
    ],
)
def test_a_fill_that_is_queued_overtakes_what_its_leg_had_before(
    position_side: str, at_ns: int, trade_id: str, is_overtaken: bool
):
    known = book()
    known.queued[BUY] = QUEUED

    its = rank(at_ns, trade_id, is_maker=False)
    assert known.is_overtaken(position_side, its) == is_overtaken
    known.record(BUY, 100)
    assert not known.is_overtaken(position_side, its)


def test_a_fill_that_is_queued_is_not_kept():
    known = book()
    known.queued[BUY] = QUEUED

    assert decode_book("BTCUSDT", encode_book(known)).queued == {}


def test_a_fill_whose_order_was_purged_stays_known():
    known = book(BUY)
    known.mark_purged(BUY)

    assert known.has(BUY, 100)
    assert decode_book("BTCUSDT", encode_book(known)).ahead == {BUY: (100, True)}


# 3. A cursor only moves forward.


@pytest.mark.parametrize(("asked", "expected"), [(99, 100), (100, 100), (101, 101)])
def test_a_cursor_only_moves_forward(asked: int, expected: int):
    known = book(cursor=100)
    known.advance(asked)

    assert known.cursor == expected


def test_a_trade_that_is_shown_late_is_told_from_those_around_it():
    """100 and 102 were applied; 101 appears when the cursor is still before it."""
    known = book(BUY, BUY._replace(trade_id="102"), cursor=101)

    assert known.has(BUY, 100)
    assert not known.has(BUY._replace(trade_id="101"), 101)
    assert known.has(BUY._replace(trade_id="102"), 102)


def test_while_there_is_no_cursor_the_beginning_waits_and_with_one_it_does_not():
    waiting, done = book(), book(cursor=100)
    waiting.wait(50)
    waiting.wait(40)
    done.wait(50)

    assert (waiting.since_ns, done.since_ns) == (50, 0)


# 5. It is kept as one small record for each symbol.


def test_what_lies_before_the_cursor_is_not_listed():
    known = book(BUY, BUY._replace(trade_id="102"), cursor=102)

    assert list(known.ahead) == [BUY._replace(trade_id="102")]
    assert known.has(BUY, 100)


@pytest.mark.parametrize(
    ("order_id", "trade_id"),
    [
        ("7", "100"),
        ("007", "0100"),
        ("", ""),
        ("-7", "0"),
        ("²", "³"),
        ("9" * 40, "9" * 40),
        ("9" * 5_000, "1"),
        ("x-7", "a0b1"),
    ],
)
def test_ids_come_back_as_they_were(order_id: str, trade_id: str):
    known = SymbolBook(0)
    for side in ("BUY", "SELL"):
        known.record(FillKey("BTCUSDT", order_id, trade_id, side), 100)

    assert decode_book("BTCUSDT", encode_book(known)).ahead == known.ahead


def test_a_thousand_fills_ahead_are_kept_in_ten_bytes_each():
    known = book(cursor=5_000_000_000)
    empty = len(encode_book(known))
    for n in range(1_000):
        trade_id = 5_000_000_000 + n * 97
        order_id = str(300_000_000_000 + n * 1_000_003)
        known.record(FillKey("BTCUSDT", order_id, str(trade_id), "BUY"), trade_id)

    assert len(encode_book(known)) - empty <= 10_010


def test_an_account_comes_back_with_its_symbols():
    ledger = Ledger()
    ledger.complete(1_000, 2_000)
    ledger.book("BTCUSDT").record(BUY, 100)
    ledger.book("BTCUSDT").settle("LONG", 1)
    ledger.book("BTCUSDT").filter_out("SHORT", Decimal("-1.5"))
    ledger.book("BTCUSDT").filter_out("SHORT", Decimal("0.5"))

    found, symbols = decode_account(encode_account(ledger))
    restore(found, [(s, decode_book(s, encode_book(ledger.book(s)))) for s in symbols])

    assert found.symbols == ["BTCUSDT"]
    assert (found.first_contact_ns, found.complete_until_ns) == (1_000, 2_000)
    assert found.has(BUY, 100)
    assert found.is_settled(Leg("BTCUSDT", "LONG"))
    assert found.filtered(Leg("BTCUSDT", "SHORT")) == -1
    assert found.filtered(Leg("BTCUSDT", "LONG")) == 0


def test_the_first_contact_is_the_first_and_what_is_complete_only_becomes_more():
    ledger = Ledger()
    ledger.complete(1_000, 2_000)
    ledger.complete(3_000, 4_000)
    ledger.complete(5_000, 1)

    assert (ledger.first_contact_ns, ledger.complete_until_ns) == (1_000, 4_000)


def test_a_symbol_that_appears_later_begins_where_all_symbols_were_known():
    ledger = Ledger()
    ledger.complete(1_000, 2_000)

    assert ledger.book("BTCUSDT").since_ns == 2_000


def test_a_symbol_that_was_never_read_may_reach_back_further():
    book = SymbolBook(2_000)
    book.is_dirty = False
    book.reach_back(2_000)
    assert (book.origin_ns, book.since_ns, book.is_dirty) == (2_000, 2_000, False)

    book.reach_back(500)
    assert (book.origin_ns, book.since_ns, book.is_dirty) == (500, 500, True)


@pytest.mark.parametrize("read", [lambda book: book.advance(1), lambda book: book.wait(2_001)])
def test_a_symbol_that_was_read_does_not_reach_back(read: Callable[[SymbolBook], None]):
    book = SymbolBook(2_000)
    assert book.is_unread
    read(book)
    assert not book.is_unread
    book.reach_back(500)
    assert book.origin_ns == 2_000


def test_a_leg_that_was_left_over_on_first_contact_is_not_settled_and_any_other_is():
    """What nobody saw then was flat."""
    long, short = Leg("BTCUSDT", "LONG"), Leg("BTCUSDT", "SHORT")
    ledger = Ledger()
    ledger.book("BTCUSDT").postpone("LONG")
    assert not ledger.is_settled(short)

    ledger.complete(1_000, 2_000)
    assert not ledger.is_settled(long)
    assert ledger.is_settled(short)
    assert ledger.is_settled(Leg("ETHUSDT", "BOTH"))

    ledger.book("BTCUSDT").settle("LONG", 1)
    ledger.book("BTCUSDT").postpone("LONG")
    assert ledger.is_settled(long)


def test_a_leg_knows_when_its_opening_balance_was_settled():
    seen, unseen = Leg("BTCUSDT", "LONG"), Leg("ETHUSDT", "BOTH")
    ledger = Ledger()
    ledger.book("BTCUSDT").settle("LONG", 1_500)
    ledger.complete(1_000, 2_000)

    assert ledger.settled_ns(seen) == 1_500
    assert ledger.settled_ns(unseen) == 1_000, "at the first contact"
    found = decode_book("BTCUSDT", encode_book(ledger.book("BTCUSDT")))
    assert found.settled == {"LONG": 1_500}


def test_an_opening_balance_may_have_to_be_settled_anew():
    leg = Leg("BTCUSDT", "BOTH")
    ledger = Ledger()
    ledger.complete(1_000, 2_000)
    ledger.book("BTCUSDT").reopen("BOTH")
    assert not ledger.is_settled(leg)

    ledger.book("BTCUSDT").settle("BOTH", 3_000)
    assert ledger.is_settled(leg)
    assert ledger.settled_ns(leg) == 3_000

    ledger.book("BTCUSDT").reopen("BOTH")
    assert not ledger.is_settled(leg)


def test_what_is_unknown_has_nothing():
    ledger = Ledger()

    assert not ledger.is_settled(Leg("BTCUSDT", "BOTH"))
    assert ledger.filtered(Leg("BTCUSDT", "BOTH")) == 0
    assert ledger.symbols == []


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc0",
        b"\xff",
        b"{}",
        encode_book(SymbolBook(0))[:-1],
        encode_book(SymbolBook(0)) + b"\x00",
        encode_account(Ledger()),
        pytest.param(b"\x9f" + encode_book(SymbolBook(0))[1:] + b"\x91" * 100_000, id="nested"),
    ],
)
def test_what_is_no_record_is_told_as_such(payload: bytes):
    with pytest.raises(LedgerError, match="a record of the ledger cannot be read"):
        decode_book("BTCUSDT", payload)


def test_a_record_of_another_format_is_told_as_such():
    payload = bytearray(encode_account(Ledger()))
    payload[1] = 2

    with pytest.raises(LedgerError, match="has format 2; this release knows 1"):
        decode_account(bytes(payload))


def test_a_ledger_knows_the_symbols_that_have_a_record():
    ledger = Ledger()
    assert not ledger.knows("BTCUSDT")

    ledger.book("BTCUSDT")

    assert ledger.knows("BTCUSDT")
    assert not ledger.knows("ETHUSDT")
