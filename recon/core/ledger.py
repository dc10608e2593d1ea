"""The ledger of one account: which fills are applied, and up to where all is known.

Rules of this file:

1. A fill is applied once.  `Ledger.has` says whether it was: it lies before the cursor of
   its symbol, or it is one of the few that are known ahead of it.
2. The ledger never knows more than the node: a fill is recorded after it was applied.
3. A cursor only moves forward, and only by a complete read, past trades that are older
   than the read-lag bound.  What the venue shows late is read again and told by its key.
4. Applying is commutative and idempotent: whatever the order in which fills are recorded
   and cursors moved, and however often, the ledger that results knows the same.
5. It is kept as one small record for each symbol.  Nothing in it grows with the number
   of fills except those ahead of the cursor.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from recon.core.facts import ZERO, FillKey, Leg
from recon.core.rank import Rank

FORMAT = 1

DIGITS_AT_MOST = 18
"""How long an id may be that is kept as a number: differences of such fit in 64 bits."""


class LedgerError(ValueError):
    """A record that is none of this ledger's, or not of a format that it knows."""


class SymbolBook:
    """What is known of one symbol.

    Attributes
    ----------
    cursor
        The sequence from which trades have to be asked for; all before it are dealt with.
        None before the first complete read that showed a trade old enough.
    origin_ns
        From when on trades of the symbol count at all; what lies before is part of an
        opening balance.  0 until the symbol is read for the first time.
    since_ns
        From when on trades have to be asked for while there is no cursor.
    ahead
        Fills at or after the cursor that are applied, by sequence.  True says that the
        order of the fill was seen to be gone from the cache (purged) since.
    queued
        Fills that the engine has yet to apply, with the position side that they are of, where
        they tell it, and their place among its fills.
    settled
        Position sides whose opening balance was settled on first contact, be it that none
        was needed, and when.
    pending
        Position sides that were not flat on first contact and could not be settled then.
    filtered
        What trades of orders that are filtered out have added to each position side.
    """

    __slots__ = (
        "ahead",
        "cursor",
        "filtered",
        "is_dirty",
        "origin_ns",
        "pending",
        "queued",
        "settled",
        "since_ns",
    )

    def __init__(self, origin_ns: int) -> None:
        self.cursor: int | None = None
        self.origin_ns = origin_ns
        self.since_ns = origin_ns
        self.ahead: dict[FillKey, tuple[int, bool]] = {}
        self.queued: dict[FillKey, tuple[str | None, Rank]] = {}
        self.settled: dict[str, int] = {}
        self.pending: set[str] = set()
        self.filtered: dict[str, Decimal] = {}
        self.is_dirty = True

    def has(self, key: FillKey, sequence: int) -> bool:
        """Whether a fill is applied."""
        return (self.cursor is not None and sequence < self.cursor) or key in self.ahead

    def record(self, key: FillKey, sequence: int) -> bool:
        """Note a fill that was applied; return whether that is news."""
        self.queued.pop(key, None)
        if self.has(key, sequence):
            return False
        self.ahead[key] = (sequence, False)
        self.is_dirty = True
        return True

    def is_overtaken(self, position_side: str | None, its: Rank) -> bool:
        """Whether a fill that is queued comes after one of that rank, of the same leg."""
        return any(side == position_side and other > its for side, other in self.queued.values())

    def forget(self, key: FillKey) -> None:
        """Take a fill back that turns out not to be in the node after all."""
        if self.ahead.pop(key, None) is not None:
            self.is_dirty = True

    def mark_purged(self, key: FillKey) -> None:
        """Note that the order of a fill is gone from the node, and rightly so."""
        sequence, is_purged = self.ahead.get(key, (0, True))
        if not is_purged:
            self.ahead[key] = (sequence, True)
            self.is_dirty = True

    def advance(self, cursor: int) -> None:
        """Move the cursor forward; what lies before it need not be listed any more."""
        if self.cursor is not None and cursor <= self.cursor:
            return
        self.cursor = cursor
        self.ahead = {key: held for key, held in self.ahead.items() if held[0] >= cursor}
        self.is_dirty = True

    def begin(self, origin_ns: int) -> None:
        """Note from when on trades count, when the symbol is read for the first time."""
        if not self.origin_ns:
            self.origin_ns = self.since_ns = origin_ns
            self.is_dirty = True

    @property
    def is_unread(self) -> bool:
        """Whether no complete read of the symbol's trades is known of."""
        return self.cursor is None and self.since_ns == self.origin_ns

    def reach_back(self, origin_ns: int) -> None:
        """Note that trades count from earlier on, of a symbol that is read for the first time."""
        if self.is_unread and origin_ns < self.origin_ns:
            self.origin_ns = self.since_ns = origin_ns
            self.is_dirty = True

    def wait(self, since_ns: int) -> None:
        """Note that no trade was made before an instant that is still to be read."""
        if self.cursor is None and since_ns > self.since_ns:
            self.since_ns = since_ns
            self.is_dirty = True

    def settle(self, position_side: str, at_ns: int) -> None:
        """Note that the opening balance of a leg is settled."""
        if at_ns > self.settled.get(position_side, -1):
            self.settled[position_side] = at_ns
            self.pending.discard(position_side)
            self.is_dirty = True

    def postpone(self, position_side: str) -> None:
        """Note that the opening balance of a leg could not be settled on first contact."""
        if position_side not in self.settled and position_side not in self.pending:
            self.pending.add(position_side)
            self.is_dirty = True

    def reopen(self, position_side: str) -> None:
        """Note that the opening balance of a leg is not settled after all."""
        self.settled.pop(position_side, None)
        self.postpone(position_side)

    def filter_out(self, position_side: str, signed: Decimal) -> None:
        """Note a trade of an order that is none of the node's business."""
        self.filtered[position_side] = self.filtered.get(position_side, ZERO) + signed
        self.is_dirty = True


