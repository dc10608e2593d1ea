"""The lines that ``recon serve`` prints for NautilusTrader make a node that trades there.

The node is a process of its own, with nothing but those lines and one strategy.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.wire.over_sockets import OverSockets
from tests.wire.printed import printed

PATIENCE_SECS = 60
"""How long a node may take until it is filled, on a machine with much else to do."""

STRATEGY = """
import os

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId, PositionId
from nautilus_trader.trading.strategy import Strategy


class Buyer(Strategy):
    def on_start(self):
        instrument = self.cache.instrument(InstrumentId.from_str("BTCUSDT-PERP.BINANCE"))
        order = self.order_factory.market(instrument.id, OrderSide.BUY, instrument.make_qty(2))
        leg = PositionId(f"{instrument.id}-LONG") if IS_HEDGED else None
        self.submit_order(order, position_id=leg)

    def on_order_filled(self, event):
        # At once and on a line of its own, whatever the log of another thread writes meanwhile.
        told = f"\\nfilled: {event.trade_id} {event.last_qty} {event.last_px}\\n"
        os.write(1, told.encode())


node.trader.add_strategy(Buyer())
node.build()
node.run()
"""


async def until_filled(node: asyncio.subprocess.Process) -> list[str]:
    """Return what a node has said until it is filled; fails with that if it never is."""
    assert node.stdout is not None
    said: list[str] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECS):
            async for line in node.stdout:
                said.append(line.decode())
                if said[-1].startswith("filled: "):
                    return said
    pytest.fail("".join(said))


HEDGED = "position_mode: hedge"


@pytest.mark.parametrize(
    ("words", "leg"),
    [
        pytest.param("", "BOTH", marks=pytest.mark.venue("")),
        pytest.param(HEDGED, "LONG", marks=pytest.mark.venue(HEDGED)),
    ],
    ids=["one-way", "hedge"],
)
async def test_a_node_of_the_printed_lines_trades(
    served: OverSockets, tmp_path: Path, words: str, leg: str
):
    script = tmp_path / "node.py"
    lines = printed("NautilusTrader", served.at, words)
    script.write_text(f"{lines}\nIS_HEDGED = {leg != 'BOTH'}\n{STRATEGY}")
    node = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said = await until_filled(node)
    finally:
        node.kill()
        await node.communicate()

    truth = (await served.http.get("/sim/truth")).json()
    [trade], [position] = truth["trades"], truth["positions"]
    assert said[-1].split() == ["filled:", str(trade["trade_id"]), "2.000", "50000.00"]
    assert (position["quantity"], position["position_side"]) == ("2.000", leg)
    assert "binance.com" not in "".join(said)
