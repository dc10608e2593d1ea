"""What all tests share: async tests run on virtual time, and no test is timed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import settings

from sim.clock import VirtualLoop

# By the name of its entry point, so that pytest has it once: an installed package
# brings it by itself, a checkout does not.
pytest_plugins = ["sim.pytest_plugin"]

# A deadline would make a verdict depend on how busy the machine is.
settings.register_profile(
    "untimed",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
)
settings.load_profile("untimed")


def pytest_asyncio_loop_factories(
    config: Any,
    item: Any,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give every async test a loop of its own whose time is virtual.

    What asks a Binance is asked once more over real sockets; what asks for one that is
    ``served``, or for ``real_time``, is about the sockets, and has no other time than theirs.
    """
    if {"served", "real_time"} & set(item.fixturenames):
        return {"sockets": asyncio.SelectorEventLoop}
    if "binance" in item.fixturenames:
        return {"virtual": VirtualLoop, "sockets": asyncio.SelectorEventLoop}
    return {"virtual": VirtualLoop}
