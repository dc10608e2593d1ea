"""What all tests share: async tests run on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from sim.clock import VirtualLoop


def pytest_asyncio_loop_factories(
    config: Any,
    item: Any,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give every async test a loop of its own whose time is virtual."""
    return {"virtual": VirtualLoop}
