"""What a file means once it is read."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from msgspec import UNSET

from sim.scenario import ScenarioError, load, loads, loads_action
from sim.scenario import actions as a
from sim.scenario import model as m

SECOND_NS = 1_000_000_000


def scenario(timeline: str = "", **sections: str) -> m.Scenario:
    """A scenario of two symbols with these records and these sections."""
    given = {"title": "t", "shows": "crash", "venue": "{symbols: [BTCUSDT, ETHUSDT]}", **sections}
    records = "".join(f"\n  - {line}" for line in dedent(timeline).strip().splitlines())
    body = "".join(f"{word}: {value}\n" for word, value in given.items())
    return loads(f"format: 1\n{body}timeline: {records or '[]'}\n")


def action(record: str, before: str = "", **sections: str) -> Any:
    """The action of one record."""
    return scenario(f"{before}\n{record}", **sections).timeline[-1].action


def test_a_whole_file() -> None:
    text = dedent("""\
        # A comment.
        format: 1
        title: A warm restart
        story: >
          Told over
          two lines.
        reference: G1
        shows: phantom-fill
        seed: 7
        venue: {symbols: [BTCUSDT], prices: {BTCUSDT: "50000"}, latency_ms: [5, 25]}
        node:
          claims: {S-002: [BTCUSDT-PERP.BINANCE]}
          exec_engine: {open_check_open_only: false}
        timeline:
          - {at: -1h, price: {price: "49000"}}
          - {at: 1s,  submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
          - at: 60s
            note: the end
            restart: {cache: lost}
        expect:
          venue_position: {BTCUSDT: "-1"}
          adjustments: [{symbol: BTCUSDT, quantity: "1.5"}]
        known: {stock: {fails: [phantom-fill], versions: "<2"}}
        """)

    read = loads(text, "scenarios/x.yaml")

    assert read == m.Scenario(
        title="A warm restart",
        story="Told over two lines.",
        reference="G1",
        shows="phantom-fill",
        seed=7,
        venue=m.Venue(symbols=("BTCUSDT",), prices={"BTCUSDT": Decimal(50000)}, latency_ms=(5, 25)),
        node=m.Node(
            claims={"S-002": ("BTCUSDT-PERP.BINANCE",)},
            strategies=("S-001", "S-002"),
            exec_engine={"open_check_open_only": False},
        ),
        timeline=(
            m.Record(
                at_ns=-3600 * SECOND_NS,
                action=a.SetPrice(symbol="BTCUSDT", price=Decimal(49000)),
            ),
            m.Record(
                at_ns=SECOND_NS,
                action=a.Submit(
                    id="O-1",
                    side="BUY",
                    quantity=Decimal(1),
                    price=Decimal(50000),
                    symbol="BTCUSDT",
                    strategy="S-001",
                ),
            ),
            m.Record(at_ns=60 * SECOND_NS, action=a.Restart(cache="lost"), note="the end"),
        ),
        expect=m.Expect(
            venue_position={"BTCUSDT": {"BOTH": Decimal(-1)}},
            adjustments=(m.Adjustment(symbol="BTCUSDT", quantity=Decimal("1.5")),),
        ),
        known={"stock": (m.Known(fails=("phantom-fill",), versions="<2"),)},
    )
    assert read.name == "scenarios/x.yaml"
    assert [read.line(index) for index in range(3)] == [15, 16, 17]


def test_defaults() -> None:
    read = scenario()

    assert read.seed == 1
    assert read.venue.position_mode == "one-way"
    assert read.venue.balances == {"USDT": Decimal(100000)}
    assert read.node.strategies == ("S-001",)
    assert read.node.reconciliation_interval_secs == 300
    assert read.node.reconciliation_lookback_mins is None
    assert read.node.open_check_interval_secs is UNSET
    assert read.expect == m.Expect()
    assert read.known == {}


SWITCHES = """
format: 1
title: The mode changes
shows: crash
venue: {symbols: [BTCUSDT]}
timeline:
  - {at: 1s, submit: {id: A, side: BUY, quantity: "1", type: MARKET}}
  - {at: 2s, position_mode: {mode: hedge}}
  - {at: 3s, submit: {id: B, side: BUY, quantity: "1", type: MARKET, position_side: LONG}}
  - {at: 4s, submit: {id: C, side: SELL, quantity: "1", type: MARKET}}
  - {at: 5s, submit: {id: D, side: SELL, quantity: "1", type: MARKET, reduce_only: true}}
expect:
  venue_position: {BTCUSDT: {LONG: "1", SHORT: "0", BOTH: "0"}}
"""


def test_after_a_switch_both_modes_can_be_meant() -> None:
    assert len(loads(SWITCHES).timeline) == 5


def test_before_a_switch_only_the_first_mode_can_be_meant() -> None:
    sooner = SWITCHES.replace("id: A,", "id: A, position_side: LONG,")

    with pytest.raises(ScenarioError, match=r"7:\d+: one-way mode has no LONG leg"):
        loads(sooner)


def test_null_is_off_and_not_the_default() -> None:
    node = scenario(node="{open_check_interval_secs: null}").node

    assert node.open_check_interval_secs is None
    assert node.position_check_interval_secs is UNSET


def test_a_file_is_named_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "restart").mkdir()
    (tmp_path / "restart" / "x.yaml").write_text(
        "format: 1\r\ntitle: t\r\nshows: crash\r\nvenue: {symbols: [BTCUSDT]}\r\ntimeline: []\r\n"
    )
    monkeypatch.chdir(tmp_path)

    assert load("restart/x.yaml").name == "restart/x.yaml"


def test_orders_go_to_the_first_symbol_by_the_first_strategy() -> None:
    submit = '{at: 0s, submit: {id: O-1, side: SELL, quantity: "1", type: MARKET}}'

    order = action(submit, node="{strategies: [S-007, S-001]}")

    assert (order.symbol, order.strategy, order.price) == ("BTCUSDT", "S-007", None)


def test_legs_in_hedge_mode() -> None:
    read = scenario(
        '{at: 0s, web_submit: {id: W, side: BUY, quantity: "1", price: "1", position_side: SHORT}}',
        venue="{symbols: [BTCUSDT], position_mode: hedge}",
        expect='{venue_position: {BTCUSDT: {LONG: "1", SHORT: "-2"}}}',
    )

    order = read.timeline[0].action
    assert isinstance(order, a.WebSubmit)
    assert order.position_side == "SHORT"
    assert read.expect.venue_position == {"BTCUSDT": {"LONG": Decimal(1), "SHORT": Decimal(-2)}}


def test_known_may_be_a_list() -> None:
    entries = '[{fails: [crash], versions: "<1.231"}, {fails: [stopped, crash]}]'

    known = scenario(known=f"{{stock: {entries}}}").known

    assert known["stock"] == (
        m.Known(fails=("crash",), versions="<1.231"),
        m.Known(fails=("stopped", "crash")),
    )


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("stop: {}", a.Stop()),
        ("kill: {}", a.Kill()),
        ("restart: {}", a.Restart(cache="kept", by="stop", down_ns=SECOND_NS)),
        ("restart: {by: kill, down: 0s}", a.Restart(by="kill", down_ns=0)),
        ("disconnect: {for: 20s}", a.Disconnect(for_ns=20 * SECOND_NS)),
        ("drop_event: {}", a.DropEvent()),
        (
            "duplicate_event: {execution: TRADE, copies: 2, by: 3s}",
            a.DuplicateEvent(execution="TRADE", copies=2, by_ns=3 * SECOND_NS),
        ),
        (
            "delay_event: {event: ACCOUNT_UPDATE, symbol: ETHUSDT, by: 1ms}",
            a.DelayEvent(event="ACCOUNT_UPDATE", symbol="ETHUSDT", by_ns=1_000_000),
        ),
        (
            "fail_request: {path: /fapi/v1/order, status: 503, code: -1007, applied: before}",
            a.FailRequest(path="/fapi/v1/order", status=503, code=-1007, applied="before"),
        ),
        (
            "fail_request: {method: GET, path: /fapi/v1/time, status: 429, for: 1s}",
            a.FailRequest(method="GET", path="/fapi/v1/time", status=429, for_ns=SECOND_NS),
        ),
        ("lag_reads: {by: 2s, for: 1m}", a.LagReads(by_ns=2 * SECOND_NS, for_ns=60 * SECOND_NS)),
        (
            "lag_reads: {reads: [order], by: 2s, for: 1m}",
            a.LagReads(reads=("order",), by_ns=2 * SECOND_NS, for_ns=60 * SECOND_NS),
        ),
    ],
)
def test_actions(record: str, expected: a.Action) -> None:
    assert action(f"{{at: 5s, {record}}}") == expected


SUBMIT = '{at: 1s, submit: {id: O-1, side: BUY, quantity: "1", price: "1"}}\n'


@pytest.mark.parametrize(
    "records",
    [
        pytest.param("{at: 1s, stop: {}}\n{at: 1s, start: {}}\n{at: 1s, kill: {}}", id="at-once"),
        pytest.param(
            "{at: 1s, restart: {down: 1m}}\n{at: 61s, restart: {down: 0s}}\n{at: 61s, stop: {}}",
            id="after-a-restart",
        ),
        pytest.param(
            SUBMIT + "{at: 2s, kill: {}}\n{at: 3s, web_cancel: {order: O-1}}", id="by-hand"
        ),
        pytest.param("{at: 0s, drop_event: {order: O-1}}\n" + SUBMIT, id="fault-lies-in-wait"),
        pytest.param(
            "{at: 0s, restart: {by: kill, point: after write 9, cache: torn, order: O-1, "
            "keep: 1}}\n" + SUBMIT,
            id="kill-lies-in-wait",
        ),
        pytest.param(
            SUBMIT
            + '{at: 1s, fill: {order: O-1, quantity: "0.9"}}\n'
            + '{at: 1s, fill: {order: O-1, quantity: "0.1", price: "2"}}',
            id="fills-up-to-the-quantity",
        ),
        pytest.param(
            "{at: -2d, lag_reads: {by: 1s, for: 1s}}\n" + SUBMIT.replace("1s", "0s"),
            id="before-the-start",
        ),
    ],
)
def test_stories_that_can_happen(records: str) -> None:
    assert scenario(records).timeline


def test_reading_needs_no_nautilus_trader() -> None:
    """A hundred files are read in less time than that import takes."""
    code = (
        "import sys; from sim.scenario import loads; "
        "loads('format: 1\\ntitle: t\\nshows: crash\\nvenue: {symbols: [BTCUSDT]}\\n"
        "timeline: []\\n'); "
        "sys.exit('nautilus_trader' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


SEVERAL = """
format: 1
title: Several
shows: crash
venue:
  symbols: [BTCUSDT]
  position_mode: hedge
  balances: {USDT: "5"}
  accounts: {second: {position_mode: one-way, keys: [b, a]}, hedged: {balances: {USDT: "7"}}}
nodes:
  B: {account: hedged, strategies: [S-009]}
  A: {account: second, key: a, starts: 3s}
timeline:
"""


def several(*records: str, head: str = SEVERAL) -> m.Scenario:
    told = "".join(f"\n  - {record}" for record in records) or " []"
    return loads(f"{head.rstrip()}{told}\n")


def test_accounts_are_as_the_venue_unless_they_say_otherwise() -> None:
    venue = several('{at: 1s, price: {price: "1"}}').venue

    assert list(venue.each_account) == ["hedged", "second"]
    assert venue.each_account["second"] == ("one-way", {"USDT": Decimal(5)}, ("b", "a"))
    assert venue.each_account["hedged"] == ("hedge", {"USDT": Decimal(7)}, ("hedged",))


def test_a_record_means_the_first_node_and_the_main_account() -> None:
    by_default, by_name = several(
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "1", price: "1"}}',
        '{at: 6s, submit: {id: O-2, side: BUY, quantity: "1", price: "1", node: B, '
        "position_side: LONG}}",
    ).timeline
    scenario = several()

    assert list(scenario.each_node) == ["A", "B"]
    assert (by_default.action.node, by_default.action.strategy) == ("A", "S-001")
    assert (by_name.action.node, by_name.action.strategy) == ("B", "S-009")
    assert [scenario.account_of_order(r.action) for r in (by_default, by_name)] == [
        "second",
        "hedged",
    ]
    # No account is called main, so it is the first by name.
    [transfer] = several('{at: 5s, transfer: {amount: "1"}}').timeline
    assert transfer.action.account == "hedged"


def test_one_node_and_one_account_need_no_name() -> None:
    read = scenario()

    assert list(read.each_node) == ["A"]
    assert list(read.venue.each_account) == ["main"]
    assert read.venue.each_account["main"].keys == ("main",)
    assert read.accounts_of("A") == ("main",)


def test_an_action_alone_means_what_it_means_in_a_record() -> None:
    [record] = several('{at: 5s, transfer: {amount: "1"}}').timeline
    setting = several('{at: 5s, transfer: {amount: "1"}}').setting

    assert loads_action('transfer: {amount: "1"}', setting) == record.action


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fil: {}", "unknown action 'fil'; did you mean 'fill'?"),
        ('at: 1s\nfill: {order: O-1, quantity: "1"}', "an action by itself has no 'at'"),
        ('fill: {order: O-1, quantity: "-1"}', "quantity must be a positive decimal"),
    ],
)
def test_an_action_alone_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads_action(text, scenario().setting)
    assert message in str(caught.value)
