"""Discrepancies: told as messages on the node's message bus, as log lines and counters.

A strategy or an actor hears them with::

    self.msgbus.subscribe(topic=recon.TOPIC, handler=self.on_discrepancy)

Each message is a `Discrepancy`.  One without order, trade and position side is a summary
of what a start has corrected on an instrument.

A handler that raises is logged, and stops nothing: what is being corrected is corrected.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from nautilus_trader.common.component import Logger
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    TradeId,
    VenueOrderId,
)

TOPIC = "recon.discrepancies"
"""The message-bus topic of discrepancies."""

COMPARISONS = "recon.comparisons"
"""The message-bus topic that tells of each comparison with the venue."""

DATABASE = "recon.database"
"""The message-bus topic that tells when the database of the cache is gone, is back, or has lost
something."""

KINDS = {
    "startup": "A start has corrected the node: how many fills and orders, in one summary.",
    "missing-fill": "A trade that the node had not heard of was found and applied.",
    "unknown-order": "An order stands or was filled at the venue that the node did not know.",
    "order-state": "An order had another state at the venue and was brought to it.",
    "late-event": "The stream told something more than five seconds after it happened.",
    "unresolved-order": "Nothing can be concluded about an order yet; it is asked for again.",
    "opening-balance": "A leg older than the history was opened with the venue's quantity.",
    "torn-position": "A crash had kept fills from a position that its orders have; repaired.",
    "residual": "A leg differs from the venue's and no trade explains it.",
    "adjustment": "A residual was adjusted, as the policy says.",
    "not-loaded": "The account trades an instrument that the node has not loaded.",
    "unrepresentable-order": "An order of the venue that NautilusTrader cannot represent.",
}
"""What each kind of discrepancy says."""


class Discrepancy(msgspec.Struct, frozen=True, kw_only=True):
    """A difference between the node and the venue.

    Attributes
    ----------
    kind
        One of `KINDS`.
    account, instrument_id
        Where.
    position_side
        BOTH, LONG or SHORT, of a leg or a fill.
    client_order_id, venue_order_id
        Of an order or a fill.
    trade_id
        Of a fill.
    text
        The whole in words.
    is_corrected
        Whether the node has been brought to the venue's state; False says that it still
        differs, or that ``dry_run`` left it as it was.
    ts_event
        When it was told, in nanoseconds, by the node's clock.
    """

    kind: str
    account: AccountId
    instrument_id: InstrumentId
    text: str
    is_corrected: bool
    ts_event: int
    position_side: str | None = None
    client_order_id: ClientOrderId | None = None
    venue_order_id: VenueOrderId | None = None
    trade_id: TradeId | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of an account with the venue: a start, or a check.

    Attributes
    ----------
    account
        The account.
    is_complete
        Whether all was read and compared; False says that the node goes on with what it
        knew, and that the comparison is tried again.
    text
        What could not be read, empty when all was.
    ts_event
        When it ended, in nanoseconds, by the node's clock.
    """

    account: AccountId
    is_complete: bool
    text: str
    ts_event: int


class DatabaseState(msgspec.Struct, frozen=True, kw_only=True):
    """The database of the node's cache is gone, is back, or has lost something.

    Attributes
    ----------
    is_there
        Whether it answers.
    text
        The whole in words.
    ts_event
        When it was seen, in nanoseconds, by the node's clock.
    lost
        The client order ids, position ids and records of which it lacked what had been written;
        it was written again.
    """

    is_there: bool
    text: str
    ts_event: int
    lost: tuple[str, ...] = ()


class Alerts:
    """Tells discrepancies, each once on the bus, once in the log, once in a counter."""

    def __init__(self, msgbus: Any, log: Logger) -> None:
        self.counts: Counter[str] = Counter()
        self._msgbus = msgbus
        self._log = log

    def tell(self, discrepancy: Discrepancy) -> None:
        """Tell one."""
        assert discrepancy.kind in KINDS
        self.counts[discrepancy.kind] += 1
        state = "corrected" if discrepancy.is_corrected else "open"
        self._log.warning(f"{discrepancy.kind} ({state}): {discrepancy.text}")
        self._publish(TOPIC, discrepancy)

    def compared(self, comparison: Comparison) -> None:
        """Tell of a comparison."""
        self._publish(COMPARISONS, comparison)

    def database(self, state: DatabaseState) -> None:
        """Tell that the database is gone, or back, or has lost something."""
        if not state.is_there:
            self._log.error(state.text)
        elif state.lost:
            self._log.warning(state.text)
        else:
            self._log.info(state.text)
        self._publish(DATABASE, state)

    def _publish(self, topic: str, message: msgspec.Struct) -> None:
        try:
            self._msgbus.publish(topic, message, external_pub=False)
        except Exception as e:  # of whoever listens, in the middle of a correction
            self._log.exception(f"a handler of {topic} raised, and those after it were not told", e)
