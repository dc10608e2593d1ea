"""What is told reaches who listens, and who listens cannot stop what is being corrected."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from nautilus_trader.common.component import Logger, MessageBus, TestClock
from nautilus_trader.model.identifiers import AccountId, InstrumentId, TraderId

import recon
from recon.alerts import Alerts, Comparison, DatabaseState, Discrepancy

ACCOUNT = AccountId("BINANCE-001")
DISCREPANCY = Discrepancy(
    kind="missing-fill",
    account=ACCOUNT,
    instrument_id=InstrumentId.from_str("BTCUSDT-PERP.BINANCE"),
    text="a fill was missing",
    is_corrected=True,
    ts_event=1,
)
COMPARISON = Comparison(account=ACCOUNT, is_complete=True, text="", ts_event=1)
STATE = DatabaseState(is_there=False, text="gone", ts_event=1)

MESSAGES: dict[str, Callable[[Alerts], None]] = {
    recon.TOPIC: lambda alerts: alerts.tell(DISCREPANCY),
    recon.COMPARISONS: lambda alerts: alerts.compared(COMPARISON),
    recon.DATABASE: lambda alerts: alerts.database(STATE),
}


class Log:
    """Keeps what is logged at levels that people look at."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, line: str) -> None:
        self.lines.append(line)

    def error(self, line: str) -> None:
        self.lines.append(line)

    def exception(self, line: str, e: Exception) -> None:
        self.lines.append(f"{line}: {e}")


@pytest.fixture
def bus() -> MessageBus:
    return MessageBus(TraderId("TESTER-001"), TestClock())


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def alerts(bus: MessageBus, log: Log) -> Alerts:
    return Alerts(bus, cast(Logger, log))


@pytest.mark.parametrize("topic", MESSAGES)
def test_who_listens_is_told(topic: str, bus: MessageBus, alerts: Alerts) -> None:
    heard: list[Any] = []
    bus.subscribe(topic, heard.append)
    MESSAGES[topic](alerts)
    assert len(heard) == 1


@pytest.mark.parametrize("topic", MESSAGES)
def test_a_handler_that_raises_is_logged_and_stops_nothing(
    topic: str, bus: MessageBus, log: Log, alerts: Alerts
) -> None:
    def raises(message: Any) -> None:
        raise RuntimeError("of whoever listens")

    bus.subscribe(topic, raises)
    MESSAGES[topic](alerts)
    assert any(topic in line and "of whoever listens" in line for line in log.lines)
    assert alerts.counts.total() == (topic == recon.TOPIC)
