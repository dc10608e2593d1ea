"""How the broker is reached, and how it answers."""

from __future__ import annotations

from typing import Literal

from nautilus_trader.config import LiveExecClientConfig

type Positions = Literal["answers", "empty", "fails"]


class BrokerExecClientConfig(LiveExecClientConfig, kw_only=True, frozen=True):  # type: ignore[misc, call-arg]
    """The configuration of the broker's client."""

    api_key: str
    api_secret: str
    base_url_http: str
    base_url_ws: str
    positions: Positions = "answers"
