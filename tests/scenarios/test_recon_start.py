"""How a start ends: with strategies that run, or with one clear error and a node that stopped."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from recon_node import Log, judged, last, orders, play, recon_with

from recon.nautilus import attach
from sim.observation import Incarnation

ORDER = (
    '{at: 5s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}',
    '{at: 6s, fill: {order: O-1, quantity: "1"}}',
)
HISTORY = (
    '{at: -2h, web_submit: {id: W-1, side: BUY, quantity: "1", price: "50000"}}',
    '{at: -1h, fill: {order: W-1, quantity: "1"}}',
)
LATER = '{at: 3m, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}'
"""Something for a strategy to do when the start is long over."""


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr(attach, "Logger", log)
    return log


def seconds(process: Incarnation) -> float:
    """How long a process lived."""
    return (process.ended_ns - process.started_ns) / 1e9


def ready_secs(process: Incarnation) -> float | None:
    """How long it took until its strategies ran."""
    return None if process.ready_ns is None else (process.ready_ns - process.started_ns) / 1e9


def errors(log: Log) -> list[str]:
    return [*log.of("error"), *log.of("exception")]


# -- connecting -------------------------------------------------------------------------

NEVER = {
    "is refused": "fail_request: {method: GET, path: /fapi/v2/account, status: 400, "
    "code: -2015, message: Invalid API-key, for: 1h}",
    "breaks": "lose_reply: {method: GET, path: /fapi/v2/account, applied: never, for: 1h}",
    "has no stream": "fail_request: {method: POST, path: /fapi/v1/listenKey, status: 503, for: 1h}",
    "is too slow": "delay_reply: {method: GET, path: /fapi/v2/account, by: 45s, for: 1h}",
}


@pytest.mark.parametrize("why", NEVER)
@pytest.mark.parametrize("delay_secs", [0.5, 3.0, 10.0])
def test_an_account_that_does_not_connect_in_time_stops_the_node_with_its_name(
    why: str, delay_secs: float, log: Log
):
    nodes: list[Any] = []
    done = play(
        f"{{at: 0s, {NEVER[why]}}}",
        "{at: 100s, stop: {}}",
        engine=recon_with(attach=nodes.append, reconciliation_startup_delay_secs=delay_secs),
        node="reconciliation_interval_secs: 5",
    )
    first = done.observation.incarnations[0]
    [told] = log.of("error")[:1]

    assert first.ended == "quit"
    assert first.ready_ns is None
    assert not first.events
    # Far less than the minute of ``timeout_connection``.
    assert delay_secs <= seconds(first) < delay_secs + 5
    assert "no connected account of BINANCE" in told
    assert f"within {delay_secs:g} s (reconciliation_startup_delay_secs)" in told
    assert len(errors(log)) == sum(p.ended == "quit" for p in done.observation.incarnations)
    for node in nodes[: len(errors(log))]:
        [client] = node.kernel.exec_engine._clients.values()
        assert not node.kernel.is_running()
        assert not client.is_connected


def test_an_account_that_connects_late_and_in_time_is_waited_for_no_longer(log: Log):
    done = play(
        *HISTORY,
        "{at: 0s, delay_reply: {method: GET, path: /fapi/v2/account, by: 3s, count: 2}}",
        LATER,
    )
    [process] = done.observation.incarnations

    assert not judged(done).violations
    assert 6 < (ready_secs(process) or 0) < 7
    assert not errors(log)


def test_a_longer_delay_allows_a_slower_account(log: Log):
    records = (
        "{at: 0s, delay_reply: {method: GET, path: /fapi/v2/account, by: 8s, count: 2}}",
        LATER,
    )
    slow = play(*records, engine=recon_with(reconciliation_startup_delay_secs=30.0))

    assert [process.ended for process in slow.observation.incarnations] == ["running"]
    assert 16 < (ready_secs(last(slow)) or 0) < 17
    assert not errors(log)

    short = play(*records, engine=recon_with(reconciliation_startup_delay_secs=10.0))

    assert short.observation.incarnations[0].ended == "quit"
    assert len(errors(log)) == 1


@pytest.mark.parametrize("timeout_secs", [5.0, 60.0])
def test_a_node_whose_data_client_does_not_connect_stops_and_says_so(timeout_secs: float, log: Log):
    done = play(
        "{at: 0s, fail_request: {path: /fapi/v1/exchangeInfo, status: 503}}",
        "{at: 4m, stop: {}}",
        engine=recon_with(
            configure=lambda config: replace(config, timeout_connection=timeout_secs)
        ),
    )
    first, second = done.observation.incarnations

    assert first.ended == "quit"
    assert timeout_secs <= seconds(first) < timeout_secs + 5
    [told] = errors(log)
    assert f"its data clients have not connected within {timeout_secs:g} s" in told
    assert second.ready_ns is not None


# -- reading ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/fapi/v3/positionRisk", "/fapi/v1/openOrders", "/fapi/v1/userTrades", "/fapi/v1/income"],
)
def test_a_start_that_cannot_read_ends_with_one_error_and_a_node_that_stopped(path: str, log: Log):
    done = play(
        *HISTORY,
        f"{{at: 0s, fail_request: {{path: {path}, client: recon, status: 503, for: 31s}}}}",
        LATER,
    )
    first, second = done.observation.incarnations

    assert first.ended == "quit"
    assert first.ready_ns is None
    assert not first.events
    assert 25 < seconds(first) < 35
    assert orders(second.final) == {"web_W-1": ("FILLED", "1"), "O-1": ("ACCEPTED", "0")}
    [told] = errors(log)
    assert told.startswith("the node stops: ")
    assert "BINANCE-USDT_FUTURES-master could not be reconciled" in told
    assert path in told
    assert "503" in told
    assert not judged(done).violations


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, -2015, "Invalid API-key, IP, or permissions for action."),
        (401, -2014, "API-key format invalid."),
        (400, -1022, "Signature for this request is not valid."),
        (404, None, None),
    ],
)
def test_a_start_that_waiting_cannot_help_fails_at_once(
    status: int, code: int | None, message: str | None, log: Log
):
    about = "" if code is None else f", code: {code}, message: '{message}'"
    done = play(
        f"{{at: 0s, fail_request: {{client: recon, status: {status}{about}, for: 20s}}}}",
        LATER,
    )
    first = done.observation.incarnations[0]

    assert first.ended == "quit"
    assert seconds(first) < 5
    [told] = errors(log)
    assert str(code or status) in told
    # It was no matter of time.
    assert "within" not in told


def test_a_start_that_fails_at_first_is_tried_again(log: Log):
    done = play(
        *HISTORY,
        "{at: 0s, fail_request: {method: GET, client: recon, status: 503, for: 10s}}",
        LATER,
    )
    [process] = done.observation.incarnations

    assert 10 < (ready_secs(process) or 0) < 20
    assert not judged(done).violations
    assert not errors(log)
    assert log.of("warning")


def test_an_exception_in_a_start_stops_the_node(log: Log, monkeypatch: pytest.MonkeyPatch):
    def fails(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("planted")

    with monkeypatch.context() as patched:
        patched.setattr("recon.nautilus.account.Account.reconcile", fails)
        done = play(*ORDER, node="reconciliation_interval_secs: 5")
    first = done.observation.incarnations[0]

    assert first.ended == "quit"
    assert not first.events
    assert seconds(first) < 5
    assert any("ZeroDivisionError: planted" in line for line in log.of("error"))
    assert not done.observation.crashes


LEDGER = "recon.ledger.BINANCE-USDT_FUTURES-master"


@pytest.mark.parametrize("key", [LEDGER, f"{LEDGER}.BTCUSDT"])
@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (lambda kept: b"\xc1", "cannot be read"),
        (lambda kept: b"", "cannot be read"),
        (lambda kept: kept[:-1], "cannot be read"),
        (lambda kept: kept[:1] + b"\x63" + kept[2:], "format 99"),
    ],
)
def test_a_record_of_the_ledger_that_cannot_be_read_stops_the_start_and_is_named(
    key: str, damaged: Any, words: str, log: Log
):
    def damage(node: Any) -> None:
        kept = node.kernel.cache.get(key)
        if kept is not None:
            node.kernel.cache.add(key, damaged(kept))

    done = play(
        *ORDER,
        "{at: 60s, restart: {}}",
        engine=recon_with(attach=damage),
        node="reconciliation_interval_secs: 5",
    )
    second = done.observation.incarnations[1]

    assert second.ended == "quit"
    assert not second.events
    told = errors(log)[-1]
    assert f"{key}: " in told
    assert words in told


def test_nothing_is_heard_of_a_start_that_finds_nothing(log: Log):
    done = play(
        *ORDER, "{at: 60s, restart: {}}", "{at: 120s, restart: {}}", "{at: 180s, restart: {}}"
    )

    for process in done.observation.incarnations[1:]:
        assert not process.events
        assert not process.alerts
    assert not judged(done).violations
    assert not errors(log)
