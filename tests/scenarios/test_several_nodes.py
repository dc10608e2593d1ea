"""Several nodes in one story: what they share, and what is each one's own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sim import engines
from sim.observation import Incarnation
from sim.scenario import loads
from sim.world import Run, run

HEAD = """
format: 1
title: A test
shows: fill-lost
venue: {symbols: [BTCUSDT], accounts: {main: {keys: [one, two]}, second: {}}}
nodes:
  A: {reconciliation_interval_secs: 3600}
  B: {account: second, reconciliation_interval_secs: 3600}
timeline:
  - {at: 2s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 2s, submit: {id: O-2, side: BUY, quantity: "2", price: "50000", node: B}}
  - {at: 4s, fill: {order: O-1, quantity: "0.4"}}
  - {at: 4s, fill: {order: O-2, quantity: "0.5"}}
"""
SHARED = HEAD.replace("{account: second,", "{key: two,")


def play(*records: str, head: str = HEAD, engine: str = "stock-defaults", **options: Any) -> Run:
    text = head + "".join(f"  - {record}\n" for record in records)
    return run(loads(text, "test.yaml"), engines.load(engine), **options)


def lives(done: Run, node: str) -> list[Incarnation]:
    return [i for i in done.observation.incarnations if i.node == node]


def orders(state: Any) -> dict[str, tuple[str, str, str]]:
    return {o.client_order_id: (o.account, o.status, str(o.filled)) for o in state.orders}


def test_each_node_holds_what_its_own_account_has():
    done = play()
    [a], [b] = lives(done, "A"), lives(done, "B")

    assert orders(a.final) == {"O-1": ("main", "PARTIALLY_FILLED", "0.4")}
    assert orders(b.final) == {"O-2": ("second", "PARTIALLY_FILLED", "0.5")}
    assert [(p.account, str(p.quantity)) for p in a.final.positions] == [("main", "0.400")]
    assert [(p.account, str(p.quantity)) for p in b.final.positions] == [("second", "0.500")]


def test_each_node_has_a_cache_and_a_trader_id_of_its_own():
    done = play("{at: 10s, restart: {by: kill, node: B}}", "{at: 10s, restart: {cache: lost}}")
    first, second = lives(done, "A")[1], lives(done, "B")[1]

    assert first.loaded.orders == ()
    assert orders(second.loaded) == {"O-2": ("second", "PARTIALLY_FILLED", "0.5")}
    assert (first.lineage, second.lineage) == (1, 0)


@pytest.mark.parametrize("engine", ["stock-defaults", "recon"])
@pytest.mark.parametrize("head", [HEAD, SHARED], ids=["two-accounts", "one-account"])
def test_a_kill_ends_nothing_of_the_other_node(head: str, engine: str):
    fill = '{at: 20s, fill: {order: O-2, quantity: "0.25"}}'
    done = play("{at: 10s, kill: {}}", fill, head=head, engine=engine)
    [a], [b] = lives(done, "A"), lives(done, "B")

    assert a.ended == "killed"
    assert b.ended == "running"
    assert orders(b.final)["O-2"][1:] == ("PARTIALLY_FILLED", "0.75")
    assert b.events[-1].at_ns - b.started_ns < 20_100_000_000


def test_nodes_on_one_account_see_the_orders_of_each_other():
    done = play(head=SHARED, engine="recon")
    [a], [b] = lives(done, "A"), lives(done, "B")
    owners = [{o.client_order_id: o.strategy_id for o in i.final.orders} for i in (a, b)]

    assert owners == [{"O-1": "S-001", "O-2": "EXTERNAL"}, {"O-1": "EXTERNAL", "O-2": "S-001"}]


def test_a_node_may_start_later_than_the_others():
    head = HEAD.replace("account: second,", "account: second, starts: 90s,")
    late = head.replace("{at: 2s, submit: {id: O-2,", "{at: 92s, submit: {id: O-2,")
    told = late.splitlines()
    told = [line for line in told if "O-2" not in line]
    done = play(head="\n".join(told) + "\n")
    [a], [b] = lives(done, "A"), lives(done, "B")

    assert b.started_ns - a.started_ns == 90_000_000_000
    assert b.ready_ns is not None


def test_a_point_is_of_the_node_of_its_record():
    done = play(
        '{at: 5s, kill: {node: B, point: "after write 1 of orders"}}',
        '{at: 6s, fill: {order: O-1, quantity: "0.1"}}',
        '{at: 7s, fill: {order: O-2, quantity: "0.1"}}',
        "{at: 20s, start: {node: B}}",
    )
    [a], [killed, _] = lives(done, "A"), lives(done, "B")

    assert a.ended == "running"
    assert killed.ended == "killed"
    assert 7 <= (killed.ended_ns - killed.started_ns) / 1e9 < 8
    assert done.observation.inert == ()


def test_a_disconnect_may_be_of_one_node_only():
    done = play(
        "{at: 5s, disconnect: {for: 10s, node: B}}",
        '{at: 6s, fill: {order: O-1, quantity: "0.1"}}',
        '{at: 6s, fill: {order: O-2, quantity: "0.1"}}',
    )
    [a], [b] = lives(done, "A"), lives(done, "B")

    assert a.events[-1].fill is not None
    assert a.events[-1].at_ns - a.started_ns < 6_100_000_000
    assert not any(6 <= (e.at_ns - b.started_ns) / 1e9 < 15 for e in b.events)
    assert {i.node for i in done.observation.impairments} == {"B"}


def test_a_lost_event_of_one_account_reaches_the_other():
    done = play(
        "{at: 5s, drop_event: {event: ORDER_TRADE_UPDATE, account: second}}",
        '{at: 6s, fill: {order: O-1, quantity: "0.1"}}',
        '{at: 7s, fill: {order: O-2, quantity: "0.1"}}',
    )
    [a], [b] = lives(done, "A"), lives(done, "B")

    assert orders(a.final)["O-1"][2] == "0.5"
    assert orders(b.final)["O-2"][2] == "0.5"
    assert done.observation.inert == ()


def test_a_node_that_stops_itself_is_started_again_and_the_other_goes_on():
    class Quits:
        name = "quits"
        alerts = None

        def __init__(self) -> None:
            self.spec: Any = None

        def configure(self, config: Any, spec: Any) -> Any:
            self.spec = spec
            return config

        def attach(self, node: Any) -> None:
            if self.spec.account == "second":
                loop = node.kernel.loop
                loop.call_later(15, lambda: loop.create_task(node.stop_async()))

    text = HEAD
    done = run(loads(text, "test.yaml"), Quits)

    assert [i.ended for i in lives(done, "A")] == ["running"]
    assert {i.ended for i in lives(done, "B")[:-1]} == {"quit"}
    assert len(lives(done, "B")) > 1


@pytest.mark.parametrize("engine", ["stock", "recon"])
@pytest.mark.parametrize("head", [HEAD, SHARED], ids=["two-accounts", "one-account"])
def test_the_same_story_has_the_same_digest(head: str, engine: str):
    records = ("{at: 10s, restart: {by: kill}}", "{at: 12s, restart: {node: B}}")

    assert len({play(*records, head=head, engine=engine).trace.digest() for _ in range(2)}) == 1


def test_who_asks_is_named_where_there_are_several():
    wanted = "path: /fapi/v1/userTrades, status: 503, node: B, for: 5s"
    failed = f"{{at: 5s, fail_request: {{{wanted}}}}}"
    done = play(failed, "{at: 5s, restart: {node: B}}", engine="recon")
    kinds = ("request", "stream-open", "frame")
    asking = {row.subject.split()[0] for row in done.trace.rows if row.kind in kinds}
    hit = {row.details.split()[0] for row in done.trace.rows if row.kind == "fault"}

    assert asking == {"A", "B"}
    assert hit == {"B"}
    assert {process for process, _, _ in done.startups} == {"A#0", "B#0", "B#1"}


def test_one_node_is_the_same_story_by_its_name_among_nodes():
    alone = HEAD.replace(", accounts: {main: {keys: [one, two]}, second: {}}", "").splitlines()
    alone = [line for line in alone if "O-2" not in line and not line.startswith("  B:")]
    plural = "\n".join(alone) + "\n"
    singular = plural.replace("nodes:\n  A: ", "node: ")
    restart = "{at: 10s, restart: {}}"

    assert singular != plural
    first, second = (play(restart, head=head, engine="recon") for head in (singular, plural))
    assert first.trace.digest() == second.trace.digest()
    assert second.observation.sights == {}


TOGETHER = """
format: 1
title: A test
shows: fill-lost
venue: {symbols: [BTCUSDT], accounts: {main: {}, second: {position_mode: hedge}}}
node: {accounts: [main, second], reconciliation_interval_secs: 3600}
timeline:
  - {at: -1h, web_submit: {id: W-1, side: BUY, quantity: "1", type: MARKET}}
  - at: -1h
    web_submit: {id: W-2, side: SELL, quantity: "2", type: MARKET, position_side: SHORT,
                 account: second}
