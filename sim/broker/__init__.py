"""A broker: an execution client whose venue is not that of the instruments that it trades.

Interactive Brokers routes to NASDAQ and NYSE, and its client's venue is neither.  The
adapter of Binance cannot tell such a story (it builds every instrument id with its own
venue), so this is one of a broker that routes to Binance: the account is at the fake
venue, the instruments are those of the Binance data client, and the client, its account
and its reports carry a venue of their own.

It is a plain adapter, as the guide to adapters has it: requests over NautilusTrader's
HTTP client, events from the stream, and reports that say what the venue says.  A report
that cannot be had raises.  After a reconnection it does not look for what it missed; the
engine's checks have to.  History reaches seven days back.

How it answers for positions is a parameter, for that is where adapters differ:

* ``answers``: what is held, and FLAT for an instrument that is asked for and not held;
* ``empty``: no position, ever, as an adapter that swallows its errors;
* ``fails``: it raises.
"""

from __future__ import annotations

from sim.broker.client import BrokerExecClientFactory, BrokerExecutionClient, PositionsUnavailable
from sim.broker.config import BrokerExecClientConfig

__all__ = [
    "BrokerExecClientConfig",
    "BrokerExecClientFactory",
    "BrokerExecutionClient",
    "PositionsUnavailable",
]
