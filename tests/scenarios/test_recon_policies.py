"""A leg that no trade explains: told, adjusted or reason to stop, as the user says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from recon_node import Log, alerts, kinds, last, orders, play, positions, recon_with

from recon.nautilus import attach
from sim import engines
from sim.clock import START_NS
from sim.observation import Incarnation

LEG = "BTCUSDT-PERP.BINANCE-BOTH"
UNSEEN = (
    # A trade that neither the stream nor any read tells of for long: only the position shows it.
    "{at: 10s, drop_event: {for: 10s}}",
    "{at: 10s, hide_trades: {symbol: BTCUSDT, for: 20m}}",
    '{at: 11s, submit: {id: O-1, side: BUY, quantity: "3", price: "50000"}}',
    '{at: 12s, fill: {order: O-1, quantity: "2"}}',
)
APPEARED_SECS = 10 + 20 * 60
NODE = "reconciliation_interval_secs: 60"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr(attach, "Logger", log)
    return log


def told(process: Incarnation, kind: str) -> list[int]:
    """Return when something was told, in seconds since the beginning."""
    return [(a.at_ns - START_NS) // 10**9 for a in process.alerts if a.kind == kind]


def fills(process: Incarnation) -> list[tuple[str, str, Decimal]]:
    """Return order, side and quantity of what was published."""
    return [
        (event.client_order_id, event.fill.side, event.fill.quantity)
        for event in process.events
        if event.fill is not None
    ]


def test_a_residual_is_told_once_and_left_alone():
    done = play(*UNSEEN, '{at: 18m, submit: {id: O-2, side: BUY, quantity: "1", price: "1000"}}')
    [process] = done.observation.incarnations

    [at_secs] = told(process, "residual")
    assert at_secs > 12 + 60
    assert "adjustment" not in alerts(process)
    assert fills(process) == [("O-1", "BUY", 2)]
    assert next(event.at_ns for event in process.events if event.fill) > START_NS + (
        APPEARED_SECS * 10**9
    )
    assert positions(process.final) == {LEG: "2"}


def test_a_residual_is_adjusted_and_taken_back_when_its_trade_appears():
    tags: list[list[str] | None] = []

    def note_tags(node: Any) -> None:
        def look(fill: Any) -> None:
            if isinstance(fill, OrderFilled):
                tags.append(node.cache.order(fill.client_order_id).tags)

        node.kernel.msgbus.subscribe("events.order.*", look)

    done = play(
        *UNSEEN,
        '{at: 50m, submit: {id: O-2, side: BUY, quantity: "1", price: "1000"}}',
        engine=recon_with(policy="adjust", attach=note_tags),
        node=NODE,
    )
    [process] = done.observation.incarnations
    adjusted = [fill for fill in fills(process) if fill[0] != "O-1"]

    assert tags == [["RECON_ADJUSTMENT"], None, ["RECON_ADJUSTMENT"]]

    assert [(side, quantity) for _, side, quantity in adjusted] == [("BUY", 2), ("SELL", 2)]
    assert len(told(process, "adjustment")) == 2
    assert told(process, "residual")[0] < told(process, "adjustment")[0]
    # Not before three reads over two intervals.
    assert told(process, "adjustment")[0] > 12 + 60 + 2 * 60
    assert told(process, "adjustment")[1] > APPEARED_SECS
    assert positions(process.final) == {LEG: "2"}
    assert orders(process.final)["O-1"] == ("PARTIALLY_FILLED", "2")


def test_an_adjustment_is_kept_over_restarts_and_taken_back_after_them():
    done = play(
        *UNSEEN,
        "{at: 10m, restart: {}}",
        "{at: 15m, restart: {}}",
        '{at: 50m, submit: {id: O-2, side: BUY, quantity: "1", price: "1000"}}',
        engine=recon_with(policy="adjust"),
        node=NODE,
    )
    first, second, third = done.observation.incarnations

    assert [side for name, side, _ in fills(first) if name != "O-1"] == ["BUY"]
    assert not fills(second)
    assert [side for name, side, _ in fills(third) if name != "O-1"] == ["SELL"]
    assert positions(third.final) == {LEG: "2"}


@pytest.mark.parametrize("policy", ["alert", "adjust", "halt"])
def test_nothing_is_done_about_a_residual_that_a_trade_explains_in_time(policy: str):
    done = play(
        "{at: 10s, drop_event: {for: 10s}}",
        "{at: 10s, hide_trades: {symbol: BTCUSDT, for: 50s}}",
        '{at: 11s, submit: {id: O-1, side: BUY, quantity: "3", price: "50000"}}',
        '{at: 12s, fill: {order: O-1, quantity: "2"}}',
        engine=recon_with(policy=policy),
        node="reconciliation_interval_secs: 10",
    )
    [process] = done.observation.incarnations

    assert not {"residual", "adjustment"} & set(alerts(process))
    assert fills(process) == [("O-1", "BUY", 2)]
    assert process.ended == "running"


def test_a_residual_stops_the_node_with_its_reason(log: Log):
    done = play(*UNSEEN, "{at: 15m, stop: {}}", engine=recon_with(policy="halt"), node=NODE)
    first = done.observation.incarnations[0]

    assert first.ended == "quit"
    assert not fills(first)
    stops = [line for line in log.of("error") if line.startswith("the node stops: ")]
    assert stops[0] == (
        "the node stops: BTCUSDT BOTH differs from the venue's by +2.000 and no trade explains it"
    )
    assert len(stops) == sum(p.ended == "quit" for p in done.observation.incarnations)


def test_without_generate_missing_orders_nothing_is_booked_that_no_trade_explains():
    past = (
        '{at: -20d, web_submit: {id: W-1, side: BUY, quantity: "3", price: "50000"}}',
        '{at: -19d, fill: {order: W-1, quantity: "3"}}',
    )
    later = '{at: 20m, submit: {id: O-1, side: BUY, quantity: "1", price: "1000"}}'
    [with_it] = play(*past, later).observation.incarnations
    [without] = play(
        *past, later, engine=recon_with(generate_missing_orders=False)
    ).observation.incarnations

    assert positions(with_it.final) == {LEG: "3"}
    assert not fills(without)
    assert alerts(without) == ["residual"]


def test_without_generate_missing_orders_a_residual_is_not_adjusted():
    done = play(
        *UNSEEN,
        '{at: 15m, submit: {id: O-2, side: BUY, quantity: "1", price: "1000"}}',
        engine=recon_with(policy="adjust", generate_missing_orders=False),
    )

    assert fills(last(done)) == [("O-1", "BUY", 2)]
    assert "adjustment" not in alerts(last(done))


def test_with_filter_position_reports_positions_are_not_compared():
    past = (
        '{at: -20d, web_submit: {id: W-1, side: BUY, quantity: "3", price: "50000"}}',
        '{at: -19d, fill: {order: W-1, quantity: "3"}}',
    )
    done = play(*past, *UNSEEN, engine=recon_with(filter_position_reports=True, policy="halt"))
    [process] = done.observation.incarnations

    assert process.ended == "running"
    assert not {"residual", "opening-balance", "adjustment"} & set(alerts(process))
    assert fills(process) == [("O-1", "BUY", 2)]
    assert positions(process.final) == {LEG: "2"}


# -- what is none of the node's business ------------------------------------------------

BY_HAND = (
    '{at: 10s, web_submit: {id: W-1, side: BUY, quantity: "5", price: "50000"}}',
    '{at: 12s, fill: {order: W-1, quantity: "2"}}',
    '{at: 13s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}',
    '{at: 14s, fill: {order: O-1, quantity: "1"}}',
)


@pytest.mark.parametrize("claims", ["", "claims: {S-001: [BTCUSDT-PERP.BINANCE]}, "])
@pytest.mark.parametrize("cache", ["kept", "lost"])
def test_what_nobody_claims_is_filtered_and_is_no_residual(claims: str, cache: str):
    done = play(
        *BY_HAND,
        f"{{at: 10m, restart: {{cache: {cache}}}}}",
        '{at: 11m, fill: {order: W-1, quantity: "1"}}',
        "{at: 20m, restart: {}}",
        '{at: 30m, fill: {order: W-1, quantity: "2"}}',
        engine=recon_with(filter_unclaimed_external_orders=True, policy="halt"),
        node=claims + NODE,
    )
    is_claimed = bool(claims)

    for process in done.observation.incarnations:
        assert process.ended != "quit"
        assert "residual" not in alerts(process)
        assert ("web_W-1" in orders(process.final)) == is_claimed
    # O-1 is the strategy's own, but its id tells nobody after the cache is lost.
    held = {(True, "kept"): "6", (True, "lost"): "6", (False, "kept"): "1"}
    assert positions(last(done).final).get(LEG) == held.get((is_claimed, cache))


@pytest.mark.parametrize("is_up", [True, False])
def test_a_client_order_id_that_is_filtered_is_none_of_the_nodes_business(is_up: bool):
    done = play(
        *([] if is_up else ["{at: 9s, stop: {}}"]),
        *(BY_HAND[:2] if not is_up else BY_HAND),
        *([] if is_up else ["{at: 60s, start: {}}"]),
        "{at: 10m, restart: {}}",
        '{at: 11m, fill: {order: W-1, quantity: "3"}}',
        '{at: 20m, submit: {id: O-9, side: BUY, quantity: "1", price: "1000"}}',
        engine=recon_with(
            filtered_client_order_ids=[ClientOrderId("web_W-1")],
            policy="halt",
        ),
    )

    for process in done.observation.incarnations:
        assert process.ended != "quit"
        assert "residual" not in alerts(process)
        assert "web_W-1" not in orders(process.final)
    assert positions(last(done).final) == ({LEG: "1"} if is_up else {})


def test_only_the_instruments_that_are_named_are_reconciled():
    done = play(
        '{at: -2h, web_submit: {id: W-1, side: BUY, quantity: "5", price: "50000"}}',
        '{at: -1h, fill: {order: W-1, quantity: "2"}}',
        "{at: -50m, web_submit: "
        '{id: W-2, side: BUY, quantity: "5", price: "3000", symbol: ETHUSDT}}',
        '{at: -40m, fill: {order: W-2, quantity: "2"}}',
        '{at: 60s, fill: {order: W-2, quantity: "1"}}',
        '{at: 61s, fill: {order: W-1, quantity: "1"}}',
        '{at: 10m, submit: {id: O-9, side: BUY, quantity: "1", price: "1000"}}',
        venue="symbols: [BTCUSDT, ETHUSDT]",
        engine=recon_with(
            reconciliation_instrument_ids=[InstrumentId.from_str("ETHUSDT-PERP.BINANCE")],
            policy="halt",
        ),
    )

    assert positions(last(done).final) == {"ETHUSDT-PERP.BINANCE-BOTH": "3"}
    assert "residual" not in alerts(last(done))


# -- a dry run --------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["alert", "adjust", "halt"])
def test_a_dry_run_changes_nothing(policy: str):
    records = (
        '{at: -20d, web_submit: {id: W-1, side: BUY, quantity: "3", price: "50000"}}',
        '{at: -19d, fill: {order: W-1, quantity: "3"}}',
        *UNSEEN,
        '{at: 60s, submit: {id: O-2, side: SELL, quantity: "1", price: "50000"}}',
        '{at: 61s, fill: {order: O-2, quantity: "1"}}',
        "{at: 10m, restart: {}}",
    )
    writes: list[str] = []

    def note_writes(node: Any) -> None:
        cache = node.kernel.cache
        writes.append(repr(cache.get("recon.ledger.BINANCE-USDT_FUTURES-master")))

    node = f"reconciliation_lookback_mins: 1440, {NODE}"
    engine = recon_with(dry_run=True, policy=policy, attach=note_writes)
    dry = play(*records, engine=engine, node=node)
    stock = play(*records, engine=engines.StockDefaults, node=node)

    assert [p.ended for p in dry.observation.incarnations] == ["stopped", "running"]
    for mine, theirs in zip(
        dry.observation.incarnations, stock.observation.incarnations, strict=True
    ):
        assert kinds(mine) == kinds(theirs)
        assert fills(mine) == fills(theirs)
        assert orders(mine.final) == orders(theirs.final)
        assert positions(mine.final) == positions(theirs.final)
        told = [(a.kind, a.symbol, a.client_order_id, a.trade_id) for a in mine.alerts]
        assert len(set(told)) == len(told)
    assert writes == ["None", "None"]


def test_a_dry_run_tells_once_what_it_would_correct():
    done = play(
        '{at: 10s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}',
        "{at: 11s, drop_event: {execution: CANCELED}}",
        "{at: 12s, web_cancel: {order: O-1}}",
        '{at: 20m, submit: {id: O-2, side: BUY, quantity: "1", price: "50000"}}',
        engine=recon_with(dry_run=True),
    )

    assert alerts(last(done)) == ["order-state"]
    assert orders(last(done).final)["O-1"] == ("ACCEPTED", "0")


def test_a_dry_run_whose_first_reads_fail_compares_later():
    done = play(
        "{at: 0s, fail_request: {path: /fapi/v1/income, status: 503, code: -1008, "
        "message: Overloaded, for: 40s}}",
        '{at: 50s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}',
        "{at: 51s, drop_event: {execution: CANCELED}}",
        "{at: 52s, web_cancel: {order: O-1}}",
        '{at: 20m, submit: {id: O-2, side: BUY, quantity: "1", price: "50000"}}',
        engine=recon_with(dry_run=True),
    )

    assert "order-state" in alerts(last(done))


# -- instruments that are not reconciled ------------------------------------------------


@pytest.mark.parametrize("policy", ["adjust", "halt"])
def test_what_is_not_reconciled_is_neither_kept_from_the_engine_nor_judged(policy: str):
    only = [InstrumentId.from_str("ETHUSDT-PERP.BINANCE")]
    done = play(
        '{at: 5s, submit: {id: O-E, side: BUY, quantity: "1", price: "2000", symbol: ETHUSDT}}',
        '{at: 6s, submit: {id: O-1, side: BUY, quantity: "3", price: "50000"}}',
        '{at: 6s, submit: {id: O-2, side: BUY, quantity: "3", price: "50000"}}',
        '{at: 7s, submit: {id: O-3, side: BUY, quantity: "3", price: "40000", time_in_force: IOC}}',
        "{at: 10s, delay_event: {event: ORDER_TRADE_UPDATE, order: O-1, by: 2s, for: 2s}}",
        '{at: 11s, fill: {order: O-1, quantity: "1"}}',
        '{at: 12s, fill: {order: O-2, quantity: "1"}}',
        "{at: 30s, drop_event: {event: ORDER_TRADE_UPDATE, for: 2s}}",
        '{at: 31s, fill: {order: O-2, quantity: "1"}}',
        '{at: 10m, fill: {order: O-E, quantity: "1"}}',
        venue="symbols: [BTCUSDT, ETHUSDT]",
        engine=recon_with(policy=policy, reconciliation_instrument_ids=only),
    )

    process = last(done)
    assert process.ended == "running"
    assert orders(process.final) == {
        "O-E": ("FILLED", "1"),
        "O-1": ("PARTIALLY_FILLED", "1"),
        "O-2": ("PARTIALLY_FILLED", "1"),
        "O-3": ("EXPIRED", "0"),
    }
    assert alerts(process) == []
