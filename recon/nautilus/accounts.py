"""Puts together what reconciles one account of a node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from nautilus_trader.adapters.binance.common.enums import BinanceAccountType
from nautilus_trader.adapters.binance.config import BinanceExecClientConfig
from nautilus_trader.common.component import Logger
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import InstrumentId, StrategyId

from recon.alerts import Alerts
from recon.binance import Access, BinanceHttp, WeightBudget
from recon.config import ReconExecEngineConfig
from recon.core.ledger import Ledger, LedgerError
from recon.core.orders import UNSENT
from recon.nautilus.account import Account
from recon.nautilus.adopter import Adopter
from recon.nautilus.applier import Applier
from recon.nautilus.balances import Balances
from recon.nautilus.binance import BinanceVenue
from recon.nautilus.book import Book
from recon.nautilus.collector import Collector
from recon.nautilus.emitter import Emitter
from recon.nautilus.legs import Legs
from recon.nautilus.other import OtherVenue
from recon.nautilus.ownership import Ownership
from recon.nautilus.reducing import Reducing
from recon.nautilus.store import Store
from recon.nautilus.teller import Teller
from recon.nautilus.venue import Venue

MINUTE_NS = 60_000_000_000

MOST_MINS = 90 * 24 * 60
"""What ``reconciliation_lookback_mins=None`` means: as long as Binance keeps income."""


class AccountMaker:
    """Makes the accounts of one node."""

    def __init__(
        self,
        node: TradingNode,
        config: ReconExecEngineConfig,
        alerts: Alerts,
        log: Logger,
        *,
        drained: Callable[[], Awaitable[None]],
        stop_node: Callable[[str], None],
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._node = node
        self._config = config
        self._alerts = alerts
        self._log = log
        self._drained = drained
        self._stop_node = stop_node
        self._transport = transport
        kernel = node.kernel
        self._engine: Any = kernel.exec_engine
        self._cache: Any = kernel.cache
        self._clock: Any = kernel.clock
        # Both go through all orders, and are no part of a start.
        self._unsent = _unsent(self._cache)
        self._is_blank = not self._cache.client_order_ids()
        # Binance counts weight by address: accounts that are read from one share a budget.
        self._budgets: defaultdict[tuple[str, str | None], WeightBudget] = defaultdict(WeightBudget)

    def make(self, client: Any) -> Account:
        """Return the account of a client that is connected.

        Raises `LedgerError` when what was kept of it cannot be read.
        """
        config, cache = self._config, self._cache
        now_ns: Callable[[], int] = self._clock.timestamp_ns
        venue = self._venue(client)
        if venue.limits is not None:
            self._log.warning(f"{client.id}: {venue.limits}")
        account_id = client.account_id
        store = Store(cache, account_id.value, dry_run=config.dry_run)
        try:
            ledger = store.load()
        except LedgerError as e:
            raise LedgerError(f"the ledger of {account_id} cannot be used: {e}") from None
        book = Book(
            cache,
            venue,
            account_id,
            lambda order: self._client_of(order) is client,
            is_blank=self._is_blank,
        )
        if config.dry_run:
            book.open_up()
        _check_ledger(ledger, book, venue, purges=bool(config.purge_closed_orders_interval_mins))
        reducing = Reducing(self._engine, cache, account_id, dry_run=config.dry_run)
        emitter = Emitter(self._engine, cache, venue, client.id, account_id, reducing, now_ns)
        ownership = Ownership(
            self._claim,
            lambda: list(self._node.trader.strategy_ids()),
            self._engine.trader_id.get_tag(),
            filters_unclaimed=config.filter_unclaimed_external_orders,
            filtered=[i.value for i in config.filtered_client_order_ids or ()],
        )
        teller = Teller(self._alerts, venue, account_id, now_ns)
        teller.is_correcting = not config.dry_run
        adopter = Adopter(venue, book, ledger, emitter, ownership, teller, dry_run=config.dry_run)
        applier = Applier(
            venue,
            book,
            ledger,
            emitter,
            adopter,
            teller,
            dry_run=config.dry_run,
        )
        balances = Balances(venue, cache, book, emitter, ownership, dry_run=config.dry_run)
        balances.end_torn(self._unsent, now_ns())
        legs = Legs(
            book.holdings,
            ledger,
            balances,
            teller,
            self._log,
            now_ns=now_ns,
            read_lag_ns=venue.bounds.read_lag_ns,
            interval_ns=int(config.reconciliation_interval_secs * 1e9),
            policy=config.policy,
            halt=self._stop_node,
            books_balances=config.generate_missing_orders,
            is_compared=not config.filter_position_reports,
        )
        lookback_mins = config.reconciliation_lookback_mins or MOST_MINS
        collector = Collector(
            venue,
            book,
            ledger,
            now_ns,
            lookback_mins * MINUTE_NS,
            MOST_MINS * MINUTE_NS,
            book.unsent(self._unsent),
        )
        return Account(
            account_id=account_id,
            venue=venue,
            cache=cache,
            book=book,
            ledger=ledger,
            store=store,
            collector=collector,
            applier=applier,
            reducing=reducing,
            legs=legs,
            teller=teller,
            log=self._log,
            now_ns=now_ns,
            drained=self._drained,
            inflight_timeout_ns=config.inflight_timeout_ms * 1_000_000,
            only=config.reconciliation_instrument_ids or (),
            claimed=lambda: self._claimed_at(client),
        )

    def _venue(self, client: Any) -> Venue:
        config = self._node._config.exec_clients.get(client.id.value)
        read_lag_ns = int(self._config.read_lag_secs * 1e9)
        if (
            isinstance(config, BinanceExecClientConfig)
            and config.account_type == BinanceAccountType.USDT_FUTURES
        ):
            access = Access.from_config(config)
            http = BinanceHttp(
                access,
                now_ns=self._clock.timestamp_ns,
                transport=self._transport,
                budget=self._budgets[access.base_url, access.proxy_url],
            )
            return BinanceVenue(client, config, http, read_lag_ns)
        return OtherVenue(client, self._clock.timestamp_ns, read_lag_ns)

    def _client_of(self, order: Any) -> Any:
        """Return the client that an order goes to."""
        engine = self._engine
        client_id = self._cache.client_id(order.client_order_id)
        if client_id is not None and client_id in engine._clients:
            return engine._clients[client_id]
        return engine._routing_map.get(order.instrument_id.venue, engine._default_client)

    def _claimed_at(self, client: Any) -> list[InstrumentId]:
        """Return the claimed instruments whose orders go to a client."""
        engine = self._engine
        return [
            instrument_id
            for instrument_id in engine.get_external_order_claims_instruments()
            if engine._routing_map.get(instrument_id.venue, engine._default_client) is client
        ]

    def _claim(self, instrument_id: InstrumentId) -> StrategyId | None:
        claim: StrategyId | None = self._engine.get_external_order_claim(instrument_id)
        return claim


def _check_ledger(ledger: Ledger, book: Book, venue: Venue, *, purges: bool) -> None:
    """Have the ledger forget fills that the node does not have: it never knows more.

    Only what lies ahead of the cursors can be compared one by one.  An order that is gone
    was purged, where that is known or configured; else its fills count as not applied.
    Where orders are purged it learns of the fills that a crash kept from it, too.
    """
    for symbol in ledger.symbols:
        instrument_id = venue.instrument_id(symbol)
        known = ledger.book(symbol)
        for key, (_, is_purged) in list(known.ahead.items()):
            if book.is_gone(instrument_id, key.order_id):
                if not (is_purged or purges):
                    known.forget(key)
            elif book.holder(instrument_id, key.order_id, key.trade_id) is None:
                known.forget(key)
    if purges and ledger.first_contact_ns:
        # Of an order that is purged before its trades are served again nothing else tells.
        for key, sequence, order in book.fills():
            known = ledger.book(key.symbol)
            if not known.has(key, sequence) and book.holdings.torn(order, key.trade_id) is None:
                known.record(key, sequence)


def _unsent(cache: Any) -> list[Any]:
    """Return loaded orders of which it is not known whether they were sent."""
    settled = cache.client_order_ids_open() | cache.client_order_ids_closed()
    left = cache.client_order_ids() - settled - cache.client_order_ids_inflight()
    orders = [cache.order(client_order_id) for client_order_id in sorted(left)]
    return [
        order
        for order in orders
        if order is not None
        and order.status_string() in UNSENT - {"EMULATED"}
        and not waits_here(cache, order)
    ]


def waits_here(cache: Any, order: Any) -> bool:
    """Whether an order is kept back by the node: for its parent's fill, or to be split up."""
    if order.exec_algorithm_id is not None and order.exec_spawn_id in (
        None,
        order.client_order_id,
    ):
        return True
    if order.parent_order_id is None:
        return False
    parent = cache.order(order.parent_order_id)
    return parent is not None and not parent.is_closed and not parent.filled_qty