class Ledger:
    """All that is known of one account.

    Attributes
    ----------
    first_contact_ns
        When the first complete reconciliation began; 0 before it.
    complete_until_ns
        Up to when all symbols that the account has traded are known; 0 before the first
        complete reconciliation.
    """

    def __init__(self) -> None:
        self.first_contact_ns = 0
        self.complete_until_ns = 0
        self.is_dirty = True
        self._books: dict[str, SymbolBook] = {}

    @property
    def symbols(self) -> list[str]:
        """The symbols that have a record, oldest first."""
        return list(self._books)

    def knows(self, symbol: str) -> bool:
        """Whether a symbol has a record."""
        return symbol in self._books

    def book(self, symbol: str) -> SymbolBook:
        """Return the record of a symbol, made if there is none."""
        book = self._books.get(symbol)
        if book is None:
            book = self._books[symbol] = SymbolBook(self.complete_until_ns)
            self.is_dirty = True
        return book

    def has(self, key: FillKey, sequence: int) -> bool:
        """Whether a fill is applied."""
        book = self._books.get(key.symbol)
        return book is not None and book.has(key, sequence)

    def is_settled(self, leg: Leg) -> bool:
        """Whether the opening balance of a leg is settled.

        After the first contact every leg is, except those that were seen and left over: a
        leg that nobody saw was flat.
        """
        book = self._books.get(leg.symbol)
        if book is None:
            return self.first_contact_ns != 0
        if leg.position_side in book.settled:
            return True
        return self.first_contact_ns != 0 and leg.position_side not in book.pending

    def settled_ns(self, leg: Leg) -> int:
        """Return when the opening balance of a leg was settled, by default at first contact."""
        book = self._books.get(leg.symbol)
        settled = {} if book is None else book.settled
        return settled.get(leg.position_side, self.first_contact_ns)

    def filtered(self, leg: Leg) -> Decimal:
        """Return what trades of filtered orders have added to a leg."""
        book = self._books.get(leg.symbol)
        return ZERO if book is None else book.filtered.get(leg.position_side, ZERO)

    def complete(self, began_ns: int, until_ns: int) -> None:
        """Note a complete reconciliation: what was traded until then is known."""
        if not self.first_contact_ns:
            self.first_contact_ns = began_ns
            self.is_dirty = True
        if until_ns > self.complete_until_ns:
            self.complete_until_ns = until_ns
            self.is_dirty = True


# -- how it is kept -----------------------------------------------------------------


class _Account(msgspec.Struct, array_like=True, frozen=True):
    format: int
    first_contact_ns: int
    complete_until_ns: int
    symbols: list[str]


