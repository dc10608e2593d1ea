"""The node as a user would configure and assemble it.

One Binance USD-M account with a data client and an execution client (or a broker's), or
several, the cache in a database, the strategies of the scenario with their claims.  What is
not set here is NautilusTrader's default.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import convert
from msgspec.structs import fields
from nautilus_trader.adapters.binance import (
    BINANCE,
    BinanceAccountType,
    BinanceDataClientConfig,
    BinanceExecClientConfig,
    BinanceLiveDataClientFactory,
    BinanceLiveExecClientFactory,
)
from nautilus_trader.common.config import NautilusConfig, msgspec_decoding_hook
from nautilus_trader.config import (
    CacheConfig,
    DatabaseConfig,
    InstrumentProviderConfig,
    LiveExecClientConfig,
    LiveExecEngineConfig,
    RoutingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import InstrumentId, TraderId, Venue

from sim.broker import BrokerExecClientConfig, BrokerExecClientFactory
from sim.plain import Access
from sim.scenario.model import Node as NodeSpec
from sim.strategy import TimelineStrategy
from sim.venue.ws_api import PATH as WS_API_PATH

HOST = "venue.invalid"
"""No such host can exist: a request that bypasses the simulation goes nowhere."""

POST_STOP_SECS = 1.0
"""How long a stopping node waits for residual events; the default of 10 s only adds time."""


def node_config(
    spec: NodeSpec,
    trader_id: str,
    accesses: Sequence[Access],
    host: str = HOST,
    database: DatabaseConfig | None = None,
) -> TradingNodeConfig:
    """Return the configuration of a node, before an engine changes it.

    ``host`` is where the venue is, with a port if it has one.
    """
    return TradingNodeConfig(
        trader_id=TraderId(trader_id),
        cache=CacheConfig(database=database or DatabaseConfig(type="redis")),
        exec_engine=LiveExecEngineConfig(
            reconciliation=True,
            reconciliation_lookback_mins=spec.reconciliation_lookback_mins,
            **options_of(LiveExecEngineConfig, spec.exec_engine),
        ),
        # Instruments are those of a venue, so each account has a client for its own.
        data_clients={
            access.venue: BinanceDataClientConfig(**_reach(spec, access, host))
            for access in accesses
        },
        exec_clients=_exec_clients(spec, accesses, host),
        timeout_post_stop=POST_STOP_SECS,
    )


def _reach(spec: NodeSpec, access: Access, host: str) -> dict[str, Any]:
    """Return what clients for data and for orders are told alike."""
    return {
        "venue": Venue(access.venue),
        "api_key": access.key.api_key,
        "api_secret": access.key.api_secret,
        "account_type": BinanceAccountType.USDT_FUTURES,
        "base_url_http": f"http://{host}",
        "base_url_ws": f"ws://{host}",
        "instrument_provider": _instrument_provider(spec.instruments),
    }


def _exec_clients(
    spec: NodeSpec, accesses: Sequence[Access], host: str
) -> dict[str, LiveExecClientConfig]:
    """Return the configurations of the execution clients, by their names."""
    broker = spec.broker
    if broker is None:
        options = options_of(BinanceExecClientConfig, spec.exec_client)
        return {
            access.venue: BinanceExecClientConfig(
                **_reach(spec, access, host) | _addresses(host),
                # The adapter refuses to connect to a hedge mode account otherwise.
                **{"use_reduce_only": not access.is_hedged(), **options},
            )
            for access in accesses
        }
    routing = (
        RoutingConfig(default=True)
        if broker.default
        else RoutingConfig(venues=frozenset({BINANCE}))
    )
    [access] = accesses
    return {
        broker.venue: BrokerExecClientConfig(
            api_key=access.key.api_key,
            api_secret=access.key.api_secret,
            base_url_http=f"http://{host}",
            base_url_ws=f"ws://{host}",
            positions=broker.positions,
            routing=routing,
        )
    }


def _addresses(host: str) -> dict[str, str]:
    """Return where an execution client finds its streams, and the WebSocket API if it knows it."""
    if "base_url_ws_stream" not in BinanceExecClientConfig.__struct_fields__:
        return {}
    return {"base_url_ws": f"ws://{host}{WS_API_PATH}", "base_url_ws_stream": f"ws://{host}"}


def options_of(config: type[NautilusConfig], written: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of a configuration as NautilusTrader wants them: ids, not text.

    Raises `msgspec.ValidationError` when a value is none of its option.
    """
    if not written:
        return {}
    kinds = {field.name: field.type for field in fields(config)}  # takes a millisecond
    return {
        name: convert(value, kinds[name], dec_hook=msgspec_decoding_hook)
        for name, value in written.items()
    }


def _instrument_provider(instruments: tuple[str, ...] | None) -> InstrumentProviderConfig:
    if instruments is None:
        return InstrumentProviderConfig(load_all=True)
    load_ids = frozenset(map(InstrumentId.from_str, instruments))
    return InstrumentProviderConfig(load_ids=load_ids)


def assemble(
    config: TradingNodeConfig,
    strategies: Sequence[str],
    claims: Mapping[str, Sequence[str]],
    loop: asyncio.AbstractEventLoop,
) -> TradingNode:
    """Return a built node with the strategies of a scenario."""
    node = TradingNode(config=config, loop=loop)
    for strategy_id in strategies:
        name, _, tag = strategy_id.rpartition("-")
        claimed = [InstrumentId.from_str(claim) for claim in claims.get(strategy_id, ())]
        node.trader.add_strategy(
            TimelineStrategy(
                StrategyConfig(
                    strategy_id=name,
                    order_id_tag=tag,
                    external_order_claims=claimed or None,
                    log_events=False,
                    log_commands=False,
                ),
            ),
        )
    for name in config.data_clients:
        node.add_data_client_factory(name, BinanceLiveDataClientFactory)
    for name, client in config.exec_clients.items():
        is_broker = isinstance(client, BrokerExecClientConfig)
        factory = BrokerExecClientFactory if is_broker else BinanceLiveExecClientFactory
        node.add_exec_client_factory(name, factory)
    node.build()
    return node
