"""What is printed for whoever comes to a served venue: how clients are pointed at it.

The lines for NautilusTrader and ccxt are Python as it is run, and tests run them.
"""

from __future__ import annotations

from decimal import Decimal

from sim.serve.control import NAME
from sim.venue import VenueConfig
from sim.venue.config import AccountConfig
from sim.venue.ws_api import PATH as WS_API_PATH


def how_to(host: str, port: int, config: VenueConfig) -> str:
    """Return how clients are pointed at it."""
    where = f"[{host}]" if ":" in host else host
    at = f"{where}:{port}"
    keys = "\n".join(
        f"  {account.name}{', Ed25519' if key.key_type == 'ed25519' else ''}: "
        f"{key.api_key}, {key.api_secret}"
        for account in config.accounts
        for key in account.keys
    )
    account, symbol = config.accounts[0], config.symbols[0]
    price = symbol.price * Decimal("1.01")
    mode = account.position_mode or config.position_mode
    return f"""\
A fake Binance USD-M at http://{at} with {", ".join(symbol.name for symbol in config.symbols)}.
Its market is one price for each symbol, which moves when it is told to.  Market orders are filled
at once, limit orders when it is told to; streams of market data are accepted and say nothing.
Accounts, each with its API keys and secrets, which are made up:
{keys}

{_nautilus(at, account, is_hedged=mode == "hedge")}

{_ccxt(at, account)}

What happens there, with curl:
  curl http://{at}/{NAME}        lists all that can be asked for
  curl -d '{{fill: {{order: YOUR-CLIENT-ORDER-ID, quantity: "1"}}}}' http://{at}/{NAME}/act
  curl -d '{{price: {{symbol: {symbol.name}, price: "{price - price % symbol.tick_size:f}"}}}}' http://{at}/{NAME}/act
  curl http://{at}/{NAME}/truth
"""


def _nautilus(at: str, account: AccountConfig, *, is_hedged: bool) -> str:
    options = [f'base_url_ws="ws://{at}{WS_API_PATH}",', f'base_url_ws_stream="ws://{at}",']
    if is_hedged:
        options.append(
            "use_reduce_only=False,  # it connects to no account in hedge mode otherwise"
        )
    more = "\n".join(f"              {option}" for option in options)
    return f"""\
NautilusTrader; then add strategies to the node, build() and run() it:
  from nautilus_trader.adapters.binance import (
      BINANCE,
      BinanceAccountType,
      BinanceDataClientConfig,
      BinanceExecClientConfig,
      BinanceLiveDataClientFactory,
      BinanceLiveExecClientFactory,
  )
  from nautilus_trader.config import InstrumentProviderConfig, TradingNodeConfig
  from nautilus_trader.live.node import TradingNode
  venue = {{
      "account_type": BinanceAccountType.USDT_FUTURES,
      "api_key": "{account.api_key}",
      "api_secret": "{account.api_secret}",
      "base_url_http": "http://{at}",
      "instrument_provider": InstrumentProviderConfig(load_all=True),
  }}
  config = TradingNodeConfig(
      data_clients={{BINANCE: BinanceDataClientConfig(**venue, base_url_ws="ws://{at}")}},
      exec_clients={{
          BINANCE: BinanceExecClientConfig(
              **venue,
{more}
          )
      }},
  )
  node = TradingNode(config)
  node.add_data_client_factory(BINANCE, BinanceLiveDataClientFactory)
  node.add_exec_client_factory(BINANCE, BinanceLiveExecClientFactory)"""


def _ccxt(at: str, account: AccountConfig) -> str:
    return f"""\
ccxt, and its plain clients just so with ccxt or ccxt.async_support instead of ccxt.pro:
  import ccxt.pro
  api = {{
      f"fapi{{kind}}{{version}}": f"http://{at}/fapi/{{version.lower() or 'v1'}}"
      for kind in ("Public", "Private")
      for version in ("", "V2", "V3")
  }}
  api["ws"] = {{"linear": "ws://{at}/ws", "ws-api": {{"linear": "ws://{at}{WS_API_PATH}"}}}}
  exchange = ccxt.pro.binanceusdm({{
      "apiKey": "{account.api_key}",
      "secret": "{account.api_secret}",
      "options": {{"fetchCurrencies": False}},
  }})
  exchange.urls["api"] = api  # all there is: what is not here would be asked of Binance itself
  # It tells the errors of USD-M futures by the address, and this is another one.
  exchange.exceptions["exact"] |= exchange.exceptions["linear"]["exact"]"""
