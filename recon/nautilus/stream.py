"""The user data stream of the Binance client: whether it was interrupted, or is dead.

NautilusTrader's client tells nobody when it opens its stream again, except by a mass
status that may fail, and it gives the stream up for good after one failed request.  Its
object for the stream is looked at; where it is not what it was when this was written,
nothing is seen here and the periodic comparison has to do.
"""

from __future__ import annotations

import asyncio
from typing import Any

from nautilus_trader.common.component import Logger

LONGEST_PAUSE_NS = 60_000_000_000
REVIVE_WITHIN_SECS = 10.0
"""How long it may take to open a stream again."""


class StreamWatch:
    """Watches the stream of one client, and opens it again if it ``revives``."""

    def __init__(self, client: Any, log: Logger, *, revives: bool) -> None:
        self._stream: Any = getattr(client, "_ws_client", None)
        self._revives = revives
        self._log = log
        self._seen: Any = None
        self._due_ns = 0
        self._pause_ns = 1_000_000_000

    def was_interrupted(self) -> bool:
        """Whether the connection is another one than when this was called last."""
        connection = getattr(self._stream, "_stream_client", None)
        before, self._seen = self._seen, connection
        return before is not None and connection is not None and connection is not before

    @property
    def is_dead(self) -> bool:
        """Whether the client has given its stream up."""
        return bool(getattr(self._stream, "_is_recovery_failed", False))

    async def revive(self, now_ns: int) -> bool:
        """Try to open a stream again that was given up; with growing pauses."""
        if not self._revives or now_ns < self._due_ns:
            return False
        self._due_ns = now_ns + self._pause_ns
        self._pause_ns = min(self._pause_ns * 2, LONGEST_PAUSE_NS)
        self._log.error("the user data stream was given up; it is opened again")
        try:
            async with asyncio.timeout(REVIVE_WITHIN_SECS):
                await self._stream.connect()
                await self._stream.session_logon()
                await self._stream.subscribe_user_data_stream()
        except Exception as e:
            self._stream._is_recovery_failed = True
            self._log.error(f"the user data stream could not be opened: {e}")
            await self._undo()
            return False
        self._due_ns, self._pause_ns = 0, 1_000_000_000
        return True

    async def _undo(self) -> None:
        """Close what a failed try has opened: an Ed25519 key has a connection to log on to."""
        try:
            async with asyncio.timeout(REVIVE_WITHIN_SECS):
                await self._stream.disconnect()
        except Exception as e:
            self._log.warning(f"what was opened for the user data stream stays open: {e}")
