"""Where the ledgers are kept: in the node's own cache store.

NautilusTrader keeps general objects under a key in the database of its cache, Redis when
the user has Redis, in the same ordered stream of writes as orders and positions.  They
are written behind: at the latest a second after the fill that they tell of.  What a crash
keeps from the store is a suffix of all writes, so that the ledger never knows more than
the orders.

Such keys cannot be deleted, so there are few and fixed ones: one for each account, one
for each symbol that it has traded.
"""

from __future__ import annotations

from typing import Any

from nautilus_trader.config import CacheConfig

from recon.core import ledger as kept
from recon.core.ledger import Ledger, LedgerError, SymbolBook


class Store:
    """Keeps the ledger of one account; in a dry run it only takes it."""

    def __init__(self, cache: Any, account: str, *, dry_run: bool) -> None:
        self._cache = cache
        self._dry_run = dry_run
        self._due: dict[str, bytes] = {}
        self._prefix = f"recon.ledger.{account}"
        self.written: dict[str, bytes] = {}
        """What was written last, by its keys."""

    def load(self) -> Ledger:
        """Return the ledger as it was kept, or an empty one.

        Raises `LedgerError` when what is kept cannot be read; it names the key.
        """
        key = self._prefix
        try:
            payload = self._cache.get(key)
            if payload is None:
                return Ledger()
            ledger, symbols = kept.decode_account(payload)
            books: list[tuple[str, SymbolBook]] = []
            for symbol in symbols:
                key = self._key(symbol)
                payload = self._cache.get(key)
                # The account's record is written last: what it names is there.
                if payload is None:
                    raise LedgerError("it is missing")
                books.append((symbol, kept.decode_book(symbol, payload)))
        except LedgerError as e:
            raise LedgerError(f"{key}: {e}") from None
        kept.restore(ledger, books)
        return ledger

    def encode(self, ledger: Ledger, *, anew: bool = False) -> None:
        """Take what has changed, or all if it may have been lost, as it is now: to be written."""
        for symbol in ledger.symbols:
            book = ledger.book(symbol)
            if anew or book.is_dirty:
                self._due[self._key(symbol)] = kept.encode_book(book)
                book.is_dirty = False
        if anew or ledger.is_dirty:
            # What it names has to be there first.
            self._due.pop(self._prefix, None)
            self._due[self._prefix] = kept.encode_account(ledger)
            ledger.is_dirty = False

    def write(self) -> None:
        """Write what was taken."""
        due, self._due = self._due, {}
        if self._dry_run:
            return
        for key, payload in due.items():
            self._cache.add(key, payload)
            self.written[key] = payload

    def _key(self, symbol: str) -> str:
        return f"{self._prefix}.{symbol}"


def why_nothing_comes_back(config: CacheConfig | None, *, loads_state: bool) -> str | None:
    """Say why a store will be empty after a restart, None when it will not."""
    if config is None or config.database is None:
        return "the cache has no database, so a restart forgets what was applied"
    if config.use_instance_id:
        return "use_instance_id=True gives each start another name, so nothing is found again"
    if config.flush_on_start:
        return "flush_on_start=True deletes everything when the node starts"
    if not loads_state:
        return "load_cache=False leaves orders and positions in the database"
    return None