"""


def test_one_node_may_trade_on_two_accounts():
    buy = '{id: O-1, side: BUY, quantity: "1", price: "40000"}'
    sell = (
        '{id: O-2, side: SELL, quantity: "2", price: "60000", position_side: SHORT, '
        "account: second}"
    )
    done = play(
        f"{{at: 5s, submit: {buy}}}",
        f"{{at: 5s, submit: {sell}}}",
        '{at: 8s, fill: {order: O-1, quantity: "1"}}',
        '{at: 8s, fill: {order: O-2, quantity: "2"}}',
        "{at: 10s, restart: {}}",
        f"{{at: 30s, submit: {buy.replace('O-1', 'O-3')}}}",
        f"{{at: 30s, submit: {sell.replace('O-2', 'O-4')}}}",
        "{at: 40s, cancel_all: {account: second}}",
        head=TOGETHER,
        engine="recon",
    )
    [first, second] = lives(done, "A")

    assert orders(second.final) == {
        "web_W-1": ("main", "FILLED", "1"),
        "O-1": ("main", "FILLED", "1"),
        "web_W-2": ("second", "FILLED", "2"),
        "O-2": ("second", "FILLED", "2"),
        "O-3": ("main", "ACCEPTED", "0"),
        "O-4": ("second", "CANCELED", "0"),
    }
    held = {(p.account, p.position_side, str(p.quantity)) for p in second.final.positions}
    assert held == {("main", "BOTH", "2.000"), ("second", "SHORT", "-4.000")}
    assert second.final.positions == second.loaded.positions == first.final.positions


@pytest.mark.parametrize("account", ["main", "second"])
def test_a_start_waits_until_all_accounts_of_the_node_are_connected(account: str):
    wait = f"{{method: POST, path: /fapi/v1/listenKey, account: {account}, by: 5s}}"
    done = play(f"{{at: 0s, delay_reply: {wait}}}", head=TOGETHER, engine="recon")
    [only] = lives(done, "A")
    start = only.started_ns
    reads = [
        r.at_ns for r in done.trace.rows if r.kind == "request" and " recon GET" in f" {r.subject}"
    ]

    assert min(reads) - start > 5_000_000_000
    assert only.ready_ns is not None
    assert only.ready_ns >= min(reads)
    assert {o.account for o in only.final.orders} == {"main", "second"}


def test_a_start_is_not_over_before_every_account_is_read():
    fail = "{path: /fapi/v1/userTrades, status: 503, account: second, for: 12s}"
    done = play(f"{{at: 0s, fail_request: {fail}}}", head=TOGETHER, engine="recon")
    [only] = lives(done, "A")

    assert only.ready_ns is not None
    assert only.ready_ns - only.started_ns > 12_000_000_000
    assert {o.account for o in only.final.orders} == {"main", "second"}


@pytest.mark.parametrize("key", ["one", "two"])
def test_nodes_share_no_client_and_no_instruments_even_with_one_key(key: str):
    """The adapter keeps its clients for a whole interpreter; here every node is a process."""
    parts: list[tuple[Any, ...]] = []

    class Collects:
        name = "collects"
        alerts = None

        def attach(self, node: Any) -> None:
            [client] = node.kernel.exec_engine._clients.values()
            parts.append((client._http_client, client._instrument_provider, node.kernel.clock))

    head = HEAD.replace("{account: second,", f"{{key: {key},")
    made = engines.Loaded("collects", Collects())
    run(loads(head + "  - {at: 10s, restart: {by: kill, node: B}}\n"), lambda: made)

    assert len(parts) == 3
    assert all(len({id(part) for part in kind}) == 3 for kind in zip(*parts, strict=True))


@pytest.mark.parametrize("head", [HEAD, SHARED], ids=["two-accounts", "one-account"])
def test_the_checks_of_a_node_go_on_when_the_other_is_killed(head: str):
    head = head.replace("interval_secs: 3600}", "interval_secs: 30}")
    done = play(
        "{at: 10s, kill: {}}",
        "{at: 12s, drop_event: {event: ORDER_TRADE_UPDATE, node: B}}",
        '{at: 15s, fill: {order: O-2, quantity: "0.25"}}',
        head=head,
        engine="recon",
    )
    [b] = lives(done, "B")
    [late] = [e for e in b.events if e.fill is not None and e.fill.quantity == Decimal("0.25")]

    assert orders(b.final)["O-2"][2] == "0.75"
    assert 20 < (late.at_ns - b.started_ns) / 1e9 < 75


@pytest.mark.parametrize(
    "fault",
    [
        "lag_reads: {account: second, by: 1h, for: 25s}",
        "hide_trades: {account: second, symbol: BTCUSDT, for: 25s}",
        "omit_rows: {account: second, reads: [userTrades], symbol: BTCUSDT, for: 25s}",
    ],
)
def test_a_fault_of_reads_may_be_of_one_account_only(fault: str):
    done = play(
        "{at: 10s, stop: {}}",
        "{at: 10s, stop: {node: B}}",
        f"{{at: 14s, {fault}}}",
        '{at: 15s, fill: {order: O-1, quantity: "0.1"}}',
        '{at: 15s, fill: {order: O-2, quantity: "0.1"}}',
        "{at: 20s, start: {}}",
        "{at: 20s, start: {node: B}}",
        head=HEAD.replace("interval_secs: 3600}", "interval_secs: 60}"),
        engine="recon",
    )
    [_, a], [_, b] = lives(done, "A"), lives(done, "B")

    def found_s(node: Incarnation) -> float:
        return next((e.at_ns - node.started_ns) / 1e9 for e in node.events if e.fill is not None)

    assert found_s(a) < 2
    assert found_s(b) > 15
    assert done.observation.inert == ()
    assert {i.account for i in done.observation.impairments} == {"second"}


@pytest.mark.parametrize(("key", "is_cut"), [("one", True), ("two", False)])
def test_a_node_that_stops_ends_the_listen_key_of_its_own_api_key(key: str, is_cut: bool):
    head = HEAD.replace("{account: second,", f"{{key: {key},")
    done = play("{at: 10s, stop: {}}", head=head)
    closed = [
        row
        for row in done.trace.rows
        if row.kind == "stream-close" and row.subject.startswith("B ")
    ]

    assert bool(closed) == is_cut


@pytest.mark.parametrize("record", ["half_open: {for: 20s", "mute_streams: {for: 20s"])
def test_a_fault_of_the_only_node_may_name_it(record: str):
    head = HEAD.replace(", accounts: {main: {keys: [one, two]}, second: {}}", "")
    lines = [line for line in head.splitlines() if "O-2" not in line and "B:" not in line]
    told = "\n".join(lines).replace("nodes:\n  A: ", "node: ") + "\n"
    done = play(
        f"{{at: 10s, {record}, node: A}}}}",
        '{at: 15s, fill: {order: O-1, quantity: "0.1"}}',
        head=told,
        engine="recon",
    )

    assert done.observation.inert == ()


def test_a_node_that_starts_after_the_last_record_has_its_time():
    head = HEAD.replace("{account: second,", "{account: second, starts: 1d,")
    lines = [line for line in head.splitlines() if "O-2" not in line]
    done = play(head="\n".join(lines) + "\n")
    [life] = lives(done, "B")

    assert life.ready_ns is not None
    assert life.ended_ns - life.started_ns > 3600 * 10**9
