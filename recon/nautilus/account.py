"""One account of a node: what is asked, in which order, and what is made of the answers.

A reconciliation asks for positions, open orders and the symbols that were traded; then,
symbol by symbol, for the trades since the cursor and for the orders that these or the
node's own orders call for.  Only when all of a symbol is read is anything of it applied,
at once.  A question about one order is the same on a small scale.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from msgspec.structs import replace
from nautilus_trader.common.component import Logger
from nautilus_trader.model.identifiers import AccountId, InstrumentId
from nautilus_trader.model.orders import Order

from recon.core.facts import Leg, OpenOrders, Positions, Trade, VenueOrder
from recon.core.ledger import Ledger
from recon.core.orders import NOTHING, UNSENT, End, Settlement, settle_absent
from recon.core.port import ReadError
from recon.nautilus.applier import Applier
from recon.nautilus.book import Book, prior_of
from recon.nautilus.collector import Collector, OrdersRead, TradesRead, gathered
from recon.nautilus.legs import Legs
from recon.nautilus.questions import Question, Questions
from recon.nautilus.reducing import Reducing
from recon.nautilus.store import Store
from recon.nautilus.teller import Teller
from recon.nautilus.venue import Venue

AGREEMENTS_AT_MOST = 8
"""How often a symbol is read again until two reads agree on legs that are new."""

FRESH_AGREE_NS = 4_000_000_000
"""For how long reads have to agree on legs that are new and have moved a moment ago."""

HOLD_NS = 3_600 * 1_000_000_000
"""How long a cursor waits for what is unexplained; each check reads all from it anew."""


class _Overview(NamedTuple):
    """What one reconciliation has read of all symbols at once."""

    positions: Positions
    open_orders: OpenOrders
    last_traded_ns: dict[str, int]
    began_ns: int
    is_start: bool


class Account:
    """Reconciles one account.

    Parameters
    ----------
    collector
        Reads what is needed of a symbol.
    drained
        Waits until the engine has no event in its queue any more.
    inflight_timeout_ns
        How long an order may be without an answer before it is asked for.
    only
        The instruments that are reconciled, all when empty.
    claimed
        Those whose orders by others a strategy claims.
    """

    def __init__(
        self,
        *,
        account_id: AccountId,
        venue: Venue,
        cache: Any,
        book: Book,
        ledger: Ledger,
        store: Store,
        collector: Collector,
        applier: Applier,
        reducing: Reducing,
        legs: Legs,
        teller: Teller,
        log: Logger,
        now_ns: Callable[[], int],
        drained: Callable[[], Awaitable[None]],
        inflight_timeout_ns: int,
        only: Iterable[InstrumentId],
        claimed: Callable[[], Iterable[InstrumentId]],
    ) -> None:
        self.account_id = account_id
        self.venue = venue
        self.book = book
        self.ledger = ledger
        self.teller = teller
        self.legs = legs
        self.emitter = applier.emitter
        self.reducing = reducing
        self.questions = Questions()
        self._cache = cache
        self.store = store
        self._collector = collector
        self._applier = applier
        self._log = log
        self._now_ns = now_ns
        self._drained = drained
        self._inflight_timeout_ns = inflight_timeout_ns
        self._only = frozenset(only)
        self._claimed = claimed
        self.refusals: dict[str, str] = {}
        self._touched: set[str] = set()
        self._unexplained_ns: dict[str, int] = {}

    # -- a reconciliation ---------------------------------------------------------------

    async def reconcile(self, began_ns: int, *, is_start: bool) -> None:
        """Compare all with the venue, and bring the node to its state.

        ``began_ns`` is when this start, or this check, began: on first contact history
        begins a lookback before it.  Raises `ReadError` when something cannot be read;
        what was read and applied by then stays.
        """
        reader = self.venue.reader
        asked_ns = self._now_ns()
        since_ns = self._collector.since_ns(began_ns)
        touched, self._touched = self._touched, set()
        try:
            positions, open_orders, traded_ns = await gathered(
                reader.positions,
                reader.open_orders,
                partial(reader.last_traded_ns, since_ns, asked_ns),
            )
            seen = _Overview(positions, open_orders, traded_ns, began_ns, is_start)
            symbols = self._symbols(seen, touched)
            self.legs.postpone(positions, symbols)
            unread = await self._read_all(symbols, seen)
            # What can be read is judged, whatever becomes of the rest.
            self.legs.judge(seen.positions, lambda name: name not in unread and self._is_ours(name))
            for failure in unread.values():
                raise failure
        except BaseException:
            self._touched |= touched
            raise
        self.book.open_up()
        self._mark_purged()
        self.ledger.complete(began_ns, asked_ns - self.venue.bounds.read_lag_ns)

    async def _read_all(self, symbols: Sequence[str], seen: _Overview) -> dict[str, BaseException]:
        """Reconcile symbols; return what kept each of the others from it."""
        ends = await asyncio.gather(
            *(self._symbol(symbol, seen) for symbol in symbols), return_exceptions=True
        )
        return {
            symbol: end
            for symbol, end in zip(symbols, ends, strict=True)
            if isinstance(end, BaseException)
        }

    def _mark_purged(self) -> None:
        """Note of fills ahead of the cursors that the node has purged their orders since."""
        for symbol in self.ledger.symbols:
            book = self.ledger.book(symbol)
            instrument_id = self.venue.instrument_id(symbol)
            for key in [k for k in book.ahead if self.book.is_gone(instrument_id, k.order_id)]:
                book.mark_purged(key)

    def touch(self, symbol: str) -> None:
        """Note that something happened on a symbol, which has to be read at the next check."""
        self._touched.add(symbol)

    def _symbols(self, seen: _Overview, touched: Iterable[str]) -> list[str]:
        """Return the symbols to ask about, in an order that does not vary."""
        symbol = self.venue.symbol
        found = {leg.symbol for leg in seen.positions.legs}
        found |= {name for name, _ in seen.open_orders.orders}
        found |= {leg.symbol for leg in self.book.holdings.legs()}
        found |= {symbol(order.instrument_id) for order in self.book.unsettled()}
        found |= {symbol(order.instrument_id) for order in self._collector.unsent}
        # Trades that moved no money on a symbol that is flat again are found by nothing else.
        found |= {symbol(each) for each in self._claimed() if self.reconciles(each)}
        found.update(seen.last_traded_ns, touched)
        if seen.is_start:
            found.update(self.ledger.symbols, self.book.symbols())
        return sorted(name for name in found if self._is_ours(name))

    def _is_ours(self, symbol: str) -> bool:
        instrument_id = self.venue.instrument_id(symbol)
        if self.reconciles(instrument_id):
            return True
        if self._is_wanted(instrument_id):
            self.teller.not_loaded(symbol)
        return False

    def reconciles(self, instrument_id: InstrumentId) -> bool:
        """Whether an instrument is reconciled: it is wanted, and the node knows it."""
        return self._is_wanted(instrument_id) and self._cache.instrument(instrument_id) is not None

    def _is_wanted(self, instrument_id: InstrumentId) -> bool:
        return not self._only or instrument_id in self._only

    # -- a symbol -----------------------------------------------------------------------

    async def _symbol(self, symbol: str, seen: _Overview) -> None:
        positions, is_start = seen.positions, seen.is_start
        traded_ns = seen.last_traded_ns.get(symbol, 0)
        before: dict[Leg, Decimal] | None = None
        since_ns = self._now_ns()
        for attempt in range(AGREEMENTS_AT_MOST):
            read = await self._collector.trades(symbol, seen.began_ns, traded_ns)
            orders = await self._collector.orders(
                symbol, read.lacking, seen.open_orders, is_start=is_start
            )
            await self._drained()
            lacking = self._collector.lacking(symbol, read.lacking)
            trades = self._applier.without_inferred(symbol, lacking, orders.orders)
            residuals = self.legs.unexplained(symbol, positions, trades)
            if residuals.unsettled != before:
                since_ns = self._now_ns()
            agree_ns = FRESH_AGREE_NS if residuals.is_fresh else 0
            agree = residuals.unsettled == before and self._now_ns() - since_ns >= agree_ns
            is_agreed = agree and not (residuals.is_torn or read.is_behind)
            if not residuals.unsettled or is_agreed or not (is_start or attempt < 1):
                break
            # Two reads have to agree before anything is booked that no trade explains.
            before = residuals.unsettled
            if attempt:
                await asyncio.sleep(1.0)
            positions = await self.venue.reader.positions()
            await self._drained()
        self.legs.settle(
            symbol,
            residuals,
            positions,
            trades,
            agree=agree,
            is_agreed=is_agreed,
            is_start=is_start,
        )
        is_open = bool(residuals.unsettled) and not is_agreed
        is_explained = not (residuals.settled or is_open or self.legs.is_torn(symbol))
        self._apply(symbol, trades, orders, read, is_explained=is_explained)

    def _apply(
        self,
        symbol: str,
        trades: Sequence[Trade],
        orders: OrdersRead,
        read: TradesRead,
        *,
        is_explained: bool,
    ) -> None:
        now_ns = self._now_ns()
        unfinished, failed = self._applier.apply(symbol, trades, orders.orders, now_ns)
        for left in unfinished:
            self._question(left.order, left.why, now_ns)
        for trade in failed:
            self._log.error(
                f"trade {trade.trade_id} of order {trade.order_id} ({symbol}) was not applied"
            )
            self.questions.add(symbol, trade.order_id, None, now_ns + self._inflight_timeout_ns)
        for order, asked_ns in orders.absent:
            if self.settle_absent(order, asked_ns).open_question is not None:
                self.ask_about(order, now_ns + self._inflight_timeout_ns)
        # While anything is unexplained a trade may be missing that comes before those seen.
        if unfinished or failed or not is_explained:
            if now_ns - self._unexplained_ns.setdefault(symbol, now_ns) < HOLD_NS:
                return
        else:
            self._unexplained_ns.pop(symbol, None)
        if read.cursor is not None:
            self.ledger.book(symbol).advance(read.cursor)
        else:
            self.ledger.book(symbol).wait(read.calm_ns)

    def settle_absent(self, order: Order, asked_ns: int) -> Settlement:
        """Settle an order that the venue does not have, as far as that proves something."""
        settlement = settle_absent(
            self.book.local(order),
            asked_ns,
            self.venue.bounds,
            self._now_ns(),
            order.ts_accepted or order.ts_init,
        )
        for step in settlement.steps:
            if isinstance(step, End):
                reason = self.refusals.pop(order.client_order_id.value, None) or step.reason
                self.teller.ended(order, reason)
                self._applier.end(order, replace(step, reason=reason))
        return settlement

    def ask_about(self, order: Order, due_ns: int) -> None:
        """Ask the venue for an order of the node, if that is not about to be done anyway."""
        if not self.is_in_doubt(order):
            self.questions.add(*self._names(order), due_ns)

    def is_in_doubt(self, order: Order) -> bool:
        """Whether something is still to be asked about an order of the node."""
        return self.questions.has(*self._names(order))

    def _names(self, order: Order) -> tuple[str, str | None, str]:
        order_id = None if order.venue_order_id is None else order.venue_order_id.value
        return self.venue.symbol(order.instrument_id), order_id, order.client_order_id.value

    async def ask(self, question: Question) -> None:
        """Ask for one order and settle it, as far as the answer goes; raises nothing."""
        try:
            await self._ask(question)
        except Exception as e:
            self._log.exception(f"a question about an order failed: {question}", e)
            self.questions.put_off(question, self._now_ns())

    async def _ask(self, question: Question) -> None:
        question.is_renewed = False
        reader, symbol = self.venue.reader, question.symbol
        instrument_id = self.venue.instrument_id(symbol)
        if not self._is_ours(symbol):
            self.questions.answered(question)
            return
        asked_ns = self._now_ns()
        try:
            answer = await reader.order(
                symbol,
                order_id=question.order_id,
                client_order_id=None if question.order_id else question.client_order_id,
            )
            local = self.book.find(instrument_id, question.order_id, question.client_order_id)
            trades: Sequence[Trade] = ()
            if answer is not None and (local is None or _is_short(local, answer)):
                trades = await reader.trades_of(symbol, answer.order_id)
        except ReadError as e:
            self._log.warning(f"{e}; it is asked again")
            self._leave_open(question, str(e))
            return
        await self._drained()
        self.touch(symbol)
        local = self.book.find(instrument_id, question.order_id, question.client_order_id)
        if answer is None or (
            local is not None and self._applier.find(instrument_id, answer) is None
        ):
            settlement = NOTHING if local is None else self.settle_absent(local, asked_ns)
            if settlement.open_question is None:
                self.questions.answered(question)
            else:
                self._leave_open(
                    question,
                    settlement.open_question,
                    is_difference=settlement.is_difference or self._is_gone(local, asked_ns),
                )
            return
        self.ledger.book(symbol).begin(self._collector.since_ns(asked_ns))
        orders = {answer.order_id: answer}
        lacking = self._applier.without_inferred(
            symbol, self._collector.lacking(symbol, trades), orders
        )
        unfinished, failed = self._applier.apply(symbol, lacking, orders, self._now_ns())
        for left in unfinished:
            self._leave_open(question, left.why, is_difference=left.is_difference)
        if failed:
            self._leave_open(question, "a fill was refused", is_difference=True)
        if not (unfinished or failed):
            self.questions.answered(question)

    def _leave_open(self, question: Question, why: str, *, is_difference: bool = False) -> None:
        self.questions.put_off(question, self._now_ns())
        local = self.book.find(
            self.venue.instrument_id(question.symbol), question.order_id, question.client_order_id
        )
        if local is None:
            return
        # A request that changes an order leaves nothing to tell: the order is what it was.
        if is_difference or local.status_string() in ("SUBMITTED", *UNSENT):
            self.teller.unresolved(local, why)

    def _is_gone(self, order: Order | None, asked_ns: int) -> bool:
        """Whether no read can be so far behind that it lacks an order which stands."""
        if order is None or self.venue.limits is not None:
            return False
        if order.venue_order_id is None:
            return True
        return bool(asked_ns - order.ts_accepted > self.venue.bounds.read_lag_ns)

    def _question(self, venue: VenueOrder, why: str, now_ns: int) -> None:
        self.questions.add(
            venue.symbol, venue.order_id, venue.client_order_id or None, now_ns + 1_000_000_000
        )


def _is_short(local: Order, venue: VenueOrder) -> bool:
    """Whether an order of the node lacks fills that the venue has executed."""
    return bool(local.filled_qty.as_decimal() + prior_of(local) < venue.filled)
