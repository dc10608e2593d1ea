"""What is kept of the ledger: enough for exactly once, over purges, crashes and restarts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from recon_node import by_process, judged, last, orders, play, positions, recon_with

from recon.core.ledger import decode_book
from recon.nautilus.store import Store
from sim.database import DATABASE
from sim.observation import Incarnation
from sim.strategy import TimelineStrategy

LEG = "BTCUSDT-PERP.BINANCE-BOTH"
KEY = "recon.ledger.BINANCE-USDT_FUTURES-master"
PURGES = (
    "exec_engine: {purge_closed_orders_interval_mins: 1, purge_closed_orders_buffer_mins: 0, "
    "purge_from_database: %s}, "
)
NODE = "reconciliation_interval_secs: 60"


def fills(process: Incarnation) -> list[str]:
    return [event.fill.trade_id for event in process.events if event.fill is not None]


@pytest.mark.parametrize("from_database", ["true", "false"])
@pytest.mark.parametrize("after_secs", [70, 150, 900])
@pytest.mark.parametrize("by", ["stop", "kill"])
def test_trades_of_purged_orders_are_not_applied_again(
    from_database: str, after_secs: int, by: str
):
    done = play(
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}',
        '{at: 6s, fill: {order: O-1, quantity: "0.4"}}',
        '{at: 7s, fill: {order: O-1, quantity: "0.6"}}',
        '{at: 8s, web_submit: {id: W-1, side: BUY, quantity: "1", price: "50000"}}',
        '{at: 9s, fill: {order: W-1, quantity: "1"}}',
        f"{{at: {after_secs}s, restart: {{by: {by}}}}}",
        f"{{at: {after_secs + 100}s, restart: {{by: {by}}}}}",
        f"{{at: {after_secs + 300}s, expire_listen_key: {{notify: true}}}}",
        node=PURGES % from_database + NODE,
    )
    first, *later = done.observation.incarnations

    assert not judged(done).violations
    assert len(set(fills(first))) == 3
    for process in later:
        assert not fills(process)
    assert positions(last(done).final) == {LEG: "2"}
    assert first.purged or last(done).purged


@pytest.mark.parametrize("cache", ["kept", "stale, lose: 1ms"])
def test_several_restarts_in_a_row_publish_nothing(cache: str):
    done = play(
        '{at: -2d, web_submit: {id: W-1, side: SELL, quantity: "5", price: "50000"}}',
        '{at: -1d, fill: {order: W-1, quantity: "2"}}',
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "4", price: "50000"}}',
        '{at: 6s, fill: {order: O-1, quantity: "1"}}',
        '{at: 7s, submit: {id: O-2, side: BUY, quantity: "1", price: "50000"}}',
        "{at: 8s, cancel: {order: O-2}}",
        *[f"{{at: {20 + 5 * n}s, restart: {{by: kill}}}}" for n in range(6)],
        "{at: 5m, restart: {}}",
        "{at: 3h, restart: {}}",
    )

    assert not judged(done).violations
    for process in done.observation.incarnations[1:]:
        assert not process.events
        assert not process.alerts


def test_the_ledger_does_not_grow_with_the_fills():
    sizes: list[int] = []

    def measure(node: Any) -> None:
        kept = [node.kernel.cache.get(key) for key in (KEY, f"{KEY}.BTCUSDT")]
        sizes.append(sum(len(each) for each in kept if each is not None))

    done = play(
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "9", price: "50000"}}',
        *['{at: 6s, fill: {order: O-1, quantity: "0.01", times: 300}}'],
        "{at: 10s, restart: {}}",
        "{at: 15m, restart: {}}",
        '{at: 16m, fill: {order: O-1, quantity: "0.01", times: 300}}',
        "{at: 30m, restart: {}}",
        engine=recon_with(attach=measure),
    )
    before, fresh, settled, settled_again = sizes

    assert not judged(done).violations
    assert before == 0
    # Ahead of the cursor each fill is listed, behind it none is.
    assert fresh < 300 * 8
    assert settled < 150
    assert settled_again <= settled + 4


def test_a_strategy_that_fails_on_a_fill_leaves_the_ledger_right(monkeypatch: pytest.MonkeyPatch):
    left = ["planted"]

    def fails_once(self: Any, event: Any) -> None:
        if left:
            raise RuntimeError(left.pop())

    monkeypatch.setattr(TimelineStrategy, "on_order_filled", fails_once, raising=False)
    done = play(
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "2", price: "50000"}}',
        '{at: 6s, fill: {order: O-1, quantity: "1"}}',
        "{at: 20s, restart: {}}",
        '{at: 30s, fill: {order: O-1, quantity: "1"}}',
    )
    first, second = done.observation.incarnations

    assert first.ended == "crashed"
    assert [crash.incarnation for crash in done.observation.crashes] == [0]
    assert fills(second) == [str(done.observation.trades[1].trade_id)]
    assert orders(second.final) == {"O-1": ("FILLED", "2")}
    assert positions(second.final) == {LEG: "2"}


def test_a_ledger_that_was_lost_alone_applies_nothing_twice():
    def lose(node: Any) -> None:
        # An empty text is no record, but none at all is what a new ledger starts from.
        cache = node.kernel.cache
        original = cache.get

        class Without:
            def __getattr__(self, name: str) -> Any:
                return getattr(cache, name)

            def get(self, key: str) -> Any:
                return None if key.startswith(KEY) else original(key)

        node.kernel.exec_engine._recon_installation._cache = Without()

    done = play(
        '{at: 5s, submit: {id: O-1, side: BUY, quantity: "2", price: "50000"}}',
        '{at: 6s, fill: {order: O-1, quantity: "1"}}',
        "{at: 5m, restart: {}}",
        '{at: 6m, fill: {order: O-1, quantity: "1"}}',
        engine=by_process(recon_with(), recon_with(attach=lose)),
    )

    assert not judged(done).violations
    assert orders(last(done).final) == {"O-1": ("FILLED", "2")}


def test_fills_that_a_crash_kept_from_the_ledger_outlive_the_purge_of_their_order():
    # Killed before the ledger was written, and purged before the trades were served.
    done = play(
        "{at: 5s, hide_trades: {symbol: BTCUSDT, for: 50s}}",
        '{at: 6s, web_submit: {id: W-1, side: SELL, quantity: "2", price: "50000"}}',
        '{at: 7s, fill: {order: W-1, quantity: "2"}}',
        "{at: 7500ms, restart: {by: kill}}",
        node=PURGES % "true" + NODE,
    )
    first, second = done.observation.incarnations

    assert not judged(done).violations
    assert second.purged
    assert len(fills(first)) == 1
    assert not fills(second)


def test_the_ledger_tells_of_no_fill_that_its_order_could_lose(monkeypatch: pytest.MonkeyPatch):
    """Fills come while it is seen that those before them are kept, and some of them are not."""
    unkept: list[set[str]] = []
    write = Store.write

    def checked(store: Store) -> None:
        due = dict(store._due)
        write(store)
        if (payload := due.get(f"{KEY}.BTCUSDT")) is not None:
            told = {key.trade_id for key in decode_book("BTCUSDT", payload).ahead}
            unkept.append(told - _filled_in_the_database())

    monkeypatch.setattr(Store, "write", checked)
    play(
        *[
            f'{{at: 5s, submit: {{id: O-{n}, side: BUY, quantity: "10", price: "50000"}}}}'
            for n in range(4)
        ],
        *[
            f"{{at: {6000 + 370 * n + after}ms, {each}}}"
            for n in range(20)
            for after, each in (
                (0, f"lose_writes: {{for: {200 * (n % 2) or 1}ms}}"),
                (100, f'fill: {{order: O-{n % 4}, quantity: "0.5"}}'),
            )
        ],
    )

    assert len(unkept) > 5
    assert not set().union(*unkept)


def _filled_in_the_database() -> set[str]:
    backing = DATABASE.get().backing
    assert backing is not None
    raws = [raw for key in backing.keys("orders:*") for raw in backing.read(key.split(":", 1)[1])]
    events = [msgspec.msgpack.decode(raw) for raw in raws]
    return {event["trade_id"] for event in events if event["type"] == "OrderFilled"}
