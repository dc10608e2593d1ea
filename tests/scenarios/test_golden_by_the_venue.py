"""Golden reactions of the released engine: what the user does by hand, and the venue by force."""

from __future__ import annotations

from golden import LEG, fills, logged, play, steps, trade_ids
from recon_node import judged, orders, positions

BUYS = '{at: 2s, submit: {id: O-1, side: BUY, quantity: "1", type: MARKET}}'
EXTERNAL = "BTCUSDT-PERP.BINANCE-EXTERNAL"


def test_n15_an_order_by_hand_is_known_by_its_trade():
    done = play(BUYS, '{at: 10s, web_submit: {id: W-1, side: BUY, quantity: "2", type: MARKET}}')
    [process] = done.observation.incarnations
    [_, fill] = fills(process)
    [_, trade] = done.observation.trades

    assert steps(process, "web_W-1") == [("Accepted", "ACCEPTED"), ("Filled", "FILLED")]
    assert (fill.trade_id, fill.commission) == (str(trade.trade_id), trade.commission)
    assert fill.position_id == LEG
    assert [order.strategy_id for order in process.final.orders] == ["S-001", "EXTERNAL"]
    assert positions(process.final) == {LEG: "3"}


LIQUIDATED = '{at: 10s, liquidate: {slices: ["0.4", "0.6"], price: "40000.05"}}'


def test_n16_a_liquidation_is_one_fill_that_nobody_made_and_closes_nothing():
    """Of NEW, a part and the rest only the last is heard, and it stands for all three."""
    done = play(BUYS, LIQUIDATED)
    [process] = done.observation.incarnations
    liquidation = done.observation.orders[-1]
    [_, made] = fills(process)

    assert liquidation.client_order_id.startswith("autoclose-")
    assert [str(trade.quantity) for trade in done.observation.trades[1:]] == ["0.4", "0.6"]
    assert steps(process, liquidation.client_order_id) == [
        ("Accepted", "ACCEPTED"),
        ("Filled", "FILLED"),
    ]
    assert (made.quantity, made.commission, made.position_id) == (1, 0, EXTERNAL)
    assert made.trade_id not in trade_ids(done)
    assert done.observation.positions == ()
    assert positions(process.final) == {LEG: "1", EXTERNAL: "-1"}
    assert orders(process.final)[liquidation.client_order_id] == ("FILLED", "1")
    assert {"fill-lost", "phantom-fill", "position-mismatch"} <= set(judged(done).violated)
    told = logged(BUYS, LIQUIDATED)
    assert told.count("Cannot find order for liquidation") == 2
    assert told.count("Rejecting fill that would cause overfill") == 1
