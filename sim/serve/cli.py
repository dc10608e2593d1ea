"""The command ``recon serve``."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from sim.loops import RealTime
from sim.scenario import Scenario, ScenarioError, load, loads
from sim.scenario.durations import parse_duration
from sim.serve.control import NAME, Control
from sim.serve.house import House
from sim.serve.how_to import how_to
from sim.transport.wire import LOG, WireServer
from sim.venue import VenueConfig
from sim.venue.config import known_symbols
from sim.venue_setup import venue_config

USAGE_ERROR = 2

SCENARIO = """\
format: 1
title: A venue for whoever comes
shows: crash
venue: {{symbols: [{symbols}]}}
timeline: []
"""


class Time(click.ParamType[int]):
    """A duration of more than nothing in the words of scenarios, in nanoseconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            duration_ns = value if isinstance(value, int) else parse_duration(value)
        except ValueError as e:
            self.fail(str(e), param, ctx)
        if duration_ns <= 0:
            self.fail(f"{value!r} is no time at all", param, ctx)
        return duration_ns


@click.command("serve")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="On which port; 0 is one that is free.",
)
@click.option("--latency-ms", type=click.IntRange(min=0), default=0, help="Added to each way.")
@click.option("--listen-key", type=Time(), metavar="TIME", help="How long a listen key is valid.")
@click.option("--connection", type=Time(), metavar="TIME", help="How long a stream may stand.")
@click.option("--ping", type=Time(), metavar="TIME", help="How often a stream is pinged.")
@click.option("--pong", type=Time(), metavar="TIME", help="How long a pong is waited for.")
@click.option("-q", "--quiet", is_flag=True, help="Log nothing.")
def serve_command(
    file: Path | None,
    host: str,
    port: int,
    latency_ms: int,
    listen_key: int | None,
    connection: int | None,
    ping: int | None,
    pong: int | None,
    quiet: bool,
) -> None:
    """Serve a fake Binance USD-M for anybody's client, until it is interrupted.

    REST, user data streams and the WebSocket API are on one port, in real time.  With FILE, a
    scenario, the venue is that of the file; its timeline is not played.  What happens there is
    up to whoever asks for it below /sim.
    """
    try:
        scenario = (
            load(file) if file else loads(SCENARIO.format(symbols=", ".join(known_symbols())))
        )
    except (ScenarioError, OSError) as e:
        click.echo(f"error: {e}", err=True)
        sys.exit(USAGE_ERROR)
    given = {
        "listen_key_validity_ns": listen_key,
        "connection_life_ns": connection,
        "ping_interval_ns": ping,
        "pong_timeout_ns": pong,
    }
    config = msgspec.structs.replace(
        venue_config(scenario.venue), **{name: ns for name, ns in given.items() if ns is not None}
    )
    level = logging.CRITICAL if quiet else logging.INFO
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(message)s")
    if not _is_loopback(host):
        LOG.warning("%s can be reached from other machines; the keys are no secret", host)
    asyncio.run(_serve(scenario, config, host, port, latency_ms))


async def _serve(
    scenario: Scenario, config: VenueConfig, host: str, port: int, latency_ms: int
) -> None:
    loop = asyncio.get_running_loop()
    time = RealTime(loop)
    house = House(time, scenario, config, (latency_ms, latency_ms))
    server = WireServer(
        house.network, pings=(config.ping_interval_ns / 1e9, config.pong_timeout_ns / 1e9)
    )
    try:
        port = await server.listen(host, port, controls={NAME: Control(house, time).answer})
    except OSError as e:
        await server.close()
        reason = os.strerror(e.errno) if e.errno is not None and e.errno > 0 else e
        click.echo(f"error: {host}:{port} cannot be had: {reason}", err=True)
        sys.exit(1)
    click.echo(how_to(host, port, config))
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
    await server.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
