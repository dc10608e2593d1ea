"""Durations: what is read, what is refused, how they are printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.scenario.durations import format_duration, parse_duration

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0s", 0),
        ("1ns", 1),
        ("1us", 1_000),
        ("250ms", 250_000_000),
        ("1s", SECOND_NS),
        ("2m", 120 * SECOND_NS),
        ("1h", 3_600 * SECOND_NS),
        ("3d", 259_200 * SECOND_NS),
        ("1d2h30m", 95_400 * SECOND_NS),
        ("1m1ms", 60 * SECOND_NS + 1_000_000),
        ("90m", 5_400 * SECOND_NS),
        ("-3d", -259_200 * SECOND_NS),
        ("-1h30m", -5_400 * SECOND_NS),
    ],
)
def test_parse(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    ["", "-", "5", "s", "5 s", " 5s", "5s ", "1.5s", "5S", "5sec", "+5s", "--5s", "5s-3ms", "٣s"],
)
def test_refuse_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: whole numbers with a unit"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["1m1h", "1s1s", "1ms1s", "5s1m"])
def test_refuse_units_out_of_order(text: str) -> None:
    with pytest.raises(ValueError, match="larger units come first, each once"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (60 * SECOND_NS, "1m"),
        (90 * SECOND_NS, "1m30s"),
        (86_400 * SECOND_NS + 1, "1d1ns"),
        (-5_400 * SECOND_NS, "-1h30m"),
        (400 * 86_400 * SECOND_NS, "400d"),
    ],
)
def test_format(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text


@given(st.integers(-(10**22), 10**22))
def test_format_is_read_back(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds
