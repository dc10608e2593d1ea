"""Records that are collected leave the analyzer as if they had come one by one."""

import pandas as pd
import pytest
from nautilus_trader.analysis import PortfolioAnalyzer
from nautilus_trader.model.identifiers import PositionId
from nautilus_trader.model.objects import Currency, Money

from recon.nautilus.analyzer import records_at_once

USDT, USDC = Currency.from_str("USDT"), Currency.from_str("USDC")
RECORDS = [
    (PositionId("P-1"), Money("1.25000001", USDT), 1_767_225_600_000_000_001),
    (PositionId("P-2"), Money("-3", USDC), 1_767_225_600_000_000_002),
    (PositionId("P-1"), Money("0.1", USDT), None),
    (PositionId("P-1"), Money("0", USDT), 0),
]
STORES = ("_recorded_realized_pnls", "_recorded_realized_pnl_timestamps")


def recorded(analyzer):
    return {name: getattr(analyzer, name) for name in STORES}


def assert_same(one, other):
    for name in STORES:
        ours, theirs = recorded(one)[name], recorded(other)[name]
        assert list(ours) == list(theirs)
        for currency in theirs:
            pd.testing.assert_series_equal(ours[currency], theirs[currency], check_exact=True)
            assert [type(v) for v in ours[currency]] == [type(v) for v in theirs[currency]]


@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("collected", [0, 1, 2, 4])
def test_the_result_is_that_of_single_records(before, collected):
    single, at_once = PortfolioAnalyzer(), PortfolioAnalyzer()
    for analyzer in (single, at_once):
        for record in RECORDS[:before]:
            analyzer.record_trade(*record)

    for record in RECORDS[:collected]:
        single.record_trade(*record)
    with records_at_once(at_once):
        for record in RECORDS[:collected]:
            at_once.record_trade(*record)

    assert_same(at_once, single)
    assert at_once.realized_pnls(USDT) is None or at_once.realized_pnls(USDT).equals(
        single.realized_pnls(USDT)
    )


def test_it_ends_with_the_block_even_if_that_fails():
    analyzer = PortfolioAnalyzer()

    def fail():
        with records_at_once(analyzer):
            analyzer.record_trade(*RECORDS[0])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert "record_trade" not in vars(analyzer)
    assert len(analyzer._recorded_realized_pnls[USDT]) == 1


class Renamed(PortfolioAnalyzer):
    def __init__(self):
        super().__init__()
        del self._recorded_realized_pnls


class WithMore(PortfolioAnalyzer):
    def record_trade(self, position_id, realized_pnl, ts_event=None, account_id=None):
        pass


@pytest.mark.parametrize("kind", [Renamed, WithMore])
def test_an_analyzer_that_is_not_what_it_was_is_left_alone(kind):
    analyzer = kind()
    before = dict(vars(analyzer))

    with records_at_once(analyzer):
        assert vars(analyzer) == before


def test_one_whose_method_somebody_has_replaced_is_left_alone():
    analyzer = PortfolioAnalyzer()
    analyzer.record_trade = print

    with records_at_once(analyzer):
        assert analyzer.record_trade is print

    assert analyzer.record_trade is print


def test_something_else_is_left_alone():
    with records_at_once(object()):
        pass
