"""A node on Binance USD-M whose strategy stops trading what differs from the venue.

Run it with keys of the futures testnet in the environment, and a Redis on this host::

    export BINANCE_FUTURES_TESTNET_API_KEY=... BINANCE_FUTURES_TESTNET_API_SECRET=...
    python examples/watch_discrepancies.py

For the account with real money change `ENVIRONMENT` to LIVE; the names of the variables are
then BINANCE_API_KEY and BINANCE_API_SECRET.  The adapter and `recon` read them by themselves.
"""

from __future__ import annotations

import sys

from nautilus_trader.adapters.binance import (
    BINANCE,
    BinanceAccountType,
    BinanceDataClientConfig,
    BinanceExecClientConfig,
    BinanceLiveDataClientFactory,
    BinanceLiveExecClientFactory,
)
from nautilus_trader.adapters.binance.common.enums import BinanceEnvironment
from nautilus_trader.config import (
    CacheConfig,
    DatabaseConfig,
    InstrumentProviderConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import InstrumentId, TraderId
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.strategy import Strategy

import recon

ENVIRONMENT = BinanceEnvironment.TESTNET
INSTRUMENT = InstrumentId.from_str("BTCUSDT-PERP.BINANCE")


class Careful(Strategy):  # type: ignore[misc]
    """Sends no order for an instrument on which node and venue differ.

    What was corrected is history: the node has the venue's state.  What is *open* still
    differs, and a decision that is taken on it may be wrong.  Nothing is lifted again: look
    at the account, then restart the node.
    """

    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.heard: list[recon.Discrepancy] = []
        self.halted: set[InstrumentId] = set()

    def on_start(self) -> None:
        """Listen; whatever trades would be set up here, too."""
        self.msgbus.subscribe(topic=recon.TOPIC, handler=self.on_discrepancy)

    def on_stop(self) -> None:
        """Listen no longer."""
        self.msgbus.unsubscribe(topic=recon.TOPIC, handler=self.on_discrepancy)

    def on_discrepancy(self, discrepancy: recon.Discrepancy) -> None:
        """Halt the instrument when something of it is open; called for every discrepancy."""
        self.heard.append(discrepancy)
        if discrepancy.is_corrected or discrepancy.instrument_id in self.halted:
            return
        self.halted.add(discrepancy.instrument_id)
        self.log.error(f"no more orders for {discrepancy.instrument_id}: {discrepancy.text}")
        if self.cache.instrument(discrepancy.instrument_id) is not None:
            self.cancel_all_orders(discrepancy.instrument_id)

    def send(self, order: Order) -> bool:
        """Submit an order unless its instrument is halted; return whether it was."""
        if order.instrument_id in self.halted:
            return False
        self.submit_order(order)
        return True


def tell(discrepancy: recon.Discrepancy) -> None:
    """Print a discrepancy; a pager or a chat would be told here."""
    state = "corrected" if discrepancy.is_corrected else "OPEN"
    print(f"{discrepancy.kind} ({state}): {discrepancy.text}")


def node_config() -> TradingNodeConfig:
    """Return the configuration of the node."""
    provider = InstrumentProviderConfig(load_ids=frozenset({INSTRUMENT}))
    return TradingNodeConfig(
        trader_id=TraderId("WATCHER-001"),
        exec_engine=recon.ReconExecEngineConfig(),
        cache=CacheConfig(database=DatabaseConfig(type="redis")),
        data_clients={
            BINANCE: BinanceDataClientConfig(
                account_type=BinanceAccountType.USDT_FUTURES,
                environment=ENVIRONMENT,
                instrument_provider=provider,
            ),
        },
        exec_clients={
            BINANCE: BinanceExecClientConfig(
                account_type=BinanceAccountType.USDT_FUTURES,
                environment=ENVIRONMENT,
                instrument_provider=provider,
            ),
        },
    )


def main() -> int:
    """Run the node until it is stopped."""
    node = TradingNode(node_config())
    node.add_data_client_factory(BINANCE, BinanceLiveDataClientFactory)
    node.add_exec_client_factory(BINANCE, BinanceLiveExecClientFactory)
    node.trader.add_strategy(Careful(StrategyConfig(external_order_claims=[INSTRUMENT])))
    node.build()
    recon.install(node)
    # What a start corrects is told before strategies run, so this is set up before it.
    node.kernel.msgbus.subscribe(topic=recon.TOPIC, handler=tell)
    try:
        node.run()
    finally:
        node.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
