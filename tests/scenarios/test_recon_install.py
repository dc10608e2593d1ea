"""Attaching `recon` to a node: what is refused, what is put in place, and how it is taken off."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from nautilus_trader.config import CacheConfig, DatabaseConfig, LiveExecEngineConfig
from nautilus_trader.live.node import TradingNode
from recon_node import Log, by_process, judged, last, orders, play, recon_with

import recon
from recon.binance import BinanceReader
from recon.nautilus import attach
from sim.database_line import DatabaseLine
from sim.node import SetupError
from sim.recon_engine import Recon, install

ORDER = (
    '{at: 5s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}',
    '{at: 6s, fill: {order: O-1, quantity: "1"}}',
)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr(attach, "Logger", log)
    return log


class Bare(Recon):
    """`recon`'s configuration, and nothing is installed."""

    def attach(self, node: Any) -> None:
        self.then(node)

    def then(self, node: Any) -> None:
        """What a test does with the node."""


def bare(then: Any) -> Any:
    return type("Then", (Bare,), {"then": lambda self, node: then(node)})


def refused(engine: Any) -> str:
    """Return why an engine could not be attached."""
    with pytest.raises(SetupError, match="InstallError") as refusal:
        play(*ORDER, engine=engine)
    return str(refusal.value)


# -- what is refused --------------------------------------------------------------------


def test_a_second_install_is_refused():
    assert "installed in this node already" in refused(recon_with(attach=install))


def test_a_node_that_is_not_built_is_refused():
    def install_in_another(node: Any) -> None:
        recon.install(TradingNode(config=node._config, loop=node.kernel.loop))

    assert "call install after node.build()" in refused(bare(install_in_another))


@pytest.mark.parametrize("is_subclass", [True, False])
def test_a_configuration_that_is_not_recons_is_refused(is_subclass: bool):
    class Own(LiveExecEngineConfig, frozen=True):
        pass

    kind = Own if is_subclass else LiveExecEngineConfig
    engine = recon_with(configure=lambda config: replace(config, exec_engine=kind()))

    assert "exec_engine=ReconExecEngineConfig(...)" in refused(engine)


def test_uninstall_of_what_is_not_installed_is_refused():
    assert "not installed" in refused(bare(recon.uninstall))


@pytest.mark.parametrize(
    "name", [*attach.ATTRIBUTES, *attach.ENDPOINTS.values(), *attach.PRIVATE, "no_such_name"]
)
def test_a_name_that_the_engine_does_not_have_is_named(name: str, monkeypatch: pytest.MonkeyPatch):
    class Lacks:
        """An engine of another release."""

        def __init__(self, engine: Any) -> None:
            object.__setattr__(self, "_engine", engine)

        def __getattr__(self, attribute: str) -> Any:
            if attribute == name or attribute == attach._MARK:
                raise AttributeError(attribute)
            return getattr(self._engine, attribute)

    monkeypatch.setattr(attach, "LiveExecutionEngine", Lacks)
    if name == "no_such_name":
        monkeypatch.setattr(attach, "PRIVATE", (*attach.PRIVATE, name))

    def check(node: Any) -> None:
        attach._check_names(Lacks(node.kernel.exec_engine), node.kernel.msgbus)

    why = refused(bare(check))
    assert f"has no '{name}'" in why
    assert "nautilus_trader 1." in why


@pytest.mark.parametrize("endpoint", attach.ENDPOINTS)
def test_an_endpoint_that_the_message_bus_does_not_have_is_named(endpoint: str):
    def without(node: Any) -> None:
        method = getattr(node.kernel.exec_engine, attach.ENDPOINTS[endpoint])
        node.kernel.msgbus.deregister(endpoint, method)
        install(node)

    assert f"has no endpoint '{endpoint}'" in refused(bare(without))


def test_what_is_refused_has_changed_nothing():
    def fails_then_runs_stock(node: Any) -> None:
        engine, msgbus = node.kernel.exec_engine, node.kernel.msgbus
        before = shape(node)
        msgbus.deregister("ExecEngine.process", engine.process)
        with pytest.raises(recon.InstallError):
            install(node)
        msgbus.register("ExecEngine.process", engine.process)
        assert shape(node) == before

    done = play(*ORDER, engine=bare(fails_then_runs_stock))

    assert orders(last(done).final) == {"O-1": ("FILLED", "1")}


# -- taking it off ----------------------------------------------------------------------


def shape(node: Any) -> tuple[Any, ...]:
    """Return all of a node that `recon` puts something into."""
    engine, msgbus = node.kernel.exec_engine, node.kernel.msgbus
    return (
        sorted(msgbus.endpoints()),
        sorted(msgbus.topics()),
        sorted((s.topic, s.priority) for s in msgbus.subscriptions()),
        sorted(getattr(engine, "__dict__", {})),
        engine.reconcile_execution_state,
        engine.connect,
    )


@pytest.mark.parametrize("dry_run", [False, True])
def test_uninstall_gives_the_stock_node_back(dry_run: bool):
    shapes: list[Any] = []

    def take_off(node: Any) -> None:
        with_recon = shape(node)
        recon.uninstall(node)
        shapes.append(shape(node))
        assert with_recon != shapes[0]
        install(node)
        recon.uninstall(node)
        shapes.append(shape(node))

    class Untouched(Bare):
        def then(self, node: Any) -> None:
            bare_node = shape(node)
            install(node)
            recon.uninstall(node)
            shapes.append(bare_node)
            assert shape(node) == bare_node

    done = play(*ORDER, engine=recon_with(attach=take_off, dry_run=dry_run))
    play(*ORDER, engine=Untouched)

    assert shapes[0] == shapes[1]
    assert shapes[0][:4] == shapes[2][:4]
    assert orders(last(done).final) == {"O-1": ("FILLED", "1")}


