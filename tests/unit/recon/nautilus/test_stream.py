"""A stream that was given up is opened again, and nothing of a failed try is left open."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.common.component import Logger

from recon.nautilus.stream import StreamWatch


class Stream:
    """The adapter's object for the stream, as far as it is used."""

    def __init__(self) -> None:
        self._is_recovery_failed = True
        self._stream_client: Any = None
        self.opened = 0
        self.failing = ""
        self.closing_fails = False

    async def connect(self) -> None:
        self._is_recovery_failed = False
        self.opened += 1
        self._fail("connect")

    async def session_logon(self) -> None:
        self._fail("session_logon")

    async def subscribe_user_data_stream(self) -> None:
        self._fail("subscribe_user_data_stream")

    async def disconnect(self) -> None:
        self.opened -= 1
        if self.closing_fails:
            raise RuntimeError("disconnect")

    def _fail(self, what: str) -> None:
        if self.failing == what:
            raise RuntimeError(what)


class Client:
    def __init__(self) -> None:
        self._ws_client = Stream()


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def watch(client: Client) -> StreamWatch:
    return StreamWatch(client, Logger("test"), revives=True)


async def test_a_stream_that_was_given_up_is_opened_again(client: Client, watch: StreamWatch):
    assert watch.is_dead
    assert await watch.revive(0)
    assert not watch.is_dead
    assert client._ws_client.opened == 1


@pytest.mark.parametrize("failing", ["connect", "session_logon", "subscribe_user_data_stream"])
async def test_a_failed_try_is_undone_and_repeated_later(
    client: Client, watch: StreamWatch, failing: str
):
    client._ws_client.failing = failing

    assert not await watch.revive(0)
    assert watch.is_dead
    assert client._ws_client.opened == 0

    client._ws_client.failing = ""
    assert not await watch.revive(999_999_999)
    assert await watch.revive(1_000_000_000)
    assert client._ws_client.opened == 1


async def test_that_it_cannot_be_undone_does_not_keep_it_from_another_try(
    client: Client, watch: StreamWatch
):
    client._ws_client.failing = "session_logon"
    client._ws_client.closing_fails = True

    assert not await watch.revive(0)
    client._ws_client.failing = ""
    assert await watch.revive(1_000_000_000)