class _Ahead(msgspec.Struct, array_like=True, frozen=True):
    """Differences to the one before; ids that are whole numbers are kept as such."""

    sequence: int
    order_id: int | str
    trade_id: int | str
    is_buy: bool
    is_purged: bool


class _Symbol(msgspec.Struct, array_like=True, frozen=True):
    format: int
    cursor: int | None
    origin_ns: int
    since_ns: int
    ahead: list[_Ahead]
    settled: dict[str, int]
    pending: list[str]
    filtered: dict[str, Decimal]


_account_decoder = msgspec.msgpack.Decoder(_Account)
_symbol_decoder = msgspec.msgpack.Decoder(_Symbol)
_encode = msgspec.msgpack.Encoder().encode


def encode_account(ledger: Ledger) -> bytes:
    """Return the record of an account, without its symbols' own."""
    return _encode(
        _Account(FORMAT, ledger.first_contact_ns, ledger.complete_until_ns, ledger.symbols)
    )


def decode_account(payload: bytes) -> tuple[Ledger, list[str]]:
    """Return a ledger without books, and the symbols whose books belong to it.

    Raises `LedgerError` when the payload is none of these.
    """
    found = _decoded(_account_decoder, payload)
    ledger = Ledger()
    ledger.first_contact_ns = found.first_contact_ns
    ledger.complete_until_ns = found.complete_until_ns
    ledger.is_dirty = False
    return ledger, found.symbols


def encode_book(book: SymbolBook) -> bytes:
    """Return the record of one symbol."""
    rows: list[_Ahead] = []
    last_sequence, last_order = book.cursor or 0, 0
    for key, (sequence, is_purged) in sorted(book.ahead.items(), key=lambda item: item[1][0]):
        order_id: int | str = key.order_id
        if _is_number(key.order_id):
            number = int(key.order_id)
            order_id, last_order = number - last_order, number
        trade_id: int | str = 0 if key.trade_id == str(sequence) else key.trade_id
        rows.append(
            _Ahead(sequence - last_sequence, order_id, trade_id, key.side == "BUY", is_purged)
        )
        last_sequence = sequence
    return _encode(
        _Symbol(
            FORMAT,
            book.cursor,
            book.origin_ns,
            book.since_ns,
            rows,
            dict(sorted(book.settled.items())),
            sorted(book.pending),
            book.filtered,
        )
    )


def _is_number(order_id: str) -> bool:
    """Whether an id is a whole number that comes back as the same text, and fits in 64 bits."""
    is_decimal = order_id.isascii() and order_id.isdecimal() and len(order_id) <= DIGITS_AT_MOST
    return is_decimal and str(int(order_id)) == order_id


def decode_book(symbol: str, payload: bytes) -> SymbolBook:
    """Return the record of one symbol; raises `LedgerError` when the payload is none."""
    found = _decoded(_symbol_decoder, payload)
    book = SymbolBook(found.origin_ns)
    book.since_ns = found.since_ns
    book.cursor = found.cursor
    book.settled = found.settled
    book.pending = set(found.pending)
    book.filtered = found.filtered
    last_sequence, last_order = found.cursor or 0, 0
    for row in found.ahead:
        sequence = last_sequence = last_sequence + row.sequence
        if isinstance(row.order_id, int):
            last_order += row.order_id
            order_id = str(last_order)
        else:
            order_id = row.order_id
        trade_id = str(sequence) if row.trade_id == 0 else str(row.trade_id)
        key = FillKey(symbol, order_id, trade_id, "BUY" if row.is_buy else "SELL")
        book.ahead[key] = (sequence, row.is_purged)
    book.is_dirty = False
    return book


def restore(ledger: Ledger, books: Iterable[tuple[str, SymbolBook]]) -> None:
    """Put books that were kept back into their ledger."""
    for symbol, book in books:
        ledger._books[symbol] = book


def _decoded[T: (_Account, _Symbol)](decoder: msgspec.msgpack.Decoder[T], payload: bytes) -> T:
    try:
        found = decoder.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise LedgerError(f"a record of the ledger cannot be read: {e}") from None
    if found.format != FORMAT:
        raise LedgerError(
            f"a record of the ledger has format {found.format}; this release knows {FORMAT}"
        )
    return found
