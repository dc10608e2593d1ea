"""The print, as it looks to a reader."""

from __future__ import annotations

from decimal import Decimal
from textwrap import dedent

import pytest

from sim.scenario import dump, loads
from sim.scenario.dump import format_decimal

CANONICAL = [
    """\
    format: 1
    title: Ends in the midst of it, at a broker
    shows: fill-lost
    venue: {symbols: [BTCUSDT]}
    node: {broker: {venue: IB, positions: empty}}
    timeline:
      - {at: 0s, garble_reply: {path: "/fapi/v1/openOrders", skip: 2}}
      - {at: 1s, kill: {point: "after write 1 of orders:O-1"}}
      - {at: 2s, start: {}}
      - {at: 3s, restart: {by: kill, point: before reply 2 of nt GET /fapi/v1/userTrades}}
      - {at: 4s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000", on_start: true}}
      - {at: 5s, hide_trades: {order: O-1, for: 20s, reads: [userTrades]}}
    """,
    """\
    format: 1
    title: Nothing happens
    shows: crash
    venue: {symbols: [BTCUSDT]}
    timeline: []
    """,
    """\
    format: 1
    title: A warm restart after a fill, and nothing is invented
    story: |
      The node buys one coin and is restarted.

        What it knew before it must not learn again.
    reference: "#4736"
    shows: phantom-fill
    seed: 7
    venue: {symbols: [BTCUSDT]}
    node: {claims: {S-001: [BTCUSDT-PERP.BINANCE]}, open_check_interval_secs: null}
    timeline:
      - {at: -1d, web_submit: {id: W-1, side: SELL, quantity: "0.5", type: MARKET}}
      - {at: 1s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000.5"}}
      - {at: 5s, fill: {order: O-1, quantity: "1", maker: false}, note: all at once}
      - {at: 1m, restart: {}}
      - {at: 2m, lag_reads: {reads: [userTrades], by: 250ms, for: 20s}}
      - {at: 1h30m, stop: {}}
    expect: {venue_position: {BTCUSDT: "0.5"}, adjustments: [{symbol: BTCUSDT, quantity: "-1"}]}
    known: {stock: {fails: [phantom-fill, position-mismatch], versions: ">=1.222,<=1.231"}}
    """,
    """\
    format: 1
    title: Two legs
    shows: position-mismatch
    venue:
      position_mode: hedge
      symbols: [BTCUSDT, ETHUSDT]
      prices: {BTCUSDT: "50000", ETHUSDT: "2500"}
      balances: {BNB: "1", USDT: "1000"}
      latency_ms: [5, 25]
    node:
      strategies: [S-002]
      reconciliation_interval_secs: 0.5
      reconciliation_lookback_mins: 1440
      inflight_check_interval_ms: 2000
      exec_engine: {filtered_client_order_ids: ["on", O-1], open_check_open_only: false}
      exec_client: {max_retries: 2, use_trade_lite: true}
    timeline:
      - {at: 1s, submit: {id: O-1, side: BUY, quantity: "1", price: "1", position_side: LONG}}
    expect: {venue_position: {BTCUSDT: {LONG: "1", SHORT: "-1"}}}
    known:
      "package.module:engine": [{fails: [position-mismatch]}, {fails: [position-mismatch, crash]}]
      stock: {fails: [position-mismatch], versions: "==1.231.*"}
      stock-defaults: {fails: [position-mismatch]}
    """,
]


@pytest.mark.parametrize("text", CANONICAL, ids=["new words", "least", "story", "hedge"])
def test_a_canonical_file_prints_as_itself(text: str) -> None:
    text = dedent(text)

    assert dump(loads(text)) == text


def test_what_goes_without_saying_is_not_printed() -> None:
    wordy = dedent("""\
        known: {}
        format: 1
        timeline:
        - at: 60s
          restart: {cache: "kept", by: stop, down: 1000ms}
        - {fail_request: {path: /fapi/v1/time, status: 503, applied: never}, at: 60s}
        expect: {}
        node: {strategies: [S-001, S-002], claims: {S-002: [BTCUSDT-PERP.BINANCE]}}
        venue: {symbols: [BTCUSDT], position_mode: one-way, balances: {USDT: "100000.00"}}
        seed: 1
        shows: crash
        title: '  Said at length '
        """)

    assert dump(loads(wordy)) == dedent("""\
        format: 1
        title: Said at length
        shows: crash
        venue: {symbols: [BTCUSDT]}
        node: {claims: {S-002: [BTCUSDT-PERP.BINANCE]}}
        timeline:
          - {at: 1m, restart: {}}
          - {at: 1m, fail_request: {path: "/fapi/v1/time", status: 503}}
        """)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1", "1"),
        ("1.50", "1.5"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("1E-8", "0.00000001"),
        ("-0.0", "0"),
        ("-2.0", "-2"),
    ],
)
def test_decimals_are_printed_plainly(value: str, text: str) -> None:
    assert format_decimal(Decimal(value)) == text
