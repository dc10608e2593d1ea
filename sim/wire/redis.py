"""A `redis-server` of one's own, on a free port of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

PROGRAM = "redis-server"

START_SECS = 10.0
LOOK_SECS = 0.01


class NoRedis(RuntimeError):
    """There is no `redis-server` on this machine, or it does not start."""


def available() -> str | None:
    """Say why there can be no server, None when there can."""
    if shutil.which(PROGRAM) is None:
        return f"{PROGRAM} is not installed; on Debian: apt-get install {PROGRAM}"
    return None


class RedisServer:
    """One server; what it holds is kept over its own restarts, in a folder that goes with it."""

    def __init__(self) -> None:
        self.port = _free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="recon-redis-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that serves, None while there is none."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it and wait until it answers.  Raises `NoRedis`."""
        if (why := available()) is not None:
            raise NoRedis(why)
        log = Path(self._folder.name) / "redis.log"
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": self._folder.name,
            "save": "",
            "appendonly": "yes",
            "appendfsync": "no",
            "logfile": str(log),
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        # It must not outlive who started it, however that ends.
        leash = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        self._process = subprocess.Popen([*leash, PROGRAM, *words])  # noqa: S603 - our own words
        try:
            async with asyncio.timeout(START_SECS):
                while not self._answers():
                    if self._process.poll() is not None:
                        raise NoRedis(f"{PROGRAM} ended at once: {log.read_text()[-500:]}")
                    await asyncio.sleep(LOOK_SECS)
        except TimeoutError:
            raise NoRedis(f"{PROGRAM} does not answer within {START_SECS:g} s") from None

    def _answers(self) -> bool:
        with contextlib.suppress(RedisConnectionError), self.client() as client:
            return bool(client.ping())
        return False

    def client(self) -> Redis:
        """Return a client, to look at what is held."""
        return Redis(port=self.port)

    def forget(self) -> None:
        """Lose everything that is held."""
        with self.client() as client:
            client.flushall()

    def stop(self) -> None:
        """End it, in good order; what it holds is there when it is started again."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def dispose(self) -> None:
        """End it for good."""
        self.stop()
        self._folder.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
