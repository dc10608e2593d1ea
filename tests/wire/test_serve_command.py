"""The command ``recon serve``: where it listens, what it says, and how it ends."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result

from sim.cli import main
from sim.serve import cli

ROOT = Path(__file__).parents[2]
PATIENCE_SECS = 20


def serve(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["serve", *arguments])


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port at which somebody listens already."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Return what would have been served, and serve nothing."""
    found: list[tuple[Any, ...]] = []

    async def nothing(*arguments: Any) -> None:
        found.append(arguments)

    monkeypatch.setattr(cli, "_serve", nothing)
    return found


def test_it_listens_on_this_machine_alone(
    asked: list[tuple[Any, ...]], caplog: pytest.LogCaptureFixture
):
    assert serve().exit_code == 0
    [(_, _, host, port, latency_ms)] = asked
    assert (host, port, latency_ms) == ("127.0.0.1", 8765, 0)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("host", "is_open"),
    [
        ("localhost", False),
        ("127.0.0.2", False),
        ("::1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.0.2.1", True),
        ("example.org", True),
    ],
)
def test_it_warns_where_others_can_reach_it(
    asked: list[tuple[Any, ...]], caplog: pytest.LogCaptureFixture, host: str, is_open: bool
):
    assert serve("--host", host).exit_code == 0
    assert asked[0][2] == host
    assert ("can be reached from other machines" in caplog.text) is is_open


def test_a_port_that_is_taken(taken: int):
    result = serve("--port", str(taken), "-q")

    assert result.exit_code == 1
    assert result.output == f"error: 127.0.0.1:{taken} cannot be had: Address already in use\n"


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_there_is_not(port: str):
    assert serve("--port", port).exit_code == 2


@pytest.mark.parametrize("option", ["--listen-key", "--connection", "--ping", "--pong"])
@pytest.mark.parametrize("time", ["0s", "-5s", "5"])
def test_a_time_that_is_none(asked: list[tuple[Any, ...]], option: str, time: str):
    assert serve(option, time).exit_code == 2
    assert asked == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file or directory"),
        ("", "the file is empty"),
        ("format: 1\n", "title"),
        ("[" * 50, ""),
        ("\xff", ""),
    ],
    ids=["none", "empty", "no title", "no mapping", "no text"],
)
def test_a_file_that_is_no_scenario(tmp_path: Path, text: str | None, said: str):
    path = tmp_path / "s.yaml"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    result = serve(str(path))

    assert result.exit_code == 2
    assert re.fullmatch(r"error: .*\n", result.output), result.output
    assert said in result.output


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Start the command as a process of its own; return it with its address."""
    command = [sys.executable, "-W", "error", "-m", "sim", "serve", "--port", "0", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_SECS):
            first = (await process.stdout.readline()).decode()
            found = re.match(r"A fake Binance USD-M at http://(127\.0\.0\.1:\d+) with BTC", first)
            assert found is not None, first
            yield process, found[1]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_it_is_interrupted(real_time: None, number: signal.Signals):
    async with (
        started() as (process, at),
        aiohttp.ClientSession() as session,
        session.get(f"http://{at}/fapi/v1/time") as reply,
        session.ws_connect(f"ws://{at}/ws") as ws,
        session.ws_connect(f"ws://{at}/ws-fapi/v1") as ws_api,
    ):
        assert reply.status == 200
        process.send_signal(number)

        for each in (ws, ws_api):
            message = await each.receive(timeout=PATIENCE_SECS)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        _, log = await process.communicate()
        assert process.returncode == 0
        assert log == b""