def test_a_node_without_recon_again_hands_events_to_its_engine():
    received: list[str] = []

    def take_off(node: Any) -> None:
        recon.uninstall(node)
        process = node.kernel.exec_engine.process
        node.kernel.msgbus.deregister("ExecEngine.process", process)

        def note(event: Any) -> None:
            received.append(type(event).__name__)
            process(event)

        node.kernel.msgbus.register("ExecEngine.process", note)

    play(*ORDER, engine=recon_with(attach=take_off))

    assert "OrderFilled" in received


def test_install_after_uninstall_works():
    def again(node: Any) -> None:
        recon.uninstall(node)
        Recon().attach(node)

    done = play(
        "{at: 4s, drop_event: {event: ORDER_TRADE_UPDATE, execution: TRADE}}",
        *ORDER,
        engine=recon_with(attach=again),
    )

    assert not judged(done).violations
    assert orders(last(done).final) == {"O-1": ("FILLED", "1")}


def test_recon_may_be_taken_off_while_the_node_runs():
    nodes: list[Any] = []

    def take_off_later(node: Any) -> None:
        nodes.append(node)
        node.kernel.loop.call_later(10, recon.uninstall, node)

    done = play(
        *ORDER,
        '{at: 20s, submit: {id: O-2, side: BUY, quantity: "1", price: "50000"}}',
        '{at: 21s, fill: {order: O-2, quantity: "1"}}',
        "{at: 60s, restart: {}}",
        engine=by_process(recon_with(attach=take_off_later), recon_with()),
    )

    assert orders(done.observation.incarnations[0].final) == {
        "O-1": ("FILLED", "1"),
        "O-2": ("FILLED", "1"),
    }
    # What the node applied without `recon` is known to it afterwards.
    assert not judged(done).violations


def test_connections_are_let_go_of(monkeypatch: pytest.MonkeyPatch):
    closed: list[BinanceReader] = []
    original = BinanceReader.aclose

    async def close(self: BinanceReader) -> None:
        closed.append(self)
        await original(self)

    def take_off_later(node: Any) -> None:
        node.kernel.loop.call_later(10, recon.uninstall, node)

    monkeypatch.setattr(BinanceReader, "aclose", close)
    play(*ORDER, engine=recon_with(attach=take_off_later))

    assert len(closed) == 1


# -- what is told when it is installed --------------------------------------------------


@pytest.mark.parametrize(
    ("cache", "loads", "words"),
    [
        (None, True, "the cache has no database"),
        (CacheConfig(), True, "the cache has no database"),
        (
            CacheConfig(database=DatabaseConfig(type="redis"), use_instance_id=True),
            True,
            "use_instance_id=True",
        ),
        (
            CacheConfig(database=DatabaseConfig(type="redis"), flush_on_start=True),
            True,
            "flush_on_start=True",
        ),
        (CacheConfig(database=DatabaseConfig(type="redis")), False, "load_cache=False"),
    ],
)
def test_a_store_that_does_not_come_back_is_named(
    cache: CacheConfig | None, loads: bool, words: str, log: Log
):
    play(
        *ORDER,
        engine=recon_with(
            configure=lambda config: replace(
                config,
                cache=cache,
                exec_engine=replace(config.exec_engine, load_cache=loads),
            )
        ),
    )
    [warning] = [line for line in log.of("warning") if "after a restart" in line]

    assert words in warning


def test_what_the_database_has_lost_is_told_by_name(log: Log):
    play("{at: 4999ms, lose_writes: {for: 10ms}}", *ORDER)
    (warning,) = [line for line in log.of("warning") if "had lost" in line]

    assert "O-1" in warning
    assert "BTCUSDT" not in warning, "what was lost of the position came a second later"


def test_a_database_that_does_not_let_itself_be_asked_has_the_ledger_and_is_told_once(
    log: Log, monkeypatch: pytest.MonkeyPatch
):
    answer = DatabaseLine._answer

    def refuse(line: DatabaseLine, command: list[bytes]) -> bytes:
        if command[0] == b"GET":
            return b"-NOPERM no permission to run the 'get' command\r\n"
        return answer(line, command)

    monkeypatch.setattr(DatabaseLine, "_answer", refuse)
    done = play(*ORDER, "{at: 10s, restart: {by: kill}}", "{at: 3m, restart: {}}")
    told = [line for line in log.of("error") if "NOPERM" in line]

    assert len(told) == 3, "by each process"
    assert not judged(done).violations
    assert not last(done).events, "the ledger was kept"


def test_in_a_dry_run_nothing_is_written_to_the_database(log: Log):
    play("{at: 4999ms, lose_writes: {for: 10ms}}", *ORDER, engine=recon_with(dry_run=True))

    assert [line for line in log.of("warning") if "had lost" in line] == []


def test_a_store_that_comes_back_is_not_told(log: Log):
    play(*ORDER)

    assert not log.of("warning")
    assert not log.of("error")
